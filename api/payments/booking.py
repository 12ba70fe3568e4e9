"""Online payments and the books: beginning one, and what each notice about it changes.

Never commits. A notice is kept under the provider's own id, so one that comes again does nothing;
one that comes too early (a chargeback before its payment) waits for what it builds on. Money
that arrived is always booked, on what the customer chose; what is too much by then is kept as
overpaid on the same claim and shown.
"""

import secrets
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from zoneinfo import ZoneInfo

import structlog
from sqlalchemy import or_, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from api.payments.provider import Notice, NoticeKind, PaymentStatus
from ledger import book
from ledger.book_rows import lock_claims
from ledger.claim import ClaimStatus
from ledger.errors import AmountNotPositive, ClaimInDispute, ClaimNotOpen, ClaimUnknown
from ledger.money import Money, total
from outreach.money_facts import REFUND
from storage.tables import AuditEvent, Claim, Merchant, Payment, PaymentNotice

log = structlog.get_logger()

UNDECIDED = frozenset({PaymentStatus.STARTED, PaymentStatus.PENDING})
MONEY_CAME = frozenset({PaymentStatus.PAID, PaymentStatus.RETURNED})


class AmountAboveOpen(ValueError):
    """More than is open should be paid."""


@dataclass(frozen=True, slots=True)
class Taken:
    """What a notice did: the claims on which something was posted."""

    payment_id: int | None
    claim_ids: tuple[int, ...] = ()


async def begin(
    session: AsyncSession,
    *,
    merchant_id: int,
    customer_id: int,
    provider: str,
    parts: Mapping[int, Money],
    now: datetime,
) -> Payment:
    """Note a payment that the customer begins, of these amounts by claim id.

    Raises:
        ClaimUnknown: a claim is not this customer's, or none is named.
        ClaimInDispute, ClaimNotOpen: nothing is to be paid on it now.
        AmountNotPositive, AmountAboveOpen: the amount does not fit what is open.
    """
    own = {claim.id for claim in await book.claims_of(session, customer_id, pursued_only=False)}
    if not parts or not parts.keys() <= own:
        raise ClaimUnknown(f"of customer {customer_id}")
    records = {
        record.claim.id: record for record in await book.records_of(session, customer_id, now=now)
    }
    for claim_id, amount in parts.items():
        record = records.get(claim_id)
        if record is None:
            raise ClaimNotOpen(claim_id)
        if record.claim.status == ClaimStatus.DISPUTED:
            raise ClaimInDispute(claim_id)
        if amount.minor <= 0:
            raise AmountNotPositive(str(amount))
        if amount > record.open.total:
            raise AmountAboveOpen(f"{amount} of {record.open.total}")
    whole = total(parts.values(), next(iter(parts.values())).currency)
    payment = Payment(
        merchant_id=merchant_id,
        customer_id=customer_id,
        provider=provider,
        reference=secrets.token_urlsafe(16),
        status=PaymentStatus.STARTED.value,
        amount_minor=whole.minor,
        currency=whole.currency,
        parts={str(claim_id): amount.minor for claim_id, amount in parts.items()},
        booked={},
        created_at=now,
        updated_at=now,
    )
    session.add(payment)
    await session.flush()
    return payment


async def take(
    session: AsyncSession, merchant_id: int, provider: str, notice: Notice, now: datetime
) -> Taken:
    """Keep one notice and do all that has become possible with it. Repeating it does nothing."""
    kept = await session.scalar(
        insert(PaymentNotice)
        .values(
            merchant_id=merchant_id,
            provider=provider,
            event=notice.event,
            kind=notice.kind.value,
            reference=notice.reference,
            provider_payment=notice.provider_payment,
            case=notice.case,
            amount_minor=notice.amount.minor if notice.amount else None,
            currency=notice.amount.currency if notice.amount else None,
            happened_at=notice.happened_at,
            received_at=now,
        )
        .on_conflict_do_nothing()
        .returning(PaymentNotice.id)
    )
    if kept is None:
        return Taken(None)
    payment = await _locked(session, merchant_id, provider, notice)
    if payment is None:
        log.warning("payment_notice_waits", provider=provider, kind=notice.kind.value)
        return Taken(None)
    payment.provider_payment = payment.provider_payment or notice.provider_payment
    payment.updated_at = now
    touched: set[int] = set()
    await lock_claims(session, Claim.id.in_([int(claim_id) for claim_id in payment.parts]))
    while (step := await _possible(session, payment)) is not None:
        touched |= await _apply(session, payment, step, now)
        step.applied_at = now
        await session.flush()
    return Taken(payment.id, tuple(sorted(touched)))


async def _locked(
    session: AsyncSession, merchant_id: int, provider: str, notice: Notice
) -> Payment | None:
    named = [Payment.reference == notice.reference] if notice.reference else []
    if notice.provider_payment:
        named.append(Payment.provider_payment == notice.provider_payment)
    if not named:
        return None
    found: Payment | None = await session.scalar(
        select(Payment)
        .where(Payment.merchant_id == merchant_id, Payment.provider == provider, or_(*named))
        .order_by(Payment.id)
        .limit(1)
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    return found


async def _possible(session: AsyncSession, payment: Payment) -> PaymentNotice | None:
    """The earliest waiting notice about this payment that has all it builds on."""
    named = [PaymentNotice.reference == payment.reference]
    if payment.provider_payment:
        named.append(PaymentNotice.provider_payment == payment.provider_payment)
    found = await session.scalars(
        select(PaymentNotice)
        .where(
            PaymentNotice.merchant_id == payment.merchant_id,
            PaymentNotice.provider == payment.provider,
            or_(*named),
        )
        .order_by(PaymentNotice.happened_at, PaymentNotice.id)
    )
    notices = found.all()
    lost = {
        notice.case
        for notice in notices
        if notice.kind == NoticeKind.CHARGED_BACK and notice.applied_at
    }
    for notice in notices:
        moves_back = notice.kind in (NoticeKind.REFUNDED, NoticeKind.CHARGED_BACK)
        if (
            notice.applied_at
            or notice.currency not in (None, payment.currency)
            or (moves_back and payment.status not in MONEY_CAME)
            or (notice.kind == NoticeKind.CHARGEBACK_WON and notice.case not in lost)
        ):
            continue
        return notice
    return None


async def _apply(
    session: AsyncSession, payment: Payment, notice: PaymentNotice, now: datetime
) -> set[int]:
    kind, minor = NoticeKind(notice.kind), notice.amount_minor or 0
    if kind is NoticeKind.PENDING:
        if payment.status == PaymentStatus.STARTED:
            payment.status = PaymentStatus.PENDING.value
    elif kind in (NoticeKind.FAILED, NoticeKind.EXPIRED):
        if payment.status in UNDECIDED:
            payment.status = PaymentStatus(kind.value).value
            _note(session, payment, kind, now)
    elif kind is NoticeKind.PAID:
        if payment.status not in MONEY_CAME:
            return await _book(session, payment, notice, minor, now)
    elif kind is NoticeKind.CHARGEBACK_WON:
        return await _book(session, payment, notice, minor, now)
    elif kind is NoticeKind.CHARGED_BACK:
        return await _give_back(session, payment, notice, minor, now)
    else:
        back, payment.refunded_minor = minor - payment.refunded_minor, minor
        return await _give_back(session, payment, notice, back, now)
    return set()


async def _book(
    session: AsyncSession, payment: Payment, notice: PaymentNotice, minor: int, now: datetime
) -> set[int]:
    """Post money that came on what the customer chose; what is above that goes on the last."""
    held = Counter[int]()
    for entry in payment.booked.values():
        held[entry["claim"]] += entry["minor"]
    left, shares = minor, dict[int, int]()
    for claim_id, chosen in sorted((int(key), part) for key, part in payment.parts.items()):
        shares[claim_id] = min(max(0, chosen - held[claim_id]), left)
        left -= shares[claim_id]
    shares[max(shares)] += left
    day = await _value_date(session, notice)
    posted = dict(payment.booked)
    for claim_id, share in shares.items():
        if not share:
            continue
        key = f"{payment.provider}:{payment.id}:{notice.id}:{claim_id}"
        amount = Money(share, payment.currency)
        await book.post_payment(session, claim_id, amount, value_date=day, now=now, key=key)
        posted[key] = {"claim": claim_id, "minor": share}
    payment.booked = posted
    payment.status = PaymentStatus.PAID.value
    _note(session, payment, NoticeKind(notice.kind), now)
    return {claim_id for claim_id, share in shares.items() if share}


async def _give_back(
    session: AsyncSession, payment: Payment, notice: PaymentNotice, minor: int, now: datetime
) -> set[int]:
    """Take money back that went: what was posted last goes first, and never more than that."""
    left, shares = max(0, minor), dict[str, int]()
    for key, entry in reversed(payment.booked.items()):
        shares[key] = min(entry["minor"], left)
        left -= shares[key]
    if left:
        # Refunded by the merchant and called back by the bank: the books hold it once only.
        log.warning("payment_given_back_twice", payment=payment.id)
    day = await _value_date(session, notice)
    refund = REFUND if notice.kind == NoticeKind.REFUNDED else ""
    entries = {key: dict(entry) for key, entry in payment.booked.items()}
    touched = set()
    for key, share in shares.items():
        if not share:
            continue
        claim_id = entries[key]["claim"]
        await book.post_return(
            session,
            claim_id,
            Money(share, payment.currency),
            value_date=day,
            now=now,
            key=f"{refund}{payment.provider}:{payment.id}:{notice.id}:{key}",
            payment_key=key,
        )
        entries[key]["minor"] -= share
        touched.add(claim_id)
    payment.booked = entries
    if not any(entry["minor"] for entry in entries.values()):
        payment.status = PaymentStatus.RETURNED.value
    _note(session, payment, NoticeKind(notice.kind), now)
    return touched


async def _value_date(session: AsyncSession, notice: PaymentNotice) -> date:
    """The day at the merchant on which it happened."""
    merchant = await session.get_one(Merchant, notice.merchant_id)
    return notice.happened_at.astimezone(ZoneInfo(merchant.timezone)).date()


def _note(session: AsyncSession, payment: Payment, kind: NoticeKind, now: datetime) -> None:
    session.add(
        AuditEvent(
            merchant_id=payment.merchant_id,
            kind=f"payment_{kind.value}",
            at=now,
            customer_id=payment.customer_id,
            facts={"payment": payment.id, "provider": payment.provider},
        )
    )
