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
    StartToken,
    Turn,
)
from storage.tables.desk import CannedReply, DeskOffer, NoteMention
from storage.tables.events import MerchantEvent, WebhookDelivery, WebhookEndpoint
from storage.tables.merchant import ApiKey, AuditEvent, ChannelAccount, Merchant
from storage.tables.page import PageFeedback, PageLink, PageSession
from storage.tables.payments import Payment, PaymentAccount, PaymentNotice

__all__ = [
    "ActionResult",
    "AddressCode",
    "Agreement",
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
    "Customer",
    "DeskOffer",
    "FollowUp",
    "GenuineCode",
    "Handoff",
    "HandoffNote",
    "Instalment",
    "IntakeBatch",
    "Merchant",
    "MerchantEvent",
    "Message",
    "NoteMention",
    "OfMerchant",
    "PageFeedback",
    "PageLink",
    "PageSession",
    "Payment",
    "PaymentAccount",
    "PaymentNotice",
    "Person",
    "Posting",
    "RecoveryCode",
    "StartToken",
    "Turn",
    "WebhookDelivery",
    "WebhookEndpoint",
]
