"""How fast the customer's page answers: the server's time for each page, over real HTTP.

A demo of its own is started; a customer comes in by a link and reads every page many times.
Run: ``python -m benchmarks.page``.
"""

import asyncio
import os
import re
import statistics
import tempfile
import time
from pathlib import Path

import httpx
from rich.console import Console
from rich.table import Table
from sqlalchemy import select

from api.demo.started import StartedService
from api.settings import Settings
from api.wiring import parts
from conversation import page_link
from storage.tables import ChannelAccount, Claim, Conversation

ROUNDS = 200
WARM_UP = 20
TARGET_P95_MS = 50.0
SAMPLE_SECONDS_MAX = 60
CODE = "k7qm-t2rt-xh4p"


async def _link(data: Path) -> tuple[int, str]:
    """A link to the page of a customer with a claim; also that claim and its invoice number."""
    async with (
        parts(Settings(data_dir=data, demo=True)) as made,
        made.database.operator() as session,
    ):
        claim = (
            await session.scalars(select(Claim).where(Claim.status == "open").order_by(Claim.id))
        ).first()
        account = (await session.scalars(select(ChannelAccount))).first()
        if claim is None or account is None:
            raise SystemExit("the demo has no sample data")
        now = made.clock.now()
        held = Conversation(
            merchant_id=claim.merchant_id,
            channel_account_id=account.id,
            channel=account.channel,
            address="bench",
            customer_id=claim.customer_id,
            created_at=now,
        )
        session.add(held)
        await session.flush()
        belongs = (held.id, claim.merchant_id, claim.customer_id)
        page_link.keep(session, CODE, belongs, now)
        return claim.id, claim.invoice_number


async def _enter(http: httpx.AsyncClient, invoice: str) -> None:
    page = await http.get(f"/p/{CODE}")
    csrf = re.search(r'name="csrf" value="(\w+)"', page.text)
    if csrf is None:
        raise SystemExit(f"no form at /p: {page.status_code}")
    given = {"csrf": csrf[1], "number": invoice}
    entered = await http.post(f"/p/{CODE}", data=given)
    if entered.status_code != 303:
        raise SystemExit(f"not let in: {entered.status_code}")


async def _times(http: httpx.AsyncClient, path: str) -> tuple[list[float], int]:
    """Milliseconds of each answer, and the page's weight in bytes."""
    times, weight = [], 0
    for number in range(WARM_UP + ROUNDS):
        began = time.perf_counter()
        answer = await http.get(path)
        passed = (time.perf_counter() - began) * 1000
        if answer.status_code != 200:
            raise SystemExit(f"{path}: {answer.status_code}")
        weight = len(answer.content)
        if number >= WARM_UP:
            times.append(passed)
    return times, weight


async def _main() -> int:
    with tempfile.TemporaryDirectory(prefix="kulanz-", ignore_cleanup_errors=True) as folder:
        service = StartedService(Path(folder), None)
        service.start()
        try:
            await service.until_ready()
            async with httpx.AsyncClient(base_url=service.url, timeout=30) as http:
                deadline = time.monotonic() + SAMPLE_SECONDS_MAX
                while (await http.get("/simulator")).status_code != 303:
                    if time.monotonic() > deadline:
                        raise SystemExit("the demo has no sample data")
                    await asyncio.sleep(0.2)
                claim, invoice = await _link(Path(folder))
                await _enter(http, invoice)
                found = {
                    path: await _times(http, path)
                    for path in (
                        "/p",
                        f"/p/pay?claim={claim}",
                        f"/p/qr.svg?claim={claim}",
                        f"/p/plan?claim={claim}&count=3",
                        f"/p/plan?claim={claim}&count=4&fragment=true",
                        f"/p/later?claim={claim}",
                        "/p/contact",
                    )
                }
        finally:
            await service.stop()
    table = Table("page", "p50 ms", "p95 ms", "kB")
    worst = 0.0
    for path, (times, weight) in found.items():
        p95 = statistics.quantiles(times, n=20)[-1]
        worst = max(worst, p95)
        shown = re.sub(r"claim=\d+", "claim=…", path)
        table.add_row(
            shown, f"{statistics.median(times):.1f}", f"{p95:.1f}", f"{weight / 1000:.1f}"
        )
    console = Console()
    console.print(table)
    console.print(
        f"worst p95 {worst:.1f} ms, target {TARGET_P95_MS:.0f} ms; "
        f"load {os.getloadavg()[0]:.1f} on {os.cpu_count()} processors"
    )
    return 0 if worst <= TARGET_P95_MS else 1


if __name__ == "__main__":
    raise SystemExit(asyncio.run(_main()))
