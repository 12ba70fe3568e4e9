"""The customers of the dialogues: in the ledger, written to once, and not yet answering."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from sqlalchemy import select

from channels.message import Channel
from conversation.consent import make_start_token
from ledger import book
from ledger.book import NewClaim
from ledger.money import Money
from storage.engine import Database
from storage.tables import ChannelAccount, ContactAttempt, ContactPoint, Customer, Merchant
from tests.journey.script import Invoice, Script

PHONES = 30_000_000
CHATS = 700_000
FIRST_CONTACT_DAYS_AGO = 4
"""Longer ago than policy waits for an answer: without the dialogue a reminder would be due."""


@dataclass(frozen=True)
class Role:
    """A customer with open claims, ready to play; `facts` is what the lines may name."""

    merchant_id: int
    customer_id: int
    claim_ids: tuple[int, ...]
    phone: str
    chat_id: int
    facts: Mapping[str, str]


async def cast(database: Database, script: Script, now: datetime, today: date) -> Role:
    """Put the customer of a dialogue into the ledger of the only merchant."""
    async with database.operator() as session:
        merchant_id = (await session.scalars(select(Merchant.id))).one()
        bot = (
            await session.scalars(
                select(ChannelAccount.id).where(ChannelAccount.channel == "telegram")
            )
        ).one()
    who, phone = script.who, f"+49151{PHONES + script.number}"
    created = now - timedelta(days=FIRST_CONTACT_DAYS_AGO + 1)
    async with database.merchant(merchant_id) as session:
        customer = Customer(
            merchant_id=merchant_id,
            number=f"KD-{script.digits(0)}",
            name=f"Musterfrau{script.number}",
            first_name="Robin",
            birth_date=date.fromisoformat(who.born) if who.born else None,
            postal_code=who.postal_code,
            language=who.language,
            address_form=who.form,
            created_at=created,
            updated_at=created,
        )
        session.add(customer)
        await session.flush()
        # Who comes to Telegram by a link got the link by text message.
        channel = Channel.SMS if who.channel is Channel.TELEGRAM else who.channel
        point = ContactPoint(
            merchant_id=merchant_id,
            customer_id=customer.id,
            channel=channel.value,
            address=phone,
            source="merchant_import",
            consent_at=created if channel is Channel.WHATSAPP else None,
            created_at=created,
        )
        session.add(point)
        await session.flush()
        session.add(
            ContactAttempt(
                merchant_id=merchant_id,
                customer_id=customer.id,
                contact_point_id=point.id,
                cycle=1,
                step="first_contact",
                reason="no_contact_yet; only_one",
                at=now - timedelta(days=FIRST_CONTACT_DAYS_AGO),
            )
        )
        facts = {"customer": customer.number}
        claim_ids = []
        for place, invoice in enumerate(script.invoices, start=1):
            new = _claim(script, place, invoice, merchant_id, customer.id, now, today)
            claim = await book.open_claim(session, new, now=created, key=f"cast:{new.reference}")
            claim_ids.append(claim.id)
            name = "invoice" if place == 1 else f"invoice{place}"
            facts[name], facts[f"order{place}"] = new.invoice_number, new.order_number or ""
        facts["token"] = await make_start_token(
            session,
            merchant_id=merchant_id,
            customer_id=customer.id,
            channel_account_id=bot,
            now=now,
        )
        customer_id = customer.id
    return Role(merchant_id, customer_id, tuple(claim_ids), phone, CHATS + script.number, facts)


def _claim(
    script: Script,
    place: int,
    invoice: Invoice,
    merchant_id: int,
    customer_id: int,
    now: datetime,
    today: date,
) -> NewClaim:
    due = today + timedelta(days=invoice.due)
    number = f"LV-{script.digits(place)}"
    return NewClaim(
        merchant_id=merchant_id,
        customer_id=customer_id,
        reference=number,
        invoice_number=number,
        order_number=f"B{script.digits(place)}",
        description=invoice.what,
        principal=Money(invoice.price, "EUR"),
        costs=Money(invoice.costs, "EUR"),
        interest=Money(invoice.interest, "EUR"),
        costs_reason=invoice.costs_reason,
        invoice_date=due - timedelta(days=14),
        due_date=due,
        # Interest needs a default with its proof (§ 286 BGB).
        default_since=due + timedelta(days=1) if invoice.interest else None,
        default_proof="payment reminder by letter" if invoice.interest else None,
        confirmed_at=now,
    )
