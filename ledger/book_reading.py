"""Reading the book: claims with all their postings and agreements, in a few statements for all."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from zoneinfo import ZoneInfo

from sqlalchemy import ARRAY, BigInteger, ColumnElement, Row, any_, bindparam, select
from sqlalchemy.ext.asyncio import AsyncSession

from ledger import book_rows as rows
from ledger.agreements import (
    AgreementKind,
    AgreementStatus,
    AgreementTerms,
    Promise,
    Settlement,
)
from ledger.book_interest import BEARING, base_rates, proved_default, terms_of
from ledger.chain import first_broken
from ledger.claim import PURSUED, ClaimFacts, ClaimStatus, OpenAmount
from ledger.errors import ClaimUnknown
from ledger.interest import Interest
from ledger.interest_ahead import interest_ahead
from ledger.money import Money
from ledger.posting import Posting, money_received, open_amount
from ledger.rebooking import NO_INTEREST, InterestTerms, interest_due
from ledger.rebooking import accrued as reckoned_interest
from ledger.repricing import REPRICED, Because
from ledger.statement import AgreementRecord, Statement, charged, statement_lines, totals
from storage.tables import Agreement as AgreementRow
from storage.tables import Claim, Customer, Merchant


@dataclass(frozen=True, slots=True)
class ClaimRecord:
    """A claim as the book holds it: its row, all its postings and agreements, oldest first."""

    claim: Claim
    customer_number: str
    business: bool
    timezone: str
    postings: Sequence[Posting]
    agreements: Sequence[AgreementRow]
    open: OpenAmount
    """What is open after all postings, with ``accrued``."""
    interest: Interest
    """How default interest came about."""
    accrued: Money
    """Default interest up to the day of reading that is not posted yet."""
    interest_terms: InterestTerms = NO_INTEREST
    """What interest is reckoned by, where it is."""

    def interest_ahead(self, agreed: AgreementTerms, now: datetime) -> Money:
        """The interest that is still added under these terms, if they are kept to the day."""
        today = now.astimezone(ZoneInfo(self.timezone)).date()
        return interest_ahead(self.postings, self.open, self.interest_terms, agreed, today)

    def interest_effect(self, agreed: AgreementTerms) -> str:
        """The code of what an agreement does to interest."""
        proved = self.claim.default_since and self.claim.default_proof
        if not proved or isinstance(agreed, Settlement):
            return "none"
        if isinstance(agreed, Promise):
            return "kept"
        return "stops" if agreed.stops_interest else "runs"

    def facts(self, now: datetime) -> ClaimFacts:
        """What a negotiation has to know about the claim."""
        today = now.astimezone(ZoneInfo(self.timezone)).date()
        active = self._active()
        reasons = [row.end_reason for row in self.agreements]
        return ClaimFacts(
            claim_id=self.claim.id,
            today=today,
            open=self.open,
            due_date=self.claim.due_date,
            status=ClaimStatus(self.claim.status),
            business=self.business,
            limitation_date=self.claim.limitation_date,
            agreements_before=sum(reason not in REPRICED for reason in reasons),
            instalment_due=_instalment_due(active),
            late=active is not None and bool(active.overdue(today)),
            days_moved=reasons.count(Because.MISSED_DAY),
        )

    def _active(self) -> AgreementRecord | None:
        for row in self.agreements:
            if row.status == AgreementStatus.ACTIVE:
                return rows.record_of(row, self.postings)
        return None

    def statement(self) -> Statement:
        """Everything about the claim."""
        claim, postings = self.claim, self.postings
        agreements = [rows.record_of(row, postings) for row in self.agreements]
        current = next(
            (record for record in agreements if record.status is AgreementStatus.ACTIVE),
            agreements[-1] if agreements else None,
        )
        return Statement(
            claim_id=claim.id,
            reference=claim.reference,
            invoice_number=claim.invoice_number,
            order_number=claim.order_number,
            description=claim.description,
            customer_number=self.customer_number,
            rf_reference=claim.rf_reference,
            currency=claim.currency,
            status=ClaimStatus(claim.status),
            invoice_date=claim.invoice_date,
            due_date=claim.due_date,
            default_since=claim.default_since,
            limitation_date=claim.limitation_date,
            costs_reason=claim.costs_reason,
            paused_until=claim.paused_until,
            pause_reason=claim.pause_reason,
            confirmed_at=claim.confirmed_at,
            lines=statement_lines(postings, claim.currency),
            charged=charged(postings, claim.currency).with_interest(self.accrued),
            totals=totals(postings, claim.currency),
            paid=money_received(postings, claim.currency),
            open=self.open,
            intact=first_broken(claim.id, postings) is None,
            interest=self.interest,
            accrued=self.accrued,
            agreement=current,
            earlier_agreements=tuple(record for record in agreements if record is not current),
        )


def _instalment_due(active: AgreementRecord | None) -> date | None:
    if active is None or active.terms.kind is not AgreementKind.INSTALMENT_PLAN:
        return None
    following = active.next_instalment
    return following.instalment.due if following else None


_CLAIM = (
    select(Claim, Customer.number, Customer.business, Customer.land, Merchant.timezone)
    .join(Customer, Customer.id == Claim.customer_id)
    .join(Merchant, Merchant.id == Claim.merchant_id)
    .order_by(Claim.due_date, Claim.id)
    .execution_options(populate_existing=True)
)
_BY_ID = _CLAIM.where(Claim.id == bindparam("wanted", type_=BigInteger))
_BY_CUSTOMER = _CLAIM.where(
    Claim.customer_id == bindparam("wanted", type_=BigInteger),
    Claim.status == any_(bindparam("statuses", type_=ARRAY(Claim.status.type))),
)
_PURSUED = sorted(status.value for status in PURSUED)
_ANY = sorted(status.value for status in ClaimStatus)


async def records_of(
    session: AsyncSession,
    customer_id: int,
    *,
    pursued_only: bool = True,
    now: datetime | None = None,
) -> list[ClaimRecord]:
    """The customer's claims, oldest due first (the order of § 366 II BGB); with ``pursued_only``
    those open or disputed.

    With ``now`` their interest is reckoned up to that day, without it what is posted counts.
    """
    statuses = _PURSUED if pursued_only else _ANY
    found = await session.execute(_BY_CUSTOMER, {"wanted": customer_id, "statuses": statuses})
    return await _records(session, found.all(), now)


async def record(
    session: AsyncSession, claim_id: int, *, now: datetime | None = None
) -> ClaimRecord:
    """One claim; raises ``ClaimUnknown``."""
    found = (await session.execute(_BY_ID, {"wanted": claim_id})).all()
    if not found:
        raise ClaimUnknown(claim_id)
    return (await _records(session, found, now))[0]


async def _records(
    session: AsyncSession,
    found: Sequence[Row[Claim, str, bool, str | None, str]],
    now: datetime | None,
) -> list[ClaimRecord]:
    if not found:
        return []
    ids = [claim.id for claim, *_ in found]
    postings = await rows.postings_by_claim(session, ids)
    agreements = await rows.agreements_by_claim(session, ids)
    reckoned = now is not None and any(_bears_interest(claim) for claim, *_ in found)
    rates = await base_rates(session) if reckoned else ()
    records = []
    for claim, number, business, land, zone in found:
        held = postings[claim.id]
        interest, accrued = _nothing_accrued(claim.currency)
        terms = NO_INTEREST
        if now is not None and _bears_interest(claim):
            terms = terms_of(claim, agreements[claim.id], business, land, zone, rates)
            today = now.astimezone(ZoneInfo(zone)).date()
            interest = reckoned_interest(held, terms, today, claim.currency)
            accrued = max(interest_due(held, terms, today, claim.currency), accrued)
        open_ = open_amount(held, claim.currency).with_interest(accrued)
        records.append(
            ClaimRecord(
                claim,
                number,
                business,
                zone,
                held,
                agreements[claim.id],
                open_,
                interest,
                accrued,
                terms,
            )
        )
    return records


def _bears_interest(claim: Claim) -> bool:
    return claim.status in BEARING and proved_default(claim)


def _nothing_accrued(currency: str) -> tuple[Interest, Money]:
    """Of a claim that bears no interest."""
    return Interest(Money.zero(currency), ()), Money.zero(currency)


async def claims_of(
    session: AsyncSession, customer_id: int, *, pursued_only: bool = True
) -> list[Claim]:
    """The customer's claims, oldest due first; with ``pursued_only`` those open or disputed."""
    wanted: list[ColumnElement[bool]] = [Claim.customer_id == customer_id]
    if pursued_only:
        wanted.append(Claim.status.in_(_PURSUED))
    found = await session.scalars(select(Claim).where(*wanted).order_by(Claim.due_date, Claim.id))
    return list(found)


async def balance(
    session: AsyncSession, claim_id: int, *, now: datetime | None = None
) -> OpenAmount:
    """What is open on the claim, with ``now`` up to that day; raises ``ClaimUnknown``."""
    return (await record(session, claim_id, now=now)).open


async def claim_facts(session: AsyncSession, claim_id: int, *, now: datetime) -> ClaimFacts:
    """What a negotiation has to know about the claim; raises ``ClaimUnknown``."""
    return (await record(session, claim_id, now=now)).facts(now)


async def statement(
    session: AsyncSession, claim_id: int, *, now: datetime | None = None
) -> Statement:
    """Everything about a claim, with ``now`` up to that day; raises ``ClaimUnknown``."""
    return (await record(session, claim_id, now=now)).statement()
