"""Calls of the REST API in the log: each once, with the key's name, cheap, and found again."""

from sqlalchemy import select

from api.keys import create_api_key
from api.people.roles import Permission, Role
from storage.engine import Database
from storage.tables import AuditEvent, Merchant
from tests.conftest import NOW
from tests.db.console_browser import Console, words
from tests.db.people.test_who_may_do_what import (
    REST,
    Theirs,
    call,
    console,
    sign_in_as,
    theirs,
)

__all__ = ["console", "theirs"]  # fixtures

WITHOUT_PEOPLE = ("GET /api/v1/events", "GET /api/v1/webhook-deliveries")


async def calls(database: Database, merchant: Merchant) -> list[AuditEvent]:
    async with database.merchant(merchant.id) as session:
        wanted = select(AuditEvent).where(AuditEvent.kind == "api_call").order_by(AuditEvent.id)
        return list(await session.scalars(wanted))


async def key_of(database: Database, merchant: Merchant, *scopes: Permission) -> str:
    async with database.merchant(merchant.id) as session:
        more = {"scopes": scopes} if scopes else {}
        return await create_api_key(session, merchant.id, now=NOW, name="Warenwirtschaft", **more)


async def test_each_call_stands_once_but_what_shows_no_people(
    console: Console, database: Database, merchant: Merchant, theirs: Theirs
) -> None:
    key = await key_of(database, merchant)
    for route in REST:
        before = len(await calls(database, merchant))
        await call(console, route, theirs.path(route), key)
        noted = (await calls(database, merchant))[before:]
        if str(route) in WITHOUT_PEOPLE:
            assert noted == [], route
            continue
        (one,) = noted
        assert one.facts == {"call": str(route).replace(":path", "")}
        assert one.person == f"Warenwirtschaft ({key[:15]}…)"
        about = (one.customer_id, one.claim_id, one.conversation_id)
        for name, at in (("{number}", 0), ("reference", 1), ("{handoff}", 2)):
            assert (about[at] is not None) == (name in route.path), route


async def test_no_words_of_a_call_are_kept(
    console: Console, database: Database, merchant: Merchant, theirs: Theirs
) -> None:
    key = await key_of(database, merchant)
    secret = "Geheimnis-4711"
    for path in (f"/api/v1/customers/{secret}/channels?x={secret}",
                 f"/api/v1/claims/{secret}/statement.pdf"):  # fmt: skip
        await console.client.get(path, headers={"Authorization": f"Bearer {key}"})
    await console.client.post(
        "/api/v1/claims", json=[{"name": secret}], headers={"Authorization": f"Bearer {key}"}
    )
    noted = await calls(database, merchant)
    assert len(noted) == 3
    assert secret not in str([(one.facts, one.person) for one in noted])


async def test_what_cannot_be_a_name_is_not_found(
    console: Console, database: Database, merchant: Merchant
) -> None:
    key = await key_of(database, merchant)
    for path in ("customers/%00/channels", "claims/RE%001/statement.pdf"):
        answer = await console.client.get(
            f"/api/v1/{path}", headers={"Authorization": f"Bearer {key}"}
        )
        assert answer.status_code == 404, path


async def test_what_was_refused_at_the_door_is_no_call(
    console: Console, database: Database, merchant: Merchant, theirs: Theirs
) -> None:
    key = await key_of(database, merchant, Permission.READ)
    for given, status in ((key, 403), ("kulanz_unknown", 401)):
        answer = await console.client.post(
            "/api/v1/claims", json=[], headers={"Authorization": f"Bearer {given}"}
        )
        assert answer.status_code == status
    assert await calls(database, merchant) == []


async def test_no_word_of_the_address_keeps_a_call_out_of_the_log(
    console: Console, database: Database, merchant: Merchant, theirs: Theirs
) -> None:
    key = await key_of(database, merchant)
    number = theirs.places["number"]
    asked = ("bank-movements?after=7", f"customers/{number}/channels?after=7", "handoffs?after=7")
    for path in asked:
        await console.client.get(f"/api/v1/{path}", headers={"Authorization": f"Bearer {key}"})
    assert len(await calls(database, merchant)) == len(asked)


async def test_the_log_shows_calls_by_key_and_kind(
    console: Console, database: Database, merchant: Merchant, theirs: Theirs
) -> None:
    key = await key_of(database, merchant)
    number = theirs.places["number"]
    await console.client.get(
        f"/api/v1/customers/{number}/channels", headers={"Authorization": f"Bearer {key}"}
    )
    await sign_in_as(console, merchant, Role.OWNER)
    said = "GET /api/v1/customers/{number}/channels"
    name = f"Warenwirtschaft ({key[:15]}…)"
    page = await console.client.get("/console/audit", params={"who": name, "kind": "api_call"})
    assert said in words(page)
    assert f"/console/customers/{theirs.places['customer']}" in page.text
    for other in ({"who": "op"}, {"kind": "signed_in"}, {"day": "2026-11-22"}):
        page = await console.client.get("/console/audit", params=other)
        assert said not in words(page), other
    assert name in words(page)  # among those to choose from
