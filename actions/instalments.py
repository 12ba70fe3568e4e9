"""Instalments: what a line proposes, laid over the plan that is talked about."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date

from actions.claims import Focus, focus_to_speak_of
from actions.dialogue_action import DialogueAction
from actions.offers import Asked, answer, current_offer
from actions.reading import Heard
from actions.roles import Mark, Role
from actions.turn import Turn
from ledger.agreements import DownPayment, InstalmentPlan, Settlement
from ledger.money import Money
from ledger.schedule import Period, add_months, due_days
from negotiation.negotiate import evaluate, evaluate_instalments
from negotiation.offers import InstalmentRequest
from negotiation.policy import Policy


@dataclass(frozen=True, slots=True)
class Proposal:
    """What one line proposes: a first payment of its own, and regular ones; anything may miss."""

    count: int | None = None
    amount: Money | None = None
    period: Period | None = None
    day: date | None = None
    down: Money | None = None
    down_day: date | None = None

    def __bool__(self) -> bool:
        return self != Proposal()


def proposal(heard: Heard, whole: Money, policy: Policy) -> Proposal:
    """Read a line's proposal; shares ("half") are taken of `whole`."""
    first, rest = heard.of_role(Role.FIRST), heard.without_role(Role.FIRST)
    count, amount = _figures(rest, whole, policy)
    down = first.amount(whole)
    if down is not None and Mark.REST in heard.marks:
        count = 1
    return Proposal(count, amount, rest.period(), rest.day(), down, first.day() if down else None)


def _figures(heard: Heard, whole: Money, policy: Policy) -> tuple[int | None, Money | None]:
    """The number and the amount that were named.

    A bare figure is read as both: it is euros where an instalment may be that large, else a number
    of instalments. A single one ("20 *a* month") is no number of instalments beside an amount.
    """
    count, amount = heard.count(), heard.amount(whole)
    if count is None or amount is None:
        return count, amount
    if heard.same_words("amount", "count"):
        fits = 2 <= count <= policy.instalment_count_max(whole) and not heard.period()
        if fits and amount.minor < policy.instalment_minor_min:
            return count, None
        return None, amount
    return (None if count == 1 else count), amount


def plan_in_force(found: Focus) -> InstalmentPlan | None:
    """The instalment plan that holds now."""
    terms = found.agreement.terms if found.agreement else None
    return terms if isinstance(terms, InstalmentPlan) else None


def plan_on_the_table(turn: Turn) -> InstalmentPlan | None:
    """The instalment plan that waits for a yes."""
    offer = current_offer(turn)
    return offer.terms if offer is not None and isinstance(offer.terms, InstalmentPlan) else None


class PlanInstalments(DialogueAction):
    """Instalments by number, by amount, or left open; again and again until it suits."""

    title = "action_plan_instalments"
    discloses = True

    async def act(self, turn: Turn) -> None:
        found = await focus_to_speak_of(turn)
        if found is None:
            return
        policy, offer = turn.facts.policy, current_offer(turn)
        told = proposal(turn.heard, found.open, policy)
        alone = told.amount is not None and told == Proposal(amount=told.amount, day=told.day)
        if offer is not None and alone and turn.heard.intent != "request_instalments":
            if isinstance(offer.terms, Settlement):
                turn.go_on_with("action_offer_discount")  # "rather 70" is still about less
                return
            if not isinstance(offer.terms, InstalmentPlan):
                told = replace(told, day=told.day or offer.terms.instalments[0].due)
        if not told and turn.awaiting == "instalment_terms":
            turn.say("instalments_ask_again")
            return
        table = plan_on_the_table(turn)
        if not told and table is not None and turn.heard.has("date"):
            turn.ask("confirm_agreement")  # "when my pay comes": the suggestion stays
            turn.say("date_unclear")
            return
        if not told and table is not None:
            decision = evaluate(policy, found.facts, table)
        else:
            decision = evaluate_instalments(policy, found.facts, _request(turn, found, told))
        count = None if told.down else told.count
        asked = Asked(amount=told.amount or told.down, count=count, day=told.day)
        await answer(turn, found, decision, asked)


def _request(turn: Turn, found: Focus, told: Proposal) -> InstalmentRequest:
    """The wish for instalments; what is left open is taken from the plan that is talked about.

    So "and from the 15th?" changes the day of the plan, and "rather 30" its amount; "pause" moves
    what is still open on by one instalment.
    """
    table, force = plan_on_the_table(turn), plan_in_force(found)
    wish = InstalmentRequest(told.count, told.amount, told.period, told.day)
    if told.down is not None:
        wish = replace(wish, down=DownPayment(told.down, told.down_day or found.facts.today))
        plan = table or force
        if plan is None or told.count or told.amount:
            return wish
        return replace(wish, amount=plan.regular, period=told.period or plan.period)
    if table is not None:
        return _over(wish, table, max(table.first, found.facts.today), table.down_payment)
    if force is None:
        return wish
    coming = _coming(force, found)
    paused = Mark.PAUSE in turn.heard.marks
    if wish.first_due is not None:
        wish = replace(wish, first_due=_moved(wish.first_due, force, coming[0]))
    elif paused:
        wish = replace(wish, first_due=coming[1])
    return _over(wish, force, coming[0], _unpaid_down(force, found))


def _over(
    wish: InstalmentRequest, plan: InstalmentPlan, first: date, down: DownPayment | None
) -> InstalmentRequest:
    """The wish, completed from a plan; a number of instalments counts the down payment too."""
    if wish == InstalmentRequest():
        return wish
    amount = wish.amount
    if amount is None and wish.count is None:
        amount = plan.regular
    return InstalmentRequest(
        count=max(1, wish.count - 1) if wish.count and down else wish.count,
        amount=amount,
        period=wish.period or plan.period,
        first_due=wish.first_due or first,
        down=down,
    )


def _coming(plan: InstalmentPlan, found: Focus) -> tuple[date, date]:
    """The days from which the unpaid instalments of the plan in force count, and one later."""
    today, record = found.facts.today, found.agreement
    following = record.next_instalment if record else None
    number = following.instalment.number if following else plan.count
    place = max(0, number - 1 - int(plan.starts_apart))
    days = due_days(plan.first, plan.period, place + 2)[place:]
    if days[0] >= today:
        return days[0], days[1]
    # Overdue: it counts from today, and the plan goes on with its next day to come.
    while days[1] <= today:
        days = due_days(days[1], plan.period, 2)
    return today, days[1]


def _moved(day: date, plan: InstalmentPlan, coming: date) -> date:
    """The day that a plan in force moves to: of the month in which its next instalment is due, not
    of one that is paid."""
    while plan.period is Period.MONTHLY and day < coming:
        day = add_months(day, 1)
    return day


def _unpaid_down(plan: InstalmentPlan, found: Focus) -> DownPayment | None:
    record = found.agreement
    missing = record.progress[0].missing if record else None
    if plan.down_payment is None or not missing:
        return None
    return DownPayment(missing, max(plan.down_payment.due, found.facts.today))
