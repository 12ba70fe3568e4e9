"""Instalments: what a line proposes, laid over the plan that is talked about."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, timedelta
from math import log

from actions.claims import Focus, focus_to_speak_of
from actions.dialogue_action import DialogueAction
from actions.offers import Asked, answer, current_offer, lay_on_table
from actions.reading import Heard, month_without_day
from actions.roles import Mark, Role
from actions.turn import LATER, PERSON, Turn, button
from ledger.agreements import DownPayment, InstalmentPlan, Settlement
from ledger.money import Money
from ledger.schedule import Period, add_months, due_days
from negotiation.bounds import INSTALMENTS_MIN
from negotiation.negotiate import evaluate, evaluate_instalments
from negotiation.offers import Accept, Escalate, InstalmentRequest
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
    end: date | None = None
    """The day by which all is to be paid."""
    other_rhythm: bool = False

    def __bool__(self) -> bool:
        return self != Proposal()


def proposal(
    heard: Heard, whole: Money, policy: Policy, table: InstalmentPlan | None = None
) -> Proposal:
    """Read a line's proposal about the plan on the `table`; shares are taken of `whole`."""
    first, end = heard.of_role(Role.FIRST), heard.of_role(Role.LAST).day()
    rest = heard.without_role(Role.FIRST).without_role(Role.LAST)
    count, amount = _figures(rest, whole, policy, table)
    down = first.amount(whole)
    if down is not None and Mark.REST in heard.marks:
        count = 1
    elif down and amount and not rest.has("period", "count") and _add_up(down, amount, whole):
        count, amount = 1, None  # "half now, half in January"
    down_day = first.day() if down else None
    rhythm = rest.period(), rest.other_rhythm()
    return Proposal(count, amount, rhythm[0], rest.day(), down, down_day, end, rhythm[1])


def _add_up(one: Money, other: Money, whole: Money) -> bool:
    """Whether two parts are the whole; two halves of an odd sum lack or exceed a cent."""
    return abs(one.minor + other.minor - whole.minor) <= 1


def _figures(
    heard: Heard, whole: Money, policy: Policy, table: InstalmentPlan | None
) -> tuple[int | None, Money | None]:
    """The number and the amount that were named.

    A single one ("20 *a* month") is no number of instalments beside an amount, and the whole sum
    ("everything in 3 instalments") is no instalment.
    """
    count, amount = heard.count(), heard.amount(whole)
    in_parts = count is not None or heard.period() or heard.intent == "request_instalments"
    if amount == whole and in_parts and count != 1:
        amount = None
    if count is None or amount is None:
        return count, amount
    if heard.same_words("amount", "count"):
        meant = _meant_by(count, amount, whole, policy, table)
        return (count, None) if meant == "count" else (None, amount)
    return (None if count == 1 else count), amount


def _meant_by(
    count: int, amount: Money, whole: Money, policy: Policy, table: InstalmentPlan | None
) -> str:
    """What a bare figure is: "count", "amount", or "either".

    It is an amount where policy has not so many instalments, a number of them where it has none so
    small; else the one that is much nearer to the plan on the table.
    """
    least, regulars = policy.instalment_minor_min, len(table.regulars) if table else None
    possible = 2 <= count <= policy.instalment_count_max(whole)
    if possible and amount.minor < least:
        return "count"
    if not possible or count == regulars or whole.minor // count < least:
        return "amount"
    if table is None or regulars is None:
        return "either"
    nearer = abs(log(amount.minor / table.regular.minor)) - abs(log(count / regulars))
    if abs(nearer) < log(2):
        return "either"
    return "count" if nearer > 0 else "amount"


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
        table = plan_on_the_table(turn)
        told = proposal(turn.heard, found.open, policy, table)
        if told.day and told == Proposal(amount=found.open, day=told.day):
            turn.go_on_with("action_promise")  # "no thanks, I'll pay all of it on the 5th"
            return
        if _asks_which_figure(turn, found, table):
            return
        alone = told.amount is not None and told == Proposal(amount=told.amount, day=told.day)
        if offer is not None and alone and turn.heard.intent != "request_instalments":
            if isinstance(offer.terms, Settlement):
                turn.go_on_with("action_offer_discount")  # "rather 70" is still about less
                return
            if not isinstance(offer.terms, InstalmentPlan):
                told = replace(told, day=told.day or offer.terms.instalments[0].due)
        if not told and turn.awaiting == "instalment_terms":
            ask_for_amount(turn, _refused_rhythm(turn) or policy.instalment_periods[0])
            return
        if not told and table is not None and turn.heard.has("date"):
            turn.ask("confirm_agreement")  # "when my pay comes": the suggestion stays
            turn.say("date_unclear")
            return
        if not told and table is not None:
            decision = evaluate(policy, found.facts, table)
        else:
            decision = evaluate_instalments(policy, found.facts, _request(turn, found, told))
        if isinstance(decision, Accept) and _rest_in_another_month(turn, told, decision):
            lay_on_table(turn, found, decision.terms)
            turn.say("date_unclear")
            return
        count = None if told.down else told.count
        asked = Asked(amount=told.amount or told.down, count=count, day=told.day)
        await answer(turn, found, decision, asked)


def _rest_in_another_month(turn: Turn, told: Proposal, offered: Accept) -> bool:
    """Whether what a first payment leaves is to come in a month, without a day, in which the
    suggestion has no payment: "half now and half in May"."""
    if told.down is None or told.count != 1 or told.day is not None:
        return False
    month = month_without_day(turn.heard.without_role(Role.FIRST))
    return month is not None and offered.terms.instalments[-1].due.month != month


def ask_for_amount(turn: Turn, period: Period) -> None:
    """A plan did not suit: which amount would, in its own rhythm?"""
    turn.ask("instalment_terms")
    turn.remember(rhythm=period.value)
    turn.say("instalments_ask_again", period=period, buttons=[LATER, PERSON])


def _refused_rhythm(turn: Turn) -> Period | None:
    """The rhythm of the plan that was just refused, in which another amount is asked for."""
    rhythm = turn.slot("rhythm") if turn.awaiting == "instalment_terms" else None
    return Period(rhythm) if rhythm else None


def _request(turn: Turn, found: Focus, told: Proposal) -> InstalmentRequest:
    """The wish for instalments; what is left open is taken from the plan that is talked about.

    So "and from the 15th?" changes the day of the plan, and "rather 30" its amount; "pause" moves
    what is still open on by one instalment.
    """
    table, force = plan_on_the_table(turn), plan_in_force(found)
    told = _with_end(told, table, turn.facts.policy, found)
    wish = InstalmentRequest(
        told.count,
        told.amount,
        told.period or (None if told.other_rhythm else _refused_rhythm(turn)),
        told.day,
        other_rhythm=told.other_rhythm,
    )
    if told.down is not None:
        plan = table or force
        wish = replace(wish, down=DownPayment(told.down, _down_day(turn, told, plan, found)))
        if plan is None or told.count or told.amount:
            return wish
        return replace(wish, amount=plan.regular, period=told.period or plan.period)
    if table is not None and told.day and told.period and (told.amount or told.count):
        return wish  # "60 a month from January": a plan of its own, without what was to come first
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
    down = _unpaid_down(force, found)
    only_days = InstalmentRequest(first_due=wish.first_due)
    if down is None and wish.first_due is not None and wish == only_days:
        wish = replace(wish, count=_left_evenly(force, found))
    return _over(wish, force, coming[0], down)


def _left_evenly(plan: InstalmentPlan, found: Focus) -> int | None:
    """How many instalments of the plan in force are left, where they share what is open but for
    the cents that did not divide: by amount those would become an instalment of their own."""
    record = found.agreement
    left = sum(bool(part.missing) for part in record.progress) if record else 0
    if left < INSTALMENTS_MIN:
        return None
    even = found.open.minor // left
    return left if abs(even - plan.regular.minor) <= plan.count else None


def _down_day(turn: Turn, told: Proposal, plan: InstalmentPlan | None, found: Focus) -> date:
    """The day of a first payment: today, unless it is the plan's first instalment."""
    if told.down_day or Mark.FIRST_RATE not in turn.heard.marks:
        return told.down_day or found.facts.today
    usual = found.facts.today + timedelta(days=turn.facts.policy.instalment_first_days_usual)
    return max(plan.first, found.facts.today) if plan else usual


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
        other_rhythm=wish.other_rhythm,
    )


def _with_end(
    told: Proposal, table: InstalmentPlan | None, policy: Policy, found: Focus
) -> Proposal:
    """The proposal with its last day as the number of instalments that fit in until then.

    A day before a second one would be due is the first one's ("by the 10th of each month").
    """
    if told.end is None:
        return told
    usual = found.facts.today + timedelta(days=policy.instalment_first_days_usual)
    first = told.day or (table.first if table else usual)
    period = told.period or (table.period if table else policy.instalment_periods[0])
    count, most = 1, policy.instalment_count_max(found.open)
    while count <= most and due_days(first, period, count + 1)[-1] <= told.end:
        count += 1
    if count == 1:
        return replace(told, day=told.day or told.end, end=None)
    named = told.count is not None or told.amount is not None
    return told if named else replace(told, count=count)


def _asks_which_figure(turn: Turn, found: Focus, table: InstalmentPlan | None) -> bool:
    """Ask back where a bare figure may be a number of instalments or the amount of one, and the
    two come to different plans."""
    heard, policy = turn.heard.without_role(Role.FIRST), turn.facts.policy
    count, amount = heard.count(), heard.amount(found.open)
    if count is None or amount is None or not heard.same_words("amount", "count"):
        return False
    if turn.awaiting == "instalment_terms" or heard.period() is not None:
        return False
    if _meant_by(count, amount, found.open, policy, table) != "either":
        return False
    readings = [Proposal(count=count), Proposal(amount=amount)]
    plans = [
        evaluate_instalments(policy, found.facts, _request(turn, found, told)) for told in readings
    ]
    terms = [plan.terms for plan in plans if not isinstance(plan, Escalate)]
    if len(terms) < len(plans) or terms[0] == terms[1]:
        return False
    if table is None:
        turn.ask("instalment_terms")
    turn.say(
        "figure_unclear",
        count=count,
        amount=amount,
        buttons=[
            {**button("count", "request_instalments", count=count), "args": {"count": count}},
            {**button("each", "request_instalments", amount=amount), "args": {"amount": amount}},
        ],
    )
    return True


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
