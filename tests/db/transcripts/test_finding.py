"""Conversations are found by words and by what is known of them."""

from collections.abc import Sequence
from datetime import timedelta
from importlib import import_module
from typing import Any

import pytest

from api.word_care import list_all
from conversation import finding
from conversation.finding import Found, Place, Question, find
from storage.engine import Database
from storage.tables import Agreement, AuditEvent, Claim, Conversation, Customer, Merchant, Message
from tests.conftest import NOW, PostgresServer
from tests.db.transcripts.conftest import Talks


async def ask(talks: Talks, text: str = "", *marks: str, **more: Any) -> Found:
    limit = more.pop("limit", 50)
    before = more.pop("before", None)
    async with talks.database.merchant(talks.merchant.id) as session:
        question = Question(text, marks, **more)
        return await find(session, talks.merchant.id, question, before=before, limit=limit)


def ids(found: Found) -> Sequence[int]:
    return [row.id for row in found.rows]


@pytest.mark.parametrize(
    "typed",
    [
        *("Häuser", "haeuser", "hauser", "HAUS", "haus"),
        *("zahlung", "Zahlungen", "Paying", "pay"),
        *("Straße", "strasse", "nicht", "2026-0042"),
        *("haus zahlungen", '"die haeuser sind"', "„Die Häuser“ strasse"),
    ],
)
async def test_a_word_is_found_in_any_of_its_forms(talks: Talks, typed: str) -> None:
    wanted = await talks.add(
        "Die Häuser sind verkauft, die Zahlung ist raus.",
        "I am paying it. Nicht in der Hauptstraße, in der Straße! RE-2026-0042",
    )
    await talks.add("Guten Morgen, etwas anderes")
    assert ids(await ask(talks, typed)) == [wanted]


@pytest.mark.parametrize("typed", ['"sind Häuser"', "Häuser Garten", "2026-0043", "!?", "Gar"])
async def test_what_was_not_said_is_not_found(talks: Talks, typed: str) -> None:
    await talks.add("Die Häuser sind verkauft.", "RE-2026-0042")
    await talks.add("Im Garten")
    found = await ask(talks, typed)
    assert (ids(found), found.further) == ([], None)


async def test_the_newest_hit_comes_with_each_conversation(talks: Talks) -> None:
    talk = await talks.add("Raten bitte", "in Raten", "danke")
    (row,) = (await ask(talks, "rate danke")).rows
    assert row.hit is not None
    assert row.hit.text == "in Raten"
    (row,) = (await ask(talks, '"Raten bitte"')).rows
    assert row.hit is not None
    assert row.hit.text == "Raten bitte"
    assert row.id == talk


async def test_another_merchant_finds_nothing(
    talks: Talks, other: Merchant, database: Database
) -> None:
    await talks.add("Häuser")
    theirs = Talks(database, other)
    own = await theirs.add("Häuser und Gärten")
    assert ids(await ask(theirs, "häuser")) == [own]
    # Behind the question stands row-level security: asked in the other's name, nothing is there.
    async with database.merchant(other.id) as session:
        for question in (Question("häuser"), Question(marks=("channel:sms",)), Question()):
            assert (await find(session, talks.merchant.id, question)).rows == []


async def test_marks_say_what_was_understood_done_and_written(
    talks: Talks, database: Database, anna: Customer
) -> None:
    talk = await talks.add(customer_id=anna.id)
    await talks.say(talk, "äh", understanding={"intent": "out_of_scope", "confidence": 0.31})
    await talks.say(talk, "Raten?", understanding={"intent": "ask_claim", "confidence": 0.93})
    await talks.say(talk, "So?", author="bot", wording="plan_offer", variant="short")
    await talks.say(talk, "Ich schaue.", author="agent", args={"agent": "Lea"})
    of: dict[str, Any] = {"merchant_id": talks.merchant.id}
    async with database.operator() as session:
        claim = Claim(
            customer_id=anna.id, reference="R", invoice_number="R", description="x", currency="EUR",
            rf_reference="RF18R", invoice_date=NOW.date(), due_date=NOW.date(), confirmed_at=NOW,
            created_at=NOW, updated_at=NOW, **of,
        )  # fmt: skip
        session.add(claim)
        await session.flush()
        session.add_all(
            [
                AuditEvent(kind="handoff_requested", at=NOW, conversation_id=talk, **of),
                AuditEvent(kind="claim_disputed", at=NOW, customer_id=anna.id, **of),
                AuditEvent(kind="opted_out", at=NOW, conversation_id=talk, **of),
                Agreement(
                    claim_id=claim.id, conversation_id=talk, kind="deferral", total_minor=1,
                    currency="EUR", agreed_at=NOW, idempotency_key="x", input_hash="x", **of,
                ),
            ]
        )  # fmt: skip
        (await session.get_one(Conversation, talk)).state = "waiting"
    await talks.add("anderes")
    fitting = (
        *("with:unsure", "with:not_understood", "with:handoff", "with:dispute", "with:opt_out"),
        *("intent:out_of_scope", "intent:ask_claim", "outcome:deferral", "channel:sms"),
        *("state:waiting", "wording:plan_offer", "variant:plan_offer:short", "agent:Lea"),
    )
    for mark in fitting:
        found = await ask(talks, "", mark)
        assert talk in ids(found), mark
        assert mark == "channel:sms" or len(found.rows) == 1
    assert ids(await ask(talks, "raten", *fitting)) == [talk]
    assert ids(await ask(talks, "", "state:bot", "with:handoff")) == []


async def test_a_period_keeps_to_what_was_written_last_in_it(talks: Talks) -> None:
    first, second, third = [await talks.add("eins") for _ in range(3)]
    between = {"since": NOW + timedelta(minutes=1), "until": NOW + timedelta(minutes=2)}
    assert ids(await ask(talks, "", **between)) == [second]
    assert ids(await ask(talks, "eins", **between)) == [second]
    assert ids(await ask(talks, until=NOW + timedelta(minutes=1))) == [first]
    assert ids(await ask(talks, since=NOW + timedelta(minutes=2))) == [third]


@pytest.mark.parametrize(("driven", "walked"), [(3000, 6000), (0, 6000), (0, 2), (3000, 2)])
@pytest.mark.parametrize("typed", ["", "eins", '"eins zwei"', "eins zwei"])
async def test_pages_show_each_conversation_once(
    talks: Talks, monkeypatch: pytest.MonkeyPatch, typed: str, driven: int, walked: int
) -> None:
    """Whether a condition is looked up, or the newest are looked through, a few at a time."""
    monkeypatch.setattr(finding, "DRIVEN_MAX", driven)
    monkeypatch.setattr(finding, "WALKED_MAX", walked)
    monkeypatch.setattr(finding, "PHRASED_AT_ONCE", 3)
    monkeypatch.setattr(finding, "PHRASED_MAX", 6)
    every = [await talks.add(*(["eins zwei"] if n % 3 else ["drei"])) for n in range(9)]
    wanted = [talk for n, talk in enumerate(every) if n % 3 or not typed][::-1]
    seen: list[int] = []
    before: Place | None = None
    for _ in range(20):
        found = await ask(talks, typed, before=before, limit=2)
        seen += ids(found)
        if found.further is None:
            break
        before = Place.read(str(found.further))
        assert before == found.further
    else:
        pytest.fail("it never ends")
    assert seen == wanted


async def test_words_that_go_are_found_no_more(talks: Talks, database: Database) -> None:
    talk = await talks.add("Häuser und Gärten", "nur Gärten")
    async with database.operator() as session:
        first = await session.get_one(Message, 1)
        first.text = "…"
    assert ids(await ask(talks, "häuser")) == []
    assert ids(await ask(talks, "gärten")) == [talk]


async def test_the_migration_lists_what_triggers_would_have(
    talks: Talks, database: Database, postgres_server: PostgresServer, anna: Customer
) -> None:
    talk = await talks.add("Häuser, Häuser", "im Garten", customer_id=anna.id)
    unsure = {"intent": "out_of_scope", "confidence": 0.2}
    await talks.say(talk, "äh", understanding=unsure)
    await talks.say(talk, "Ja.", author="bot", wording="plan_offer", variant="short")
    async with database.operator() as session:
        of: dict[str, Any] = {"at": NOW, "merchant_id": talks.merchant.id}
        session.add(AuditEvent(kind="claim_disputed", customer_id=anna.id, **of))
        session.add(AuditEvent(kind="handoff_requested", conversation_id=talk, **of))
    migration = import_module("storage.migrations.versions.0016_transcripts")
    rows = (
        "SELECT merchant_id, token, conversation_id FROM transcript_token ORDER BY 1, 2, 3",
        "SELECT conversation_id, merchant_id, message_id, at FROM transcript ORDER BY 1",
    )
    await list_all(database)
    with postgres_server.connected(database.urls.owner.database) as connection:
        by_triggers = [connection.execute(one).fetchall() for one in rows]
        connection.execute("DELETE FROM transcript_token")
        connection.execute("DELETE FROM transcript")
        connection.execute(migration.LISTED_SO_FAR)
        connection.execute(migration.MARKED_SO_FAR)
        assert [connection.execute(one).fetchall() for one in rows] == by_triggers
    assert len(by_triggers[0]) > 10
