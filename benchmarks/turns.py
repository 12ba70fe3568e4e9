"""How fast a turn is: signed webhook in → reply at the stand-in, actions and ledger included.

First the answer times at a steady pace, then the turns a second of the saturated service, then the
same for plain Rasa with its default pipeline, one after the other in the same run (`make bench`).
"""

import asyncio
import shutil
import statistics
import tempfile
import time
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated

import httpx
import typer
import uvloop
from rich.console import Console
from rich.table import Table

from api.demo.customers import PhoneCustomer, TelegramCustomer
from api.demo.serving import serving
from api.demo.standin import Accepted, StandIn
from api.demo.started import AUTH_TOKEN, SMS_NUMBER, StartedService
from api.settings import PROJECT
from benchmarks.people import Person, prepare
from benchmarks.plain_rasa import plain_rasa, trained
from benchmarks.processes import cpu_seconds_by_part
from benchmarks.traffic import SCRIPTS

WARM_UP_CONVERSATIONS = 6
WARM_UP_SECONDS = 5.0
"""Of full load, ours and plain Rasa's alike, before it counts."""
AT_ONCE = 24
TELEGRAM_EVERY = 5
"""One bot may send 25 messages a second (`api.limits`): were every second customer with it, a quick
machine would measure how they wait for that."""
REPLY_SECONDS_MAX = 30.0
Step = tuple[PhoneCustomer | TelegramCustomer, str]
TARGET_P50_MS, TARGET_P95_MS, TARGET_RATIO = 80.0, 150.0, 0.6


@dataclass
class Turns:
    """Customers who write one message after the other, each when the last one is answered."""

    service: StartedService
    standin: StandIn
    _waiting: dict[str, "asyncio.Future[Accepted]"] = field(default_factory=dict)
    _open: dict[str, float] = field(default_factory=dict)
    first_ms: list[float] = field(default_factory=list)
    last_ms: dict[tuple[str, float], float] = field(default_factory=lambda: defaultdict(float))

    def __post_init__(self) -> None:
        self.line = self.service.line()
        self.standin.watch = self._saw

    def _saw(self, message: Accepted) -> None:
        began = self._open.get(message.to)
        if began is not None:
            took = (message.accepted_monotonic - began) * 1000
            self.last_ms[message.to, began] = took
        waiting = self._waiting.pop(message.to, None)
        if waiting is not None and not waiting.done():
            waiting.set_result(message)

    async def take(self, customer: PhoneCustomer | TelegramCustomer, text: str) -> None:
        """Write one message and wait for the first reply. Raises TimeoutError."""
        webhook = customer.message(text)
        answered: asyncio.Future[Accepted] = asyncio.get_running_loop().create_future()
        self._waiting[customer.address] = answered
        began = self._open[customer.address] = time.monotonic()
        await self.line.deliver(webhook)
        reply = await asyncio.wait_for(answered, REPLY_SECONDS_MAX)
        self.first_ms.append((reply.accepted_monotonic - began) * 1000)

    def forget(self) -> None:
        """Start counting anew."""
        self.first_ms.clear()
        self.last_ms.clear()

    def conversation(
        self, person: Person
    ) -> Iterator[tuple[PhoneCustomer | TelegramCustomer, str]]:
        """Who writes, and each of the lines that lead to an agreement."""
        texts = [text.format(invoice=person.invoice_number) for text in SCRIPTS[person.language]]
        customer: PhoneCustomer | TelegramCustomer
        if person.start_token is None:
            customer = PhoneCustomer(self.line, person.phone, SMS_NUMBER)
        else:
            customer = TelegramCustomer(self.line, person.chat_id, person.language)
            texts[0] = f"/start {person.start_token}"
        for text in texts:
            yield customer, text


async def steady(turns: Turns, people: Iterator[Person], *, rate: float, seconds: float) -> int:
    """Start `rate` turns a second for so long, whatever the answers do; return their number."""
    gap = 1 / rate
    talking = [turns.conversation(next(people)) for _ in range(int(rate * 2))]
    under_way: list[asyncio.Task[None]] = []
    began = time.monotonic()
    count = 0
    while time.monotonic() - began < seconds:
        place = count % len(talking)
        step = next(talking[place], None)
        if step is None:
            talking[place] = turns.conversation(next(people))
            step = next(talking[place])
        under_way.append(asyncio.create_task(turns.take(*step)))
        count += 1
        await asyncio.sleep(max(0.0, began + count * gap - time.monotonic()))
    await asyncio.gather(*under_way)
    return count


async def saturated(turns: Turns, people: Iterator[Person], *, seconds: float) -> float:
    """Turns finished a second while `AT_ONCE` conversations never pause."""
    deadline = time.monotonic() + seconds
    finished = 0

    async def talk() -> None:
        nonlocal finished
        while time.monotonic() < deadline:
            for step in turns.conversation(next(people)):
                if time.monotonic() >= deadline:
                    return
                await turns.take(*step)
                finished += time.monotonic() < deadline

    await asyncio.gather(*(talk() for _ in range(AT_ONCE)))
    return finished / seconds


async def saturated_plain(url: str, *, seconds: float) -> float:
    """The same for plain Rasa: as many senders at once, the same lines."""
    finished = 0
    lines = [text.format(invoice="RE-2026-00042") for script in SCRIPTS.values() for text in script]
    async with httpx.AsyncClient(timeout=60) as http:
        deadline = time.monotonic() + seconds

        async def talk(sender: int) -> None:
            nonlocal finished
            number = 0
            while time.monotonic() < deadline:
                # A new sender after five lines, as our customers do.
                name = f"{sender}-{number // 5}"
                body = {"sender": name, "message": lines[number % len(lines)]}
                (await http.post(url, json=body)).raise_for_status()
                number += 1
                finished += time.monotonic() < deadline

        await asyncio.gather(*(talk(sender) for sender in range(AT_ONCE)))
    return finished / seconds


async def _ours(table: Table, *, rate: float, seconds: float, load_seconds: float) -> float:
    folder = Path(tempfile.mkdtemp(prefix="kulanz-bench-"))
    standin = StandIn(AUTH_TOKEN)
    needed = (
        WARM_UP_CONVERSATIONS
        + int(rate * (2 + seconds / 5))
        + int((load_seconds + WARM_UP_SECONDS) * 20)
        + 50
    )
    try:
        async with serving(standin.app()) as url:
            service = StartedService(folder, url)
            made = await prepare(service.settings(), needed, telegram_every=TELEGRAM_EVERY)
            everybody = iter(made)
            service.start()
            try:
                await service.until_ready()
                turns = Turns(service, standin)
                for _ in range(WARM_UP_CONVERSATIONS):
                    for step in turns.conversation(next(everybody)):
                        await turns.take(*step)
                turns.forget()
                count = await steady(turns, everybody, rate=rate, seconds=seconds)
                _answer_times(table, turns, count, rate)
                await saturated(turns, everybody, seconds=WARM_UP_SECONDS)
                turns.forget()
                pid = service.process.pid if service.process else 0
                before, own = cpu_seconds_by_part(pid), time.process_time()
                per_second = await saturated(turns, everybody, seconds=load_seconds)
                after = cpu_seconds_by_part(pid)
                after["customers and providers"] = time.process_time() - own
                for part in sorted(after):
                    spent = (after[part] - before.get(part, 0)) / (per_second * load_seconds)
                    table.add_row(f"CPU a turn, {part}", f"{spent * 1000:.1f} ms", "")
                await turns.line.close()
                return per_second
            finally:
                await service.stop()
                await standin.close()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _answer_times(table: Table, turns: Turns, count: int, rate: float) -> None:
    last = sorted(turns.last_ms.values())
    table.add_row("turns at a steady pace", f"{count} at {rate:g}/s", "")
    for name, times in (("first reply", sorted(turns.first_ms)), ("last reply", last)):
        cuts = statistics.quantiles(times, n=100)
        table.add_row(f"p50, {name}", f"{cuts[49]:.0f} ms", f"≤ {TARGET_P50_MS:.0f} ms")
        table.add_row(f"p95, {name}", f"{cuts[94]:.0f} ms", f"≤ {TARGET_P95_MS:.0f} ms")
        table.add_row(f"slowest, {name}", f"{times[-1]:.0f} ms", "")


async def _measure(
    console: Console, *, rate: float, seconds: float, load_seconds: float, compare: bool
) -> None:
    table = Table("what", "measured", "wanted", title="a turn, everything on")
    ours = await _ours(table, rate=rate, seconds=seconds, load_seconds=load_seconds)
    table.add_row("turns a second, saturated", f"{ours:.1f}", "")
    if compare:
        console.print("Plain Rasa is trained once for the comparison (about 5 minutes) …")
        model = await asyncio.to_thread(trained, PROJECT / "var" / "rasa_default")
        async with plain_rasa(model) as url:
            await saturated_plain(url, seconds=WARM_UP_SECONDS)
            plain = await saturated_plain(url, seconds=load_seconds)
        table.add_row("plain Rasa, turns a second", f"{plain:.1f}", "")
        table.add_row("ratio", f"{ours / plain:.2f}", f"≥ {TARGET_RATIO}")
    console.print(table)


def main(
    rate: Annotated[float, typer.Option(help="Turns a second of the steady phase.")] = 5.0,
    seconds: Annotated[float, typer.Option(help="Length of the steady phase.")] = 60.0,
    load_seconds: Annotated[float, typer.Option(help="Length of each saturated phase.")] = 30.0,
    compare: Annotated[bool, typer.Option(help="Measure plain Rasa as well.")] = True,
) -> None:
    """Measure answer times and throughput, and print all figures."""
    uvloop.run(
        _measure(Console(), rate=rate, seconds=seconds, load_seconds=load_seconds, compare=compare)
    )


if __name__ == "__main__":
    typer.run(main)
