"""Paying now, trouble with paying, and payments that were made already."""

from datetime import timedelta

from actions.claims import Focus, focus, focus_to_speak_of, say_nothing_to_do, tell_once
from actions.dialogue_action import DialogueAction
from actions.documents import being_checked, keep_documents
from actions.offers import back_to_offer, current_offer
from actions.reading import DOCUMENT
from actions.roles import Mark, Role
from actions.turn import PERSON, Turn
from ledger import book
from ledger.agreements import Settlement
from ledger.statement import Statement
from negotiation.bounds import offers_less_at_once


async def bank_details_by_person(turn: Turn) -> None:
    """Let a person send where to transfer, if the merchant has no account stored."""
    if not turn.facts.has_bank_details:
        await turn.context.conversation.request_person("bank_details", {})


class GiveBankDetails(DialogueAction):
    """Amount, payee, IBAN and the reference that finds the claim.

    Who wants to pay now wants no suggestion any more; who only asks for the account may.
    """

    title = "action_give_bank_details"
    discloses = True

    async def act(self, turn: Turn) -> None:
        found = await focus_to_speak_of(turn)
        if found is None:
            return
        if turn.heard.of_role(Role.FIRST).amount(found.open) is not None:
            turn.go_on_with("action_plan_instalments")  # a part now, the rest later
            return
        if turn.heard.intent == "pay_now" and Mark.NOT_EVERYTHING in turn.heard.marks:
            turn.go_on_with("action_plan_instalments")  # "I can't pay all of it right now"
            return
        if turn.heard.intent == "pay_now" and _costs_less_now(turn, found):
            return
        tell_once(turn, found)
        await bank_details_by_person(turn)
        if turn.facts.has_bank_details:
            turn.say("bank_details", amount=found.open, reference=found.statement.rf_reference)
        else:
            turn.say("bank_details_missing")
        if turn.heard.intent == "pay_now":
            turn.remember(offer=None)
        back_to_offer(turn)
        if current_offer(turn) is None or turn.awaiting != "confirm_agreement":
            turn.ask("none")


def _costs_less_now(turn: Turn, found: Focus) -> bool:
    """Go on with what policy lets go for paying at once, where that is so."""
    offer, policy = current_offer(turn), turn.facts.policy
    if offer is not None and isinstance(offer.terms, Settlement):
        turn.go_on_with("action_confirm_agreement")  # "then I'll transfer it now"
    elif found.agreement is None and offers_less_at_once(policy, found.facts):
        turn.go_on_with("action_offer_discount")
    else:
        return False
    return True


class HelpFailedPayment(DialogueAction):
    """A link or card did not work: a transfer always does."""

    title = "action_help_failed_payment"
    discloses = True

    async def act(self, turn: Turn) -> None:
        found = await focus_to_speak_of(turn)
        if found is None:
            return
        turn.say("payment_failed")
        turn.go_on_with("action_give_bank_details")


class OrderReceipt(DialogueAction):
    """What has arrived is confirmed at once; any other receipt is sent by a person."""

    title = "action_order_receipt"

    async def act(self, turn: Turn) -> None:
        found = await talked_about(turn) if turn.facts.verified else None
        if found is not None and found.paid:
            settled = found.open.total.minor <= 0
            turn.say(
                "receipt_settled" if settled else "receipt_payment",
                invoice=found.invoice_number,
                **({} if settled else {"amount": found.paid, "open": found.open.total}),
                buttons=[PERSON],
            )
            back_to_offer(turn)
            return
        await turn.context.conversation.request_person("receipt", {})
        turn.say("task_for_team")
        back_to_offer(turn)


async def talked_about(turn: Turn) -> Statement | None:
    """The claim in focus, or the one that was, even where nothing is open on it any more."""
    found = await focus(turn)
    if found is not None:
        return found.statement
    if (claim_id := turn.slot("claim_id")) is None:
        return None
    return await book.statement(turn.context.session, claim_id, now=turn.context.now)


class AskPaid(DialogueAction):
    """Already paid: reminders pause at once; when and how was it?"""

    title = "action_ask_paid"
    discloses = True

    async def act(self, turn: Turn) -> None:
        found = await focus(turn)
        if found is None:
            await say_nothing_to_do(turn)
            return
        await _pause(turn, found.statement.claim_id)
        if turn.heard.day() is not None or turn.heard.has(DOCUMENT):
            turn.go_on_with("action_note_paid")
            return
        turn.remember(offer=None)
        turn.ask("paid_details")
        turn.say("already_paid_ask")


class NotePaid(DialogueAction):
    """When and how it was paid goes to a person, who finds the payment.

    People write "yesterday", and how in a line of its own: that is added to what was noted.
    """

    title = "action_note_paid"
    discloses = True

    async def act(self, turn: Turn) -> None:
        found = await focus(turn)
        if found is None:
            await say_nothing_to_do(turn)
            return
        more = turn.awaiting == "paid_more"
        if more and being_checked(turn, found) != "payment_reported":
            turn.ask("none")  # another claim by now
            turn.go_on_with("action_ask_paid")
            return
        day = turn.heard.day()
        if day is not None and day > turn.facts.today and turn.heard.intent == "promise_payment":
            turn.go_on_with("action_promise")
            return
        paid_on = day if day is not None and day <= turn.facts.today else None
        told = {} if paid_on is None and more else {"paid_on": paid_on and paid_on.isoformat()}
        await _pause(turn, found.statement.claim_id)
        documents = await keep_documents(turn, found.statement.claim_id)
        await turn.context.conversation.request_person(
            "payment_reported",
            {"claim": found.statement.claim_id, **told, **documents},
        )
        turn.remember(offer=None)
        turn.ask("paid_more")
        if more:
            turn.say("document_added", answer_by=answer_by(turn))
            return
        turn.say(
            "already_paid_noted",
            paid_on=paid_on,
            receipts=len(turn.heard.values(DOCUMENT)),
            answer_by=answer_by(turn),
        )


def answer_by(turn: Turn) -> object:
    """The day by which the answer of a check comes, from policy."""
    return turn.facts.today + timedelta(days=turn.facts.policy.check_days)


async def _pause(turn: Turn, claim_id: int) -> None:
    until = turn.facts.today + timedelta(days=turn.facts.policy.check_days)
    await book.pause(
        turn.context.session, claim_id, "payment_reported", until=until, now=turn.context.now
    )
