"""How fast the desk's queue is listed: 60 open handoffs among 33,000 closed, as agents ask for it.

A million messages stand in the conversations, and there are 200,000 claims.

Starts an embedded PostgreSQL of its own in a temporary folder, fills it by COPY, and asks the
console's own application for each page as a signed-in person would, without the network. The
first round stands alone: a fresh process has covered nobody's lines yet.

    .venv/bin/python -m benchmarks.desk_queue [OPEN [CLAIMS [MESSAGES]]]
"""

import asyncio
import sys
import time
from datetime import timedelta
from math import ceil
from typing import Any

import psycopg

from benchmarks.console import FIRST_NAMES, NOW, TODAY, name_of, signed_in
from benchmarks.import_claims import database
from conversation.handoff_advice import REASONS
from ledger.reference import rf_reference
from storage import embedded
from storage.engine import Database, DatabaseUrls

OPEN = 60
CLAIMS = 200_000
MESSAGES = 1_000_000
MESSAGES_EACH = 30
ROUNDS = 60
ROWS_MAX = 0.05, 60_000
"""Seconds (p95) and bytes of what is fetched with every message that comes in."""
PAGE_MAX = 0.1, 80_000
LINE = "Guten Tag, hier ist {name}, bitte rufen Sie mich unter 0176 {n:08d} an. Ginge es in Raten?"
PAGES = {
    "rows": "/console/desk/rows?view=all",
    "rows, one view": "/console/desk/rows?view=unassigned&reason=hardship",
    "list": "/console/desk?view=all",
    "one, to be assigned": "/console/desk/queue/1",
    "callbacks": "/console/desk/callbacks",
    "overview": "/console/desk/live",
    "teams": "/console/desk/teams",
}


def fill(urls: DatabaseUrls, open_: int, claims: int, messages: int) -> int:
    """Fill the database as its administrator, whom row-level security does not hold back."""
    port, password = urls.owner.port, urls.owner.password
    admin = f"postgresql://{embedded.ADMIN}:{password}@127.0.0.1:{port}/{embedded.DATABASE}"
    everybody = range(1, claims + 1)
    talking = range(1, messages // MESSAGES_EACH + 1)
    with psycopg.connect(admin) as connection, connection.cursor() as cursor:
        made = cursor.execute(
            "INSERT INTO merchant (key, name, created_at) VALUES ('bench', 'Bench', %s) "
            "RETURNING id",
            [NOW],
        ).fetchone()
        assert made is not None
        merchant: int = made[0]
        account = cursor.execute(
            "INSERT INTO channel_account (merchant_id, channel, address, created_at) "
            "VALUES (%s, 'sms', '+4915700000001', %s) RETURNING id",
            [merchant, NOW],
        ).fetchone()
        assert account is not None

        def copied(table: str, columns: str, rows: Any) -> None:
            with cursor.copy(f"COPY {table} ({columns}, merchant_id) FROM STDIN") as copy:
                for row in rows:
                    copy.write_row((*row, merchant))

        copied(
            "customer",
            "id, number, name, first_name, language, birth_date, postal_code, created_at, "
            "updated_at",
            (
                (n, f"K-{n:05d}", name_of(n), FIRST_NAMES[n % 10], "de",
                 TODAY - timedelta(days=9_000 + n), f"{10_000 + n}", NOW, NOW)
                for n in everybody
            ),
        )  # fmt: skip
        copied(
            "contact_point", "customer_id, channel, address, source, created_at",
            ((n, "sms", f"+49176{n:08d}", "merchant_import", NOW) for n in everybody),
        )  # fmt: skip
        copied(
            "claim",
            "id, customer_id, reference, invoice_number, description, currency, rf_reference, "
            "invoice_date, due_date, status, confirmed_at, created_at, updated_at",
            (
                (n, n, f"F-{n}", f"RE-{n}", "Laufschuhe", "EUR", rf_reference(n),
                 TODAY - timedelta(days=60), TODAY - timedelta(days=30), "open", NOW, NOW, NOW)
                for n in everybody
            ),
        )  # fmt: skip
        copied(
            "posting",
            "claim_id, number, kind, source, destination, amount_minor, currency, value_date, "
            "booked_at, idempotency_key, input_hash, previous_hash, hash",
            (
                (n, 1, "opening", "revenue", "receivable:principal", 5_00 + n, "EUR", TODAY, NOW,
                 f"b:{n}", "", "", "")
                for n in everybody
            ),
        )  # fmt: skip
        copied(
            "conversation",
            "id, channel_account_id, channel, address, customer_id, language, state, created_at",
            (
                (n, account[0], "sms", f"+49176{n:08d}", n, "de", "waiting", NOW)
                for n in talking
            ),
        )  # fmt: skip
        # The lists that triggers keep of them are not the desk's.
        cursor.execute("SET session_replication_role = replica")
        copied(
            "message",
            "conversation_id, channel_account_id, direction, author, kind, text, created_at",
            (
                (n, account[0], "in", "customer", "message", LINE.format(name=name_of(n), n=n),
                 NOW - timedelta(minutes=n % 600 + m))
                for n in talking
                for m in range(MESSAGES_EACH, 0, -1)
            ),
        )  # fmt: skip
        cursor.execute("SET session_replication_role = origin")
        copied(
            "handoff",
            "id, conversation_id, reason, summary, requested_at, closed_at, answered_at, "
            "first_answer_at, taken_at, taken_by",
            (
                (n, n, REASONS[n % len(REASONS)], '{"reasons": ["callback"]}',
                 NOW - timedelta(minutes=n % 600 + 10), None if n <= open_ else NOW,
                 None if n % 2 else NOW - timedelta(minutes=n % 600 + 5),
                 None if n % 2 else NOW - timedelta(minutes=n % 600 + 5),
                 None if n % 2 else NOW, None if n % 2 else "Lea")
                for n in talking
            ),
        )  # fmt: skip
        connection.commit()
        connection.autocommit = True
        cursor.execute("VACUUM ANALYZE")
    return merchant


async def measure(held: Database, merchant: int) -> bool:
    """Ask for every page, print the figures, say whether all are within bounds."""
    good = True
    async with signed_in(held, merchant) as client:
        print(f"{'page':>22} {'first ms':>9} {'p50 ms':>8} {'p95 ms':>8} {'KB':>6}")
        for name, address in PAGES.items():
            took, size = [], 0
            for _ in range(ROUNDS):
                begun = time.perf_counter()
                answer = await client.get(address)
                took.append(time.perf_counter() - begun)
                assert answer.status_code == 200, (address, answer.status_code)
                size = len(answer.content)
            first, took = took[0], sorted(took[1:])
            middle, p95 = took[len(took) // 2], took[ceil(0.95 * len(took)) - 1]
            seconds_max, bytes_max = ROWS_MAX if name.startswith("rows") else PAGE_MAX
            fine = p95 <= seconds_max and size <= bytes_max
            good &= fine
            print(
                f"{name:>22} {first * 1e3:>9.1f} {middle * 1e3:>8.1f} {p95 * 1e3:>8.1f} "
                f"{size / 1e3:>6.1f}{'' if fine else '  too much'}"
            )
    return good


async def _run(urls: DatabaseUrls, open_: int, claims: int, messages: int) -> bool:
    begun = time.monotonic()
    merchant = fill(urls, open_, claims, messages)
    print(f"{claims} claims, {messages} messages seeded in {time.monotonic() - begun:.0f} s")
    held = Database(urls, pool_size=2)
    try:
        return await measure(held, merchant)
    finally:
        await held.close()


def main() -> None:
    """Start PostgreSQL, fill it, measure, stop it; 1 where a page takes too much."""
    how = [int(one) for one in sys.argv[1:]]
    open_, claims, messages = how + [OPEN, CLAIMS, MESSAGES][len(how) :]
    with database() as (_, urls):
        good = asyncio.run(_run(urls, open_, claims, messages))
    sys.exit(not good)


if __name__ == "__main__":
    main()
