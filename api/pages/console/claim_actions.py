"""What a person decides about a claim: let it rest, go on, let an amount go; each with a reason.

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
    known,
    pursued,
)
from api.pages.console.page import console_router
from ledger import book
from ledger.book import ClaimRecord
from ledger.posting import Account

router = console_router()

PAUSE_DAYS_MAX = 366
_PARTS = {"interest": Account.INTEREST, "costs": Account.COSTS}


@router.post(BASE + "/pause")
async def pause(on: On, until: Line = "", reason: Line = "") -> Response:
    """Let a claim rest up to and including a day."""

    async def step(session: AsyncSession, held: ClaimRecord) -> str:
        day = day_of(until)
        pursued(held)
        if not 0 <= (day - on.today).days <= PAUSE_DAYS_MAX:
            raise Refused("day")
        if held.claim.paused_until is not None and day < held.claim.paused_until:
            # The book keeps the later day, so an earlier one ends the pause first.
            await book.resume(session, on.claim, now=on.now)
        await book.pause(session, on.claim, reason, until=day, now=on.now)
        on.note(session, "pause_set", reason=reason, until=day.isoformat())
        return "paused"

    return await on.take("pause", step, until=until, reason=reason)


@router.post(BASE + "/resume")
async def resume(on: On, reason: Line = "") -> Response:
    """Let a claim go on before its day."""

    async def step(session: AsyncSession, held: ClaimRecord) -> str:
        pursued(held)
        await book.resume(session, on.claim, now=on.now)
        on.note(session, "pause_ended", reason=reason)
        return "resumed"

    return await on.take("resume", step, reason=reason)


@router.post(BASE + "/waive")
async def waive(
    on: On, part: Line = "", amount: Line = "", reason: Line = "", key: Line = ""
) -> Response:
    """Let an amount of interest or costs go; a form that is sent twice does it once."""

    async def step(session: AsyncSession, held: ClaimRecord) -> str:
        known(part, tuple(_PARTS))
        ours, again = command_key(key, held)
        wanted = amount_of(amount, held)
        if not again:
            pursued(held)
        await book.post_waiver(
            session, on.claim, wanted, value_date=on.today, now=on.now, key=ours, part=_PARTS[part]
        )
        if not again:
            on.note(
                session, "amount_waived", part=part, amount_minor=wanted.minor,
                currency=wanted.currency, reason=reason,
            )  # fmt: skip
        return "waived"

    return await on.take("waive", step, part=part, amount=amount, reason=reason)
