"""What a person decides about a claim: let it rest, go on, let an amount go; each with a reason.

Every step is a command of the book, in one transaction with its line in the audit.
"""

import re
from collections.abc import Awaitable, Callable
from datetime import date
from typing import Annotated, Any

from fastapi import Depends, Form, Request, Response
from sqlalchemy.ext.asyncio import AsyncSession

from api.pages.console.conversations import Id
from api.pages.console.customers import (
    GO_ON_REASONS,
    PAUSE_REASONS,
    WAIVE_REASONS,
    Problem,
    show,
)
from api.pages.console.page import console_router, go, notice, parts_of
from api.people import audit
from api.people.access import Needs
from api.people.roles import Permission
from api.people.sessions import SignedIn
from ledger import book
from ledger.book import ClaimRecord
from ledger.claim import PURSUED
from ledger.errors import AmountNotPositive, ClaimUnknown, LedgerError, WaiverExceedsBalance
from ledger.money import AmountAmbiguous, AmountUnreadable, UnknownCurrency, parse_amount
from ledger.posting import Account

router = console_router()

PAUSE_DAYS_MAX = 366
_PARTS = {"interest": Account.INTEREST, "costs": Account.COSTS}
_KEY = re.compile(r"[0-9a-f]{32}", re.ASCII)
Adjuster = Annotated[SignedIn, Depends(Needs(Permission.ADJUST))]
Line = Annotated[str, Form(max_length=80)]
Step = Callable[[AsyncSession, ClaimRecord], Awaitable[str]]
_BASE = "/customers/{customer}/claims/{claim}"


class Refused(Exception):
    """It was not done; the text is the code of why."""


@router.post(_BASE + "/pause")
async def pause(
    request: Request, person: Adjuster, customer: Id, claim: Id, until: Line = "", reason: Line = ""
) -> Response:
    """Let a claim rest up to and including a day."""

    async def step(session: AsyncSession, held: ClaimRecord) -> str:
        now = parts_of(request).clock.now()
        day, today = _day(until), now.astimezone(person.zone).date()
        _pursued(held)
        _known(reason, PAUSE_REASONS)
        if not 0 <= (day - today).days <= PAUSE_DAYS_MAX:
            raise Refused("day")
        if held.claim.paused_until is not None and day < held.claim.paused_until:
            # The book keeps the later day, so an earlier one ends the pause first.
            await book.resume(session, claim, now=now)
        await book.pause(session, claim, reason, until=day, now=now)
        _note(request, session, person, "pause_set", held, reason=reason, until=day.isoformat())
        return "paused"

    given = {"until": until, "reason": reason}
    return await _done(request, person, (customer, claim), ("pause", given), step)


@router.post(_BASE + "/resume")
async def resume(
    request: Request, person: Adjuster, customer: Id, claim: Id, reason: Line = ""
) -> Response:
    """Let a claim go on before its day."""

    async def step(session: AsyncSession, held: ClaimRecord) -> str:
        _pursued(held)
        _known(reason, GO_ON_REASONS)
        await book.resume(session, claim, now=parts_of(request).clock.now())
        _note(request, session, person, "pause_ended", held, reason=reason)
        return "resumed"

    return await _done(request, person, (customer, claim), ("resume", {"reason": reason}), step)


@router.post(_BASE + "/waive")
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
        _known(reason, WAIVE_REASONS)
        _known(part, tuple(_PARTS))
        if not _KEY.fullmatch(key):
            raise Refused("stale")
        now = parts_of(request).clock.now()
        try:
            wanted = parse_amount(amount, currency=held.claim.currency)
        except (AmountUnreadable, AmountAmbiguous, UnknownCurrency) as invalid:
            raise Refused("amount") from invalid
        again = f"console:{key}" in {posting.command_key for posting in held.postings}
        if not again:
            _pursued(held)
        await book.post_waiver(
            session, claim, wanted, value_date=now.astimezone(person.zone).date(), now=now,
            key=f"console:{key}", part=_PARTS[part],
        )  # fmt: skip
        if not again:
            _note(
                request, session, person, "amount_waived", held,
                part=part, amount_minor=wanted.minor, currency=wanted.currency, reason=reason,
            )  # fmt: skip
        return "waived"

    given = {"part": part, "amount": amount, "reason": reason}
    return await _done(request, person, (customer, claim), ("waive", given), step)


async def _done(
    request: Request,
    person: SignedIn,
    of: tuple[int, int],
    form: tuple[str, dict[str, str]],
    step: Step,
) -> Response:
    """Take a step on a claim that is this customer's, and show what came of it."""
    customer, claim = of
    try:
        async with parts_of(request).database.merchant(person.merchant_id) as session:
            held = await book.record(session, claim, now=parts_of(request).clock.now())
            if held.claim.customer_id != customer:
                raise ClaimUnknown(claim)
            done = await step(session, held)
    except ClaimUnknown:
        return notice(request, "nothing", 404, {"person": person})
    except (Refused, LedgerError) as refused:
        problem = Problem(claim, form[0], _code(refused), form[1])
        return await show(request, person, customer, problem=problem)
    return go(request, f"/console/customers/{customer}", done=done)


def _code(refused: Exception) -> str:
    if isinstance(refused, Refused):
        return str(refused)
    if isinstance(refused, WaiverExceedsBalance):
        return "too_much"
    return "amount" if isinstance(refused, AmountNotPositive) else "stale"


def _known(given: str, known: tuple[str, ...]) -> None:
    if given not in known:
        raise Refused("reason")


def _pursued(held: ClaimRecord) -> None:
    if held.claim.status not in PURSUED:
        raise Refused("ended")


def _day(given: str) -> date:
    try:
        return date.fromisoformat(given)
    except ValueError as invalid:
        raise Refused("day") from invalid


def _note(
    request: Request,
    session: AsyncSession,
    person: SignedIn,
    kind: str,
    held: ClaimRecord,
    **facts: Any,
) -> None:
    audit.note(
        session, person, kind, parts_of(request).clock.now(),
        merchant_id=person.merchant_id, customer_id=held.claim.customer_id,
        claim_id=held.claim.id, **facts,
    )  # fmt: skip
