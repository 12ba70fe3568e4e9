"""Signing in by password and code: what lets in, what does not, and what an answer gives away."""

import re
from datetime import timedelta

import pytest
from sqlalchemy import select

from api.people import passwords
from api.people.access import COOKIE
from api.people.roles import Role
from api.people.sessions import SESSION_HOURS
from storage.engine import Database
from storage.tables import (
    AuditEvent,
    ConsoleLink,
    ConsoleSession,
    Merchant,
    Person,
    RecoveryCode,
)
from tests.db.console_browser import PASSWORD, Console, hidden, words

OLGA = "olga@lindenhof.example"
ANOTHER = "sieben Igel im Apfelbaum"


async def kinds(database: Database) -> list[str]:
    async with database.operator() as session:
        return list(await session.scalars(select(AuditEvent.kind).order_by(AuditEvent.id)))


async def enter(console: Console, merchant: Merchant, role: Role = Role.OWNER) -> None:
    """Sign in for the first time, with the second factor that has to be set up."""
    await console.add(merchant, OLGA, role)
    assert (await console.by_password(OLGA)).status_code == 303


async def test_the_first_sign_in_leads_to_the_second_factor_and_nowhere_else(
    console: Console, merchant: Merchant, database: Database
) -> None:
    await enter(console, merchant)
    for path in ("/console/conversations", "/console/people", "/console/me", "/console/audit"):
        answer = await console.get(path)
        assert answer.status_code == 303
        assert answer.headers["location"] == "/console/me/second-factor"
    await console.set_up_second_factor()
    assert (await console.get("/console/people")).status_code == 200
    assert await kinds(database) == ["signed_in", "second_factor_set"]


async def test_the_code_is_the_second_step_and_counts_once(
    console: Console, merchant: Merchant, database: Database
) -> None:
    await enter(console, merchant)
    app = await console.set_up_second_factor()
    used = app.at(console.parts.clock.now())
    console.forget()
    first = await console.by_password(OLGA)
    assert first.headers["location"] == "/console/sign-in/code"
    assert COOKIE not in console.client.cookies
    assert (await console.post("/console/sign-in/code", code=used)).status_code == 401
    console.parts.clock.moment += timedelta(seconds=30)
    fresh = app.at(console.parts.clock.now())
    assert (await console.post("/console/sign-in/code", code="000000")).status_code == 401
    assert (await console.post("/console/sign-in/code", code=fresh)).status_code == 303
    assert (await console.get("/console/people")).status_code == 200
    console.forget()
    await console.by_password(OLGA)
    assert (await console.post("/console/sign-in/code", code=fresh)).status_code == 401
    assert (await kinds(database)).count("sign_in_failed") == 3


async def test_a_code_without_the_password_is_nothing(console: Console, merchant: Merchant) -> None:
    await enter(console, merchant)
    app = await console.set_up_second_factor()
    console.forget()
    console.parts.clock.moment += timedelta(seconds=60)
    code = app.at(console.parts.clock.now())
    assert (await console.post("/console/sign-in/code", code=code)).status_code == 401


async def test_a_recovery_code_opens_once(
    console: Console, merchant: Merchant, database: Database
) -> None:
    await enter(console, merchant)
    page = await console.get("/console/me/second-factor")
    letters = re.search(r"<code>([A-Z2-7 ]+)</code>", page.text)
    assert letters is not None
    app = await console.set_up_second_factor()
    console.parts.clock.moment += timedelta(seconds=60)
    code = app.at(console.parts.clock.now())
    shown = await console.post("/console/me/recovery-codes", code=code)
    codes = re.findall(r"<code>([a-z2-7-]{19})</code>", shown.text)
    assert len(codes) == len(set(codes)) == 10
    async with database.operator() as session:
        kept = list(await session.scalars(select(RecoveryCode.hash)))
    assert len(kept) == 10
    assert not set(kept) & set(codes)
    for place, opens in ((0, 303), (0, 401), (1, 303)):
        console.forget()
        await console.by_password(OLGA)
        typed = codes[place].upper().replace("-", " ")
        answer = await console.post("/console/sign-in/code", code=typed)
        assert answer.status_code == opens
    assert "Wiederherstellungscodes: 8." in words(await console.get("/console/me"))


async def test_unknown_wrong_disabled_and_locked_look_the_same(
    console: Console, merchant: Merchant, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    await console.add(merchant, OLGA, Role.OWNER)
    gone = await console.add(merchant, "gone@lindenhof.example", Role.AGENT)
    await console.add(merchant, "new@lindenhof.example", Role.AGENT, password=None)
    async with database.operator() as session:
        (await session.get_one(Person, gone.id)).disabled_at = console.parts.clock.now()
    compared: list[str | None] = []
    compare = passwords._compare
    monkeypatch.setattr(
        passwords, "_compare", lambda given, kept: compared.append(kept) or compare(given, kept)
    )

    async def said(email: str, password: str) -> str:
        answer = await console.by_password(email, password)
        assert answer.status_code == 401
        return answer.text.replace(email, "…")

    answers = [
        await said(OLGA, "falsch falsch falsch"),
        await said("nobody@lindenhof.example", PASSWORD),
        await said("gone@lindenhof.example", PASSWORD),
        await said("new@lindenhof.example", PASSWORD),
    ]
    console.parts.limits.allows = False
    answers.append(await said(OLGA, PASSWORD))
    assert len(set(answers)) == 1
    assert len(compared) == len(answers), "a hash is compared each time"
    assert COOKIE not in console.client.cookies
    assert (await kinds(database)).count("sign_in_failed") == 3


async def test_tries_are_counted_by_account_and_by_address(
    console: Console, merchant: Merchant
) -> None:
    await console.add(merchant, OLGA, Role.OWNER)
    await console.by_password(OLGA.upper() + " ", "falsch falsch falsch")
    await console.by_password(OLGA)
    (wrong, right), limits = console.parts.limits.asked, console.parts.limits
    assert wrong == right, "one account, however its address is typed"
    assert OLGA not in wrong[0]
    assert wrong[1] == "127.0.0.1"
    assert limits.right == [right[0]]


async def test_one_address_at_two_shops_needs_the_shops_key(
    console: Console, merchant: Merchant, other: Merchant
) -> None:
    await console.add(merchant, OLGA, Role.ANALYST)
    await console.add(other, OLGA, Role.OWNER)
    assert (await console.by_password(OLGA)).status_code == 401
    assert (await console.by_password(OLGA, shop="other")).status_code == 303
    assert "Nordlicht" in (await console.get("/console/me/second-factor")).text


async def test_a_new_password_ends_every_other_session(
    console: Console, merchant: Merchant, database: Database
) -> None:
    await enter(console, merchant)
    app = await console.set_up_second_factor()
    elsewhere = console.client.cookies[COOKIE]
    console.forget()
    console.parts.clock.moment += timedelta(seconds=30)
    await console.by_password(OLGA)
    code = app.at(console.parts.clock.now())
    assert (await console.post("/console/sign-in/code", code=code)).status_code == 303
    here = console.client.cookies[COOKIE]
    wrong = await console.post("/console/me/password", old="falsch", password=ANOTHER)
    assert wrong.status_code == 422
    weak = await console.post("/console/me/password", old=PASSWORD, password="zu kurz")
    assert weak.status_code == 422
    changed = await console.post("/console/me/password", old=PASSWORD, password=ANOTHER)
    assert changed.status_code == 303
    async with database.operator() as session:
        open_ = select(ConsoleSession).where(ConsoleSession.ended_at.is_(None))
        assert len((await session.scalars(open_)).all()) == 1
    assert (await console.get("/console/me")).status_code == 200
    for token, status in ((elsewhere, 303), (here, 200)):
        console.forget()
        console.client.cookies.set(COOKIE, token, domain="kulanz.example", path="/console")
        assert (await console.get("/console/me")).status_code == status
    console.forget()
    assert (await console.by_password(OLGA, PASSWORD)).status_code == 401
    assert (await console.by_password(OLGA, ANOTHER)).status_code == 303


async def test_one_ends_ones_own_sessions_and_nobody_elses(
    console: Console, merchant: Merchant, database: Database
) -> None:
    agent = await console.add(merchant, "agent@lindenhof.example", Role.AGENT)
    await console.by_password("agent@lindenhof.example")
    agents = console.client.cookies[COOKIE]
    console.forget()
    await enter(console, merchant)
    await console.set_up_second_factor()
    async with database.operator() as session:
        theirs = await session.scalar(
            select(ConsoleSession.hash).where(ConsoleSession.person_id == agent.id)
        )
    await console.post(f"/console/me/sessions/{theirs}/end")
    await console.post("/console/me/sessions/others/end")
    page = await console.get("/console/me")
    assert "Firefox auf Linux" in page.text
    assert str(theirs) not in page.text
    console.forget()
    console.client.cookies.set(COOKIE, agents, domain="kulanz.example", path="/console")
    assert (await console.get("/console/me/second-factor")).status_code == 200


async def test_who_is_kept_out_is_out_at_once(
    console: Console, merchant: Merchant, database: Database
) -> None:
    person = await console.add(merchant, OLGA, Role.AGENT)
    await console.by_password(OLGA)
    await console.set_up_second_factor()
    async with database.operator() as session:
        (await session.get_one(Person, person.id)).disabled_at = console.parts.clock.now()
    assert (await console.get("/console/conversations")).status_code == 303


async def test_a_role_counts_from_the_next_page_on(
    console: Console, merchant: Merchant, database: Database
) -> None:
    person = await console.add(merchant, OLGA, Role.OWNER)
    await console.by_password(OLGA)
    await console.set_up_second_factor()
    assert (await console.get("/console/people")).status_code == 200
    async with database.operator() as session:
        (await session.get_one(Person, person.id)).role = Role.ANALYST
    assert (await console.get("/console/people")).status_code == 403


async def test_a_session_lasts_its_hours_and_leads_back_to_where_one_was(
    console: Console, merchant: Merchant
) -> None:
    await enter(console, merchant)
    await console.set_up_second_factor()
    console.parts.clock.moment += timedelta(hours=SESSION_HOURS)
    sent = await console.get("/console/people")
    assert sent.headers["location"] == "/console/sign-in?next=%2Fconsole%2Fpeople"
    page = await console.get(sent.headers["location"])
    assert hidden(page, "next") == "/console/people"


@pytest.mark.parametrize(
    "path",
    ["https://evil.example/", "//evil.example", "/console//evil.example", "/console/\\evil", "/p"],
)
async def test_nobody_is_led_astray(console: Console, merchant: Merchant, path: str) -> None:
    await console.add(merchant, OLGA, Role.OWNER)
    answer = await console.post("/console/sign-in", email=OLGA, password=PASSWORD, next=path)
    assert answer.headers["location"] == "/console"


async def test_the_secret_of_the_second_factor_is_sealed_and_the_offer_is_ones_own(
    console: Console, merchant: Merchant, database: Database
) -> None:
    await console.add(merchant, "eva@lindenhof.example", Role.OWNER)
    await console.by_password("eva@lindenhof.example")
    evas = hidden(await console.get("/console/me/second-factor"), "offer")
    console.forget()
    await enter(console, merchant)
    stolen = await console.post("/console/me/second-factor", offer=evas, code="000000")
    assert stolen.headers["location"] == "/console/me/second-factor"
    app = await console.set_up_second_factor()
    async with database.operator() as session:
        kept = await session.scalar(select(Person.second_factor).where(Person.email == OLGA))
    assert kept is not None
    assert app.secret.encode() not in kept


async def test_another_phone_takes_the_password_too(console: Console, merchant: Merchant) -> None:
    await enter(console, merchant)
    await console.set_up_second_factor()
    page = await console.get("/console/me/second-factor")
    refused = await console.post(
        "/console/me/second-factor", offer=hidden(page, "offer"), code="123456", password="falsch"
    )
    assert refused.status_code == 422
    await console.set_up_second_factor(password=PASSWORD)


async def test_an_operator_goes_from_shop_to_shop_and_each_audit_says_so(
    console: Console, merchant: Merchant, other: Merchant, database: Database
) -> None:
    await console.add(None, "op@kulanz.example", Role.OPERATOR)
    await console.by_password("op@kulanz.example")
    await console.set_up_second_factor()
    assert "Nordlicht" in (await console.get("/console/merchants")).text
    assert (await console.post(f"/console/merchants/{other.id}")).status_code == 303
    assert ", Nordlicht" in words(await console.get("/console/conversations"))
    assert (await console.post("/console/merchants/999999")).status_code == 404
    async with database.merchant(other.id) as session:
        assert list(await session.scalars(select(AuditEvent.kind))) == ["merchant_entered"]
        assert (await session.scalars(select(Person))).all() == [], "operators are not theirs"


async def test_tokens_are_kept_as_hashes(
    console: Console, merchant: Merchant, database: Database
) -> None:
    person = await console.add(merchant, OLGA, Role.OWNER)
    token = await console.invitation(person)
    await console.by_password(OLGA)
    async with database.operator() as session:
        kept = {
            *await session.scalars(select(ConsoleLink.hash)),
            *await session.scalars(select(ConsoleSession.hash)),
        }
    assert all(len(one) == 64 for one in kept)
    assert not kept & {token, console.client.cookies[COOKIE]}
