"""Twilio: webhooks as documented for SMS and WhatsApp, and what sending must look like."""

import json
from typing import Any

from channels.message import (
    Attachment,
    AttachmentKind,
    Button,
    Channel,
    ContactStopped,
    ContactWish,
    DeliveryStatus,
    GiveUp,
    InboundKind,
    InboundMessage,
    OutboundMessage,
    ParsedWebhook,
    Retry,
    SendError,
    SendReceipt,
    StatusUpdate,
    TemplateRef,
    Throttled,
    Uncertain,
    WindowClosed,
    WrongAddress,
)
from tests.contract.channels.harness import MALFORMED, Inbound, Outbound
from tests.contract.channels.standin import Fault, Reply

ACCOUNT = "AC" + "0a" * 16
SID = "SM" + "1b" * 16
TEMPLATE_SID = "HX" + "2c" * 16
SMS_FROM = "+4930901820"
WHATSAPP_FROM = "+4930901821"
PERSON = "+4915112345678"
MEDIA = f"https://api.twilio.com/2010-04-01/Accounts/{ACCOUNT}/Messages/{SID}/Media/ME1"


def sms(**fields: str) -> dict[str, str]:
    return {
        "ToCountry": "DE",
        "MessageSid": SID,
        "SmsMessageSid": SID,
        "SmsSid": SID,
        "AccountSid": ACCOUNT,
        "SmsStatus": "received",
        "ApiVersion": "2010-04-01",
        "NumSegments": "1",
        "NumMedia": "0",
        "From": PERSON,
        "To": SMS_FROM,
        "Body": "",
        **fields,
    }


def whatsapp(**fields: str) -> dict[str, str]:
    person = {"ProfileName": "Erika B.", "WaId": PERSON.removeprefix("+"), "MessageType": "text"}
    addresses = {"From": f"whatsapp:{PERSON}", "To": f"whatsapp:{WHATSAPP_FROM}"}
    return sms(**{**person, **addresses, **fields})


def expected(**facts: Any) -> ParsedWebhook:
    common: dict[str, Any] = {
        "channel": Channel.SMS,
        "account": SMS_FROM,
        "provider_message_id": SID,
        "sequence": None,
        "sender": PERSON,
        "kind": InboundKind.MESSAGE,
        "text": "",
        "raw": {},
    }
    return ParsedWebhook(messages=(InboundMessage(**{**common, **facts}),))


def expected_whatsapp(**facts: Any) -> ParsedWebhook:
    return expected(
        **{
            "channel": Channel.WHATSAPP,
            "account": WHATSAPP_FROM,
            "profile_name": "Erika B.",
            **facts,
        }
    )


def media(mime_type: str, **fields: str) -> dict[str, str]:
    return {"NumMedia": "1", "MediaUrl0": MEDIA, "MediaContentType0": mime_type, **fields}


def status(word: str, **fields: str) -> dict[str, str]:
    return {
        "MessageSid": SID,
        "SmsSid": SID,
        "MessageStatus": word,
        "SmsStatus": word,
        "AccountSid": ACCOUNT,
        "From": SMS_FROM,
        "To": PERSON,
        "ApiVersion": "2010-04-01",
        **fields,
    }


def status_case(
    word: str,
    means: DeliveryStatus,
    *,
    code: str | None = None,
    failure: type[SendError] | None = None,
) -> Inbound:
    fields = status(word) if code is None else status(word, ErrorCode=code)
    update = StatusUpdate(
        Channel.SMS, SMS_FROM, SID, 8, means, {}, failure, None if code in (None, "0") else code
    )
    name = f"status {word} {code or ''}".strip()
    return Inbound(name, fields, ParsedWebhook(statuses=(update,)), query="outbox=8")


def status_outbox_case(name: str, query: str, outbox_id: int | None) -> Inbound:
    update = StatusUpdate(Channel.SMS, SMS_FROM, SID, outbox_id, DeliveryStatus.SENT, {})
    return Inbound(name, status("sent"), ParsedWebhook(statuses=(update,)), query=query)


def media_case(name: str, mime_type: str, kind: AttachmentKind) -> Inbound:
    return Inbound(
        name,
        whatsapp(**media(mime_type)),
        expected_whatsapp(attachments=(Attachment(kind, MEDIA, mime_type),)),
    )


UNSUPPORTED = InboundKind.UNSUPPORTED

INBOUND = [
    Inbound("sms", sms(Body="Ja & nein = 5 €"), expected(text="Ja & nein = 5 €")),
    Inbound("sms with emoji", sms(Body="👍\nok"), expected(text="👍\nok")),
    Inbound(
        "sms from a short code", sms(From="72975", Body="x"), expected(sender="72975", text="x")
    ),
    Inbound("empty sms", sms(), expected(kind=UNSUPPORTED)),
    Inbound(
        "whatsapp with a profile name", whatsapp(Body="Hallo"), expected_whatsapp(text="Hallo")
    ),
    Inbound(
        "sms stop seen by Twilio",
        sms(Body="Stop", OptOutType="STOP"),
        expected(text="Stop", contact_wish=ContactWish.STOP),
    ),
    Inbound(
        "sms start seen by Twilio",
        sms(Body="START", OptOutType="START"),
        expected(text="START", contact_wish=ContactWish.START),
    ),
    Inbound(
        "sms help seen by Twilio",
        sms(Body="HELP", OptOutType="HELP"),
        expected(text="HELP", contact_wish=ContactWish.HELP),
    ),
    Inbound("an opt-out type of tomorrow", sms(Body="x", OptOutType="NEW"), expected(text="x")),
    media_case("photo", "image/jpeg", AttachmentKind.PHOTO),
    media_case("voice message", "audio/ogg", AttachmentKind.AUDIO),
    media_case("video", "video/mp4", AttachmentKind.VIDEO),
    media_case("document", "application/pdf", AttachmentKind.DOCUMENT),
    media_case("contact card", "text/vcard", AttachmentKind.CONTACT),
    Inbound(
        "two photos with a text",
        sms(
            Body="Beleg",
            NumMedia="2",
            MediaUrl0=MEDIA,
            MediaContentType0="image/png",
            MediaUrl1=MEDIA + "2",
            MediaContentType1="image/png",
        ),
        expected(
            text="Beleg",
            attachments=(
                Attachment(AttachmentKind.PHOTO, MEDIA, "image/png"),
                Attachment(AttachmentKind.PHOTO, MEDIA + "2", "image/png"),
            ),
        ),
    ),
    Inbound(
        "a media count that lies",
        sms(**{**media("image/png"), "NumMedia": "99999999"}),
        expected(attachments=(Attachment(AttachmentKind.PHOTO, MEDIA, "image/png"),)),
    ),
    Inbound(
        "location",
        whatsapp(Latitude="53.55", Longitude="9.99", MessageType="location"),
        expected_whatsapp(
            attachments=(
                Attachment(
                    AttachmentKind.LOCATION, details={"latitude": "53.55", "longitude": "9.99"}
                ),
            )
        ),
    ),
    Inbound(
        "quick reply",
        whatsapp(
            Body="Ja, gerne",
            ButtonText="Ja, gerne",
            ButtonPayload="b1",
            MessageType="button",
            OriginalRepliedMessageSid="SMorig",
        ),
        expected_whatsapp(
            kind=InboundKind.BUTTON, text="Ja, gerne", button="b1", refers_to="SMorig"
        ),
    ),
    Inbound(
        "list choice",
        whatsapp(Body="Später", ListId="b2", ListTitle="Später"),
        expected_whatsapp(kind=InboundKind.BUTTON, text="Später", button="b2"),
    ),
    Inbound(
        "a button without an id of ours is its text",
        whatsapp(Body="Ja", ButtonText="Ja"),
        expected_whatsapp(text="Ja"),
    ),
    status_case("accepted", DeliveryStatus.QUEUED),
    status_case("queued", DeliveryStatus.QUEUED),
    status_case("sending", DeliveryStatus.QUEUED),
    status_case("sent", DeliveryStatus.SENT),
    status_case("delivered", DeliveryStatus.DELIVERED),
    status_case("delivered", DeliveryStatus.DELIVERED, code="0"),
    status_case("read", DeliveryStatus.READ),
    status_case("undelivered", DeliveryStatus.FAILED, code="30005", failure=WrongAddress),
    status_case("undelivered", DeliveryStatus.FAILED, code="30003", failure=GiveUp),
    status_case("undelivered", DeliveryStatus.FAILED, code="63014", failure=ContactStopped),
    status_case("failed", DeliveryStatus.FAILED, code="63016", failure=WindowClosed),
    status_case("failed", DeliveryStatus.FAILED, code="21610", failure=ContactStopped),
    status_case("failed", DeliveryStatus.FAILED, code="63018", failure=Throttled),
    status_case("failed", DeliveryStatus.FAILED, code="99999", failure=GiveUp),
    status_case("failed", DeliveryStatus.FAILED, failure=GiveUp),
    status_case("canceled", DeliveryStatus.FAILED, failure=GiveUp),
    Inbound(
        "whatsapp read",
        status("read", From=f"whatsapp:{WHATSAPP_FROM}", To=f"whatsapp:{PERSON}", EventType="READ"),
        ParsedWebhook(
            statuses=(
                StatusUpdate(Channel.WHATSAPP, WHATSAPP_FROM, SID, 8, DeliveryStatus.READ, {}),
            )
        ),
        query="outbox=8",
    ),
    status_outbox_case("status without an outbox id", "", None),
    status_outbox_case("status with an outbox id that is none", "outbox=-1", None),
    status_outbox_case("status with an endless outbox id", "outbox=" + "9" * 5000, None),
    Inbound("unknown status", status("dreaming"), MALFORMED),
    Inbound("status without a sid", {**status("sent"), "MessageSid": ""}, MALFORMED),
    Inbound("without a sender", {**sms(Body="x"), "From": ""}, MALFORMED),
    Inbound("without a receiver", {k: v for k, v in sms().items() if k != "To"}, MALFORMED),
    Inbound("without a sid", {k: v for k, v in sms().items() if k != "MessageSid"}, MALFORMED),
    Inbound("another channel", sms(From="messenger:12", To="messenger:13"), MALFORMED),
    Inbound("nothing at all", {}, MALFORMED),
]

TEXT = "Guten Tag, Frau Beispiel"
CALLBACK = "https://kulanz.example/webhooks/twilio/status?outbox=8"
FIELDS = {"To": PERSON, "From": SMS_FROM, "Body": TEXT, "StatusCallback": CALLBACK}
WHATSAPP_FIELDS = {
    "To": f"whatsapp:{PERSON}",
    "From": f"whatsapp:{WHATSAPP_FROM}",
    "Body": TEXT,
    "StatusCallback": CALLBACK,
}
TEMPLATE_FIELDS = {
    "To": f"whatsapp:{PERSON}",
    "From": f"whatsapp:{WHATSAPP_FROM}",
    "StatusCallback": CALLBACK,
    "ContentSid": TEMPLATE_SID,
}
BUTTONS = (Button("b1", "Ja"), Button("b2", "Später"))


def listed(**facts: Any) -> dict[str, Any]:
    """A message as Twilio's list and its answer to a send show it."""
    return {
        "sid": SID,
        "account_sid": ACCOUNT,
        "body": TEXT,
        "from": SMS_FROM,
        "to": PERSON,
        "status": "queued",
        "direction": "outbound-api",
        "date_created": "Mon, 23 Nov 2026 10:00:01 +0000",
        "date_updated": "Mon, 23 Nov 2026 10:00:01 +0000",
        "date_sent": None,
        "error_code": None,
        "error_message": None,
        "num_media": "0",
        "num_segments": "1",
        "price": None,
        "price_unit": None,
        "uri": f"/2010-04-01/Accounts/{ACCOUNT}/Messages/{SID}.json",
        **facts,
    }


CREATED = Reply(201, listed())


def outbound(**facts: Any) -> OutboundMessage:
    common: dict[str, Any] = {
        "channel": Channel.SMS,
        "outbox_id": 8,
        "to": PERSON,
        "text": TEXT,
        "status_callback_url": CALLBACK,
    }
    return OutboundMessage(**{**common, **facts})


def whatsapp_template(**variables: str) -> OutboundMessage:
    return outbound(
        channel=Channel.WHATSAPP, buttons=BUTTONS, template=TemplateRef(TEMPLATE_SID, variables)
    )


def refused(http_status: int, code: int, **headers: str) -> Reply:
    text = f"The number {PERSON} cannot get '{TEXT}'"
    body = {"code": code, "message": text, "status": http_status, "more_info": "https://x.example"}
    return Reply(http_status, body, headers)


def error_case(name: str, answer: Reply | Fault, outcome: Any, **facts: Any) -> Outbound:
    return Outbound(name, outbound(), answer, outcome, FIELDS, **facts)


def code_case(code: int, outcome: type[SendError], http_status: int = 400) -> Outbound:
    return error_case(f"code {code}", refused(http_status, code), outcome, provider_code=str(code))


OUTBOUND = [
    Outbound("sms", outbound(), CREATED, SendReceipt(SID), FIELDS),
    Outbound(
        "sms without a callback",
        outbound(status_callback_url=None),
        CREATED,
        SendReceipt(SID),
        {k: v for k, v in FIELDS.items() if k != "StatusCallback"},
    ),
    Outbound(
        "sms with choices",
        outbound(buttons=BUTTONS),
        CREATED,
        SendReceipt(SID),
        {**FIELDS, "Body": f"{TEXT}\nA = Ja\nB = Später"},
    ),
    Outbound(
        "sms knows no template",
        outbound(template=TemplateRef(TEMPLATE_SID, {"1": "x"})),
        CREATED,
        SendReceipt(SID),
        FIELDS,
    ),
    Outbound(
        "whatsapp within the window",
        outbound(channel=Channel.WHATSAPP),
        CREATED,
        SendReceipt(SID),
        WHATSAPP_FIELDS,
    ),
    Outbound(
        "whatsapp with choices",
        outbound(channel=Channel.WHATSAPP, buttons=BUTTONS),
        CREATED,
        SendReceipt(SID),
        {**WHATSAPP_FIELDS, "Body": f"{TEXT}\nA = Ja\nB = Später"},
    ),
    Outbound(
        "whatsapp template",
        whatsapp_template(**{"1": "Bücher\n Müller\t", "2": "b1"}),
        CREATED,
        SendReceipt(SID),
        {**TEMPLATE_FIELDS, "ContentVariables": '{"1": "Bücher Müller", "2": "b1"}'},
    ),
    Outbound(
        "whatsapp template without variables",
        whatsapp_template(),
        CREATED,
        SendReceipt(SID),
        TEMPLATE_FIELDS,
    ),
    Outbound("empty variable", whatsapp_template(**{"1": " "}), CREATED, GiveUp),
    Outbound("text too long", outbound(text="a" * 1601), CREATED, GiveUp),
    Outbound(
        "sms that is only a template",
        outbound(text="", template=TemplateRef(TEMPLATE_SID)),
        CREATED,
        GiveUp,
    ),
    Outbound(
        "more choices than letters",
        outbound(buttons=tuple(Button(f"b{n}", str(n)) for n in range(11))),
        CREATED,
        GiveUp,
    ),
    Outbound("no such channel here", outbound(channel=Channel.TELEGRAM), CREATED, GiveUp),
    code_case(21610, ContactStopped),
    code_case(63014, ContactStopped),
    code_case(63016, WindowClosed),
    code_case(21211, WrongAddress),
    code_case(21614, WrongAddress),
    code_case(63003, WrongAddress),
    code_case(21617, GiveUp),
    code_case(21656, GiveUp),
    code_case(21408, GiveUp, 403),
    code_case(20003, GiveUp, 401),
    code_case(20404, GiveUp, 404),
    code_case(20500, Uncertain, 500),
    code_case(20503, Uncertain, 503),
    error_case(
        "too many requests",
        refused(429, 20429),
        Throttled,
        retry_after_seconds=1.0,
        provider_code="20429",
    ),
    error_case(
        "too many requests, with a time",
        refused(429, 20429, **{"Retry-After": "5"}),
        Throttled,
        retry_after_seconds=5.0,
    ),
    error_case(
        "too many requests, with a date",
        refused(429, 20429, **{"Retry-After": "Mon, 23 Nov 2026 10:00:00 GMT"}),
        Throttled,
        retry_after_seconds=1.0,
    ),
    error_case("queue full", refused(400, 21611), Throttled, retry_after_seconds=60.0),
    error_case("daily limit", refused(400, 63038), Throttled, retry_after_seconds=3600.0),
    error_case("refused without a code", Reply(400, "<html>"), GiveUp, provider_code="400"),
    error_case("refused with another shape", Reply(400, ["x"]), GiveUp, provider_code="400"),
    error_case("bad gateway", Reply(502, f"<html>{TEXT}"), Uncertain, provider_code="502"),
    error_case("request timeout", Reply(408, {}), Uncertain, provider_code="408"),
    error_case("redirected", Reply(307, "", {"Location": "https://elsewhere.example"}), GiveUp),
    error_case("created, but no JSON", Reply(201, f"{{{TEXT}"), Uncertain),
    error_case("created, but a list", Reply(201, [TEXT]), Uncertain),
    error_case("created, but nameless", Reply(201, listed(sid=None)), Uncertain),
    error_case("nobody there", Fault.REFUSED, Retry),
    error_case("hung up on", Fault.CLOSED, Uncertain),
    error_case("cut off", Fault.CUT, Uncertain),
    error_case("no answer", Fault.SILENT, Uncertain),
]


def message_list(*messages: dict[str, Any]) -> Reply:
    page = {"messages": messages, "next_page_uri": None, "page": 0, "page_size": 50}
    return Reply(200, json.loads(json.dumps(page)))
