"""``POST /actions``: each call exactly once, the same answer again, and no failure lost."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any

import httpx
import pytest
from rasa_sdk import Action
from rasa_sdk.executor import ActionExecutor
from sqlalchemy import func, select

from actions.context import current
from api import action_endpoint
from storage.engine import Database
from storage.tables import (
    ActionResult,
    AuditEvent,
    ChannelAccount,
    Conversation,
    Customer,
    Merchant,
    Message,
)
from tests.apps import app_of
from tests.conftest import NOW

SECRET = "only-for-tests"


class Noting(Action):
    """Leaves one audit event a run, and says how many there are."""

    def name(self) -> str:
        return "action_noting"

    async def run(self, dispatcher: Any, tracker: Any, domain: Any) -> list[dict[str, Any]]:
        context = current.get()
        await context.conversation.note("noted", {"key": context.key})
        await context.session.flush()
        count = await context.session.scalar(select(func.count()).select_from(AuditEvent))
        dispatcher.utter_message(json_message={"say": "x", "args": {"count": count}})
        return []


class Failing(Action):
    """Does something, then fails."""

    def name(self) -> str:
        return "action_failing"

    async def run(self, dispatcher: Any, tracker: Any, domain: Any) -> list[dict[str, Any]]:
        await current.get().conversation.note("noted", {})
        raise ValueError("broken")


@dataclass
class FakeKeys:
    rasa_secret: str = SECRET


class NoLimits:
    async def may_guess(self, key: str) -> bool:
        return True


@dataclass
class FakeParts:
    database: Database
    keys: FakeKeys = field(default_factory=FakeKeys)
    limits: NoLimits = field(default_factory=NoLimits)


@pytest.fixture
async def message(database: Database, merchant: Merchant, customer: Customer) -> Message:
    async with database.operator() as session:
        account = (await session.scalars(select(ChannelAccount))).one()
        conversation = Conversation(
            merchant_id=merchant.id,
            channel_account_id=account.id,
            channel="sms",
            address="+4915735998881",
            customer_id=customer.id,
            created_at=NOW,
        )
        session.add(conversation)
        await session.flush()
        message = Message(
            merchant_id=merchant.id,
            conversation_id=conversation.id,
            channel_account_id=account.id,
            direction="in",
            author="customer",
            kind="message",
            text="Hallo",
            created_at=NOW,
        )
        session.add(message)
    return message


@pytest.fixture
async def client(database: Database) -> AsyncIterator[httpx.AsyncClient]:
    app = app_of(action_endpoint.router)
    app.state.parts = FakeParts(database)
    app.state.executor = ActionExecutor()
    app.state.executor.register_action(Noting())
    app.state.executor.register_action(Failing())
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    async with httpx.AsyncClient(
        transport=transport, base_url="http://test", headers={"X-Kulanz-Secret": SECRET}
    ) as client:
        yield client


def call(message: Message, name: str = "action_noting", *, done: int = 0) -> dict[str, Any]:
    latest = {
        "text": "Hallo",
        "intent": {"name": "greet"},
        "entities": [],
        "metadata": {
            "merchant_id": message.merchant_id,
            "conversation_id": message.conversation_id,
            "message_id": message.id,
            "now": NOW.isoformat(),
        },
    }
    events = [{"event": "user"}, *[{"event": "action", "name": "action_noting"}] * done]
    tracker = {
        "sender_id": str(message.conversation_id),
        "slots": {},
        "latest_message": latest,
        "events": events,
    }
    return {"next_action": name, "tracker": tracker}


async def noted(database: Database) -> int:
    async with database.operator() as session:
        return await session.scalar(select(func.count()).select_from(AuditEvent)) or 0


async def test_the_same_call_has_one_effect_and_one_answer(
    database: Database, client: httpx.AsyncClient, message: Message
) -> None:
    answers = await asyncio.gather(*(client.post("/actions", json=call(message)) for _ in range(5)))
    assert {answer.status_code for answer in answers} == {200}
    assert all(answer.json() == answers[0].json() for answer in answers)
    assert await noted(database) == 1


async def test_the_next_place_in_the_turn_is_another_call(
    database: Database, client: httpx.AsyncClient, message: Message
) -> None:
    for done in (0, 1):
        await client.post("/actions", json=call(message, done=done))
    assert await noted(database) == 2


async def test_the_same_place_with_another_input_is_refused(
    database: Database, client: httpx.AsyncClient, message: Message
) -> None:
    await client.post("/actions", json=call(message))
    changed = call(message)
    changed["tracker"]["slots"] = {"awaiting": "other"}
    assert (await client.post("/actions", json=changed)).status_code == 409
    assert await noted(database) == 1


async def test_a_failed_action_leaves_nothing_and_says_so(
    database: Database, client: httpx.AsyncClient, message: Message
) -> None:
    answer = await client.post("/actions", json=call(message, "action_failing"))
    assert answer.status_code == 500
    assert await noted(database) == 0
    async with database.operator() as session:
        assert await session.scalar(select(func.count()).select_from(ActionResult)) == 0


async def test_who_does_not_know_the_secret_runs_nothing(
    database: Database, client: httpx.AsyncClient, message: Message
) -> None:
    for secret in ("", "wrong"):
        answer = await client.post(
            "/actions", json=call(message), headers={"X-Kulanz-Secret": secret}
        )
        assert answer.status_code == 403
    assert await noted(database) == 0


async def test_unknown_actions_and_missing_metadata_are_errors(
    client: httpx.AsyncClient, message: Message
) -> None:
    assert (await client.post("/actions", json=call(message, "action_x"))).status_code == 404
    nameless = call(message)
    nameless["tracker"]["latest_message"]["metadata"] = {}
    assert (await client.post("/actions", json=nameless)).status_code == 400
