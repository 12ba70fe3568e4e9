"""What a person decides about a claim: let it rest, go on, let an amount go; each with a reason.

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
from ledger.posting import Account

router = console_router()

PAUSE_DAYS_MAX = 366
_PARTS = {"interest": Account.INTEREST, "costs": Account.COSTS}


@router.post(BASE + "/pause")
async def pause(
    request: Request, person: Adjuster, customer: Id, claim: Id, until: Line = "", reason: Line = ""
) -> Response:
    """Let a claim rest up to and including a day."""

    async def step(session: AsyncSession, held: ClaimRecord) -> str:
        now = parts_of(request).clock.now()
        day, today = day_of(until), now.astimezone(person.zone).date()
        pursued(held)
        known(reason, REASONS["pause"])
        if not 0 <= (day - today).days <= PAUSE_DAYS_MAX:
            raise Refused("day")
        if held.claim.paused_until is not None and day < held.claim.paused_until:
            # The book keeps the later day, so an earlier one ends the pause first.
            await book.resume(session, claim, now=now)
        await book.pause(session, claim, reason, until=day, now=now)
        note(request, session, person, "pause_set", held, reason=reason, until=day.isoformat())
        return "paused"

    given = {"until": until, "reason": reason}
    return await take(request, person, (customer, claim), ("pause", given), step)


@router.post(BASE + "/resume")
async def resume(
    request: Request, person: Adjuster, customer: Id, claim: Id, reason: Line = ""
) -> Response:
    """Let a claim go on before its day."""

    async def step(session: AsyncSession, held: ClaimRecord) -> str:
        pursued(held)
        known(reason, REASONS["resume"])
        await book.resume(session, claim, now=parts_of(request).clock.now())
        note(request, session, person, "pause_ended", held, reason=reason)
        return "resumed"

    return await take(request, person, (customer, claim), ("resume", {"reason": reason}), step)


@router.post(BASE + "/waive")
async def waive(
    request: Request,
    person: Adjuster,
    customer: Id,
    claim: Id,
    part: Line = "",
    amount: Line = "",
    reason: Line = "",
    key: Line = "",
) -> Response:
    """Let an amount of interest or costs go; a form that is sent twice does it once."""

    async def step(session: AsyncSession, held: ClaimRecord) -> str:
        known(reason, REASONS["waive"])
        known(part, tuple(_PARTS))
        ours, again = command_key(key, held)
        now, wanted = parts_of(request).clock.now(), amount_of(amount, held)
        if not again:
            pursued(held)
        await book.post_waiver(
            session, claim, wanted, value_date=now.astimezone(person.zone).date(), now=now,
            key=ours, part=_PARTS[part],
        )  # fmt: skip
        if not again:
            note(
                request, session, person, "amount_waived", held,
                part=part, amount_minor=wanted.minor, currency=wanted.currency, reason=reason,
            )  # fmt: skip
        return "waived"

    given = {"part": part, "amount": amount, "reason": reason}
    return await take(request, person, (customer, claim), ("waive", given), step)
