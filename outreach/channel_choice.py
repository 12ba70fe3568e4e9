"""On which channel a customer is written to first.

Pure, one decision: :func:`choose_channel` takes the customer's contact points and returns the one
to write to, with the reason; or why none of them will do.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from enum import StrEnum
from typing import Final

from channels.message import Channel
from ledger.contact import MATCH_CONFIDENCE_MIN

GIVEN_BY_CUSTOMER: Final = frozenset({"customer", "deep_link"})
"""The ``source`` of an address that the customer gave; it needs no matching."""

ORDER: Final = (Channel.TELEGRAM, Channel.WHATSAPP, Channel.SMS, Channel.TERMINAL)
"""Without a wish of the customer: a chat that they opened themselves, then the one they agreed to,
then the one that reaches almost everybody."""


class Obstacle(StrEnum):
    """Why a contact point cannot be used."""

    OPTED_OUT = "opted_out"
    INVALID = "invalid"
    UNDELIVERED = "undelivered"
    MATCH_UNCERTAIN = "match_uncertain"
    SHARED_ADDRESS = "shared_address"
    NO_ACCOUNT = "no_account"
    COLLECTOR = "whatsapp_closed_to_collectors"
    NO_CONSENT = "no_consent"
    NO_TEMPLATE = "no_template"
    NEVER_CAME = "customer_never_opened_chat"


class ChoiceReason(StrEnum):
    """What spoke for the chosen contact point."""

    ACTIVE = "where_the_dialogue_is"
    PREFERRED = "preferred_by_customer"
    SAME_AS_BEFORE = "same_channel_as_before"
    ONLY_ONE = "only_reachable_channel"
    FIRST_IN_ORDER = "best_of_reachable_channels"


@dataclass(frozen=True)
class Account:
    """An enabled account that the merchant writes from."""

    id: int
    channel: Channel
    templates: frozenset[str]
    """Wording and language of the approved templates, ``first_contact.de``."""


@dataclass(frozen=True)
class Point:
    """What is known about one contact point."""

    id: int
    channel: Channel
    address: str
    source: str
    match_confidence: Decimal
    consented: bool
    opted_out: bool
    invalid: bool
    shared: bool
    """The address stands for another customer as well: whose answer it is would be a guess."""
    opened_accounts: frozenset[int]
    """Accounts to which the customer has written from this address."""
    active: bool = False
    """The dialogue with the customer goes on here."""


@dataclass(frozen=True)
class ChannelChoice:
    """The contact point to write to, the account to write from, and why."""

    point: Point
    account: Account
    reason: ChoiceReason
    passed: Mapping[int, Obstacle] = field(default_factory=dict)
    """What would have come before it, by id, with what stands in the way."""


@dataclass(frozen=True)
class NoChannel:
    """No contact point will do; the obstacle of each, by its id."""

    obstacles: Mapping[int, Obstacle]


def choose_channel(
    points: Sequence[Point],
    accounts: Sequence[Account],
    *,
    collector: bool,
    template: str,
    preferred: Channel | None,
    before: int | None = None,
    undelivered: Collection[int] = (),
) -> ChannelChoice | NoChannel:
    """Choose the contact point for a message that the customer did not ask for.

    Args:
        points: the customer's contact points.
        accounts: the merchant's enabled accounts.
        collector: the merchant collects for others; Meta bars those from WhatsApp.
        template: key of the WhatsApp template, ``first_contact.de``.
        preferred: the channel the customer wishes.
        before: id of the contact point of the message before, which a reminder keeps to.
        undelivered: ids of contact points to which an outreach message could not be delivered.

    The dialogue goes on where it is; then comes the customer's wish, then the channel of the
    message before, then :data:`ORDER`; within a channel the surer match, then the older entry.
    """
    usable: list[tuple[Point, Account]] = []
    obstacles: dict[int, Obstacle] = {}
    for point in points:
        account = _account(point, accounts, template)
        obstacle = (
            Obstacle.UNDELIVERED
            if point.id in undelivered
            else _obstacle(point, account, collector=collector, template=template)
        )
        if obstacle is None and account is not None:
            usable.append((point, account))
        elif obstacle is not None:
            obstacles[point.id] = obstacle
    if not usable:
        return NoChannel(obstacles)

    def rank(point: Point) -> tuple[bool, bool, bool, int, Decimal, int]:
        return (
            not point.active,
            point.channel is not preferred,
            point.id != before,
            ORDER.index(point.channel),
            -point.match_confidence,
            point.id,
        )

    point, account = min(usable, key=lambda candidate: rank(candidate[0]))
    passed = {
        each.id: obstacles[each.id]
        for each in sorted(points, key=rank)
        if each.id in obstacles and rank(each) < rank(point)
    }
    reason = _choice_reason(point, len(usable), preferred, before)
    return ChannelChoice(point, account, reason, passed)


def obstacle_at(
    point: Point, accounts: Sequence[Account], *, collector: bool, template: str
) -> Obstacle | None:
    """What stands in the way of a first message to this contact point; None: nothing does."""
    account = _account(point, accounts, template)
    return _obstacle(point, account, collector=collector, template=template)


def _account(point: Point, accounts: Sequence[Account], template: str) -> Account | None:
    """The account that suits the point best: where the customer wrote, which has the template."""
    candidates = [account for account in accounts if account.channel is point.channel]
    return min(
        candidates,
        key=lambda account: (
            account.id not in point.opened_accounts,
            template not in account.templates,
            account.id,
        ),
        default=None,
    )


def _obstacle(
    point: Point, account: Account | None, *, collector: bool, template: str
) -> Obstacle | None:
    sure = point.match_confidence >= MATCH_CONFIDENCE_MIN or point.source in GIVEN_BY_CUSTOMER
    whatsapp = point.channel is Channel.WHATSAPP
    telegram = point.channel is Channel.TELEGRAM
    checks = (
        (point.opted_out, Obstacle.OPTED_OUT),
        (point.invalid, Obstacle.INVALID),
        (not sure, Obstacle.MATCH_UNCERTAIN),
        (point.shared, Obstacle.SHARED_ADDRESS),
        (account is None, Obstacle.NO_ACCOUNT),
        (whatsapp and collector, Obstacle.COLLECTOR),
        (whatsapp and not point.consented, Obstacle.NO_CONSENT),
        (
            whatsapp and account is not None and template not in account.templates,
            Obstacle.NO_TEMPLATE,
        ),
        # A bot cannot write first: only where the customer came in through the deep link.
        (
            telegram and account is not None and account.id not in point.opened_accounts,
            Obstacle.NEVER_CAME,
        ),
    )
    return next((obstacle for present, obstacle in checks if present), None)


def _choice_reason(
    point: Point, usable_count: int, preferred: Channel | None, before: int | None
) -> ChoiceReason:
    if point.active:
        return ChoiceReason.ACTIVE
    if point.channel is preferred:
        return ChoiceReason.PREFERRED
    if point.id == before:
        return ChoiceReason.SAME_AS_BEFORE
    return ChoiceReason.ONLY_ONE if usable_count == 1 else ChoiceReason.FIRST_IN_ORDER
