"""A payment that belongs to no agreement is thanked for once; one that comes back is told softly.

From whichever way the money came, on the way of every automatic message: planned by the watch,
looked at once more before it leaves.
"""

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select, update

from api.payments import booking
from api.payments.provider import Notice, NoticeKind
from ledger import book
from ledger.agreements import Promise
from ledger.bank.entry import BankStatement, Family, Movement
from ledger.bank.intake import Account, take_statements
from ledger.intake_book import Source
from ledger.money import Money
from storage.engine import Database
from storage.tables import Conversation, Merchant, Message
from tests.db.outreach_shop import TODAY, Shop
from tests.db.test_watching import Life

IBAN = "DE02120300000000202051"


class Purse(Life):
    """A customer who owes 90 €, and the ways by which money comes and goes."""

    async def by_api(self, minor: int, key: str = "p1") -> None:
        async with self.shop.session() as session:
            await book.post_payment(
                session, self.claim.id, Money(minor), value_date=self.clock.now().date(),
                now=self.clock.now(), key=key,
            )  # fmt: skip

    async def by_bank(self, minor: int) -> None:
        day = self.clock.now().date()
        statement = BankStatement(
            account=IBAN,
            family=Family.CAMT,
            format="camt.053.001.08",
            number="1",
            movements=(
                Movement(
                    amount=Money(minor),
                    booked=day,
                    value_date=day,
                    creditor_reference=self.claim.rf_reference,
                    bank_reference="B1",
                ),
            ),
            entries=1,
        )
        async with self.shop.session() as session:
            taken = await take_statements(
                session,
                [statement],
                Account(self.shop.merchant.id, (IBAN,), day, self.clock.now()),
                Source("bank_statement", "test", "0" * 64),
            )
        assert taken.counts["posted"] == 1

    async def by_provider(self, minor: int) -> None:
        await self.begin_online(minor)
        await self.told(NoticeKind.PAID, minor)

    async def begin_online(self, minor: int) -> None:
        async with self.shop.session() as session:
            payment = await booking.begin(
                session,
                merchant_id=self.shop.merchant.id,
                customer_id=self.customer.id,
                provider="sandbox",
                parts={self.claim.id: Money(minor)},
                now=self.clock.now(),
            )
        self.reference = payment.reference

    async def told(self, kind: NoticeKind, minor: int | None = None) -> None:
        self.keys += 1
        money = None if minor is None else Money(minor)
        now = self.clock.now()
        notice = Notice(
            f"e{self.keys}", kind, now, self.reference, f"pay_{self.reference}", money, "dp_1"
        )
        async with self.shop.session() as session:
            await booking.take(session, self.shop.merchant.id, "sandbox", notice, now)

    reference = ""

    async def prove(self) -> None:
        """The customer has written and proved who they are, half an hour ago."""
        before = self.clock.now() - timedelta(minutes=20)
        async with self.shop.session() as session:
            await session.execute(
                update(Conversation).values(verified_at=before, last_inbound_at=before)
            )

    async def texts(self) -> list[tuple[str, str]]:
        async with self.shop.session() as session:
            found = await session.execute(
                select(Message.wording, Message.text)
                .where(Message.direction == "out")
                .order_by(Message.id)
            )
            return [(row.wording or "", row.text) for row in found]


@pytest.fixture
async def life(database: Database, merchant: Merchant, monkeypatch: pytest.MonkeyPatch) -> Purse:
    async def no_job(*_: Any) -> None:
        return None

    monkeypatch.setattr("api.contact.defer_delivery", no_job)
    made = Purse(Shop(database, merchant))
    await made.begin()
    return made


@pytest.mark.parametrize("way", ["by_api", "by_bank", "by_provider"])
async def test_thanks_come_once_whichever_way_the_money_came(life: Purse, way: str) -> None:
    await getattr(life, way)(90_00)
    assert await life.watch() == ["arrived_thanks"]
    assert await life.watch() == []
    (_, text), *_ = await life.texts()
    assert "90" not in text
    assert "Rechnung" not in text


async def test_each_payment_has_its_thanks_and_says_what_is_left_after_proof(life: Purse) -> None:
    await life.by_api(30_00, "p1")
    assert await life.watch() == ["arrived_thanks"]
    await life.go(TODAY + timedelta(days=3))
    await life.prove()
    await life.by_api(20_00, "p2")
    assert await life.watch() == ["payment_thanks"]
    told = dict(await life.texts())["payment_thanks"]
    assert "20,00" in told
    assert "noch 40,00" in told
    await life.go(TODAY + timedelta(days=7))
    await life.prove()
    await life.by_bank(40_00)
    assert await life.watch() == ["payment_thanks"]
    assert "Bestätigung" in (await life.texts())[-1][1]


async def test_what_was_agreed_is_thanked_for_by_the_agreement_alone(life: Purse) -> None:
    await life.agree(Promise(Money(90_00), TODAY + timedelta(days=3)))
    await life.by_api(30_00)
    assert await life.watch() == []
    await life.by_bank(60_00)
    assert await life.watch() == ["agreement_settled"]
    assert await life.watch() == []


async def test_a_merchant_may_do_without_thanks_and_a_stop_is_heeded(life: Purse) -> None:
    await life.by_api(30_00)
    async with life.database.operator() as session:
        (await session.get_one(Merchant, life.shop.merchant.id)).policy = {"thanks": False}
    assert await life.watch() == []
    async with life.database.operator() as session:
        (await session.get_one(Merchant, life.shop.merchant.id)).policy = {}
    await life.shop.change(life.claim, status="disputed")
    assert await life.watch() == []


async def test_nothing_is_said_at_night_nor_after_its_days(life: Purse) -> None:
    await life.by_api(90_00)
    assert await life.go(TODAY, hour=23) == []
    assert await life.go(TODAY + timedelta(days=6)) == []


async def test_a_chargeback_is_told_softly_and_once(life: Purse) -> None:
    await life.by_provider(90_00)
    assert await life.watch() == ["arrived_thanks"]
    await life.go(TODAY + timedelta(days=3))
    await life.told(NoticeKind.CHARGED_BACK, 90_00)
    assert await life.watch() == ["came_back"]
    assert await life.watch() == []
    assert await life.go(TODAY + timedelta(days=5)) == []


async def test_a_direct_debit_that_fails_days_later_is_told_and_one_on_the_spot_is_not(
    life: Purse,
) -> None:
    await life.begin_online(90_00)
    await life.told(NoticeKind.FAILED)
    assert await life.watch() == []
    await life.begin_online(90_00)
    await life.told(NoticeKind.PENDING)
    await life.go(TODAY + timedelta(days=3))
    await life.told(NoticeKind.FAILED)
    assert await life.watch() == ["came_back"]
    assert await life.watch() == []


async def test_what_the_shop_gave_back_itself_or_was_paid_again_needs_no_word(
    life: Purse,
) -> None:
    await life.by_provider(90_00)
    await life.told(NoticeKind.REFUNDED, 90_00)
    assert await life.watch() == []  # no thanks either: it went back
    await life.by_provider(50_00)
    await life.told(NoticeKind.CHARGED_BACK, 50_00)
    await life.by_api(50_00, "again")
    assert await life.watch() == ["arrived_thanks"]  # for the one that stayed
    assert await life.watch() == []


async def test_a_debit_that_failed_and_was_paid_another_way_needs_no_word(life: Purse) -> None:
    await life.begin_online(50_00)
    await life.told(NoticeKind.PENDING)
    await life.go(TODAY + timedelta(days=3))
    await life.told(NoticeKind.FAILED)
    life.clock.moment += timedelta(hours=1)
    await life.by_api(50_00, "another way")
    assert await life.watch() == ["arrived_thanks"]
    assert await life.watch() == []


async def test_what_happened_long_before_it_was_handed_over_needs_no_word(life: Purse) -> None:
    """A merchant's file or statement of the last months is no reason to write to everybody."""
    async with life.shop.session() as session:
        for days, post in ((60, book.post_payment), (40, book.post_payment)):
            await post(
                session, life.claim.id, Money(20_00), value_date=TODAY - timedelta(days=days),
                now=life.clock.now(), key=f"old{days}",
            )  # fmt: skip
        await book.post_return(
            session, life.claim.id, Money(20_00), value_date=TODAY - timedelta(days=30),
            now=life.clock.now(), key="back", payment_key="old40",
        )  # fmt: skip
    assert await life.watch() == []


async def test_figures_of_what_came_back_are_for_who_has_proved_who_they_are(life: Purse) -> None:
    await life.by_provider(90_00)
    await life.watch()
    await life.go(TODAY + timedelta(days=3))
    await life.prove()
    await life.told(NoticeKind.CHARGED_BACK, 90_00)
    assert await life.watch() == ["payment_came_back"]
    assert "90,00" in (await life.texts())[-1][1]
