"""Reads what customers paid lately and what came back, by whatever way, for outreach."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

from sqlalchemy import ARRAY, BigInteger, Row, any_, exists, func, literal, select
from sqlalchemy.ext.asyncio import AsyncSession

from ledger.money import Money, total
from ledger.posting import PostingKind
from outreach.facts import MoneyFacts
from storage.tables import Agreement, Claim, Payment, PaymentNotice, Posting

REFUND: Final = "refund:"
"""How the keys of what the merchant itself gave back begin: nothing went wrong there."""
_MOVED: Final = (PostingKind.PAYMENT, PostingKind.RETURN, PostingKind.REVERSAL)


async def money_of(
    session: AsyncSession, merchant_id: int, customer_ids: Sequence[int]
) -> Mapping[int, list[MoneyFacts]]:
    """What each of these customers paid and what came back, oldest first.

    One payment for several claims is one, whose postings have a key each that ends in the claim's
    id. What was only booked anew is left out.
    """
    among = any_(literal(list(customer_ids), ARRAY(BigInteger)))
    key = func.split_part(Posting.idempotency_key, "#", 1)
    rows = (
        await session.execute(
            select(
                Claim.customer_id,
                func.min(Posting.id).label("id"),
                Posting.claim_id,
                Posting.kind,
                key.label("key"),
                func.sum(Posting.amount_minor).label("minor"),
                Posting.currency,
                Posting.booked_at,
                func.max(Posting.value_date).label("day"),
                exists()
                .where(
                    Agreement.claim_id == Posting.claim_id,
                    Agreement.agreed_at <= Posting.booked_at,
                    Agreement.ended_at.is_(None) | (Agreement.ended_at >= Posting.booked_at),
                )
                .label("agreed"),
            )
            .join(Claim, Claim.id == Posting.claim_id)
            .where(
                Claim.merchant_id == merchant_id,
                Claim.customer_id == among,
                Posting.kind.in_(_MOVED),
                Posting.rebooks.is_(None),
            )
            .group_by(
                Claim.customer_id,
                Posting.claim_id,
                Posting.kind,
                key,
                Posting.currency,
                Posting.booked_at,
            )
            .order_by(func.min(Posting.id))
        )
    ).all()
    found: dict[int, list[MoneyFacts]] = defaultdict(list)
    together: dict[tuple[int, str, str], list[Row[Any]]] = defaultdict(list)
    for row in rows:
        if row.kind != PostingKind.REVERSAL and not row.key.startswith(REFUND):
            whole = row.key.removesuffix(f":{row.claim_id}")
            together[row.customer_id, row.kind, whole].append(row)
    for (customer_id, kind, _), parts in together.items():
        claims = {part.claim_id for part in parts}
        last = max(part.id for part in parts)
        later = {row.kind for row in rows if row.id > last and row.claim_id in claims}
        came_back = kind == PostingKind.RETURN
        found[customer_id].append(
            MoneyFacts(
                about=f"{kind}:{parts[0].id}",
                came_back=came_back,
                claim_ids=tuple(sorted(claims)),
                amount=total(
                    (Money(int(part.minor), part.currency) for part in parts), parts[0].currency
                ),
                at=parts[0].booked_at,
                day=max(part.day for part in parts),
                agreed=any(part.agreed for part in parts),
                overtaken=bool(later & ({PostingKind.PAYMENT} if came_back else _UNDOING)),
            )
        )
    for customer_id, failed in await _failed(session, merchant_id, customer_ids):
        again = any(
            row.kind == PostingKind.PAYMENT
            and row.claim_id in failed.claim_ids
            and row.booked_at > failed.at
            for row in rows
        )
        found[customer_id].append(replace(failed, overtaken=again))
    return found


_UNDOING: Final = {PostingKind.RETURN, PostingKind.REVERSAL}


async def _failed(
    session: AsyncSession, merchant_id: int, customer_ids: Sequence[int]
) -> list[tuple[int, MoneyFacts]]:
    """Payments that were on their way and never came: a direct debit that fails after days.

    What failed while the customer looked on needs no message.
    """
    rows = await session.scalars(
        select(Payment)
        .where(
            Payment.merchant_id == merchant_id,
            Payment.customer_id == any_(literal(list(customer_ids), ARRAY(BigInteger))),
            Payment.status == "failed",
            exists().where(
                PaymentNotice.merchant_id == merchant_id,
                PaymentNotice.provider == Payment.provider,
                PaymentNotice.reference == Payment.reference,
                PaymentNotice.kind == "pending",
            ),
        )
        .order_by(Payment.id)
    )
    return [
        (
            row.customer_id,
            MoneyFacts(
                about=f"failed:{row.id}",
                came_back=True,
                claim_ids=tuple(sorted(map(int, row.parts))),
                amount=Money(row.amount_minor, row.currency),
                at=row.updated_at,
                day=row.updated_at.date(),
            ),
        )
        for row in rows
    ]
