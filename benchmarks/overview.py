"""How fast the console's overview is, and the lists that it leads to: p95 of the server's answer.

Fills the database of :mod:`benchmarks.console` with the histories of a year besides: a first
contact of each customer, a million messages, agreements, payments, handoffs. Prints how long the
figures take to be gathered, and fails above 100 ms or 100 KB of a page.

    .venv/bin/python -m benchmarks.overview [CLAIMS] [MESSAGES]
"""

import asyncio
import sys
import time
from datetime import timedelta
from typing import Any
from urllib.parse import urlencode

import psycopg

from api import overview
from benchmarks import console, console_talks
from benchmarks.console import NOW, TODAY
from benchmarks.import_claims import database
from conversation.overview_sql import TALKED
from ledger.book_among import Happened
from outreach.overview_sql import STAGES
from storage import embedded
from storage.engine import Database, DatabaseUrls, libpq_dsn
from storage.tables import Merchant

MESSAGES = 1_000_000
YEAR_DAYS = 365
# A year's histories, reckoned from the numbers of rows, so that each run has the same.
CONTACTED = f"timestamptz '{NOW.isoformat()}' - make_interval(mins => (c.id * 7919 %% 525600)::int)"
HISTORIES = f"""
SELECT setval(pg_get_serial_sequence('message', 'id'), (SELECT max(id) FROM message));
INSERT INTO channel_account (merchant_id, channel, address, created_at)
SELECT %(merchant)s, channel, 'of ' || channel, now()
FROM unnest(ARRAY['whatsapp', 'telegram', 'sms']) AS channel;
CREATE TEMPORARY TABLE contacted AS
SELECT c.id AS customer_id, {CONTACTED} AS at, a.id AS account, a.channel
FROM customer c
JOIN (SELECT id, channel, row_number() OVER (ORDER BY id) - 1 AS n FROM channel_account
      WHERE address LIKE 'of %%') a ON a.n = c.id %% 3;
INSERT INTO conversation (id, merchant_id, channel_account_id, channel, address, customer_id,
                          created_at)
SELECT 1000000 + customer_id, %(merchant)s, account, channel, 'k' || customer_id, customer_id, at
FROM contacted;
UPDATE customer SET active_conversation_id = 1000000 + id;
INSERT INTO message (merchant_id, conversation_id, channel_account_id, direction, author, kind,
                     text, created_at, handled_at, status, sent_at, delivered_at, read_at)
SELECT %(merchant)s, 1000000 + customer_id, account,
       CASE WHEN n %% 2 = 0 THEN 'out' ELSE 'in' END,
       CASE WHEN n %% 2 = 0 THEN 'bot' ELSE 'customer' END,
       'message', 'Nachricht und noch ein Satz, damit sie eine Zeile lang ist',
       at + make_interval(mins => n * 37),
       CASE WHEN n %% 2 = 1 THEN at END,
       CASE WHEN n %% 2 = 0 THEN 'read' END,
       CASE WHEN n %% 2 = 0 THEN at + make_interval(mins => n * 37) END,
       CASE WHEN n %% 2 = 0 AND customer_id %% 10 < 9 THEN at + interval '1 minute' END,
       CASE WHEN n %% 2 = 0 AND customer_id %% 10 < 6 THEN at + interval '9 minutes' END
FROM contacted, generate_series(0, %(each)s) AS n
WHERE n = 0 OR customer_id %% 10 < 5 ORDER BY n, customer_id;
INSERT INTO transcript (conversation_id, message_id, at, merchant_id)
SELECT conversation_id, max(id), max(created_at), %(merchant)s
FROM message WHERE conversation_id > 1000000 GROUP BY conversation_id;
INSERT INTO contact_attempt (merchant_id, customer_id, contact_point_id, message_id, cycle, step,
                             reason, at)
SELECT DISTINCT ON (c.customer_id)
       %(merchant)s, c.customer_id, p.id, m.id, 1, 'first_contact', 'due', c.at
FROM contacted c
JOIN contact_point p ON p.customer_id = c.customer_id
JOIN message m ON m.conversation_id = 1000000 + c.customer_id AND m.created_at = c.at
ON CONFLICT DO NOTHING;  -- one has been written to before
UPDATE contact_point p SET channel = c.channel FROM contacted c WHERE c.customer_id = p.customer_id;
INSERT INTO audit_event (merchant_id, kind, at, customer_id, conversation_id)
SELECT %(merchant)s, kind, at + interval '2 hours', customer_id, 1000000 + customer_id
FROM contacted JOIN (VALUES ('verified', 10, 4), ('opted_out', 50, 1)) AS k (kind, every, below)
  ON customer_id %% every < below;
INSERT INTO handoff (merchant_id, conversation_id, reason, requested_at, taken_at, closed_at)
SELECT %(merchant)s, 1000000 + customer_id, 'asked_for_person', at + interval '3 hours',
       at + interval '4 hours', at + interval '1 day'
FROM contacted WHERE customer_id %% 20 = 0;
INSERT INTO agreement (merchant_id, claim_id, conversation_id, kind, status, total_minor, currency,
                       agreed_at, ended_at, idempotency_key, input_hash)
SELECT %(merchant)s, l.id, 1000000 + c.customer_id, 'promise',
       CASE l.status WHEN 'settled' THEN 'kept' WHEN 'open' THEN 'active' ELSE 'broken' END,
       o.claimed_minor, 'EUR', c.at + interval '1 day',
       CASE l.status WHEN 'open' THEN NULL ELSE least(c.at + interval '9 days', %(now)s) END,
       'a:' || l.id, ''
FROM contacted c JOIN claim l ON l.customer_id = c.customer_id
JOIN claim_open o ON o.claim_id = l.id WHERE l.id %% 4 < 2;
INSERT INTO audit_event (merchant_id, kind, at, customer_id, claim_id, facts)
SELECT %(merchant)s, 'agreement_made', g.agreed_at, l.customer_id, l.id,
       jsonb_build_object('agreement', g.id, 'agreement_kind', g.kind)
FROM agreement g JOIN claim l ON l.id = g.claim_id;
UPDATE posting p SET booked_at = least(c.at + interval '9 days', %(now)s)
FROM claim l JOIN contacted c ON c.customer_id = l.customer_id WHERE l.id = p.claim_id;
INSERT INTO audit_event (merchant_id, kind, at, customer_id, claim_id)
SELECT %(merchant)s, CASE l.status WHEN 'settled' THEN 'claim_settled' ELSE 'claim_disputed' END,
       least(c.at + interval '9 days', %(now)s), l.customer_id, l.id
FROM claim l JOIN contacted c USING (customer_id) WHERE l.status IN ('settled', 'disputed');
INSERT INTO reorder (merchant_id, customer_id, order_number, ordered_on, currency, created_at)
SELECT %(merchant)s, customer_id, 'B-' || customer_id, (at + interval '30 days')::date, 'EUR', at
FROM contacted WHERE customer_id %% 3 = 0;
"""


def add_histories(port: int, password: str, merchant: int, customers: int, messages: int) -> int:
    """What happened in a year; the number of messages."""
    admin = f"postgresql://{embedded.ADMIN}:{password}@127.0.0.1:{port}/{embedded.DATABASE}"
    each = max(1, round((messages / customers - 0.5) * 2) - 1)
    with psycopg.connect(admin) as connection, psycopg.ClientCursor(connection) as cursor:
        cursor.execute("SET session_replication_role = replica")  # postings may be moved in time
        cursor.execute(HISTORIES, {"merchant": merchant, "each": each, "now": NOW})
        connection.commit()
        connection.autocommit = True
        cursor.execute("VACUUM ANALYZE")
        counted = cursor.execute("SELECT count(*) FROM message").fetchone()
        assert counted is not None
        return int(counted[0])


def pages() -> dict[str, list[str]]:
    """Each kind of page with the addresses that are asked for in turn."""
    year = {"period": "own", "from": TODAY - timedelta(days=YEAR_DAYS - 1), "until": TODAY}
    periods: dict[str, dict[str, Any]] = {
        **{name: {"period": name} for name in ("today", "7", "30", "90")},
        "a year": year,
    }
    found = {
        f"overview, {name}": [f"/console?{urlencode(period)}"] for name, period in periods.items()
    }
    found["overview, 90, segments"] = [
        f"/console?period=90&channel={channel}&band={band}"
        for channel in ("", "sms", "whatsapp")
        for band in ("small", "middle", "large")
    ]
    for event in Happened:
        for days in (30, 365):
            first = TODAY - timedelta(days=days - 1)
            at = f"/console/claims?event={event}&from={first}&until={TODAY}"
            found[f"claims {event}, {days}"] = [at, f"{at}&band=large", f"{at}&channel=sms"]
    for figure in (*STAGES, *TALKED):
        for days in (30, 365):
            first = TODAY - timedelta(days=days - 1)
            at = f"/console/conversations?figure={figure}&since={first}&until={TODAY}"
            middle = (NOW - timedelta(days=days // 2)).timestamp()
            deep = f"{at}&before={int(middle)}000000_1"
            found[f"talks {figure}, {days}"] = [
                *(at, f"{at}&channel=sms", f"{at}&band=large&channel=telegram", deep)
            ]
    return found


async def gather(held: Database, merchant: int) -> None:
    """Gather the figures as the job does, first for the whole time, then for the recent days."""
    for name in ("the whole time", "the recent days"):
        begun = time.perf_counter()
        async with held.merchant(merchant) as session:
            await overview.refresh(session, await session.get_one(Merchant, merchant), NOW)
        print(f"figures of {name} gathered in {time.perf_counter() - begun:.1f} s")


def settle(urls: DatabaseUrls) -> None:
    """Do what autovacuum does within a minute of a first gathering: count what came to be there."""
    with psycopg.connect(libpq_dsn(urls.owner), autocommit=True) as connection:
        connection.execute("ANALYZE overview_case, overview_claim, overview_figure")


async def _run(urls: DatabaseUrls, claims: int, messages: int) -> bool:
    port, password = urls.owner.port, str(urls.owner.password)
    assert port is not None
    begun = time.monotonic()
    merchant = console.fill(urls, (port, password), claims, console_talks.IN_A_TALK)
    counted = add_histories(port, password, merchant, claims * 4 // 5, messages)
    print(f"{claims} claims, {counted} messages seeded in {time.monotonic() - begun:.0f} s")
    held = Database(urls, pool_size=2)
    try:
        await gather(held, merchant)
        settle(urls)
        return await console.measure(held, merchant, pages())
    finally:
        await held.close()


def main() -> None:
    """Start PostgreSQL, fill it, measure, stop it; 1 where a page takes too much."""
    claims = int(sys.argv[1]) if len(sys.argv) > 1 else console.CLAIMS
    messages = int(sys.argv[2]) if len(sys.argv) > 2 else MESSAGES
    with database() as (_, urls):
        good = asyncio.run(_run(urls, claims, messages))
    sys.exit(not good)


if __name__ == "__main__":
    main()
