"""The terminal messenger: JSON webhooks signed with HMAC in, an injected publisher out.

Its messages take the same way as any provider's, so that what is tried in a terminal is the real
thing. One event is ``{"id", "from", "kind", "text", …}``; see `parse`.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime
from typing import Any

from channels.files import FileGone
from channels.message import (
    Channel,
    GiveUp,
    InboundKind,
    InboundMessage,
    MalformedWebhook,
    OutboundMessage,
    ParsedWebhook,
    Retry,
    SendReceipt,
    SignatureInvalid,
    Unsupported,
    WebhookRequest,
)
from channels.payload import json_payload

SIGNATURE_HEADER = "X-Kulanz-Signature"

Publish = Callable[[str, Mapping[str, Any]], Awaitable[None]]
"""Hands one event (JSON-able) to whoever listens at an address."""


def signature(secret: str, body: bytes) -> str:
    """The value of the signature header for a raw body: ``sha256=<hex>``, HMAC with `secret`."""
    return "sha256=" + hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()


class TerminalProvider:
    """One terminal account. Raises ValueError for an empty secret."""

    channels = frozenset({Channel.TERMINAL})

    def __init__(self, *, secret: str, publish: Publish, account: str = "terminal") -> None:
        if not secret:
            raise ValueError("the terminal channel needs a secret")
        self.account = account
        self._secret = secret
        self._publish = publish

    def verify(self, request: WebhookRequest) -> None:
        given = request.header(SIGNATURE_HEADER) or ""
        if not hmac.compare_digest(given.encode(), signature(self._secret, request.body).encode()):
            raise SignatureInvalid("the signature is missing or wrong")

    def parse(self, request: WebhookRequest) -> ParsedWebhook:
        """Reads ``id`` (unique), ``from`` (address), ``kind`` (message, edit, button, start),
        ``text``, ``button`` (its id), ``token`` (of a start), ``refers_to``, ``language``."""
        event = json_payload(request.body)
        try:
            kind = InboundKind(event.get("kind", "message"))
            message = InboundMessage(
                channel=Channel.TERMINAL,
                account=self.account,
                provider_message_id=_text(event, "id"),
                sequence=None,
                sender=_text(event, "from"),
                kind=kind,
                text=_optional(event, "text") or "",
                raw=event,
                button=_text(event, "button") if kind is InboundKind.BUTTON else None,
                start_token=_optional(event, "token") if kind is InboundKind.START else None,
                refers_to=_optional(event, "refers_to"),
                profile_language=_optional(event, "language"),
            )
        except (ValueError, KeyError, TypeError, AttributeError):
            raise MalformedWebhook("not an event of the documented shape") from None
        return ParsedWebhook(messages=(message,))

    async def send(self, message: OutboundMessage) -> SendReceipt:
        """Publish the message. Its id is made from the outbox id, so that a listener drops what it
        has shown before, and a failure is always safe to repeat."""
        if not message.text.strip():
            raise GiveUp("no text, and the terminal has no templates")
        sent_id = f"{self.account}:{message.outbox_id}"
        event = {
            "id": sent_id,
            "text": message.text,
            "buttons": [{"id": button.id, "title": button.title} for button in message.buttons],
        }
        try:
            await self._publish(message.to, event)
        except Exception:
            raise Retry("the terminal's events could not be published") from None
        return SendReceipt(sent_id)

    async def find_sent(self, message: OutboundMessage, claimed_at: datetime) -> SendReceipt | None:
        raise Unsupported("published events are not kept; sending again is safe")

    async def fetch(self, reference: str) -> bytes:
        raise FileGone("a terminal sends no files")

    async def acknowledge(self, button_query_id: str) -> None:
        """A terminal waits for no answer to a button press."""

    async def close(self) -> None:
        """Nothing is held."""


def _text(event: Mapping[str, Any], name: str) -> str:
    value = event[name]
    if not isinstance(value, str) or not value:
        raise ValueError(name)
    return value


def _optional(event: Mapping[str, Any], name: str) -> str | None:
    return _text(event, name) if event.get(name) else None
