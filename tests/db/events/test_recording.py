"""An event stands with its fact, or not at all; each fact makes one, wherever it comes from."""

from collections.abc import Awaitable, Callable
from datetime import date, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import psycopg
import pytest
from sqlalchemy import select, text
from sqlalchemy.exc import OperationalError
from sqlalchemy.ext.asyncio import AsyncSession

from conversation import consent
from conversation.handoff import request_handoff
from ledger import book
from ledger.agreements import AgreementTerms, Promise, Settlement
from ledger.claim import ClaimFacts
from ledger.intake_book import Source
from ledger.intake_items import take_items
from ledger.money import Money, Notation
from ledger.rows_claims import Setting
from ledger.rows_file import Record
from storage.embedded import ADMIN
from storage.tables import (
    ChannelAccount,
    ContactPoint,
    Conversation,
    Customer,
    MerchantEvent,
    Posting,
)
from tests.conftest import NOW, PostgresServer
from tests.db.events.conftest import TODAY, Telling

SUNDAY = date(2026, 11, 29)


def allows_all(terms: AgreementTerms, facts: ClaimFacts) -> None:
    """A guard of a merchant who allows everything."""


def eur(minor: int) -> Money:
    return Money(minor, "EUR")


async def agree(telling: Telling, terms: AgreementTerms, key: str = "a1") -> int:
    async with telling.database.merchant(telling.merchant.id) as session:
        made = await book.agree(
            session, telling.claim.id, terms, guard=allows_all, now=NOW, key=key
        )
    return made.id


async def told(telling: Telling) -> list[tuple[str, dict[str, Any]]]:
    return [(event.kind, event.facts) for event in await telling.events()]


async def test_a_payment_is_told_with_what_is_open_after_it(telling: Telling) -> None:
    await telling.pay(40_00)
    (event,) = await telling.events()
    assert (event.kind, event.claim_id) == ("payment.received", telling.claim.id)
    assert event.customer_id == telling.claim.customer_id
    assert event.facts == {
        "amount_minor": 40_00,
        "open_minor": 60_00,
        "overpaid_minor": 0,
        "currency": "EUR",
        "value_date": "2026-11-23",
        "payment_key": "merchant:B-1",
    }


async def test_a_repeated_payment_is_told_once(telling: Telling) -> None:
    await telling.pay()
    await telling.pay()
    assert len(await telling.events()) == 1


async def test_a_payment_that_settles_is_told_before_the_settling(telling: Telling) -> None:
    await agree(telling, Promise(eur(100_00), SUNDAY))
    await telling.pay(101_00)
    made, paid, settled, kept = await told(telling)
    assert made[0] == "agreement.made"
    assert paid[1]["amount_minor"] == 101_00
    assert settled == ("claim.settled", {"overpaid_minor": 1_00, "currency": "EUR"})
    assert kept[0] == "agreement.kept"


async def test_a_settlement_kept_is_one_payment_and_a_settled_claim(telling: Telling) -> None:
    await agree(telling, Settlement(eur(80_00), eur(20_00), SUNDAY))
    await telling.pay(80_00)
    assert [kind for kind, _ in await told(telling)] == [
        "agreement.made",
        "payment.received",
        "claim.settled",
        "agreement.kept",
    ]


async def test_money_that_goes_back_is_told(telling: Telling) -> None:
    await telling.pay(100_00)
    async with telling.database.merchant(telling.merchant.id) as session:
        await book.post_return(
            session, telling.claim.id, eur(100_00), value_date=TODAY, now=NOW, key="r"
        )
    kind, facts = (await told(telling))[-1]
    assert (kind, facts["amount_minor"], facts["open_minor"]) == ("payment.returned", 10000, 10000)


async def test_credit_notes_and_waivers_are_no_payments(telling: Telling) -> None:
    async with telling.database.merchant(telling.merchant.id) as session:
        await book.post_credit_note(
            session, telling.claim.id, eur(10_00), value_date=TODAY, now=NOW, key="c"
        )
        await book.post_waiver(
            session, telling.claim.id, eur(10_00), value_date=TODAY, now=NOW, key="w"
        )
    assert await told(telling) == []


async def test_a_payment_from_a_file_and_one_without_a_claim_are_told(telling: Telling) -> None:
    row = {
        "event_id": "B-7",
        "event": "payment",
        "claim_reference": "R-1",
        "amount": "25.00",
        "date": "2026-11-20",
    }
    async with telling.database.merchant(telling.merchant.id) as session:
        await take_items(
            session,
            [Record(2, row)],
            Setting(NOW, ZoneInfo("Europe/Berlin"), "EUR", notation=Notation.ENGLISH),
            Source("open_items", "test.csv", "0" * 64),
            merchant_id=telling.merchant.id,
            report=lambda problem: None,
        )
        await book.post_customer_payment(
            session, telling.claim.customer_id, eur(5_00), value_date=TODAY, now=NOW, key="bank:1"
        )
    from_file, without_claim = await told(telling)
    assert (from_file[1]["payment_key"], from_file[1]["amount_minor"]) == ("merchant:B-7", 25_00)
    assert without_claim[1]["amount_minor"] == 5_00


async def test_an_agreement_is_told_with_its_days(telling: Telling) -> None:
    number = await agree(telling, Promise(eur(100_00), SUNDAY))
    assert await told(telling) == [
        (
            "agreement.made",
            {
                "agreement_id": number,
                "agreement_kind": "promise",
                "total_minor": 100_00,
                "currency": "EUR",
                "instalments": [{"due_date": "2026-11-29", "amount_minor": 100_00}],
            },
        )
    ]


async def test_an_agreement_broken_is_told_once_and_one_let_go_not(telling: Telling) -> None:
    number = await agree(telling, Promise(eur(100_00), SUNDAY))
    for _ in range(2):
        async with telling.database.merchant(telling.merchant.id) as session:
            await book.break_agreement(session, number, "missed", now=NOW + timedelta(days=9))
    other = await agree(telling, Promise(eur(100_00), SUNDAY), key="a2")
    async with telling.database.merchant(telling.merchant.id) as session:
        await book.cancel_agreement(session, other, "both", now=NOW)
    kinds = [kind for kind, _ in await told(telling)]
    assert kinds == ["agreement.made", "agreement.broken", "agreement.made"]
    assert (await told(telling))[1][1]["reason"] == "missed"


async def test_a_dispute_is_told_once(telling: Telling) -> None:
    for _ in range(2):
        async with telling.database.merchant(telling.merchant.id) as session:
            await book.dispute(session, telling.claim.id, "dispute_goods", now=NOW)
    assert await told(telling) == [("dispute.opened", {"reason": "dispute_goods"})]


@pytest.fixture
async def conversation(telling: Telling) -> Conversation:
    async with telling.database.operator() as session:
        account = (await session.scalars(select(ChannelAccount))).one()
        made = Conversation(
            merchant_id=telling.merchant.id,
            channel_account_id=account.id,
            channel="sms",
            address="+4915735998881",
            customer_id=telling.claim.customer_id,
            created_at=NOW,
        )
        session.add(made)
        for channel in ("sms", "telegram"):
            session.add(
                ContactPoint(
                    merchant_id=telling.merchant.id,
                    customer_id=telling.claim.customer_id,
                    channel=channel,
                    address="+4915735998881",
                    source="customer",
                    created_at=NOW,
                )
            )
    return made


@pytest.mark.parametrize(
    ("said", "scope", "channel"),
    [
        ("address", "address", "sms"),
        ("telegram", "channel", "telegram"),
        ("all", "everything", None),
    ],
)
async def test_a_stop_is_told_once_and_without_the_address(
    telling: Telling, conversation: Conversation, said: str, scope: str, channel: str | None
) -> None:
    for _ in range(2):
        async with telling.database.merchant(telling.merchant.id) as session:
            held = await session.get_one(Conversation, conversation.id)
            if said == "address":
                await consent.opt_out(session, held, NOW)
            elif said == "all":
                await consent.opt_out_everywhere(session, held, NOW)
            else:
                await consent.opt_out_channel(session, held, said, NOW)
    assert await told(telling) == [
        ("contact.stopped", {"scope": scope, "channel": channel, "reason": "said"})
    ]


async def test_a_stop_on_everything_is_told_after_one_of_an_address(
    telling: Telling, conversation: Conversation
) -> None:
    async with telling.database.merchant(telling.merchant.id) as session:
        held = await session.get_one(Conversation, conversation.id)
        await consent.opt_out(session, held, NOW, reason="blocked")
        await consent.opt_out_everywhere(session, held, NOW)
    assert [(facts["scope"], facts["reason"]) for _, facts in await told(telling)] == [
        ("address", "blocked"),
        ("everything", "said"),
    ]


async def test_a_handoff_is_told_when_it_is_opened_only(
    telling: Telling, conversation: Conversation
) -> None:
    for reason in ("person_wanted", "crisis"):
        async with telling.database.merchant(telling.merchant.id) as session:
            await request_handoff(
                session,
                conversation_id=conversation.id,
                reason=reason,
                summary={"words": "of the customer"},
                now=NOW,
                promise=True,
            )
    ((kind, facts),) = await told(telling)
    assert kind == "handoff.opened"
    assert set(facts) == {"handoff_id", "reason", "urgency", "answer_by"}
    assert (facts["reason"], facts["urgency"]) == ("person_wanted", "normal")


class Failed(Exception):
    """Something else in the same transaction."""


async def pay_and(telling: Telling, then: Callable[[AsyncSession], Awaitable[None]]) -> None:
    async with telling.database.merchant(telling.merchant.id) as session:
        await book.post_payment(
            session, telling.claim.id, eur(1_00), value_date=TODAY, now=NOW, key="p"
        )
        await session.flush()
        assert await session.scalar(select(MerchantEvent.kind)) == "payment.received"
        await then(session)


async def test_what_is_rolled_back_is_never_told(telling: Telling) -> None:
    async def fail(session: AsyncSession) -> None:
        raise Failed

    with pytest.raises(Failed):
        await pay_and(telling, fail)
    assert await told(telling) == []


async def test_a_connection_that_dies_takes_fact_and_event_with_it(
    telling: Telling, postgres_server: PostgresServer
) -> None:
    async def die(session: AsyncSession) -> None:
        mine = await session.scalar(text("SELECT pg_backend_pid()"))
        password = postgres_server.secrets.database_password
        admin = f"postgresql://{ADMIN}:{password}@127.0.0.1:{postgres_server.port}/postgres"
        async with await psycopg.AsyncConnection.connect(admin) as connection:
            await connection.execute("SELECT pg_terminate_backend(%s, 5000)", [mine])

    with pytest.raises(OperationalError):
        await pay_and(telling, die)
    assert await told(telling) == []
    async with telling.database.merchant(telling.merchant.id) as session:
        assert set(await session.scalars(select(Posting.kind))) == {"opening"}


async def test_another_merchant_sees_no_event(telling: Telling, customer: Customer) -> None:
    await telling.pay()
    async with telling.database.merchant(telling.merchant.id + 1) as session:
        assert (await session.scalars(select(MerchantEvent))).all() == []
