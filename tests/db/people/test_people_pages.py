"""Inviting people, passwords by link, changing and keeping out, and the log that tells of it."""

import asyncio
import re
from collections.abc import AsyncIterator
from datetime import timedelta
from email import message_from_string

import pytest
from pydantic import SecretStr
from sqlalchemy import select, text
from sqlalchemy.exc import DBAPIError

from api.demo.people import PEOPLE, add_people
from api.people.links import INVITATION_DAYS
from api.people.roles import ROLES_OF_MERCHANT, Role
from storage.engine import Database
from storage.tables import AuditEvent, Merchant, Person
from tests.conftest import NOW
from tests.db.console_browser import PASSWORD, Console, words

OLGA = "olga@lindenhof.example"
BEN = "ben@lindenhof.example"


@pytest.fixture
async def letters() -> AsyncIterator[tuple[int, list[str]]]:
    """A mail server on a port, and what it was given."""
    taken: list[str] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"220 ready\r\n")
        while line := (await reader.readline()).decode().strip().upper():
            if line == "DATA":
                writer.write(b"354 go on\r\n")
                lines = []
                while (more := (await reader.readline()).decode()) != ".\r\n":
                    lines.append(more)
                taken.append("".join(lines))
            writer.write(b"221 bye\r\n" if line == "QUIT" else b"250 ok\r\n")
            await writer.drain()
            if line == "QUIT":
                break
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with server:
        yield server.sockets[0].getsockname()[1], taken


async def person(database: Database, email: str) -> Person:
    async with database.operator() as session:
        return (await session.scalars(select(Person).where(Person.email == email))).one()


async def invite(console: Console, email: str = BEN, role: str = "agent") -> str:
    """Invite somebody; the link that is shown."""
    shown = await console.post("/console/people", email=email, name="Ben Sommer", role=role)
    found = re.search(r"/console/password/[\w-]+", shown.text)
    assert found is not None, shown.text
    return found.group()


async def test_an_invitation_makes_an_account_with_a_password_of_its_own(
    console: Console, merchant: Merchant, database: Database
) -> None:
    await console.sign_in(merchant)
    link = await invite(console)
    assert "eingeladen" in words(await console.get("/console/people"))
    console.forget()
    page = await console.get(link)
    assert "Willkommen, Ben Sommer" in words(page)
    weak = await console.post(link, password="zu kurz")
    assert weak.status_code == 422
    assert "mindestens 12 Zeichen" in words(weak)
    assert (await console.post(link, password=PASSWORD)).status_code == 303
    await console.set_up_second_factor()
    assert (await console.get("/console/conversations")).status_code == 200
    assert (await console.get("/console/people")).status_code == 403
    console.forget()
    assert (await console.post(link, password=PASSWORD)).status_code == 403, "it worked once"
    assert PASSWORD not in str((await person(database, BEN)).password)


async def test_an_old_or_replaced_invitation_is_nothing(
    console: Console, merchant: Merchant, database: Database
) -> None:
    await console.sign_in(merchant)
    first = await invite(console)
    ben = await person(database, BEN)
    second = await console.post(f"/console/people/{ben.id}/link")
    link = re.search(r"/console/password/[\w-]+", second.text)
    assert link is not None
    console.forget()
    assert (await console.get(first)).status_code == 403
    assert (await console.get(link.group())).status_code == 200
    console.parts.clock.moment += timedelta(days=INVITATION_DAYS)
    assert (await console.get(link.group())).status_code == 403


@pytest.mark.parametrize(
    ("email", "role"),
    [("", "agent"), ("ben@", "agent"), ("a b@c.de", "agent"), (OLGA, "agent"), (BEN, "operator")],
)
async def test_who_cannot_be_invited_is_not(
    console: Console, merchant: Merchant, database: Database, email: str, role: str
) -> None:
    await console.add(merchant, OLGA, Role.ANALYST)
    await console.sign_in(merchant)
    refused = await console.post("/console/people", email=email, name="Ben", role=role)
    assert refused.status_code == 422
    async with database.operator() as session:
        assert (await session.scalars(select(Person.email))).all() == [OLGA]


async def test_roles_change_people_are_kept_out_and_phones_get_lost(
    console: Console, merchant: Merchant, database: Database
) -> None:
    ben = await console.add(merchant, BEN, Role.AGENT)
    await console.by_password(BEN)
    await console.set_up_second_factor()
    bens = dict(console.client.cookies)
    console.forget()
    await console.sign_in(merchant)
    offered = (await console.get(f"/console/people/{ben.id}")).text
    for what in ("role", "link", "second-factor", "disable"):
        assert f'action="/console/people/{ben.id}/{what}"' in offered
    for role in ROLES_OF_MERCHANT:
        await console.post(f"/console/people/{ben.id}/role", role=role.value)
        assert (await person(database, BEN)).role == role
    await console.post(f"/console/people/{ben.id}/role", role="operator")
    assert (await person(database, BEN)).role == ROLES_OF_MERCHANT[-1]
    await console.post(f"/console/people/{ben.id}/second-factor")
    assert (await person(database, BEN)).second_factor is None
    await console.post(f"/console/people/{ben.id}/disable")
    owner = dict(console.client.cookies)
    console.forget()
    for name, value in bens.items():
        console.client.cookies.set(name, value, domain="kulanz.example", path="/console")
    assert (await console.get("/console/conversations")).status_code == 303
    console.forget()
    assert (await console.by_password(BEN)).status_code == 401
    console.forget()
    for name, value in owner.items():
        console.client.cookies.set(name, value, domain="kulanz.example", path="/console")
    await console.post(f"/console/people/{ben.id}/enable")
    console.forget()
    assert (await console.by_password(BEN)).status_code == 303


async def test_nobody_changes_themselves(
    console: Console, merchant: Merchant, database: Database
) -> None:
    olga = await console.add(merchant, OLGA, Role.OWNER)
    await console.by_password(OLGA)
    await console.set_up_second_factor()
    assert "Das sind Sie." in (await console.get(f"/console/people/{olga.id}")).text
    for what in ("role", "disable", "second-factor", "link"):
        answer = await console.post(f"/console/people/{olga.id}/{what}", role="analyst")
        assert answer.status_code == 404
    kept = await person(database, OLGA)
    assert (kept.role, kept.disabled_at) == ("owner", None)


async def test_where_mail_goes_out_the_link_is_sent_and_not_shown(
    console: Console, merchant: Merchant, letters: tuple[int, list[str]]
) -> None:
    port, taken = letters
    settings = console.parts.settings
    settings.smtp_url, settings.mail_from = (
        SecretStr(f"smtp://127.0.0.1:{port}"),
        "k@kulanz.example",
    )
    await console.sign_in(merchant)
    shown = await console.post("/console/people", email=BEN, name="Ben Sommer", role="agent")
    assert "/console/password/" not in shown.text
    assert BEN in shown.text
    letter = message_from_string(taken[0])
    assert letter["To"] == BEN
    body = letter.get_payload(decode=True)
    assert isinstance(body, bytes)
    assert re.search(rb"https://kulanz\.example/console/password/[\w-]{43}\s", body)
    console.forget()
    answers = [await console.post("/console/forgotten", email=one) for one in (BEN, "x@y.de")]
    assert answers[0].text == answers[1].text
    assert len(taken) == 2, "only who is known gets a letter"
    console.parts.limits.allows = False
    await console.post("/console/forgotten", email=BEN)
    assert len(taken) == 2


async def test_a_password_server_is_not_told_over_an_open_line(
    console: Console, merchant: Merchant, letters: tuple[int, list[str]]
) -> None:
    port, taken = letters
    settings = console.parts.settings
    settings.smtp_url = SecretStr(f"smtp://user:secret@127.0.0.1:{port}")
    settings.mail_from = "k@kulanz.example"
    await console.sign_in(merchant)
    await invite(console)  # the link is shown, as it could not be sent
    assert taken == []


async def test_a_reset_leaves_the_second_factor(
    console: Console, merchant: Merchant, database: Database
) -> None:
    ben = await console.add(merchant, BEN, Role.AGENT)
    await console.by_password(BEN)
    app = await console.set_up_second_factor()
    link = f"/console/password/{await console.invitation(ben)}"
    console.forget()
    done = await console.post(link, password="sieben Igel im Apfelbaum")
    assert done.headers["location"] == "/console/sign-in/code"
    assert (await console.get("/console/conversations")).status_code == 303
    console.parts.clock.moment += timedelta(seconds=30)
    code = app.at(console.parts.clock.now())
    assert (await console.post("/console/sign-in/code", code=code)).status_code == 303
    assert (await console.get("/console/conversations")).status_code == 200


async def test_the_log_is_filtered_and_comes_in_pages(
    console: Console, merchant: Merchant, database: Database
) -> None:
    async with database.operator() as session:
        for number in range(60):
            session.add(
                AuditEvent(
                    merchant_id=merchant.id, kind="transcript_seen", person="Ben Sommer",
                    at=NOW - timedelta(days=1, minutes=number), conversation_id=number + 1,
                )
            )  # fmt: skip
        session.add(AuditEvent(merchant_id=merchant.id, kind="opted_out", at=NOW))
    await console.sign_in(merchant)
    page = await console.get("/console/audit")
    assert page.text.count("<tr>") == 51
    assert "opted" not in page.text
    older = re.search(r'href="([^"]+)" rel="next"', page.text)
    assert older is not None
    rest = await console.get("/console/audit" + older.group(1).replace("&amp;", "&"))
    assert rest.text.count("<tr>") == 1 + 11
    assert "Gespräch 1 " in words(rest) + " "

    async def count(query: str) -> int:
        return (await console.get(f"/console/audit?{query}")).text.count("<tr>") - 1

    assert await count("who=m.koch&kind=signed_in") == 1
    assert await count(f"day={NOW:%Y-%m-%d}&who=Ben+Sommer") == -1
    assert await count("day=2026-11-22") == 50
    assert await count("kind=no-such&day=never&who=nobody") == -1
    assert await count("kind=audit_seen") > 3, "reading it stands in it"


async def test_days_at_the_ends_of_the_calendar_have_no_lines(
    console: Console, merchant: Merchant
) -> None:
    await console.sign_in(merchant, "Lea", Role.OWNER)
    for day in ("9999-12-31", "0001-01-01"):
        assert (await console.get(f"/console/audit?day={day}")).status_code == 200, day


async def test_nobody_changes_the_log(database: Database, merchant: Merchant) -> None:
    async with database.merchant(merchant.id) as session:
        session.add(AuditEvent(merchant_id=merchant.id, kind="x", at=NOW, person="Ben"))
    for statement in (
        "UPDATE audit_event SET person = 'Eva'",
        "DELETE FROM audit_event",
        "TRUNCATE audit_event",
    ):
        for opened in (database.merchant(merchant.id), database.operator()):
            with pytest.raises(DBAPIError, match="permission denied"):
                async with opened as session:
                    await session.execute(text(statement))


async def test_the_demos_people_are_there_once_and_without_passwords(
    console: Console, merchant: Merchant, database: Database
) -> None:
    for _ in range(2):
        async with database.merchant(merchant.id) as session:
            await add_people(session, merchant.id, NOW)
    async with database.operator() as session:
        people = (await session.scalars(select(Person).order_by(Person.id))).all()
    assert [(one.email, one.role) for one in people] == [
        (email, role.value) for email, _, role in PEOPLE
    ]
    assert {one.password for one in people} == {None}
