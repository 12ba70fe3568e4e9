"""A payload damaged anywhere is read into the contract's types, or refused; never anything else."""

import copy
import json
import typing
from collections.abc import Iterator
from dataclasses import fields
from typing import Any

import pytest

from channels.message import (
    Attachment,
    InboundMessage,
    MalformedWebhook,
    ParsedWebhook,
    StatusUpdate,
)
from channels.telegram_update import read_update
from channels.twilio_webhook import read_form
from tests.contract.channels import telegram_cases, twilio_cases
from tests.contract.channels.harness import MALFORMED, Inbound

OTHER_VALUES: tuple[Any, ...] = (None, True, -1, 10**40, 1.5, "", "x", [], ["x"], {}, {"x": {}})
OTHER_TEXTS = ("", "0", "-1", "²", "whatsapp:", ":", "9" * 5000, "\n")
TEXTS: dict[type, list[str]] = {
    kind: [f.name for f in fields(kind) if typing.get_type_hints(kind)[f.name] in (str, str | None)]
    for kind in (InboundMessage, StatusUpdate, Attachment)
}


def places(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    items = value.items() if isinstance(value, dict) else enumerate(value)
    for key, item in items:
        yield (*path, key)
        if isinstance(item, dict | list):
            yield from places(item, (*path, key))


def with_other(payload: Any, path: tuple[Any, ...], other: Any) -> Any:
    damaged = copy.deepcopy(payload)
    node = damaged
    for key in path[:-1]:
        node = node[key]
    node[path[-1]] = other
    return damaged


def without(payload: Any, path: tuple[Any, ...]) -> Any:
    damaged = with_other(payload, path, None)
    node = damaged
    for key in path[:-1]:
        node = node[key]
    del node[path[-1]]
    return damaged


def assert_of_the_contracts_types(parsed: ParsedWebhook) -> None:
    for message in parsed.messages:
        for part in (message, *message.attachments):
            for name in TEXTS[type(part)]:
                value = getattr(part, name)
                assert value is None or isinstance(value, str), (name, value)
        assert message.provider_message_id
        assert message.sender
        for attachment in message.attachments:
            assert attachment.size_bytes is None or isinstance(attachment.size_bytes, int)
    for status in parsed.statuses:
        for name in TEXTS[StatusUpdate]:
            assert isinstance(getattr(status, name), str | None)


def readable(cases: list[Inbound]) -> list[Inbound]:
    return [case for case in cases if case.expected is not MALFORMED]


@pytest.mark.parametrize("case", readable(telegram_cases.INBOUND), ids=lambda case: case.name)
def test_telegram(case: Inbound) -> None:
    for path in places(case.payload):
        damaged = [with_other(case.payload, path, other) for other in OTHER_VALUES]
        for payload in (*damaged, without(case.payload, path)):
            try:
                parsed = read_update(json.loads(json.dumps(payload)), account="1")
            except MalformedWebhook:
                continue
            assert_of_the_contracts_types(parsed)


@pytest.mark.parametrize("case", readable(twilio_cases.INBOUND), ids=lambda case: case.name)
def test_twilio(case: Inbound) -> None:
    for path in places(case.payload):
        damaged = [with_other(case.payload, path, other) for other in OTHER_TEXTS]
        for payload in (*damaged, without(case.payload, path)):
            try:
                parsed = read_form(payload, {})
            except MalformedWebhook:
                continue
            assert_of_the_contracts_types(parsed)
