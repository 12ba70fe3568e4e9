"""All tables. Importing this module fills ``Base.metadata``."""

from storage.tables.bank import BankMovement
from storage.tables.base import Base, OfMerchant
from storage.tables.base_rate import BaseRate
from storage.tables.claims import (
    Agreement,
    Claim,
    ClaimOpen,
    ContactPoint,
    Customer,
    FollowUp,
    Instalment,
    IntakeBatch,
    Posting,
)
from storage.tables.console import ConsoleLink, ConsoleSession, Person, RecoveryCode
from storage.tables.conversation import (
    ActionResult,
    AddressCode,
    ButtonChoice,
    ContactAttempt,
    Conversation,
    GenuineCode,
    Handoff,
    HandoffNote,
    Message,
    MessageFile,
    StartToken,
    Turn,
)
from storage.tables.desk import CannedReply, DeskOffer, NoteMention
from storage.tables.events import MerchantEvent, WebhookDelivery, WebhookEndpoint
from storage.tables.merchant import ApiKey, AuditEvent, ChannelAccount, Merchant
from storage.tables.overview import (
    OverviewCase,
    OverviewClaim,
    OverviewFigure,
    OverviewRefresh,
    Reorder,
)
from storage.tables.page import PageFeedback, PageLink, PageSession
from storage.tables.payments import Payment, PaymentAccount, PaymentNotice
from storage.tables.review import (
    Correction,
    Transcript,
    TranscriptComment,
    TranscriptReview,
    TranscriptToken,
    TranscriptView,
    TranscriptWaiting,
)
from storage.tables.settings import SettingChange, Upload
from storage.tables.sso import SsoProvider
from storage.tables.workforce import AnswerTarget, DeskSeat, DeskTeam, DeskTeamMember, WrapUp

__all__ = [
    "ActionResult",
    "AddressCode",
    "Agreement",
    "AnswerTarget",
    "ApiKey",
    "AuditEvent",
    "BankMovement",
    "Base",
    "BaseRate",
    "ButtonChoice",
    "CannedReply",
    "ChannelAccount",
    "Claim",
    "ClaimOpen",
    "ConsoleLink",
    "ConsoleSession",
    "ContactAttempt",
    "ContactPoint",
    "Conversation",
    "Correction",
    "Customer",
    "DeskOffer",
    "DeskSeat",
    "DeskTeam",
    "DeskTeamMember",
    "FollowUp",
    "GenuineCode",
    "Handoff",
    "HandoffNote",
    "Instalment",
    "IntakeBatch",
    "Merchant",
    "MerchantEvent",
    "Message",
    "MessageFile",
    "NoteMention",
    "OfMerchant",
    "OverviewCase",
    "OverviewClaim",
    "OverviewFigure",
    "OverviewRefresh",
    "PageFeedback",
    "PageLink",
    "PageSession",
    "Payment",
    "PaymentAccount",
    "PaymentNotice",
    "Person",
    "Posting",
    "RecoveryCode",
    "Reorder",
    "SettingChange",
    "SsoProvider",
    "StartToken",
    "Transcript",
    "TranscriptComment",
    "TranscriptReview",
    "TranscriptToken",
    "TranscriptView",
    "TranscriptWaiting",
    "Turn",
    "Upload",
    "WebhookDelivery",
    "WebhookEndpoint",
    "WrapUp",
]
