"""Invented customers in the real ledger: made, confirmed, paid, and looked ahead for."""

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import select

from api.demo import shop
from api.demo.coming import outlook
from api.demo.stories import newcomer, newest_of, stories
from ledger import book
from ledger.agreements import AgreementTerms, Promise
from ledger.claim import ClaimFacts
from ledger.money import Money
from outreach.facts import PlannedContact
from storage.engine import Database
from storage.tables import ContactPoint, Customer, Merchant

NOW = datetime(2026, 11, 23, 10, 0, tzinfo=UTC)  # a Monday
BERLIN = ZoneInfo("Europe/Berlin")


def allows_all(facts: ClaimFacts, terms: AgreementTerms) -> None:
    """Whatever is proposed."""


async def _made(database: Database, merchant: Merchant, key: str = "no_whatsapp") -> Customer:
    async with database.merchant(merchant.id) as session:
        number = await newcomer(session, merchant, stories()[key], NOW)
    async with database.merchant(merchant.id) as session:
        return (await session.scalars(select(Customer).where(Customer.number == number))).one()


async def test_starting_over_makes_somebody_new_and_touches_nobody(
    database: Database, merchant: Merchant
) -> None:
    first = await _made(database, merchant, "forgot")
    second = await _made(database, merchant, "forgot")
    other = await _made(database, merchant, "no_whatsapp")
    async with database.merchant(merchant.id) as session:
        points = (await session.scalars(select(ContactPoint).order_by(ContactPoint.id))).all()
        assert await newest_of(session, stories()["forgot"]) == second.number
        for customer in (first, second):
            (claim,) = await book.claims_of(session, customer.id)
            assert (await book.balance(session, claim.id)).total == Money(12990, "EUR")
    channels = {
        customer.number: sorted(p.channel for p in points if p.customer_id == customer.id)
        for customer in (first, other)
    }
    assert channels[first.number] == ["sms", "whatsapp"]
    assert channels[other.number] == ["sms"]
    assert len({p.address for p in points if p.channel == "sms"}) == 3


async def test_what_comes_next_is_the_contact_then_the_agreed_day(
    database: Database, merchant: Merchant
) -> None:
    customer = await _made(database, merchant)
    async with database.merchant(merchant.id) as session:
        before = await outlook(session, merchant, customer, NOW)
        assert isinstance(before.decision, PlannedContact)
        assert [(each.at, each.what, each.detail) for each in before.coming] == [
            (NOW, "first_contact", "sms")
        ]
        for number, claim in enumerate(await book.claims_of(session, customer.id), start=1):
            promise = Promise(
                (await book.balance(session, claim.id)).total, date(2026, 12, 1 + number)
            )
            await book.agree(
                session, claim.id, promise, guard=allows_all, now=NOW, key=f"promise:{number}"
            )
    async with database.merchant(merchant.id) as session:
        after = await outlook(session, merchant, customer, NOW)
    days = [each for each in after.coming if each.what == "day_due"]
    assert [each.at for each in days] == [
        datetime.combine(date(2026, 12, 2), time(10), BERLIN),
        datetime.combine(date(2026, 12, 3), time(10), BERLIN),
    ]
    assert days[0].amount == Money(28437, "EUR")


async def test_in_the_evening_the_contact_waits_for_the_morning(
    database: Database, merchant: Merchant
) -> None:
    customer = await _made(database, merchant)
    night = NOW.replace(hour=22)
    async with database.merchant(merchant.id) as session:
        (first, *_) = (await outlook(session, merchant, customer, night)).coming
    assert first.what == "first_contact"
    assert night < first.at < night + timedelta(hours=12)


async def test_a_payment_pays_the_oldest_claim_until_nothing_is_open(
    database: Database, merchant: Merchant
) -> None:
    customer = await _made(database, merchant)
    for amount in (28437, 3840):
        async with database.merchant(merchant.id) as session:
            assert await shop.pay(session, merchant, customer, NOW) == Money(amount, "EUR")
    async with database.merchant(merchant.id) as session:
        with pytest.raises(shop.NothingToPay):
            await shop.pay(session, merchant, customer, NOW)


async def test_the_daily_file_keeps_the_amounts_fresh(
    database: Database, merchant: Merchant
) -> None:
    customer = await _made(database, merchant)
    later = NOW + timedelta(days=9)
    async with database.merchant(merchant.id) as session:
        await shop.confirm(session, merchant, customer, later)
    async with database.merchant(merchant.id) as session:
        claims = await book.claims_of(session, customer.id)
    assert [claim.confirmed_at for claim in claims] == [later, later]
