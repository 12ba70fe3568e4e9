"""The first message goes where it reaches the customer, is permitted, and is wanted."""

from dataclasses import replace
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from channels.message import Channel
from outreach.channel_choice import (
    Account,
    ChannelChoice,
    ChoiceReason,
    NoChannel,
    Obstacle,
    Point,
    choose_channel,
)

TEMPLATE = "first_contact.de"
ACCOUNTS = [
    Account(1, Channel.SMS, frozenset()),
    Account(2, Channel.WHATSAPP, frozenset({TEMPLATE})),
    Account(3, Channel.TELEGRAM, frozenset()),
    Account(4, Channel.TERMINAL, frozenset()),
]


def point(id_: int, channel: Channel) -> Point:
    """A contact point that nothing speaks against."""
    return Point(
        id=id_,
        channel=channel,
        address=f"address {id_}",
        source="merchant_import",
        match_confidence=Decimal(1),
        consented=True,
        opted_out=False,
        invalid=False,
        shared=False,
        opened_accounts=frozenset({3}),
    )


SMS = point(10, Channel.SMS)
WHATSAPP = point(11, Channel.WHATSAPP)
TELEGRAM = point(12, Channel.TELEGRAM)
TERMINAL = point(13, Channel.TERMINAL)


def choose(
    *points: Point,
    collector: bool = False,
    preferred: Channel | None = None,
    before: int | None = None,
    accounts: list[Account] = ACCOUNTS,
    undelivered: tuple[int, ...] = (),
) -> ChannelChoice | NoChannel:
    return choose_channel(
        points,
        accounts,
        collector=collector,
        template=TEMPLATE,
        preferred=preferred,
        before=before,
        undelivered=undelivered,
    )


def chosen(answer: ChannelChoice | NoChannel) -> tuple[int, ChoiceReason]:
    assert isinstance(answer, ChannelChoice)
    assert answer.account.channel is answer.point.channel
    return answer.point.id, answer.reason


def test_the_only_reachable_channel() -> None:
    assert chosen(choose(SMS)) == (SMS.id, ChoiceReason.ONLY_ONE)


def test_the_best_of_several_without_a_wish() -> None:
    first = ChoiceReason.FIRST_IN_ORDER
    assert chosen(choose(TERMINAL, SMS, WHATSAPP, TELEGRAM)) == (TELEGRAM.id, first)
    assert chosen(choose(TERMINAL, SMS, WHATSAPP)) == (WHATSAPP.id, first)
    assert chosen(choose(TERMINAL, SMS)) == (SMS.id, first)


def test_the_customers_wish_comes_first() -> None:
    answer = choose(TELEGRAM, WHATSAPP, SMS, preferred=Channel.SMS)
    assert chosen(answer) == (SMS.id, ChoiceReason.PREFERRED)


def test_a_wish_that_cannot_be_met_gives_way() -> None:
    answer = choose(replace(WHATSAPP, consented=False), SMS, preferred=Channel.WHATSAPP)
    assert chosen(answer) == (SMS.id, ChoiceReason.ONLY_ONE)


def test_a_reminder_keeps_to_the_channel_before() -> None:
    assert chosen(choose(TELEGRAM, SMS, before=SMS.id)) == (SMS.id, ChoiceReason.SAME_AS_BEFORE)
    wished = choose(TELEGRAM, SMS, before=SMS.id, preferred=Channel.TELEGRAM)
    assert chosen(wished) == (TELEGRAM.id, ChoiceReason.PREFERRED)


@pytest.mark.parametrize(
    ("candidate", "obstacle"),
    [
        (replace(SMS, opted_out=True), Obstacle.OPTED_OUT),
        (replace(SMS, invalid=True), Obstacle.INVALID),
        (replace(SMS, match_confidence=Decimal("0.99499")), Obstacle.MATCH_UNCERTAIN),
        (replace(SMS, shared=True), Obstacle.SHARED_ADDRESS),
        (replace(WHATSAPP, consented=False), Obstacle.NO_CONSENT),
        (replace(TELEGRAM, opened_accounts=frozenset()), Obstacle.NEVER_CAME),
        (replace(TELEGRAM, opened_accounts=frozenset({99})), Obstacle.NEVER_CAME),
    ],
)
def test_what_rules_a_contact_point_out(candidate: Point, obstacle: Obstacle) -> None:
    assert choose(candidate) == NoChannel({candidate.id: obstacle})


def test_match_confidence_at_the_limit_is_enough() -> None:
    chosen(choose(replace(SMS, match_confidence=Decimal("0.995"))))


def test_an_address_given_by_the_customer_needs_no_match() -> None:
    chosen(choose(replace(SMS, match_confidence=Decimal("0.5"), source="customer")))


def test_whatsapp_is_closed_to_collectors() -> None:
    assert choose(WHATSAPP, collector=True) == NoChannel({WHATSAPP.id: Obstacle.COLLECTOR})
    assert chosen(choose(WHATSAPP, SMS, collector=True))[0] == SMS.id


def test_whatsapp_needs_the_template_in_the_language() -> None:
    accounts = [Account(2, Channel.WHATSAPP, frozenset({"first_contact.en"}))]
    assert choose(WHATSAPP, accounts=accounts) == NoChannel({WHATSAPP.id: Obstacle.NO_TEMPLATE})


def test_the_account_with_the_template_is_taken() -> None:
    accounts = [Account(1, Channel.WHATSAPP, frozenset()), *ACCOUNTS]
    answer = choose(WHATSAPP, accounts=accounts)
    assert isinstance(answer, ChannelChoice)
    assert answer.account.id == 2


def test_a_channel_without_account_is_no_channel() -> None:
    assert choose(SMS, accounts=[]) == NoChannel({SMS.id: Obstacle.NO_ACCOUNT})


def test_a_point_that_failed_is_not_tried_again() -> None:
    assert choose(SMS, undelivered=(SMS.id,)) == NoChannel({SMS.id: Obstacle.UNDELIVERED})
    assert chosen(choose(WHATSAPP, SMS, undelivered=(WHATSAPP.id,)))[0] == SMS.id


def test_of_two_numbers_the_surer_match_is_taken() -> None:
    unsure = replace(SMS, id=5, match_confidence=Decimal("0.996"))
    assert chosen(choose(unsure, SMS))[0] == SMS.id


def test_nothing_to_write_to() -> None:
    assert choose() == NoChannel({})


@st.composite
def any_point(draw: st.DrawFn) -> Point:
    return Point(
        id=draw(st.integers(1, 10**6)),
        channel=draw(st.sampled_from(Channel)),
        address="somewhere",
        source=draw(st.sampled_from(["merchant_import", "customer"])),
        match_confidence=draw(st.decimals(0, 1, places=5)),
        consented=draw(st.booleans()),
        opted_out=draw(st.booleans()),
        invalid=draw(st.booleans()),
        shared=draw(st.booleans()),
        opened_accounts=draw(st.sampled_from([frozenset(), frozenset({3})])),
    )


@given(
    points=st.lists(any_point(), max_size=6, unique_by=lambda each: each.id),
    collector=st.booleans(),
    preferred=st.none() | st.sampled_from(Channel),
)
def test_no_choice_breaks_a_rule(
    points: list[Point], collector: bool, preferred: Channel | None
) -> None:
    answer = choose(*points, collector=collector, preferred=preferred)
    if isinstance(answer, NoChannel):
        assert set(answer.obstacles) == {each.id for each in points}
        return
    it = answer.point
    assert not it.opted_out
    assert not it.invalid
    assert not it.shared
    assert it.match_confidence >= Decimal("0.995") or it.source == "customer"
    assert it.channel is not Channel.WHATSAPP or (it.consented and not collector)
    assert it.channel is not Channel.TELEGRAM or it.opened_accounts


def test_the_dialogue_goes_on_where_it_is_whatever_was_wished_before() -> None:
    here = replace(SMS, active=True)
    answer = choose(TELEGRAM, WHATSAPP, here, preferred=Channel.WHATSAPP, before=TELEGRAM.id)
    assert chosen(answer) == (SMS.id, ChoiceReason.ACTIVE)


def test_each_channel_passed_over_is_named_with_its_reason() -> None:
    answer = choose(
        replace(TELEGRAM, active=True, opted_out=True), replace(WHATSAPP, consented=False), SMS
    )
    assert isinstance(answer, ChannelChoice)
    assert answer.passed == {TELEGRAM.id: Obstacle.OPTED_OUT, WHATSAPP.id: Obstacle.NO_CONSENT}
    assert list(answer.passed) == [TELEGRAM.id, WHATSAPP.id], "in the order they were tried"


def test_what_would_have_come_later_is_not_named() -> None:
    answer = choose(TELEGRAM, replace(SMS, invalid=True))
    assert isinstance(answer, ChannelChoice)
    assert answer.passed == {}
