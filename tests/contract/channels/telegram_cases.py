"""Telegram: updates as documented by the Bot API, and what sending must look like."""

import json
from datetime import UTC, datetime
from typing import Any

from channels.message import (
    Attachment,
    AttachmentKind,
    Button,
    Channel,
    ContactStopped,
    ContactUpdate,
    GiveUp,
    InboundKind,
    InboundMessage,
    OutboundMessage,
    ParsedWebhook,
    Retry,
    SendReceipt,
    TemplateRef,
    Throttled,
    Uncertain,
    WrongAddress,
)
from tests.contract.channels.harness import MALFORMED, Inbound, Outbound
from tests.contract.channels.standin import Fault, Reply

BOT = "5550001"
CHAT = 4820019377
PERSON = {
    "id": CHAT,
    "is_bot": False,
    "first_name": "Erika",
    "last_name": "Beispiel",
    "language_code": "de",
}
PRIVATE = {"id": CHAT, "type": "private", "first_name": "Erika", "last_name": "Beispiel"}
GROUP = {"id": -100123, "type": "supergroup", "title": "Nachbarn"}
DATE = 1795428000
SENT_AT = datetime.fromtimestamp(DATE, UTC)
SEQUENCE = 900100
NOTHING = ParsedWebhook()


def message(**content: Any) -> dict[str, Any]:
    return {"message_id": 17, "from": PERSON, "chat": PRIVATE, "date": DATE, **content}


def update(**content: Any) -> dict[str, Any]:
    return {"update_id": SEQUENCE, **content}


def expected(**facts: Any) -> ParsedWebhook:
    common: dict[str, Any] = {
        "channel": Channel.TELEGRAM,
        "account": BOT,
        "provider_message_id": f"{CHAT}:17",
        "sequence": SEQUENCE,
        "sender": str(CHAT),
        "kind": InboundKind.MESSAGE,
        "text": "",
        "raw": {},
        "profile_language": "de",
        "profile_name": "Erika Beispiel",
        "sent_at": SENT_AT,
    }
    return ParsedWebhook(messages=(InboundMessage(**{**common, **facts}),))


def text_case(name: str, typed: str, **facts: Any) -> Inbound:
    return Inbound(name, update(message=message(text=typed)), expected(**{"text": typed, **facts}))


def file_case(name: str, content: dict[str, Any], *files: Attachment, text: str = "") -> Inbound:
    return Inbound(name, update(message=message(**content)), expected(text=text, attachments=files))


def nothing_case(name: str, payload: dict[str, Any]) -> Inbound:
    return Inbound(name, payload, NOTHING)


def membership(status: str, chat: dict[str, Any] = PRIVATE) -> dict[str, Any]:
    me = {"id": int(BOT), "is_bot": True, "first_name": "Bot"}
    new: dict[str, Any] = {"user": me, "status": status}
    if status == "kicked":
        new["until_date"] = 0
    old = {"user": me, "status": "member"}
    return update(
        my_chat_member={
            "chat": chat,
            "from": PERSON,
            "date": DATE,
            "old_chat_member": old,
            "new_chat_member": new,
        }
    )


def contact_change(*, reachable: bool) -> ParsedWebhook:
    contact = ContactUpdate(
        Channel.TELEGRAM, BOT, f"member:{SEQUENCE}", SEQUENCE, str(CHAT), reachable, {}
    )
    return ParsedWebhook(contacts=(contact,))


def press(**content: Any) -> dict[str, Any]:
    query = {"id": "77", "from": PERSON, "chat_instance": "1", **content}
    return update(callback_query=query)


def pressed(**facts: Any) -> ParsedWebhook:
    return expected(
        **{
            "provider_message_id": "callback:77",
            "kind": InboundKind.BUTTON,
            "button_query_id": "77",
            "refers_to": f"{CHAT}:17",
            "sent_at": None,
            **facts,
        }
    )


def started(token: str | None) -> dict[str, Any]:
    return {"kind": InboundKind.START, "text": "/start", "start_token": token}


FILE = {"file_id": "AgAC-1", "file_unique_id": "u1"}

INBOUND = [
    text_case("text", "Ich kann am Freitag zahlen"),
    text_case("text with emoji and line breaks", "Ja 👍🏽\nDanke"),
    text_case("a slash command is text", "/restart"),
    text_case("a word that only begins like start", "/starting"),
    text_case("start mentioned inside a text", "bitte /start abc"),
    text_case("start", "/start", **started(None)),
    text_case("start with a token", "/start aZ_9-x", **started("aZ_9-x")),
    text_case("start with the bot's name", "/start@kulanz_bot tok", **started("tok")),
    text_case("start with 64 characters", "/start " + "a" * 64, **started("a" * 64)),
    text_case("start with 65 characters", "/start " + "a" * 65, **started(None)),
    text_case("start with a token that cannot be ours", "/start a%27;--", **started(None)),
    text_case("two words after start are text", "/start mit der Zahlung"),
    Inbound(
        "edit",
        update(edited_message=message(text="am Montag", edit_date=DATE + 60)),
        expected(
            kind=InboundKind.EDIT,
            text="am Montag",
            provider_message_id=f"{CHAT}:17:edit:{SEQUENCE}",
            refers_to=f"{CHAT}:17",
            sent_at=datetime.fromtimestamp(DATE + 60, UTC),
        ),
    ),
    Inbound(
        "edited start is no start",
        update(edited_message=message(text="/start tok", edit_date=DATE)),
        expected(
            kind=InboundKind.EDIT,
            text="/start tok",
            provider_message_id=f"{CHAT}:17:edit:{SEQUENCE}",
            refers_to=f"{CHAT}:17",
        ),
    ),
    nothing_case(
        "a moving live location",
        update(edited_message=message(location={"latitude": 1.5, "longitude": 2}, edit_date=DATE)),
    ),
    file_case(
        "photo with caption: the largest size",
        {
            "photo": [
                {**FILE, "width": 90, "height": 60, "file_size": 1200},
                {**FILE, "file_id": "AgAC-2", "width": 900, "height": 600, "file_size": 99000},
            ],
            "caption": "Mein Beleg",
        },
        Attachment(AttachmentKind.PHOTO, "AgAC-2", None, 99000),
        text="Mein Beleg",
    ),
    file_case(
        "document",
        {
            "document": {
                **FILE,
                "file_name": "../../beleg.pdf",
                "mime_type": "application/pdf",
                "file_size": 5,
            }
        },
        Attachment(AttachmentKind.DOCUMENT, "AgAC-1", "application/pdf", 5, "../../beleg.pdf"),
    ),
    file_case(
        "voice",
        {"voice": {**FILE, "duration": 3, "mime_type": "audio/ogg", "file_size": 4000}},
        Attachment(AttachmentKind.VOICE, "AgAC-1", "audio/ogg", 4000),
    ),
    file_case(
        "audio",
        {"audio": {**FILE, "duration": 3, "mime_type": "audio/mpeg"}},
        Attachment(AttachmentKind.AUDIO, "AgAC-1", "audio/mpeg"),
    ),
    file_case(
        "video note",
        {"video_note": {**FILE, "length": 240, "duration": 3}},
        Attachment(AttachmentKind.VIDEO, "AgAC-1"),
    ),
    file_case(
        "an animation comes as a document too",
        {
            "animation": {**FILE, "width": 1, "height": 1, "duration": 1},
            "document": FILE,
        },
        Attachment(AttachmentKind.VIDEO, "AgAC-1"),
    ),
    file_case(
        "sticker",
        {
            "sticker": {
                **FILE,
                "type": "regular",
                "width": 512,
                "height": 512,
                "is_animated": False,
                "is_video": False,
                "emoji": "👍",
            }
        },
        Attachment(AttachmentKind.STICKER, "AgAC-1"),
    ),
    file_case(
        "location",
        {"location": {"latitude": 53.55, "longitude": 9.99}},
        Attachment(AttachmentKind.LOCATION, details={"latitude": "53.55", "longitude": "9.99"}),
    ),
    file_case(
        "own contact",
        {"contact": {"phone_number": "+491511", "first_name": "Erika", "user_id": CHAT}},
        Attachment(AttachmentKind.CONTACT, details={"phone_number": "+491511", "own": "yes"}),
    ),
    file_case(
        "somebody else's contact",
        {"contact": {"phone_number": "+491512", "first_name": "Max", "user_id": 1}},
        Attachment(AttachmentKind.CONTACT, details={"phone_number": "+491512", "own": "no"}),
    ),
    file_case(
        "a contact without an account",
        {"contact": {"phone_number": "+491512", "first_name": "Max"}},
        Attachment(AttachmentKind.CONTACT, details={"phone_number": "+491512", "own": "no"}),
    ),
    Inbound(
        "dice are real input without a text",
        update(message=message(dice={"emoji": "🎲", "value": 3})),
        expected(kind=InboundKind.UNSUPPORTED),
    ),
    nothing_case("pinned message", update(message=message(pinned_message=message(text="x")))),
    nothing_case("permission to write", update(message=message(write_access_allowed={}))),
    nothing_case("group", update(message={**message(text="hallo"), "chat": GROUP})),
    nothing_case(
        "edited in a group", update(edited_message={**message(text="hallo"), "chat": GROUP})
    ),
    nothing_case(
        "channel post", update(channel_post={"message_id": 1, "date": DATE, "chat": GROUP})
    ),
    nothing_case("an update of a later version", update()),
    Inbound("button", press(message=message(text="?"), data="b1:x"), pressed(button="b1:x")),
    Inbound(
        "button below a message too old to show",
        press(message={"chat": PRIVATE, "message_id": 17, "date": 0}, data="b1:x"),
        pressed(button="b1:x"),
    ),
    Inbound(
        "a button without data",
        press(message=message(text="?"), game_short_name="g"),
        pressed(kind=InboundKind.UNSUPPORTED),
    ),
    nothing_case("a button of an inline message", press(inline_message_id="i", data="b1")),
    nothing_case(
        "a button in a group", press(message={**message(text="?"), "chat": GROUP}, data="b1")
    ),
    Inbound("blocked", membership("kicked"), contact_change(reachable=False)),
    Inbound("unblocked", membership("member"), contact_change(reachable=True)),
    nothing_case("made a member of a group", membership("member", GROUP)),
    Inbound("not an object", ["update"], MALFORMED),
    Inbound("a bare string", "update", MALFORMED),
    Inbound("without an id", {"message": message(text="x")}, MALFORMED),
    Inbound("with an id that is none", {"update_id": "x"}, MALFORMED),
    Inbound("a message that is null", update(message=None), MALFORMED),
    Inbound("a message without a chat", update(message={"message_id": 1}), MALFORMED),
    Inbound("a photo without sizes' numbers", update(message=message(photo=[{}])), MALFORMED),
    Inbound(
        "a date outside of time", update(message={**message(text="x"), "date": 10**30}), MALFORMED
    ),
]

TEXT = "Guten Tag, Frau Beispiel"
FIELDS = {
    "chat_id": str(CHAT),
    "text": TEXT,
    "link_preview_options": '{"is_disabled": true}',
}
OK = Reply(
    200,
    {"ok": True, "result": {"message_id": 31, "date": DATE, "chat": PRIVATE, "text": TEXT}},
)


def outbound(**facts: Any) -> OutboundMessage:
    common: dict[str, Any] = {
        "channel": Channel.TELEGRAM,
        "outbox_id": 8,
        "to": str(CHAT),
        "text": TEXT,
    }
    return OutboundMessage(**{**common, **facts})


def refused(status: int, description: str, **parameters: Any) -> Reply:
    body = {"ok": False, "error_code": status, "description": description}
    return Reply(status, {**body, "parameters": parameters} if parameters else body)


def error_case(name: str, answer: Reply | Fault, outcome: Any, **facts: Any) -> Outbound:
    return Outbound(name, outbound(), answer, outcome, FIELDS, **facts)


KEYBOARD = {
    "inline_keyboard": [
        [{"text": "Ja", "callback_data": "b1"}],
        [{"text": "Später", "callback_data": "ü" * 32}],
    ]
}

OUTBOUND = [
    Outbound("text", outbound(), OK, SendReceipt(f"{CHAT}:31"), FIELDS),
    Outbound(
        "buttons below each other",
        outbound(buttons=(Button("b1", "Ja"), Button("ü" * 32, "Später"))),
        OK,
        SendReceipt(f"{CHAT}:31"),
        {**FIELDS, "reply_markup": json.dumps(KEYBOARD)},
    ),
    Outbound(
        "the status callback and the template are others' affairs",
        outbound(status_callback_url="https://x.example/s", template=TemplateRef("HX1")),
        OK,
        SendReceipt(f"{CHAT}:31"),
        FIELDS,
    ),
    Outbound(
        "as long as can be",
        outbound(text="ä" * 4096),
        OK,
        SendReceipt(f"{CHAT}:31"),
        {**FIELDS, "text": "ä" * 4096},
    ),
    Outbound("too long", outbound(text="a" * 4097), OK, GiveUp),
    Outbound("too long in UTF-16", outbound(text="😀" * 2049), OK, GiveUp),
    Outbound("only a template", outbound(text="", template=TemplateRef("HX1")), OK, GiveUp),
    error_case("blocked", refused(403, "Forbidden: bot was blocked by the user"), ContactStopped),
    error_case("deleted account", refused(403, "Forbidden: user is deactivated"), WrongAddress),
    error_case(
        "never started",
        refused(403, "Forbidden: bot can't initiate conversation with a user"),
        WrongAddress,
    ),
    error_case("unknown chat", refused(400, "Bad Request: chat not found"), WrongAddress),
    error_case("invalid chat", refused(400, "Bad Request: PEER_ID_INVALID"), WrongAddress),
    error_case(
        "became a group",
        refused(400, "Bad Request: group chat was migrated", migrate_to_chat_id=-1001),
        WrongAddress,
    ),
    error_case(
        "refused text",
        refused(400, f"Bad Request: can't parse: {TEXT}"),
        GiveUp,
        provider_code="400",
    ),
    error_case(
        "flood control",
        refused(429, "Too Many Requests: retry after 7", retry_after=7),
        Throttled,
        retry_after_seconds=7.0,
    ),
    error_case(
        "flood control without a time",
        refused(429, "Too Many Requests"),
        Throttled,
        retry_after_seconds=1.0,
    ),
    error_case("token withdrawn", refused(401, "Unauthorized"), GiveUp),
    error_case("token unknown", refused(404, "Not Found"), GiveUp),
    error_case("internal error", refused(500, "Internal Server Error"), Uncertain),
    error_case("bad gateway", Reply(502, f"<html>{TEXT}</html>"), Uncertain),
    error_case("success that is no JSON", Reply(200, f"{{{TEXT}"), Uncertain),
    error_case("success without a message", Reply(200, {"ok": True}), Uncertain),
    error_case("success with half a message", Reply(200, {"ok": True, "result": {}}), Uncertain),
    error_case("redirected", Reply(302, "", {"Location": "https://elsewhere.example"}), GiveUp),
    error_case("nobody there", Fault.REFUSED, Retry),
    error_case("hung up on", Fault.CLOSED, Uncertain),
    error_case("cut off", Fault.CUT, Uncertain),
    error_case("no answer", Fault.SILENT, Uncertain),
]
