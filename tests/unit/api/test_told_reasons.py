"""Every reason that a check gives is told in both languages, with what helps."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from api.pages.console.settings.told import known, told

ROOT = Path(__file__).parents[3]
TABLES = ROOT / "api" / "pages" / "console" / "settings" / "reasons"
READERS = ("CellRefused", "NotAPhoneNumber", "NotAnEmailAddress")
LEDGER = (
    *("rows", "rows_claims", "rows_items", "rows_file", "intake_book", "intake_items"),
    "contact",
)
CHECKS = ("check", "overrides", "tone")
BY_PARTS = {"", "{}{}", "{}: {}"}
"""What is put together of reasons that stand elsewhere."""


def shown(node: ast.expr) -> str | None:
    """A text, or an f-string with a word for each figure."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return node.value
    if isinstance(node, ast.JoinedStr):
        return "".join(
            part.value if isinstance(part, ast.Constant) else "{}"  # type: ignore[misc]
            for part in node.values
        )
    return None


def reasons_of_rows() -> Iterator[str]:
    for name in LEDGER:
        for node in ast.walk(ast.parse((ROOT / "ledger" / f"{name}.py").read_text("utf-8"))):
            if not isinstance(node, ast.Call) or not node.args:
                continue
            called = getattr(node.func, "id", getattr(node.func, "attr", ""))
            if called in READERS or (called == "Problem" and len(node.args) == 3):
                found = shown(node.args[-1])
            elif called == "refuse" and len(node.args) == 2:
                found = shown(node.args[1])
            else:
                continue
            if found is not None:
                yield found
    source = (ROOT / "ledger" / "intake_items.py").read_text("utf-8")
    table = re.search(r"_REASONS.*?\n}", source, re.DOTALL)
    assert table is not None
    yield from re.findall(r'", "([^"]+)"\)', table.group())


def reasons_of_wordings() -> Iterator[str]:
    for name in CHECKS:
        path = ROOT / "conversation" / "wording" / f"{name}.py"
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            values = [node.value] if isinstance(node, ast.Yield) and node.value else []
            for value in values:
                found = shown(value)
                if found is not None and found.startswith("{}: "):
                    yield found.removeprefix("{}: ")


ROWS = sorted({one.replace("{}", "7") for one in reasons_of_rows()} - BY_PARTS)
WORDINGS = sorted({one.replace("{}", "7") for one in reasons_of_wordings()})
NOT_OF_A_MERCHANTS_TEXT = re.compile(r"no phrases called|leads up to another|a language or form is")
"""What only the product's own catalogue can get wrong."""


def test_the_walk_finds_them() -> None:
    assert len(ROWS) > 50
    assert len(WORDINGS) > 15


@pytest.mark.parametrize("reason", ROWS)
def test_a_reason_of_a_row_is_told(reason: str) -> None:
    assert known(reason.replace("(number 7)7", "(number 7)"), "rows") is not None


@pytest.mark.parametrize(
    "reason", [one for one in WORDINGS if not NOT_OF_A_MERCHANTS_TEXT.search(one)]
)
def test_a_reason_of_a_text_is_told(reason: str) -> None:
    assert known(reason, "wordings") is not None


def test_a_reason_against_an_address_is_told() -> None:
    found = []
    for name in ("addresses", "endpoints"):
        path = ROOT / "api" / "merchant_events" / f"{name}.py"
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            called = getattr(node, "func", None)
            if getattr(called, "id", "") in ("UrlRefused", "EndpointRefused"):
                assert isinstance(node, ast.Call)
                found.append(shown(node.args[0]))
    assert len(found) > 8
    for reason in found:
        assert reason is not None
        assert known(reason.replace("{}", "7"), "addresses") is not None, reason


@pytest.mark.parametrize("table", ["rows", "wordings", "addresses"])
def test_each_is_told_whole_in_both_languages(table: str) -> None:
    for one in yaml.safe_load((TABLES / f"{table}.yml").read_text("utf-8")):
        reason = one["of"].replace("{}", "7")
        for language in ("de", "en"):
            assert len(one[language]) == 2, one
            found = told(reason, language, table)
            assert "{" not in found.problem + found.remedy
            assert found.problem.endswith((".", "7"))
            assert found.remedy.endswith((".", "7"))


def test_what_is_not_known_is_told_as_it_is() -> None:
    assert told("something new", "de", "rows").problem == "Something new"
