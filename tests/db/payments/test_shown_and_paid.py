"""An amount is shown on one day and arrives on another: nobody is asked for the cents between."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select

from api.payments import booking
from api.payments.provider import Notice, NoticeKind
from ledger import book
from ledger.agreements import Deferral, plan_by_count
from ledger.bank.entry import BankStatement, Family, Movement
from ledger.bank.intake import Account, take_statements
from ledger.claim import ClaimStatus
from ledger.intake_book import Source
from ledger.money import Money
from ledger.posting import PostingKind
from ledger.statement import Statement
from storage.engine import Database
from storage.tables import BankMovement, Claim, Customer, Merchant, Payment

SHOWN = datetime(2026, 2, 2, 10, tzinfo=UTC)
AMOUNT = Money(1005_67)
"""What is open then: 33 days at 6.27 % a year."""
IBAN = "DE02120300000000202051"


def came(amount: Money, at: datetime, **facts: Any) -> Movement:
    """A movement of that day."""
    day = at.date()
    return Movement(amount=amount, booked=day, value_date=day, **{"bank_reference": "B1", **facts})


@dataclass
class Shown:
    """A claim of 1,000.00 in default since New Year, as somebody saw it on 2 February."""

    database: Database
    merchant: Merchant
    customer: Customer
    claim: Claim

    async def read(self, now: datetime | None = None) -> Statement:
        async with self.database.merchant(self.merchant.id) as session:
            return await book.statement(session, self.claim.id, now=now)

    async def online(self, days: int) -> None:
        """Begin on the provider's page, which is left open, and pay so many days later."""
        async with self.database.merchant(self.merchant.id) as session:
            payment = await booking.begin(
                session,
                merchant_id=self.merchant.id,
                customer_id=self.customer.id,
                provider="sandbox",
                parts={self.claim.id: AMOUNT},
                now=SHOWN,
            )
        await self.notice("e1", NoticeKind.PAID, payment.reference, days)

    async def notice(self, event: str, kind: NoticeKind, reference: str, days: int) -> None:
        at = SHOWN + timedelta(days=days)
        told = Notice(event, kind, at, reference, "pay_1", AMOUNT, "dp_1")
        async with self.database.merchant(self.merchant.id) as session:
            await booking.take(session, self.merchant.id, "sandbox", told, at)

    async def transfer(self, days: int) -> None:
        """Print the QR code and send it so many days later."""
        at = SHOWN + timedelta(days=days)
        reference = self.claim.rf_reference
        await self.read_statement(at, came(AMOUNT, at, creditor_reference=reference))

    async def read_statement(self, at: datetime, *movements: Movement) -> None:
        """Take a file of the bank with these movements; all of them are posted."""
        statement = BankStatement(
            account=IBAN, family=Family.CAMT, format="camt.053.001.08", number="1",
            movements=movements, entries=len(movements),
        )  # fmt: skip
        async with self.database.merchant(self.merchant.id) as session:
            taken = await take_statements(
                session,
                [statement],
                Account(self.merchant.id, (IBAN,), at.date(), at),
                Source("bank_statement", "test", "0" * 64),
            )
        assert taken.counts["posted"] == len(movements)

    async def pay(self, minor: int, day: date, key: str) -> None:
        async with self.database.merchant(self.merchant.id) as session:
            await book.post_payment(
                session, self.claim.id, Money(minor), value_date=day, now=SHOWN, key=key
            )

    async def policy(self, **data: int) -> None:
        async with self.database.operator() as session:
            (await session.get_one(Merchant, self.merchant.id)).policy = data


@pytest.fixture
async def shown(database: Database, merchant: Merchant, customer: Customer) -> Shown:
    async with database.merchant(merchant.id) as session:
        claim = await book.open_claim(
            session,
            book.NewClaim(
                merchant_id=merchant.id,
                customer_id=customer.id,
                reference="R-1",
                invoice_number="R-1",
                description="Regal",
                principal=Money(1000_00),
                invoice_date=date(2025, 12, 1),
                due_date=date(2025, 12, 15),
                default_since=date(2026, 1, 1),
                default_proof="Mahnung vom 30.12.2025",
                confirmed_at=SHOWN,
            ),
            now=SHOWN,
            key="open",
        )
    made = Shown(database, merchant, customer, claim)
    assert (await made.read(SHOWN)).open.total == AMOUNT
    return made


@pytest.mark.parametrize("way", ["online", "transfer"])
async def test_what_was_shown_settles_the_claim_within_the_merchants_days(
    shown: Shown, way: str
) -> None:
    await getattr(shown, way)(5)
    found = await shown.read(SHOWN + timedelta(days=90))
    assert (found.status, found.open.total) == (ClaimStatus.SETTLED, Money(0))
    # five days at 6.27 % make 86 cents, let go with their reason, and the chain holds it
    assert found.totals[PostingKind.TRANSIT_INTEREST] == Money(86)
    assert found.paid == AMOUNT
    assert found.intact


@pytest.mark.parametrize("way", ["online", "transfer"])
async def test_what_arrives_later_leaves_its_interest_open(shown: Shown, way: str) -> None:
    await getattr(shown, way)(9)
    found = await shown.read()
    assert (found.status, found.open.total) == (ClaimStatus.OPEN, Money(1_54))


async def test_a_small_rest_of_interest_is_let_go_as_the_merchant_wants(shown: Shown) -> None:
    await shown.policy(transit_days=0, small_rest_below_minor=2_00)
    await shown.transfer(9)
    found = await shown.read()
    assert found.status is ClaimStatus.SETTLED
    assert found.totals[PostingKind.SMALL_REST] == Money(1_54)


async def test_a_merchant_may_let_go_nothing(shown: Shown) -> None:
    await shown.policy(transit_days=0, small_rest_below_minor=0)
    await shown.transfer(1)
    assert (await shown.read()).open.total == Money(17)


async def test_a_part_is_a_part(shown: Shown) -> None:
    await shown.pay(999_00, date(2026, 2, 4), "p1")
    found = await shown.read()
    assert PostingKind.TRANSIT_INTEREST not in found.totals
    assert found.open.total > Money(6_00)


async def test_a_payment_that_is_called_back_takes_it_back(shown: Shown) -> None:
    await shown.online(5)
    async with shown.database.merchant(shown.merchant.id) as session:
        reference = (await session.scalars(select(Payment.reference))).one()
    await shown.notice("e2", NoticeKind.CHARGED_BACK, reference, 8)
    found = await shown.read()
    assert found.status is ClaimStatus.OPEN
    assert found.paid == Money(0)
    assert found.open.total == AMOUNT + Money(86)
    assert found.intact
    # And what comes at last settles it again, with the days since the money had been there.
    await shown.pay(found.open.total.minor, date(2026, 2, 12), "again")
    assert (await shown.read()).status is ClaimStatus.SETTLED


async def test_money_with_an_earlier_day_that_comes_in_later_leaves_nothing_odd(
    shown: Shown,
) -> None:
    """What is booked anew behind it is let go only as far as it is still open."""
    await shown.transfer(5)
    await shown.pay(500_00, date(2026, 1, 10), "earlier")
    found = await shown.read(SHOWN + timedelta(days=90))
    assert (found.open.total, found.status) == (Money(0), ClaimStatus.SETTLED)
    assert found.open.overpaid > Money(500_00)
    assert PostingKind.TRANSIT_INTEREST not in found.totals
    assert found.intact


async def test_repeating_the_payment_changes_nothing(shown: Shown) -> None:
    amount = AMOUNT.minor
    await shown.pay(amount, date(2026, 2, 5), "p1")
    once = await shown.read()
    await shown.pay(amount, date(2026, 2, 5), "p1")
    assert (await shown.read()).lines == once.lines
    async with shown.database.merchant(shown.merchant.id) as session:
        await book.reverse(
            session, shown.claim.id, "p1", value_date=date(2026, 2, 6), now=SHOWN, key="undo"
        )
    undone = await shown.read()
    assert (undone.status, undone.paid) == (ClaimStatus.OPEN, Money(0))
    assert undone.open.total == Money(amount) + Money(51)


async def test_a_deferral_that_is_paid_some_days_late_is_kept(shown: Shown) -> None:
    amount = AMOUNT
    async with shown.database.merchant(shown.merchant.id) as session:
        terms = Deferral(amount, date(2026, 2, 20))
        await book.agree(
            session, shown.claim.id, terms, guard=lambda t, f: None, now=SHOWN, key="a"
        )
    await shown.pay(amount.minor, date(2026, 2, 24), "p1")
    assert (await shown.read()).status is ClaimStatus.SETTLED


async def test_a_plan_is_paid_as_it_was_agreed(shown: Shown) -> None:
    async with shown.database.merchant(shown.merchant.id) as session:
        plan = plan_by_count(AMOUNT, 2, first=date(2026, 2, 5), stops_interest=False)
        await book.agree(session, shown.claim.id, plan, guard=lambda t, f: None, now=SHOWN, key="a")
    first, second = plan.instalments
    await shown.pay(first.amount.minor, first.due, "p1")
    await shown.pay(second.amount.minor - 10, second.due, "p2")
    found = await shown.read()
    assert found.status is ClaimStatus.OPEN
    assert not {PostingKind.TRANSIT_INTEREST, PostingKind.SMALL_REST} & set(found.totals)


async def another_claim(shown: Shown) -> Claim:
    """The same once more: a second invoice, shown with the same figures."""
    async with shown.database.merchant(shown.merchant.id) as session:
        return await book.open_claim(
            session,
            book.NewClaim(
                merchant_id=shown.merchant.id,
                customer_id=shown.customer.id,
                reference="R-2002",
                invoice_number="R-2002",
                description="Tisch",
                principal=Money(1000_00),
                invoice_date=date(2025, 12, 1),
                due_date=date(2025, 12, 16),
                default_since=date(2026, 1, 1),
                default_proof="Mahnung vom 30.12.2025",
                confirmed_at=SHOWN,
            ),
            now=SHOWN,
            key="open-2",
        )


@pytest.mark.parametrize(
    ("minor", "days", "settled"),
    [
        (AMOUNT.minor * 2, 0, [True, True]),  # with the interest of both, on the day itself
        (AMOUNT.minor * 2, 5, [True, True]),  # each lacks its own days on the way
        (AMOUNT.minor * 2, 9, [True, False]),
        (1600_00, 0, [True, False]),  # the older one first, with all its interest
    ],
)
async def test_one_transfer_for_two_claims_is_spread_by_what_is_open_on_its_day(
    shown: Shown, minor: int, days: int, settled: list[bool]
) -> None:
    other = await another_claim(shown)
    at = SHOWN + timedelta(days=days)
    text = f"{shown.claim.rf_reference} {other.rf_reference}"
    await shown.read_statement(at, came(Money(minor), at, text=text))
    async with shown.database.merchant(shown.merchant.id) as session:
        found = [await book.statement(session, one.id, now=at) for one in (shown.claim, other)]
        movement = (await session.scalars(select(BankMovement))).one()
    assert [one.status is ClaimStatus.SETTLED for one in found] == settled
    assert not any(one.open.overpaid for one in found)
    assert sum(one.paid.minor for one in found) == minor
    assert [share["minor"] for share in movement.match["shares"]] == [
        one.paid.minor for one in found
    ]


async def test_one_transfer_for_two_claims_that_comes_back_in_the_same_file_leaves_both(
    shown: Shown,
) -> None:
    other = await another_claim(shown)
    numbers = f"{shown.claim.rf_reference} {other.rf_reference}"
    back = SHOWN + timedelta(days=2)
    at = SHOWN + timedelta(days=3)
    await shown.read_statement(
        at,
        came(AMOUNT * 2, SHOWN, text=numbers, end_to_end_id="E2E-1"),
        came(
            AMOUNT * -2, back, text=numbers, returned="AC04", end_to_end_id="E2E-1",
            bank_reference="B2", entry=1,
        ),
    )  # fmt: skip
    async with shown.database.merchant(shown.merchant.id) as session:
        found = [await book.statement(session, one.id, now=at) for one in (shown.claim, other)]
    assert [(one.status, one.paid, one.open.overpaid) for one in found] == [
        (ClaimStatus.OPEN, Money(0), Money(0))
    ] * 2
