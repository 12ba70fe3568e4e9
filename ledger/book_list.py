"""Claims as a list: a page at a time, in one order, going on where the page before ended.

The amounts are those of the postings; interest that is not posted yet is reckoned where a claim is
looked at alone.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Any, Final

from sqlalchemy import (
    ARRAY,
    BigInteger,
    ColumnElement,
    Date,
    any_,
    cast,
    literal,
    or_,
    select,
    text,
    tuple_,
)
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import InstrumentedAttribute

from ledger.book_among import PAID, Among
from ledger.book_search import Found
from ledger.claim import ClaimStatus
from ledger.money import Money
from storage.tables import Claim, ClaimOpen, Customer, OverviewClaim

LISTED_MAX = 50


class Order(StrEnum):
    """How the list is sorted."""

    DUE = "due"
    """The oldest due day first."""
    NEWEST = "newest"
    OPEN = "open"
    """The largest open amount first."""


class Which(StrEnum):
    """Which claims are wanted; a state of its own besides those of claims."""

    ALL = "all"
    PURSUED = "pursued"
    PAUSED = "paused"
    OPEN = ClaimStatus.OPEN.value
    DISPUTED = ClaimStatus.DISPUTED.value
    SETTLED = ClaimStatus.SETTLED.value
    RECALLED = ClaimStatus.RECALLED.value
    WRITTEN_OFF = ClaimStatus.WRITTEN_OFF.value


# As they stand in the partial indexes: with parameters none would be used.
_PURSUED = text("claim.status IN ('open', 'disputed')")
_WITHOUT_OPEN: Final = frozenset({Which.SETTLED, Which.WRITTEN_OFF})
"""Nothing is open on these, so they have no order by it."""


@dataclass(frozen=True, slots=True)
class ListedClaim:
    """A claim in the list."""

    id: int
    invoice_number: str
    due_date: date
    status: str
    paused_until: date | None
    open: Money
    customer_id: int
    customer_number: str


@dataclass(frozen=True, slots=True)
class Cursor:
    """The last claim of a page by what it is sorted by, and its number."""

    value: date | int
    id: int

    def __str__(self) -> str:
        return f"{self.value}_{self.id}"

    @classmethod
    def read(cls, given: str, order: Order) -> "Cursor | None":
        """From an address; None where it is none of this order."""
        pattern = r"-?\d{1,18}" if order is Order.OPEN else r"\d{4}-\d\d-\d\d"
        found = re.fullmatch(rf"({pattern})_(\d{{1,18}})", given, re.ASCII)
        if found is None:
            return None
        value, id_ = found.groups()
        try:
            return cls(int(value) if order is Order.OPEN else date.fromisoformat(value), int(id_))
        except ValueError:
            return None


def order_of(order: Order, which: Which, among: Among | None = None) -> Order:
    """The order that these claims have."""
    paid = which in _WITHOUT_OPEN or (among is not None and among.happened in PAID)
    return Order.NEWEST if order is Order.OPEN and paid else order


async def listed(
    session: AsyncSession,
    merchant_id: int,
    which: Which,
    order: Order,
    *,
    today: date,
    found: Found | None = None,
    among: Among | None = None,
    after: Cursor | None = None,
    limit: int = LISTED_MAX,
) -> tuple[list[ListedClaim], Cursor | None]:
    """A page of claims, and where the next one goes on; ``found``, ``among`` keep it to those."""
    key: tuple[InstrumentedAttribute[Any], InstrumentedAttribute[int]]
    if order is Order.OPEN:
        key = (ClaimOpen.open_minor, ClaimOpen.claim_id)
    elif among is not None and among.kept:
        key = (OverviewClaim.due_date, OverviewClaim.claim_id)
    else:
        key = (Claim.due_date, Claim.id)
    wanted = (
        select(
            Claim.id,
            Claim.invoice_number,
            Claim.due_date,
            Claim.status,
            Claim.paused_until,
            Claim.currency,
            ClaimOpen.open_minor,
            Customer.id.label("customer_id"),
            Customer.number.label("customer_number"),
        )
        .join(ClaimOpen, ClaimOpen.claim_id == Claim.id)
        .join(Customer, Customer.id == Claim.customer_id)
        .where(Claim.merchant_id == merchant_id, ClaimOpen.merchant_id == merchant_id)
        .where(*_conditions(which, today))
        .limit(limit + 1)
    )
    wanted = wanted.order_by(*(one if order is Order.DUE else one.desc() for one in key))
    if among is not None:
        wanted = wanted.where(*among.conditions(merchant_id))
    if found is not None:
        wanted = wanted.where(
            or_(Claim.id == _one_of(found.claims), Claim.customer_id == _one_of(found.customers))
        )
    if after is not None:
        value = cast(literal(after.value), Date) if order is not Order.OPEN else after.value
        last = tuple_(value, after.id)
        wanted = wanted.where(tuple_(*key) > last if order is Order.DUE else tuple_(*key) < last)
    rows = [_listed(row._asdict()) for row in await session.execute(wanted)]
    page = rows[:limit]
    if len(rows) <= limit:
        return page, None
    last_one = page[-1]
    value = last_one.open.minor if order is Order.OPEN else last_one.due_date
    return page, Cursor(value, last_one.id)


def _one_of(ids: Sequence[int]) -> ColumnElement[bool]:
    """One parameter for all of them, so that the statement is the same for however many."""
    return any_(cast(literal(list(ids), ARRAY(BigInteger)), ARRAY(BigInteger)))


def _conditions(which: Which, today: date) -> list[ColumnElement[bool]]:
    if which is Which.ALL:
        return []
    if which is Which.PURSUED:
        return [_PURSUED]  # type: ignore[list-item]
    if which is Which.PAUSED:
        return [_PURSUED, Claim.paused_until >= today]  # type: ignore[list-item]
    return [Claim.status == which.value]


def _listed(facts: dict[str, Any]) -> ListedClaim:
    open_ = Money(facts.pop("open_minor"), facts.pop("currency"))
    return ListedClaim(open=open_, **facts)
