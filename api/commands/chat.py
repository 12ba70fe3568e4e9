"""``kulanz chat``: a terminal messenger that goes through the very same webhooks and jobs."""

import asyncio
import json
import secrets
import sys
import threading
from typing import Annotated, Any

import httpx
import typer
from rich.align import Align
from rich.padding import Padding
from rich.panel import Panel
from rich.text import Text
from sqlalchemy import select

from api.accounts import TERMINAL_ADDRESS
from api.commands.session import Refused, console, run
from api.demo.sample import first_contact_on_terminal
from api.events import terminal_topic
from api.settings import Settings
from api.wiring import Parts, parts
from channels.message import Channel
from channels.terminal import SIGNATURE_HEADER, signature
from storage.tables import ChannelAccount, Conversation, Customer, Message

WIDTH = 76


def chat(
    customer: Annotated[
        str | None, typer.Option("--as", help="Customer number; without: the first sample one.")
    ] = None,
) -> None:
    """Chat as a customer in this terminal (demo service only)."""
    run(chat_session(Settings(demo=True), customer))


async def chat_session(settings: Settings, customer_number: str | None) -> None:
    """One chat until /quit, Ctrl-C or end of input."""
    async with parts(settings, pool_size=2) as made:
        customer, address = await _customer(made, customer_number)
        messenger = Messenger(made, address)
        console.print(
            f"[dim]You are {customer.first_name or ''} {customer.name}, customer "
            f"{customer.number}. Type and press Enter; a button by its letter; /quit ends.[/]",
            highlight=False,
        )
        await messenger.show_history()
        listening = asyncio.create_task(messenger.listen())
        try:
            await messenger.ready.wait()
            await first_contact_on_terminal(made, customer.id, address)
            await messenger.catch_up()
            await messenger.type()
        finally:
            listening.cancel()


async def _customer(made: Parts, number: str | None) -> tuple[Customer, str]:
    async with made.database.operator() as session:
        account = await session.scalar(
            select(ChannelAccount).where(
                ChannelAccount.channel == Channel.TERMINAL.value,
                ChannelAccount.address == TERMINAL_ADDRESS,
            )
        )
        if account is None:
            raise Refused("the terminal messenger is part of the demo; start `kulanz up --demo`")
        wanted = select(Customer).where(Customer.merchant_id == account.merchant_id)
        if number is not None:
            wanted = wanted.where(Customer.number == number)
        customer = await session.scalar(wanted.order_by(Customer.id).limit(1))
        if customer is None:
            raise Refused(f"there is no customer {number or 'yet; import claims first'}")
    return customer, f"terminal-{customer.number}"


class Messenger:
    """Sends signed webhooks, shows what is published for its address, each message once."""

    def __init__(self, made: Parts, address: str) -> None:
        self._made = made
        self._address = address
        self._shown: set[str] = set()
        self._buttons: list[dict[str, str]] = []
        self.ready = asyncio.Event()

    async def listen(self) -> None:
        """Show messages as they come."""
        pubsub = self._made.events.redis.pubsub()
        await pubsub.subscribe(terminal_topic(self._address))
        self.ready.set()
        while True:
            event = await pubsub.get_message(ignore_subscribe_messages=True, timeout=1.0)
            if event is not None:
                self._show(json.loads(event["data"]))

    async def show_history(self) -> None:
        """What was said before, from the transcript."""
        for message in await self._messages():
            if message.direction == "in":
                self._bubble(message.text or "…", mine=True)
            elif message.status in ("sent", "delivered", "read"):
                self._show(_event(message))

    async def catch_up(self) -> None:
        """Show what was sent while nobody listened, without waiting for more than a moment."""
        for _ in range(20):
            await asyncio.sleep(0.25)
            for message in await self._messages():
                if message.direction == "out" and message.status == "sent":
                    self._show(_event(message))
            if self._shown:
                return

    async def _messages(self) -> list[Message]:
        async with self._made.database.operator() as session:
            found = await session.scalars(
                select(Message)
                .join(Conversation, Conversation.id == Message.conversation_id)
                .where(Conversation.address == self._address)
                .order_by(Message.id)
            )
            return list(found)

    async def type(self) -> None:
        """Read lines until the end and send each as a webhook."""
        lines = _typed_lines()
        async with httpx.AsyncClient(base_url=self._made.running.web_url, timeout=10) as http:
            while True:
                line = await lines.get()
                if line is None:
                    await asyncio.sleep(3)
                    return
                if line.strip() in ("/quit", "/exit", "/q"):
                    return
                if line.strip():
                    await self._send(http, line.strip())

    async def _send(self, http: httpx.AsyncClient, line: str) -> None:
        event: dict[str, Any] = {"id": secrets.token_hex(8), "from": self._address, "text": line}
        letter = line.upper()
        if len(letter) == 1 and "A" <= letter <= "Z" and ord(letter) - 65 < len(self._buttons):
            pressed = self._buttons[ord(letter) - 65]
            event |= {"kind": "button", "button": pressed["id"], "text": pressed["title"]}
        body = json.dumps(event).encode()
        signed = {SIGNATURE_HEADER: signature(self._made.providers.terminal_secret, body)}
        try:
            answer = await http.post("/webhooks/terminal", content=body, headers=signed)
            answer.raise_for_status()
        except httpx.HTTPError:
            console.print("[red]not delivered, the service does not answer; try again[/]")

    def _show(self, event: dict[str, Any]) -> None:
        if event["id"] in self._shown:
            return
        self._shown.add(event["id"])
        self._buttons = event.get("buttons") or []
        self._bubble(event["text"], mine=False)
        for place, button in enumerate(self._buttons):
            console.print(Padding(f"[bold cyan]{chr(65 + place)}[/] {button['title']}", (0, 4)))

    def _bubble(self, text: str, *, mine: bool) -> None:
        width = min(WIDTH, max((len(line) for line in text.splitlines()), default=4) + 4)
        panel = Panel(Text(text), width=width, border_style="green" if mine else "blue")
        console.print(Align.right(panel) if mine else panel)


def _typed_lines() -> asyncio.Queue[str | None]:
    """What is typed, line by line, then None.

    A thread of its own that nobody waits for: one that reads a terminal cannot be interrupted.
    """
    lines: asyncio.Queue[str | None] = asyncio.Queue()
    loop = asyncio.get_running_loop()

    def read() -> None:
        for line in sys.stdin:
            loop.call_soon_threadsafe(lines.put_nowait, line)
        loop.call_soon_threadsafe(lines.put_nowait, None)

    threading.Thread(target=read, daemon=True).start()
    return lines


def _event(message: Message) -> dict[str, Any]:
    return {
        "id": message.provider_message_id or f"{TERMINAL_ADDRESS}:{message.id}",
        "text": message.text,
        "buttons": message.buttons,
    }


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(chat)
