import hmac
import json

import pytest

from channels.http import Connections
from channels.message import (
    ChannelProvider,
    MalformedWebhook,
    SendError,
    Uncertain,
    Unsupported,
    WebhookRequest,
)
from channels.telegram import TelegramProvider
from tests.contract.channels.harness import (
    Inbound,
    Outbound,
    Subject,
    assert_silent,
    check_inbound,
    check_outbound,
    exchange,
)
from tests.contract.channels.standin import Fault, Reply, stand_in
from tests.contract.channels.telegram_cases import BOT, INBOUND, OUTBOUND, SENT_AT, outbound

TOKEN_SECRET = "AAE-very_SECRET-part"
WEBHOOK_SECRET = "Webhook_secret-1"
URL = "https://kulanz.example/webhooks/telegram"


def build(api_url: str) -> TelegramProvider:
    return TelegramProvider(
        token=f"{BOT}:{TOKEN_SECRET}",
        webhook_secret=WEBHOOK_SECRET,
        api_url=api_url,
        connections=Connections(answer_seconds_max=1.5),
    )


def request(body: bytes) -> WebhookRequest:
    return WebhookRequest(URL, {"x-telegram-bot-api-secret-token": WEBHOOK_SECRET}, body)


def sign(case: Inbound) -> WebhookRequest:
    return request(json.dumps(case.payload).encode())


SUBJECT = Subject(build, sign, (TOKEN_SECRET, WEBHOOK_SECRET))


@pytest.mark.parametrize("case", INBOUND, ids=lambda case: case.name)
def test_inbound(case: Inbound, caplog: pytest.LogCaptureFixture) -> None:
    check_inbound(SUBJECT, case, caplog)


@pytest.mark.parametrize("case", OUTBOUND, ids=lambda case: case.name)
async def test_outbound(case: Outbound, caplog: pytest.LogCaptureFixture) -> None:
    await check_outbound(SUBJECT, case, caplog)


@pytest.mark.parametrize("body", [b"", b"{", b"\xff", b"[" * 100_000], ids=len)
def test_a_body_that_is_no_json_is_malformed(body: bytes) -> None:
    with pytest.raises(MalformedWebhook):
        build("http://127.0.0.1:1").parse(request(body))


def test_what_postgresql_cannot_store_is_taken_out() -> None:
    body = rb'{"update_id":1,"message":{"message_id":2,"date":3,"chat":{"id":4,"type":"private"},'
    parsed = build("http://127.0.0.1:1").parse(request(body + rb'"text":"a\u0000b\ud800c"}}'))
    assert parsed.messages[0].text == "ab?c"
    assert parsed.messages[0].raw["message"]["text"] == "ab?c"


def test_the_secret_is_compared_in_constant_time(monkeypatch: pytest.MonkeyPatch) -> None:
    compared = []
    genuine = hmac.compare_digest

    def spy(left: bytes, right: bytes) -> bool:
        compared.append((left, right))
        return genuine(left, right)

    monkeypatch.setattr("channels.telegram.hmac.compare_digest", spy)
    build("http://127.0.0.1:1").verify(request(b"{}"))
    assert len(compared) == 1


async def test_the_token_is_in_the_url_and_nowhere_else() -> None:
    case = OUTBOUND[0]
    _, peer = await exchange(SUBJECT, case.answer, lambda p: p.send(case.message))
    sent = peer.requests[0]
    assert (sent.method, sent.path) == ("POST", f"/bot{BOT}:{TOKEN_SECRET}/sendMessage")
    assert TOKEN_SECRET not in repr(sent.headers) + repr(sent.fields)
    assert TOKEN_SECRET not in repr(vars(build("http://127.0.0.1:1"))["_bot"])


async def test_a_press_is_acknowledged() -> None:
    async with stand_in(Reply(200, {"ok": True, "result": True})) as peer:
        provider = build(peer.url)
        await provider.acknowledge("77")
        await provider.close()
    assert peer.requests[0].path.endswith("/answerCallbackQuery")
    assert peer.requests[0].fields == {"callback_query_id": "77"}


@pytest.mark.parametrize("answer", [Fault.REFUSED, Fault.CLOSED, Fault.SILENT, Reply(400, {})])
async def test_a_failed_acknowledgement_is_swallowed(
    answer: Reply | Fault, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG")
    async with stand_in(answer) as peer:
        provider = build(peer.url)
        await provider.acknowledge("77")
        await provider.close()
    assert_silent(SUBJECT, "", caplog)


async def test_telegram_cannot_be_asked_what_was_sent() -> None:
    provider: ChannelProvider = build("http://127.0.0.1:1")
    with pytest.raises(Unsupported):
        await provider.find_sent(outbound(), SENT_AT)


async def test_the_webhook_is_registered_with_secret_and_kinds() -> None:
    async with stand_in(Reply(200, {"ok": True, "result": True})) as peer:
        provider = build(peer.url)
        await provider.register_webhook(URL)
        await provider.close()
    kinds = ["message", "edited_message", "callback_query", "my_chat_member"]
    assert peer.requests[0].fields == {
        "url": URL,
        "secret_token": WEBHOOK_SECRET,
        "allowed_updates": json.dumps(kinds),
    }


async def test_a_webhook_that_cannot_be_registered_is_a_send_error() -> None:
    async with stand_in(Fault.CLOSED) as peer:
        provider = build(peer.url)
        with pytest.raises(SendError) as failed:
            await provider.register_webhook(URL)
        await provider.close()
    assert type(failed.value) is Uncertain


@pytest.mark.parametrize(
    ("token", "secret"),
    [("", "s"), ("abc", "s"), ("12:", "s"), ("12:a", ""), ("12:a", "ü"), ("12:a", "a" * 257)],
)
def test_settings_that_telegram_could_not_have_given(token: str, secret: str) -> None:
    with pytest.raises(ValueError, match="Telegram"):
        TelegramProvider(token=token, webhook_secret=secret)
