"""What a person decides about movements that nothing was sure of: accept, reject, undo.

Never commits; the caller's transaction decides. One at a time for a merchant, as imports are.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import select, text
from sqlalchemy.ext.asyncio import AsyncSession

from ledger import book
from ledger.bank import known
from ledger.bank.intake import payment_key, post_shares, shares_by_law
from ledger.bank.matching import Doubt, Match, Share
from ledger.book_bank import BankBook, share_key
from ledger.errors import AlreadyReversed, LedgerError
from ledger.intake_sql import LOCK
from ledger.money import Money
from storage.tables import AuditEvent, BankMovement, Claim

OPEN_STATES = ("suggested", "unmatched", "rejected")


class ReviewRefused(ValueError):
    """It cannot be decided so; ``code`` and the text say why."""

    def __init__(self, code: str, reason: str) -> None:
        super().__init__(reason)
        self.code = code


@dataclass(frozen=True, slots=True)
class Proposal:
    """A claim that a movement may be for, and how much of it."""

    claim_id: int
    claim_reference: str
    amount: Money | None


@dataclass(frozen=True, slots=True)
class Reviewed:
    """A movement as people review it."""

    id: int
    state: str
    account: str
    booked: date
    value_date: date
    amount: Money
    payer_name: str | None
    payer_iban: str | None
    text: str
    end_to_end_id: str | None
    returned: str | None
    proposals: tuple[Proposal, ...]
    others: tuple[str, ...]
    evidence: tuple[str, ...]
    doubt: str | None
    decided_by: str | None
    decided_at: datetime | None


async def listed(
    session: AsyncSession,
    merchant_id: int,
    *,
    states: Sequence[str] = ("suggested",),
    after: int = 0,
    limit: int = 100,
    newest_first: bool = False,
) -> list[Reviewed]:
    """Movements in these states, oldest first unless said otherwise, going on `after` one of them;
    of what went out only what came back."""
    further = BankMovement.id < after if newest_first and after else BankMovement.id > after
    found = (
        await session.scalars(
            select(BankMovement)
            .where(
                BankMovement.merchant_id == merchant_id,
                BankMovement.state.in_(states),
                further,
                BankMovement.match["doubt"].astext.is_distinct_from(Doubt.OUTGOING.value),
            )
            .order_by(BankMovement.id.desc() if newest_first else BankMovement.id)
            .limit(limit)
        )
    ).all()
    return await _reviewed(session, found)


async def one(session: AsyncSession, merchant_id: int, movement_id: int) -> Reviewed | None:
    """A movement as people review it; None where the merchant has no such."""
    row = await session.scalar(
        select(BankMovement).where(
            BankMovement.merchant_id == merchant_id, BankMovement.id == movement_id
        )
    )
    return (await _reviewed(session, [row]))[0] if row is not None else None


async def accept(
    session: AsyncSession,
    merchant_id: int,
    movement_id: int,
    *,
    by: str,
    now: datetime,
    claim_reference: str | None = None,
    amount: Money | None = None,
) -> Reviewed:
    """Post a movement as proposed, or on the claim named.

    ``amount`` is what arrived in the claim's currency, where the movement's is another.

    Raises:
        ReviewRefused: it is posted already, there is nothing to post it on, or it does not fit.
    """
    row = await _locked(session, merchant_id, movement_id)
    if row.state not in OPEN_STATES:
        raise ReviewRefused("decided", f"the movement is {row.state}")
    shares, currency = await _wanted(session, row, claim_reference, amount)
    key = payment_key(row.content, row.position, row.attempts)
    value_date = row.value_date
    try:
        if row.amount_minor > 0:
            held = await BankBook.opened(session, [s.claim_id for s in shares], now=now)
            evidence = tuple(row.match.get("evidence", ()))
            shares = await shares_by_law(held, Match(shares, evidence), value_date)
            customers = await post_shares(
                held, shares, currency=currency, value_date=value_date, key=key
            )
            await held.write()
        elif claim_reference is None and row.returns_key is not None:
            held = await BankBook.opened(session, [s.claim_id for s in shares], now=now)
            customers = await post_shares(
                held,
                shares,
                currency=currency,
                value_date=value_date,
                key=key,
                paid_key=row.returns_key,
            )
            await held.write()
        else:
            customers = set()
            row.returns_key = None
            for share in sorted(shares, key=lambda share: share.claim_id):
                await book.post_return(
                    session,
                    share.claim_id,
                    Money(share.minor or 0, currency),
                    value_date=value_date,
                    now=now,
                    key=share_key(key, share.claim_id),
                )
    except LedgerError as error:
        raise ReviewRefused("does_not_fit", f"the ledger refuses it: {type(error).__name__}") from (
            error
        )
    row.match = {
        **row.match,
        "shares": [{"claim": share.claim_id, "minor": share.minor} for share in shares],
    }
    row.customer_id = customers.pop() if len(customers) == 1 else None
    row.payment_key = key
    await _decided(session, row, "posted", by, now)
    return (await _reviewed(session, [row]))[0]


async def reject(
    session: AsyncSession, merchant_id: int, movement_id: int, *, by: str, now: datetime
) -> Reviewed:
    """Say that a movement is for none of the claims; it can be accepted later all the same.

    Raises:
        ReviewRefused: it is posted; undo it first.
    """
    row = await _locked(session, merchant_id, movement_id)
    if row.state not in OPEN_STATES:
        raise ReviewRefused("decided", f"the movement is {row.state}; undo it first")
    await _decided(session, row, "rejected", by, now)
    return (await _reviewed(session, [row]))[0]


async def undo(
    session: AsyncSession, merchant_id: int, movement_id: int, *, by: str, now: datetime
) -> Reviewed:
    """Reverse what was posted from a movement; it waits for a decision again.

    Raises:
        ReviewRefused: nothing is posted, or the payment came back meanwhile.
    """
    row = await _locked(session, merchant_id, movement_id)
    if row.state != "posted" or row.payment_key is None:
        raise ReviewRefused("not_posted", f"the movement is {row.state}, nothing is posted")
    if row.amount_minor > 0:
        await _reverse(session, row, row.payment_key, now)
    else:
        await _pay_again(session, row, f"{row.payment_key}/undo", now)
    row.attempts += 1
    row.payment_key = None
    row.customer_id = None
    await _decided(session, row, "suggested", by, now)
    return (await _reviewed(session, [row]))[0]


async def _reverse(session: AsyncSession, row: BankMovement, key: str, now: datetime) -> None:
    """Reverse a payment on each of its claims."""
    try:
        for share in sorted(row.match["shares"], key=lambda share: int(share["claim"])):
            claim_id = share["claim"]
            await book.reverse(
                session,
                claim_id,
                share_key(key, claim_id),
                value_date=row.value_date,
                now=now,
                key=share_key(f"{key}/undo", claim_id),
            )
    except AlreadyReversed as error:
        raise ReviewRefused(
            "came_back", "the payment came back meanwhile; undo its return first"
        ) from error


async def _pay_again(session: AsyncSession, row: BankMovement, key: str, now: datetime) -> None:
    """Post again what a return took back; from then on it is that what may come back."""
    paid = None
    if row.returns_key is not None:
        paid = await session.scalar(
            select(BankMovement).where(
                BankMovement.merchant_id == row.merchant_id,
                BankMovement.payment_key == row.returns_key,
            )
        )
    shares = [Share(share["claim"], share["minor"]) for share in row.match["shares"]]
    held = await BankBook.opened(session, [share.claim_id for share in shares], now=now)
    value_date = paid.value_date if paid is not None else row.value_date
    await post_shares(held, shares, currency=row.currency, value_date=value_date, key=key)
    await held.write()
    if paid is not None:
        paid.payment_key = row.returns_key = key


async def _locked(session: AsyncSession, merchant_id: int, movement_id: int) -> BankMovement:
    await session.execute(text(LOCK), {"merchant": merchant_id})
    row = await session.scalar(
        select(BankMovement)
        .where(BankMovement.merchant_id == merchant_id, BankMovement.id == movement_id)
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    if row is None:
        raise ReviewRefused("unknown", f"there is no movement {movement_id}")
    return row


async def _wanted(
    session: AsyncSession, row: BankMovement, reference: str | None, amount: Money | None
) -> tuple[tuple[Share, ...], str]:
    """What is to be posted on which claims, and in which currency."""
    shares = tuple(Share(share["claim"], share["minor"]) for share in row.match.get("shares", ()))
    if reference is not None:
        claim_id = await session.scalar(
            select(Claim.id).where(
                Claim.merchant_id == row.merchant_id, Claim.reference == reference
            )
        )
        if claim_id is None:
            raise ReviewRefused("claim_unknown", f"there is no claim {reference}")
        whole = row.amount_minor if row.amount_minor > 0 else row.original_minor
        shares = (Share(claim_id, whole or abs(row.amount_minor)),)
    if not shares:
        raise ReviewRefused("no_claim", "nothing is proposed; name the claim")
    currencies = set(
        await session.scalars(
            select(Claim.currency).where(Claim.id.in_([share.claim_id for share in shares]))
        )
    )
    if amount is not None:
        if len(shares) != 1 or row.currency == amount.currency:
            raise ReviewRefused(
                "amount", "an amount is named only for one claim in another currency"
            )
        shares = (Share(shares[0].claim_id, amount.minor),)
    currency = amount.currency if amount else row.currency
    if currencies != {currency}:
        raise ReviewRefused(
            "currency",
            f"{row.currency} arrived, the claim is kept in {', '.join(sorted(currencies))}; "
            "name the amount in that currency",
        )
    return shares, currency


async def _decided(
    session: AsyncSession, row: BankMovement, state: str, by: str, now: datetime
) -> None:
    before, row.state = row.state, state
    row.decided_by, row.decided_at = by, now
    shares = row.match.get("shares", ())
    session.add(
        AuditEvent(
            merchant_id=row.merchant_id,
            kind="bank_movement_decided",
            at=now,
            customer_id=row.customer_id,
            claim_id=shares[0]["claim"] if len(shares) == 1 else None,
            facts={"movement": row.id, "before": before, "after": state, "by": by},
        )
    )
    await session.flush()


async def _reviewed(session: AsyncSession, found: Sequence[BankMovement]) -> list[Reviewed]:
    claim_ids = {
        claim_id
        for row in found
        for claim_id in (
            *(share["claim"] for share in row.match.get("shares", ())),
            *row.match.get("others", ()),
        )
    }
    names = await known.claim_references(session, claim_ids)
    return [
        Reviewed(
            id=row.id,
            state=row.state,
            account=row.account,
            booked=row.booked,
            value_date=row.value_date,
            amount=Money(row.amount_minor, row.currency),
            payer_name=row.payer_name,
            payer_iban=row.payer_iban,
            text=row.text,
            end_to_end_id=row.end_to_end_id,
            returned=row.returned,
            proposals=tuple(
                Proposal(
                    share["claim"],
                    names[share["claim"]],
                    None if share["minor"] is None else Money(share["minor"], row.currency),
                )
                for share in row.match.get("shares", ())
            ),
            others=tuple(names[claim_id] for claim_id in row.match.get("others", ())),
            evidence=tuple(row.match.get("evidence", ())),
            doubt=row.match.get("doubt"),
            decided_by=row.decided_by,
            decided_at=row.decided_at,
        )
        for row in found
    ]
