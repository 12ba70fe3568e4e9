"""The stories of the simulator: invented customers, made as often as somebody wants to play one."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any, Final
from zoneinfo import ZoneInfo

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from ledger.intake_book import Difference, RowsRefused, Source, take_claims
from ledger.money import Notation
from ledger.rows import Problem
from ledger.rows_claims import Setting
from ledger.rows_file import Record
from storage.tables import Customer, Merchant

STORIES_FILE: Final = Path(__file__).with_name("stories.toml")
NUMBERS_PREFIX: Final = "K-2"
"""Customer numbers: the prefix, the story's place from 1, a serial number of all stories."""
SERIAL_MAX: Final = 899
_PHONE = "+4917139200{:03}"
"""Kept free for films, with one digit more than any number of that network has."""
_LOCK: Final = 7_413_001


class NoMoreCustomers(RuntimeError):
    """Every number that belongs to no one is in use."""


@dataclass(frozen=True)
class Telling:
    """A story in one language of the page."""

    title: str
    about: str


@dataclass(frozen=True)
class Story:
    """One invented customer, as often as they are made. `place` counts from 1."""

    key: str
    place: int
    telling: Mapping[str, Telling]
    customer: Mapping[str, str]
    claims: tuple[Mapping[str, Any], ...]
    lines: tuple[str, ...]

    @property
    def numbers(self) -> str:
        """How customer numbers of this story begin."""
        return f"{NUMBERS_PREFIX}{self.place}"


@cache
def stories() -> Mapping[str, Story]:
    """All stories by their keys, in the order of the file."""
    told = tomllib.loads(STORIES_FILE.read_text(encoding="utf-8"))["story"]
    return {
        given["key"]: Story(
            key=given["key"],
            place=place,
            telling={language: Telling(**given[language]) for language in ("de", "en")},
            customer=given["customer"],
            claims=tuple(given["claims"]),
            lines=tuple(given["lines"]),
        )
        for place, given in enumerate(told, start=1)
    }


def story_of(customer_number: str) -> Story | None:
    """The story that a customer with this number belongs to."""
    return next(
        (story for story in stories().values() if customer_number.startswith(story.numbers)), None
    )


async def newest_of(session: AsyncSession, story: Story) -> str | None:
    """The number of the story's customer that was made last."""
    found: str | None = await session.scalar(
        select(Customer.number)
        .where(Customer.number.startswith(story.numbers))
        .order_by(Customer.id.desc())
        .limit(1)
    )
    return found


async def newcomer(session: AsyncSession, merchant: Merchant, story: Story, now: datetime) -> str:
    """Make one more customer of a story, with claims and addresses of their own; return the number.

    They come in by the import, like any other. Nobody else is touched.

    Raises:
        NoMoreCustomers: there are as many as there are invented telephone numbers.
    """
    await session.execute(select(func.pg_advisory_xact_lock(_LOCK)))
    made = await session.scalar(
        select(func.count()).where(Customer.number.startswith(NUMBERS_PREFIX))
    )
    serial = (made or 0) + 1
    if serial > SERIAL_MAX:
        raise NoMoreCustomers(f"there are {SERIAL_MAX} invented customers already")
    number = f"{story.numbers}{serial:04}"
    problems: list[Problem] = []

    def unchanged(difference: Difference) -> None:
        raise AssertionError(f"a new customer cannot differ: {difference}")

    try:
        await take_claims(
            session,
            _records(story, number, serial, now),
            Setting(
                now=now,
                zone=ZoneInfo(merchant.timezone),
                currency=merchant.currency,
                notation=Notation.ENGLISH,
            ),
            Source("claims", f"simulator:{number}", ""),
            merchant_id=merchant.id,
            report=problems.append,
            show=unchanged,
        )
    except RowsRefused as error:
        raise RowsRefused(error.count) from ValueError(str(problems))
    return number


def _records(story: Story, number: str, serial: int, now: datetime) -> list[Record]:
    rows = []
    for position, claim in enumerate(story.claims):
        invoiced = (now - timedelta(days=claim["invoiced_days"])).date()
        due = (now - timedelta(days=claim["due_days"])).date()
        invoice = f"RE-{invoiced.year}-{3000 + 2 * serial + position}"
        cells = {
            **story.customer,
            "customer_number": number,
            "phone": _PHONE.format(serial + 100),
            "claim_reference": f"F-{number}-{position + 1}",
            "invoice_number": invoice,
            "order_number": f"B-{70_000 + 2 * serial + position}",
            "description": claim["description"],
            "contract_date": (invoiced - timedelta(days=4)).isoformat(),
            "invoice_date": invoiced.isoformat(),
            "due_date": due.isoformat(),
            "amount": claim["amount"],
        }
        rows.append(Record(position + 1, cells))
    return rows
