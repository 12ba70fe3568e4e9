"""The overview's figures are what the books say: gathered by day, compared with a direct count."""

import random
from collections import defaultdict
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import func, select

from api import overview
from api.overview import Chosen, Figures
from conversation.overview_sql import SOLVED
from ledger.book_among import Among, Happened
from ledger.book_list import Order, Which, listed, order_of
from ledger.overview_sql import FOLLOWED
from ledger.segment import Band, band_of
from storage.engine import Database
from storage.tables import (
    Agreement,
    AuditEvent,
    ChannelAccount,
    Claim,
    ContactAttempt,
    ContactPoint,
    Conversation,
    Customer,
    Handoff,
    Merchant,
    Message,
    OverviewCase,
    OverviewClaim,
    Posting,
    Reorder,
)
from tests.conftest import NOW
from tests.db.overview_town import CHANNELS, Town

ZONE = ZoneInfo("Europe/Berlin")
CUSTOMERS = 40


@pytest.fixture
async def other(database: Database) -> Merchant:
    """Another shop."""
    other = Merchant(key="other", name="Other", created_at=NOW)
    async with database.operator() as session:
        session.add(other)
    return other


async def town_of(database: Database, merchant: Merchant, seed: int) -> Town:
    """Customers with histories of the last three months."""
    accounts = {}
    async with database.operator() as session:
        for channel in CHANNELS:
            made = ChannelAccount(
                merchant_id=merchant.id, channel=channel, address=f"of {channel}", created_at=NOW
            )
            session.add(made)
            await session.flush()
            accounts[channel] = made.id
    town = Town(database, merchant, accounts, NOW, random.Random(seed))
    for _ in range(CUSTOMERS):
        await town.customer()
    return town


async def gathered(database: Database, merchant: Merchant, chosen: Chosen) -> Figures:
    async with database.merchant(merchant.id) as session:
        await overview.refresh(session, merchant, NOW)
        found = await overview.read(session, merchant.id, chosen)
    assert found is not None
    return found


class Count:
    """Everything counted one by one in Python, from rows read whole."""

    def __init__(self, rows: dict[type[Any], list[Any]], chosen: Chosen) -> None:
        self.rows = rows
        self.chosen = chosen
        self.claims = {one.id: one for one in rows[Claim]}
        self.talks = {one.id: one for one in rows[Conversation]}
        self.messages = {one.id: one for one in rows[Message]}
        active = {one.id: one.active_conversation_id for one in rows[Customer]}
        self.channel = {
            one.id: self.talks[active[one.customer_id]].channel if active[one.customer_id] else ""
            for one in rows[Claim]
        }
        self.claimed: dict[int, int] = defaultdict(int)
        self.open: dict[int, int] = defaultdict(int)
        for one in rows[Posting]:
            if one.kind == "opening":
                self.claimed[one.claim_id] += one.amount_minor
            self.open[one.claim_id] += one.amount_minor * (
                one.destination.startswith("receivable:") - one.source.startswith("receivable:")
            )

    def within(self, at: datetime | None) -> bool:
        return (
            at is not None and self.chosen.first <= at.astimezone(ZONE).date() <= self.chosen.last
        )

    def fits(self, claim_id: int) -> bool:
        return self.chosen.channel in ("", self.channel[claim_id]) and self.chosen.band in (
            "",
            band_of(self.claimed[claim_id]).value,
        )

    def events(self, *kinds: str) -> list[AuditEvent]:
        return [one for one in self.rows[AuditEvent] if one.kind in kinds]

    def settled(self) -> list[tuple[Claim, datetime]]:
        last: dict[int, datetime] = {}
        for one in self.events("claim_settled"):
            assert one.claim_id is not None
            last[one.claim_id] = max(one.at, last.get(one.claim_id, one.at))
        return [
            (self.claims[claim], at)
            for claim, at in last.items()
            if self.claims[claim].status == "settled"
        ]

    def by_currency(self, found: list[tuple[int, int]]) -> dict[str, tuple[int, int]]:
        totals: dict[str, tuple[int, int]] = {}
        for claim, minor in found:
            if self.fits(claim):
                currency = self.claims[claim].currency
                cases, so_far = totals.get(currency, (0, 0))
                totals[currency] = (cases + 1, so_far + minor)
        return totals

    def money(self) -> dict[str, dict[str, tuple[int, int]]]:
        """What stands in the books, by figure and currency: how many, and how much."""
        agreements = {one.id: one for one in self.rows[Agreement]}
        made = [agreements[e.facts["agreement"]] for e in self.events("agreement_made")
                if self.within(e.at)]  # fmt: skip
        found: dict[str, list[tuple[int, int]]] = {
            "open": [
                (one.id, self.open[one.id])
                for one in self.claims.values()
                if one.status in ("open", "disputed")
            ],
            "promised": [
                (one.claim_id, min(one.total_minor, self.open[one.claim_id]))
                for one in agreements.values()
                if one.status == "active"
            ],
            "settled": [
                (claim.id, self.claimed[claim.id])
                for claim, at in self.settled()
                if self.within(at)
            ],
            "agreed": [(one.claim_id, one.total_minor) for one in made],
            "disputed": [
                (e.claim_id, self.claimed[e.claim_id])
                for e in self.events("claim_disputed")
                if e.claim_id is not None and self.within(e.at)
            ],
        }
        for status in ("kept", "broken"):
            found[status] = [
                (one.claim_id, one.total_minor)
                for one in agreements.values()
                if one.status == status and self.within(one.ended_at)
            ]
        return {name: self.by_currency(of) for name, of in found.items()}

    def collected(self) -> dict[str, int]:
        total: dict[str, int] = defaultdict(int)
        for one in self.rows[Posting]:
            if self.within(one.booked_at) and self.fits(one.claim_id):
                sign = (one.destination == "cash") - (one.source == "cash")
                total[one.currency] += sign * one.amount_minor
        return {currency: minor for currency, minor in total.items() if minor}

    def band_of_customer(self, customer: int | None) -> str:
        of = [self.claimed[one.id] for one in self.claims.values() if one.customer_id == customer]
        return band_of(max(of, default=0)).value

    def stages(self) -> tuple[dict[str, int], dict[str, list[int]]]:
        """How far each first contact led, and how many minutes it took."""
        sent: dict[int, list[tuple[Message, str]]] = defaultdict(list)
        points = {one.id: one.channel for one in self.rows[ContactPoint]}
        for one in self.rows[ContactAttempt]:
            message = self.messages[one.message_id]
            if message.sent_at is not None:
                sent[one.customer_id].append((message, points[one.contact_point_id]))
        counts: dict[str, int] = defaultdict(int)
        minutes: dict[str, list[int]] = defaultdict(list)
        for customer, contacts in sent.items():
            contacts.sort(key=lambda one: one[0].sent_at or NOW)
            ends = [one.sent_at for one, _ in contacts[1:]] + [datetime.max.replace(tzinfo=UTC)]
            for (message, channel), end in zip(contacts, ends, strict=True):
                if self.chosen.channel not in ("", channel) or self.chosen.band not in (
                    "",
                    self.band_of_customer(customer),
                ):
                    continue
                if self.within(message.sent_at):
                    self._one(customer, message, end or NOW, counts, minutes)
        return dict(counts), {name: sorted(of) for name, of in minutes.items() if of}

    def _one(
        self, customer: int, message: Message, end: datetime,
        counts: dict[str, int], minutes: dict[str, list[int]],
    ) -> None:  # fmt: skip
        begin = message.sent_at
        assert begin is not None

        def first(moments: list[datetime]) -> datetime | None:
            return min((at for at in moments if begin <= at < end), default=None)

        theirs = {one.id for one in self.claims.values() if one.customer_id == customer}
        answered = first(
            [
                one.created_at
                for one in self.messages.values()
                if one.direction == "in"
                and self.talks[one.conversation_id].customer_id == customer
                and one.id > message.id
            ]
        )
        verified = first([e.at for e in self.events("verified") if e.customer_id == customer])
        agreed = first([one.agreed_at for one in self.rows[Agreement] if one.claim_id in theirs])
        paid = first(
            [
                one.booked_at
                for one in self.rows[Posting]
                if one.claim_id in theirs and one.kind == "payment"
            ]
        )
        reached = {
            "sent": True, "delivered": message.delivered_at, "read": message.read_at,
            "answered": answered, "verified": verified, "agreed_after": agreed,
        }  # fmt: skip
        names = list(reached)
        for number, name in enumerate(names):
            counts[name] += any(reached[later] for later in names[number:])
        counts["paid_after"] += paid is not None
        for name, at in (("answered", answered), ("agreed_after", agreed), ("paid_after", paid)):
            if at is not None:
                minutes[name].append(rounded(at - begin))

    def care(self) -> dict[str, int]:
        """Conversations that were stopped or handed over, and claims solved with and without."""
        counts: dict[str, int] = defaultdict(int)

        def fits(conversation: int) -> bool:
            talk = self.talks[conversation]
            return self.chosen.channel in ("", talk.channel) and self.chosen.band in (
                "",
                self.band_of_customer(talk.customer_id),
            )

        stops = {
            (e.conversation_id, e.at.astimezone(ZONE).date())
            for e in self.events("opted_out", "opted_out_everywhere")
            if self.within(e.at)
        }
        counts["opted_out"] = sum(fits(talk) for talk, _ in stops if talk is not None)
        counts["handed_over"] = sum(
            fits(one.conversation_id) for one in self.rows[Handoff] if self.within(one.requested_at)
        )
        for claim, at in self.settled():
            if not self.within(at) or not self.fits(claim.id):
                continue
            contacted = any(
                (sent := self.messages[one.message_id].sent_at) is not None and sent <= at
                for one in self.rows[ContactAttempt]
                if one.customer_id == claim.customer_id
            )
            with_person = any(
                one.taken_at is not None and one.taken_at <= at
                for one in self.rows[Handoff]
                if self.talks[one.conversation_id].customer_id == claim.customer_id
            )
            counts["solved"] += contacted
            counts["alone"] += contacted and not with_person
        return dict(counts)

    def came_back(self) -> tuple[int, int]:
        last: dict[int, tuple[datetime, Claim]] = {}
        for claim, at in self.settled():
            if claim.customer_id not in last or last[claim.customer_id][0] < at:
                last[claim.customer_id] = (at, claim)
        these = [
            (customer, at.astimezone(ZONE).date())
            for customer, (at, claim) in last.items()
            if self.within(at) and self.fits(claim.id)
        ]
        again = [
            customer
            for customer, day in these
            if any(
                one.customer_id == customer and one.ordered_on > day for one in self.rows[Reorder]
            )
        ]
        return len(these), len(again)


TABLES = (
    *(Agreement, AuditEvent, Claim, ContactAttempt, ContactPoint, Conversation, Customer),
    *(Handoff, Message, Posting, Reorder),
)


def rounded(took: timedelta) -> int:
    """Minutes, to two digits; halves go up."""
    minutes = int(took.total_seconds() / 60 + 0.5)
    step = 10 ** max(0, len(str(minutes)) - 2)
    return int(minutes / step + 0.5) * step


def percentile(of: list[int], share: float) -> int:
    """The smallest value that so many are not above."""
    return of[next(n for n in range(len(of)) if (n + 1) / len(of) >= share)]


@pytest.mark.parametrize("seed", [1, 2])
async def test_figures_are_what_a_direct_count_finds(
    database: Database, merchant: Merchant, seed: int
) -> None:
    await town_of(database, merchant, seed)
    async with database.merchant(merchant.id) as session:
        rows = {table: list(await session.scalars(select(table))) for table in TABLES}
    today = NOW.astimezone(ZONE).date()
    for days, channel, band in (
        (90, "", ""), (30, "", ""), (7, "", ""), (1, "", ""), (90, "sms", ""), (90, "", "middle"),
        (45, "telegram", "large"), (90, "whatsapp", "small"),
    ):  # fmt: skip
        chosen = Chosen(today - timedelta(days=days - 1), today, channel, band)
        found, count = await gathered(database, merchant, chosen), Count(rows, chosen)

        def amounts(name: str, found: Figures = found) -> dict[str, tuple[int, int]]:
            of = found.amounts.get(name, {})
            return {currency: (one.cases, one.minor) for currency, one in of.items()}

        if days == 90 and not (channel or band):
            assert all(of for of in count.money().values()), "every figure has something to count"
        for name, expected in count.money().items():
            assert amounts(name) == expected, (chosen, name)
        collected = {c: one[1] for c, one in amounts("collected").items() if one[1]}
        assert collected == count.collected(), chosen
        assert sum(sum(of.values()) for of in found.days.values()) == sum(collected.values())
        stages, minutes = count.stages()
        assert {name: found.cases(name) for name in stages} == stages, chosen
        assert {name: (one.cases, one.median, one.p90) for name, one in found.waits.items()} == {
            name: (len(of), percentile(of, 0.5), percentile(of, 0.9))
            for name, of in minutes.items()
        }, chosen
        care = count.care()
        assert {name: found.cases(name) for name in care} == care, chosen
        assert (found.cases("solved_customers"), found.cases("came_back")) == count.came_back()


async def all_listed(database: Database, merchant: Merchant, among: Among, order: Order) -> int:
    count, after = 0, None
    async with database.merchant(merchant.id) as session:
        while True:
            page, after = await listed(
                session, merchant.id, Which.ALL, order, today=NOW.date(), among=among,
                after=after, limit=7,
            )  # fmt: skip
            count += len(page)
            if after is None:
                return count


async def test_each_figure_leads_to_as_many_claims(database: Database, merchant: Merchant) -> None:
    await town_of(database, merchant, 4)
    today = NOW.astimezone(ZONE).date()
    for days, channel, band in ((60, "", ""), (20, "sms", ""), (60, "", "large")):
        first = today - timedelta(days=days)
        figures = await gathered(database, merchant, Chosen(first, today, channel, band))
        for what in (
            *(Happened.PROMISED, Happened.SETTLED, Happened.AGREED, Happened.KEPT),
            *(Happened.BROKEN, Happened.DISPUTED, Happened.CAME_BACK, Happened.ALONE),
        ):
            among = Among(what, first, today, ZONE, channel, Band(band) if band else None)
            for asked in Order:
                order = order_of(asked, Which.ALL, among)
                found = await all_listed(database, merchant, among, order)
                assert found == figures.cases(what), (what, order)


def test_claims_that_are_paid_have_no_order_by_what_is_open() -> None:
    today = NOW.date()
    for what in Happened:
        among = Among(what, today, today, ZONE)
        paid = what in (Happened.SETTLED, Happened.KEPT, Happened.CAME_BACK, Happened.ALONE)
        expected = Order.NEWEST if paid else Order.OPEN
        assert order_of(Order.OPEN, Which.ALL, among) is expected
        assert order_of(Order.DUE, Which.ALL, among) is Order.DUE


async def test_another_merchants_figures_are_not_seen(
    database: Database, merchant: Merchant, other: Merchant
) -> None:
    await town_of(database, merchant, 5)
    today = NOW.astimezone(ZONE).date()
    chosen = Chosen(today - timedelta(days=90), today)
    await gathered(database, merchant, chosen)
    theirs = await gathered(database, other, chosen)
    assert (theirs.amounts, theirs.waits) == ({}, {})
    async with database.merchant(other.id) as session:
        assert await overview.read(session, merchant.id, chosen) is None


async def test_what_happened_lately_is_gathered_with_every_run_and_all_else_within_the_hour(
    database: Database, merchant: Merchant
) -> None:
    """Figures are sums of their cases at every moment, and no run changes what has not changed."""
    await town_of(database, merchant, 6)
    today = NOW.astimezone(ZONE).date()
    chosen = Chosen(today - timedelta(days=120), today)

    async def refreshed(moment: datetime) -> tuple[date, Figures]:
        async with database.merchant(merchant.id) as session:
            first = await overview.refresh(session, merchant, moment)
            figures = await overview.read(session, merchant.id, chosen)
            counted = {
                figure: count
                for of in (OverviewCase, OverviewClaim)
                for figure, count in await session.execute(
                    select(of.figure, func.count()).group_by(of.figure)
                )
            }
        assert figures is not None
        assert {*SOLVED, *FOLLOWED} <= counted.keys()
        assert counted == {name: figures.cases(name) for name in counted}
        return first, figures

    _, whole = await refreshed(NOW)
    first, same = await refreshed(NOW + timedelta(minutes=5))
    assert first == today - timedelta(days=overview.LATEST_DAYS)
    assert (same.amounts, same.waits, same.days) == (whole.amounts, whole.waits, whole.days)

    async with database.merchant(merchant.id) as session:
        talks = (await session.scalars(select(Conversation.id).limit(2))).all()
        for talk, days in zip(talks, (0, 10), strict=True):
            session.add(
                Handoff(
                    merchant_id=merchant.id, conversation_id=talk, reason="asked_for_person",
                    summary={}, requested_at=NOW - timedelta(days=days),
                    closed_at=NOW - timedelta(days=days),
                )
            )  # fmt: skip
    before = whole.cases("handed_over")
    _, soon = await refreshed(NOW + timedelta(minutes=10))
    assert soon.cases("handed_over") == before + 1
    first, later = await refreshed(NOW + timedelta(minutes=70))
    assert first == today - timedelta(days=overview.RECENT_DAYS)
    assert later.cases("handed_over") == before + 2


async def test_the_recent_days_are_gathered_every_hour_and_all_of_them_once_a_day(
    database: Database, merchant: Merchant
) -> None:
    begun: list[date] = []

    async def refresh(moment: datetime) -> None:
        async with database.merchant(merchant.id) as session:
            begun.append(await overview.refresh(session, merchant, moment))

    for hours in (0, 1, 5, 21, 22):
        await refresh(NOW + timedelta(hours=hours))
    await refresh(NOW - timedelta(days=300))  # the clock was set back
    today = NOW.date()
    assert begun[0] == today - timedelta(days=overview.WHOLE_DAYS)
    assert begun[1:3] == [today - timedelta(days=overview.RECENT_DAYS)] * 2
    assert begun[3] == today + timedelta(days=1 - overview.WHOLE_DAYS)
    assert begun[4] == today + timedelta(days=1 - overview.RECENT_DAYS)
    assert begun[5] == today - timedelta(days=300 + overview.WHOLE_DAYS)
