"""Files handed over at the console: read by the job, reported, refused with what helps."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import procrastinate
import pytest
from sqlalchemy import func, select, text

from api import care, upload_jobs, uploads
from api.queue import Worker, make_app, start_worker
from api.upload_jobs import take_upload
from api.uploads import QUEUE
from storage.engine import Database
from storage.tables import AuditEvent, BankMovement, Claim, IntakeBatch, Merchant, Upload
from tests.conftest import NOW
from tests.db.console_browser import Console, words

DATA = Path(__file__).parents[2] / "data" / "bank"
HEADER = "kundennummer;name;rechnungsnummer;beschreibung;rechnungsdatum;faellig_am;betrag\n"
GOOD = HEADER + "K-1;Beispiel;RE-1;Schuhe;01.09.2026;15.09.2026;89,90\n"
BAD = (
    HEADER
    + "K-1;Beispiel;RE-1;Schuhe;01.09.26;15.09.2026;89,90\n"
    + "K-2;;RE-2;Hut;01.09.2026;15.09.2026;viel\n"
)


@pytest.fixture
async def jobs(console: Console, database: Database) -> AsyncIterator[procrastinate.App]:
    """The queue behind the console, worked off when a test says so."""
    parts = console.parts
    app = make_app(parts, pool_size=2)  # type: ignore[arg-type]
    async with app.open_async():
        console.client._transport.app.state.jobs = app  # type: ignore[attr-defined]
        start_worker(Worker(parts, app))  # type: ignore[arg-type]
        yield app


async def work(app: procrastinate.App) -> None:
    await app.run_worker_async(queues=[QUEUE], wait=False, install_signal_handlers=False)


async def hand_over(
    console: Console,
    content: str | bytes,
    *,
    to: str = "rows",
    name: str = "export.csv",
    **more: str,
) -> httpx.Response:
    fields = {"csrf": await console.csrf(), **({"kind": "claims"} if to == "rows" else {}), **more}
    given = content.encode() if isinstance(content, str) else content
    return await console.client.post(
        f"/console/imports/{to}", data=fields, files={"file": (name, given)}
    )


async def claims(database: Database) -> int:
    async with database.operator() as session:
        return await session.scalar(select(func.count()).select_from(Claim)) or 0


async def test_a_file_is_kept_read_by_a_job_and_reported(
    console: Console, database: Database, jobs: procrastinate.App
) -> None:
    answer = await hand_over(console, GOOD, name="  August\n.csv ")
    assert answer.status_code == 303
    path = answer.headers["location"]
    waiting = await console.get(path)
    assert "wartet" in words(waiting)
    assert "data-progress" in waiting.text
    part = await console.get(f"{path}/progress")
    assert part.headers["x-finished"] == "no"
    assert "<main" not in part.text
    assert await claims(database) == 0
    await work(jobs)
    assert (await console.get(f"{path}/progress")).headers["x-finished"] == "yes"
    done = words(await console.get(path))
    assert "Die Datei ist vollständig übernommen" in done
    assert "neu 1" in done
    assert await claims(database) == 1
    async with database.operator() as session:
        (upload,) = (await session.scalars(select(Upload))).all()
        logged = await session.scalar(
            select(AuditEvent).where(AuditEvent.kind == "file_handed_over")
        )
    assert (upload.content, upload.person, upload.finished_at) == (None, "m.koch", NOW)
    assert logged is not None
    assert logged.facts == {"upload": upload.id, "what": "claims"}
    assert "August" in words(await console.get("/console/imports"))


async def test_a_file_with_mistakes_says_each_with_what_helps_and_nothing_is_taken(
    console: Console, database: Database, jobs: procrastinate.App
) -> None:
    path = (await hand_over(console, BAD)).headers["location"]
    await work(jobs)
    page = words(await console.get(path))
    assert "Nichts wurde übernommen" in page
    assert "Was nicht stimmt: 3" in page
    assert (
        "Zeile 2 invoice_date Das Jahr hat nur zwei Ziffern. Schreiben Sie es vierstellig." in page
    )
    assert "Zeile 3 name Hier fehlt etwas. Füllen Sie die Zelle aus." in page
    assert "Zeile 3 amount Das ist kein Betrag in EUR. Schreiben Sie 129,90." in page
    assert await claims(database) == 0
    english = words(await console.get(f"{path}?lang=en"))
    assert "The year has only two digits. Write it with four digits." in english
    again = await hand_over(console, BAD)
    assert again.status_code == 303, "what was not taken may come again"


async def test_the_same_file_twice_says_so_and_is_read_only_when_wanted(
    console: Console, database: Database, jobs: procrastinate.App
) -> None:
    first = await hand_over(console, GOOD)
    doubled = await hand_over(console, GOOD)
    assert first.headers["location"] == doubled.headers["location"]
    await work(jobs)
    refused = await hand_over(console, GOOD)
    assert refused.status_code == 422
    assert "Mo. 23.11.2026 11:00 schon übernommen" in words(refused)
    assert 'name="again"' in refused.text
    wanted = await hand_over(console, GOOD, again="yes")
    await work(jobs)
    assert "unverändert 1" in words(await console.get(wanted.headers["location"]))
    assert await claims(database) == 1


async def test_the_same_file_twice_at_the_same_moment_is_kept_once(
    console: Console, database: Database, merchant: Merchant, jobs: procrastinate.App
) -> None:
    given = uploads.Given("claims", "a.csv", GOOD.encode())

    async def once(seconds: float) -> int:
        async with database.merchant(merchant.id) as session:
            number = await uploads.hand_over(
                session, jobs, merchant.id, given, person="Lea", now=NOW
            )
            await asyncio.sleep(seconds)
        return number

    assert len(set(await asyncio.gather(once(1), once(1)))) == 1


async def test_what_differs_is_shown_and_taken_over_only_when_wanted(
    console: Console, database: Database, jobs: procrastinate.App
) -> None:
    await hand_over(console, GOOD)
    await work(jobs)
    later = GOOD.replace("15.09.2026", "30.09.2026")
    shown = (await hand_over(console, later)).headers["location"]
    await work(jobs)
    page = words(await console.get(shown))
    assert "RE-1 due_date 2026-09-15 2026-09-30" in page
    assert "nicht übernommen" in page
    path = (await hand_over(console, later, again="yes", apply_changes="yes")).headers["location"]
    await work(jobs)
    assert "Das wurde übernommen" in words(await console.get(path))
    async with database.operator() as session:
        assert str(await session.scalar(select(Claim.due_date))) == "2026-09-30"


async def test_a_bank_statement_leads_to_what_waits(
    console: Console, database: Database, merchant: Merchant, jobs: procrastinate.App
) -> None:
    statement = (DATA / "camt.053.001.04.xml").read_bytes()
    async with database.operator() as session:
        held = await session.get_one(Merchant, merchant.id)
        own, held.iban = held.iban, "DE89370400440532013000"
    path = (await hand_over(console, statement, to="statements", name="a.xml")).headers["location"]
    await work(jobs)
    assert "gehört nicht zu Ihrem Konto" in words(await console.get(path))
    async with database.operator() as session:
        (await session.get_one(Merchant, merchant.id)).iban = own
    path = (await hand_over(console, statement, to="statements", name="a.xml")).headers["location"]
    await work(jobs)
    page = await console.get(path)
    assert "Die Datei ist vollständig übernommen" in words(page)
    assert "/console/bank" in page.text
    async with database.operator() as session:
        count = await session.scalar(select(func.count()).select_from(BankMovement))
    assert f"Umsätze {count}" in words(page)


async def test_how_far_a_file_is_can_be_seen_while_it_is_read(
    console: Console, merchant: Merchant, jobs: procrastinate.App
) -> None:
    path = (await hand_over(console, GOOD)).headers["location"]
    told = upload_jobs.Told(rows_total=900, rows_done=0)
    number = int(path.rpartition("/")[2])
    async with upload_jobs.shown(console.parts, merchant.id, number, told):  # type: ignore[arg-type]
        told.progress(450)
        for _ in range(100):
            part = (await console.get(f"{path}/progress")).text
            if "450 von 900" in part:
                break
            await asyncio.sleep(0.1)
    assert "Zeilen werden geprüft" in part
    assert 'max="900" value="450"' in part


async def test_a_job_that_runs_again_does_nothing_twice(
    console: Console, database: Database, merchant: Merchant, jobs: procrastinate.App
) -> None:
    path = (await hand_over(console, GOOD)).headers["location"]
    await work(jobs)
    await take_upload(merchant.id, int(path.rpartition("/")[2]))
    async with database.operator() as session:
        assert len((await session.scalars(select(IntakeBatch))).all()) == 1


@pytest.mark.filterwarnings("ignore:.*nb_seconds.*:DeprecationWarning")
async def test_a_large_file_is_not_taken_over_from_a_worker_that_lives(
    console: Console, database: Database, jobs: procrastinate.App
) -> None:
    await hand_over(console, GOOD)
    manager = jobs.job_manager
    worker = await manager.register_worker()
    job = await manager.fetch_job(queues=[QUEUE], worker_id=worker)
    assert job is not None
    for minutes, status in ((10, "doing"), (120, "todo")):
        async with database.operator() as session:
            await session.execute(
                text("UPDATE procrastinate_events SET at = now() - make_interval(mins => :n)"),
                {"n": minutes},
            )
        await care.care(0)
        async with database.operator() as session:
            found = await session.scalar(text("SELECT status FROM procrastinate_jobs"))
        assert found == status


async def test_what_is_no_file_or_too_much_is_refused_beside_the_field(
    console: Console, jobs: procrastinate.App, monkeypatch: pytest.MonkeyPatch
) -> None:
    none = await console.post("/console/imports/rows", kind="claims")
    assert none.status_code == 422
    assert "wählen Sie eine Datei" in words(none)
    kind = await hand_over(console, GOOD, kind="users")
    assert kind.status_code == 422
    assert "was in der Datei steht" in words(kind)
    empty = await hand_over(console, "")
    assert empty.status_code == 422
    assert "leer" in words(empty)
    monkeypatch.setattr("api.uploads.BYTES_MAX", 100)
    large = await hand_over(console, GOOD)
    assert large.status_code == 422
    assert "zu groß" in words(large)


async def test_more_than_a_form_holds_is_not_read_to_its_end(
    console: Console, jobs: procrastinate.App, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("api.pages.console.settings.imports.FileRoute.bytes_max", 1000)
    answer = await hand_over(console, "x" * 5000)
    assert answer.status_code == 413
    assert "zu groß" in words(answer)
