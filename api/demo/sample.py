"""Sample data of the demo: one invented merchant, its invented customers and their claims."""

import tomllib
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from typing import Final

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from api.accounts import TERMINAL_ADDRESS, ensure_environment_accounts
from api.contact import send_planned
from api.demo import templates
from api.demo.claims import import_sample_claims
from api.demo.people import add_people
from api.demo.providers import BOT_ID, SMS_NUMBER, WHATSAPP_NUMBER
from api.demo.stories import newcomer, newest_of, stories
from api.merchants import save_merchant
from api.queue import make_app
from api.settings import Settings
from api.wiring import Parts, parts
from channels.message import Channel
from outreach.channel_choice import ChoiceReason
from outreach.facts import PlannedContact, Step, StepReason
from outreach.rules import NotBefore, may_contact, rules_of
from storage.tables import ChannelAccount, ContactPoint, Conversation, Customer, Merchant

HERE: Final = Path(__file__).parent
MERCHANT_FILE: Final = HERE / "merchant.toml"
CLAIMS_FILE: Final = HERE / "claims.csv"


async def prepare_demo(settings: Settings) -> None:
    """Sample merchant, accounts and claims; safe to repeat.

    At night, on Sundays and holidays nobody may be written to, so the demo's clock then starts
    at the next allowed moment.
    """
    async with parts(settings, pool_size=2) as made:
        data = tomllib.loads(MERCHANT_FILE.read_text(encoding="utf-8"))
        async with made.database.operator() as session:
            merchant_id = await save_merchant(session, data, made.clock.now())
            await ensure_environment_accounts(session, made.settings, made.clock.now())
            await _stand_in_accounts(session, made.running.stand_in)
            merchant = await session.get_one(Merchant, merchant_id)
        allowed = may_contact(
            made.clock.now(), merchant.timezone, merchant.land, rules_of("DE"), history=[]
        )
        if isinstance(allowed, NotBefore):
            made.clock.move_to(allowed.at + timedelta(minutes=5))
        await import_sample_claims(made.database, merchant, CLAIMS_FILE, made.clock.now())
        async with made.database.merchant(merchant_id) as session:
            await add_people(session, merchant_id, made.clock.now())
            # All stories at once: whoever finds one customer there finds every other, too.
            for story in stories().values():
                if await newest_of(session, story) is None:
                    await newcomer(session, merchant, story, made.clock.now())


async def _stand_in_accounts(session: AsyncSession, stand_in: Mapping[str, str]) -> None:
    """The stand-in's accounts write only while it serves their channel; WhatsApp's templates are
    approved there."""
    served = {
        BOT_ID: "telegram_bot_token" in stand_in,
        SMS_NUMBER: "twilio_sms_from" in stand_in,
        WHATSAPP_NUMBER: "twilio_whatsapp_from" in stand_in,
    }
    accounts = await session.scalars(
        select(ChannelAccount).where(ChannelAccount.address.in_(served))
    )
    for account in accounts:
        account.enabled = served[account.address]
        if account.channel == Channel.WHATSAPP:
            account.templates = templates.approved()


async def first_contact_on_terminal(made: Parts, customer_id: int, address: str) -> None:
    """See that the customer has a terminal, and write to it first, if nothing was said yet."""
    now = made.clock.now()
    async with made.database.operator() as session:
        customer = await session.get_one(Customer, customer_id)
        account = (
            await session.execute(
                select(ChannelAccount).where(
                    ChannelAccount.channel == Channel.TERMINAL.value,
                    ChannelAccount.address == TERMINAL_ADDRESS,
                )
            )
        ).scalar_one()
        known = await session.scalar(
            select(Conversation.id).where(
                Conversation.channel_account_id == account.id, Conversation.address == address
            )
        )
        await session.execute(
            insert(ContactPoint)
            .values(
                merchant_id=customer.merchant_id,
                customer_id=customer_id,
                channel=Channel.TERMINAL.value,
                address=address,
                source="customer",
                consent_at=now,
                created_at=now,
            )
            .on_conflict_do_nothing()
        )
        point_id = await session.scalar(
            select(ContactPoint.id).where(
                ContactPoint.customer_id == customer_id, ContactPoint.address == address
            )
        )
    if known is not None or point_id is None:
        return
    planned = PlannedContact(
        merchant_id=customer.merchant_id,
        customer_id=customer_id,
        customer_number=customer.number,
        contact_point_id=point_id,
        channel_account_id=account.id,
        channel=Channel.TERMINAL,
        address=address,
        language=customer.language or "de",
        wording="first_contact",
        template="",
        cycle=1,
        step=Step.FIRST_CONTACT,
        step_reason=StepReason.NO_CONTACT_YET,
        channel_reason=ChoiceReason.ONLY_ONE,
    )
    jobs = make_app(made, pool_size=2)
    async with jobs.open_async():
        await send_planned(made, jobs, planned, now)
