"""The kill test: traffic runs while random processes of a real service are killed by SIGKILL.

``python -m benchmarks.kill --conversations 200 --messages 5 --rounds 5``
"""

import asyncio
import os
import random
import shutil
import signal
import tempfile
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from api.demo.quiet import until_quiet
from api.demo.serving import serving
from api.demo.standin import StandIn
from api.demo.started import AUTH_TOKEN, StartedService
from api.wiring import Keys, Running
from benchmarks.invariants import Findings, check
from benchmarks.people import prepare
from benchmarks.processes import Process, alive, descendants
from benchmarks.traffic import Storm
from storage.engine import Database, DatabaseUrls

QUIET_SECONDS_MAX = 240.0
PARTS = ("worker", "web", "postgres", "rasa", "valkey")


@dataclass(frozen=True)
class Plan:
    """How hard the service is shaken. `kill_every_seconds` is the mean pause between kills."""

    conversations: int
    messages: int
    kills: int
    kill_every_seconds: float = 3.0
    spread_seconds: float = 10.0
    seed: int = 1


@dataclass
class Outcome:
    """What one round found."""

    findings: Findings
    figures: dict[str, object] = field(default_factory=dict)

    @property
    def broken(self) -> list[str]:
        """Every promise that did not hold."""
        return self.findings.broken


async def run_round(plan: Plan, folder: Path) -> Outcome:
    """Start a service, shake it, wait until it is quiet, stop it, and check everything."""
    chance = random.Random(plan.seed)
    standin = StandIn(AUTH_TOKEN, reports=("sent", "delivered"))
    async with serving(standin.app()) as url:
        service = StartedService(folder, url)
        people = await prepare(service.settings(), plan.conversations)
        service.start()
        began = time.monotonic()
        try:
            running = await service.until_ready()
            ready_seconds = time.monotonic() - began
            line = service.line()
            storm = Storm(line, standin, chance, plan.spread_seconds)
            began = time.monotonic()
            talking = asyncio.gather(*(storm.converse(p, plan.messages) for p in people))
            killing = asyncio.create_task(_kill(service, plan, chance))
            await talking
            killed = await killing
            settled = await _until_quiet(service, running)
            quiet_seconds = time.monotonic() - began
            await _settle_reports(standin)
            findings = await _checked(service, running, standin, storm, plan)
            await line.close()
        finally:
            family = descendants(service.process.pid) if service.process else []
            code = await service.stop()
        await standin.close()
    findings.expect(settled, "open work was left when the time was over")
    findings.expect(code == 0, f"kulanz up ended with {code}")
    _expect_gone(findings, family, "after SIGTERM")
    figures: dict[str, object] = {
        "conversations": plan.conversations,
        "duplicated deliveries": storm.duplicated,
        "overtaking updates": storm.reordered,
        "deliveries made again": line.refused_count,
        "killed": ", ".join(f"{part} {count}" for part, count in sorted(killed.items())),
        "ready after": f"{ready_seconds:.1f} s",
        "quiet after": f"{quiet_seconds:.1f} s",
        **findings.figures,
    }
    return Outcome(findings, figures)


async def _kill(service: StartedService, plan: Plan, chance: random.Random) -> Counter[str]:
    """Kill random parts; within a few kills every part has its turn."""
    killed: Counter[str] = Counter()
    ahead: list[str] = []
    while sum(killed.values()) < plan.kills:
        await asyncio.sleep(chance.uniform(0.3, 1.7) * plan.kill_every_seconds)
        if not ahead:
            ahead = [*PARTS, "worker"]
            chance.shuffle(ahead)
        part = ahead.pop()
        if kill_part(service, part):
            killed[part] += 1
    return killed


def kill_part(service: StartedService, part: str) -> bool:
    """SIGKILL the process that is this part of the service; False where none runs just now."""
    if service.process is None:
        return False
    below = descendants(service.process.pid)
    # PostgreSQL's server processes look like their parent, so only its direct child counts.
    found = [p for p in below if p.part == part and p.parent == service.process.pid]
    if not found:
        return False
    try:
        os.kill(found[0].pid, signal.SIGKILL)
    except ProcessLookupError:
        return False
    return True


async def _until_quiet(service: StartedService, running: Running) -> bool:
    database = _database(service, running)
    try:
        return await until_quiet(database, seconds=QUIET_SECONDS_MAX)
    finally:
        await database.close()


async def _settle_reports(standin: StandIn) -> None:
    """Give the last status callbacks the time to arrive."""
    for _ in range(100):
        if not standin.reporting:
            return
        await asyncio.sleep(0.1)


async def _checked(
    service: StartedService, running: Running, standin: StandIn, storm: Storm, plan: Plan
) -> Findings:
    database = _database(service, running)
    try:
        findings = await check(database, standin.accepted, storm.written)
    finally:
        await database.close()
    if plan.messages >= 4:
        findings.figures["conversations in order"] = len(storm.in_order)
        findings.expect(
            findings.figures["agreements"] >= len(storm.in_order),
            f"{len(storm.in_order)} conversations led to an agreement in order, "
            f"{findings.figures['agreements']} agreements are kept",
        )
    return findings


def _database(service: StartedService, running: Running) -> Database:
    keys = Keys.of(service.settings())
    return Database(DatabaseUrls.derive(running.owner_url, keys.role_password), pool_size=2)


def _expect_gone(findings: Findings, family: list[Process], when: str) -> None:
    left = alive(family)
    findings.expect(not left, f"{when} these still run: {[p.command[:60] for p in left]}")


def main(
    conversations: Annotated[int, typer.Option(help="Customers who write at once.")] = 200,
    messages: Annotated[int, typer.Option(help="Messages of each, at most 5.")] = 5,
    rounds: Annotated[int, typer.Option(help="How often, each with another seed.")] = 1,
    kills: Annotated[int, typer.Option(help="Processes killed in a round.")] = 20,
    seed: Annotated[int, typer.Option(help="Seed of the first round.")] = 1,
) -> None:
    """Kill random processes while customers write, and check that nothing is lost."""
    console = Console()
    failed = 0
    for number in range(rounds):
        spread = max(kills * 3.0, conversations / 4)
        plan = Plan(conversations, messages, kills, spread_seconds=spread, seed=seed + number)
        folder = Path(tempfile.mkdtemp(prefix="kulanz-kill-"))
        outcome = asyncio.run(run_round(plan, folder))
        table = Table("what", "figure", title=f"round {number + 1} (seed {plan.seed})")
        for name, figure in outcome.figures.items():
            table.add_row(name, str(figure))
        console.print(table)
        for broken in outcome.broken:
            console.print(f"[red]✗[/] {broken}", highlight=False)
        failed += bool(outcome.broken)
        if outcome.broken:
            console.print(f"kept for a look: {folder}")
        else:
            console.print("[green]✓[/] all invariants hold")
            shutil.rmtree(folder, ignore_errors=True)
    raise typer.Exit(1 if failed else 0)


if __name__ == "__main__":
    typer.run(main)
