"""Promise, deferral, instalments, discount: from a wish to an agreement in the ledger."""

from __future__ import annotations

from datetime import date

from actions.claims import Focus, focus, focus_to_speak_of, tell_once
from actions.dialogue_action import DialogueAction
from actions.offers import (
    Asked,
    Offer,
    answer,
    current_offer,
    pressed_old_button,
    rates_of,
    term_args,
)
from actions.turn import INSTALMENTS, LATER, PAY_NOW, PERSON, Turn
from ledger import book
from ledger.agreements import Deferral, InstalmentPlan
from ledger.errors import AgreementRefused, ClaimInDispute, ClaimNotOpen, NothingOwed
from ledger.money import Money
from negotiation.bounds import guard_for, latest
from negotiation.negotiate import (
    evaluate,
    evaluate_deferral,
    evaluate_discount,
    evaluate_instalments,
    evaluate_promise,
)
from negotiation.offers import InstalmentRequest


class MakePromise(DialogueAction):
    """ "I will pay on Friday": everything on a day; less than everything becomes a plan."""

    title = "action_promise"
    discloses = True

    async def act(self, turn: Turn) -> None:
        found = await focus_to_speak_of(turn)
        if found is None:
            return
        day, amount = turn.heard.day(), turn.heard.amount(found.open)
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
        day = turn.heard.day()
        if day is None and turn.heard.amount(found.open) == found.open:
            # "Can I pay everything earlier?" needs no time.
            turn.go_on_with("action_give_bank_details")
            return
        offer = current_offer(turn)
        if day is not None and offer is not None and isinstance(offer.terms, InstalmentPlan):
            # "Rather from the 15th" about a plan on the table moves its first day.
            turn.go_on_with("action_plan_instalments")
            return
        if day is not None and _is_past(turn, day, "deferral_date"):
            return
        if day is not None:
            decision = evaluate_deferral(turn.facts.policy, found.facts, day)
            await answer(turn, found, decision, Asked(day=day))
            return
        tell_once(turn, found)
        unclear = turn.heard.has("date") or turn.awaiting == "deferral_date"
        turn.ask("deferral_date")
        if unclear:
            turn.say("date_unclear")
        else:
            days = turn.facts.policy.deferral_days_max(found.facts.age_days)
            turn.say("deferral_ask_date", latest=latest(found.facts, days))


def _is_past(turn: Turn, day: date, question: str) -> bool:
    """A day that has passed is asked for again: it was meant otherwise."""
    if day >= turn.facts.today:
        return False
    turn.ask(question)
    turn.say("date_past", date=day)
    return True


class PlanInstalments(DialogueAction):
    """Instalments by number, by amount, or left open; again and again until it suits."""

    title = "action_plan_instalments"
    discloses = True

    async def act(self, turn: Turn) -> None:
        found = await focus_to_speak_of(turn)
        if found is None:
            return
        request = _request(turn, found)
        named = request.count or request.amount or request.period or request.first_due
        if turn.awaiting == "instalment_terms" and not named:
            turn.say("instalments_ask_again")
            return
        decision = evaluate_instalments(turn.facts.policy, found.facts, request)
        count, amount = _figures(turn, found)
        asked = Asked(amount=amount, count=count)
        await answer(turn, found, decision, asked)


def _request(turn: Turn, found: Focus) -> InstalmentRequest:
    """The wish for instalments; what is left open is taken from the plan on the table.

    So "and from the 15th?" changes the day of the plan, and "rather 30" its amount.
    """
    heard = turn.heard
    count, amount = _figures(turn, found)
    period, first = heard.period(), heard.day()
    offer = current_offer(turn)
    if offer is not None and isinstance(offer.terms, InstalmentPlan):
        if count is None and amount is None and (period or first):
            amount = offer.terms.regular
        if count or amount:
            period = period or offer.terms.period
            first = first or max(offer.terms.first, found.facts.today)
    return InstalmentRequest(count=count, amount=amount, period=period, first_due=first)


def _figures(turn: Turn, found: Focus) -> tuple[int | None, Money | None]:
    """The number and the amount that were named.

    A bare figure is read as both: it is euros where an instalment may be that large, else a number
    of instalments. A single one ("20 *a* month") is no number of instalments beside an amount.
    """
    count, amount = turn.heard.count(), turn.heard.amount(found.open)
    if count is None or amount is None:
        return count, amount
    if turn.heard.same_words("amount", "count"):
        policy = turn.facts.policy
        fits = 2 <= count <= policy.instalment_count_max(found.open)
        if fits and amount.minor < policy.instalment_minor_min:
            return count, None
        return None, amount
    return (None if count == 1 else count), amount


class OfferDiscount(DialogueAction):
    """ "Can you make it 80?": less when it is paid at once, as far as policy goes."""

    title = "action_offer_discount"
    discloses = True

    async def act(self, turn: Turn) -> None:
        found = await focus_to_speak_of(turn)
        if found is None:
            return
        amount, day = turn.heard.amount(found.open), turn.heard.day()
        decision = evaluate_discount(turn.facts.policy, found.facts, amount, day)
        await answer(turn, found, decision, Asked(amount=amount, day=day))


class ReviseOffer(DialogueAction):
    """A bare day, number or amount while a suggestion is on the table changes that suggestion."""

    title = "action_revise_offer"
    discloses = True

    async def act(self, turn: Turn) -> None:
        offer = current_offer(turn)
        heard = turn.heard
        if offer is None or heard.has("invoice_number"):
            turn.go_on_with("action_take_fact")
        elif heard.has("count", "amount", "period") or isinstance(offer.terms, InstalmentPlan):
            turn.go_on_with("action_plan_instalments")
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
        if offer is not None and turn.heard.has("count", "amount", "period", "date"):
            turn.go_on_with("action_revise_offer")  # "no, rather four"
            return
        turn.remember(offer=None)
        if offer is not None and isinstance(offer.terms, InstalmentPlan):
            turn.ask("instalment_terms")
            turn.say("instalments_ask_again", buttons=[LATER, PERSON])
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
        turn.remember(claim_id=offer.claim_id)
        found = await focus_to_speak_of(turn)
        if found is None:
            turn.remember(offer=None)
        elif found.statement.claim_id != offer.claim_id or found.open.minor != offer.balance_minor:
            await _offer_anew(turn, found, offer)
        elif (turn.context.unseen_question or offer.doubted) and (
            turn.heard.one("offer") != offer.id
        ):
            # A "yes" from before the suggestion was read, or to something else that was said
            # since: the suggestion is shown again instead.
            decision = evaluate(turn.facts.policy, found.facts, offer.terms)
            await answer(turn, found, decision, Asked())
        elif await _posted(turn, offer):
            _confirm(turn, found, offer)
        else:
            await _offer_anew(turn, found, offer)


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
    turn.say("offer_changed", open=found.open)
    decision = evaluate(turn.facts.policy, found.facts, offer.terms)
    await answer(turn, found, decision, Asked())


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
            turn.say("nothing_open")
            return
        record = found.agreement
        if record is None:
            turn.ask("way")
            turn.say("agreement_none")
            turn.say("ways", buttons=[PAY_NOW, LATER, INSTALMENTS])
            return
        paid = [part.paid for part in record.progress]
        turn.say(
            "agreement_active",
            invoice=found.statement.invoice_number,
            rates=rates_of(record.terms),
            total=record.terms.total,
            paid=sum(paid[1:], start=paid[0]),
        )


class ChangeAgreement(DialogueAction):
    """The customer cannot keep what was agreed: thank them, and find something new."""

    title = "action_change_agreement"
    discloses = True

    async def act(self, turn: Turn) -> None:
        found = await focus_to_speak_of(turn)
        if found is None:
            return
        if turn.heard.has("amount", "count"):
            turn.go_on_with("action_plan_instalments")
        elif turn.heard.day() is not None:
            turn.go_on_with("action_defer")
        else:
            turn.remember(offer=None)
            turn.ask("way")
            turn.say("agreement_change", buttons=[LATER, INSTALMENTS, PERSON])
