"""How fast the console lists, finds and shows claims and conversations: p95 of each page.

Starts an embedded PostgreSQL of its own in a temporary folder, fills it by COPY, and asks the
console's own application for each page as a signed-in person would, without the network.

    .venv/bin/python -m benchmarks.console [CLAIMS [MESSAGES]]
"""

import asyncio
import json
import sys
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from math import ceil
from types import SimpleNamespace
from typing import Any
from urllib.parse import quote

import httpx
import psycopg
from fastapi import FastAPI

from api.pages.console import routes
from api.people.links import make_link
from api.people.roles import Role
from api.settings import Settings
from benchmarks import console_talks
from benchmarks.import_claims import NAMES, database
from ledger.reference import rf_reference
from storage import embedded
from storage.engine import Database, DatabaseUrls

CLAIMS = 200_000
ROUNDS = 40
P95_SECONDS_MAX = 0.1
HTML_BYTES_MAX = 100_000
NOW = datetime(2026, 11, 23, 10, 0, tzinfo=UTC)
TODAY = NOW.date()
FIRST_NAMES = ("Anna", "Ben", "Cem", "Dörte", "Emil", "Fatma", "Gül", "Henrik", "Ida", "Jan")
ENDS = ("", "-Klein", "mann", "s", "er", "-Groß", "ow", "ski", "berg", "hof")


def name_of(who: int) -> str:
    """A name; many share one, as people do."""
    return NAMES[who % len(NAMES)] + ENDS[who // 8 % 10] + chr(97 + who // 80 % 26)


def status_of(number: int) -> str:
    """Most claims have been paid; few are disputed, recalled or written off."""
    if number % 10 < 6:
        return "settled"
    return {0: "disputed", 1: "recalled", 2: "written_off"}.get(number // 10 % 200, "open")


def fill(urls: DatabaseUrls, port_password: tuple[int, str], claims: int, messages: int) -> int:
    """Fill the database as its administrator, whom row-level security does not hold back."""
    port, password = port_password
    admin = f"postgresql://{embedded.ADMIN}:{password}@127.0.0.1:{port}/{embedded.DATABASE}"
    customers = claims * 4 // 5
    with psycopg.connect(admin) as connection, connection.cursor() as cursor:
        made = cursor.execute(
            "INSERT INTO merchant (key, name, created_at) VALUES ('bench', 'Bench', %s) "
            "RETURNING id",
            [NOW],
        ).fetchone()
        assert made is not None
        merchant: int = made[0]

        def copied(table: str, columns: str, rows: Any) -> None:
            with cursor.copy(f"COPY {table} ({columns}, merchant_id) FROM STDIN") as copy:
                for row in rows:
                    copy.write_row((*row, merchant))

        copied(
            "customer", "id, number, name, first_name, language, created_at, updated_at",
            (
                (who, f"K-{who:07d}", name_of(who), FIRST_NAMES[who % 10], "de", NOW, NOW)
                for who in range(1, customers + 1)
            ),
        )  # fmt: skip
        copied(
            "contact_point", "customer_id, channel, address, source, created_at",
            (
                (who, "sms", f"+49176{who:08d}", "merchant_import", NOW)
                for who in range(1, customers + 1)
            ),
        )  # fmt: skip
        copied(
            "claim",
            "id, customer_id, reference, invoice_number, description, currency, rf_reference, "
            "invoice_date, due_date, status, paused_until, confirmed_at, created_at, updated_at",
            (
                (
                    number, number % customers + 1, f"F-{number}", f"RE-2026-{number:07d}",
                    "Laufschuhe", "EUR", rf_reference(number), TODAY - timedelta(days=800),
                    TODAY - timedelta(days=number % 700), status_of(number),
                    TODAY + timedelta(days=5) if number % 1000 == 999 else None, NOW, NOW, NOW,
                )
                for number in range(1, claims + 1)
            ),
        )  # fmt: skip
        posted = "number, kind, source, destination, amount_minor"
        copied(
            "posting",
            f"claim_id, {posted}, currency, value_date, booked_at, idempotency_key, input_hash, "
            "previous_hash, hash",
            (
                (claim, n, kind, source, destination, 5_00 + claim * 7 % 240_000, "EUR",
                 TODAY, NOW, f"b:{claim}:{n}", "", "", "")
                for claim in range(1, claims + 1)
                for n, kind, source, destination in (
                    (1, "opening", "revenue", "receivable:principal"),
                    (2, "payment", "receivable:principal", "cash"),
                )
                if n == 1 or status_of(claim) == "settled"
            ),
        )  # fmt: skip
        batch = cursor.execute(
            "INSERT INTO intake_batch (merchant_id, kind, name, sha256, rows_total, rows_added, "
            "rows_changed, rows_unchanged, at) VALUES (%s, 'bank_statement', 'x', 'x', 0, 0, 0, 0, "
            "%s) RETURNING id",
            [merchant, NOW],
        ).fetchone()
        assert batch is not None
        copied(
            "bank_movement",
            "batch_id, account, format, statement_number, booked, value_date, amount_minor, "
            "currency, content, position, payer_name, text, state, match, created_at",
            (
                (batch[0], "DE02120300000000202051", "camt", "1", TODAY, TODAY, 1000 + n, "EUR",
                 f"c{n}", 1, name_of(n), f"Rechnung RE-2026-{n:07d}",
                 ("suggested", "unmatched", "posted", "unmatched", "rejected")[n % 5],
                 json.dumps({"shares": [{"claim": n, "minor": 1000}], "evidence": ["name"]}), NOW)
                for n in range(1, claims + 1)
            ),
        )  # fmt: skip
        busy = customers // 2
        account = cursor.execute(
            "INSERT INTO channel_account (merchant_id, channel, address, created_at) "
            "VALUES (%s, 'sms', '+4915700000001', %s) RETURNING id",
            [merchant, NOW],
        ).fetchone()
        assert account is not None
        cursor.execute(
            "INSERT INTO conversation (id, merchant_id, channel_account_id, channel, address, "
            "customer_id, created_at) VALUES (1, %s, %s, 'sms', '+491760', %s, %s)",
            [merchant, account[0], busy, NOW],
        )
        copied(
            "message",
            "conversation_id, channel_account_id, direction, author, kind, text, created_at",
            (
                (1, account[0], "in", "customer", "message", f"Nachricht {n}, und noch ein Satz",
                 NOW - timedelta(minutes=n))
                for n in range(3_000)
            ),
        )  # fmt: skip
        console_talks.fill(connection, merchant, account[0], messages, NOW)
        connection.commit()
        connection.autocommit = True
        cursor.execute("VACUUM ANALYZE")
    return merchant


@dataclass
class Clock:
    """A clock that stands."""

    def now(self) -> datetime:
        """Always the same."""
        return NOW


SETTINGS = (
    "imports",
    *(f"settings/{name}" for name in ("policy", "contact", "brand", "webhooks", "keys")),
    *("settings/wordings", "settings/wordings?q=rechnung", "settings/wordings/bank_details"),
)


def pages(claims: int) -> dict[str, list[str]]:
    """Each kind of page with the addresses that are asked for in turn."""
    one = [claims * n // 21 + 1 for n in range(1, 21)]
    customers, many = claims * 4 // 5, "/console/claims?sort={}&state={}"
    listed = {
        f"list {sort} {state}": [many.format(sort, state)]
        for sort in ("due", "newest", "open")
        for state in ("pursued", "all", "open", "disputed", "paused", "settled", "written_off")
    }
    deep = {
        "deep due": [f"{many.format('due', 'pursued')}&after=2026-0{m}-01_5" for m in range(1, 10)],
        "deep open": [f"{many.format('open', 'pursued')}&after={m}0000_5" for m in range(1, 20)],
        "deep all": [f"{many.format('due', 'all')}&after=2026-0{m}-01_5" for m in range(1, 10)],
    }
    q = "/console/claims?q="
    return {
        **listed,
        **deep,
        "find name": [q + quote(name) for name in (*NAMES, *FIRST_NAMES)],
        "find letter": [q + one for one in "abmnsw"],
        "find both names": [q + quote(f"{first} {NAMES[0]}") for first in FIRST_NAMES],
        "find name, by amount": [q + quote(name) + "&sort=open" for name in NAMES],
        "find invoice": [f"{q}re+2026+{n}" for n in one],
        "find customer": [f"{q}k{n % customers + 1}" for n in one],
        "find phone": [f"{q}0176+{n % customers + 1:08d}" for n in one],
        "find rf": [q + rf_reference(n) for n in one],
        "find nothing": [q + "RE-9999999", q + "Xanthippe"],
        "customer": [f"/console/customers/{n % customers + 1}" for n in one],
        "customer, 3000 messages": [f"/console/customers/{customers // 2}"],
        **{
            f"movements {state}": [f"/console/bank?state={state}"]
            for state in ("suggested", "unmatched", "posted", "rejected")
        },
        "movements deep": [f"/console/bank?state=unmatched&after={n}" for n in one],
        "movement": [f"/console/bank/{n}?q=RE-2026-{n}" for n in one[:4]],
        **{name: [f"/console/{name}"] for name in SETTINGS},
    }


@asynccontextmanager
async def signed_in(held: Database, merchant: int) -> AsyncIterator[httpx.AsyncClient]:
    """A browser in front of the console's own application, signed in as an owner."""
    app = FastAPI()
    app.include_router(routes.router)
    url = "https://kulanz.example"
    app.state.parts = SimpleNamespace(
        database=held, clock=Clock(), public_url=url,
        settings=Settings(_env_file=None), keys=SimpleNamespace(secret_key="bench"),
    )  # fmt: skip
    async with held.merchant(merchant) as session:
        token = await make_link(session, merchant, "bench", NOW, role=Role.OWNER)
    transport = httpx.ASGITransport(app=app)
    async with httpx.AsyncClient(transport=transport, base_url=url) as client:
        start = (await client.get(f"/console/login/{token}")).text
        mark = start.partition('name="csrf" value="')[2].partition('"')[0]
        await client.post(f"/console/login/{token}", data={"csrf": mark})
        yield client


async def measure(database_: Database, merchant: int, pages_: Mapping[str, Sequence[str]]) -> bool:
    """Ask for every page, print the figures, say whether all are within bounds."""
    good = True
    async with signed_in(database_, merchant) as client:
        print(f"{'page':>28} {'p50 ms':>8} {'p95 ms':>8} {'KB':>6}")
        for name, addresses in pages_.items():
            took, size = [], 0
            for number in range(max(ROUNDS, len(addresses)) + 3):
                begun = time.perf_counter()
                answer = await client.get(addresses[number % len(addresses)])
                took.append(time.perf_counter() - begun)
                assert answer.status_code == 200, (addresses, answer.status_code)
                size = max(size, len(answer.content))
            took = sorted(took[3:])  # the first ones fill caches
            middle, p95 = took[len(took) // 2], took[ceil(0.95 * len(took)) - 1]
            fine = p95 <= P95_SECONDS_MAX and size <= HTML_BYTES_MAX
            good &= fine
            mark = "" if fine else "  too much"
            print(f"{name:>28} {middle * 1e3:>8.1f} {p95 * 1e3:>8.1f} {size / 1e3:>6.1f}{mark}")
    return good


async def _run(urls: DatabaseUrls, claims: int, messages: int) -> bool:
    begun = time.monotonic()
    port, password = urls.owner.port, urls.owner.password
    assert port is not None
    assert password is not None
    merchant = fill(urls, (port, str(password)), claims, messages)
    print(f"{claims} claims, {messages} messages seeded in {time.monotonic() - begun:.0f} s")
    held = Database(urls, pool_size=2)
    try:
        talks = console_talks.pages(messages // console_talks.IN_A_TALK)
        return await measure(held, merchant, {**pages(claims), **talks})
    finally:
        await held.close()


def main() -> None:
    """Start PostgreSQL, fill it, measure, stop it; 1 where a page takes too much."""
    claims = int(sys.argv[1]) if len(sys.argv) > 1 else CLAIMS
    # Each conversation has a customer of its own.
    messages = int(sys.argv[2]) if len(sys.argv) > 2 else min(console_talks.MESSAGES, 6 * claims)
    with database() as (_, urls):
        good = asyncio.run(_run(urls, claims, messages))
    sys.exit(not good)


if __name__ == "__main__":
    main()
