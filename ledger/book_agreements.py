"""Agreements about a claim: making, ending, and looking at the one in force."""

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from ledger import book_changes as changes
from ledger import book_rows as rows
from ledger.agreements import (
    AgreementStatus,
    AgreementTerms,
    Deferral,
    InstalmentPlan,
    Settlement,
    terms_to_data,
)
from ledger.book_command import PostingCommand
from ledger.book_postings import post_interest
from ledger.book_reading import record
from ledger.book_rows import OpenBook
from ledger.chain import input_hash
from ledger.claim import ClaimFacts, ClaimStatus
from ledger.errors import (
    AgreementEnded,
    AgreementUnknown,
    ClaimInDispute,
    ClaimNotOpen,
    IdempotencyConflict,
    NothingOwed,
    TermsDoNotFit,
)
from ledger.guard import Guard
from ledger.limitation import restarted
from ledger.money import Money
from ledger.posting import plan_charge
from ledger.repricing import Because
from ledger.statement import AgreementRecord
from storage.tables import Agreement as AgreementRow


async def agree(
    session: AsyncSession,
    claim_id: int,
    terms: AgreementTerms,
    *,
    guard: Guard,
    now: datetime,
    key: str,
    conversation_id: int | None = None,
) -> AgreementRecord:
    """Post an agreement that ``guard`` allows; it replaces the active one of the claim.

    Raises ``ClaimUnknown``, ``ClaimInDispute``, ``ClaimNotOpen``, ``NothingOwed``,
    ``CurrencyDiffers``, ``TermsDoNotFit``, ``IdempotencyConflict``, and what the guard raises;
    then no agreement has changed. A customer who agrees to pay later or in instalments
    acknowledges the claim, so its limitation begins anew (§ 212 I No. 1 BGB).
    """
    book = await rows.open_book(session, claim_id)
    fingerprint = input_hash("agree", claim=claim_id, terms=terms_to_data(terms))
    earlier = await session.scalar(
        select(AgreementRow).where(
            AgreementRow.merchant_id == book.claim.merchant_id,
            AgreementRow.idempotency_key == key,
        )
    )
    if earlier is not None:
        if earlier.input_hash != fingerprint:
            raise IdempotencyConflict(key)
        return rows.record_of(earlier, book.postings)
    # What is agreed about holds the interest up to today, so that is posted first.
    today = await rows.local_day(session, book.claim, now)
    await post_interest(session, claim_id, through=today, now=now, key=f"{key}:interest")
    book = await rows.open_book(session, claim_id)
    held = await record(session, claim_id)
    facts = held.facts(now)
    _require_agreeable(book, facts, terms)
    guard(terms, facts)
    before = next((row for row in held.agreements if row.status == AgreementStatus.ACTIVE), None)
    because = None
    if before is not None:
        because = Because.MISSED_DAY if facts.late else Because.CHANGED
        await changes.end(session, book, before, AgreementStatus.SUPERSEDED, because, now)
    # The replaced one has to be gone before the new one is active: one per claim.
    await session.flush()
    if isinstance(terms, InstalmentPlan) and terms.charge:
        charge = terms.charge
        command = PostingCommand("charge", claim_id, facts.today, now, f"{key}:charge", charge)
        await command.run(session, lambda held: plan_charge(charge))
        book = await rows.open_book(session, claim_id)
    row = await changes.make(
        session,
        book,
        terms,
        conversation_id=conversation_id,
        now=now,
        key=key,
        input_hash=fingerprint,
        instead_of=before,
        because=because,
    )
    if isinstance(terms, Deferral | InstalmentPlan):
        _restart_limitation(session, book, facts, now)
    return rows.record_of(row, book.postings)


def _restart_limitation(
    session: AsyncSession, book: OpenBook, facts: ClaimFacts, now: datetime
) -> None:
    before = book.claim.limitation_date
    if before is None:
        return
    book.claim.limitation_date = restarted(before, facts.today)
    if book.claim.limitation_date != before:
        until = book.claim.limitation_date.isoformat()
        rows.audit(session, book.claim, "claim_limitation_restarted", now, until=until)


def _require_agreeable(book: OpenBook, facts: ClaimFacts, terms: AgreementTerms) -> None:
    """What holds whatever a merchant's policy says."""
    if facts.status is ClaimStatus.DISPUTED:
        raise ClaimInDispute(facts.claim_id)
    if facts.status is not ClaimStatus.OPEN:
        raise ClaimNotOpen(facts.status.value)
    if facts.balance.minor <= 0:
        raise NothingOwed(facts.claim_id)
    book.require_currency(terms.total)
    expected = facts.balance
    extra = Money.zero(book.currency)
    if isinstance(terms, InstalmentPlan):
        extra = terms.charge
    elif isinstance(terms, Settlement):
        extra = -terms.waived
    if terms.total != expected + extra:
        raise TermsDoNotFit(f"{terms.total} for an open amount of {expected}")


async def active_agreement(session: AsyncSession, claim_id: int) -> AgreementRecord | None:
    """The agreement in force, with its progress."""
    postings = (await rows.postings_by_claim(session, [claim_id]))[claim_id]
    for row in await rows.agreement_rows(session, claim_id):
        if row.status == AgreementStatus.ACTIVE:
            return rows.record_of(row, postings)
    return None


async def cancel_agreement(
    session: AsyncSession, agreement_id: int, reason: str, *, now: datetime
) -> AgreementRecord:
    """End an agreement because both sides let go of it; a repetition changes nothing.

    Raises ``AgreementUnknown``, and ``AgreementEnded`` when it ended another way.
    """
    return await _end(session, agreement_id, AgreementStatus.CANCELLED, reason, now)


async def break_agreement(
    session: AsyncSession, agreement_id: int, reason: str, *, now: datetime
) -> AgreementRecord:
    """End an agreement that was not kept; a repetition changes nothing.

    Raises ``AgreementUnknown``, and ``AgreementEnded`` when it ended another way.
    """
    return await _end(session, agreement_id, AgreementStatus.BROKEN, reason, now)


async def _end(
    session: AsyncSession,
    agreement_id: int,
    status: AgreementStatus,
    reason: str,
    now: datetime,
) -> AgreementRecord:
    claim_id = await session.scalar(
        select(AgreementRow.claim_id).where(AgreementRow.id == agreement_id)
    )
    if claim_id is None:
        raise AgreementUnknown(agreement_id)
    book = await rows.open_book(session, claim_id)
    agreements = await rows.agreement_rows(session, claim_id)
    row = next(row for row in agreements if row.id == agreement_id)
    if row.status == AgreementStatus.ACTIVE:
        await changes.end(session, book, row, status, reason, now)
    elif row.status != status:
        raise AgreementEnded(row.status)
    return rows.record_of(row, book.postings)
