"""How a person ends a claim: a payment, an objection answered, handing back, writing off.

Every step is a command of the book, in one transaction with its line in the audit.
"""

from fastapi import Response
from sqlalchemy.ext.asyncio import AsyncSession

from api.pages.console.claim_step import (
    BASE,
    Line,
    On,
    Refused,
    amount_of,
    command_key,
    day_of,
    pursued,
)
from api.pages.console.page import console_router
from ledger import book
from ledger.book import ClaimRecord
from ledger.claim import ClaimStatus

router = console_router()


@router.post(BASE + "/payment")
async def payment(
    on: On, amount: Line = "", day: Line = "", reason: Line = "", key: Line = ""
) -> Response:
    """Post money that came another way than by the bank statement; once, however often sent."""

    async def step(session: AsyncSession, held: ClaimRecord) -> str:
        ours, again = command_key(key, held)
        paid, paid_on = amount_of(amount, held), day_of(day)
        if not held.claim.invoice_date <= paid_on <= on.today:
            raise Refused("past_day")
        if not again and paid > held.open.total:
            raise Refused("paid_too_much")
        await book.post_payment(session, on.claim, paid, value_date=paid_on, now=on.now, key=ours)
        if not again:
            on.note(
                session, "payment_entered", amount_minor=paid.minor, currency=paid.currency,
                reason=reason,
            )  # fmt: skip
        return "payment"

    return await on.take("payment", step, amount=amount, day=day, reason=reason)


@router.post(BASE + "/resolve")
async def resolve(on: On, reason: Line = "") -> Response:
    """The objection is answered and the claim stands."""

    async def step(session: AsyncSession, held: ClaimRecord) -> str:
        if held.claim.status != ClaimStatus.DISPUTED:
            raise Refused("stale")
        await book.resolve_dispute(session, on.claim, now=on.now)
        on.note(session, "objection_answered", reason=reason)
        return "resolved"

    return await on.take("resolve", step, reason=reason)


@router.post(BASE + "/recall")
async def recall(on: On, reason: Line = "", sure: Line = "") -> Response:
    """Pursue the claim no more; what is owed on it stays the merchant's own affair."""

    async def step(session: AsyncSession, held: ClaimRecord) -> str:
        pursued(held)
        _sure(sure)
        await book.recall(session, on.claim, reason, now=on.now)
        on.note(session, "handed_back", reason=reason)
        return "recalled"

    return await on.take("recall", step, reason=reason)


@router.post(BASE + "/write-off")
async def write_off(on: On, reason: Line = "", sure: Line = "", key: Line = "") -> Response:
    """Let go everything that is open."""

    async def step(session: AsyncSession, held: ClaimRecord) -> str:
        _sure(sure)
        ours, again = command_key(key, held)
        if not again:
            pursued(held)
            on.note(
                session, "written_off", amount_minor=held.open.total.minor,
                currency=held.claim.currency, reason=reason,
            )  # fmt: skip
        await book.write_off(session, on.claim, now=on.now, key=ours)
        return "written_off"

    return await on.take("write-off", step, reason=reason)


def _sure(given: str) -> None:
    if given != "yes":
        raise Refused("sure")
