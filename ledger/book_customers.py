"""What concerns all claims of a customer at once: a payment without a claim's reference."""

from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from ledger import book_rows as rows
from ledger.allocation import allocate_payment
from ledger.book_command import PostingCommand
from ledger.book_owed import owed_on
from ledger.book_rows import OpenBook
from ledger.chain import input_hash
from ledger.claim import PURSUED
from ledger.errors import AmountNotPositive, ClaimUnknown
from ledger.money import Money, total
from ledger.posting import Marking, Movement, Posting, PostingKind, payment
from ledger.statement import Receipt
from storage.tables import Claim


async def post_customer_payment(
    session: AsyncSession,
    customer_id: int,
    amount: Money,
    *,
    value_date: date,
    now: datetime,
    key: str,
    chosen_claim_id: int | None = None,
) -> tuple[Receipt, ...]:
    """Post a payment on the customer's claims in the order of § 366 BGB, the chosen one first.

    Claims that are not pursued any more, or are in another currency, are left out; where none is
    left, the payment is kept as overpaid on the newest one. Raises ``ClaimUnknown`` where the
    customer has no claim in this currency or not the chosen one, and what a payment raises.
    """
    if amount.minor <= 0:
        raise AmountNotPositive(str(amount))
    found = await session.scalars(
        select(Claim)
        .where(Claim.customer_id == customer_id)
        .order_by(Claim.id)
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    claims = [claim for claim in found if claim.currency == amount.currency]
    if not claims or chosen_claim_id not in (None, *(claim.id for claim in claims)):
        raise ClaimUnknown(chosen_claim_id or f"of customer {customer_id}")
    fingerprint = input_hash(
        "customer_payment",
        customer=customer_id,
        amount=amount,
        value_date=value_date,
        chosen=chosen_claim_id,
    )
    postings = await rows.postings_by_claim(session, [claim.id for claim in claims])
    # A repetition goes where the payment went, not where it would go now.
    shares = _posted_before(postings, key)
    if not shares:
        agreements = await rows.agreements_by_claim(session, [claim.id for claim in claims])
        owed = [
            await owed_on(session, claim, postings[claim.id], agreements[claim.id], value_date)
            for claim in claims
            if claim.status in PURSUED or claim.id == chosen_claim_id
        ]
        today = await rows.local_day(session, claims[0], now)
        shares = (
            allocate_payment(amount, owed, today=today, chosen=chosen_claim_id)
            if owed
            else {claims[-1].id: amount}
        )
    receipts = []
    for claim_id, share in shares.items():
        command = PostingCommand(
            "customer_payment",
            claim_id,
            value_date,
            now,
            _share_key(key, claim_id),
            share,
            fingerprint,
        )
        receipts.append(await command.run(session, _paying(share)))
    return tuple(receipts)


def _paying(share: Money) -> Callable[[OpenBook], Sequence[Movement]]:
    return lambda book: payment(share, book.open, book.marking(Marking.BY_LAW))


def _share_key(key: str, claim_id: int) -> str:
    return f"{key}:{claim_id}"


def _posted_before(postings: Mapping[int, Sequence[Posting]], key: str) -> dict[int, Money]:
    shares = {}
    for claim_id, of_claim in postings.items():
        made = [
            posting.amount
            for posting in of_claim
            if posting.command_key == _share_key(key, claim_id)
            and posting.kind is PostingKind.PAYMENT
            and posting.rebooks is None
        ]
        if made:
            shares[claim_id] = total(made, made[0].currency)
    return shares
