"""The whole life of what was agreed, on a real database: noted, thanked for, asked about, changed,
kept; or broken, with what the merchant wants to follow."""

import asyncio
from datetime import date, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import func, select

from api import watch
from api.outreach_check import still_allowed
from channels.message import Channel
from conversation.look import lock
from ledger import book
from ledger.agreements import AgreementStatus, AgreementTerms, Promise, Settlement, plan_by_count
from ledger.book_follow_up import take_follow_ups
from ledger.claim import ClaimFacts
from ledger.money import Money
from negotiation.bounds import guard_for
from negotiation.errors import TooManyAgreements
from negotiation.policy import Policy
from storage.engine import Database
from storage.tables import (
    AuditEvent,
    Claim,
    ContactAttempt,
    Conversation,
    Customer,
    FollowUp,
    Handoff,
    Merchant,
    Message,
)
from tests.conftest import NOW
from tests.db.outreach_shop import TODAY, Shop

FIRST = date(2026, 12, 7)  # a Monday, two weeks ahead


class At:
    """A clock that stands where it is put."""

    def __init__(self, moment: datetime) -> None:
        self.moment = moment

    def now(self) -> datetime:
        return self.moment


class Life:
    """One customer with a claim of 90 €, and a day that is moved by hand."""

    def __init__(self, shop: Shop) -> None:
        self.shop = shop
        self.clock = At(NOW)
        self.customer: Customer
        self.claim: Claim
        self.keys = 0
        self.public_url = "https://kulanz.example"

    @property
    def database(self) -> Database:
        return self.shop.database

    async def begin(self) -> None:
        self.customer = await self.shop.customer("K-1")
        self.claim = await self.shop.claim(self.customer, 90_00)
        await self.shop.point(self.customer, "+4915735990123")

    async def go(self, day: date, hour: int = 10) -> list[str]:
        """Move to a day, with fresh figures, and watch; the wordings that were queued and sent."""
        self.clock.moment = NOW.replace(year=day.year, month=day.month, day=day.day, hour=hour)
        await self.shop.change(self.claim, confirmed_at=self.clock.now())
        return await self.watch()

    async def watch(self) -> list[str]:
        before = await self.newest()
        await watch.look(_Parts(self), _NoJobs(), self.shop.merchant.id)  # type: ignore[arg-type]
        return await self.send(after=before)

    async def newest(self) -> int:
        async with self.shop.session() as session:
            return await session.scalar(select(func.max(Message.id))) or 0

    async def send(self, after: int) -> list[str]:
        """What delivery does: look once more, then it is sent."""
        said = []
        async with self.shop.session() as session:
            queued = await session.scalars(
                select(Message).where(Message.id > after, Message.direction == "out")
            )
            for message in queued:
                conversation = await session.get_one(Conversation, message.conversation_id)
                refused = await still_allowed(session, conversation, message, self.clock.now())
                assert refused is None, (message.wording, refused)
                message.status, message.sent_at = "sent", self.clock.now()
                said.append(message.wording or "")
        return said

    async def agree(self, terms: AgreementTerms, guard: Any = None) -> None:
        self.keys += 1
        async with self.shop.session() as session:
            await book.agree(
                session, self.claim.id, terms, guard=guard or _allows, now=self.clock.now(),
                key=f"a{self.keys}",
            )  # fmt: skip

    async def pay(self, minor: int, *, credit: bool = False) -> None:
        self.keys += 1
        post = book.post_credit_note if credit else book.post_payment
        async with self.shop.session() as session:
            await post(
                session, self.claim.id, Money(minor), value_date=self.clock.now().date(),
                now=self.clock.now(), key=f"p{self.keys}",
            )  # fmt: skip

    async def statement(self) -> Any:
        async with self.shop.session() as session:
            return await book.statement(session, self.claim.id)

    async def noted(self) -> list[str]:
        """Every change of an agreement, in order."""
        async with self.shop.session() as session:
            kinds = await session.scalars(
                select(AuditEvent.kind)
                .where(AuditEvent.kind.startswith("agreement_"))
                .order_by(AuditEvent.id)
            )
            return [kind.removeprefix("agreement_") for kind in kinds]

    async def policy(self, **values: Any) -> None:
        async with self.database.operator() as session:
            (await session.get_one(Merchant, self.shop.merchant.id)).policy = values


class _Parts:
    def __init__(self, life: Life) -> None:
        self.database, self.clock, self.public_url = life.database, life.clock, life.public_url


class _NoJobs:
    """Delivery is done by hand here."""


def _allows(terms: AgreementTerms, facts: ClaimFacts) -> None:
    """A merchant who allows everything."""


@pytest.fixture
async def life(database: Database, merchant: Merchant, monkeypatch: pytest.MonkeyPatch) -> Life:
    async def no_job(*_: Any) -> None:
        return None

    monkeypatch.setattr("api.contact.defer_delivery", no_job)
    made = Life(Shop(database, merchant))
    await made.begin()
    return made


def plan_of_three() -> AgreementTerms:
    return plan_by_count(Money(90_00), 3, first=FIRST)


async def test_a_plan_of_three_from_its_first_note_to_its_last_thanks(life: Life) -> None:
    await life.agree(plan_of_three())
    assert await life.go(date(2026, 12, 3)) == []
    assert await life.go(date(2026, 12, 4)) == ["agreement_soon"]
    assert await life.watch() == []
    assert await life.go(FIRST) == [], "the note was enough"

    await life.pay(30_00)
    assert await life.watch() == ["agreement_thanks"]
    assert await life.watch() == []

    assert await life.go(date(2027, 1, 4)) == ["agreement_soon"]
    assert await life.go(date(2027, 1, 8)) == [], "the first banking day after it"
    assert await life.go(date(2027, 1, 11)) == ["agreement_missed"]

    # The customer takes another day for what is left.
    await life.agree(plan_by_count(Money(60_00), 2, first=date(2027, 1, 25)))
    assert await life.go(date(2027, 1, 22)) == ["agreement_soon"]
    await life.pay(30_00)
    assert await life.go(date(2027, 1, 25)) == [], "only the very first instalment is thanked for"
    await life.pay(30_00)
    assert await life.watch() == ["agreement_settled"]
    assert await life.watch() == []

    statement = await life.statement()
    assert statement.agreement.status is AgreementStatus.KEPT
    assert statement.agreement.because == "missed_day"
    assert [part.paid_early for part in statement.agreement.progress] == [True, True]
    (earlier,) = statement.earlier_agreements
    assert (earlier.status, earlier.end_reason) == (AgreementStatus.SUPERSEDED, "missed_day")
    assert await life.noted() == [
        "made", "instalment_paid", "adjusted", "instalment_paid", "instalment_paid", "kept",
    ]  # fmt: skip


async def test_nothing_is_said_that_would_tell_a_stranger(life: Life) -> None:
    await life.agree(plan_of_three())
    await life.go(date(2026, 12, 4))
    await life.go(FIRST)
    await life.pay(30_00)
    await life.watch()
    async with life.shop.session() as session:
        texts = (await session.scalars(select(Message.text))).all()
    assert len(texts) == 2
    for text in texts:
        assert "STOP" in text
        assert "automatische Assistent" in text
        for secret in ("€", "Rechnung", "Rate", "R-1", "30"):
            assert secret not in text.replace("+493023125000", "").replace("030", ""), text


async def test_who_has_just_proved_who_they_are_gets_a_receipt(life: Life) -> None:
    await life.agree(Promise(Money(90_00), FIRST))
    seen = life.clock.now() - timedelta(minutes=20)
    await life.shop.conversation(
        life.customer, "+4915735990123", verified_at=seen, last_inbound_at=seen
    )
    await life.pay(90_00)
    assert await life.watch() == ["settled_thanks"]
    async with life.shop.session() as session:
        (message,) = await session.scalars(select(Message).order_by(Message.id))
    assert message.discloses
    assert "automatische Assistent" in message.text  # it names itself in the same SMS
    assert "R-1" in message.text
    assert "90,00" in message.text


async def test_two_workers_and_a_killed_one_say_it_once(life: Life) -> None:
    await life.agree(plan_of_three())
    life.clock.moment = NOW.replace(month=12, day=4)
    await life.shop.change(life.claim, confirmed_at=life.clock.now())
    await asyncio.gather(
        *(
            watch.look(_Parts(life), _NoJobs(), life.shop.merchant.id)  # type: ignore[arg-type]
            for _ in range(4)
        )
    )
    async with life.shop.session() as session:
        assert await session.scalar(select(func.count()).select_from(ContactAttempt)) == 1
        assert await session.scalar(select(func.count()).select_from(Message)) == 1


async def test_what_was_paid_meanwhile_is_not_spoken_of(life: Life) -> None:
    await life.agree(plan_of_three())
    life.clock.moment = NOW.replace(month=12, day=4)
    await life.shop.change(life.claim, confirmed_at=life.clock.now())
    await watch.look(_Parts(life), _NoJobs(), life.shop.merchant.id)  # type: ignore[arg-type]
    await life.pay(30_00)  # between decision and sending
    async with life.shop.session() as session:
        message = (await session.scalars(select(Message))).one()
        conversation = await session.get_one(Conversation, message.conversation_id)
        assert await still_allowed(session, conversation, message, life.clock.now()) == "agreement"


async def test_a_jump_of_weeks_asks_and_never_announces_the_past(life: Life) -> None:
    await life.agree(plan_of_three())
    assert await life.go(date(2027, 1, 29)) == ["agreement_missed"]
    assert await life.go(date(2027, 2, 3)) == []
    assert (await life.statement()).agreement.status is AgreementStatus.ACTIVE


async def test_broken_and_reminders_begin_again(life: Life) -> None:
    await life.agree(plan_of_three())
    await life.go(date(2026, 12, 4))
    assert await life.go(date(2026, 12, 9)) == ["agreement_missed"]
    assert await life.go(date(2026, 12, 16)) == []
    assert (await life.statement()).agreement.status is AgreementStatus.ACTIVE
    assert await life.go(date(2026, 12, 17)) == []
    ended = (await life.statement()).agreement
    assert (ended.status, ended.end_reason) == (AgreementStatus.BROKEN, "not_paid")
    assert ended.ended_at == life.clock.now()
    assert (await life.noted())[-1] == "broken"
    decision = await life.shop.decision(life.customer, life.clock.now())
    assert getattr(decision, "wording", None) == "first_contact"


@pytest.mark.parametrize("kind", ["letter", "export"])
async def test_broken_and_on_the_merchants_list(life: Life, kind: str) -> None:
    await life.policy(broken_next=kind)
    await life.agree(plan_of_three())
    await life.go(date(2026, 12, 9))
    await life.go(date(2026, 12, 17))
    await life.go(date(2026, 12, 18))
    async with life.shop.session() as session:
        rows = await take_follow_ups(session, life.shop.merchant.id, now=life.clock.now())
        assert await take_follow_ups(session, life.shop.merchant.id, now=life.clock.now()) == []
        assert await session.scalar(select(func.count()).select_from(FollowUp)) == 1
    (row,) = rows
    assert (row.kind, row.open, row.claim_reference) == (kind, Money(90_00), "R-1")
    assert row.agreed.end_reason == "not_paid"


async def test_broken_and_a_person_takes_over(life: Life) -> None:
    await life.policy(broken_next="handoff")
    await life.agree(plan_of_three())
    await life.go(date(2026, 12, 9))
    await life.go(date(2026, 12, 17))
    async with life.shop.session() as session:
        handoff = (await session.scalars(select(Handoff))).one()
    assert handoff.reason == "agreement_broken"
    assert handoff.summary["claim"] == life.claim.id


async def test_who_ends_it_takes_the_conversation_before_the_claim(life: Life) -> None:
    """As the customer's page does; else each could wait for what the other holds."""
    await life.policy(broken_next="handoff")
    await life.agree(plan_of_three())
    await life.go(date(2026, 12, 9))
    life.clock.moment = NOW.replace(month=12, day=17)
    await life.shop.change(life.claim, confirmed_at=life.clock.now())
    async with life.shop.session() as session:
        held = (await session.scalars(select(Conversation.id))).one()
        await lock(session, held)
        looking = asyncio.create_task(life.watch())
        await asyncio.sleep(0.5)
        claim = select(Claim.id).where(Claim.id == life.claim.id)
        assert await session.scalar(claim.with_for_update(nowait=True)) == life.claim.id
    await looking
    async with life.shop.session() as session:
        assert (await session.scalars(select(Handoff.reason))).one() == "agreement_broken"


async def test_money_that_arrives_in_the_last_moment_keeps_the_agreement(life: Life) -> None:
    await life.agree(plan_of_three())
    await life.go(date(2026, 12, 9))
    life.clock.moment = NOW.replace(month=12, day=17)
    await life.shop.change(life.claim, confirmed_at=life.clock.now())
    await life.pay(30_00)
    await life.watch()
    assert (await life.statement()).agreement.status is AgreementStatus.ACTIVE


async def test_a_credit_note_shrinks_the_plan_from_its_end_and_is_said(life: Life) -> None:
    await life.agree(plan_of_three())
    await life.go(FIRST)
    await life.pay(30_00)
    await life.go(date(2026, 12, 10))
    await life.pay(40_00, credit=True)
    assert await life.go(date(2026, 12, 12)) == [], "two messages a week are enough"
    assert await life.go(date(2026, 12, 15)) == ["agreement_repriced"]
    assert await life.watch() == []
    found = (await life.statement()).agreement
    assert [part.instalment.amount for part in found.progress] == [Money(30_00), Money(20_00)]
    assert [bool(part.missing) for part in found.progress] == [False, True]
    assert found.because == "less_owed"
    assert await life.noted() == ["made", "instalment_paid", "repriced"]
    await life.pay(20_00)
    assert (await life.statement()).agreement.status is AgreementStatus.KEPT


async def test_a_credit_note_that_was_undone_is_said_too(life: Life) -> None:
    await life.agree(plan_of_three())
    await life.pay(40_00, credit=True)
    async with life.shop.session() as session:
        await book.reverse(
            session, life.claim.id, f"p{life.keys}", value_date=TODAY, now=NOW, key="undo"
        )
    found = (await life.statement()).agreement
    assert [part.instalment.amount.minor for part in found.progress] == [30_00, 60_00]
    assert found.because == "more_owed"


async def test_a_settlement_counts_what_was_credited(life: Life) -> None:
    await life.agree(Settlement(Money(80_00), Money(10_00), FIRST))
    await life.pay(30_00, credit=True)
    assert (await life.statement()).agreement.terms.amount == Money(50_00)
    await life.pay(50_00)
    statement = await life.statement()
    assert statement.agreement.status is AgreementStatus.KEPT
    assert not statement.open.total


async def test_paid_early_and_in_part_is_kept_as_that(life: Life) -> None:
    await life.agree(plan_of_three())
    await life.pay(45_00)
    parts = (await life.statement()).agreement.progress
    assert [part.state(TODAY).value for part in parts] == ["paid_early", "partly_paid", "to_pay"]
    assert await life.noted() == ["made", "instalment_paid", "partly_paid"]
    assert await life.go(date(2026, 12, 4)) == [], "the first is paid, the second is far"


async def test_a_day_is_moved_once_without_a_person(life: Life) -> None:
    guard = guard_for(Policy())
    await life.agree(plan_of_three())
    await life.go(date(2026, 12, 9))
    await life.agree(plan_by_count(Money(90_00), 3, first=date(2026, 12, 16)), guard)
    await life.go(date(2026, 12, 18))
    again = plan_by_count(Money(90_00), 3, first=date(2026, 12, 28))
    with pytest.raises(TooManyAgreements):
        await life.agree(again, guard)
    await life.agree(Promise(Money(90_00), date(2026, 12, 21)), guard)


async def test_re_pricing_uses_up_no_agreement_of_the_customers(life: Life) -> None:
    await life.agree(plan_of_three())
    await life.pay(5_00, credit=True)
    async with life.shop.session() as session:
        facts = await book.claim_facts(session, life.claim.id, now=NOW)
    assert facts.agreements_before == 1


async def test_stop_ends_these_messages_too(life: Life) -> None:
    await life.agree(plan_of_three())
    async with life.shop.session() as session:
        (await session.get_one(Customer, life.customer.id)).opted_out_at = NOW
    assert await life.go(date(2026, 12, 4)) == []
    assert await life.go(date(2026, 12, 9)) == []
    await life.go(date(2026, 12, 17))
    assert (await life.statement()).agreement.status is AgreementStatus.BROKEN, "no way to ask"


@pytest.mark.parametrize("approved", ["first_contact.de", "agreement_soon.de"])
async def test_whatsapp_goes_by_the_notes_own_template(life: Life, approved: str) -> None:
    account = await life.shop.account(Channel.WHATSAPP)
    await life.shop.point(life.customer, "+4915735990124", Channel.WHATSAPP, consent_at=NOW)
    await life.shop.change(account, templates={approved: "HX1"})
    await life.agree(plan_of_three())
    assert await life.go(date(2026, 12, 4)) == ["agreement_soon"]
    async with life.shop.session() as session:
        message = (await session.scalars(select(Message))).one()
    if approved == "first_contact.de":
        assert message.channel_account_id != account.id, "without a template the next channel"
        return
    assert message.template is not None
    assert message.template["id"] == "HX1"
    assert message.template["variables"]["2"] == "7. Dezember 2026"
