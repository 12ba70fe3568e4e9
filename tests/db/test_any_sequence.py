"""Whatever is posted in whatever order: the real book holds what the law makes of it, once.

The commands of :mod:`ledger.book` on PostgreSQL, held against an account kept by hand, day by day,
with rates and lengths of years of its own (``tests/unit/ledger/test_value_order.py``).
"""

from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import UTC, datetime
from itertools import count

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ledger import book, rebooking
from ledger.chain import first_broken
from ledger.errors import LedgerError
from ledger.money import Money
from ledger.posting import LEFT_OVER, Account, Marking, Posting, account_balance
from ledger.statement import Receipt, Statement
from storage.engine import Database
from storage.tables import Claim, Customer, Merchant
from tests.unit.ledger.test_value_order import (
    DEFAULT,
    END,
    ORDERS,
    RATES,
    START,
    Step,
    by_hand,
    plain,
    undoing,
)

NOW = datetime(2024, 12, 31, 12, tzinfo=UTC)
RECEIVABLE = {
    "costs": Account.COSTS,
    "interest": Account.INTEREST,
    "principal": Account.PRINCIPAL,
}
_numbers = count(1)

Call = Callable[[], Awaitable[Receipt]]


class Desk:
    """One claim of a merchant, and commands on it; each is a transaction of its own."""

    def __init__(self, database: Database, customer: Customer) -> None:
        self.database = database
        self.customer = customer
        self.claim: Claim

    async def open(self, principal: int, costs: int, interest: int) -> None:
        number = next(_numbers)
        async with self.database.merchant(self.customer.merchant_id) as session:
            self.claim = await book.open_claim(
                session,
                book.NewClaim(
                    merchant_id=self.customer.merchant_id,
                    customer_id=self.customer.id,
                    reference=f"S-{number}",
                    invoice_number=f"S-{number}",
                    description="Regal",
                    principal=Money(principal),
                    costs=Money(costs),
                    interest=Money(interest),
                    invoice_date=START,
                    due_date=START,
                    default_since=DEFAULT,
                    default_proof="Mahnung vom 19.11.2023",
                ),
                now=NOW,
                key=f"S-{number}:open",
            )

    def command(self, number: int, step: Step) -> Call:
        key, of = (f"{self.claim.reference}:{n}" for n in (number, step.target))

        async def call() -> Receipt:
            async with self.database.merchant(self.customer.merchant_id) as session:
                facts = {"value_date": step.day, "now": NOW, "key": key}
                amount, claim_id = Money(step.minor), self.claim.id
                if step.kind == "payment":
                    return await book.post_payment(
                        session, claim_id, amount, marking=step.marking, **facts
                    )
                if step.kind == "credit_note":
                    return await book.post_credit_note(session, claim_id, amount, **facts)
                if step.kind == "waiver":
                    return await book.post_waiver(session, claim_id, amount, **facts)
                if step.kind == "return":
                    return await book.post_return(
                        session, claim_id, amount, payment_key=of, **facts
                    )
                return await book.reverse(session, claim_id, of, **facts)

        return call

    async def interest(self) -> Receipt:
        async with self.database.merchant(self.customer.merchant_id) as session:
            return await book.post_interest(
                session, self.claim.id, through=END, now=NOW, key=f"{self.claim.reference}:end"
            )

    async def read(self) -> Statement:
        async with self.database.merchant(self.customer.merchant_id) as session:
            return await book.statement(session, self.claim.id)


def takes_effect(receipt: Receipt, step: Step) -> Step:
    """The step with the day on which it counts: what undoes something, not before that."""
    own = [
        posting.value_date
        for posting in receipt.postings
        if posting.kind not in rebooking.DERIVED and posting.rebooks is None
    ]
    return replace(step, day=own[0]) if own else step


def assert_sound(found: Statement, claim_id: int) -> list[Posting]:
    """The books add up, nothing is negative or on both sides, and the chain verifies."""
    postings = [line.posting for line in found.lines]
    assert found.intact
    assert first_broken(claim_id, postings) is None
    assert sum(account_balance(postings, account, "EUR").minor for account in Account) == 0
    open_ = found.open
    assert min(open_.costs, open_.interest, open_.principal, open_.overpaid) >= Money(0)
    assert not (open_.total and open_.overpaid)
    return postings


def assert_allocated(made: Receipt, marking: Marking) -> None:
    """A payment met the parts in the order of the law, or of the customer who marked it."""
    accounts = [*(RECEIVABLE[name] for name in ORDERS[marking]), Account.OVERPAID]
    own = [p for p in made.postings if p.kind == "payment" and p.rebooks is None]
    places = [accounts.index(posting.source) for posting in own]
    assert places == sorted(set(places))


async def play(desk: Desk, wanted: list[Step]) -> list[tuple[int, Step, Receipt]]:
    """Carry the steps out; what the book refuses has changed nothing."""
    done: list[tuple[int, Step, Receipt]] = []
    before = await desk.read()
    for number, step in enumerate(wanted):
        target = next((one for at, one, _ in done if at == step.target), None)
        if step.target is not None and (
            target is None
            or target.target is not None
            or (step.kind == "return" and target.kind != "payment")
        ):
            continue
        try:
            receipt = await desk.command(number, step)()
        except LedgerError:
            assert (await desk.read()).lines == before.lines
            continue
        if step.kind == "payment":
            assert_allocated(receipt, step.marking)
        done.append((number, takes_effect(receipt, step), receipt))
        before = await desk.read()
        assert_sound(before, desk.claim.id)
    return done


async def assert_repeated(
    desk: Desk, wanted: list[Step], done: list[tuple[int, Step, Receipt]]
) -> None:
    """All commands again, the last one first: the same answers, and nothing new in the book."""
    before = await desk.read()
    for number, _, receipt in reversed(done):
        assert await desk.command(number, wanted[number])() == receipt
    assert (await desk.read()).lines == before.lines


amounts = st.tuples(st.integers(1, 900_00), st.integers(0, 20_00), st.integers(0, 20_00))
steps = st.lists(plain | undoing, max_size=7)
bounded = settings(
    max_examples=15,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


async def _policy(database: Database, merchant: Merchant, **data: int) -> None:
    async with database.operator() as session:
        (await session.get_one(Merchant, merchant.id)).policy = data


@bounded
@given(amounts, steps)
async def test_the_book_is_what_the_law_makes_of_it_and_repeats_itself(
    database: Database,
    merchant: Merchant,
    customer: Customer,
    opening: tuple[int, int, int],
    wanted: list[Step],
) -> None:
    await _policy(database, merchant, transit_days=0, small_rest_below_minor=0)
    desk = Desk(database, customer)
    await desk.open(*opening)
    done = await play(desk, wanted)
    await desk.interest()
    await assert_repeated(desk, wanted, done)
    found = await desk.read()
    assert_sound(found, desk.claim.id)
    # Stable: of one day what arrived first comes first.
    by_day = sorted(((at, step) for at, step, _ in done), key=lambda one: one[1].day)
    expected = by_hand(*opening, by_day, RATES, ())
    names = ("costs", "interest", "principal", "overpaid")
    assert {name: getattr(found.open, name).minor for name in names} == {
        name: getattr(expected, name) for name in names
    }


@bounded
@given(amounts, steps)
async def test_letting_go_what_time_left_open_keeps_the_book_sound(
    database: Database,
    merchant: Merchant,
    customer: Customer,
    opening: tuple[int, int, int],
    wanted: list[Step],
) -> None:
    """With a wide policy: it is never more than interest, and repeats itself as well."""
    await _policy(database, merchant, transit_days=31, small_rest_below_minor=10_00)
    desk = Desk(database, customer)
    await desk.open(*opening)
    done = await play(desk, wanted)
    await assert_repeated(desk, wanted, done)
    postings = assert_sound(await desk.read(), desk.claim.id)
    gone = sum(p.amount.minor for _, _, made in done for p in made.postings if p.kind in LEFT_OVER)
    charged = sum(p.amount.minor for p in postings if p.kind == "interest")
    assert gone <= charged + sum(p.amount.minor for p in postings if p.kind == "rebooking")
