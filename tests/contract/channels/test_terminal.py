import hashlib
import hmac
import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import pytest

from channels.message import (
    Button,
    Channel,
    GiveUp,
    InboundKind,
    InboundMessage,
    OutboundMessage,
    ParsedWebhook,
    Retry,
    SendReceipt,
    SignatureInvalid,
    TemplateRef,
    Unsupported,
    WebhookRequest,
)
from channels.terminal import TerminalProvider, signature
from tests.contract.channels.harness import MALFORMED, Inbound, Subject, check_inbound

SECRET = "very-SECRET-terminal"
URL = "https://kulanz.example/webhooks/terminal"


async def nobody(address: str, event: Mapping[str, Any]) -> None:
    raise AssertionError("nothing was to be published")


def build(_url: str) -> TerminalProvider:
    return TerminalProvider(secret=SECRET, publish=nobody)


def sign(case: Inbound) -> WebhookRequest:
    body = json.dumps(case.payload).encode()
    digest = hmac.new(SECRET.encode(), body, hashlib.sha256).hexdigest()
    return WebhookRequest(URL, {"x-kulanz-signature": f"sha256={digest}"}, body)


SUBJECT = Subject(build, sign, (SECRET,))


def expected(**facts: Any) -> ParsedWebhook:
    common: dict[str, Any] = {
        "channel": Channel.TERMINAL,
        "account": "terminal",
        "provider_message_id": "e1",
        "sequence": None,
        "sender": "anna",
        "kind": InboundKind.MESSAGE,
        "text": "",
        "raw": {},
    }
    return ParsedWebhook(messages=(InboundMessage(**{**common, **facts}),))


EVENT = {"id": "e1", "from": "anna"}
INBOUND = [
    Inbound("text", {**EVENT, "text": "Hallo"}, expected(text="Hallo")),
    Inbound(
        "text with a language",
        {**EVENT, "kind": "message", "text": "Hi", "language": "en"},
        expected(text="Hi", profile_language="en"),
    ),
    Inbound(
        "button",
        {**EVENT, "kind": "button", "button": "b1"},
        expected(kind=InboundKind.BUTTON, button="b1"),
    ),
    Inbound(
        "start",
        {**EVENT, "kind": "start", "token": "tok"},
        expected(kind=InboundKind.START, start_token="tok"),
    ),
    Inbound(
        "edit",
        {**EVENT, "kind": "edit", "text": "neu", "refers_to": "e0"},
        expected(kind=InboundKind.EDIT, text="neu", refers_to="e0"),
    ),
    Inbound("a token counts only at the start", {**EVENT, "token": "tok"}, expected()),
    Inbound("without an id", {"from": "anna", "text": "x"}, MALFORMED),
    Inbound("without a sender", {"id": "e1", "text": "x"}, MALFORMED),
    Inbound("an id that is no text", {"id": 1, "from": "anna"}, MALFORMED),
    Inbound("a text that is no text", {**EVENT, "text": ["x"]}, MALFORMED),
    Inbound("an unknown kind", {**EVENT, "kind": "shout"}, MALFORMED),
    Inbound("a button without its id", {**EVENT, "kind": "button"}, MALFORMED),
    Inbound("no object", ["x"], MALFORMED),
]


@pytest.mark.parametrize("case", INBOUND, ids=lambda case: case.name)
def test_inbound(case: Inbound, caplog: pytest.LogCaptureFixture) -> None:
    check_inbound(SUBJECT, case, caplog)


def test_a_signature_holds_for_one_body() -> None:
    genuine = sign(INBOUND[0])
    with pytest.raises(SignatureInvalid):
        build("").verify(WebhookRequest(URL, genuine.headers, genuine.body + b" "))


def test_the_signature_function_signs_what_verify_accepts() -> None:
    headers = {"X-Kulanz-Signature": signature(SECRET, b"{}")}
    build("").verify(WebhookRequest(URL, headers, b"{}"))


def test_an_empty_secret_is_refused() -> None:
    with pytest.raises(ValueError, match="secret"):
        TerminalProvider(secret="", publish=nobody)


def outbound(**facts: Any) -> OutboundMessage:
    common: dict[str, Any] = {"channel": Channel.TERMINAL, "outbox_id": 8, "to": "anna"}
    return OutboundMessage(**{**common, "text": "Guten Tag", **facts})


async def test_a_message_is_published_under_an_id_that_stays_the_same() -> None:
    published: list[tuple[str, Mapping[str, Any]]] = []

    async def publish(address: str, event: Mapping[str, Any]) -> None:
        published.append((address, event))

    provider = TerminalProvider(secret=SECRET, publish=publish)
    message = outbound(buttons=(Button("b1", "Ja"),))
    assert await provider.send(message) == await provider.send(message)
    assert await provider.send(message) == SendReceipt("terminal:8")
    event = {"id": "terminal:8", "text": "Guten Tag", "buttons": [{"id": "b1", "title": "Ja"}]}
    assert published == [("anna", event)] * 3


async def test_a_failed_publication_may_be_repeated() -> None:
    async def publish(address: str, event: Mapping[str, Any]) -> None:
        raise ConnectionError(f"{address} {event}")

    with pytest.raises(Retry) as failed:
        await TerminalProvider(secret=SECRET, publish=publish).send(outbound())
    assert "anna" not in str(failed.value)
    assert failed.value.__suppress_context__


async def test_a_template_alone_is_given_up() -> None:
    with pytest.raises(GiveUp):
        await build("").send(outbound(text="", template=TemplateRef("HX1")))


async def test_published_messages_cannot_be_looked_up() -> None:
    with pytest.raises(Unsupported):
        await build("").find_sent(outbound(), datetime(2026, 11, 23, tzinfo=UTC))
