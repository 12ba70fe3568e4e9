"""What must hold after any storm, read straight from the database and from the stand-in."""

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from api.demo.quiet import open_work
from api.demo.standin import Accepted
from ledger import book
from storage.engine import Database

AGREED = ("plan_agreed", "payment_agreed")
SENT = ("sent", "delivered", "read")
"""States in which we are sure that the provider has the message."""


@dataclass
class Findings:
    """Figures for the table, and every broken promise in words."""

    figures: dict[str, int] = field(default_factory=dict)
    broken: list[str] = field(default_factory=list)

    def expect(self, holds: bool, what: str) -> None:
        """Note what does not hold."""
        if not holds:
            self.broken.append(what)


async def check(
    database: Database, accepted: Sequence[Accepted], written: Sequence[str]
) -> Findings:
    """Compare the database with the stand-in. `written` names every message that customers wrote
    and the service took, by the provider's id."""
    found = Findings()
    async with database.operator() as session:
        incoming = await _rows(
            session,
            "SELECT m.id, m.conversation_id, m.provider_message_id AS provider_id, m.sequence,"
            " m.handled_at, m.outcome, t.message_id AS turn FROM message m"
            " LEFT JOIN turn t ON t.message_id = m.id WHERE m.direction = 'in' ORDER BY m.id",
        )
        outgoing = await _rows(
            session,
            "SELECT m.id, m.conversation_id, m.provider_message_id AS provider_id, m.status,"
            " m.wording, m.text, m.in_reply_to, m.author, c.channel, c.address FROM message m"
            " JOIN conversation c ON c.id = m.conversation_id"
            " WHERE m.direction = 'out' ORDER BY m.id",
        )
        left = await open_work(session)
        _check_incoming(found, incoming, written)
        _check_order(found, incoming, outgoing)
        _check_sent(found, outgoing, accepted)
        found.expect(not any(left.values()), f"open work is left: {left}")
        await _check_agreements(found, session, outgoing)
        await _check_books(found, session)
    return found


async def _rows(session: AsyncSession, query: str) -> list[dict[str, Any]]:
    return [dict(row) for row in (await session.execute(text(query))).mappings()]


def _check_incoming(
    found: Findings, incoming: list[dict[str, Any]], written: Sequence[str]
) -> None:
    kept = Counter(row["provider_id"] for row in incoming)
    found.figures["messages written"] = len(set(written))
    found.figures["messages kept"] = len(incoming)
    found.figures["turns"] = sum(row["turn"] is not None for row in incoming)
    lost = set(written) - set(kept)
    found.expect(not lost, f"{len(lost)} accepted messages are lost")
    twice = [key for key, count in kept.items() if count > 1]
    found.expect(not twice, f"{len(twice)} messages are kept twice")
    unhandled = [row["id"] for row in incoming if row["handled_at"] is None]
    found.expect(not unhandled, f"messages not handled: {unhandled[:5]}")
    for row in incoming:
        has_turn = row["turn"] is not None
        by_engine = row["outcome"] in ("answered", "silent")
        found.expect(
            has_turn == by_engine, f"message {row['id']} is {row['outcome']}, turn: {has_turn}"
        )
    given_up = sum(row["outcome"] == "bot_failed" for row in incoming)
    found.figures["given to a person"] = given_up
    found.expect(not given_up, f"{given_up} messages were given up")


def _check_order(
    found: Findings, incoming: list[dict[str, Any]], outgoing: list[dict[str, Any]]
) -> None:
    """Replies come in the order in which messages were accepted, but for a Telegram update that
    overtook an earlier one on the way."""
    by_id = {row["id"]: row for row in incoming}
    last: dict[int, dict[str, Any]] = {}
    for reply in outgoing:
        message = by_id.get(reply["in_reply_to"])
        if message is None:
            continue
        before = last.get(reply["conversation_id"])
        if before is not None and before["id"] > message["id"]:
            found.expect(
                message["sequence"] is not None and message["sequence"] > before["sequence"],
                f"conversation {reply['conversation_id']}: {message['id']} was answered after "
                f"{before['id']}",
            )
        last[reply["conversation_id"]] = message


def _check_sent(
    found: Findings, outgoing: list[dict[str, Any]], accepted: Sequence[Accepted]
) -> None:
    by_outbox = {message.outbox_id: message for message in accepted if message.outbox_id}
    by_provider = {message.provider_message_id: message for message in accepted}
    counted = Counter(message.outbox_id for message in accepted if message.outbox_id)
    twice = [outbox for outbox, count in counted.items() if count > 1]
    found.expect(not twice, f"sent more than once: {twice[:5]}")
    unknown: dict[str, list[str]] = defaultdict(list)
    place: dict[int, int] = {}
    seen: set[int] = set()
    for row in outgoing:
        message = by_outbox.get(row["id"]) or by_provider.get(row["provider_id"])
        if row["status"] in SENT:
            found.expect(message is not None, f"{row['id']} is {row['status']} but never came")
        elif row["status"] == "unknown":
            if message is None:
                unknown[row["address"]].append(row["text"])
        else:
            found.expect(message is None, f"{row['id']} is {row['status']} but was sent")
        if message is None:
            continue
        seen.add(message.number)
        before = place.get(row["conversation_id"], 0)
        found.expect(message.number > before, f"{row['id']} came before an earlier reply")
        place[row["conversation_id"]] = message.number
    for message in accepted:
        if message.number in seen:
            continue
        candidates = unknown[message.to]
        if message.text in candidates:
            candidates.remove(message.text)
            continue
        found.broken.append(f"the provider has {message.provider_message_id} that we never noted")
    figures = Counter(row["status"] for row in outgoing)
    found.figures["replies queued"] = len(outgoing)
    found.figures["replies at the provider"] = len(accepted)
    found.figures["unknown (not decidable)"] = figures["unknown"]
    for status in ("failed", "cancelled"):
        found.expect(not figures[status], f"{figures[status]} replies are {status}")


async def _check_agreements(
    found: Findings, session: AsyncSession, outgoing: list[dict[str, Any]]
) -> None:
    told = Counter(row["conversation_id"] for row in outgoing if row["wording"] in AGREED)
    agreements = await _rows(
        session,
        "SELECT a.id, a.conversation_id, a.claim_id, a.total_minor, a.idempotency_key,"
        " (SELECT coalesce(sum(amount_minor), 0) FROM instalment i WHERE i.agreement_id = a.id)"
        " AS planned FROM agreement a",
    )
    posted = Counter(row["conversation_id"] for row in agreements)
    found.figures["agreements"] = len(agreements)
    found.expect(
        told == posted, f"agreements told and posted differ: {told - posted or posted - told}"
    )
    claims = Counter(row["claim_id"] for row in agreements)
    found.expect(max(claims.values(), default=0) <= 1, "a claim has two agreements")
    for row in agreements:
        found.expect(row["planned"] == row["total_minor"], f"agreement {row['id']} does not add up")


async def _check_books(found: Findings, session: AsyncSession) -> None:
    claims = await _rows(session, "SELECT id FROM claim ORDER BY id")
    for row in claims:
        statement = await book.statement(session, row["id"])
        found.expect(statement.intact, f"claim {row['id']}: the hash chain is broken")
        found.expect(len(statement.lines) == 1, f"claim {row['id']}: postings nobody asked for")
    found.figures["claims, chains verified"] = len(claims)
