"""No line stalls or breaks the finding of values: one process answers all customers."""

import time
from datetime import date

import pytest

from pipeline import entities

TODAY = date(2026, 11, 23)
INTENTS = ("inform", "propose_amount", "promise_payment", "request_deferral", "already_paid")


def _read(text: str) -> None:
    spans = entities.find(text)
    entities.placeholders(spans)
    for intent in INTENTS:
        entities.read(text, spans, TODAY, intent)


@pytest.mark.parametrize(
    "unit", ["nen", "nen ", "an", "'nen", "ne ", "ja", "a ", "n", "sagen wir "]
)
def test_no_row_of_small_words_takes_long(unit: str) -> None:
    began = time.process_time()
    _read(unit * 60 + "! q 5")
    assert time.process_time() - began < 1


@pytest.mark.parametrize(
    "text", ["² Wochen", "in ① Woche", "①①① Monate", "half a ² year", "½ Jahr"]
)
def test_digits_that_are_no_numbers_break_nothing(text: str) -> None:
    _read(text)
