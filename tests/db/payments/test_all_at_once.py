"""Notices, bank statements, the merchant's own files and payments over REST, all at the same time.

They are about the same claims, each comes three times, and most move several claims at once. The
books must hold each once, whoever comes first, and nobody may wait for somebody who waits for
them.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from datetime import date, timedelta
from random import Random
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import func, select

from api.payments import booking
from api.payments.provider import Notice, NoticeKind
from ledger import book
from ledger import book_rows as rows
from ledger.bank.entry import BankStatement, Family, Movement
from ledger.bank.intake import Account as BankAccount
from ledger.bank.intake import take_statements
from ledger.chain import first_broken
from ledger.intake_book import Source, take_claims
from ledger.intake_items import take_items
from ledger.money import Money, Notation
from ledger.posting import Account, Posting, PostingKind, account_balance, effective
from ledger.rows_claims import Setting
from ledger.rows_file import Record
from storage.engine import Database, DatabaseUrls
from storage.tables import BankMovement, Claim
from storage.tables import Posting as PostingRow
from tests.conftest import NOW
from tests.db.payments.conftest import PROVIDER, Till

IBAN = "DE02120300000000202051"
TODAY = NOW.date()
SETTING = Setting(NOW, ZoneInfo("Europe/Berlin"), "EUR", notation=Notation.ENGLISH)
PAYMENTS, FILES, ENTRIES, CUSTOMER_PAYMENTS = 50, 6, 8, 6
AT_ONCE = 16

Call = Callable[[], Awaitable[object]]


class Rush:
    """Everything that arrives, and what has to be in the books when it has."""

    def __init__(self, till: Till, many: Database) -> None:
        self.till = till
        self.many = many
        self.merchant_id = till.merchant.id
        self.references: list[tuple[str, str]] = []
        self.expected = dict.fromkeys(till.claims, 0)
        self.spread = 0
        """What was paid without a claim's number, in cents."""

    async def read_references(self) -> None:
        async with self.many.merchant(self.merchant_id) as session:
            found = await session.execute(
                select(Claim.reference, Claim.rf_reference)
                .where(Claim.id.in_(self.till.claims))
                .order_by(Claim.id)
            )
            self.references = [(row.reference, row.rf_reference) for row in found]

    async def calls(self) -> list[Call]:
        """What is to be done, each thing once."""
        made: list[Call] = []
        for number in range(PAYMENTS):
            made += await self.payment(number)
        made += (self.bank_file(number) for number in range(FILES))
        made += (self.customer_payment(number) for number in range(CUSTOMER_PAYMENTS))
        made += (self.items_file(number) for number in range(4))
        made.append(self.claims_file())
        return made

    async def payment(self, number: int) -> list[Call]:
        """One online payment; some are given back in part, some are called back."""
        parts = {"c1": 3_00, "c2": 2_00, "c3": 1_00}
        if number % 3 == 0:
            del parts["c1"]
        payment = await self.till.begin(**parts)
        notices = [self.till.notice(payment, NoticeKind.PAID)]
        claims = self.till.claims
        for name, minor in parts.items():
            self.expected[claims[int(name[1]) - 1]] += minor
        if number % 5 == 0:  # goes off the newest part first: all of claim 3, half of claim 2
            notices.append(self.till.notice(payment, NoticeKind.REFUNDED, 2_00))
            self.expected[claims[2]] -= 1_00
            self.expected[claims[1]] -= 1_00
        elif number % 7 == 0:
            case = f"dp_{number}"
            notices.append(self.till.notice(payment, NoticeKind.CHARGED_BACK, case=case))
            for name, minor in parts.items():
                self.expected[claims[int(name[1]) - 1]] -= minor
        return [self.notice(notice) for notice in notices]

    def notice(self, notice: Notice) -> Call:
        async def call() -> object:
            async with self.many.merchant(self.merchant_id) as session:
                return await booking.take(session, self.merchant_id, PROVIDER, notice, NOW)

        return call

    def bank_file(self, number: int) -> Call:
        """A statement; the second half of its entries is in the next one, too."""

        def entries(of: int) -> Iterator[Movement]:
            for entry in range(ENTRIES // 2):
                which = (of + entry) % len(self.references)
                yield Movement(
                    amount=Money(1_00 + of),
                    booked=TODAY,
                    value_date=TODAY - timedelta(days=of % 3 == 0),
                    text=f"Zahlung {of}-{entry}",
                    joined=f"Zahlung {of}-{entry}",
                    creditor_reference=self.references[which][1],
                    bank_reference=f"B{of}-{entry}",
                    entry=entry,
                )

        for entry in range(ENTRIES // 2):
            which = (number + entry) % len(self.references)
            self.expected[self.till.claims[which]] += 1_00 + number
            if number == FILES - 1:
                which = (number + 1 + entry) % len(self.references)
                self.expected[self.till.claims[which]] += 1_00 + number + 1
        statement = BankStatement(
            account=IBAN,
            family=Family.CAMT,
            format="camt.053.001.08",
            number=f"S{number}",
            movements=(*entries(number), *entries(number + 1)),
            entries=ENTRIES,
        )
        account = BankAccount(self.merchant_id, (IBAN,), TODAY, NOW)
        source = Source("bank_statement", "test", "0" * 64)

        async def call() -> object:
            async with self.many.merchant(self.merchant_id) as session:
                return await take_statements(session, [statement], account, source)

        return call

    def customer_payment(self, number: int) -> Call:
        """A payment without a claim's number: it goes where the law says."""
        self.spread += 2_00 + number

        async def call() -> object:
            async with self.many.merchant(self.merchant_id) as session:
                return await book.post_customer_payment(
                    session,
                    self.till.customer.id,
                    Money(2_00 + number),
                    value_date=TODAY,
                    now=NOW,
                    key=f"customer:{number}",
                )

        return call

    def items_file(self, number: int) -> Call:
        """The merchant's own list of payments, newest claim first, and figures confirmed."""
        items = [
            {
                "event_id": f"E{number}-{reference}",
                "event": "payment",
                "claim_reference": reference,
                "date": TODAY.isoformat(),
                "amount": "0.50",
            }
            for reference, _ in reversed(self.references)
        ]
        items.append({"event_id": f"C{number}", "event": "confirmation", "claim_reference": "*"})
        for claim_id in self.till.claims:
            self.expected[claim_id] += 50

        async def call() -> object:
            async with self.many.merchant(self.merchant_id) as session:
                return await take_items(
                    session,
                    [Record(line, row) for line, row in enumerate(items, 2)],
                    SETTING,
                    Source("open_items", "test", "0" * 64),
                    merchant_id=self.merchant_id,
                    report=lambda problem: pytest.fail(str(problem)),
                )

        return call

    def claims_file(self) -> Call:
        """The list of open claims once more, in another order, and with one that is new."""
        listed = [
            {
                "claim_reference": reference,
                "invoice_number": reference,
                "customer_number": "K-1001",
                "name": "Beispiel",
                "description": "Schuhe",
                "invoice_date": "2026-09-15",
                "due_date": "2026-10-15",
                "amount": "1000.00",
            }
            for reference in ("R-9", *(name for name, _ in reversed(self.references)))
        ]

        async def call() -> object:
            async with self.many.merchant(self.merchant_id) as session:
                return await take_claims(
                    session,
                    [Record(line, row) for line, row in enumerate(listed, 2)],
                    SETTING,
                    Source("claims", "test", "0" * 64),
                    merchant_id=self.merchant_id,
                    report=lambda problem: pytest.fail(str(problem)),
                    show=lambda difference: None,
                )

        return call


def parts_taken_in_order(postings: list[Posting]) -> bool:
    """Whether each payment met costs, then interest, then the price (§ 367 BGB)."""
    held = {Account.COSTS: 0, Account.INTEREST: 0, Account.PRINCIPAL: 0, Account.OVERPAID: 0}
    order = list(held)
    standing = effective(postings)
    if any(posting.kind is PostingKind.INTEREST for posting in standing):
        # Where interest runs, payments count from their value dates, whenever they were told.
        standing.sort(key=lambda one: (one.value_date, one.number))
    for posting in standing:
        if posting.kind is PostingKind.PAYMENT:
            before = order[: order.index(posting.source)]
            if any(held[account] > 0 for account in before):
                return False
        if posting.source in held:
            held[posting.source] -= posting.amount.minor
        if posting.destination in held:
            held[posting.destination] += posting.amount.minor
    return True


@pytest.mark.parametrize("seed", range(1))
async def test_whatever_comes_at_once_is_booked_once_each(
    till: Till, database_urls: DatabaseUrls, seed: int
) -> None:
    till.claims.clear()
    await _three_claims(till)
    many = Database(database_urls, pool_size=AT_ONCE)
    try:
        rush = Rush(till, many)
        await rush.read_references()
        once = await rush.calls()
        thrice = once * 3
        Random(seed).shuffle(thrice)
        limit = asyncio.Semaphore(AT_ONCE)

        async def limited(call: Call) -> None:
            async with limit:
                await call()

        await asyncio.wait_for(asyncio.gather(*map(limited, thrice)), 300)
        await assert_booked_once(rush)
        posted = await count_postings(many, till.merchant.id)
        for call in once:
            await call()
        assert await count_postings(many, till.merchant.id) == posted
    finally:
        await many.close()


async def _three_claims(till: Till) -> None:
    """Three claims of 1,000.00; the last one in default, so that value dates matter."""
    async with till.database.merchant(till.merchant.id) as session:
        for number in (1, 2, 3):
            since = date(2026, 10, 20) if number == 3 else None
            claim = await book.open_claim(
                session,
                book.NewClaim(
                    merchant_id=till.merchant.id,
                    customer_id=till.customer.id,
                    reference=f"M-{number}",
                    invoice_number=f"M-{number}",
                    description="Schuhe",
                    principal=Money(1000_00),
                    costs=Money(2_50),
                    invoice_date=date(2026, 9, 15),
                    due_date=date(2026, 10, 15),
                    default_since=since,
                    default_proof="Mahnung vom 19.10.2026" if since else None,
                    confirmed_at=NOW,
                ),
                now=NOW,
                key=f"many:{number}",
            )
            till.claims.append(claim.id)


async def count_postings(database: Database, merchant_id: int) -> int:
    async with database.merchant(merchant_id) as session:
        return await session.scalar(select(func.count()).select_from(PostingRow)) or 0


async def assert_booked_once(rush: Rush) -> None:
    """All money is there once, the books add up, the chains verify, and the law's order holds."""
    claims = rush.till.claims
    async with rush.many.merchant(rush.merchant_id) as session:
        postings = await rows.postings_by_claim(session, await session.scalars(select(Claim.id)))
        movements = await session.execute(
            select(BankMovement.state, func.count()).group_by(BankMovement.state)
        )
    assert [tuple(row) for row in movements] == [("posted", (FILES + 1) * ENTRIES // 2)]
    received = {}
    for claim_id, chain in postings.items():
        assert first_broken(claim_id, chain) is None
        assert sum(account_balance(chain, account, "EUR").minor for account in Account) == 0
        assert parts_taken_in_order(chain)
        received[claim_id] = account_balance(chain, Account.CASH, "EUR").minor
    assert sum(received.values()) == sum(rush.expected.values()) + rush.spread
    assert all(received[claim_id] >= rush.expected[claim_id] for claim_id in claims)
