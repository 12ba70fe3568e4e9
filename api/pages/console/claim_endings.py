"""How a person ends a claim: a payment, an objection answered, handing back, writing off.

Every step is a command of the book, in one transaction with its line in the audit.
"""

from fastapi import Request, Response
from sqlalchemy.ext.asyncio import AsyncSession

from api.pages.console.claim_step import (
    BASE,
    Adjuster,
    Line,
    Refused,
    amount_of,
    command_key,
    day_of,
    known,
    note,
    pursued,
    take,
)
from api.pages.console.conversations import Id
from api.pages.console.customers import REASONS
from api.pages.console.page import console_router, parts_of
from ledger import book
from ledger.book import ClaimRecord
from ledger.claim import ClaimStatus

router = console_router()


@router.post(BASE + "/payment")
async def payment(
    request: Request,
    person: Adjuster,
    customer: Id,
    claim: Id,
    amount: Line = "",
    day: Line = "",
    reason: Line = "",
    key: Line = "",
) -> Response:
    """Post money that came another way than by the bank statement; once, however often sent."""

    async def step(session: AsyncSession, held: ClaimRecord) -> str:
        known(reason, REASONS["payment"])
        ours, again = command_key(key, held)
        now, paid, paid_on = parts_of(request).clock.now(), amount_of(amount, held), day_of(day)
        if not held.claim.invoice_date <= paid_on <= now.astimezone(person.zone).date():
            raise Refused("past_day")
        if not again and paid > held.open.total:
            raise Refused("paid_too_much")
        await book.post_payment(session, claim, paid, value_date=paid_on, now=now, key=ours)
        if not again:
            note(
                request, session, person, "payment_entered", held,
                amount_minor=paid.minor, currency=paid.currency, reason=reason,
            )  # fmt: skip
        return "payment"

    given = {"amount": amount, "day": day, "reason": reason}
    return await take(request, person, (customer, claim), ("payment", given), step)


@router.post(BASE + "/resolve")
async def resolve(
    request: Request, person: Adjuster, customer: Id, claim: Id, reason: Line = ""
) -> Response:
    """The objection is answered and the claim stands."""

    async def step(session: AsyncSession, held: ClaimRecord) -> str:
        known(reason, REASONS["resolve"])
        if held.claim.status != ClaimStatus.DISPUTED:
            raise Refused("stale")
        await book.resolve_dispute(session, claim, now=parts_of(request).clock.now())
        note(request, session, person, "objection_answered", held, reason=reason)
        return "resolved"

    return await take(request, person, (customer, claim), ("resolve", {"reason": reason}), step)


@router.post(BASE + "/recall")
async def recall(
    request: Request,
    person: Adjuster,
    customer: Id,
    claim: Id,
    reason: Line = "",
    sure: Line = "",
) -> Response:
    """Pursue the claim no more; what is owed on it stays the merchant's own affair."""

    async def step(session: AsyncSession, held: ClaimRecord) -> str:
        pursued(held)
        known(reason, REASONS["recall"])
        _sure(sure)
        await book.recall(session, claim, reason, now=parts_of(request).clock.now())
        note(request, session, person, "handed_back", held, reason=reason)
        return "recalled"

    return await take(request, person, (customer, claim), ("recall", {"reason": reason}), step)


@router.post(BASE + "/write-off")
async def write_off(
    request: Request,
    person: Adjuster,
    customer: Id,
    claim: Id,
    reason: Line = "",
    sure: Line = "",
    key: Line = "",
) -> Response:
    """Let go everything that is open."""

    async def step(session: AsyncSession, held: ClaimRecord) -> str:
        known(reason, REASONS["write-off"])
        _sure(sure)
        ours, again = command_key(key, held)
        if not again:
            pursued(held)
            note(
                request, session, person, "written_off", held,
                amount_minor=held.open.total.minor, currency=held.claim.currency, reason=reason,
            )  # fmt: skip
        await book.write_off(session, claim, now=parts_of(request).clock.now(), key=ours)
        return "written_off"

    return await take(request, person, (customer, claim), ("write-off", {"reason": reason}), step)


def _sure(given: str) -> None:
    if given != "yes":
        raise Refused("sure")
