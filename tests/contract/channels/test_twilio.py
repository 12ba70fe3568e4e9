import base64
import hashlib
import hmac
from datetime import UTC, datetime, timedelta
from urllib.parse import urlencode

import pytest

from channels.http import Connections
from channels.message import (
    Channel,
    MalformedWebhook,
    OutboundMessage,
    Retry,
    SendError,
    SendReceipt,
    SignatureInvalid,
    TemplateRef,
    Throttled,
    Uncertain,
    WebhookRequest,
)
from channels.twilio import TwilioProvider
from tests.contract.channels.harness import (
    Inbound,
    Outbound,
    Subject,
    assert_silent,
    check_inbound,
    check_outbound,
    exchange,
)
from tests.contract.channels.standin import Fault, Reply
from tests.contract.channels.twilio_cases import (
    ACCOUNT,
    INBOUND,
    OUTBOUND,
    PERSON,
    SID,
    SMS_FROM,
    TEMPLATE_SID,
    TEXT,
    WHATSAPP_FROM,
    listed,
    message_list,
    outbound,
    refused,
    sms,
)

AUTH_TOKEN = "very-SECRET-auth-token"
URL = "https://kulanz.example/webhooks/twilio/messages"
CLAIMED_AT = datetime(2026, 11, 23, 10, 0, 0, 500_000, tzinfo=UTC)


def build(api_url: str) -> TwilioProvider:
    return TwilioProvider(
        account_sid=ACCOUNT,
        auth_token=AUTH_TOKEN,
        senders={Channel.SMS: SMS_FROM, Channel.WHATSAPP: WHATSAPP_FROM},
        api_url=api_url,
        connections=Connections(answer_seconds_max=1.5),
    )


def signature(url: str, fields: dict[str, str]) -> str:
    """As Twilio documents it, written without its library."""
    signed = url + "".join(name + fields[name] for name in sorted(fields))
    digest = hmac.new(AUTH_TOKEN.encode(), signed.encode(), hashlib.sha1).digest()
    return base64.b64encode(digest).decode()


def signed(fields: dict[str, str], url: str = URL) -> WebhookRequest:
    headers = {"x-twilio-signature": signature(url, fields)}
    return WebhookRequest(url, headers, urlencode(fields).encode())


def sign(case: Inbound) -> WebhookRequest:
    return signed(case.payload, f"{URL}?{case.query}" if case.query else URL)


SUBJECT = Subject(build, sign, (AUTH_TOKEN,))


@pytest.mark.parametrize("case", INBOUND, ids=lambda case: case.name)
def test_inbound(case: Inbound, caplog: pytest.LogCaptureFixture) -> None:
    check_inbound(SUBJECT, case, caplog)


@pytest.mark.parametrize("case", OUTBOUND, ids=lambda case: case.name)
async def test_outbound(case: Outbound, caplog: pytest.LogCaptureFixture) -> None:
    await check_outbound(SUBJECT, case, caplog)


@pytest.mark.parametrize(
    ("url", "body"),
    [
        ("https://other.example/webhooks/twilio/messages", None),
        ("http://kulanz.example/webhooks/twilio/messages", None),
        (URL + "?outbox=9", None),
        (URL, urlencode(sms(Body="alles bezahlt")).encode()),
        (URL, b""),
        (URL, b"\xff\xfe"),
        ("https://kulanz.example:port/webhooks", None),
    ],
)
def test_a_signature_holds_for_one_url_and_body(url: str, body: bytes | None) -> None:
    genuine = signed(sms(Body="hallo"))
    altered = WebhookRequest(url, genuine.headers, genuine.body if body is None else body)
    with pytest.raises(SignatureInvalid):
        build("http://127.0.0.1:1").verify(altered)


def test_the_signature_may_name_the_port() -> None:
    genuine = signed(sms(Body="hallo"), URL.replace(".example", ".example:443"))
    request = WebhookRequest(URL, genuine.headers, genuine.body)
    build("http://127.0.0.1:1").verify(request)


def test_a_body_that_is_no_text_is_malformed() -> None:
    with pytest.raises(MalformedWebhook):
        build("http://127.0.0.1:1").parse(WebhookRequest(URL, {}, b"\xff"))


def test_what_postgresql_cannot_store_is_verified_as_sent_and_taken_out() -> None:
    provider, request = build("http://127.0.0.1:1"), signed(sms(Body="a\x00b"))
    provider.verify(request)
    parsed = provider.parse(request).messages[0]
    assert parsed.text == parsed.raw["Body"] == "ab"


async def test_the_account_authenticates_every_request() -> None:
    case = OUTBOUND[0]
    _, peer = await exchange(SUBJECT, case.answer, lambda p: p.send(case.message))
    sent = peer.requests[0]
    assert (sent.method, sent.path) == ("POST", f"/2010-04-01/Accounts/{ACCOUNT}/Messages.json")
    basic = base64.b64encode(f"{ACCOUNT}:{AUTH_TOKEN}".encode()).decode()
    assert sent.headers["authorization"] == f"Basic {basic}"


@pytest.mark.parametrize(
    ("account_sid", "auth_token", "senders"),
    [
        ("", "t", {Channel.SMS: SMS_FROM}),
        ("AC1", "", {Channel.SMS: SMS_FROM}),
        ("AC1", "t", {Channel.SMS: ""}),
        ("AC1", "t", {Channel.TELEGRAM: "1"}),
    ],
)
def test_settings_that_cannot_be(
    account_sid: str, auth_token: str, senders: dict[Channel, str]
) -> None:
    with pytest.raises(ValueError, match="Twilio"):
        TwilioProvider(account_sid=account_sid, auth_token=auth_token, senders=senders)


def test_only_channels_with_a_sender_are_offered() -> None:
    provider = TwilioProvider(
        account_sid="AC1", auth_token="t", senders={Channel.WHATSAPP: WHATSAPP_FROM}
    )
    assert provider.channels == {Channel.WHATSAPP}


def created_at(moment: datetime) -> str:
    return moment.strftime("%a, %d %b %Y %H:%M:%S +0000")


TEMPLATE = outbound(channel=Channel.WHATSAPP, template=TemplateRef(TEMPLATE_SID))
EARLIER = created_at(CLAIMED_AT - timedelta(seconds=5))
LATER = created_at(CLAIMED_AT + timedelta(minutes=1))
TRIAL = f"Sent from your Twilio trial account - {TEXT}"
FOUND = SendReceipt(SID)


@pytest.mark.parametrize(
    ("message", "answer", "outcome"),
    [
        pytest.param(outbound(), message_list(listed()), FOUND, id="queued, not sent yet"),
        pytest.param(outbound(), message_list(), None, id="nothing"),
        pytest.param(outbound(), message_list(listed(body="anderes")), None, id="other text"),
        pytest.param(outbound(), message_list(listed(body=None)), None, id="body withheld"),
        pytest.param(outbound(), message_list(listed(date_created=EARLIER)), None, id="earlier"),
        pytest.param(outbound(), message_list(listed(date_created=LATER)), None, id="later"),
        pytest.param(outbound(), message_list(listed(direction="inbound")), None, id="theirs"),
        pytest.param(outbound(), message_list(listed(body=TRIAL)), FOUND, id="trial account"),
        pytest.param(outbound(), message_list(listed(), listed()), Uncertain, id="two fit"),
        pytest.param(TEMPLATE, message_list(listed(body="Hallo!")), FOUND, id="template"),
        pytest.param(outbound(), refused(401, 20003), Retry, id="refused"),
        pytest.param(outbound(), refused(500, 20500), Retry, id="internal error"),
        pytest.param(outbound(), refused(429, 20429), Throttled, id="too often"),
        pytest.param(outbound(), Reply(200, "{"), Retry, id="no JSON"),
        pytest.param(outbound(), Reply(200, {"x": 1}), Retry, id="no list"),
        pytest.param(outbound(), Reply(200, {"x": [], "y": []}), Retry, id="two lists"),
        pytest.param(outbound(), Fault.REFUSED, Retry, id="nobody there"),
        pytest.param(outbound(), Fault.SILENT, Retry, id="no answer"),
    ],
)
async def test_find_sent(
    message: OutboundMessage,
    answer: Reply | Fault,
    outcome: SendReceipt | type[SendError] | None,
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level("DEBUG")
    found, _ = await exchange(SUBJECT, answer, lambda p: p.find_sent(message, CLAIMED_AT))
    if isinstance(outcome, type):
        assert type(found) is outcome
    else:
        assert found == outcome
    assert_silent(SUBJECT, repr(found), caplog, (PERSON, TEXT))


@pytest.mark.parametrize("channel", [Channel.SMS, Channel.WHATSAPP])
async def test_find_sent_asks_for_this_recipient_and_sender(channel: Channel) -> None:
    message = outbound(channel=channel)
    _, peer = await exchange(SUBJECT, message_list(), lambda p: p.find_sent(message, CLAIMED_AT))
    sender, prefix = (SMS_FROM, "") if channel is Channel.SMS else (WHATSAPP_FROM, "whatsapp:")
    asked = peer.requests[0]
    assert asked.method == "GET"
    assert asked.query == {"To": prefix + PERSON, "From": prefix + sender, "PageSize": "50"}
