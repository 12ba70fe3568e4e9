"""Customers who write while the service is being killed: duplicated, reordered, sent again."""

import asyncio
import json
import random
import re
import time
from dataclasses import dataclass, field
from urllib.parse import parse_qs

from api.demo.customers import Line, PhoneCustomer, TelegramCustomer, Webhook
from api.demo.standin import StandIn
from api.demo.started import SMS_NUMBER
from benchmarks.people import Person
from channels.telegram_update import message_key

DUPLICATED_SHARE = 0.3
REORDERED_SHARE = 0.3
DELIVERY_SECONDS_MAX = 180.0
OFFER_SECONDS_MAX = 120.0
CONFIRMATION = 3
"""Place of the yes in the scripts."""

_FIRST_RATE = re.compile(r"^1\. ", re.MULTILINE)

SCRIPTS = {
    "de": (
        "Hallo, worum geht es?",
        "{invoice}",
        "Kann ich das in 3 Raten zahlen?",
        "Ja",
        "Danke, was haben wir vereinbart?",
    ),
    "en": (
        "Hello, what is this about?",
        "{invoice}",
        "Can I pay that in 3 instalments?",
        "Yes",
        "Thanks, what did we agree?",
    ),
}


@dataclass
class Storm:
    """What was written, and what the way to the service did to it."""

    line: Line
    standin: StandIn
    chance: random.Random
    spread_seconds: float
    """Over so many seconds a customer's messages are spread."""
    written: list[str] = field(default_factory=list)
    """The provider's id of every message that the service took."""
    duplicated: int = 0
    reordered: int = 0
    in_order: set[int] = field(default_factory=set)
    """Persons whose messages were all accepted in the order in which they were written."""

    async def converse(self, person: Person, count: int) -> None:
        """Let one person write `count` messages; only the yes waits for what it answers."""
        webhooks = self._webhooks(person, count)
        await asyncio.sleep(self.chance.random() * self.spread_seconds / 2)
        ordered = True
        position = 0
        while position < len(webhooks):
            if position == CONFIRMATION and ordered:
                await self._see_offer(person)
            pair = webhooks[position : position + 2]
            if self._may_overtake(person, pair, position):
                ordered = False
                self.reordered += 1
                # The later update starts first; both are under way at once.
                await asyncio.gather(*(self._deliver(webhook) for webhook in reversed(pair)))
                position += 2
            else:
                await self._deliver(webhooks[position])
                position += 1
            await asyncio.sleep(self.chance.random() * self.spread_seconds / len(webhooks))
        if ordered:
            self.in_order.add(person.number)

    async def _see_offer(self, person: Person) -> None:
        """A yes counts only if it was written after the offer came; whoever never gets to see it
        (its send may end as unknown) says yes all the same."""
        phone = person.start_token is None
        address = person.phone if phone else str(person.chat_id)
        deadline = time.monotonic() + OFFER_SECONDS_MAX
        while time.monotonic() < deadline:
            if any(_FIRST_RATE.search(message.text) for message in self.standin.to(address)):
                return
            await asyncio.sleep(0.2)

    def _may_overtake(self, person: Person, pair: list[Webhook], position: int) -> bool:
        """Telegram's updates can overtake each other; a deep link comes alone."""
        if person.start_token is None or position == 0 or len(pair) < 2:
            return False
        return self.chance.random() < REORDERED_SHARE

    def _webhooks(self, person: Person, count: int) -> list[Webhook]:
        texts = [text.format(invoice=person.invoice_number) for text in SCRIPTS[person.language]]
        if person.start_token is None:
            phone = PhoneCustomer(self.line, person.phone, SMS_NUMBER)
            return [phone.message(text) for text in texts[:count]]
        chat = TelegramCustomer(self.line, person.chat_id, person.language)
        texts[0] = f"/start {person.start_token}"
        return [chat.message(text) for text in texts[:count]]

    async def _deliver(self, webhook: Webhook) -> None:
        copies = 1
        if self.chance.random() < DUPLICATED_SHARE:
            copies += self.chance.randint(1, 2)
            self.duplicated += copies - 1
        await asyncio.gather(*(self._once(webhook, delay=0.3 * copy) for copy in range(copies)))
        self.written.append(provider_id(webhook))

    async def _once(self, webhook: Webhook, delay: float) -> None:
        await asyncio.sleep(delay * self.chance.random())
        await self.line.deliver(webhook, seconds=DELIVERY_SECONDS_MAX)


def provider_id(webhook: Webhook) -> str:
    """The id under which the service keeps the message of this webhook."""
    if webhook.path.endswith("/telegram"):
        message = json.loads(webhook.body)["message"]
        return message_key(message["chat"]["id"], message["message_id"])
    return parse_qs(webhook.body.decode())["MessageSid"][0]
