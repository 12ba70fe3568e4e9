"""What ``kulanz interest`` prints, and what ``doctor`` says about base rates."""

import json
from datetime import date
from decimal import Decimal

import pytest
from typer.testing import CliRunner

from api.cli import app
from api.commands.doctor import base_rate_finding
from api.findings import GOOD, MISSING
from api.statement_view import NOT_CONFIRMED
from ledger.base_rate import SHIPPED, BaseRate, with_added


def interest(*options: str) -> str:
    result = CliRunner().invoke(app, ["interest", "--shipped", *options])
    assert result.exit_code == 0, result.output
    return result.output


def test_periods_and_total_as_data() -> None:
    example = ["--principal", "1500.00", "--from", "2009-09-15", "--to", "2012-02-17"]
    found = json.loads(interest(*example, "--over-base", "8", "--json"))
    assert [
        tuple(part[name] for name in ("from", "to", "days", "base_rate", "percent", "amount"))
        for part in found["periods"]
    ] == [
        ("2009-09-15", "2011-06-30", 654, "0.12", "8.12", "218.24"),
        ("2011-07-01", "2011-12-31", 184, "0.37", "8.37", "63.29"),
        ("2012-01-01", "2012-02-17", 48, "0.12", "8.12", "15.97"),
    ]
    assert (found["total"], found["days"], found["confirmed"]) == ("297.50", 886, True)


def test_what_rests_on_a_rate_that_is_not_confirmed_is_marked() -> None:
    shown = interest("--principal", "1.500,00", "--from", "2026-06-01", "--to", "2026-07-31")
    assert "1.27 % *" in shown
    assert NOT_CONFIRMED in shown


@pytest.mark.parametrize(
    "options",
    [
        ("--principal", "abc", "--from", "2026-01-01", "--to", "2026-01-31"),
        ("--principal", "-5", "--from", "2026-01-01", "--to", "2026-01-31"),
        ("--principal", "5", "--from", "2026-02-01", "--to", "2026-01-31"),
        ("--principal", "5", "--from", "2001-12-31", "--to", "2026-01-31"),
        ("--principal", "5", "--from", "2026-01-01", "--to", "2026-01-31", "--over-base", "x"),
    ],
)
def test_what_cannot_be_reckoned_is_refused(options: tuple[str, ...]) -> None:
    assert CliRunner().invoke(app, ["interest", "--shipped", *options]).exit_code == 1


def test_doctor_names_the_half_years_that_are_not_confirmed() -> None:
    assert base_rate_finding(SHIPPED, date(2026, 6, 30)).mark == GOOD
    missing = base_rate_finding(SHIPPED, date(2027, 2, 1))
    assert missing.mark == MISSING
    assert "not confirmed" in missing.state
    assert "2026-07-01, 2027-01-01" in missing.state
    rates = with_added([BaseRate(date(2026, 7, 1), Decimal("1.52"))])
    assert base_rate_finding(rates, date(2026, 12, 31)).mark == GOOD
