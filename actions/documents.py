"""Photos and files: the bot cannot read them, but they arrive, and a person does.

The file stays where it came in, with its message; what is kept here is that it came, and for what.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from actions.claims import Focus, focus
from actions.dialogue_action import DialogueAction
from actions.offers import back_to_offer
from actions.reading import DOCUMENT
from actions.turn import PERSON, Turn, button
from ledger.claim import ClaimStatus

_TAKEN_BY = {
    "paid_details": "action_note_paid",
    "paid_more": "action_note_paid",
    "dispute_reason": "action_note_dispute",
    "objection": "action_dispute_other",
    "objection_check": "action_dispute_other",
    "authority": "action_note_authority",
    "verification": "action_verify",
}
"""Which action takes a document as the answer to which question."""


async def keep_documents(turn: Turn, claim_id: int | None = None) -> Mapping[str, Any]:
    """Note what came with the message; the facts of it for a person, none where nothing came."""
    kinds = turn.heard.values(DOCUMENT)
    if not kinds:
        return {}
    await turn.context.conversation.note("document_received", {"kinds": kinds}, claim_id=claim_id)
    return {"documents": kinds}


async def ask_person(turn: Turn, reason: str, claim_id: int) -> None:
    """Ask for a person about the claim, with what came with the message."""
    facts = await keep_documents(turn, claim_id)
    await turn.context.conversation.request_person(reason, {"claim": claim_id, **facts})


def dispute_reason(found: Focus) -> str:
    """Why the disputed claim rests."""
    return found.statement.pause_reason or "dispute_other"


class TakeDocument(DialogueAction):
    """A photo or a file: the answer to a question, more for a running check, or: what for?"""

    title = "action_take_document"

    async def act(self, turn: Turn) -> None:
        following = _TAKEN_BY.get(turn.awaiting)
        if following is not None:
            turn.go_on_with(following)
            return
        found = await focus(turn) if turn.facts.verified else None
        if found is not None and (reason := being_checked(turn, found)):
            await ask_person(turn, reason, found.statement.claim_id)
            turn.say("document_added", answer_by=found.statement.paused_until)
            return
        await keep_documents(turn, found.statement.claim_id if found else None)
        if turn.facts.waiting:
            turn.say("person_already_coming")
            back_to_offer(turn)
        elif found is not None:
            choices = [button("already_paid", "already_paid"), button("goods", "dispute_goods")]
            turn.say("document_ask", buttons=[*choices, PERSON])
        else:
            turn.say("unsupported_media")


def being_checked(turn: Turn, found: Focus) -> str | None:
    """Why the claim is being looked into; None where it is not."""
    statement = found.statement
    if found.facts.status is ClaimStatus.DISPUTED:
        return dispute_reason(found)
    paused = statement.paused_until is not None and statement.paused_until >= turn.facts.today
    return "payment_reported" if paused and statement.pause_reason == "payment_reported" else None
