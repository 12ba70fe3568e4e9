"""Answers to the question for proof of identity."""

from actions.dialogue_action import DialogueAction
from actions.proof import ask_for_proof, judge, unprovable
from actions.reading import Proof, proof_in
from actions.turn import PERSON, Turn


class Verify(DialogueAction):
    """Take an answer to the question for proof."""

    title = "action_verify"

    async def act(self, turn: Turn) -> None:
        if turn.facts.verified:
            turn.ask("none")
            turn.go_on_with("action_explain_claim")
            return
        proof = proof_in(turn.heard, turn.slot("given"))
        half = _missing_half(turn, proof)
        if half is not None:
            if await unprovable(turn):
                return
            turn.remember(given={"birth_date": proof.birth_date})
            turn.ask("verification")
            turn.say("verification_half", missing=half)
        elif proof.numbers or (proof.birth_date and proof.postal_code):
            await judge(turn, proof)
        elif not await unprovable(turn):
            ask_for_proof(turn, "verification_nothing_found")


def _missing_half(turn: Turn, proof: Proof) -> str | None:
    """The half that is missing where birth date or postal code came alone, and no number."""
    if "birth_date_and_postal_code" not in turn.facts.askable:
        return None
    if proof.birth_date and not proof.postal_code and not proof.numbers:
        return "postal_code"
    # Five digits may as well be a number: that is a try, see `judge`.
    return None


class ExplainVerification(DialogueAction):
    """The customer would rather not prove anything: say why it is asked, and leave it."""

    title = "action_explain_verification"

    async def act(self, turn: Turn) -> None:
        if await unprovable(turn):
            return
        turn.ask("verification")
        turn.say("verification_why", facts=list(turn.facts.askable), buttons=[PERSON])
