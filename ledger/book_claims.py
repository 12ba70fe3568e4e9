"""Claims themselves: opening, disputing, pausing, confirming, ending."""

from dataclasses import dataclass, field
from datetime import date, datetime

from sqlalchemy.ext.asyncio import AsyncSession

from ledger import book_changes as changes
from ledger import book_rows as rows
from ledger import posting as movements
from ledger.agreements import AgreementStatus
from ledger.book_command import PostingCommand
from ledger.book_events import tell_dispute
from ledger.book_rows import OpenBook
from ledger.chain import input_hash
from ledger.claim import PURSUED, ClaimStatus
from ledger.default import DefaultGround
from ledger.errors import ClaimExists, ClaimNotOpen, OpenAmountDiffers
from ledger.limitation import limitation_by_law
from ledger.money import Money, total
from ledger.posting import PostingKind, effective
from ledger.reference import rf_reference
from storage.tables import Claim


@dataclass(frozen=True, slots=True, kw_only=True)
class NewClaim:
    """An invoice to be handled. ``reference`` is the merchant's own key of it.

    ``default_since`` counts only together with ``default_proof`` (§ 286 BGB). Without a
    ``limitation_date`` it is the one of §§ 195, 199 BGB.
    """

    merchant_id: int
    customer_id: int
    reference: str
    invoice_number: str
    description: str
    principal: Money
    invoice_date: date
    due_date: date
    costs: Money = field(default_factory=Money.zero)
    interest: Money = field(default_factory=Money.zero)
    costs_reason: str | None = None
    order_number: str | None = None
    contract_date: date | None = None
    default_since: date | None = None
    default_proof: str | None = None
    default_ground: DefaultGround | None = None
    consumer_loan: bool = False
    limitation_date: date | None = None
    confirmed_at: datetime | None = None


async def open_claim(session: AsyncSession, new: NewClaim, *, now: datetime, key: str) -> Claim:
    """Store a claim with its opening postings and give it its RF reference.

    Raises ``ClaimExists``, ``AmountNotPositive``, ``CurrencyMismatch``, ``IdempotencyConflict``.
    """
    fingerprint = input_hash(
        "open_claim",
        reference=new.reference,
        parts=[new.principal, new.costs, new.interest],
        invoice_date=new.invoice_date,
    )
    before = await rows.replayed(session, new.merchant_id, key, fingerprint)
    if before is not None:
        return await rows.read_claim(session, before.claim_id)
    if await rows.is_reference_taken(session, new.merchant_id, new.reference):
        raise ClaimExists(new.reference)
    opening = movements.opening(new.principal, new.costs, new.interest)
    claim_id = await rows.next_claim_id(session)
    claim = Claim(
        id=claim_id,
        merchant_id=new.merchant_id,
        customer_id=new.customer_id,
        reference=new.reference,
        invoice_number=new.invoice_number,
        order_number=new.order_number,
        description=new.description,
        currency=new.principal.currency,
        rf_reference=rf_reference(claim_id),
        contract_date=new.contract_date,
        invoice_date=new.invoice_date,
        due_date=new.due_date,
        costs_reason=new.costs_reason,
        default_since=new.default_since,
        default_proof=new.default_proof,
        default_ground=new.default_ground and new.default_ground.value,
        consumer_loan=new.consumer_loan,
        limitation_date=new.limitation_date or limitation_by_law(new.due_date),
        status=ClaimStatus.OPEN.value,
        confirmed_at=new.confirmed_at,
        created_at=now,
        updated_at=now,
    )
    session.add(claim)
    await session.flush()
    book = OpenBook(claim, [])
    book.require_currency(new.costs, new.interest)
    await rows.append(
        session,
        book,
        opening,
        value_date=new.invoice_date,
        now=now,
        key=key,
        input_hash=fingerprint,
    )
    return claim


async def confirm_open_amount(
    session: AsyncSession, claim_id: int, *, at: datetime, amount: Money | None = None
) -> None:
    """Note that the merchant confirmed the open amount at ``at`` (freshness lock).

    Raises ``OpenAmountDiffers`` when ``amount`` is given and is not what the ledger holds, with or
    without the default interest that the ledger added; the claim then stays unconfirmed until the
    difference is posted. An older confirmation than the
    one at hand changes nothing.
    """
    book = await rows.open_book(session, claim_id)
    if amount is not None:
        book.require_currency(amount)
        added = (p.amount for p in effective(book.postings) if p.kind is PostingKind.INTEREST)
        held = book.open.total
        if amount not in (held, held - total(added, book.currency)):
            raise OpenAmountDiffers(f"{amount} confirmed, {book.open.total} in the ledger")
    if book.claim.confirmed_at is None or book.claim.confirmed_at < at:
        book.claim.confirmed_at = at
        book.claim.updated_at = at


async def dispute(session: AsyncSession, claim_id: int, reason: str, *, now: datetime) -> None:
    """Note that the customer disputes the claim; reminders and agreements wait from now on.

    Raises ``ClaimNotOpen`` for claims that are done; a repetition changes nothing.
    """
    claim = (await rows.open_book(session, claim_id)).claim
    if claim.status not in PURSUED:
        raise ClaimNotOpen(claim.status)
    if claim.status == ClaimStatus.OPEN:
        _change(session, claim, ClaimStatus.DISPUTED, "claim_disputed", now, reason)
        tell_dispute(session, claim, reason, now)
        claim.pause_reason = reason


async def resolve_dispute(session: AsyncSession, claim_id: int, *, now: datetime) -> None:
    """Note that the dispute was answered and the claim stands; a repetition changes nothing.

    What the answer takes off the claim is posted as a credit note.
    """
    claim = (await rows.open_book(session, claim_id)).claim
    if claim.status == ClaimStatus.DISPUTED:
        _change(session, claim, ClaimStatus.OPEN, "claim_dispute_resolved", now)
        claim.pause_reason = None


async def pause(
    session: AsyncSession, claim_id: int, reason: str, *, until: date, now: datetime
) -> None:
    """Let the claim rest up to and including ``until``; a later day replaces an earlier one."""
    claim = (await rows.open_book(session, claim_id)).claim
    if claim.paused_until is None or claim.paused_until < until:
        claim.paused_until = until
        claim.pause_reason = reason
        claim.updated_at = now
        rows.audit(session, claim, "claim_paused", now, reason=reason, until=until.isoformat())


async def resume(session: AsyncSession, claim_id: int, *, now: datetime) -> None:
    """End a pause before its day; a claim that is not paused stays as it is."""
    claim = (await rows.open_book(session, claim_id)).claim
    if claim.paused_until is not None:
        claim.paused_until = None
        if claim.status != ClaimStatus.DISPUTED:
            claim.pause_reason = None
        claim.updated_at = now
        rows.audit(session, claim, "claim_resumed", now)


async def recall(session: AsyncSession, claim_id: int, reason: str, *, now: datetime) -> None:
    """Hand the claim back to the merchant: it is not pursued any more, its agreement ends.

    Postings stay as they are. Raises ``ClaimNotOpen`` for claims that ended another way.
    """
    book = await rows.open_book(session, claim_id)
    if book.claim.status == ClaimStatus.RECALLED:
        return
    if book.claim.status not in PURSUED:
        raise ClaimNotOpen(book.claim.status)
    _change(session, book.claim, ClaimStatus.RECALLED, "claim_recalled", now, reason)
    await _end_active_agreement(session, book, "claim_recalled", now)


async def write_off(session: AsyncSession, claim_id: int, *, now: datetime, key: str) -> None:
    """Let go everything that is open (a small balance): a waiver, and the claim is done.

    Raises ``ClaimNotOpen`` unless the claim is pursued or was written off before.
    """
    book = await rows.open_book(session, claim_id)
    if book.claim.status == ClaimStatus.WRITTEN_OFF:
        return
    if book.claim.status not in PURSUED:
        raise ClaimNotOpen(book.claim.status)
    today = await rows.local_day(session, book.claim, now)
    _change(session, book.claim, ClaimStatus.WRITTEN_OFF, "claim_written_off", now)
    await _end_active_agreement(session, book, "claim_written_off", now)
    await session.flush()
    command = PostingCommand("write_off", claim_id, today, now, key)
    await command.run(session, lambda held: movements.waiver(held.open.total, held.open))


async def _end_active_agreement(
    session: AsyncSession, book: OpenBook, reason: str, now: datetime
) -> None:
    for row in await rows.agreement_rows(session, book.claim.id):
        if row.status == AgreementStatus.ACTIVE:
            await changes.end(session, book, row, AgreementStatus.CANCELLED, reason, now)


def _change(
    session: AsyncSession,
    claim: Claim,
    status: ClaimStatus,
    event: str,
    now: datetime,
    reason: str | None = None,
) -> None:
    claim.status = status.value
    claim.updated_at = now
    rows.audit(session, claim, event, now, reason=reason)
