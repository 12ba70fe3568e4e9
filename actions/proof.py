"""Asking for proof of identity, judging it through the port, and going on with the wish."""

from actions.reading import Proof, is_reference, proof_in
from actions.turn import PERSON, Turn, button

WISHES = frozenset(
    {
        "pay_now",
        "choose_channel",
        "request_bank_details",
        "ask_payment_options",
        "promise_payment",
        "request_deferral",
        "request_instalments",
        "propose_amount",
        "request_discount",
        "request_invoice_copy",
    }
)
"""Intents that deserve a "gladly" before the question for proof; it would mock "I have paid"."""


async def demand_proof(turn: Turn) -> None:
    """Remember what was wanted and ask for proof; proof that came with the wish is used at once."""
    if not is_reference(turn.heard.text):  # a reference wishes for nothing, whatever it resembles
        turn.remember(wish={**turn.heard.to_data(), "action": turn.action, "ready": False})
    proof = proof_in(turn.heard, turn.slot("given"), asked=turn.awaiting == "verification")
    if proof.numbers or (proof.birth_date and proof.postal_code):
        await judge(turn, proof)
    elif not await unprovable(turn):
        wording = "verification_needed"
        if turn.facts.lapsed:
            wording = "verification_lapsed"
        elif turn.heard.intent in WISHES and turn.awaiting != "verification":
            wording = "verification_first"
        ask_for_proof(turn, wording)


def ask_for_proof(turn: Turn, wording: str) -> None:
    """Ask for one of the facts that the merchant supplied, and for nothing else."""
    turn.ask("verification")
    buttons = [button("is_it_real", "ask_sender"), PERSON]
    turn.say(wording, facts=list(turn.facts.askable), buttons=buttons)


async def unprovable(turn: Turn) -> bool:
    """Where no proof can be given here a person takes over; True when that is so."""
    if turn.facts.locked:
        wording, reason = "verification_locked", "verification_locked"
    elif turn.facts.customer_id is None or not turn.facts.askable:
        wording, reason = "verification_impossible", "verification_impossible"
    else:
        return False
    await turn.context.conversation.request_person(reason, {})
    turn.ask("none")
    turn.remember(wish=None, given=None)
    turn.say(wording)
    return True


async def judge(turn: Turn, proof: Proof) -> None:
    """Try a proof; success goes on with what was wanted, in the same turn."""
    if await unprovable(turn):
        return
    outcome = await turn.context.conversation.verify(
        numbers=proof.numbers, birth_date=proof.birth_date, postal_code=proof.postal_code
    )
    # A postal code may have been tried as a number: its other half may still come.
    turn.remember(given={"postal_code": proof.postal_code} if proof.postal_code else None)
    if outcome == "verified":
        _continue(turn)
    elif outcome == "locked":
        turn.facts = await turn.context.conversation.facts()
        await unprovable(turn)
    else:
        ask_for_proof(turn, "verification_again")


def _continue(turn: Turn) -> None:
    turn.ask("none")
    turn.remember(given=None)
    if turn.facts.channel != "sms":
        turn.say("verified")
    wish = turn.slot("wish")
    if wish:
        turn.remember(wish={**wish, "ready": True})
        turn.go_on_with(wish["action"])
    else:
        turn.go_on_with("action_explain_claim")
