import itertools
from typing import Any

import pytest

from channels.message import (
    SEND_ERRORS,
    Button,
    Channel,
    DeliveryStatus,
    InboundKind,
    InboundMessage,
    NextStep,
    OutboundMessage,
    SendError,
    TemplateRef,
    Throttled,
    WebhookRequest,
)

QUEUED, SENT, DELIVERED, READ, FAILED = DeliveryStatus


@pytest.mark.parametrize(
    ("earlier", "later"),
    [
        (QUEUED, SENT),
        (QUEUED, DELIVERED),
        (QUEUED, READ),
        (SENT, DELIVERED),
        (SENT, READ),
        (DELIVERED, READ),
        (QUEUED, FAILED),
        (SENT, FAILED),
        (FAILED, DELIVERED),
        (FAILED, READ),
    ],
)
def test_a_message_moves_forward(earlier: DeliveryStatus, later: DeliveryStatus) -> None:
    assert later.supersedes(earlier)
    if FAILED not in (earlier, later):
        assert not earlier.supersedes(later)


@pytest.mark.parametrize("status", DeliveryStatus)
def test_a_repeated_status_changes_nothing(status: DeliveryStatus) -> None:
    assert not status.supersedes(status)


@pytest.mark.parametrize(
    ("earlier", "late"),
    [(DELIVERED, FAILED), (READ, FAILED), (FAILED, SENT), (FAILED, QUEUED)],
)
def test_a_late_callback_takes_nothing_back(earlier: DeliveryStatus, late: DeliveryStatus) -> None:
    assert not late.supersedes(earlier)


@pytest.mark.parametrize(
    "callbacks", list(itertools.permutations([QUEUED, SENT, DELIVERED, READ])), ids=str
)
def test_any_order_of_callbacks_ends_the_same(callbacks: tuple[DeliveryStatus, ...]) -> None:
    status = QUEUED
    for callback in callbacks:
        if callback.supersedes(status):
            status = callback
    assert status is READ


@pytest.mark.parametrize("button_id", ["a", "a" * 64, "ü" * 32])
def test_a_button_id_that_fits(button_id: str) -> None:
    assert Button(button_id, "Ja").id == button_id


@pytest.mark.parametrize("button_id", ["", "a" * 65, "ü" * 33])
def test_a_button_id_that_no_provider_could_carry(button_id: str) -> None:
    with pytest.raises(ValueError, match="64 bytes"):
        Button(button_id, "Ja")


def test_a_button_needs_a_title() -> None:
    with pytest.raises(ValueError, match="title"):
        Button("b1", " ")


def test_a_message_needs_a_text_or_a_template() -> None:
    with pytest.raises(ValueError, match="text or a template"):
        OutboundMessage(Channel.SMS, 1, "+49", " \n")
    assert OutboundMessage(Channel.WHATSAPP, 1, "+49", "", template=TemplateRef("HX1"))


def test_the_closed_set_is_closed_and_each_error_says_the_next_step() -> None:
    assert set(SEND_ERRORS) == set(SendError.__subclasses__())
    assert {error.next_step for error in SEND_ERRORS} == set(NextStep)
    assert len({error.code for error in SEND_ERRORS}) == len(SEND_ERRORS)


def test_an_error_says_reason_and_code() -> None:
    error = Throttled("too many", retry_after_seconds=2.5, provider_code="429")
    assert str(error) == "too many (429)"
    assert error.retry_after_seconds == 2.5


def test_masking_reaches_the_text_and_all_of_the_raw_event() -> None:
    raw: dict[str, Any] = {"text": "4111", "deep": [{"caption": "x 4111"}], "id": 4111, "no": None}
    message = InboundMessage(
        Channel.TELEGRAM, "1", "2:3", 4, "2", InboundKind.MESSAGE, "nimm 4111", raw
    )
    masked = message.rewritten(lambda text: text.replace("4111", "****"))
    assert masked.text == "nimm ****"
    assert masked.raw == {"text": "****", "deep": [{"caption": "x ****"}], "id": 4111, "no": None}
    assert message.raw == raw


def test_a_webhook_request_knows_headers_in_any_case_and_its_query() -> None:
    request = WebhookRequest("https://x.example/a?outbox=7&e=", {"X-Sig": "1"}, b"")
    assert request.header("x-sig") == "1"
    assert request.header("other") is None
    assert request.query == {"outbox": "7", "e": ""}
