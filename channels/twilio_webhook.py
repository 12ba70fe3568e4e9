"""Reads Twilio's webhooks: incoming SMS and WhatsApp messages, and status callbacks.

Sources: Twilio's "request to your incoming message webhook URL" and "message status callbacks".
"""

from __future__ import annotations

from collections.abc import Mapping

from channels.message import (
    Attachment,
    AttachmentKind,
    Channel,
    ContactWish,
    DeliveryStatus,
    InboundKind,
    InboundMessage,
    MalformedWebhook,
    ParsedWebhook,
    StatusUpdate,
)
from channels.twilio_errors import failure

OUTBOX_PARAMETER = "outbox"
"""Name of the outbox id in the query of a StatusCallback URL."""

_WHATSAPP = "whatsapp:"
_MEDIA_MAX = 10
_KIND_BY_MIME = {
    "image": AttachmentKind.PHOTO,
    "audio": AttachmentKind.AUDIO,
    "video": AttachmentKind.VIDEO,
}
_STATUSES = {
    "accepted": DeliveryStatus.QUEUED,
    "scheduled": DeliveryStatus.QUEUED,
    "queued": DeliveryStatus.QUEUED,
    "sending": DeliveryStatus.QUEUED,
    "sent": DeliveryStatus.SENT,
    "delivered": DeliveryStatus.DELIVERED,
    "partially_delivered": DeliveryStatus.DELIVERED,
    "read": DeliveryStatus.READ,
    "undelivered": DeliveryStatus.FAILED,
    "failed": DeliveryStatus.FAILED,
    "canceled": DeliveryStatus.FAILED,
}


def read_form(form: Mapping[str, str], query: Mapping[str, str]) -> ParsedWebhook:
    """What one verified request holds. `query` is that of the called URL, where status callbacks
    carry our outbox id. Raises MalformedWebhook."""
    if "MessageStatus" in form:
        return ParsedWebhook(statuses=(_status(form, query),))
    return ParsedWebhook(messages=(_message(form),))


def channel_address(channel: Channel, number: str) -> str:
    """Twilio's form of an address: ``whatsapp:+49…`` or ``+49…``."""
    return _WHATSAPP + number if channel is Channel.WHATSAPP else number


def _message(form: Mapping[str, str]) -> InboundMessage:
    channel, sender = _address(form, "From")
    _, account = _address(form, "To")
    button = form.get("ButtonPayload") or form.get("ListId") or None
    text = form.get("ButtonText") or form.get("ListTitle") or "" if button else ""
    text = text or form.get("Body", "")
    attachments = _attachments(form)
    if button:
        kind = InboundKind.BUTTON
    elif text.strip() or attachments:
        kind = InboundKind.MESSAGE
    else:
        kind = InboundKind.UNSUPPORTED
    return InboundMessage(
        channel=channel,
        account=account,
        provider_message_id=_required(form, "MessageSid"),
        sequence=None,
        sender=sender,
        kind=kind,
        text=text,
        raw=dict(form),
        button=button,
        refers_to=form.get("OriginalRepliedMessageSid") or None,
        attachments=attachments,
        profile_name=form.get("ProfileName") or None,
        contact_wish=_contact_wish(form),
    )


def _status(form: Mapping[str, str], query: Mapping[str, str]) -> StatusUpdate:
    channel, account = _address(form, "From")
    status = _STATUSES.get(form["MessageStatus"].lower())
    if status is None:
        raise MalformedWebhook("an unknown message status")
    code = _number(form.get("ErrorCode", "")) or None
    return StatusUpdate(
        channel=channel,
        account=account,
        provider_message_id=_required(form, "MessageSid"),
        outbox_id=_number(query.get(OUTBOX_PARAMETER, "")),
        status=status,
        raw=dict(form),
        failure=failure(code) if status is DeliveryStatus.FAILED else None,
        provider_code=None if code is None else str(code),
    )


def _address(form: Mapping[str, str], name: str) -> tuple[Channel, str]:
    value = _required(form, name)
    channel = Channel.WHATSAPP if value.startswith(_WHATSAPP) else Channel.SMS
    address = value.removeprefix(_WHATSAPP)
    if not address or ":" in address:
        raise MalformedWebhook("a channel or an address that is not known here")
    return channel, address


def _required(form: Mapping[str, str], name: str) -> str:
    value = form.get(name, "").strip()
    if not value:
        raise MalformedWebhook(f"{name} is missing")
    return value


def _number(text: str) -> int | None:
    return int(text) if text.isdecimal() and len(text) < 19 else None


def _attachments(form: Mapping[str, str]) -> tuple[Attachment, ...]:
    media = range(min(_number(form.get("NumMedia", "")) or 0, _MEDIA_MAX))
    found = [
        Attachment(
            kind=_kind(form.get(f"MediaContentType{index}", "")),
            reference=form[f"MediaUrl{index}"],
            mime_type=form.get(f"MediaContentType{index}") or None,
        )
        for index in media
        if form.get(f"MediaUrl{index}")
    ]
    if form.get("Latitude") and form.get("Longitude"):
        details = {"latitude": form["Latitude"], "longitude": form["Longitude"]}
        found.append(Attachment(kind=AttachmentKind.LOCATION, details=details))
    return tuple(found)


def _kind(mime_type: str) -> AttachmentKind:
    if mime_type in ("text/vcard", "text/x-vcard"):
        return AttachmentKind.CONTACT
    return _KIND_BY_MIME.get(mime_type.partition("/")[0], AttachmentKind.DOCUMENT)


def _contact_wish(form: Mapping[str, str]) -> ContactWish | None:
    try:
        return ContactWish(form.get("OptOutType", "").lower())
    except ValueError:
        return None
