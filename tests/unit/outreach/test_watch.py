"""Something agreed is watched: a note, a word, thanks, a soft question; each once and in order."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.agreements import AgreementStatus, InstalmentPlan, Promise, plan_by_count
from ledger.banking_days import banking_days_after
from ledger.money import Money
from ledger.progress import Paid, progress
from ledger.repricing import Because
from ledger.statement import AgreementRecord
from negotiation.policy import BrokenNext, DayWord, Policy
from outreach.decision import decide, reachable
from outreach.facts import (
    AttemptFacts,
    CustomerFacts,
    PlannedContact,
    Sender,
    Skipped,
    SkipReason,
    Step,
    StepReason,
    Talk,
)
from outreach.watch import broken
from tests.unit.outreach.test_decision import CLAIM, CUSTOMER, SENDER, SMS, TELEGRAM

AGREED_AT = datetime(2026, 11, 2, 9, tzinfo=UTC)
DUE = date(2026, 11, 23)  # a Monday
PLAN = plan_by_count(Money(90_00), 3, first=DUE)


def at(day: date, hour: int = 10) -> datetime:
    """A moment of a day, in UTC; 11:00 in Berlin."""
    return datetime(day.year, day.month, day.day, hour, tzinfo=UTC)


def agreed(
    terms: InstalmentPlan | Promise = PLAN, *paid: tuple[int, date], **changes: Any
) -> AgreementRecord:
    payments, total = [], 0
    for minor, day in paid:
        total += minor
        payments.append(Paid(Money(total), day, at(day, 6)))
    record = AgreementRecord(
        id=5, claim_id=CLAIM.id, conversation_id=None, status=AgreementStatus.ACTIVE,
        terms=terms, agreed_at=AGREED_AT, ended_at=None, end_reason=None,
        progress=progress(terms, payments),
    )  # fmt: skip
    return replace(record, **changes)


def customer(
    record: AgreementRecord, now: datetime, *attempts: AttemptFacts, **changes: Any
) -> CustomerFacts:
    claim = replace(CLAIM, has_agreement=True, agreement=record, confirmed_at=now)
    return replace(CUSTOMER, **{"claims": [claim], "attempts": attempts, **changes})


def sent(step: Step, day: date, due: date = DUE, status: str = "delivered") -> AttemptFacts:
    about = f"claim:{CLAIM.id}:{due}"
    return AttemptFacts(1, step, at(day), SMS.id, status, about)


def policy(**changes: Any) -> Sender:
    return replace(SENDER, policy=replace(Policy(), **changes))


def said(facts: CustomerFacts, now: datetime, sender: Sender = SENDER) -> Step | None:
    decision = decide(facts, sender, now)
    return decision.step if isinstance(decision, PlannedContact) else None


def test_a_note_some_days_before_names_the_day_and_nothing_else() -> None:
    now = at(DUE - timedelta(days=3))
    planned = decide(customer(agreed(), now), SENDER, now)
    assert isinstance(planned, PlannedContact)
    assert (planned.step, planned.wording) == (Step.NOTE, "agreement_soon")
    assert planned.args == {"day": "2026-11-23"}
    assert planned.about == f"claim:{CLAIM.id}:2026-11-23"
    assert planned.template == "agreement_soon.de"


def test_before_the_note_the_decision_says_when_it_comes() -> None:
    now = at(DUE - timedelta(days=9))
    wait = decide(customer(agreed(), now), SENDER, now)
    assert isinstance(wait, Skipped)
    assert wait.reason is SkipReason.AGREEMENT
    assert wait.not_before == datetime(2026, 11, 19, 23, tzinfo=UTC)  # midnight in Berlin


@pytest.mark.parametrize(
    ("days_before", "note_days", "step"),
    [(4, 3, None), (3, 3, Step.NOTE), (2, 3, Step.NOTE), (0, 3, Step.DUE_DAY), (3, 0, None)],
)
def test_the_note_is_policy(days_before: int, note_days: int, step: Step | None) -> None:
    now = at(DUE - timedelta(days=days_before))
    assert said(customer(agreed(), now), now, policy(note_days=note_days)) is step


def test_what_was_just_agreed_needs_no_note() -> None:
    now = at(DUE - timedelta(days=3))
    just_now = agreed(agreed_at=now - timedelta(days=1))
    assert said(customer(just_now, now), now) is None
    assert said(customer(just_now, at(DUE)), at(DUE)) is Step.DUE_DAY


def test_the_day_itself_is_quiet_where_a_note_was_sent() -> None:
    noted = sent(Step.NOTE, DUE - timedelta(days=3))
    facts = customer(agreed(), at(DUE), noted)
    assert said(facts, at(DUE)) is None
    assert said(facts, at(DUE), policy(day_word=DayWord.ALWAYS)) is Step.DUE_DAY
    assert said(customer(agreed(), at(DUE)), at(DUE), policy(day_word=DayWord.NEVER)) is None


def test_a_word_on_the_day_that_failed_on_one_channel_is_said_on_the_next() -> None:
    failed = replace(sent(Step.DUE_DAY, DUE, status="failed"), contact_point_id=TELEGRAM.id)
    facts = customer(agreed(), at(DUE), failed, points=[TELEGRAM, SMS])
    planned = decide(facts, SENDER, at(DUE))
    assert isinstance(planned, PlannedContact)
    assert (planned.contact_point_id, planned.cycle) == (SMS.id, 2)


def test_who_has_written_since_the_day_came_knows_of_it() -> None:
    talk = Talk(at(DUE, 7))
    assert said(customer(agreed(), at(DUE), talk=talk), at(DUE)) is None


def test_a_missed_day_is_asked_about_two_banking_days_later() -> None:
    tuesday, wednesday = at(DUE + timedelta(days=1)), at(DUE + timedelta(days=2))
    noted = sent(Step.NOTE, DUE - timedelta(days=3))
    assert said(customer(agreed(), tuesday, noted), tuesday) is None
    planned = decide(customer(agreed(), wednesday, noted), SENDER, wednesday)
    assert isinstance(planned, PlannedContact)
    assert (planned.step, planned.step_reason) == (Step.QUESTION, StepReason.MISSED)
    asked = sent(Step.QUESTION, DUE + timedelta(days=2))
    assert said(customer(agreed(), wednesday, noted, asked), wednesday) is None


def test_nobody_is_asked_while_talking_with_us() -> None:
    now = at(DUE + timedelta(days=2))
    talk = Talk(now - timedelta(hours=3))
    wait = decide(customer(agreed(), now, talk=talk), SENDER, now)
    assert isinstance(wait, Skipped)
    assert wait.not_before == talk.last_inbound_at + timedelta(hours=24)  # type: ignore[operator]


@pytest.mark.parametrize(
    ("changes", "claim"),
    [
        ({}, {"paused_until": DUE + timedelta(days=9)}),
        ({}, {"confirmed_at": None}),
        ({}, {"status": "disputed"}),
        ({}, {"balance": Money(0)}),
        ({}, {"limitation_date": DUE}),
        ({"stopped": True}, {}),
        ({"talk": Talk(None, with_person=True)}, {}),
        ({"paused_until": at(DUE + timedelta(days=9))}, {}),
    ],
)
def test_what_holds_back_a_first_message_holds_these_back_too(
    changes: dict[str, Any], claim: dict[str, Any]
) -> None:
    now = at(DUE + timedelta(days=2))
    facts = customer(agreed(), now)
    held = replace(facts, claims=[replace(facts.claims[0], **claim)], **changes)
    assert said(held, now) is None
    assert not list(broken(held, SENDER, now + timedelta(days=60), reachable=True))


def test_the_first_instalment_is_thanked_for_once() -> None:
    paid_on = DUE - timedelta(days=5)
    facts = customer(agreed(PLAN, (30_00, paid_on)), at(paid_on))
    assert said(facts, at(paid_on)) is Step.THANKS
    assert said(facts, at(paid_on), policy(thanks=False)) is None
    thanked = AttemptFacts(1, Step.THANKS, at(paid_on), SMS.id, "sent", f"claim:{CLAIM.id}")
    again = customer(agreed(PLAN, (30_00, paid_on)), at(paid_on), thanked)
    assert said(again, at(paid_on)) is None
    late = paid_on + timedelta(days=6)
    assert said(customer(agreed(PLAN, (30_00, paid_on)), at(late)), at(late)) is not Step.THANKS


def test_a_second_instalment_is_not_thanked_for() -> None:
    second = date(2026, 12, 22)
    facts = customer(agreed(PLAN, (30_00, DUE), (30_00, second)), at(second))
    assert said(facts, at(second)) is None


def test_at_the_end_there_are_thanks_and_nothing_about_what_was_paid() -> None:
    done = agreed(
        Promise(Money(90_00), DUE), (90_00, DUE), status=AgreementStatus.KEPT, ended_at=at(DUE, 6)
    )
    facts = replace(CUSTOMER, claims=[], kept=[done])
    assert said(facts, at(DUE)) is Step.SETTLED
    assert said(facts, at(DUE + timedelta(days=7))) is None


def test_a_plan_never_changes_silently() -> None:
    now = at(DUE - timedelta(days=10))
    record = agreed(agreed_at=now, because=Because.LESS_OWED)
    assert said(customer(record, now), now) is Step.NEWS
    wished = agreed(agreed_at=now, because=Because.CHANGED)
    assert said(customer(wished, now), now) is None


def test_an_invoice_that_falls_due_soon_is_named_where_the_merchant_wants_it() -> None:
    claim = replace(CLAIM, due_date=DUE, confirmed_at=at(DUE - timedelta(days=2)))
    facts = replace(CUSTOMER, claims=[claim])
    now = at(DUE - timedelta(days=2))
    assert said(facts, now) is None
    assert said(facts, now, policy(invoice_note_days=4)) is Step.INVOICE_NOTE


def test_broken_after_the_question_and_its_time() -> None:
    asked_on = DUE + timedelta(days=2)
    asked = sent(Step.QUESTION, asked_on)

    def ends(days: int, **changes: Any) -> list[AgreementRecord]:
        now = at(asked_on + timedelta(days=days))
        facts = customer(agreed(), now, asked, **changes)
        return list(broken(facts, SENDER, now, reachable=reachable(facts, SENDER)))

    assert ends(7) == []
    assert ends(8) == [agreed()]
    assert ends(8, talk=Talk(at(asked_on + timedelta(days=5)))) == []


def test_nothing_is_broken_before_it_was_asked_about_where_that_is_possible() -> None:
    now = at(DUE + timedelta(days=60))
    facts = customer(agreed(), now)
    assert not list(broken(facts, SENDER, now, reachable=reachable(facts, SENDER)))
    gone = replace(facts, points=[replace(SMS, invalid=True)])
    assert list(broken(gone, SENDER, now, reachable=reachable(gone, SENDER)))


def test_after_a_broken_agreement_reminders_begin_again_where_policy_says_so() -> None:
    now = at(DUE + timedelta(days=21))
    over = agreed(status=AgreementStatus.BROKEN, ended_at=now - timedelta(days=2))
    claim = replace(CLAIM, agreement=over, confirmed_at=now)
    earlier = AttemptFacts(1, Step.FIRST_CONTACT, at(date(2026, 11, 1)), SMS.id, "delivered")
    facts = replace(CUSTOMER, claims=[claim], attempts=[earlier], talk=Talk(at(date(2026, 11, 2))))
    planned = decide(facts, SENDER, now)
    assert isinstance(planned, PlannedContact)
    assert (planned.step, planned.step_reason) == (Step.FIRST_CONTACT, StepReason.BROKEN)
    wait = decide(facts, policy(broken_next=BrokenNext.EXPORT), now)
    assert isinstance(wait, Skipped)
    assert wait.reason is SkipReason.ANSWERED


@given(
    due=st.dates(date(2026, 12, 1), date(2027, 12, 31)),
    jumps=st.lists(st.integers(0, 40), min_size=1, max_size=25),
    paid_after=st.integers(-20, 60),
    note_days=st.integers(0, 10),
)
def test_however_the_clock_jumps_each_note_comes_once_and_in_its_time(
    due: date, jumps: list[int], paid_after: int, note_days: int
) -> None:
    """A plan is walked through with jumps of any size; what is said is kept as sent."""
    plan = plan_by_count(Money(90_00), 3, first=due)
    sender = policy(note_days=note_days)
    pays_on = due + timedelta(days=paid_after)
    attempts: list[AttemptFacts] = []
    day = due - timedelta(days=30)
    for jump in jumps:
        day += timedelta(days=jump)
        now = at(day)
        paid = [(30_00, pays_on)] if day >= pays_on else []
        record = agreed(plan, *paid, agreed_at=at(due - timedelta(days=30)))
        decision = decide(customer(record, now, *attempts), sender, now)
        if isinstance(decision, Skipped):
            continue
        first_missing = record.next_instalment
        assert first_missing is not None
        if decision.step is not Step.THANKS:
            assert decision.args["day"] == first_missing.instalment.due.isoformat(), "of a paid one"
        if decision.step is Step.NOTE:
            assert day < first_missing.instalment.due
        if decision.step is Step.QUESTION:
            assert day >= banking_days_after(first_missing.instalment.due, 2)
        attempts.append(
            AttemptFacts(decision.cycle, decision.step, now, SMS.id, "sent", decision.about)
        )
    keys = [(each.step, each.about) for each in attempts]
    assert len(keys) == len(set(keys))
    by_about: dict[str, list[Step]] = {}
    for step, about in keys:
        by_about.setdefault(about, []).append(step)
    order = [Step.NOTE, Step.DUE_DAY, Step.QUESTION]
    for steps in by_about.values():
        places = [order.index(step) for step in steps if step in order]
        assert places == sorted(places)
