"""Reads a Telegram ``Update`` (Bot API, getting updates) into the contract's terms.

Only private chats count. Read by hand and tolerantly rather than through the library's classes:
an unknown field must never cost a message.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from channels.message import (
    Attachment,
    AttachmentKind,
    Channel,
    ContactUpdate,
    InboundKind,
    InboundMessage,
    MalformedWebhook,
    ParsedWebhook,
)

ALLOWED_UPDATES = ("message", "edited_message", "callback_query", "my_chat_member")
"""What the webhook is registered for, and all that is read here."""

_START = re.compile(r"/start(?:@\w+)?(?:\s+(?P<token>\S+))?\s*\Z")
_START_TOKEN = re.compile(r"[A-Za-z0-9_-]{1,64}\Z")

_FILES = {
    "photo": AttachmentKind.PHOTO,
    "live_photo": AttachmentKind.PHOTO,
    "document": AttachmentKind.DOCUMENT,
    "audio": AttachmentKind.AUDIO,
    "voice": AttachmentKind.VOICE,
    "video": AttachmentKind.VIDEO,
    "video_note": AttachmentKind.VIDEO,
    "animation": AttachmentKind.VIDEO,
    "sticker": AttachmentKind.STICKER,
}
_REPEATED_AS = {"document": "animation", "photo": "live_photo"}
"""For old clients Telegram repeats the newer field's content in the older one."""

_SERVICE = frozenset(
    {
        "boost_added",
        "chat_background_set",
        "connected_website",
        "direct_message_price_changed",
        "message_auto_delete_timer_changed",
        "paid_message_price_changed",
        "pinned_message",
        "proximity_alert_triggered",
        "write_access_allowed",
    }
)
"""Telegram speaking in a private chat, not the customer."""


def read_update(update: Any, *, account: str) -> ParsedWebhook:
    """What one update holds for the bot `account` (its numeric id); empty if nothing for us.

    Raises MalformedWebhook when it is not of the documented shape.
    """
    try:
        sequence = _int(update["update_id"])
        if "message" in update:
            message = _message(update["message"], update, account, sequence, edited=False)
        elif "edited_message" in update:
            message = _message(update["edited_message"], update, account, sequence, edited=True)
        elif "callback_query" in update:
            message = _button(update["callback_query"], update, account, sequence)
        elif "my_chat_member" in update:
            return _membership(update["my_chat_member"], update, account, sequence)
        else:
            message = None
    except (KeyError, TypeError, ValueError, IndexError, AttributeError, OverflowError):
        raise MalformedWebhook("not an update of the documented shape") from None
    return ParsedWebhook(messages=(message,) if message else ())


def message_key(chat_id: int, message_id: int) -> str:
    """Telegram numbers messages per chat, so only both together are unique for the bot."""
    return f"{chat_id}:{message_id}"


def _key(message: Mapping[str, Any]) -> str:
    return message_key(_int(message["chat"]["id"]), _int(message["message_id"]))


def _message(
    message: Mapping[str, Any],
    update: Mapping[str, Any],
    account: str,
    sequence: int,
    *,
    edited: bool,
) -> InboundMessage | None:
    chat = message["chat"]
    if chat["type"] != "private":
        return None
    author = message.get("from") or {}
    key = _key(message)
    text = _text(message, "text") or _text(message, "caption") or ""
    attachments = _attachments(message, author)
    kind = InboundKind.MESSAGE
    start_token = None
    if edited:
        if not text:
            # A live location reports every step as an edit; nothing was said anew.
            return None
        kind = InboundKind.EDIT
    elif _text(message, "text") and (start := _START.match(text)):
        kind, text = InboundKind.START, "/start"
        token = start["token"] or ""
        start_token = token if _START_TOKEN.match(token) else None
    elif not text and not attachments:
        if not _SERVICE.isdisjoint(message):
            return None
        kind = InboundKind.UNSUPPORTED
    return InboundMessage(
        channel=Channel.TELEGRAM,
        account=account,
        provider_message_id=f"{key}:edit:{sequence}" if edited else key,
        sequence=sequence,
        sender=str(chat["id"]),
        kind=kind,
        text=text,
        raw=update,
        start_token=start_token,
        refers_to=key if edited else None,
        attachments=attachments,
        profile_language=_text(author, "language_code"),
        profile_name=_name(author),
        sent_at=_time(message.get("edit_date") if edited else message.get("date")),
    )


def _button(
    query: Mapping[str, Any], update: Mapping[str, Any], account: str, sequence: int
) -> InboundMessage | None:
    message = query.get("message")
    if message is None or message["chat"]["type"] != "private":
        return None
    author, query_id = query["from"], _text(query, "id")
    if query_id is None:
        raise ValueError("id")
    data = _text(query, "data")
    return InboundMessage(
        channel=Channel.TELEGRAM,
        account=account,
        provider_message_id=f"callback:{query_id}",
        sequence=sequence,
        sender=str(message["chat"]["id"]),
        kind=InboundKind.BUTTON if data else InboundKind.UNSUPPORTED,
        text="",
        raw=update,
        button=data,
        button_query_id=query_id,
        refers_to=_key(message),
        profile_language=_text(author, "language_code"),
        profile_name=_name(author),
    )


def _membership(
    change: Mapping[str, Any], update: Mapping[str, Any], account: str, sequence: int
) -> ParsedWebhook:
    if change["chat"]["type"] != "private":
        return ParsedWebhook()
    contact = ContactUpdate(
        channel=Channel.TELEGRAM,
        account=account,
        provider_event_id=f"member:{sequence}",
        sequence=sequence,
        address=str(_int(change["chat"]["id"])),
        reachable=change["new_chat_member"]["status"] not in ("kicked", "left"),
        raw=update,
    )
    return ParsedWebhook(contacts=(contact,))


def _attachments(message: Mapping[str, Any], author: Mapping[str, Any]) -> tuple[Attachment, ...]:
    found = []
    for name, kind in _FILES.items():
        if name not in message or _REPEATED_AS.get(name) in message:
            continue
        item = message[name]
        if name == "photo":
            if not item:
                continue
            item = max(item, key=lambda size: int(size["width"]) * int(size["height"]))
        found.append(
            Attachment(
                kind=kind,
                reference=_text(item, "file_id"),
                mime_type=_text(item, "mime_type"),
                size_bytes=_int(item["file_size"]) if "file_size" in item else None,
                file_name=_text(item, "file_name"),
            )
        )
    if place := message.get("location"):
        details = {"latitude": str(place["latitude"]), "longitude": str(place["longitude"])}
        found.append(Attachment(kind=AttachmentKind.LOCATION, details=details))
    if card := message.get("contact"):
        own = card.get("user_id") is not None and card["user_id"] == author.get("id")
        details = {"phone_number": str(card["phone_number"]), "own": "yes" if own else "no"}
        found.append(Attachment(kind=AttachmentKind.CONTACT, details=details))
    return tuple(found)


def _name(author: Mapping[str, Any]) -> str | None:
    parts = (_text(author, "first_name"), _text(author, "last_name"))
    return " ".join(part for part in parts if part) or None


def _time(seconds: Any) -> datetime | None:
    return datetime.fromtimestamp(int(seconds), UTC) if seconds else None


def _text(item: Mapping[str, Any], name: str) -> str | None:
    value = item.get(name)
    return value if isinstance(value, str) and value else None


def _int(value: Any) -> int:
    # Bot API: ids have at most 52 significant bits; what is stored has 63.
    if not isinstance(value, int) or isinstance(value, bool) or abs(value) >= 1 << 63:
        raise ValueError("not an id")
    return value
