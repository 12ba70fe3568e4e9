"""What people mean by what they write: a table of expressions."""

from datetime import date
from pathlib import Path

import pytest
import yaml

from pipeline import entities, values_dates
from pipeline.dialects import standard

TODAY = date(2026, 11, 23)
TABLE = Path(__file__).with_name("expressions.yml")
ROWS = [
    pytest.param(intent, text, str(meant).split(), id=text)
    for intent, rows in yaml.load(TABLE.read_text(encoding="utf-8"), yaml.BaseLoader).items()
    for text, meant in rows.items()
]


def _shown(entity: dict) -> str:
    """An entity as the table writes it."""
    value = entity["value"]
    if entity["entity"] == "amount" and "share" in value:
        return f"{value['share']:.0%}"
    if entity["entity"] == "amount":
        return f"{value['minor'] / 100:.2f}"
    if entity["entity"] == "count":
        return f"x{value}"
    return "-" if value is None else str(value)


@pytest.mark.parametrize(("intent", "text", "meant"), ROWS)
def test_expression_is_read_as_meant(intent: str, text: str, meant: list) -> None:
    found = entities.read(text, entities.find(text), TODAY, intent)
    assert sorted(map(_shown, found)) == sorted(meant)


def test_no_rule_needs_what_its_matches_lack(monkeypatch: pytest.MonkeyPatch) -> None:
    texts = [standard(row.values[1]).text for row in ROWS]
    found = [values_dates.find_dates(text) for text in texts]
    monkeypatch.setattr(values_dates, "BY_NEEDS", {None: list(enumerate(values_dates.RULES))})
    for text, spans in zip(texts, found, strict=True):
        places = [(span.start, span.end) for span in values_dates.find_dates(text)]
        assert places == [(span.start, span.end) for span in spans], text
