"""One harness for every provider: a table of cases in, the same checks for each."""

import json
import logging
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import pytest

from channels.message import (
    SEND_ERRORS,
    ChannelProvider,
    ContactUpdate,
    InboundMessage,
    MalformedWebhook,
    OutboundMessage,
    ParsedWebhook,
    SendError,
    SendReceipt,
    SignatureInvalid,
    StatusUpdate,
    Throttled,
    WebhookRequest,
)
from tests.contract.channels.standin import Fault, Reply, StandIn, stand_in

MALFORMED = MalformedWebhook
"""Expected outcome of a payload that is signed but not of the documented shape."""


@dataclass(frozen=True)
class Inbound:
    """A raw payload and what it must be read as; `raw` of the expected parts is filled in here."""

    name: str
    payload: Any
    expected: ParsedWebhook | type[MalformedWebhook]
    query: str = ""


@dataclass(frozen=True)
class Outbound:
    """A message, how the provider answers, the request it must have seen, and the outcome.

    `fields` is the whole form the provider must have got, None when nothing may be sent at all.
    """

    name: str
    message: OutboundMessage
    answer: Reply | Fault
    outcome: SendReceipt | type[SendError]
    fields: Mapping[str, str] | None = None
    retry_after_seconds: float | None = None
    provider_code: str | None = None


@dataclass(frozen=True)
class Subject:
    """A provider under test: how to build it, to sign for it, and what it may never reveal."""

    build: Callable[[str], ChannelProvider]
    sign: Callable[[Inbound], WebhookRequest]
    secrets: tuple[str, ...]


def check_inbound(subject: Subject, case: Inbound, caplog: pytest.LogCaptureFixture) -> None:
    """Signed it is read as expected, twice the same; unsigned or altered it is refused."""
    caplog.set_level(logging.DEBUG)
    provider = subject.build("http://127.0.0.1:1")
    request = subject.sign(case)

    provider.verify(request)
    for forged in (
        replace(request, headers={}),
        replace(request, headers=dict.fromkeys(request.headers, "wrong")),
        replace(request, headers=dict.fromkeys(request.headers, "fälschung")),
    ):
        with pytest.raises(SignatureInvalid) as refused:
            provider.verify(forged)
        assert_silent(subject, str(refused.value), caplog)

    if isinstance(case.expected, type):
        with pytest.raises(case.expected) as malformed:
            provider.parse(request)
        assert_silent(subject, str(malformed.value), caplog)
        assert malformed.value.__suppress_context__ or malformed.value.__context__ is None
        return
    parsed = provider.parse(request)
    assert parsed == _with_raw(case.expected, case.payload)
    assert provider.parse(request) == parsed
    parts: list[InboundMessage | StatusUpdate | ContactUpdate] = []
    parts += [*parsed.messages, *parsed.statuses, *parsed.contacts]
    for part in parts:
        json.dumps(part.raw)
        assert part.channel in provider.channels
    assert_silent(subject, "", caplog)


async def check_outbound(
    subject: Subject, case: Outbound, caplog: pytest.LogCaptureFixture
) -> None:
    """The provider sees the expected request and the caller gets the expected outcome."""
    caplog.set_level(logging.DEBUG)
    outcome, peer = await exchange(subject, case.answer, lambda p: p.send(case.message))

    if isinstance(case.outcome, SendReceipt):
        assert outcome == case.outcome
    else:
        assert isinstance(outcome, SendError)
        assert type(outcome) is case.outcome
        assert type(outcome) in SEND_ERRORS
        assert outcome.__suppress_context__ or outcome.__context__ is None
        if case.provider_code is not None:
            assert outcome.provider_code == case.provider_code
        if isinstance(outcome, Throttled):
            assert outcome.retry_after_seconds == case.retry_after_seconds
    if case.answer is not Fault.REFUSED:
        sent = [_decoded(request.fields) for request in peer.requests]
        assert sent == ([] if case.fields is None else [_decoded(case.fields)])
    said = f"{outcome!r} {outcome}" if isinstance(outcome, SendError) else ""
    assert_silent(subject, said, caplog, (case.message.to, case.message.text))


async def exchange(
    subject: Subject,
    answer: Reply | Fault,
    call: Callable[[ChannelProvider], Awaitable[SendReceipt | None]],
) -> tuple[SendReceipt | SendError | None, StandIn]:
    """What one call on a provider brings when the other side answers like this."""
    async with stand_in(answer) as peer:
        provider = subject.build(peer.url)
        outcome: SendReceipt | SendError | None
        try:
            outcome = await call(provider)
        except SendError as error:
            outcome = error
        finally:
            await provider.close()
    return outcome, peer


def assert_silent(
    subject: Subject,
    said: str,
    caplog: pytest.LogCaptureFixture,
    private: tuple[str, ...] = (),
) -> None:
    """Neither `said` nor any log line, at any level, carries a secret or a customer's data."""
    everything = said + "".join(record.getMessage() for record in caplog.records)
    everything += "".join(record.exc_text or "" for record in caplog.records)
    for hidden in (*subject.secrets, *(text for text in private if text)):
        assert hidden not in everything


def _decoded(fields: Mapping[str, str]) -> dict[str, Any]:
    return {k: json.loads(v) if v.startswith(("{", "[")) else v for k, v in fields.items()}


def _with_raw(expected: ParsedWebhook, payload: Any) -> ParsedWebhook:
    return ParsedWebhook(
        messages=tuple(replace(message, raw=payload) for message in expected.messages),
        statuses=tuple(replace(status, raw=payload) for status in expected.statuses),
        contacts=tuple(replace(contact, raw=payload) for contact in expected.contacts),
    )
