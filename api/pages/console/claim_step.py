"""What a step on a claim shares: it is taken under its customer, in one transaction, and noted.

The claim is held before it is looked at, so what is decided by is what is changed.
"""

import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import date, datetime
from typing import Annotated, Any

from fastapi import Depends, Form, Request, Response
from sqlalchemy.ext.asyncio import AsyncSession

from api.pages.console.conversations import Id
from api.pages.console.customers import REASONS, Problem, show
from api.pages.console.page import go, notice, parts_of
from api.people import audit
from api.people.access import Needs
from api.people.roles import Permission
from api.people.sessions import SignedIn
from ledger import book
from ledger.book import ClaimRecord
from ledger.book_rows import lock_claims
from ledger.claim import PURSUED
from ledger.errors import AmountNotPositive, ClaimUnknown, LedgerError, WaiverExceedsBalance
from ledger.money import (
    AmountAmbiguous,
    AmountUnreadable,
    Money,
    UnknownCurrency,
    parse_amount,
)
from storage.tables import Claim

BASE = "/customers/{customer}/claims/{claim}"
_KEY = re.compile(r"[0-9a-f]{32}", re.ASCII)
Adjuster = Annotated[SignedIn, Depends(Needs(Permission.ADJUST))]
Line = Annotated[str, Form(max_length=80)]
Step = Callable[[AsyncSession, ClaimRecord], Awaitable[str]]


class Refused(Exception):
    """It was not done; the text is the code of why."""


@dataclass(frozen=True, slots=True)
class OnClaim:
    """A form about a claim of a customer, and who sent it."""

    request: Request
    person: SignedIn
    customer: int
    claim: int
    now: datetime

    @property
    def today(self) -> date:
        """The merchant's day."""
        return self.now.astimezone(self.person.zone).date()

    async def take(self, form: str, step: Step, **given: str) -> Response:
        """Take a step on a claim that is this customer's, and show what came of it.

        `form` names the step, whose reasons are the only ones; `given` is what comes back in the
        fields where it is refused.
        """
        try:
            async with parts_of(self.request).database.merchant(self.person.merchant_id) as session:
                await lock_claims(session, Claim.id == self.claim)
                held = await book.record(session, self.claim, now=self.now)
                if held.claim.customer_id != self.customer:
                    raise ClaimUnknown(self.claim)
                known(given["reason"], REASONS[form])
                done = await step(session, held)
        except ClaimUnknown:
            return notice(self.request, "nothing", 404, {"person": self.person})
        except (Refused, LedgerError) as refused:
            problem = Problem(self.claim, form, _code(refused), given)
            return await show(self.request, self.person, self.customer, problem=problem)
        return go(self.request, f"/console/customers/{self.customer}", done=done)

    def note(self, session: AsyncSession, kind: str, **facts: Any) -> None:
        """The step's line in the audit."""
        audit.note(
            session, self.person, kind, self.now, merchant_id=self.person.merchant_id,
            customer_id=self.customer, claim_id=self.claim, **facts,
        )  # fmt: skip


async def _on_claim(request: Request, person: Adjuster, customer: Id, claim: Id) -> OnClaim:
    return OnClaim(request, person, customer, claim, parts_of(request).clock.now())


On = Annotated[OnClaim, Depends(_on_claim)]


def _code(refused: Exception) -> str:
    if isinstance(refused, Refused):
        return str(refused)
    if isinstance(refused, WaiverExceedsBalance):
        return "too_much"
    return "amount" if isinstance(refused, AmountNotPositive) else "stale"


def known(given: str, known_ones: tuple[str, ...]) -> str:
    """What was chosen of a list."""
    if given not in known_ones:
        raise Refused("reason")
    return given


def pursued(held: ClaimRecord) -> None:
    """Only a claim that is pursued is changed."""
    if held.claim.status not in PURSUED:
        raise Refused("ended")


def day_of(given: str) -> date:
    """A day of a form's field."""
    try:
        return date.fromisoformat(given)
    except ValueError as invalid:
        raise Refused("day") from invalid


def amount_of(given: str, held: ClaimRecord) -> Money:
    """An amount in the claim's currency."""
    try:
        return parse_amount(given, currency=held.claim.currency)
    except (AmountUnreadable, AmountAmbiguous, UnknownCurrency) as invalid:
        raise Refused("amount") from invalid


def command_key(key: str, held: ClaimRecord) -> tuple[str, bool]:
    """The book's key for a form, and whether the form was sent before."""
    if not _KEY.fullmatch(key):
        raise Refused("stale")
    ours = f"console:{key}"
    return ours, ours in {posting.command_key for posting in held.postings}
