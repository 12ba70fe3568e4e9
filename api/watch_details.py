"""What a watched agreement's note says to a customer who has just proved who they are."""

from datetime import datetime
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from actions.offers import rates_of
from actions.turn import plain
from conversation.identity import proof_holds
from conversation.outbox import Scene
from conversation.speaker import Reply
from ledger import book
from ledger.money import total
from ledger.statement import Statement
from outreach.facts import PlannedContact, Step
from outreach.money_facts import money_of


async def details(
    session: AsyncSession, held: Scene, planned: PlannedContact, now: datetime
) -> Reply | None:
    """The note with its figures; None where nobody has proved who they are, or it has none."""
    wording = planned.step.details
    if wording is None or planned.claim_id is None:
        return None
    if not proof_holds(held.customer_id, held.verified_at, held.policy, now):
        return None
    if held.customer_id != planned.customer_id:
        return None
    if planned.step in (Step.PAID, Step.RETURNED):
        return await _of_money(session, planned, wording, now)
    found = await book.statement(session, planned.claim_id)
    args = {"invoice": found.invoice_number, **_figures(planned.step, found)}
    return Reply(wording, {name: plain(each) for name, each in args.items() if each is not None})


async def _of_money(
    session: AsyncSession, planned: PlannedContact, wording: str, now: datetime
) -> Reply | None:
    """What was paid or came back, on which invoice where it is one, and what is left of it."""
    listed = await money_of(session, planned.merchant_id, [planned.customer_id])
    told = next((m for m in listed.get(planned.customer_id, ()) if m.about == planned.about), None)
    if told is None:
        return None
    found = [await book.statement(session, claim_id, now=now) for claim_id in told.claim_ids]
    args: dict[str, Any] = {"amount": told.amount}
    if len(found) == 1:
        args["invoice"] = found[0].invoice_number
    if planned.step is Step.PAID:
        left = total((one.open.total for one in found), told.amount.currency)
        args |= {"left": left} if left else {}
    return Reply(wording, {name: plain(each) for name, each in args.items()})


def _figures(step: Step, found: Statement) -> dict[str, Any]:
    agreement = found.agreement
    if agreement is None or step is Step.SETTLED:
        return {"amount": found.paid}
    if step is Step.NEWS:
        paid = [part.paid for part in agreement.progress]
        return {
            "why": agreement.because,
            "rates": rates_of(agreement.terms, paid),
            "total": agreement.terms.total,
        }
    coming = agreement.next_instalment
    return {
        "amount": agreement.progress[0].paid,
        "next_amount": coming.missing if coming else None,
        "next_due": coming.instalment.due if coming else None,
    }
