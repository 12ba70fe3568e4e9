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
from storage.tables.events import MerchantEvent, WebhookDelivery, WebhookEndpoint
from storage.tables.merchant import ApiKey, AuditEvent, ChannelAccount, Merchant
from storage.tables.page import PageFeedback, PageLink, PageSession
from storage.tables.payments import Payment, PaymentAccount, PaymentNotice
from storage.tables.settings import SettingChange, Upload

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
    "ChannelAccount",
    "Claim",
    "ClaimOpen",
    "ConsoleLink",
    "ConsoleSession",
    "ContactAttempt",
    "ContactPoint",
    "Conversation",
    "Customer",
    "FollowUp",
    "GenuineCode",
    "Handoff",
    "HandoffNote",
    "Instalment",
    "IntakeBatch",
    "Merchant",
    "MerchantEvent",
    "Message",
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
    "SettingChange",
    "StartToken",
    "Turn",
    "Upload",
    "WebhookDelivery",
    "WebhookEndpoint",
]
