"""Promise, deferral, instalments, discount: from a wish to an agreement in the ledger."""

from __future__ import annotations

from datetime import date, timedelta

from actions.claims import Focus, focus, focus_to_speak_of, say_nothing_to_do, tell_once
from actions.dialogue_action import DialogueAction
from actions.instalments import (
    Proposal,
    ask_for_amount,
    plan_in_force,
    plan_on_the_table,
    proposal,
)
from actions.new_day import missed, suggest_new_day
from actions.offers import (
    Asked,
    Offer,
    answer,
    back_to_offer,
    current_offer,
    names_other_terms,
    pressed_old_button,
    rates_of,
    term_args,
)
from actions.payment import bank_details_by_person, talked_about
from actions.remarks import names_what_goes_off
from actions.roles import Mark
from actions.turn import INSTALMENTS, LATER, PAY_NOW, PERSON, Turn
from ledger import book
from ledger.agreements import Deferral, InstalmentPlan, Promise, Settlement
from ledger.errors import AgreementRefused, ClaimInDispute, ClaimNotOpen, NothingOwed
from ledger.money import Money
from ledger.statement import AgreementRecord, Statement
from negotiation.bounds import guard_for, latest, start_latest
from negotiation.negotiate import (
    evaluate,
    evaluate_deferral,
    evaluate_discount,
    evaluate_promise,
)


class MakePromise(DialogueAction):
    """ "I will pay on Friday": everything on a day; less than everything becomes a plan."""

    title = "action_promise"
    discloses = True

    async def act(self, turn: Turn) -> None:
        found = await focus_to_speak_of(turn)
        if found is None:
            return
        told = proposal(turn.heard, found.open, turn.facts.policy)
        day, amount = told.day, turn.heard.amount(found.open)
        plan = None if _about_everything(turn, found) else plan_in_force(found)
        if _pays_less_by(turn, day, amount):
            turn.go_on_with("action_offer_discount")
            return
        if plan is not None and day is not None and _keeps(turn, found, plan, day, amount):
            turn.go_on_with("action_tell_agreement")
            return
        in_parts = told.down is not None or told.end is not None
        if in_parts or (plan is not None and day is not None):
            turn.go_on_with("action_plan_instalments")
            return
        if day is None:
            tell_once(turn, found)
            unclear = turn.heard.has("date") or turn.awaiting == "promise_date"
            turn.ask("promise_date")
            turn.say("date_unclear" if unclear else "promise_ask_date")
            return
        if _is_past(turn, day, "promise_date"):
            return
        decision = evaluate_promise(turn.facts.policy, found.facts, day, amount)
        await answer(turn, found, decision, Asked(amount=amount, day=day))


class Defer(DialogueAction):
    """ "I need more time": everything later; interest rests until then."""

    title = "action_defer"
    discloses = True

    async def act(self, turn: Turn) -> None:
        found = await focus_to_speak_of(turn)
        if found is None:
            return
        day, everything = turn.heard.day(), _about_everything(turn, found)
        if day is not None and turn.awaiting == "promise_date":
            turn.go_on_with("action_promise")  # "next Monday is fine": the day that was asked for
            return
        if everything and not turn.heard.has("date") and turn.heard.amount(found.open) is not None:
            # "Can I pay everything earlier?" needs no time.
            turn.go_on_with("action_give_bank_details")
            return
        told = proposal(turn.heard, found.open, turn.facts.policy)
        if _pays_less_by(turn, day, turn.heard.amount(found.open)):
            turn.go_on_with("action_offer_discount")
            return
        plan = None if everything else plan_on_the_table(turn) or plan_in_force(found)
        later = told.day is not None or Mark.PAUSE in turn.heard.marks
        if told.down is not None or (plan is not None and later):
            # "Rather from the 15th" about a plan moves its days.
            turn.go_on_with("action_plan_instalments")
            return
        if day is not None and _is_past(turn, day, "deferral_date"):
            return
        if day is not None:
            decision = evaluate_deferral(turn.facts.policy, found.facts, day)
            await answer(turn, found, decision, Asked(day=day))
            return
        late = missed(turn, found)
        if late is not None and turn.awaiting == "none" and not turn.heard.has("date"):
            suggest_new_day(turn, found, late)
            return
        tell_once(turn, found)
        unclear = turn.heard.has("date") or turn.awaiting == "deferral_date"
        # "The first one in January": which day is asked, and the plan stays on the table.
        turn.ask("confirm_agreement" if unclear and plan_on_the_table(turn) else "deferral_date")
        if unclear:
            turn.say("date_unclear")
        else:
            policy, facts = turn.facts.policy, found.facts
            last = latest(facts, policy.deferral_days_max(facts.age_days))
            turn.say("deferral_ask_date", latest=start_latest(policy, facts) if plan else last)


def _about_everything(turn: Turn, found: Focus) -> bool:
    """Whether the line is about the whole sum, where an instalment could be meant."""
    return Mark.EVERYTHING in turn.heard.marks or turn.heard.amount(found.open) == found.open


def _keeps(turn: Turn, found: Focus, plan: InstalmentPlan, day: date, amount: Money | None) -> bool:
    """Whether somebody says that the next instalment comes in time: nothing needs to change."""
    due = found.facts.instalment_due
    in_time = due is not None and turn.facts.today <= day <= due
    return turn.heard.intent == "promise_payment" and in_time and amount in (None, plan.regular)


def _pays_less_by(turn: Turn, day: date | None, amount: Money | None) -> bool:
    """Whether a day is named for the smaller amount on the table, not for the whole one."""
    offer, days = current_offer(turn), turn.facts.policy.discount_days_max
    if offer is None or day is None or not isinstance(offer.terms, Settlement):
        return False
    return amount in (None, offer.terms.amount) and day <= turn.facts.today + timedelta(days=days)


def _is_past(turn: Turn, day: date, question: str) -> bool:
    """A day that has passed is asked for again: it was meant otherwise."""
    if day >= turn.facts.today:
        return False
    turn.ask(question)
    turn.say("date_past", date=day)
    return True


class OfferDiscount(DialogueAction):
    """ "Can you make it 80?": less when it is paid at once, as far as policy goes."""

    title = "action_offer_discount"
    discloses = True

    async def act(self, turn: Turn) -> None:
        found = await focus_to_speak_of(turn)
        if found is None:
            return
        amount, day = turn.heard.amount(found.open), turn.heard.day()
        if amount is not None and names_what_goes_off(turn.heard.text, turn.heard.entities):
            amount = found.open - amount if amount < found.open else None
        if amount == found.open:
            amount = None  # "if I pay everything at once": a condition, no figure
        asked, offer = Asked(amount=amount, day=day), current_offer(turn)
        if offer is not None and isinstance(offer.terms, Settlement) and (amount or day):
            # What is left open is taken from the suggestion: bargaining is about one figure.
            amount = amount or offer.terms.amount
            day = day or max(offer.terms.due, found.facts.today)
        decision = evaluate_discount(turn.facts.policy, found.facts, amount, day)
        await answer(turn, found, decision, asked)


class ReviseOffer(DialogueAction):
    """A bare day, number or amount while a suggestion is on the table changes that suggestion."""

    title = "action_revise_offer"
    discloses = True

    async def act(self, turn: Turn) -> None:
        offer, heard = current_offer(turn), turn.heard
        if offer is None or heard.has("invoice_number"):
            turn.go_on_with("action_take_fact")
            return
        balance = Money(offer.balance_minor, offer.terms.total.currency)
        told = proposal(heard, balance, turn.facts.policy, plan_on_the_table(turn))
        if not told and heard.has("date"):
            # "When my pay comes": the suggestion stays.
            turn.say("date_unclear")
        elif not told:
            postpones = heard.intent == "not_now"
            turn.go_on_with("action_postpone" if postpones else "action_take_fact")
        elif isinstance(offer.terms, InstalmentPlan) and told == Proposal(amount=balance):
            turn.go_on_with("action_promise")  # "no, all at once then": on which day?
        elif isinstance(offer.terms, InstalmentPlan) or told != Proposal(day=told.day):
            turn.go_on_with("action_plan_instalments")
        elif isinstance(offer.terms, Settlement):
            turn.go_on_with("action_offer_discount")
        elif isinstance(offer.terms, Deferral):
            turn.go_on_with("action_defer")
        else:
            turn.go_on_with("action_promise")


class ChangeOffer(DialogueAction):
    """The suggestion does not suit: ask for one figure that would."""

    title = "action_change_offer"
    discloses = True

    async def act(self, turn: Turn) -> None:
        if pressed_old_button(turn):
            offer_outdated(turn)
            return
        offer = current_offer(turn)
        if offer is not None and names_other_terms(turn, offer):
            turn.go_on_with("action_revise_offer")  # "no, rather four"
            return
        turn.remember(offer=None)
        if offer is not None and isinstance(offer.terms, InstalmentPlan):
            ask_for_amount(turn, offer.terms.period)
        else:
            turn.ask("way")
            turn.say("ways", buttons=[PAY_NOW, LATER, INSTALMENTS, PERSON])


def offer_outdated(turn: Turn) -> None:
    """An old button: say kindly that nothing was put down."""
    offer = current_offer(turn)
    if offer is None:
        turn.ask("way")
    turn.say("offer_outdated", buttons=[PAY_NOW, LATER, INSTALMENTS])


class ConfirmAgreement(DialogueAction):
    """The customer says yes: the suggestion is judged again, then it stands in the ledger."""

    title = "action_confirm_agreement"
    discloses = True

    async def act(self, turn: Turn) -> None:
        if pressed_old_button(turn):
            offer_outdated(turn)
            return
        offer = current_offer(turn)
        if offer is None:
            turn.go_on_with("action_offer_ways")
            return
        pressed = turn.heard.one("offer") == offer.id
        if not pressed and names_other_terms(turn, offer):
            turn.go_on_with("action_revise_offer")  # "yes, but not before the 15th"
            return
        turn.remember(claim_id=offer.claim_id)
        found = await focus_to_speak_of(turn)
        if found is None:
            turn.remember(offer=None)
        elif _asks_new_day(turn, offer):
            return
        elif found.statement.claim_id != offer.claim_id or found.open.minor != offer.balance_minor:
            await _offer_anew(turn, found, offer)
        elif offer.shown != turn.context.follows and not pressed:
            # A "yes" from before the suggestion was read, or to something else that was said
            # since: the suggestion is shown again instead.
            decision = evaluate(turn.facts.policy, found.facts, offer.terms)
            await answer(turn, found, decision, Asked())
        elif await _posted(turn, offer):
            await bank_details_by_person(turn)
            _confirm(turn, found, offer)
        else:
            await _offer_anew(turn, found, offer)


def _asks_new_day(turn: Turn, offer: Offer) -> bool:
    """Ask for another day where the one for everything has passed before the yes came."""
    if not isinstance(offer.terms, Promise | Deferral):
        return False
    question = "promise_date" if isinstance(offer.terms, Promise) else "deferral_date"
    if not _is_past(turn, offer.terms.instalments[0].due, question):
        return False
    turn.remember(offer=None)
    return True


async def _posted(turn: Turn, offer: Offer) -> bool:
    """Post the agreement under the turn's key; False when it is no longer allowed."""
    try:
        await book.agree(
            turn.context.session,
            offer.claim_id,
            offer.terms,
            guard=guard_for(turn.facts.policy),
            now=turn.context.now,
            key=turn.context.key,
            conversation_id=turn.context.conversation_id,
        )
    except (AgreementRefused, ClaimInDispute, ClaimNotOpen, NothingOwed):
        return False
    return True


async def _offer_anew(turn: Turn, found: Focus, offer: Offer) -> None:
    """Balance or policy changed between suggestion and yes: say so, with the new figures."""
    turn.say("offer_changed", why=_what_changed(found, offer), open=found.open)
    decision = evaluate(turn.facts.policy, found.facts, offer.terms)
    await answer(turn, found, decision, Asked())


def _what_changed(found: Focus, offer: Offer) -> str:
    """The code of why the suggestion cannot stand as it was shown."""
    if found.statement.claim_id != offer.claim_id:
        return "invoice"
    if found.open.minor == offer.balance_minor:
        return "terms"
    return "less" if found.open.minor < offer.balance_minor else "more"


def _confirm(turn: Turn, found: Focus, offer: Offer) -> None:
    turn.remember(offer=None)
    turn.ask("none")
    wording = "plan_agreed" if isinstance(offer.terms, InstalmentPlan) else "payment_agreed"
    turn.say(
        wording,
        **term_args(found, offer.terms),
        invoice=found.statement.invoice_number,
        reference=found.statement.rf_reference,
    )


class TellAgreement(DialogueAction):
    """What was agreed, and how far it is kept."""

    title = "action_tell_agreement"
    discloses = True

    async def act(self, turn: Turn) -> None:
        found = await focus(turn)
        if found is None:
            if not _tell_end(turn, await talked_about(turn)):
                await say_nothing_to_do(turn)
            return
        record = found.agreement
        if record is None:
            # "When would the last one be?" is about what was just suggested.
            if back_to_offer(turn):
                return
            turn.ask("way")
            if not _tell_end(turn, found.statement):
                turn.say("agreement_none")
            turn.say("ways", buttons=[PAY_NOW, LATER, INSTALMENTS])
            return
        paid = [part.paid for part in record.progress]
        following = record.next_instalment
        turn.say(
            "agreement_active",
            invoice=found.statement.invoice_number,
            rates=rates_of(record.terms, paid),
            rhythm=record.rhythm,
            total=record.terms.total,
            paid=sum(paid[1:], start=paid[0]),
            next_amount=following.missing if following else None,
            next_due=following.instalment.due if following else None,
            late=int(following is not None and following.overdue(turn.facts.today)),
        )
        _tell_changes(turn, record)
        back_to_offer(turn)


def _tell_changes(turn: Turn, record: AgreementRecord) -> None:
    """What is not as it was agreed at first: partly paid, paid early, changed since."""
    following = record.next_instalment
    partly = following if following is not None and following.paid else None
    early = sum(part.paid_early for part in record.progress)
    if partly is None and not early and record.because is None:
        return
    changed = record.agreed_at.date() if record.because is not None else None
    turn.say(
        "agreement_notes",
        partly=partly.paid if partly else None,
        partly_due=partly.instalment.due if partly else None,
        early=early or None,
        changed=changed,
        why=record.because,
    )


def _tell_end(turn: Turn, statement: Statement | None) -> bool:
    """How the last agreement ended; False where there was none."""
    record = statement.agreement if statement is not None else None
    if statement is None or record is None or record.ended_at is None:
        return False
    turn.say(
        "agreement_ended",
        invoice=statement.invoice_number,
        outcome=record.status,
        day=record.ended_at.date(),
    )
    return True


class ChangeAgreement(DialogueAction):
    """The customer cannot keep what was agreed: thank them, and find something new."""

    title = "action_change_agreement"
    discloses = True

    async def act(self, turn: Turn) -> None:
        found = await focus_to_speak_of(turn)
        if found is None:
            return
        told = proposal(turn.heard, found.open, turn.facts.policy)
        late = missed(turn, found)
        if told == Proposal(day=told.day) and (told or Mark.PAUSE in turn.heard.marks):
            turn.go_on_with("action_defer")
        elif told:
            turn.go_on_with("action_plan_instalments")
        elif late is not None and turn.awaiting != "new_day":
            turn.remember(offer=None)
            suggest_new_day(turn, found, late)
        else:
            turn.remember(offer=None)
            turn.ask("way")
            turn.say("agreement_change", buttons=[LATER, INSTALMENTS, PERSON])
