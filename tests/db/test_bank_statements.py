"""Money that arrives finds its claim: posted once, all or nothing, whatever files say it."""

import asyncio
import io
import zipfile
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import func, select

from ledger import book
from ledger.agreements import AgreementStatus, InstalmentPlan
from ledger.agreements import Instalment as Part
from ledger.bank import review
from ledger.bank.entry import Refusal, StatementRefused
from ledger.bank.files import read_statements
from ledger.bank.intake import Account, StatementsOutcome, take_statements
from ledger.bank.review import ReviewRefused
from ledger.claim import ClaimStatus
from ledger.intake_book import Source, take_claims
from ledger.money import Money, Notation
from ledger.rows_claims import Setting
from ledger.rows_file import Record
from ledger.schedule import Period
from ledger.statement import Statement
from storage.engine import Database, DatabaseUrls
from storage.tables import BankMovement, Claim, IntakeBatch, Merchant, Posting

DATA = Path(__file__).parents[1] / "data" / "bank"
NOW = datetime(2026, 11, 23, 10, 0, tzinfo=UTC)
SETTING = Setting(NOW, ZoneInfo("Europe/Berlin"), "EUR", notation=Notation.ENGLISH)
OWN = "DE02120300000000202051"
CLAIM = {
    "description": "Kaffeemaschine",
    "invoice_date": "2026-08-01",
    "due_date": "2026-08-15",
    "confirmed_at": "2026-11-20",
}
ANNA = {"customer_number": "K-1001", "name": "Beispiel", "first_name": "Anna"}
BRANDT = {"customer_number": "K-1002", "name": "Brandt", "first_name": "Jörg"}
CLAIMS = (
    {**CLAIM, **ANNA, "invoice_number": "RE-2026-1042", "amount": "129.90"},
    {**CLAIM, **BRANDT, "invoice_number": "RE-2026-1043", "amount": "60.00"},
    {**CLAIM, **ANNA, "invoice_number": "RE-2026-1077", "amount": "40.00"},
)


@dataclass
class Bank:
    """Takes statements for one merchant."""

    database: Database
    merchant: Merchant
    ibans: tuple[str, ...] = (OWN,)

    async def __call__(self, data: bytes | str) -> StatementsOutcome:
        given = data if isinstance(data, bytes) else (DATA / data).read_bytes()
        statements = read_statements(given)
        async with self.database.merchant(self.merchant.id) as session:
            return await take_statements(
                session,
                statements,
                Account(self.merchant.id, self.ibans, date(2026, 11, 23), NOW),
                Source("bank_statement", "test", "0" * 64),
            )

    async def statement(self, invoice: str) -> Statement:
        async with self.database.merchant(self.merchant.id) as session:
            claim = (
                await session.scalars(select(Claim).where(Claim.invoice_number == invoice))
            ).one()
            return await book.statement(session, claim.id)

    async def open(self, invoice: str = "RE-2026-1042") -> Money:
        statement = await self.statement(invoice)
        assert statement.intact
        return statement.open.total

    async def movement(self, state: str) -> BankMovement:
        async with self.database.merchant(self.merchant.id) as session:
            return (
                await session.scalars(select(BankMovement).where(BankMovement.state == state))
            ).one()


@pytest.fixture
async def bank(database: Database, merchant: Merchant) -> Bank:
    async with database.merchant(merchant.id) as session:
        await take_claims(
            session,
            [Record(line, row) for line, row in enumerate(CLAIMS, 2)],
            SETTING,
            Source("claims", "test.csv", "0" * 64),
            merchant_id=merchant.id,
            report=lambda problem: None,
            show=lambda difference: None,
        )
    return Bank(database, merchant)


def accounted(outcome: StatementsOutcome) -> dict[str, int]:
    """The counts; every movement has a state, and the sums are the file's."""
    assert sum(outcome.counts.values()) == len(outcome.taken)
    for sums in outcome.sums.values():
        whole = sums.pop("total")
        assert sum(money.minor for money in sums.values()) == whole.minor
    return outcome.counts


async def test_what_is_sure_is_posted_and_everything_is_accounted_for(bank: Bank) -> None:
    outcome = await bank("camt.053.001.02-sparkasse.xml")
    assert (outcome.entries, outcome.pending) == (4, 1)
    assert outcome.sums["EUR"]["total"] == Money(23550)
    assert accounted(outcome) == {"posted": 2, "suggested": 0, "unmatched": 3, "repeated": 0}
    assert await bank.open("RE-2026-1042") == Money(0)
    assert await bank.open("RE-2026-1043") == Money(2000)
    assert (await bank.statement("RE-2026-1042")).status is ClaimStatus.SETTLED


async def test_the_same_file_again_posts_nothing(bank: Bank) -> None:
    first = await bank("camt.053.001.02-sparkasse.xml")
    again = await bank("camt.053.001.02-sparkasse.xml")
    assert accounted(again) == {"posted": 0, "suggested": 0, "unmatched": 0, "repeated": 5}
    assert again.sums["EUR"]["total"] == first.sums["EUR"]["total"]
    assert await bank.open("RE-2026-1043") == Money(2000)


@pytest.mark.parametrize("version", ["02", "08"])
async def test_the_evening_repeats_what_the_day_reported(bank: Bank, version: str) -> None:
    day = await bank(f"camt.052.001.{version}-intraday.xml")
    assert (accounted(day)["posted"], day.pending) == (2, 1)
    evening = await bank(f"camt.053.001.{version}-evening.xml")
    # What was pending is booked now; its text names no claim, but its payer is known.
    assert accounted(evening) == {"posted": 0, "suggested": 0, "unmatched": 1, "repeated": 2}
    assert await bank.open("RE-2026-1042") == Money(0)
    again = await bank(f"camt.053.001.{version}-evening.xml")
    assert accounted(again)["repeated"] == 3


async def test_day_and_evening_in_one_archive_post_once(bank: Bank) -> None:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name in ("camt.052.001.02-intraday.xml", "camt.053.001.02-evening.xml"):
            archive.writestr(name, (DATA / name).read_bytes())
            archive.writestr(f"copy/{name}", (DATA / name).read_bytes())
    assert accounted(await bank(buffer.getvalue())) == {
        "posted": 2,
        "suggested": 0,
        "unmatched": 1,
        "repeated": 7,
    }
    assert await bank.open("RE-2026-1042") == Money(0)


async def test_the_parts_of_a_collective_entry_and_its_statement_post_once(bank: Bank) -> None:
    assert accounted(await bank("camt.054.001.02-collective.xml"))["posted"] == 2
    assert accounted(await bank("camt.053.001.02-evening.xml"))["repeated"] == 2


async def test_other_words_for_the_same_money_are_for_a_person(bank: Bank) -> None:
    await bank("camt.053.001.08-evening.xml")
    slashes = (DATA / "mt940-slashes.sta").read_bytes()
    outcome = await bank(slashes.replace(b"RECHNUNG", b"ZAHLUNG F. RECHNUNG"))
    (taken,) = outcome.taken
    assert (taken.state, taken.doubt) == ("suggested", "perhaps_repeated")
    assert await bank.open("RE-2026-1042") == Money(0)
    assert (await bank.statement("RE-2026-1042")).open.overpaid == Money(0)


async def test_two_equal_payments_in_one_file_are_two(bank: Bank) -> None:
    data = (DATA / "camt.052.001.02-intraday.xml").read_text()
    start, end = data.index("<Ntry>"), data.index("</Ntry>") + len("</Ntry>")
    entry = data[start:end].replace("129.90", "20.00")
    twice = (data[:start] + entry + entry + data[end:]).encode()
    assert accounted(await bank(twice))["posted"] == 3
    assert await bank.open("RE-2026-1042") == Money(8990)
    assert accounted(await bank(twice))["repeated"] == 3
    thrice = (data[:start] + entry * 3 + data[end:]).encode()
    assert accounted(await bank(thrice)) == {
        "posted": 1,
        "suggested": 0,
        "unmatched": 0,
        "repeated": 3,
    }
    assert await bank.open("RE-2026-1042") == Money(6990)


@pytest.mark.parametrize("name", ["camt.053.001.08-grossbank.xml", "mt940-returns.sta"])
async def test_a_payment_that_came_back_is_reversed(bank: Bank, name: str) -> None:
    outcome = await bank(name)
    assert accounted(outcome)["posted"] == 4
    assert await bank.open("RE-2026-1042") == Money(12990)
    assert await bank.open("RE-2026-1043") == Money(6000)
    assert (await bank.statement("RE-2026-1042")).status is ClaimStatus.OPEN
    assert accounted(await bank(name))["repeated"] == len(outcome.taken)


async def test_a_return_without_its_payment_waits_for_a_person(bank: Bank) -> None:
    data = (DATA / "camt.053.001.08-grossbank.xml").read_text()
    start = data.index("<Ntry>")
    end = data.index("</Ntry>") + len("</Ntry>")
    alone = (data[:start] + data[end:]).replace(">410.69<", ">540.59<")
    outcome = await bank(alone.encode())
    returned = outcome.taken[0]
    assert (returned.state, returned.doubt) == ("unmatched", "returned_payment_unknown")
    assert (await bank.open("RE-2026-1042")) == Money(12990)


async def test_a_statement_of_somebody_elses_account_is_refused(bank: Bank) -> None:
    bank.ibans = ("DE44500105175407324931",)
    with pytest.raises(StatementRefused) as caught:
        await bank("camt.053.001.02-sparkasse.xml")
    assert caught.value.code is Refusal.ACCOUNT
    assert OWN not in caught.value.reason
    async with bank.database.merchant(bank.merchant.id) as session:
        assert await session.scalar(select(func.count(BankMovement.id))) == 0


async def test_bank_code_and_number_are_the_merchants_account(bank: Bank) -> None:
    assert accounted(await bank("mt940-sparkasse.sta"))["posted"] == 2
    assert await bank.open("RE-2026-1042") == Money(0)


async def test_an_instalment_counts_for_the_agreement(bank: Bank) -> None:
    claim = await bank.statement("RE-2026-1043")
    async with bank.database.merchant(bank.merchant.id) as session:
        await book.agree(
            session,
            claim.claim_id,
            InstalmentPlan(
                instalments=(
                    Part(1, date(2026, 11, 20), Money(4000)),
                    Part(2, date(2026, 12, 20), Money(2000)),
                ),
                period=Period.MONTHLY,
                first=date(2026, 11, 20),
                charge=Money(0),
            ),
            guard=lambda facts, terms: None,
            now=NOW - timedelta(days=10),
            key="plan",
        )
    outcome = await bank("camt.053.001.02-sparkasse.xml")
    assert "instalment" in outcome.taken[1].evidence
    agreement = (await bank.statement("RE-2026-1043")).agreement
    assert agreement is not None
    assert agreement.status is AgreementStatus.ACTIVE
    assert [part.missing for part in agreement.progress] == [Money(0), Money(2000)]


async def test_an_outgoing_payment_leaves_no_name_and_no_text(bank: Bank) -> None:
    await bank("camt.053.001.02-sparkasse.xml")
    async with bank.database.merchant(bank.merchant.id) as session:
        out = (
            await session.scalars(select(BankMovement).where(BankMovement.amount_minor < 0))
        ).one()
    assert (out.text, out.payer_name, out.payer_iban) == ("", None, None)


async def test_a_failure_on_the_way_leaves_nothing_half(
    bank: Bank, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def dies(*args: object, **kwargs: object) -> None:
        raise RuntimeError("the power is gone")

    monkeypatch.setattr("ledger.bank.intake.known.claim_references", dies)
    with pytest.raises(RuntimeError):
        await bank("camt.053.001.02-sparkasse.xml")
    monkeypatch.undo()
    async with bank.database.merchant(bank.merchant.id) as session:
        assert await session.scalar(select(func.count(BankMovement.id))) == 0
        batches = await session.scalars(select(IntakeBatch.kind))
        assert list(batches) == ["claims"]
    assert await bank.open() == Money(12990)
    assert accounted(await bank("camt.053.001.02-sparkasse.xml"))["posted"] == 2


async def test_fifty_imports_at_once_book_once(
    bank: Bank, database_urls: DatabaseUrls, merchant: Merchant
) -> None:
    many = Database(database_urls, pool_size=50)
    try:
        at_once = replace(bank, database=many)
        outcomes = await asyncio.gather(
            *(at_once("camt.053.001.08-evening.xml") for _ in range(50))
        )
    finally:
        await many.close()
    assert sorted(accounted(outcome)["posted"] for outcome in outcomes) == [0] * 49 + [2]
    assert all(sum(accounted(outcome).values()) == 3 for outcome in outcomes)
    assert await bank.open("RE-2026-1042") == Money(0)
    assert (await bank.statement("RE-2026-1042")).open.overpaid == Money(0)


@dataclass
class Desk:
    """Decides about movements."""

    bank: Bank

    async def accept(self, movement_id: int, **how: object) -> review.Reviewed:
        async with self.bank.database.merchant(self.bank.merchant.id) as session:
            return await review.accept(
                session,
                self.bank.merchant.id,
                movement_id,
                by="Kim",
                now=NOW,
                **how,  # type: ignore[arg-type]
            )

    async def undo(self, movement_id: int) -> review.Reviewed:
        async with self.bank.database.merchant(self.bank.merchant.id) as session:
            return await review.undo(session, self.bank.merchant.id, movement_id, by="Kim", now=NOW)

    async def reject(self, movement_id: int) -> review.Reviewed:
        async with self.bank.database.merchant(self.bank.merchant.id) as session:
            return await review.reject(
                session, self.bank.merchant.id, movement_id, by="Kim", now=NOW
            )

    async def listed(self, *states: str) -> list[review.Reviewed]:
        async with self.bank.database.merchant(self.bank.merchant.id) as session:
            return await review.listed(
                session, self.bank.merchant.id, states=states or ("suggested",)
            )


@pytest.fixture
def desk(bank: Bank) -> Desk:
    return Desk(bank)


async def suggest(bank: Bank) -> int:
    """A payment that only its name and amount speak for."""
    data = (DATA / "camt.053.001.04.xml").read_bytes()
    await bank(data.replace(b"RE 2026 1042", b"Danke"))
    return (await bank.movement("suggested")).id


async def test_a_suggestion_is_listed_with_its_reasons(bank: Bank, desk: Desk) -> None:
    await suggest(bank)
    (waiting,) = await desk.listed()
    assert (waiting.doubt, waiting.evidence) == ("no_number", ("name", "open_amount"))
    (proposal,) = waiting.proposals
    assert (proposal.claim_reference, proposal.amount) == ("RE-2026-1042", Money(12990))


async def test_accepting_posts_and_undoing_reverses(bank: Bank, desk: Desk) -> None:
    movement_id = await suggest(bank)
    assert (await desk.accept(movement_id)).state == "posted"
    assert await bank.open() == Money(0)
    with pytest.raises(ReviewRefused):
        await desk.accept(movement_id)
    assert (await desk.undo(movement_id)).state == "suggested"
    assert await bank.open() == Money(12990)
    assert (await bank.statement("RE-2026-1042")).status is ClaimStatus.OPEN
    await desk.accept(movement_id, claim_reference="RE-2026-1043")
    assert await bank.open() == Money(12990)
    assert await bank.open("RE-2026-1043") == Money(0)
    await desk.undo(movement_id)
    assert await bank.open("RE-2026-1043") == Money(6000)


async def test_an_account_that_a_person_accepted_is_known_then(bank: Bank, desk: Desk) -> None:
    await desk.accept(await suggest(bank))
    data = (DATA / "camt.053.001.05.xml").read_bytes()
    data = data.replace(b"RE-2026-1O42 ist bezahlt", b"noch etwas").replace(b"129.90", b"40.00")
    data = data.replace(b"129,90", b"bitte")
    (taken,) = (await bank(data)).taken
    assert (taken.state, taken.claims) == ("posted", ("RE-2026-1077",))
    assert "known_account" in taken.evidence


async def test_what_was_undone_is_not_posted_by_the_same_file(bank: Bank, desk: Desk) -> None:
    await bank("camt.053.001.04.xml")
    await desk.undo((await bank.movement("posted")).id)
    assert accounted(await bank("camt.053.001.04.xml"))["repeated"] == 1
    assert await bank.open() == Money(12990)


async def test_rejecting_posts_nothing_and_can_be_thought_over(bank: Bank, desk: Desk) -> None:
    movement_id = await suggest(bank)
    assert (await desk.reject(movement_id)).state == "rejected"
    assert await desk.listed() == []
    assert await bank.open() == Money(12990)
    assert (await desk.accept(movement_id)).state == "posted"
    with pytest.raises(ReviewRefused):
        await desk.reject(movement_id)


async def test_a_payment_that_came_back_is_not_undone(bank: Bank, desk: Desk) -> None:
    await bank("mt940-returns.sta")
    (payment,) = [item for item in await desk.listed("posted") if item.amount == Money(12990)]
    with pytest.raises(ReviewRefused) as caught:
        await desk.undo(payment.id)
    assert caught.value.code == "came_back"
    (returned,) = [item for item in await desk.listed("posted") if item.returned == "914"]
    await desk.undo(returned.id)
    assert await bank.open() == Money(0)
    await desk.accept(returned.id)
    assert await bank.open() == Money(12990)


async def test_money_in_another_currency_is_accepted_with_its_amount(
    bank: Bank, desk: Desk
) -> None:
    data = (DATA / "camt.053.001.04.xml").read_bytes().replace(b'Ccy="EUR"', b'Ccy="USD"')
    await bank(data)
    movement_id = (await bank.movement("suggested")).id
    with pytest.raises(ReviewRefused) as caught:
        await desk.accept(movement_id)
    assert caught.value.code == "currency"
    await desk.accept(movement_id, amount=Money(11950))
    assert await bank.open() == Money(1040)


async def test_another_merchant_sees_no_movement(
    bank: Bank, desk: Desk, database: Database
) -> None:
    movement_id = await suggest(bank)
    async with database.operator() as session:
        other = Merchant(key="other", name="Other", created_at=NOW)
        session.add(other)
    async with database.merchant(other.id) as session:
        with pytest.raises(ReviewRefused):
            await review.accept(session, other.id, movement_id, by="x", now=NOW)
        assert await session.scalar(select(func.count(Posting.id))) == 0
