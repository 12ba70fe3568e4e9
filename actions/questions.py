"""Questions about what is open: what it is, how much, why, and what if not."""

from datetime import timedelta
from textwrap import shorten
from typing import Any

from actions.claims import (
    CHOICES_MAX,
    focus,
    focus_to_speak_of,
    may_take_back,
    say_being_checked,
    say_nothing_to_do,
    tell_once,
    to_choose_from,
)
from actions.dialogue_action import DialogueAction
from actions.documents import being_checked
from actions.offers import back_to_offer, current_offer
from actions.proof import demand_proof
from actions.remarks import names_other_means
from actions.rest import pause_everything
from actions.turn import INSTALMENTS, LATER, PAY_NOW, PERSON, Turn, button
from ledger import book

CHOICE_CHARACTERS_MAX = 40
REFUSALS_ANSWERED = 1
REFUSAL_PAUSE_DAYS = 14
"""After a second refusal nothing is sent unasked for so long."""


class ExplainClaim(DialogueAction):
    """What it is about: what, when, how much, costs apart from the price."""

    title = "action_explain_claim"
    discloses = True

    async def act(self, turn: Turn) -> None:
        found = await focus_to_speak_of(turn)
        if found is None:
            return
        statement = found.statement
        if found.agreement is not None:
            tell_once(turn, found)
            turn.go_on_with("action_tell_agreement")
            return
        turn.remember(claim_shown=statement.claim_id)
        turn.ask("claim_ok")
        turn.say(
            "claim_explained",
            what=statement.description,
            invoice=statement.invoice_number,
            invoice_date=statement.invoice_date,
            due=statement.due_date,
            price=statement.charged.principal,
            costs=statement.charged.costs,
            costs_reason=statement.costs_reason,
            interest=statement.charged.interest,
            paid=found.credited,
            open=found.open,
            more=len(found.others),
            more_total=found.all_open(),
            buttons=[
                button("right", "affirm"),
                button("no", "deny"),
                button("already_paid", "already_paid"),
            ],
        )


class AskWhichClaim(DialogueAction):
    """Which of several invoices is meant; those whose figures may be told now."""

    title = "action_ask_which_claim"
    discloses = True

    async def act(self, turn: Turn) -> None:
        choices = await to_choose_from(turn)
        turn.ask("which_claim")
        turn.say(
            "which_claim",
            claims=[
                {
                    "what": shorten(one.description, CHOICE_CHARACTERS_MAX, placeholder=" ..."),
                    "invoice": one.invoice_number,
                    "open": one.open,
                }
                for one in choices[:CHOICES_MAX]
            ],
            more=max(0, len(choices) - CHOICES_MAX),
        )


class TellBalance(DialogueAction):
    """How much is open."""

    title = "action_tell_balance"
    discloses = True

    async def act(self, turn: Turn) -> None:
        found = await focus_to_speak_of(turn)
        if found is None:
            return
        statement = found.statement
        turn.say(
            "balance",
            invoice=statement.invoice_number,
            open=found.open,
            price=statement.charged.principal,
            costs=statement.charged.costs,
            interest=statement.charged.interest,
            paid=found.credited,
            more=len(found.others),
            more_total=found.all_open(),
        )
        back_to_offer(turn)


class ExplainCosts(DialogueAction):
    """Why there is more to pay than the price."""

    title = "action_explain_costs"
    discloses = True

    async def act(self, turn: Turn) -> None:
        found = await focus_to_speak_of(turn)
        if found is None:
            return
        statement = found.statement
        turn.say(
            "costs_explained",
            invoice=statement.invoice_number,
            price=statement.charged.principal,
            costs=statement.charged.costs,
            costs_reason=statement.costs_reason,
            interest=statement.charged.interest,
        )
        back_to_offer(turn)


class OrderInvoiceCopy(DialogueAction):
    """A copy of the invoice is sent by a person, to the address given with the order."""

    title = "action_order_invoice_copy"
    discloses = True

    async def act(self, turn: Turn) -> None:
        found = await focus(turn)
        if found is None:
            await say_nothing_to_do(turn)
            return
        statement = found.statement
        await turn.context.conversation.request_person(
            "invoice_copy", {"claim": statement.claim_id}
        )
        turn.say("invoice_copy_coming", invoice=statement.invoice_number)
        back_to_offer(turn)


class AskObjection(DialogueAction):
    """The customer says that something about the claim is not right: what?"""

    title = "action_ask_objection"
    discloses = True

    async def act(self, turn: Turn) -> None:
        turn.ask("objection")
        turn.say(
            "claim_not_right",
            buttons=[
                button("already_paid", "already_paid"),
                button("goods", "dispute_goods"),
                button("unknown", "dispute_unknown"),
            ],
        )


class OfferWays(DialogueAction):
    """Now, later, in parts: what suits?"""

    title = "action_offer_ways"
    discloses = True

    async def act(self, turn: Turn) -> None:
        if turn.awaiting == "objection_check" and turn.heard.intent == "deny":
            wish = await self._nothing_is_wrong(turn)
            if wish is not None:
                turn.remember(wish={**wish, "ready": True})
                turn.next_action = wish["action"]
                return
        found = await focus_to_speak_of(turn)
        if found is None:
            return
        tell_once(turn, found)
        if names_other_means(turn.heard.text):
            turn.say("by_transfer")
            if found.agreement is not None or current_offer(turn) is not None:
                back_to_offer(turn)
                return
        turn.ask("way")
        turn.say("ways", buttons=[PAY_NOW, LATER, INSTALMENTS])

    async def _nothing_is_wrong(self, turn: Turn) -> dict[str, Any] | None:
        """End the check that the customer's own objection began; the wish that asked for it."""
        found = await focus(turn, to_settle=True)
        if found is None or not may_take_back(found):
            return None
        claim_id, now = found.statement.claim_id, turn.context.now
        await book.resolve_dispute(turn.context.session, claim_id, now=now)
        await book.resume(turn.context.session, claim_id, now=now)
        turn.ask("none")
        wish: dict[str, Any] | None = turn.slot("wish")
        return wish


class ExplainConsequences(DialogueAction):
    """What if I don't pay: honest, without a threat."""

    title = "action_explain_consequences"
    discloses = True

    async def act(self, turn: Turn) -> None:
        found = await focus_to_speak_of(turn)
        if found is None:
            return
        if being_checked(turn, found):
            say_being_checked(turn, found)
            return
        tell_once(turn, found)
        if (agreement := found.agreement) is not None:
            following = agreement.next_instalment
            turn.say(
                "consequences_agreement",
                amount=following.missing if following else None,
                due=following.instalment.due if following else None,
                late=int(following is not None and following.overdue(turn.facts.today)),
                buttons=[button("agreement", "ask_agreement"), PERSON],
            )
            back_to_offer(turn)
            return
        if current_offer(turn) is None:
            turn.ask("way")
        turn.say(
            "consequences", in_default=int(found.default), buttons=[LATER, INSTALMENTS, PERSON]
        )


class AnswerRefusal(DialogueAction):
    """The customer will not pay: one calm answer with a question; said again, some quiet."""

    title = "action_answer_refusal"

    async def act(self, turn: Turn) -> None:
        times = int(turn.slot("refused") or 0) + (0 if turn.resumed else 1)
        turn.remember(refused=times)
        if times > REFUSALS_ANSWERED:
            await self._leave_alone(turn)
            return
        if not turn.facts.verified:
            await demand_proof(turn)
            return
        found = await focus_to_speak_of(turn)
        if found is None:
            return
        tell_once(turn, found)
        turn.remember(offer=None)
        turn.ask("objection_check")
        turn.say("refused", buttons=[button("not_right", "affirm"), LATER, PERSON])

    async def _leave_alone(self, turn: Turn) -> None:
        until = turn.facts.today + timedelta(days=REFUSAL_PAUSE_DAYS)
        await pause_everything(turn, REFUSAL_PAUSE_DAYS, "refused")
        turn.remember(offer=None, wish=None)
        turn.ask("none")
        turn.say("refused_again", until=until, buttons=[PERSON])
