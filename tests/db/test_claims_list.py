"""The list of claims: found however a number is written, and paged without a hole."""

from collections.abc import Sequence
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select

from ledger import book
from ledger.book import NewClaim
from ledger.book_list import Cursor, Order, Which, listed
from ledger.book_search import Found, phone_candidates, rf_candidates, same_number, search
from ledger.money import Money
from ledger.reference import printed_rf, rf_reference
from storage.engine import Database
from storage.tables import Claim, ClaimOpen, ContactPoint, Customer, Merchant
from tests.conftest import NOW

TODAY = NOW.date()


async def opened(
    database: Database, customer: Customer, invoice: str, due: date, minor: int = 84_90
) -> Claim:
    async with database.merchant(customer.merchant_id) as session:
        return await book.open_claim(
            session,
            NewClaim(
                merchant_id=customer.merchant_id, customer_id=customer.id, reference=invoice,
                invoice_number=invoice, description="Laufschuhe", principal=Money(minor),
                invoice_date=due - timedelta(days=14), due_date=due, confirmed_at=NOW,
            ),
            now=NOW, key=f"open:{invoice}",
        )  # fmt: skip


async def named(
    database: Database, merchant: Merchant, number: str, name: str, first: str | None
) -> Customer:
    who = Customer(
        merchant_id=merchant.id, number=number, name=name, first_name=first,
        created_at=NOW, updated_at=NOW,
    )  # fmt: skip
    async with database.operator() as session:
        session.add(who)
    return who


async def found_by(database: Database, merchant: Merchant, typed: str) -> Found:
    async with database.merchant(merchant.id) as session:
        return await search(session, merchant.id, typed)


@pytest.mark.parametrize(
    "typed",
    [
        "RE-2026-0042",
        "re-2026-42",
        "RE 2026/0042",
        "RE20260042",
        "2026-42",
        "20260042",
        " 2026 42 ",
    ],
)
async def test_an_invoice_is_found_however_it_is_written(
    database: Database, merchant: Merchant, customer: Customer, typed: str
) -> None:
    claim = await opened(database, customer, "RE-2026-0042", TODAY)
    await opened(database, customer, "RE-2026-0420", TODAY)
    await opened(database, customer, "RE-2026-4200", TODAY)
    assert (await found_by(database, merchant, typed)).claims == (claim.id,)


@pytest.mark.parametrize("typed", ["RE-2026-0420", "GU-2026-0042", "42", "0", "-", "RE"])
async def test_what_is_another_number_finds_nothing(
    database: Database, merchant: Merchant, customer: Customer, typed: str
) -> None:
    await opened(database, customer, "RE-2026-0042", TODAY)
    assert not await found_by(database, merchant, typed)


@pytest.mark.parametrize(
    "typed",
    [
        *("+49 176 04069000", "0049 176 04069000", "49 176 04069000", "0176 / 0406 9000"),
        *("+49 (0)176 04069000", "176 04069000", "0176-040-69000"),
        *("K-1001", "k 1001", "1001", "K-01001"),
        *("Beispiel", "beisp", "Anna Beispiel", "Beispiel, Anna", "anna", "ANNA BEI"),
    ],
)
async def test_a_customer_is_found_by_name_number_and_phone(
    database: Database, merchant: Merchant, customer: Customer, typed: str
) -> None:
    async with database.operator() as session:
        session.add(
            ContactPoint(
                merchant_id=merchant.id, customer_id=customer.id, channel="sms",
                address="+4917604069000", source="merchant_import", created_at=NOW,
            )
        )  # fmt: skip
    await named(database, merchant, "K-2002", "Nowak", "Jan")
    assert (await found_by(database, merchant, typed)).customers == (customer.id,)


@pytest.mark.parametrize(
    ("typed", "name", "first"),
    [
        *(
            (typed, "Müller-Lüdenscheidt", "Zoë")
            for typed in ("mueller", "Muller lud", "zoe müller")
        ),
        *((typed, "Weiß", None) for typed in ("weiss", "WEISS", "weiß")),
        *((typed, "Yıldız", "Çağrı") for typed in ("yildiz", "Cagri Yildiz", "YILDIZ çağ")),
        *((typed, "von der Heide", "Jo") for typed in ("von der Hei", "vonderheide", "jo von der")),
        ("D'Angelo", "D’Angelo", "Ida"),
    ],
)
async def test_a_name_is_found_without_its_marks(
    database: Database, merchant: Merchant, customer: Customer, typed: str, name: str,
    first: str | None,
) -> None:  # fmt: skip
    who = await named(database, merchant, "K-7", name, first)
    assert (await found_by(database, merchant, typed)).customers == (who.id,)


async def test_an_rf_reference_is_found_as_it_is_copied(
    database: Database, merchant: Merchant, customer: Customer
) -> None:
    claim = await opened(database, customer, "A", TODAY)
    for typed in (
        claim.rf_reference,
        printed_rf(claim.rf_reference).lower(),
        claim.rf_reference[2:],
        f"{claim.rf_reference[:4]}{claim.id}",
    ):
        assert (await found_by(database, merchant, typed)).claims == (claim.id,), typed
    wrong = f"RF{(int(claim.rf_reference[2:4]) + 1) % 100:02d}{claim.rf_reference[4:]}"
    assert not await found_by(database, merchant, wrong)


async def test_another_merchants_are_not_found(
    database: Database, merchant: Merchant, customer: Customer
) -> None:
    claim = await opened(database, customer, "RE-1", TODAY)
    async with database.operator() as session:
        other = Merchant(key="other", name="Other", created_at=NOW)
        session.add(other)
    for typed in ("RE-1", "Beispiel", "K-1001", claim.rf_reference):
        assert not await found_by(database, other, typed)
        async with database.merchant(other.id) as session:
            assert not await search(session, merchant.id, typed)
    async with database.merchant(other.id) as session:
        page, further = await listed(
            session, merchant.id, Which.ALL, Order.DUE, today=TODAY, found=Found((claim.id,))
        )
    assert (page, further) == ([], None)


@given(st.integers(1, 10**9))
def test_every_claims_reference_is_known_without_its_zeros(number: int) -> None:
    reference = rf_reference(number)
    assert reference in rf_candidates(f"{reference[:4]} {number}")
    assert reference in rf_candidates(reference[2:])


@given(st.integers(10**6, 10**10).map(str), st.sampled_from(["+49", "0049", "0", "", "49"]))
def test_one_phone_number_has_one_form(rest: str, lead: str) -> None:
    if lead != "" and rest.startswith("0"):
        return
    assert f"+49{rest}" in phone_candidates(lead + " " + rest)


@given(st.lists(st.integers(0, 9999), min_size=1, max_size=3), st.integers(0, 4))
def test_zeros_that_lead_do_not_count(groups: list[int], zeros: int) -> None:
    number = "-".join(f"{one:04d}" for one in groups)
    typed = "/".join("0" * zeros + str(one) for one in groups)
    assert same_number(typed, f"RE-{number}") == same_number(f"re{typed}", f"RE-{number}")
    assert same_number(typed, number)


async def every_page(
    database: Database,
    merchant: Merchant,
    order: Order,
    between: Sequence[str] = (),
    **more: object,
) -> list[int]:
    seen: list[int] = []
    after: Cursor | None = None
    while True:
        async with database.merchant(merchant.id) as session:
            page, further = await listed(
                session, merchant.id, Which.ALL, order,
                today=TODAY, after=after, limit=3, **more,  # type: ignore[arg-type]
            )  # fmt: skip
        seen += [one.id for one in page]
        if further is None:
            return seen
        after = Cursor.read(str(further), order)
        assert after == further
        if between:
            async with database.merchant(merchant.id) as session:
                who = (await session.scalars(select(Customer))).one()
            await opened(database, who, between[0], TODAY - timedelta(days=len(seen)), 50_00)
            between = between[1:]


@pytest.mark.parametrize("order", list(Order))
async def test_no_claim_comes_twice_or_is_missing_while_others_are_added(
    database: Database, merchant: Merchant, customer: Customer, order: Order
) -> None:
    # Days and amounts that are shared: the number decides.
    there = [
        (
            await opened(
                database, customer, f"RE-{n}", TODAY - timedelta(days=n // 4), 10_00 * (n // 3 + 1)
            )
        ).id
        for n in range(11)
    ]
    seen = await every_page(database, merchant, order, ("N-1", "N-2", "N-3"))
    assert len(seen) == len(set(seen))
    assert set(there) <= set(seen)
    async with database.merchant(merchant.id) as session:
        claims = (await session.scalars(select(Claim))).all()
        open_ = {row.claim_id: row.open_minor for row in await session.scalars(select(ClaimOpen))}
    keys = {
        Order.DUE: lambda c: (c.due_date, c.id),
        Order.NEWEST: lambda c: (-c.due_date.toordinal(), -c.id),
        Order.OPEN: lambda c: (-open_[c.id], -c.id),
    }
    assert await every_page(database, merchant, order) == [
        claim.id for claim in sorted(claims, key=keys[order])
    ]


async def test_states_and_pauses(
    database: Database, merchant: Merchant, customer: Customer
) -> None:
    claims = {name: await opened(database, customer, name, TODAY) for name in "ABCDE"}
    async with database.merchant(merchant.id) as session:
        await book.dispute(session, claims["B"].id, "not_mine", now=NOW)
        await book.pause(session, claims["C"].id, "asked", until=TODAY, now=NOW)
        past = TODAY - timedelta(days=1)
        await book.pause(session, claims["E"].id, "asked", until=past, now=NOW)
        await book.post_payment(
            session, claims["D"].id, Money(84_90), value_date=TODAY, now=NOW, key="paid"
        )
    wanted = {
        Which.ALL: "ABCDE", Which.PURSUED: "ABCE", Which.OPEN: "ACE", Which.DISPUTED: "B",
        Which.PAUSED: "C", Which.SETTLED: "D", Which.RECALLED: "", Which.WRITTEN_OFF: "",
    }  # fmt: skip
    for which, invoices in wanted.items():
        async with database.merchant(merchant.id) as session:
            page, _ = await listed(session, merchant.id, which, Order.OPEN, today=TODAY)
        assert sorted(one.invoice_number for one in page) == list(invoices), which


async def test_what_is_open_in_the_list_is_what_the_book_holds(
    database: Database, merchant: Merchant, customer: Customer
) -> None:
    claim = await opened(database, customer, "A", TODAY)
    steps = [
        lambda s: book.post_payment(
            s, claim.id, Money(20_00), value_date=TODAY, now=NOW, key="paid"
        ),
        lambda s: book.post_return(s, claim.id, Money(5_00), value_date=TODAY, now=NOW, key="back"),
        lambda s: book.post_credit_note(s, claim.id, Money(1), value_date=TODAY, now=NOW, key="cr"),
        lambda s: book.post_payment(
            s, claim.id, Money(100_00), value_date=TODAY, now=NOW, key="too much"
        ),
        lambda s: book.reverse(s, claim.id, "too much", value_date=TODAY, now=NOW, key="undone"),
    ]
    for step in steps:
        async with database.merchant(merchant.id) as session:
            await step(session)
        async with database.merchant(merchant.id) as session:
            held = (await book.balance(session, claim.id)).total
            kept = await session.get_one(ClaimOpen, claim.id)
            assert kept.open_minor == held.minor
