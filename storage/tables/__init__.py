"""All tables. Importing this module fills ``Base.metadata``."""

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
from storage.tables.conversation import (
    ActionResult,
    AddressCode,
    ButtonChoice,
    ContactAttempt,
    Conversation,
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
    "Base",
    "ButtonChoice",
    "ChannelAccount",
    "Claim",
    "ContactAttempt",
    "ContactPoint",
    "Conversation",
    "Customer",
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
