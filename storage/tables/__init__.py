"""All tables. Importing this module fills ``Base.metadata``."""

from storage.tables.bank import BankMovement
from storage.tables.base import Base, OfMerchant
from storage.tables.claims import (
    Agreement,
    Claim,
    ContactPoint,
    Customer,
    Instalment,
    IntakeBatch,
    Posting,
)
from storage.tables.console import ConsoleLink, ConsoleSession
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
from storage.tables.merchant import ApiKey, AuditEvent, ChannelAccount, Merchant

__all__ = [
    "ActionResult",
    "AddressCode",
    "Agreement",
    "ApiKey",
    "AuditEvent",
    "BankMovement",
    "Base",
    "ButtonChoice",
    "ChannelAccount",
    "Claim",
    "ConsoleLink",
    "ConsoleSession",
    "ContactAttempt",
    "ContactPoint",
    "Conversation",
    "Customer",
    "GenuineCode",
    "Handoff",
    "HandoffNote",
    "Instalment",
    "IntakeBatch",
    "Merchant",
    "Message",
    "OfMerchant",
    "Posting",
    "StartToken",
    "Turn",
]
