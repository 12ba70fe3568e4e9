"""A conversation without the language understanding: intents in, rendered wordings out.

The rules of the assistant choose the action, the real actions run on a real database, and every
reply passes the renderer with its disclosure guard.
"""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml
from rasa_sdk.executor import ActionExecutor
from sqlalchemy import select

import actions
from actions.context import TurnContext, current
from conversation.port import conversation_port
from conversation.wording import MerchantVoice, Rendered, render
from ledger import book
from ledger.money import Money
from storage.engine import Database
from storage.tables import (
    Agreement,
    AuditEvent,
    ChannelAccount,
    Claim,
    ContactPoint,
    Conversation,
    Customer,
    Handoff,
    Merchant,
)

NOW = datetime.fromisoformat("2026-11-23T10:00:00+00:00")
RULES = Path(__file__).parents[3] / "nlu_data" / "rules"
ACTIONS_PER_TURN_MAX = 6
AddClaim = Callable[[str, int, date], Awaitable[int]]


@cache
def rules() -> dict[tuple[str | None, str], str]:
    """(awaited question or None, intent) → action, as the training data has it."""
    found: dict[tuple[str | None, str], str] = {}
    for path in sorted(RULES.glob("*.yml")):
        for rule in yaml.safe_load(path.read_text("utf-8"))["rules"]:
            awaiting = None
            for condition in rule.get("condition", []):
                awaiting = condition["slot_was_set"][0]["awaiting"]
            intent, action = rule["steps"]
            found[(awaiting, intent["intent"])] = action["action"]
    return found


@cache
def executor() -> ActionExecutor:
    made = ActionExecutor()
    made.register_package(actions)
    return made


@dataclass
class Talk:
    """One customer's conversation; `now` may be moved, `replies` are those of the last turn."""

    database: Database
    merchant: Merchant
    conversation_id: int
    now: datetime = NOW
    channel: str = "telegram"
    language: str = "de"
    slots: dict[str, Any] = field(default_factory=lambda: {"awaiting": "none"})
    replies: list[Rendered] = field(default_factory=list)
    raw: list[dict[str, Any]] = field(default_factory=list)
    messages: int = 0
    hint: dict[str, Any] = field(default_factory=dict)
    """What a person tells the next turn on giving the conversation back."""

    async def say(
        self,
        intent: str,
        text: str = "",
        *,
        ranking: Sequence[str] = (),
        also: Sequence[dict[str, Any]] = (),
        **entities: Any,
    ) -> list[str]:
        """Handle one message; the names of the wordings that answered.

        `entities` are given by value, those in `also` with their place in the text.
        """
        self.messages += 1
        heard = [{"entity": name, "value": value} for name, value in entities.items()]
        heard += also
        message = {
            "intent": {"name": intent},
            "entities": heard,
            "text": text,
            "intent_ranking": [{"name": name} for name in ranking],
        }
        awaiting = self.slots.get("awaiting")
        action = rules().get((awaiting, intent)) or rules()[(None, intent)]
        self.raw = []
        for ordinal in range(ACTIONS_PER_TURN_MAX):
            if action == "action_listen":
                break
            action = await self._act(action, message, ordinal)
        assert action == "action_listen", "the turn does not end"
        async with self.database.merchant(self.merchant.id) as session:
            port = await conversation_port(session, self.conversation_id, self.now)
            verified = (await port.facts()).verified
        self.hint = {}
        self.replies = [self._rendered(reply, verified) for reply in self.raw]
        assert self.replies, "silence"
        return [reply.wording for reply in self.replies]

    async def press(self, title: str) -> list[str]:
        """Press a button of the last replies by its label."""
        for reply in self.replies:
            for button in reply.buttons:
                if button.title == title:
                    return await self.say(button.intent, title, **button.entities)
        raise AssertionError(f"no button {title} in {[r.buttons for r in self.replies]}")

    async def start_over(self) -> None:
        """Continue as if the chat had just been opened."""
        async with self.database.merchant(self.merchant.id) as session:
            held = await session.get_one(Conversation, self.conversation_id)
            point = (await session.scalars(select(ContactPoint))).one()
            held.customer_id = point.customer_id
            held.verification_tries = 0
            held.verification_locked_at = None
            held.opted_out_at = None
        self.slots = {"awaiting": "none"}

    async def another_conversation(self, channel: str, address: str) -> int:
        """The same customer, reached on another address; returns the conversation's id."""
        async with self.database.merchant(self.merchant.id) as session:
            here = await session.get_one(Conversation, self.conversation_id)
            another = Conversation(
                merchant_id=here.merchant_id,
                channel_account_id=here.channel_account_id,
                channel=channel,
                address=address,
                customer_id=here.customer_id,
                created_at=self.now,
            )
            session.add(another)
            await session.flush()
            return another.id

    async def verified(self) -> list[str]:
        """Prove who one is with the invoice number."""
        await self.say("greet", "Hallo")
        return await self.say("inform", "RE-2026-1044", invoice_number="RE-2026-1044")

    @property
    def text(self) -> str:
        return "\n".join(reply.text for reply in self.replies)

    def wait(self, **span: float) -> None:
        self.now += timedelta(**span)

    async def agreements(self) -> list[Agreement]:
        async with self.database.merchant(self.merchant.id) as session:
            return list(await session.scalars(select(Agreement).order_by(Agreement.id)))

    async def claims(self) -> list[Claim]:
        async with self.database.merchant(self.merchant.id) as session:
            return list(await session.scalars(select(Claim).order_by(Claim.id)))

    async def handoffs(self) -> list[str]:
        async with self.database.merchant(self.merchant.id) as session:
            found = await session.scalars(select(Handoff).where(Handoff.closed_at.is_(None)))
            return [reason for handoff in found for reason in handoff.summary["reasons"]]

    async def summary(self) -> dict[str, Any]:
        """What the open handoff carries along."""
        async with self.database.merchant(self.merchant.id) as session:
            found = await session.scalars(select(Handoff).where(Handoff.closed_at.is_(None)))
            return found.one().summary

    async def events(self, kind: str) -> list[AuditEvent]:
        async with self.database.merchant(self.merchant.id) as session:
            found = await session.scalars(select(AuditEvent).where(AuditEvent.kind == kind))
            return list(found)

    async def conversation(self) -> Conversation:
        async with self.database.merchant(self.merchant.id) as session:
            return await session.get_one(Conversation, self.conversation_id)

    async def customer(self) -> Customer:
        async with self.database.merchant(self.merchant.id) as session:
            return (await session.scalars(select(Customer))).one()

    async def _act(self, action: str, message: dict[str, Any], ordinal: int) -> str:
        call = {
            "next_action": action,
            "domain": {},
            "tracker": {
                "sender_id": str(self.conversation_id),
                "slots": self.slots,
                "latest_message": message,
                "events": [],
            },
        }
        async with self.database.merchant(self.merchant.id) as session:
            context = TurnContext(
                session=session,
                now=self.now,
                merchant_id=self.merchant.id,
                conversation_id=self.conversation_id,
                message_id=self.messages,
                key=f"turn:{self.messages}:{ordinal}",
                conversation=await conversation_port(session, self.conversation_id, self.now),
                follows=self.messages - 1,
                hint=self.hint,
            )
            token = current.set(context)
            try:
                result = await executor().run(call)
            finally:
                current.reset(token)
        self.raw += [response["custom"] for response in result.responses]
        following = "action_listen"
        for event in result.events:
            if event["event"] == "slot":
                self.slots[event["name"]] = event["value"]
            elif event["event"] == "followup":
                following = event["name"]
        return following

    def _rendered(self, reply: dict[str, Any], verified: bool) -> Rendered:
        return render(
            reply["say"],
            reply["args"],
            buttons=reply["buttons"],
            language=self.language,
            address_form="sie",
            tone="warm",
            channel=self.channel,
            merchant=MerchantVoice(
                name=self.merchant.name,
                payee=self.merchant.payee,
                iban=self.merchant.iban,
                phone=self.merchant.phone,
            ),
            verified=verified,
        )


async def open_claim(
    database: Database,
    merchant: Merchant,
    customer: Customer,
    number: str,
    minor: int,
    due: date,
) -> int:
    """An invoice with some costs, confirmed by the merchant today."""
    async with database.merchant(merchant.id) as session:
        claim = await book.open_claim(
            session,
            book.NewClaim(
                merchant_id=merchant.id,
                customer_id=customer.id,
                reference=number,
                invoice_number=number,
                order_number="B-77881",
                description="Gartenstuhl Linde",
                principal=Money(minor, "EUR"),
                costs=Money(2_50, "EUR"),
                invoice_date=due - timedelta(days=14),
                due_date=due,
                confirmed_at=NOW,
            ),
            now=NOW,
            key=f"open:{number}",
        )
        return claim.id


@pytest.fixture
async def talk(database: Database, merchant: Merchant, customer: Customer) -> Talk:
    """A conversation with a customer who has one open invoice of 120 € plus 2,50 € costs."""
    async with database.merchant(merchant.id) as session:
        person = await session.get_one(Customer, customer.id)
        person.birth_date = date(1985, 3, 12)
        account = (await session.scalars(select(ChannelAccount))).one()
        session.add(
            ContactPoint(
                merchant_id=merchant.id,
                customer_id=customer.id,
                channel="telegram",
                address="+491700000001",
                source="merchant_import",
                created_at=NOW,
            )
        )
        conversation = Conversation(
            merchant_id=merchant.id,
            channel_account_id=account.id,
            channel="telegram",
            address="+491700000001",
            customer_id=customer.id,
            created_at=NOW,
        )
        session.add(conversation)
        await session.flush()
        conversation_id = conversation.id
    await open_claim(database, merchant, customer, "RE-2026-1044", 120_00, date(2026, 11, 2))
    return Talk(database, merchant, conversation_id)


@pytest.fixture
def add_claim(database: Database, merchant: Merchant, customer: Customer) -> AddClaim:
    """Give the customer another invoice: number, price in cents, due day."""

    def add(number: str, minor: int, due: date) -> Awaitable[int]:
        return open_claim(database, merchant, customer, number, minor, due)

    return add


@pytest.fixture
def all_intents() -> list[str]:
    """Every intent that a rule answers."""
    return sorted({intent for awaiting, intent in rules() if awaiting is None})
