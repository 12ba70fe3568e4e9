"""Open claims come in: all or nothing, the same twice changes nothing, amounts are posted."""

import asyncio
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import func, select, update

from ledger import book
from ledger.claim import ClaimStatus
from ledger.intake_book import Difference, Outcome, RowsRefused, Source, take_claims
from ledger.money import Money, Notation
from ledger.posting import PostingKind
from ledger.reference import read_rf, rf_reference
from ledger.rows import Problem
from ledger.rows_claims import Setting
from ledger.rows_file import Record
from ledger.statement import Statement
from storage.engine import Database
from storage.tables import (
    AuditEvent,
    Claim,
    ContactPoint,
    Customer,
    IntakeBatch,
    Merchant,
    Posting,
)

NOW = datetime(2026, 11, 23, 10, 0, tzinfo=UTC)
SETTING = Setting(NOW, ZoneInfo("Europe/Berlin"), "EUR", notation=Notation.ENGLISH)
ROW = {
    "customer_number": "K-1",
    "name": "Öztürk",
    "first_name": "Aylin",
    "postal_code": "10407",
    "phone": "0171 3920014",
    "email": "aylin@example.org",
    "claim_reference": "F-1",
    "invoice_number": "RE-1",
    "description": "Laufschuhe",
    "invoice_date": "2026-08-01",
    "due_date": "2026-08-15",
    "amount": "129.90",
    "costs": "2.50",
    "costs_reason": "Rücklastschrift",
}
OTHER = {
    **ROW,
    "customer_number": "K-2",
    "claim_reference": "F-2",
    "invoice_number": "RE-2",
    "phone": "0171 3920015",
}


@dataclass
class Intake:
    """Takes rows as an import would, and keeps what was said."""

    database: Database
    merchant: Merchant
    problems: list[Problem] = field(default_factory=list)
    differences: list[Difference] = field(default_factory=list)

    async def __call__(
        self, *rows: dict[str, str], apply: bool = False, later: timedelta = timedelta()
    ) -> Outcome:
        self.problems.clear()
        self.differences.clear()
        async with self.database.merchant(self.merchant.id) as session:
            return await take_claims(
                session,
                [
                    Record(line, {name: cell for name, cell in row.items() if cell})
                    for line, row in enumerate(rows, start=2)
                ],
                replace(SETTING, now=NOW + later),
                Source("claims", "test.csv", "0" * 64),
                merchant_id=self.merchant.id,
                apply_changes=apply,
                report=self.problems.append,
                show=self.differences.append,
            )

    async def refused(self, *rows: dict[str, str]) -> list[tuple[int, str]]:
        with pytest.raises(RowsRefused):
            await self(*rows)
        return sorted((problem.line, problem.column) for problem in self.problems)

    def shown(self) -> list[tuple[str, str | None, str | None]]:
        return [(found.column, found.old, found.new) for found in self.differences]

    async def claim(self, reference: str = "F-1") -> Claim:
        async with self.database.merchant(self.merchant.id) as session:
            return (await session.scalars(select(Claim).where(Claim.reference == reference))).one()

    async def points(self) -> dict[tuple[str, str], ContactPoint]:
        async with self.database.merchant(self.merchant.id) as session:
            rows = await session.scalars(select(ContactPoint))
            return {(row.channel, row.address): row for row in rows}

    async def count(self, table: type) -> int:
        async with self.database.merchant(self.merchant.id) as session:
            return int(await session.scalar(select(func.count()).select_from(table)) or 0)

    async def statement(self, reference: str = "F-1") -> Statement:
        claim = await self.claim(reference)
        async with self.database.merchant(self.merchant.id) as session:
            return await book.statement(session, claim.id)


@pytest.fixture
def intake(database: Database, merchant: Merchant) -> Intake:
    return Intake(database, merchant)


async def test_new_rows_become_customers_contact_points_and_claims(intake: Intake) -> None:
    outcome = await intake(ROW, OTHER, {**ROW, "claim_reference": "F-3", "amount": "5"})
    assert (outcome.rows_added, outcome.rows_changed, outcome.rows_unchanged) == (3, 0, 0)
    assert await intake.count(Customer) == 2
    points = await intake.points()
    assert set(points) >= {
        ("sms", "+491713920014"),
        ("sms", "+491713920015"),
        ("email", "aylin@example.org"),
    }
    assert {point.source for point in points.values()} == {"merchant_import"}
    claim = await intake.claim("F-3")
    assert (claim.status, claim.confirmed_at) == (ClaimStatus.OPEN, NOW)


async def test_an_imported_claim_is_the_same_as_one_opened_in_the_book(
    intake: Intake, customer: Customer
) -> None:
    await intake(ROW)
    imported = await intake.claim()
    new = book.NewClaim(
        merchant_id=intake.merchant.id,
        customer_id=customer.id,
        reference="F-9",
        invoice_number="RE-9",
        description="Laufschuhe",
        principal=Money(12990),
        costs=Money(250),
        costs_reason="Rücklastschrift",
        invoice_date=date(2026, 8, 1),
        due_date=date(2026, 8, 15),
        confirmed_at=NOW,
    )
    async with intake.database.merchant(intake.merchant.id) as session:
        opened = await book.open_claim(session, new, now=NOW, key="claim:F-9")
        rows = {
            claim.reference: (
                await session.scalars(
                    select(Posting).where(Posting.claim_id == claim.id).order_by(Posting.number)
                )
            ).all()
            for claim in (imported, opened)
        }
    alike = (
        *("number", "kind", "source", "destination", "amount_minor", "currency"),
        *("value_date", "booked_at", "reverses_id"),
    )
    facts = [
        [tuple(getattr(row, name) for name in alike) for row in rows[reference]]
        for reference in ("F-1", "F-9")
    ]
    assert facts[0] == facts[1]
    assert len(facts[0]) == 2
    assert [row.idempotency_key for row in rows["F-1"]] == ["claim:F-1#1", "claim:F-1#2"]
    statement = await intake.statement()
    assert statement.intact
    assert (statement.open.principal, statement.open.costs) == (Money(12990), Money(250))


async def test_opening_an_imported_claim_again_in_the_book_is_a_repetition(
    intake: Intake,
) -> None:
    await intake(ROW)
    imported = await intake.claim()
    new = book.NewClaim(
        merchant_id=intake.merchant.id,
        customer_id=imported.customer_id,
        reference="F-1",
        invoice_number="RE-1",
        description="Laufschuhe",
        principal=Money(12990),
        costs=Money(250),
        invoice_date=date(2026, 8, 1),
        due_date=date(2026, 8, 15),
    )
    async with intake.database.merchant(intake.merchant.id) as session:
        assert (await book.open_claim(session, new, now=NOW, key="claim:F-1")).id == imported.id


async def test_references_for_transfers_are_the_ledgers(intake: Intake) -> None:
    await intake(*({**ROW, "claim_reference": f"F-{number}"} for number in range(40)))
    for number in range(40):
        claim = await intake.claim(f"F-{number}")
        assert read_rf(claim.rf_reference) == rf_reference(claim.id)


async def test_the_same_rows_again_change_nothing_and_confirm_the_amount(intake: Intake) -> None:
    await intake(ROW, OTHER)
    before = await intake.claim()
    outcome = await intake(ROW, OTHER, later=timedelta(hours=5))
    after = await intake.claim()
    assert (outcome.rows_added, outcome.rows_changed, outcome.rows_unchanged) == (0, 0, 2)
    assert intake.shown() == []
    assert after.confirmed_at == NOW + timedelta(hours=5)
    assert after.updated_at == before.updated_at
    assert (await intake.count(Customer), await intake.count(Posting)) == (2, 4)
    assert await intake.count(ContactPoint) == 4
    assert await intake.count(IntakeBatch) == 2


async def test_an_older_confirmation_does_not_turn_time_back(intake: Intake) -> None:
    await intake(ROW)
    await intake({**ROW, "confirmed_at": "2026-11-20"})
    assert (await intake.claim()).confirmed_at == NOW


async def test_one_bad_row_keeps_all_rows_out_and_every_problem_is_named(intake: Intake) -> None:
    found = await intake.refused(
        ROW, {**OTHER, "amount": "1,23,4", "due_date": "x"}, {**OTHER, "land": "XX"}
    )
    assert found == [(3, "amount"), (3, "due_date"), (4, "land")]
    assert (await intake.count(Customer), await intake.count(Claim)) == (0, 0)


async def test_problems_between_rows_are_named_too(intake: Intake) -> None:
    found = await intake.refused(
        ROW,
        {**OTHER, "claim_reference": "F-1"},
        {**ROW, "claim_reference": "F-3", "name": "Yilmaz", "phone": "0171 3920099"},
        {**ROW, "claim_reference": "F-4", "amount": "0"},
    )
    assert found == [(3, "claim_reference"), (4, "name"), (4, "phone"), (5, "amount")]


async def test_a_claim_stays_with_its_customer_and_currency(intake: Intake) -> None:
    await intake(ROW)
    found = await intake.refused(
        {**OTHER, "claim_reference": "F-1", "currency": "CHF"},
    )
    assert found == [(2, "currency"), (2, "customer_number")]


async def test_differences_are_shown_and_held_back(intake: Intake) -> None:
    await intake(ROW)
    outcome = await intake(
        {**ROW, "due_date": "2026-09-01", "name": "Yılmaz", "phone": "0171 3920099"}, OTHER
    )
    assert (outcome.rows_added, outcome.rows_changed, outcome.applied) == (1, 1, False)
    assert sorted(intake.shown()) == [
        ("due_date", "2026-08-15", "2026-09-01"),
        ("name", "Öztürk", "Yılmaz"),
        ("phone", "+491713920014", "+491713920099"),
    ]
    assert (await intake.claim()).due_date == date(2026, 8, 15)
    assert ("sms", "+491713920099") not in await intake.points()


async def test_differences_are_taken_over_by_the_switch(intake: Intake) -> None:
    await intake(ROW)
    changed = {**ROW, "due_date": "2026-09-01", "name": "Yılmaz", "phone": "0171 3920099"}
    await intake(changed, apply=True)
    assert (await intake.claim()).due_date == date(2026, 9, 1)
    points = await intake.points()
    assert points["sms", "+491713920014"].invalid_reason == "replaced"
    assert points["sms", "+491713920099"].invalid_at is None
    await intake(changed)
    assert intake.shown() == []
    async with intake.database.merchant(intake.merchant.id) as session:
        facts = (
            await session.scalars(
                select(AuditEvent.facts).where(AuditEvent.kind == "intake_changed")
            )
        ).all()
    assert sorted(fact["columns"] for fact in facts) == [["due_date"], ["name", "phone"]]


async def test_a_number_that_comes_back_is_used_again(intake: Intake) -> None:
    await intake(ROW)
    await intake({**ROW, "phone": "0171 3920099"}, apply=True)
    await intake(ROW, apply=True)
    points = await intake.points()
    assert points["sms", "+491713920014"].invalid_at is None
    assert points["sms", "+491713920099"].invalid_reason == "replaced"


async def test_empty_cells_say_nothing(intake: Intake) -> None:
    await intake(ROW)
    said = ("customer_number", "name", "claim_reference", "invoice_number", "description")
    needed = (*said, "invoice_date", "due_date", "amount")
    await intake({name: ROW[name] for name in needed}, apply=True)
    assert intake.shown() == []
    statement = await intake.statement()
    assert statement.open.costs == Money(250)


async def test_what_customers_chose_is_not_overwritten(intake: Intake) -> None:
    await intake(ROW)
    async with intake.database.merchant(intake.merchant.id) as session:
        await session.execute(update(Customer).values(language="en"))
    await intake({**ROW, "language": "de", "address_form": "du"}, apply=True)
    assert intake.shown() == [("address_form", None, "du")]
    async with intake.database.merchant(intake.merchant.id) as session:
        found = (await session.scalars(select(Customer))).one()
    assert (found.language, found.address_form) == ("en", "du")


@pytest.mark.parametrize(
    ("amount", "costs", "kinds"),
    [
        ("100.00", "2.50", [PostingKind.CREDIT_NOTE]),
        ("150.00", "5.00", [PostingKind.CHARGE, PostingKind.CHARGE]),
        ("129.90", "0.00", [PostingKind.CREDIT_NOTE]),
    ],
)
async def test_a_changed_open_amount_is_posted_not_edited(
    intake: Intake, amount: str, costs: str, kinds: list[PostingKind]
) -> None:
    await intake(ROW)
    changed = {**ROW, "amount": amount, "costs": costs}
    await intake(changed, apply=True, later=timedelta(hours=1))
    statement = await intake.statement()
    assert [line.posting.kind for line in statement.lines][2:] == kinds
    assert statement.intact
    assert str(statement.open.principal) == f"{amount} EUR"
    assert str(statement.open.costs) == f"{costs} EUR"
    assert (await intake.claim()).confirmed_at == NOW + timedelta(hours=1)
    await intake(changed, apply=True, later=timedelta(hours=2))
    assert await intake.count(Posting) == 2 + len(kinds)


async def test_a_claim_with_nothing_open_any_more_is_settled(intake: Intake) -> None:
    await intake(ROW)
    await intake({**ROW, "amount": "0", "costs": "0"}, apply=True)
    assert (await intake.claim()).status == ClaimStatus.SETTLED


async def test_an_amount_that_the_merchant_states_otherwise_counts_as_not_confirmed(
    intake: Intake,
) -> None:
    await intake(ROW, OTHER)
    await intake({**ROW, "amount": "89.90"}, {**OTHER, "description": "Schuhe"})
    assert intake.shown() == [
        ("amount", "129.90 EUR", "89.90 EUR"),
        ("description", "Laufschuhe", "Schuhe"),
    ]
    assert (await intake.claim("F-1")).confirmed_at is None
    assert (await intake.claim("F-2")).confirmed_at == NOW


async def test_payments_in_between_show_as_a_difference_to_an_old_file(intake: Intake) -> None:
    await intake(ROW)
    claim = await intake.claim()
    async with intake.database.merchant(intake.merchant.id) as session:
        await book.post_payment(
            session, claim.id, Money(4250), value_date=date(2026, 11, 20), now=NOW, key="p"
        )
    await intake(ROW)
    assert intake.shown() == [
        ("amount", "89.90 EUR", "129.90 EUR"),
        ("costs", "0.00 EUR", "2.50 EUR"),
    ]
    await intake({**ROW, "amount": "89.90", "costs": "0"})
    assert intake.shown() == []


async def test_a_recalled_claim_that_is_named_again_is_reopened_by_the_switch(
    intake: Intake,
) -> None:
    await intake(ROW)
    claim = await intake.claim()
    async with intake.database.merchant(intake.merchant.id) as session:
        await book.recall(session, claim.id, "merchant", now=NOW)
    await intake(ROW)
    assert intake.shown() == [("status", "recalled", "open")]
    assert (await intake.claim()).status == ClaimStatus.RECALLED
    await intake(ROW, apply=True)
    assert (await intake.claim()).status == ClaimStatus.OPEN


async def test_a_stop_stays_with_the_number_whoever_it_is_imported_for(intake: Intake) -> None:
    await intake(ROW)
    async with intake.database.merchant(intake.merchant.id) as session:
        await session.execute(
            update(ContactPoint).where(ContactPoint.channel == "sms").values(opted_out_at=NOW)
        )
    await intake({**OTHER, "phone": ROW["phone"], "email": ""})
    async with intake.database.merchant(intake.merchant.id) as session:
        stopped = (
            await session.scalars(
                select(ContactPoint.opted_out_at)
                .join(Customer, Customer.id == ContactPoint.customer_id)
                .where(Customer.number == "K-2", ContactPoint.channel == "sms")
            )
        ).all()
    assert stopped == [NOW]


async def test_whatsapp_needs_consent_and_loses_it_by_the_switch(intake: Intake) -> None:
    await intake({**ROW, "whatsapp_consent": "no"})
    assert not any(channel == "whatsapp" for channel, _ in await intake.points())
    await intake({**ROW, "whatsapp_consent": "2026-02-01"}, apply=True)
    point = (await intake.points())["whatsapp", "+491713920014"]
    assert point.consent_at == datetime(2026, 1, 31, 23, tzinfo=UTC)
    await intake({**ROW, "whatsapp_consent": "no"}, apply=True)
    assert intake.shown() == [("whatsapp_consent", "yes", "no")]
    assert (await intake.points())["whatsapp", "+491713920014"].consent_at is None


async def test_a_landline_is_no_address_for_text_messages(intake: Intake) -> None:
    await intake({**ROW, "phone": "030 23125123"})
    assert ("phone", "+493023125123") in await intake.points()
    assert ("sms", "+493023125123") not in await intake.points()


async def test_two_imports_at_once_wait_for_each_other(
    database: Database, merchant: Merchant
) -> None:
    first, second = Intake(database, merchant), Intake(database, merchant)
    outcomes = await asyncio.gather(first(ROW), second(ROW))
    assert sorted(outcome.rows_added for outcome in outcomes) == [0, 1]


async def test_merchants_do_not_see_each_others_claims(
    database: Database, merchant: Merchant
) -> None:
    async with database.operator() as session:
        other = Merchant(key="other", name="Other", created_at=NOW)
        session.add(other)
    await Intake(database, merchant)(ROW)
    theirs = Intake(database, other)
    assert (await theirs({**ROW, "name": "Jemand"})).rows_added == 1
    assert theirs.shown() == []
    assert await theirs.count(Claim) == 1
