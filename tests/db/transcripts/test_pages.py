"""The console finds, shows, judges, corrects and exports conversations."""

import csv
import io
import json
import re
from collections.abc import AsyncIterator
from datetime import date, timedelta
from typing import Any

import httpx
import pytest
import yaml
from sqlalchemy import select

from api.people.roles import Role
from conversation.transcript import MESSAGES_MAX
from storage.engine import Database
from storage.tables import (
    AuditEvent,
    ContactAttempt,
    ContactPoint,
    Correction,
    Customer,
    Merchant,
    TranscriptComment,
)
from tests.conftest import NOW
from tests.db.console_browser import Console, console_of, hidden, words
from tests.db.transcripts.conftest import Talks

PHONE = "+4915112345678"
LIST = "/console/conversations"


@pytest.fixture
async def console(database: Database) -> AsyncIterator[Console]:
    async with console_of(database) as opened:
        yield opened


@pytest.fixture
async def talk(talks: Talks, database: Database, anna: Customer) -> int:
    """Anna asks for a lesser rate and is not understood."""
    async with database.operator() as session:
        held = await session.get_one(Customer, anna.id)
        held.birth_date = date(1985, 3, 7)
        session.add(
            ContactPoint(
                customer_id=anna.id, channel="sms", address=PHONE, source="merchant_import",
                created_at=NOW, merchant_id=anna.merchant_id,
            )
        )  # fmt: skip
    talk = await talks.add(customer_id=anna.id)
    asked = {
        "intent": "out_of_scope", "confidence": 0.412, "language": "de",
        "ranking": [{"name": "out_of_scope", "confidence": 0.412},
                    {"name": "request_instalments", "confidence": 0.33},
                    {"name": "propose_amount", "confidence": 0.1}],
    }  # fmt: skip
    text = "Anna Beispiel hier: geht die Miete von meinem Ratenplan runter auf 20 Euro?"
    await talks.say(talk, text, understanding=asked)
    await talks.say(
        talk, "Das habe ich nicht verstanden.", author="bot", wording="not_understood",
        variant="standard", tone="warm", status="read",
    )  # fmt: skip
    return talk


async def noted(database: Database, kind: str) -> list[AuditEvent]:
    async with database.operator() as session:
        return list(await session.scalars(select(AuditEvent).where(AuditEvent.kind == kind)))


async def test_a_hit_is_covered_and_marked_and_leads_to_its_message(
    console: Console, merchant: Merchant, talk: int
) -> None:
    await console.sign_in(merchant)
    page = await console.get(f"{LIST}?q=miete Anna")
    assert "Anna" not in page.text.replace('value="miete Anna"', "").replace("q=miete+Anna", "")
    assert "[Name] hier" in page.text
    found = await console.get(f"{LIST}?q=ratenplan mieten")
    assert "<mark>Ratenplan</mark> runter" in found.text
    assert "die <mark>Miete</mark> von" in found.text
    link = re.search(r'href="(/console/conversations/\d+\?[^"]+)#m1"', found.text)
    assert link is not None
    read = await console.get(link[1].replace("&amp;", "&"))
    assert "<mark>Ratenplan</mark>" in read.text
    assert 'id="m1"' in read.text


@pytest.mark.parametrize(
    ("query", "rows"),
    [
        *(("with=unsure", 1), ("with=unsure&with=not_understood", 1), ("with=handoff", 0)),
        *(("intent=out_of_scope&channel=sms", 1), ("wording=not_understood&variant=standard", 1)),
        *(("wording=not_understood&variant=short", 0), ("since=2026-11-23&until=2026-11-23", 1)),
        *(("until=2026-11-22", 0), ("with=invented&intent=invented&since=never", 1)),
        *(("q=%22ratenplan+runter%22&with=unsure", 1), ("rating=5", 0)),
    ],
)
async def test_filters_combine(
    console: Console, merchant: Merchant, talk: int, query: str, rows: int
) -> None:
    await console.sign_in(merchant)
    page = await console.get(f"{LIST}?{query}")
    assert page.text.count('<th scope="row">') == rows


async def test_the_turn_says_why_it_was_sent_and_in_which_words(
    console: Console, database: Database, merchant: Merchant, talk: int, anna: Customer
) -> None:
    async with database.operator() as session:
        point = await session.scalar(select(ContactPoint.id))
        assert point is not None
        session.add(
            ContactAttempt(
                customer_id=anna.id, contact_point_id=point, message_id=2, cycle=1,
                step="first_contact", at=NOW, merchant_id=merchant.id,
                reason="no_contact_yet; preferred_by_customer; not sms: no_account",
            )
        )  # fmt: skip
    await console.sign_in(merchant)
    said = words(await console.get(f"{LIST}/{talk}"))
    assert "Geschrieben, weil noch kein Kontakt bestand; auf dem gewünschten Kanal" in said
    assert "Text not_understood standard freundlich" in said
    message = words(await console.get(f"{LIST}/{talk}/messages/1"))
    assert "out_of_scope 41 % request_instalments 33 % propose_amount 10 %" in message


async def test_rating_and_flag_are_found_and_taken_back(
    console: Console, database: Database, merchant: Merchant, talk: int
) -> None:
    await console.sign_in(merchant, role=Role.REVIEWER)
    for _ in range(2):  # a doubled form
        answer = await console.post(f"{LIST}/{talk}/rating", rating="2")
        assert answer.status_code == 303
        await console.post(f"{LIST}/{talk}/flag", on="yes")
    await console.post(f"{LIST}/{talk}/rating", rating="9; DROP")
    await console.post(f"{LIST}/{talk}/rating", rating="4")
    for query, there in (("rating=4&with=flagged", 1), ("rating=2", 0)):
        page = await console.get(f"{LIST}?{query}")
        assert page.text.count('<th scope="row">') == there
    assert "4 – gut" in words(await console.get(f"{LIST}/{talk}"))
    await console.post(f"{LIST}/{talk}/flag", on="no")
    assert (await console.get(f"{LIST}?with=flagged")).text.count('<th scope="row">') == 0
    rated = await noted(database, "transcript_rated")
    assert [one.facts["rating"] for one in rated] == [2, None, 4]
    assert len(await noted(database, "transcript_flagged")) == 1


async def test_remarks_stand_beside_their_message_once(
    console: Console, database: Database, merchant: Merchant, talk: int
) -> None:
    await console.sign_in(merchant, role=Role.REVIEWER)
    path = f"{LIST}/{talk}/messages/1"
    key = hidden(await console.get(path), "key")
    for _ in range(2):
        await console.post(f"{path}/comment", text="Frau Beispiel meint <Raten>", key=key)
    empty = await console.post(f"{path}/comment", text=" ")
    assert empty.status_code == 422
    page = await console.get(f"{LIST}/{talk}")
    assert page.text.count("Frau [Name] meint &lt;Raten&gt;") == 1
    async with database.operator() as session:
        assert len(list(await session.scalars(select(TranscriptComment)))) == 1
    assert len(await noted(database, "transcript_commented")) == 1


async def test_what_no_database_keeps_is_left_out_and_cards_are_masked(
    console: Console, database: Database, merchant: Merchant, talk: int
) -> None:
    await console.sign_in(merchant, role=Role.REVIEWER)
    path = f"{LIST}/{talk}/messages/1"
    text = "Nennt\x00 die Karte 4111 1111 1111 1111"
    assert (await console.post(f"{path}/comment", text=text, key="\x001")).status_code == 303
    async with database.operator() as session:
        (kept,) = await session.scalars(select(TranscriptComment.text))
    assert kept.startswith("Nennt die Karte")
    assert "1111 1111 1111" not in kept
    assert (await console.get(f"{LIST}?q=miete%00&wording=a%00")).status_code == 200
    assert (await console.get(f"{LIST}/{talk}?q=miete%00")).status_code == 200
    assert (await propose(console, talk, text="Rate\x00 auf 20 Euro?")).status_code == 303
    assert (await console.post("/console/views", name="A\x00", q="x\x00")).status_code == 303


async def propose(console: Console, talk: int, **given: str) -> httpx.Response:
    wanted = {"intent": "request_instalments", "text": "Anna fragt: Rate auf 20 Euro?", **given}
    return await console.post(f"{LIST}/{talk}/messages/1/correction", **wanted)


async def test_a_correction_is_proposed_by_one_decided_by_another_and_exported(
    console: Console, database: Database, merchant: Merchant, talk: int
) -> None:
    await console.sign_in(merchant, operator="rita", role=Role.REVIEWER)
    form = await console.get(f"{LIST}/{talk}/messages/1")
    assert "[NAME] hier: geht die Miete" in form.text
    answer = await propose(console, talk, entity="amount", words="20 Euro")
    assert answer.status_code == 303
    again = await propose(console, talk, intent="affirm")
    assert (again.status_code, "schon einen Vorschlag" in again.text) == (422, True)
    own = await console.post("/console/corrections/1/accept")
    assert own.status_code == 409, "nobody decides about what they proposed"
    assert "Annehmen" not in (await console.get("/console/corrections")).text
    refused = await console.post("/console/corrections/export")
    assert refused.status_code == 403
    console.forget()
    await console.sign_in(merchant, operator="rolf", role=Role.REVIEWER)
    listed = words(await console.get("/console/corrections"))
    assert "[NAME] fragt: Rate auf 20 Euro? verstanden out_of_scope" in listed
    for _ in range(2):
        decided = await console.post("/console/corrections/1/accept")
        assert decided.status_code == 303
    assert (await console.post("/console/corrections/1/reject")).status_code == 409
    console.forget()
    await console.sign_in(merchant)
    file = await console.post("/console/corrections/export")
    assert file.headers["content-disposition"].endswith('.yml"')
    assert yaml.safe_load(file.text)["nlu"] == [
        {
            "intent": "request_instalments",
            "metadata": {"language": "de"},
            "examples": "- Kim Muster fragt: Rate auf [20 Euro](amount)?\n",
        }
    ]
    for kind in ("proposed", "accepted"):
        assert len(await noted(database, f"correction_{kind}")) == 1
    assert len(await noted(database, "corrections_exported")) == 1


async def test_an_owner_alone_decides_about_their_own(
    console: Console, database: Database, merchant: Merchant, talk: int
) -> None:
    await console.sign_in(merchant)
    await propose(console, talk)
    assert (await console.post("/console/corrections/1/reject")).status_code == 303
    assert (await propose(console, talk)).status_code == 303, "there is room for a better one"


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"intent": "invented"}, "Wählen Sie eine Absicht"),
        ({"text": " [NAME] 12 "}, "mindestens ein Wort"),
        ({"entity": "amount", "words": "30 Euro"}, "genau so im Satz"),
        ({"entity": "phone", "words": "Rate"}, "genau so im Satz"),
        ({"entity": "amount", "words": "Anna"}, "genau so im Satz"),
        ({"words": "20 Euro"}, "genau so im Satz"),
        ({"entity": "amount", "words": "NAME"}, "genau so im Satz"),
    ],
)
async def test_a_correction_that_cannot_be_learned_from_is_refused(
    console: Console, database: Database, merchant: Merchant, talk: int, given: Any, said: str
) -> None:
    await console.sign_in(merchant)
    answer = await propose(console, talk, **given)
    assert (answer.status_code, said in answer.text) == (422, True)
    async with database.operator() as session:
        assert list(await session.scalars(select(Correction))) == []


async def test_choices_are_kept_for_oneself_or_for_all(
    console: Console, merchant: Merchant, talk: int
) -> None:
    await console.sign_in(merchant, operator="rita", role=Role.REVIEWER)
    for shared in ("", "yes"):
        saved = await console.post(
            "/console/views",
            name=f"Unsicher {shared}",
            shared=shared,
            q="raten",
            **{"with": "unsure"},
        )
        assert saved.headers["location"] == f"{LIST}?q=raten&with=unsure&done=saved"
    mine = await console.get(LIST)
    assert mine.text.count('href="?q=raten&amp;with=unsure"') == 2
    console.forget()
    await console.sign_in(merchant, operator="anton", role=Role.ANALYST)
    others = await console.get(LIST)
    assert others.text.count('href="?q=raten&amp;with=unsure"') == 1
    assert (await console.post("/console/views/2/delete")).status_code == 404, "not theirs"
    await console.post("/console/views", name="Alles", shared="yes")
    console.forget()
    await console.sign_in(merchant, operator="rita", role=Role.REVIEWER)
    assert "Alles" not in (await console.get(LIST)).text, "an analyst keeps for oneself only"
    assert (await console.post("/console/views/2/delete")).status_code == 303
    assert (await console.get(LIST)).text.count("with=unsure&quot;") == 0


def table(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text.removeprefix("\ufeff"))))


async def test_the_chosen_conversations_leave_as_files_covered(
    console: Console, database: Database, merchant: Merchant, talks: Talks, talk: int
) -> None:
    await talks.say(talk, '=HYPERLINK("http://x"), sagt Anna')
    await talks.add("etwas anderes")
    await console.sign_in(merchant, role=Role.SUPERVISOR)
    answer = await console.post(f"{LIST}/export", kind="csv", q="ratenplan")
    assert answer.headers["content-type"].startswith("text/csv")
    rows = table(answer.text)
    assert [row["message"] for row in rows] == ["1", "2", "3"]
    assert rows[0]["text"].startswith("[Name] hier: geht die Miete")
    assert rows[0]["intent"] == "out_of_scope"
    assert rows[2]["text"] == '\'=HYPERLINK("http://x"), sagt [Name]'
    assert "Beispiel" not in answer.text
    lines = await console.post(f"{LIST}/export", kind="jsonl", q="ratenplan", uncovered="yes")
    first = json.loads(lines.text.splitlines()[0])
    assert first["text"].startswith("Anna Beispiel hier")
    exported = await noted(database, "transcripts_exported")
    assert [(one.facts["file"], one.facts["uncovered"]) for one in exported] == [
        ("csv", False), ("jsonl", True),
    ]  # fmt: skip
    assert all(one.person == "m.koch" for one in exported)
    every = await console.post(f"{LIST}/export", kind="csv")
    assert len(table(every.text)) == 4


@pytest.mark.parametrize("role", [Role.AGENT, Role.REVIEWER, Role.ANALYST])
async def test_who_may_not_export_is_not_offered_it(
    console: Console, merchant: Merchant, talk: int, role: Role
) -> None:
    await console.sign_in(merchant, role=role)
    assert "herunterladen" not in (await console.get(LIST)).text
    assert (await console.post(f"{LIST}/export")).status_code == 403
    assert (await console.post(f"{LIST}/{talk}/pdf")).status_code == 403


async def test_many_conversations_leave_in_batches(
    console: Console, merchant: Merchant, talks: Talks
) -> None:
    every = [await talks.add("eins", "zwei") for _ in range(23)]
    await console.sign_in(merchant)
    rows = table((await console.post(f"{LIST}/export", kind="csv")).text)
    assert [int(row["conversation"]) for row in rows] == [
        one for talk in every[::-1] for one in (talk, talk)
    ]


async def test_one_conversation_leaves_as_a_tagged_pdf(
    console: Console, database: Database, merchant: Merchant, talk: int
) -> None:
    await console.sign_in(merchant)
    answer = await console.post(f"{LIST}/{talk}/pdf")
    assert answer.content.startswith(b"%PDF")
    assert b"pdfuaid" in answer.content
    assert b"/StructTreeRoot" in answer.content
    (one,) = await noted(database, "transcripts_exported")
    assert (one.conversation_id, one.facts["uncovered"]) == (talk, False)


async def test_a_long_conversation_shows_the_page_of_what_was_found(
    console: Console, merchant: Merchant, talks: Talks
) -> None:
    talk = await talks.add("Anfang")
    for n in range(1, 250):
        await talks.say(talk, f"Nummer {n}", at=NOW + timedelta(seconds=n))
    await console.sign_in(merchant)
    page = await console.get(f"{LIST}/{talk}?at=60")
    assert 'id="m60"' in page.text
    assert page.text.count('<li class="line') == MESSAGES_MAX
    start = await console.get(f"{LIST}?q=anfang")
    assert f"{LIST}/{talk}?q=anfang&amp;at=1#m1" in start.text
    assert 'id="m1"' in (await console.get(f"{LIST}/{talk}?at=1")).text
    newest = await console.get(f"{LIST}/{talk}?at=240")
    assert 'id="m250"' in newest.text


async def test_another_merchant_reaches_nothing_of_it(
    console: Console, database: Database, merchant: Merchant, other: Merchant, talk: int
) -> None:
    await console.sign_in(merchant)
    await propose(console, talk)
    console.forget()
    await console.sign_in(other)
    for path in ("rating", "flag", "pdf", "messages/1/comment", "messages/1/correction"):
        assert (await console.post(f"{LIST}/{talk}/{path}", text="x")).status_code == 404
    assert (await console.get(f"{LIST}/{talk}/messages/1")).status_code == 404
    assert (await console.post("/console/corrections/1/accept")).status_code == 404
    assert "Rate auf" not in (await console.get("/console/corrections")).text
    assert table((await console.post(f"{LIST}/export", kind="csv")).text) == []
    assert "Rate" not in (await console.post("/console/corrections/export")).text
