"""The contract between a messaging provider and the rest of the service.

Everything here is plain, frozen data: no database, no network, no provider library. A provider
turns raw webhooks into `InboundMessage` and `StatusUpdate`, and an `OutboundMessage` into one
request; it knows no conversation. Addresses are chat ids (Telegram, terminal) or E.164 numbers
(SMS, WhatsApp; without Twilio's ``whatsapp:`` prefix).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from typing import Any, ClassVar, Final, Protocol
from urllib.parse import parse_qsl, urlsplit

BUTTON_ID_BYTES_MAX = 64
"""Telegram's limit for ``callback_data`` (Bot API, InlineKeyboardButton), the narrowest of all."""


class Channel(StrEnum):
    TELEGRAM = "telegram"
    SMS = "sms"
    WHATSAPP = "whatsapp"
    TERMINAL = "terminal"


PHONE_CHANNELS: Final = (Channel.SMS.value, Channel.WHATSAPP.value)
"""Channels whose addresses are telephone numbers."""


class InboundKind(StrEnum):
    """What a customer did.

    MESSAGE carries a text, attachments, or both. EDIT is the new text of a message sent before and
    never counts as a new message. UNSUPPORTED is real input that no text can be taken from.
    """

    MESSAGE = "message"
    EDIT = "edit"
    BUTTON = "button"
    START = "start"
    UNSUPPORTED = "unsupported"


class AttachmentKind(StrEnum):
    PHOTO = "photo"
    DOCUMENT = "document"
    AUDIO = "audio"
    VOICE = "voice"
    VIDEO = "video"
    STICKER = "sticker"
    LOCATION = "location"
    CONTACT = "contact"
    OTHER = "other"


class ContactWish(StrEnum):
    """What a message says about contact as a whole: our reading, or Twilio's ``OptOutType``."""

    STOP = "stop"
    STOP_ALL = "stop_all"
    """On every channel; ours alone."""
    START = "start"
    HELP = "help"


class DeliveryStatus(StrEnum):
    QUEUED = "queued"
    SENT = "sent"
    DELIVERED = "delivered"
    READ = "read"
    FAILED = "failed"

    def supersedes(self, earlier: DeliveryStatus) -> bool:
        """Whether this status moves a message on from `earlier`; callbacks come out of order.

        A message only moves forward (queued, sent, delivered, read). FAILED ends what was never
        delivered and is itself corrected by proof of delivery.
        """
        if self is DeliveryStatus.FAILED:
            return earlier in (DeliveryStatus.QUEUED, DeliveryStatus.SENT)
        if earlier is DeliveryStatus.FAILED:
            return self in (DeliveryStatus.DELIVERED, DeliveryStatus.READ)
        forward = list(DeliveryStatus)
        return forward.index(self) > forward.index(earlier)


@dataclass(frozen=True, slots=True)
class Attachment:
    """What is known of a file or object a customer sent; see `channels.files` for its content.

    `reference` is the provider's file id (Telegram) or media URL (Twilio), `size_bytes` what the
    provider claims. `details` holds facts of a shared contact (``phone_number``, ``own`` "yes" or
    "no") or place (``latitude``, ``longitude``).
    """

    kind: AttachmentKind
    reference: str | None = None
    mime_type: str | None = None
    size_bytes: int | None = None
    file_name: str | None = None
    details: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class InboundMessage:
    """One thing a customer did, as the provider told it.

    `account` is our own address (bot id or E.164 sender); `provider_message_id` is unique within
    (channel, account) and the same on every redelivery. `sequence` orders messages of one account
    (Telegram's ``update_id``), None where the provider gives no order. `refers_to` is the
    `provider_message_id` of the message that was edited, or that carried the pressed button.
    `button` is the opaque id of the pressed button, `button_query_id` what `acknowledge` wants.
    `profile_language` and `profile_name` are what the profile claims; never proof of anybody.
    `sent_at` is the provider's time (aware UTC), if told. `raw` is the provider's event, as JSON.
    """

    channel: Channel
    account: str
    provider_message_id: str
    sequence: int | None
    sender: str
    kind: InboundKind
    text: str
    raw: Mapping[str, Any]
    button: str | None = None
    button_query_id: str | None = None
    start_token: str | None = None
    refers_to: str | None = None
    attachments: tuple[Attachment, ...] = ()
    profile_language: str | None = None
    profile_name: str | None = None
    contact_wish: ContactWish | None = None
    sent_at: datetime | None = None

    def rewritten(self, rewrite: Callable[[str], str]) -> InboundMessage:
        """This message with `rewrite` applied to its text and to every string in `raw`.

        The one way to mask a card number or an IBAN everywhere it would be stored.
        """
        return replace(self, text=rewrite(self.text), raw=each_string(self.raw, rewrite))


def each_string(value: Any, rewrite: Callable[[str], str]) -> Any:
    """A JSON-able value with `rewrite` applied to every string in it, keys left as they are."""
    if isinstance(value, str):
        return rewrite(value)
    if isinstance(value, Mapping):
        return {key: each_string(item, rewrite) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [each_string(item, rewrite) for item in value]
    return value


@dataclass(frozen=True, slots=True)
class ContactUpdate:
    """The provider says that an address can, or can no longer, be written to (Telegram: the person
    unblocked or blocked the bot). `provider_event_id` is unique within (channel, account)."""

    channel: Channel
    account: str
    provider_event_id: str
    sequence: int | None
    address: str
    reachable: bool
    raw: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Button:
    """A choice under a message: an opaque id of ours (1 to 64 bytes) and its label.

    Raises ValueError for an id that a provider could not carry, or an empty title.
    """

    id: str
    title: str

    def __post_init__(self) -> None:
        if not 1 <= len(self.id.encode()) <= BUTTON_ID_BYTES_MAX:
            raise ValueError(f"a button id has 1 to {BUTTON_ID_BYTES_MAX} bytes")
        if not self.title.strip():
            raise ValueError("a button needs a title")


@dataclass(frozen=True, slots=True)
class TemplateRef:
    """A template approved at the provider (Twilio ``ContentSid``) and its variables by key."""

    id: str
    variables: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class OutboundMessage:
    """One message to send. On WhatsApp a `template` is sent in place of `text`, which then is what
    the transcript shows; other channels have no templates and send `text`. Without a template
    `text` must not be empty (ValueError).

    `status_callback_url` is absolute and carries the outbox id in its query (``?outbox=<id>``).
    """

    channel: Channel
    outbox_id: int
    to: str
    text: str
    buttons: tuple[Button, ...] = ()
    template: TemplateRef | None = None
    status_callback_url: str | None = None

    def __post_init__(self) -> None:
        if self.template is None and not self.text.strip():
            raise ValueError("a message needs a text or a template")


@dataclass(frozen=True, slots=True)
class SendReceipt:
    """The provider has accepted the message under this id."""

    provider_message_id: str


class NextStep(StrEnum):
    """What the sender of a message does after a send error."""

    RETRY = "retry"
    WAIT_THEN_RETRY = "wait_then_retry"
    STOP_CONTACT = "stop_contact"
    MARK_ADDRESS_WRONG = "mark_address_wrong"
    USE_TEMPLATE = "use_template"
    USE_NEXT_CHANNEL = "use_next_channel"
    ASK_PROVIDER = "ask_provider"


class SendError(Exception):
    """Base of the closed set of send errors; only its subclasses are raised.

    `reason` is our own wording and `provider_code` the provider's number: neither may carry text,
    address, name or token, so both are safe to log and to store. `code` is the stable name.
    """

    code: ClassVar[str]
    next_step: ClassVar[NextStep]

    def __init__(self, reason: str, *, provider_code: str | None = None) -> None:
        super().__init__(reason if provider_code is None else f"{reason} ({provider_code})")
        self.reason = reason
        self.provider_code = provider_code


class Retry(SendError):
    """The provider has certainly not accepted the message; the same send may be repeated soon."""

    code = "retry"
    next_step = NextStep.RETRY


class Throttled(SendError):
    """Not accepted, too many messages; repeat after `retry_after_seconds` at the earliest."""

    code = "throttled"
    next_step = NextStep.WAIT_THEN_RETRY

    def __init__(
        self, reason: str, *, retry_after_seconds: float, provider_code: str | None = None
    ) -> None:
        super().__init__(reason, provider_code=provider_code)
        self.retry_after_seconds = retry_after_seconds


class ContactStopped(SendError):
    """The person has blocked or stopped us on this address; nothing more is sent to it."""

    code = "contact_stopped"
    next_step = NextStep.STOP_CONTACT


class WrongAddress(SendError):
    """The address does not exist or cannot receive this kind of message; use the next channel."""

    code = "wrong_address"
    next_step = NextStep.MARK_ADDRESS_WRONG


class WindowClosed(SendError):
    """WhatsApp's 24 hours have passed: only an approved template may be sent."""

    code = "window_closed"
    next_step = NextStep.USE_TEMPLATE


class GiveUp(SendError):
    """This message will never be accepted here as it is; use the next channel, tell an operator."""

    code = "give_up"
    next_step = NextStep.USE_NEXT_CHANNEL


class Uncertain(SendError):
    """Accepted or not cannot be decided from here: `find_sent` is asked, nothing is repeated."""

    code = "uncertain"
    next_step = NextStep.ASK_PROVIDER


SEND_ERRORS = (Retry, Throttled, ContactStopped, WrongAddress, WindowClosed, GiveUp, Uncertain)


@dataclass(frozen=True, slots=True)
class StatusUpdate:
    """How far a sent message has come. Repeated and out of order: see `DeliveryStatus.supersedes`.

    `outbox_id` comes from the callback URL (None if absent); `failure` says what a FAILED one
    means, in the terms of the send errors; `provider_code` is the provider's number for it.
    """

    channel: Channel
    account: str
    provider_message_id: str
    outbox_id: int | None
    status: DeliveryStatus
    raw: Mapping[str, Any]
    failure: type[SendError] | None = None
    provider_code: str | None = None


@dataclass(frozen=True, slots=True)
class ParsedWebhook:
    """What one webhook request held; empty where there was nothing for us in it."""

    messages: tuple[InboundMessage, ...] = ()
    statuses: tuple[StatusUpdate, ...] = ()
    contacts: tuple[ContactUpdate, ...] = ()


@dataclass(frozen=True, slots=True)
class WebhookRequest:
    """A webhook as received. `url` is the public URL with its query, as the provider called it
    (`channels.public_url`); `body` the raw bytes; header names may have any case."""

    url: str
    headers: Mapping[str, str]
    body: bytes
    method: str = "POST"

    def header(self, name: str) -> str | None:
        wanted = name.lower()
        return next((value for key, value in self.headers.items() if key.lower() == wanted), None)

    @property
    def query(self) -> dict[str, str]:
        return dict(parse_qsl(urlsplit(self.url).query, keep_blank_values=True))


class WebhookError(Exception):
    """A webhook that is refused; its text never quotes the request."""


class SignatureInvalid(WebhookError):
    """The request is not from the provider: answer 403, store nothing."""


class MalformedWebhook(WebhookError):
    """Signed, but not of the documented shape: answer 400 and tell an operator."""


class Unsupported(Exception):
    """The provider has no such function; said aloud rather than silently skipped."""


class ChannelProvider(Protocol):
    """One messaging provider account. Stateless but for its connections."""

    @property
    def channels(self) -> frozenset[Channel]: ...

    def verify(self, request: WebhookRequest) -> None:
        """Raises SignatureInvalid unless the provider itself made this request."""

    def parse(self, request: WebhookRequest) -> ParsedWebhook:
        """Read a verified request. Raises MalformedWebhook."""

    async def send(self, message: OutboundMessage) -> SendReceipt:
        """Send once, without retries of its own. Raises one of `SEND_ERRORS`."""

    async def find_sent(self, message: OutboundMessage, claimed_at: datetime) -> SendReceipt | None:
        """Look at the provider for a message whose send began at `claimed_at` (aware UTC) and whose
        outcome is unknown; None when it is not there (yet: lists lag by seconds).

        Raises Unsupported where the provider keeps no list, Retry or Throttled when it cannot be
        asked now, Uncertain when more than one message fits.
        """

    async def fetch(self, reference: str) -> bytes:
        """The file that an attachment names. Raises one of `channels.files`' errors."""

    async def acknowledge(self, button_query_id: str) -> None:
        """Tell the provider that a button press arrived; a courtesy, so failures are swallowed."""

    async def close(self) -> None:
        """Give back the connections."""
