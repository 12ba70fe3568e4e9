"""``kulanz demo``: first contact and two conversations, played through the real webhooks.

A service of its own is started on a throw-away data directory, with a stand-in of Telegram and
Twilio in this process. Every webhook carries a genuine signature.
"""

import asyncio
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from zoneinfo import ZoneInfo

from rich.align import Align
from rich.console import Console
from rich.panel import Panel
from rich.rule import Rule
from sqlalchemy import func, select

from api.contact import decisions, send_planned
from api.demo.customers import Line, NotDelivered, PhoneCustomer, TelegramCustomer
from api.demo.quiet import until_quiet
from api.demo.sample import prepare_demo
from api.demo.script import SCENES, Scene, faults_of
from api.demo.serving import serving
from api.demo.standin import Accepted, StandIn
from api.demo.started import AUTH_TOKEN, SMS_NUMBER, NotStarted, StartedService
from api.queue import make_app
from api.statement_view import agreement_table, statement_table
from api.wiring import Parts, parts
from conversation.consent import make_start_token
from ledger.book import statement
from ledger.statement import Statement
from outreach.facts import PlannedContact
from storage.embedded import EngineFailed
from storage.tables import ChannelAccount, Claim, ContactPoint, Customer, Message

ANSWER_SECONDS_MAX = 60.0
BERLIN = ZoneInfo("Europe/Berlin")


class PlayFailed(RuntimeError):
    """The demo did not come to its end; the text says where."""


def run(console: Console | None = None) -> int:
    """Play everything; 0 only if the ledger then holds exactly what was agreed."""
    shown = console or Console()
    try:
        faults = asyncio.run(_play(shown))
    except (PlayFailed, NotStarted, NotDelivered, EngineFailed) as error:
        shown.print(f"[bold red]✗[/] {error}", highlight=False)
        return 1
    for fault in faults:
        shown.print(f"[bold red]✗[/] {fault}", highlight=False)
    if not faults:
        shown.print("[bold green]✓[/] The ledger holds exactly what was agreed.")
    return 1 if faults else 0


async def _play(console: Console) -> list[str]:
    async with (
        _service(console) as (service, standin),
        parts(service.settings(), pool_size=4) as made,
    ):
        await prepare_demo(made.settings)
        sent = await _first_contact(made)
        console.print(f"First contact: {sent} messages, to everybody who may be written to.\n")
        line = service.line()
        try:
            return [
                f"{scene.claim_reference}: {fault}"
                for scene in SCENES
                for fault in await _scene(console, made, standin, line, scene)
            ]
        finally:
            await line.close()


@asynccontextmanager
async def _service(console: Console) -> AsyncIterator[tuple[StartedService, StandIn]]:
    standin = StandIn(AUTH_TOKEN, reports=("sent", "delivered"))
    with tempfile.TemporaryDirectory(prefix="kulanz-demo-", ignore_cleanup_errors=True) as folder:
        async with serving(standin.app()) as url:
            service = StartedService(Path(folder), url, extra={"KULANZ_DEMO": "1"})
            service.start()
            try:
                with console.status("Starting database, web, worker and the assistant …"):
                    await service.until_ready()
                yield service, standin
            finally:
                await standin.close()
                await service.stop()


async def _first_contact(made: Parts) -> int:
    """What ``kulanz contact`` does."""
    jobs = make_app(made, pool_size=2)
    sent = 0
    async with jobs.open_async():
        async with made.database.operator() as session:
            merchant_id = (await session.scalars(select(Customer.merchant_id).limit(1))).one()
        async for decision in decisions(made.database, merchant_id, made.clock.now()):
            if isinstance(decision, PlannedContact):
                sent += await send_planned(made, jobs, decision, made.clock.now())
    await _quiet(made)
    return sent


async def _scene(
    console: Console, made: Parts, standin: StandIn, line: Line, scene: Scene
) -> list[str]:
    console.print(Rule(scene.title))
    customer, lines = await _customer(made, line, scene)
    seen = 0
    for text in ("", *lines):
        if text:
            _show_customer(console, text)
            await customer.write(text)
        await _quiet(made)
        answers = standin.to(customer.address)
        if text and len(answers) == seen:
            raise PlayFailed(f"{scene.customer_number} got no answer to {text!r}")
        for answer in answers[seen:]:
            _show_bot(console, answer)
        seen = len(answers)
    if await _failed_turns(made):
        raise PlayFailed(f"{scene.customer_number}: a turn failed and was given to a person")
    found = await _statement(made, scene)
    console.print(statement_table(found))
    today = made.clock.now().astimezone(BERLIN).date()
    if found.agreement is not None:
        console.print(agreement_table(found.agreement, today, BERLIN))
    console.print()
    return faults_of(scene, found, today)


async def _customer(
    made: Parts, line: Line, scene: Scene
) -> tuple[PhoneCustomer | TelegramCustomer, tuple[str, ...]]:
    """Whoever speaks in this scene, and their lines; a deep link is the first of them."""
    async with made.database.operator() as session:
        customer = (
            await session.scalars(select(Customer).where(Customer.number == scene.customer_number))
        ).one()
        if not scene.deep_link:
            phone = await session.scalar(
                select(ContactPoint.address).where(
                    ContactPoint.customer_id == customer.id, ContactPoint.channel == "sms"
                )
            )
            if phone is None:
                raise PlayFailed(f"{scene.customer_number} has no telephone")
            return PhoneCustomer(line, phone, SMS_NUMBER), scene.lines
        bot = (
            await session.scalars(
                select(ChannelAccount.id).where(ChannelAccount.channel == "telegram")
            )
        ).one()
        token = await make_start_token(
            session,
            merchant_id=customer.merchant_id,
            customer_id=customer.id,
            channel_account_id=bot,
            now=made.clock.now(),
        )
    chat = TelegramCustomer(line, 900_001, scene.language)
    return chat, (f"/start {token}", *scene.lines)


async def _quiet(made: Parts) -> None:
    if not await until_quiet(made.database, seconds=ANSWER_SECONDS_MAX):
        raise PlayFailed(f"no answer within {ANSWER_SECONDS_MAX:.0f} seconds")


async def _failed_turns(made: Parts) -> int:
    async with made.database.operator() as session:
        failed = select(func.count()).where(Message.outcome == "bot_failed")
        return int(await session.scalar(failed) or 0)


async def _statement(made: Parts, scene: Scene) -> Statement:
    async with made.database.operator() as session:
        claim_id = (
            await session.scalars(select(Claim.id).where(Claim.reference == scene.claim_reference))
        ).one()
        return await statement(session, claim_id)


def _show_customer(console: Console, text: str) -> None:
    shown = "/start (one-time link)" if text.startswith("/start ") else text
    panel = Panel.fit(shown, border_style="green")
    console.print(Align.right(panel, width=min(console.width, 90)))


def _show_bot(console: Console, answer: Accepted) -> None:
    buttons = "   ".join(f"\\[{title}]" for _, title in answer.buttons)
    text = f"{answer.text}\n\n[cyan]{buttons}[/]" if buttons else answer.text
    console.print(Panel(text, border_style="blue", width=min(console.width, 76)))
