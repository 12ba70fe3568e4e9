"""What the simulator is made of: the stand-in of the providers, the phones, the shop, the clock."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

import procrastinate
from sqlalchemy import select

from api import handoff_care, watch
from api.contact import decision_about, send_planned
from api.demo import shop
from api.demo.coming import Coming, outlook
from api.demo.customers import Line
from api.demo.journal import FILE_NAME, Journal
from api.demo.phones import Owner, Phones, chat_id_of, entry_of
from api.demo.standin import Accepted, StandIn
from api.demo.stories import Story, newcomer, newest_of, story_of
from api.stopping import when_stopped
from api.wiring import Parts
from channels.message import Channel
from ledger.money import Money
from outreach.facts import PlannedContact, Skipped
from storage.tables import ContactPoint, Customer, Merchant

STEPS: Final = {"hour": timedelta(hours=1), "day": timedelta(days=1), "week": timedelta(weeks=1)}
AFTER_A_MOMENT: Final = timedelta(minutes=1)


class NobodyThere(LookupError):
    """There is no such customer in the demo."""


class NothingComes(ValueError):
    """Nothing is to come for this customer."""


@dataclass(frozen=True)
class Found:
    """One invented customer with their phones."""

    story: Story
    merchant: Merchant
    customer: Customer
    phones: Phones


class Simulation:
    """One for the web process of a demo."""

    def __init__(self, parts: Parts, jobs: procrastinate.App) -> None:
        self.parts = parts
        self._jobs = jobs
        settings = parts.settings
        stand_in = parts.running.stand_in
        self.journal = Journal(settings.data_dir / FILE_NAME)
        self.stand_in = StandIn(
            stand_in.get("twilio_auth_token", ""),
            reports=("sent", "delivered"),
            watch=self._accepted,
            watch_status=self._status,
            watch_typing=self._typing,
            first_number=self.journal.last_message_number() + 1,
        )
        self.stopping = False
        """Live events end then, or they would hold up the web process's end."""
        self.typing: dict[str, datetime] = {}
        """Chats in which the bot said that it is typing, and when."""
        self._line = Line(
            url=parts.running.web_url,
            public_url=parts.public_url,
            account_sid=stand_in.get("twilio_account_sid", ""),
            auth_token=stand_in.get("twilio_auth_token", ""),
            telegram_secret=stand_in.get("telegram_webhook_secret", ""),
        )

    @property
    def bot_name(self) -> str:
        """Of the simulated Telegram bot; empty where Telegram is a real one."""
        return self.parts.running.stand_in.get("telegram_bot_name", "")

    def _accepted(self, accepted: Accepted) -> None:
        self.typing.pop(accepted.to, None)
        self.journal.add(accepted.to, "message", entry_of(accepted, self.parts.clock.now()))

    def _status(self, accepted: Accepted, status: str) -> None:
        key = accepted.provider_message_id
        self.journal.add(accepted.to, "status", {"key": key, "status": status})

    def _typing(self, chat: str) -> None:
        self.typing[chat] = self.parts.clock.now()
        self.journal.wake()

    async def newest(self, story: Story) -> str:
        """The number of the customer of a story that was made last. Raises NobodyThere."""
        async with self.parts.database.operator() as session:
            number = await newest_of(session, story)
        if number is None:
            raise NobodyThere(story.key)
        return number

    async def find(self, number: str) -> Found:
        """The customer with this number. Raises NobodyThere."""
        story = story_of(number)
        if story is None:
            raise NobodyThere(number)
        async with self.parts.database.operator() as session:
            customer = await session.scalar(select(Customer).where(Customer.number == number))
            if customer is None:
                raise NobodyThere(number)
            merchant = await session.get_one(Merchant, customer.merchant_id)
            points = await session.execute(
                select(ContactPoint.channel, ContactPoint.address)
                .where(ContactPoint.customer_id == customer.id)
                .order_by(ContactPoint.id)
            )
            reachable = dict(reversed(points.tuples().all()))
        return Found(story, merchant, customer, self._phones(customer, reachable))

    def _phones(self, customer: Customer, reachable: dict[str, str]) -> Phones:
        stand_in = self.parts.running.stand_in
        ours = {
            channel: stand_in[f"twilio_{channel}_from"]
            for channel in (Channel.SMS, Channel.WHATSAPP)
            if channel in reachable and f"twilio_{channel}_from" in stand_in
        }
        owner = Owner(
            customer_number=customer.number,
            first_name=customer.first_name or customer.name,
            language=customer.language or "de",
            phone=reachable.get(Channel.SMS, ""),
            numbers=ours,
            chat_id=chat_id_of(customer.id) if self.bot_name else None,
        )
        return Phones(owner, self._line, self.stand_in, self.journal)

    async def again(self, story: Story, merchant: Merchant) -> str:
        """Make a fresh customer of the story; return the number."""
        async with self.parts.database.merchant(merchant.id) as session:
            return await newcomer(session, merchant, story, self.parts.clock.now())

    async def contact(self, found: Found) -> PlannedContact | Skipped | None:
        """What ``kulanz contact`` does, for one customer."""
        now = self.parts.clock.now()
        decision = await decision_about(
            self.parts.database, found.merchant.id, found.customer.id, now
        )
        if isinstance(decision, PlannedContact):
            await send_planned(self.parts, self._jobs, decision, now)
        self.journal.wake()
        return decision

    async def coming(self, found: Found) -> tuple[Coming, ...]:
        """What happens next with the customer, the next first."""
        async with self.parts.database.merchant(found.merchant.id) as session:
            customer = await session.get_one(Customer, found.customer.id)
            now = self.parts.clock.now()
            return (await outlook(session, found.merchant, customer, now)).coming

    async def move_clock(self, found: Found, step: str) -> None:
        """Let time pass, a step of STEPS or until ``next`` happens, and do what is due by then.

        Raises:
            NothingComes: nothing is ahead that one could go to.
        """
        now = self.parts.clock.now()
        if step in STEPS:
            moment = now + STEPS[step]
        else:
            coming = await self.coming(found)
            if not coming:
                raise NothingComes("nothing is to come")
            moment = max(coming[0].at, now) + AFTER_A_MOMENT
        self.parts.clock.move_to(moment)
        await self._do_what_is_due(found)

    async def _do_what_is_due(self, found: Found) -> None:
        now = self.parts.clock.now()
        database = self.parts.database
        async with database.merchant(found.merchant.id) as session:
            await shop.confirm(session, found.merchant, found.customer, now)
        await handoff_care.look(database, self._jobs, now)
        await watch.look(self.parts, self._jobs, found.merchant.id, customer_id=found.customer.id)
        await self.contact(found)

    async def pay(self, found: Found) -> Money:
        """The customer's money arrives at the shop. Raises shop.NothingToPay."""
        now = self.parts.clock.now()
        async with self.parts.database.merchant(found.merchant.id) as session:
            amount = await shop.pay(session, found.merchant, found.customer, now)
        self.journal.wake()
        return amount

    async def close(self) -> None:
        """End what is under way."""
        await self.stand_in.close()
        await self._line.close()


@asynccontextmanager
async def simulation(parts: Parts, jobs: procrastinate.App) -> AsyncIterator[Simulation]:
    """The simulator of this process, for as long as the block lasts."""
    made = Simulation(parts, jobs)

    def stop() -> None:
        made.stopping = True
        made.journal.wake()

    with when_stopped(stop):
        try:
            yield made
        finally:
            await made.close()
