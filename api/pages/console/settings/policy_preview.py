"""What three invented customers would be offered under a policy (pure)."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from conversation.wording.formats import day, money
from ledger.agreements import Deferral, InstalmentPlan, Settlement
from ledger.claim import ClaimFacts, OpenAmount
from ledger.money import Money
from negotiation import bounds
from negotiation.negotiate import evaluate_deferral, evaluate_discount
from negotiation.offers import CounterOffer, Decision
from negotiation.plans import PlanRoom
from negotiation.policy import Policy


@dataclass(frozen=True, slots=True)
class Example:
    """An invented claim, in minor units, so many days past due."""

    name: str
    principal: int
    costs: int
    interest: int
    age_days: int


EXAMPLES = (
    Example("small", 44_90, 0, 30, 20),
    Example("middle", 470_00, 5_00, 6_40, 60),
    Example("large", 2_380_00, 10_00, 74_50, 150),
)


@dataclass(frozen=True, slots=True)
class Offered:
    """What is possible for one of them without a person; nothing where it is not."""

    example: Example
    open: Money
    let_go: bool
    person: bool
    promise_by: date
    count_max: int
    regular_min: Money | None
    first: date | None
    deferral_until: date | None
    waived: Money | None
    reminders: int
    call: bool


def offered(policy: Policy, today: date) -> list[Offered]:
    """The three, each by the same functions that answer customers."""
    return [_offered(policy, example, today) for example in EXAMPLES]


def _offered(policy: Policy, example: Example, today: date) -> Offered:
    currency = policy.currency
    parts = OpenAmount(
        Money(example.costs, currency),
        Money(example.interest, currency),
        Money(example.principal, currency),
        Money.zero(currency),
    )
    facts = ClaimFacts(0, today, parts, today - timedelta(days=example.age_days))
    person = bounds.needs_person(policy, facts) is not None
    plan = None if person else _longest(policy, facts)
    effort = policy.effort(facts.balance)
    return Offered(
        example=example,
        open=facts.balance,
        let_go=policy.lets_go(facts.balance),
        person=person,
        promise_by=bounds.latest(facts, policy.promise_days_max),
        count_max=plan.count if plan else 0,
        regular_min=plan.regular if plan else None,
        first=plan.first if plan else None,
        deferral_until=_until(evaluate_deferral(policy, facts)),
        waived=_waived(evaluate_discount(policy, facts)),
        reminders=effort.reminders_max,
        call=effort.call,
    )


def _longest(policy: Policy, facts: ClaimFacts) -> InstalmentPlan | None:
    first = bounds.latest(facts, policy.instalment_first_days_usual)
    room = PlanRoom.of(policy, facts, first, policy.instalment_periods[0])
    return None if room.empty else room.longest()


def _until(decision: Decision) -> date | None:
    terms = decision.terms if isinstance(decision, CounterOffer) else None
    return terms.until if isinstance(terms, Deferral) and terms.until else None


def _waived(decision: Decision) -> Money | None:
    terms = decision.terms if isinstance(decision, CounterOffer) else None
    return terms.waived if isinstance(terms, Settlement) else None


def view(one: Offered, words: Mapping[str, Any], language: str) -> dict[str, Any]:
    """One of the three in words."""

    def euro(amount: Money) -> str:
        return str(money(amount.to_json(), language))

    def on(when: date) -> str:
        return day(when.isoformat(), language, short=True)

    none = words["not_offered"]
    plan = (
        words["plan"].format(
            count=one.count_max, regular=euro(one.regular_min), first=on(one.first)
        )
        if one.regular_min and one.first
        else none
    )
    return {
        "name": words["names"][one.example.name],
        "open": euro(one.open),
        "age": words["age"].format(days=one.example.age_days),
        "state": words["let_go"] if one.let_go else words["person"] if one.person else "",
        "lines": [
            (words["promise"], words["until"].format(day=on(one.promise_by))),
            (words["instalments"], plan),
            (
                words["deferral"],
                words["until"].format(day=on(one.deferral_until)) if one.deferral_until else none,
            ),
            (
                words["discount"],
                words["less"].format(amount=euro(one.waived)) if one.waived else none,
            ),
            (
                words["effort"],
                words["reminders"].format(count=one.reminders)
                + (words["and_call"] if one.call else ""),
            ),
        ],
    }
