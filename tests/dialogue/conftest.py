"""Conversations with the trained assistant: text in, rendered replies out.

Rasa runs as its own process, its actions run in this one on a real database, and each turn takes
the way it takes in the service: inbox, turn, outbox.
"""

import asyncio
import os
import subprocess
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace

import httpx
import pytest
import uvicorn
from sqlalchemy import delete, select, update

from api import action_endpoint
from channels.message import Attachment, AttachmentKind, Channel, InboundKind, InboundMessage
from conversation import inbox, turn
from conversation.consent import may_always
from conversation.engine import RasaEngine
from conversation.look import look
from ledger import book
from ledger.money import Money
from storage import embedded
from storage.engine import Database
from storage.tables import (
    Agreement,
    ChannelAccount,
    Claim,
    ContactPoint,
    Conversation,
    Customer,
    Handoff,
    Merchant,
    Message,
    Turn,
)
from tests.apps import app_of

BOT = Path(__file__).parents[2] / "bot"
PYTHON = BOT / ".venv" / "bin" / "python"
SECRET = "only-for-tests"
NOW = datetime.fromisoformat("2026-11-23T10:00:00+00:00")
ACCOUNT = "lindenhof_bot"
TRAINING_SECONDS_MAX = 900
START_SECONDS_MAX = 240


@dataclass
class Chat:
    """A customer's chat; `replies` are the bot's messages of the last turn."""

    database: Database
    engine: RasaEngine
    merchant: Merchant
    address: str
    now: datetime = NOW
    sent: int = 0
    replies: list[Message] = field(default_factory=list)

    async def say(self, text: str) -> list[str]:
        """Send a text; the names of the wordings that answered."""
        return await self._send(text, None)

    async def send_photo(self, caption: str = "") -> list[str]:
        """Send a photo, with words or without."""
        return await self._send(caption, None, (Attachment(AttachmentKind.PHOTO, "file-1"),))

    async def press(self, title: str) -> list[str]:
        """Press a button of the last replies."""
        return await self.press_id(self.button(title))

    def button(self, title: str) -> str:
        """The id of a button of the last replies."""
        for reply in self.replies:
            for button in reply.buttons:
                if button["title"] == title:
                    return str(button["id"])
        raise AssertionError(f"no button {title} in {[r.buttons for r in self.replies]}")

    async def press_id(self, button: str) -> list[str]:
        """Press whatever button, whoever was shown it."""
        return await self._send("", button)

    @property
    def text(self) -> str:
        return "\n".join(reply.text for reply in self.replies)

    def wait(self, **span: float) -> None:
        self.now += timedelta(**span)

    async def agreements(self) -> list[Agreement]:
        async with self.database.merchant(self.merchant.id) as session:
            return list(await session.scalars(select(Agreement).order_by(Agreement.id)))

    async def claim(self) -> Claim:
        async with self.database.merchant(self.merchant.id) as session:
            return (await session.scalars(select(Claim).order_by(Claim.id))).first()  # type: ignore[return-value]

    async def handoffs(self) -> list[str]:
        async with self.database.merchant(self.merchant.id) as session:
            found = await session.scalars(select(Handoff).where(Handoff.closed_at.is_(None)))
            return [reason for handoff in found for reason in handoff.summary["reasons"]]

    async def start_over(self) -> None:
        """Continue as if the chat had just been opened."""
        async with self.database.merchant(self.merchant.id) as session:
            point = (await session.scalars(select(ContactPoint))).one()
            point.invalid_at = None
            await session.execute(delete(Turn))
            # What was said lies long back, or the limit against loops would end the chat.
            await session.execute(update(Message).values(created_at=self.now - timedelta(days=1)))
            await session.execute(
                update(Conversation).values(
                    customer_id=point.customer_id,
                    state="bot",
                    slots={},
                    verification_tries=0,
                    verification_locked_at=None,
                    opted_out_at=None,
                )
            )

    async def _send(
        self, text: str, button: str | None, attachments: tuple[Attachment, ...] = ()
    ) -> list[str]:
        self.sent += 1
        message = InboundMessage(
            channel=Channel.TELEGRAM,
            account=ACCOUNT,
            provider_message_id=f"{self.address}:{self.sent}",
            sequence=self.sent,
            sender=self.address,
            kind=InboundKind.BUTTON if button else InboundKind.MESSAGE,
            text=text,
            raw={},
            button=button,
            attachments=attachments,
        )
        async with self.database.merchant(self.merchant.id) as session:
            accepted = await inbox.accept(session, message, self.now)
        conversation = accepted.conversation_id
        async with self.database.conversation(self.merchant.id, conversation) as session:
            seen = await look(session, conversation, self.now)
            step = await turn.next_unhandled(session, seen, self.now)
        if isinstance(step, turn.Pending):
            result = await self.engine.run(step.request)
            async with self.database.conversation(self.merchant.id, conversation) as session:
                await turn.store(session, conversation, step.message_id, result, self.now)
                await session.execute(
                    update(Message)
                    .where(Message.conversation_id == conversation, Message.direction == "out")
                    .values(status="sent", claimed_at=self.now, sent_at=self.now)
                )
        async with self.database.merchant(self.merchant.id) as session:
            self.replies = list(
                await session.scalars(
                    select(Message)
                    .where(Message.in_reply_to == accepted.message_id)
                    .order_by(Message.ordinal)
                )
            )
        return [reply.wording or "" for reply in self.replies]


@pytest.fixture(scope="session")
def model() -> Path:
    """The trained assistant; trains it where its data have changed."""
    if not PYTHON.exists():
        pytest.skip("the assistant's environment is not installed (make does that)")
    trained = subprocess.run(
        [PYTHON, BOT / "pipeline" / "train.py"],
        capture_output=True,
        text=True,
        timeout=TRAINING_SECONDS_MAX,
        check=True,
    )
    return Path(trained.stdout.strip().splitlines()[-1])


@pytest.fixture(scope="session")
async def action_server() -> AsyncIterator[tuple[SimpleNamespace, int]]:
    """The action endpoint on a port of its own; each test gives it its database."""
    app = app_of(action_endpoint.router)
    app.state.executor = action_endpoint.make_executor()
    app.state.parts = SimpleNamespace(
        keys=SimpleNamespace(rasa_secret=SECRET),
        database=None,
        limits=SimpleNamespace(may_guess=may_always),
    )
    port = embedded.free_port()
    server = uvicorn.Server(uvicorn.Config(app, port=port, log_level="error", lifespan="off"))
    serving = asyncio.create_task(server.serve())
    yield app.state.parts, port
    server.should_exit = True
    with suppress(asyncio.CancelledError):
        await serving


@pytest.fixture(scope="session")
def rasa_log(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What the running assistant writes."""
    return tmp_path_factory.mktemp("rasa") / "rasa.log"


@pytest.fixture(scope="session")
def rasa_url(
    model: Path, action_server: tuple[SimpleNamespace, int], rasa_log: Path
) -> Iterator[str]:
    """A running assistant."""
    port = embedded.free_port()
    log = rasa_log
    command = [
        PYTHON, "pipeline/rasa_cli.py", "run", "--model", model, "-i", "127.0.0.1", "-p", str(port),
        "--endpoints", "endpoints.yml", "--credentials", "credentials.yml",
    ]  # fmt: skip
    environment = {
        **os.environ,
        "KULANZ_RASA_SECRET": SECRET,
        "KULANZ_ACTIONS_URL": f"http://127.0.0.1:{action_server[1]}/actions",
        "RASA_TELEMETRY_ENABLED": "false",
    }
    with log.open("wb") as output:
        process = subprocess.Popen(
            command, cwd=BOT, env=environment, stdout=output, stderr=subprocess.STDOUT
        )
        try:
            _wait(process, f"http://127.0.0.1:{port}/webhooks/turn/", log)
            yield f"http://127.0.0.1:{port}"
        finally:
            process.terminate()
            process.wait(timeout=30)


def _wait(process: subprocess.Popen[bytes], url: str, log: Path) -> None:
    until = time.monotonic() + START_SECONDS_MAX
    while time.monotonic() < until:
        assert process.poll() is None, log.read_text()[-3000:]
        with suppress(httpx.HTTPError):
            if httpx.get(url, headers={"X-Kulanz-Secret": SECRET}).status_code == 200:
                return
        time.sleep(0.5)
    raise AssertionError("Rasa did not start")


@pytest.fixture
async def chat(
    database: Database,
    merchant: Merchant,
    customer: Customer,
    action_server: tuple[SimpleNamespace, int],
    rasa_url: str,
) -> AsyncIterator[Chat]:
    """A chat with a customer who has one open invoice of 120 € plus 2,50 € costs."""
    action_server[0].database = database
    async with database.merchant(merchant.id) as session:
        session.add(
            ChannelAccount(
                merchant_id=merchant.id, channel="telegram", address=ACCOUNT, created_at=NOW
            )
        )
        session.add(
            ContactPoint(
                merchant_id=merchant.id,
                customer_id=customer.id,
                channel="telegram",
                address="4711",
                source="deep_link",
                created_at=NOW,
            )
        )
        person = await session.get_one(Customer, customer.id)
        person.birth_date = date(1985, 3, 12)
        person.language = None
        await book.open_claim(
            session,
            book.NewClaim(
                merchant_id=merchant.id,
                customer_id=customer.id,
                reference="RE-2026-1044",
                invoice_number="RE-2026-1044",
                order_number="B-77881",
                description="Gartenstuhl Linde",
                principal=Money(120_00, "EUR"),
                costs=Money(2_50, "EUR"),
                invoice_date=date(2026, 10, 19),
                due_date=date(2026, 11, 2),
                confirmed_at=NOW,
            ),
            now=NOW,
            key="open",
        )
    engine = RasaEngine([rasa_url], SECRET)
    yield Chat(database, engine, merchant, "4711")
    await engine.close()
