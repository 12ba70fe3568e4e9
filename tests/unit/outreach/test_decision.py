"""One first contact, one friendly reminder, then it waits; and all that stands in the way."""

from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from channels.message import Channel
from ledger.money import Money
from negotiation.policy import EffortBand, Policy
from outreach.channel_choice import Account, ChoiceReason, Point
from outreach.decision import decide
from outreach.facts import (
    AttemptFacts,
    CustomerFacts,
    OpenClaim,
    PlannedContact,
    Sender,
    Skipped,
    SkipReason,
    Step,
    StepReason,
    Talk,
)
from outreach.rules import rules_of

NOW = datetime(2026, 11, 23, 10, 0, tzinfo=UTC)  # a Monday, 11:00 in Berlin
TODAY = date(2026, 11, 23)

SENDER = Sender(
    merchant_id=1,
    collector=False,
    language="de",
    timezone="Europe/Berlin",
    land="BE",
    accounts=[Account(1, Channel.SMS, frozenset()), Account(2, Channel.TELEGRAM, frozenset())],
    policy=Policy(),
    rules=rules_of("DE"),
)
SMS = Point(
    id=10,
    channel=Channel.SMS,
    address="+4915735990123",
    source="merchant_import",
    match_confidence=Decimal(1),
    consented=False,
    opted_out=False,
    invalid=False,
    shared=False,
    opened_accounts=frozenset(),
)
TELEGRAM = replace(SMS, id=11, channel=Channel.TELEGRAM, opened_accounts=frozenset({2}))
CLAIM = OpenClaim(
    id=100,
    status="open",
    balance=Money(84_90),
    due_date=date(2026, 10, 15),
    limitation_date=date(2029, 12, 31),
    paused_until=None,
    confirmed_at=NOW - timedelta(hours=2),
    created_at=NOW - timedelta(days=30),
    has_agreement=False,
)
CUSTOMER = CustomerFacts(
    id=7,
    number="K-1001",
    language=None,
    timezone="Europe/Berlin",
    land="BE",
    preferred_channel=None,
    paused_until=None,
    talk=Talk(),
    claims=[CLAIM],
    points=[SMS],
    attempts=[],
)


def sent(
    days_ago: float,
    step: Step = Step.FIRST_CONTACT,
    status: str = "delivered",
    cycle: int = 1,
    point: Point = SMS,
) -> AttemptFacts:
    return AttemptFacts(cycle, step, NOW - timedelta(days=days_ago), point.id, status)


def planned(customer: CustomerFacts, now: datetime = NOW) -> PlannedContact:
    decision = decide(customer, SENDER, now)
    assert isinstance(decision, PlannedContact), decision
    return decision


def skipped(customer: CustomerFacts, sender: Sender = SENDER, now: datetime = NOW) -> Skipped:
    decision = decide(customer, sender, now)
    assert isinstance(decision, Skipped), decision
    return decision


def with_claim(**changes: object) -> CustomerFacts:
    return replace(CUSTOMER, claims=[replace(CLAIM, **changes)])  # type: ignore[arg-type]


def test_first_contact() -> None:
    assert planned(CUSTOMER) == PlannedContact(
        merchant_id=1,
        customer_id=7,
        customer_number="K-1001",
        contact_point_id=SMS.id,
        channel_account_id=1,
        channel=Channel.SMS,
        address=SMS.address,
        language="de",
        wording="first_contact",
        template="first_contact.de",
        cycle=1,
        step=Step.FIRST_CONTACT,
        step_reason=StepReason.NO_CONTACT_YET,
        channel_reason=ChoiceReason.ONLY_ONE,
    )


def test_writes_in_the_customers_language() -> None:
    assert planned(replace(CUSTOMER, language="en")).template == "first_contact.en"


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"status": "disputed"}, SkipReason.DISPUTE),
        ({"has_agreement": True}, SkipReason.AGREEMENT),
        ({"paused_until": TODAY}, SkipReason.PAUSED),
        ({"limitation_date": TODAY - timedelta(days=1)}, SkipReason.TIME_BARRED),
        ({"due_date": TODAY}, SkipReason.NOT_DUE),
        ({"confirmed_at": None}, SkipReason.NOT_CONFIRMED),
        ({"confirmed_at": NOW - timedelta(hours=24, seconds=1)}, SkipReason.NOT_CONFIRMED),
        ({"balance": Money(0)}, SkipReason.NOTHING_OPEN),
        ({"balance": Money(1_99)}, SkipReason.SMALL_BALANCE),
    ],
)
def test_claims_that_are_no_ground(changes: dict[str, object], reason: SkipReason) -> None:
    assert skipped(with_claim(**changes)).reason is reason


@pytest.mark.parametrize(
    "changes",
    [
        {"paused_until": TODAY - timedelta(days=1)},
        {"limitation_date": TODAY},
        {"limitation_date": None},
        {"due_date": TODAY - timedelta(days=1)},
        {"confirmed_at": NOW - timedelta(hours=24)},
        {"balance": Money(2_00)},
    ],
)
def test_claims_just_within_the_limits(changes: dict[str, object]) -> None:
    planned(with_claim(**changes))


def test_the_policys_freshness_counts() -> None:
    sender = replace(SENDER, policy=Policy(freshness_hours=1))
    assert skipped(CUSTOMER, sender).reason is SkipReason.NOT_CONFIRMED


def test_one_good_claim_is_ground_enough() -> None:
    stale = replace(CLAIM, id=101, confirmed_at=None)
    planned(replace(CUSTOMER, claims=[stale, CLAIM]))


def test_a_dispute_about_one_claim_stops_messages_about_all() -> None:
    disputed = replace(CLAIM, id=101, status="disputed")
    assert skipped(replace(CUSTOMER, claims=[CLAIM, disputed])).reason is SkipReason.DISPUTE


@pytest.mark.parametrize(
    ("customer", "reason"),
    [
        (replace(CUSTOMER, stopped=True), SkipReason.OPTED_OUT),
        (replace(CUSTOMER, points=[replace(SMS, opted_out=True)]), SkipReason.OPTED_OUT),
        (replace(CUSTOMER, talk=Talk(with_person=True)), SkipReason.WITH_PERSON),
        (replace(CUSTOMER, paused_until=NOW + timedelta(days=1)), SkipReason.PAUSED),
        (replace(CUSTOMER, talk=Talk(NOW - timedelta(hours=23))), SkipReason.IN_TOUCH),
        (replace(CUSTOMER, timezone="Mars/Olympus"), SkipReason.UNKNOWN_TIMEZONE),
    ],
)
def test_customers_who_are_left_alone(customer: CustomerFacts, reason: SkipReason) -> None:
    assert skipped(customer).reason is reason


def test_says_what_stands_in_the_way_of_each_contact_point() -> None:
    never_came = replace(TELEGRAM, opened_accounts=frozenset())
    customer = replace(CUSTOMER, points=[replace(SMS, invalid=True), never_came])
    decision = skipped(customer)
    assert decision.reason is SkipReason.NO_CHANNEL
    assert decision.detail == "sms:invalid, telegram:customer_never_opened_chat"


def test_waits_for_the_morning() -> None:
    evening = NOW.replace(hour=21)
    decision = skipped(with_claim(confirmed_at=evening), now=evening)
    assert decision.reason is SkipReason.QUIET_HOURS
    assert decision.not_before == datetime(2026, 11, 24, 8, 0, tzinfo=UTC)


def test_quiet_hours_are_those_of_the_customers_zone() -> None:
    new_york = replace(CUSTOMER, timezone="America/New_York")
    assert skipped(new_york).reason is SkipReason.QUIET_HOURS


def test_waits_three_days_for_an_answer() -> None:
    decision = skipped(replace(CUSTOMER, attempts=[sent(2.9)]))
    assert decision.reason is SkipReason.AWAITING_ANSWER
    assert decision.not_before == NOW + timedelta(days=0.1)


def test_reminds_once_after_three_days_on_the_same_channel() -> None:
    decision = planned(replace(CUSTOMER, points=[TELEGRAM, SMS], attempts=[sent(3)]))
    assert (decision.step, decision.cycle, decision.wording) == (Step.REMINDER, 1, "first_reminder")
    assert decision.channel is Channel.SMS
    assert decision.reason == "no_answer; same_channel_as_before"


def test_then_it_waits() -> None:
    attempts = [sent(60), sent(57, Step.REMINDER)]
    customer = replace(with_claim(created_at=NOW - timedelta(days=90)), attempts=attempts)
    assert skipped(customer).reason is SkipReason.REMINDED


def test_an_answer_ends_the_journey() -> None:
    customer = replace(CUSTOMER, attempts=[sent(4)], talk=Talk(NOW - timedelta(days=3.5)))
    assert skipped(customer).reason is SkipReason.ANSWERED


def test_an_older_word_of_the_customer_is_no_answer() -> None:
    customer = replace(CUSTOMER, attempts=[sent(4)], talk=Talk(NOW - timedelta(days=5)))
    assert planned(customer).step is Step.REMINDER


def test_no_reminder_while_the_first_message_has_not_left() -> None:
    customer = replace(CUSTOMER, attempts=[sent(4, status="queued")])
    assert skipped(customer).reason is SkipReason.ON_ITS_WAY


def test_effort_in_proportion_to_the_amount() -> None:
    policy = Policy(effort_bands=(EffortBand(100_00, 0, False), EffortBand(None, 1, True)))
    customer = replace(CUSTOMER, attempts=[sent(4)])
    assert skipped(customer, replace(SENDER, policy=policy)).reason is SkipReason.NO_REMINDER
    two = replace(customer, claims=[CLAIM, replace(CLAIM, id=101)])
    assert isinstance(decide(two, replace(SENDER, policy=policy), NOW), PlannedContact)


def test_a_failed_first_message_goes_to_the_next_channel() -> None:
    attempts = [sent(1, status="failed", point=TELEGRAM)]
    decision = planned(replace(CUSTOMER, points=[TELEGRAM, SMS], attempts=attempts))
    assert (decision.step, decision.cycle) == (Step.FIRST_CONTACT, 2)
    assert decision.channel is Channel.SMS
    assert decision.step_reason is StepReason.NEVER_REACHED


def test_after_failure_everywhere_nothing_is_left() -> None:
    decision = skipped(replace(CUSTOMER, attempts=[sent(1, status="failed")]))
    assert decision.reason is SkipReason.NO_CHANNEL
    assert decision.detail == "sms:undelivered"


def test_a_cancelled_message_counts_as_never_sent() -> None:
    decision = planned(replace(CUSTOMER, attempts=[sent(0.1, status="cancelled")]))
    assert (decision.step, decision.cycle) == (Step.FIRST_CONTACT, 2)
    reminder = [sent(4), sent(0.5, Step.REMINDER, "cancelled")]
    decision = planned(replace(CUSTOMER, attempts=reminder))
    assert (decision.step, decision.cycle) == (Step.REMINDER, 2)


def test_a_message_of_unknown_fate_counts_as_sent() -> None:
    assert skipped(replace(CUSTOMER, attempts=[sent(1, status="unknown")])).reason is (
        SkipReason.AWAITING_ANSWER
    )


def test_a_new_claim_begins_a_new_journey() -> None:
    old = [sent(200), sent(190, Step.REMINDER)]
    decision = planned(replace(CUSTOMER, attempts=old))
    assert (decision.step, decision.cycle) == (Step.FIRST_CONTACT, 2)
    assert decision.step_reason is StepReason.NEW_CLAIM


def test_two_messages_keep_their_distance_across_journeys() -> None:
    claim = replace(CLAIM, created_at=NOW - timedelta(hours=1))
    customer = replace(CUSTOMER, claims=[claim], attempts=[sent(1)])
    assert skipped(customer).reason is SkipReason.SPACING


NEVER_ARRIVED = {"failed", "cancelled"}
JOURNEY_STATUSES = ["sent", "delivered", "read", "failed", "cancelled", "unknown"]


@given(
    fates=st.lists(st.sampled_from(JOURNEY_STATUSES), min_size=40, max_size=40),
    gap_hours=st.integers(1, 30),
)
def test_a_silent_customer_gets_at_most_two_messages(fates: list[str], gap_hours: int) -> None:
    """However often the planner runs and whatever becomes of the messages."""
    customer, now = CUSTOMER, NOW
    keys: set[tuple[int, Step]] = set()
    for fate in fates:
        now += timedelta(hours=gap_hours)
        customer = replace(customer, claims=[replace(CLAIM, confirmed_at=now)])
        decision = decide(customer, SENDER, now)
        if isinstance(decision, PlannedContact):
            key = (decision.cycle, decision.step)
            assert key not in keys
            keys.add(key)
            attempt = AttemptFacts(*key, now, decision.contact_point_id, fate)
            customer = replace(customer, attempts=[*customer.attempts, attempt])
    reached = [each for each in customer.attempts if each.message_status not in NEVER_ARRIVED]
    assert [each.step for each in reached] in (
        [],
        [Step.FIRST_CONTACT],
        [Step.FIRST_CONTACT, Step.REMINDER],
    )


EVENING = replace(CUSTOMER, contact_from=time(18))


def test_the_customers_own_hours_are_kept() -> None:
    wait = skipped(EVENING)
    assert wait.reason is SkipReason.PREFERRED_HOURS
    assert wait.not_before == NOW.replace(hour=17)  # 18:00 in Berlin
    planned(EVENING, NOW.replace(hour=17))


def test_a_wish_never_opens_what_is_closed() -> None:
    at_nine = skipped(EVENING, now=NOW.replace(hour=20))
    assert at_nine.reason is SkipReason.QUIET_HOURS
    late = skipped(replace(CUSTOMER, contact_from=time(21)), now=NOW.replace(hour=21))
    assert (late.reason, late.not_before) == (SkipReason.PREFERRED_HOURS, None)
    saturday = NOW.replace(day=28)
    early = replace(
        CUSTOMER, contact_until=time(10), claims=[replace(CLAIM, confirmed_at=saturday)]
    )
    monday = datetime(2026, 11, 30, 8, 0, tzinfo=UTC)
    assert skipped(early, now=saturday).not_before == monday, "Saturday opens when the wish closes"
