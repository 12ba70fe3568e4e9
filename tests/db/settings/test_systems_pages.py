"""Webhooks and API keys at the console: made, shown once, tried, ended; and doubled forms."""

import re
from collections.abc import AsyncIterator

import httpx
import pytest
from aiohttp import web
from sqlalchemy import select

from api.keys import keys_of, known_key
from api.merchant_events import endpoints
from api.people.roles import Permission
from storage.engine import Database
from storage.tables import (
    ApiKey,
    AuditEvent,
    Merchant,
    MerchantEvent,
    WebhookDelivery,
    WebhookEndpoint,
)
from tests.conftest import NOW
from tests.db.console_browser import Console, words

HOOKS, KEYS = "/console/settings/webhooks", "/console/settings/keys"
URL = "https://shop.example/kulanz"


@pytest.fixture
async def receiver() -> AsyncIterator[tuple[str, list[web.Request]]]:
    """A merchant's system on this machine, and what it got."""
    got: list[web.Request] = []

    async def take(request: web.Request) -> web.Response:
        got.append(request)
        return web.Response(status=410 if request.path == "/gone" else 204)

    app = web.Application()
    app.router.add_post("/{any}", take)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    port = runner.addresses[0][1]
    yield f"http://127.0.0.1:{port}", got
    await runner.cleanup()


def secret_in(page: httpx.Response) -> str | None:
    found = re.search(r'<code class="link">([^<]+)</code>', page.text)
    return found.group(1) if found else None


async def kinds_of_audit(database: Database) -> list[str]:
    async with database.operator() as session:
        rows = await session.scalars(select(AuditEvent).order_by(AuditEvent.id))
        return [row.kind for row in rows if row.person == "m.koch" and row.kind != "signed_in"]


async def endpoint_of(database: Database) -> WebhookEndpoint:
    async with database.operator() as session:
        return (await session.scalars(select(WebhookEndpoint))).one()


async def test_a_secret_is_shown_once_and_a_doubled_form_adds_nothing(
    console: Console, database: Database
) -> None:
    made = await console.post(HOOKS, url=URL, kinds="payment.received")
    secret = secret_in(made)
    assert made.status_code == 200
    assert secret is not None
    endpoint = await endpoint_of(database)
    assert endpoint.kinds == ["payment.received"]
    assert endpoints.secrets_in_force(endpoint.secrets, "of the tests", NOW) == [secret]
    assert secret_in(await console.get(HOOKS)) is None
    again = await console.post(HOOKS, url=URL)
    assert again.status_code == 422
    assert "schon eingetragen" in words(again)
    assert (await endpoint_of(database)).id == endpoint.id
    assert await kinds_of_audit(database) == ["endpoint_added"]


@pytest.mark.parametrize(
    ("url", "told"),
    [
        ("http://shop.example", "https://"),
        ("https://10.0.0.1/x", "privaten Netz"),
        ("https://u:p@shop.example", "Name oder Passwort"),
        ("nur so", "nicht vollständig"),
    ],
)
async def test_an_address_that_will_not_do_is_refused_beside_the_field(
    console: Console, url: str, told: str
) -> None:
    answer = await console.post(HOOKS, url=url)
    assert answer.status_code == 422
    wrong = re.search(r'id="w-url">([^<]*)<', answer.text)
    assert wrong is not None
    assert told in wrong.group(1)
    assert f'value="{url}"' in answer.text


async def test_a_new_secret_is_made_once_and_the_one_before_signs_along(
    console: Console, database: Database
) -> None:
    first = secret_in(await console.post(HOOKS, url=URL))
    page = await console.get(HOOKS)
    held = re.search(r'name="held" value="(\w+)"', page.text)
    assert held is not None
    path = f"{HOOKS}/{(await endpoint_of(database)).id}/secret"
    second = secret_in(await console.post(path, held=held.group(1)))
    doubled = await console.post(path, held=held.group(1))
    assert doubled.status_code == 422
    assert secret_in(doubled) is None
    endpoint = await endpoint_of(database)
    assert endpoints.secrets_in_force(endpoint.secrets, "of the tests", NOW) == [second, first]


async def test_a_test_event_says_what_the_address_answered(
    console: Console, database: Database, receiver: tuple[str, list[web.Request]]
) -> None:
    base, got = receiver
    console.parts.settings = console.parts.settings.model_copy(update={"demo": True})
    for path, told in (("ok", "Angekommen: 204"), ("gone", "Nicht angekommen: 410, nimmt nichts")):
        await console.post(HOOKS, url=f"{base}/{path}")
        async with database.operator() as session:
            rows = (await session.scalars(select(WebhookEndpoint))).all()
        answer = await console.post(f"{HOOKS}/{max(row.id for row in rows)}/test")
        assert told in words(answer)
    assert [one.headers["webhook-signature"][:3] for one in got] == ["v1,", "v1,"]
    assert "endpoint_tested" in await kinds_of_audit(database)


async def test_what_was_given_up_is_sent_again(
    console: Console, database: Database, merchant: Merchant
) -> None:
    await console.post(HOOKS, url=URL)
    endpoint = await endpoint_of(database)
    of = {"merchant_id": merchant.id}
    async with database.operator() as session:
        for n in (1, 2, 3):
            event = MerchantEvent(
                key=f"evt_{n}", sequence=n, kind="payment.received", at=NOW, **of
            )  # fmt: skip
            session.add(event)
            await session.flush()
            session.add(
                WebhookDelivery(
                    event_id=event.id, endpoint_id=endpoint.id, due_at=NOW, attempts=9,
                    status="failed" if n < 3 else "delivered", attempted_at=NOW, answer=500,
                    error="status", **of,
                )
            )  # fmt: skip
    page = words(await console.get(f"{HOOKS}?state=failed"))
    assert "Zahlung eingegangen, 2" in page
    assert "Zahlung eingegangen, 3" not in page
    assert "500, nicht angenommen" in page
    async with database.operator() as session:
        last = await session.scalar(
            select(WebhookDelivery.id).order_by(WebhookDelivery.id.desc()).limit(1)
        )
    await console.post(f"{HOOKS}/deliveries/{last}/replay")
    done = await console.post(f"{HOOKS}/replay")
    assert "2 Meldungen gehen noch einmal" in words(await console.get(done.headers["location"]))
    async with database.operator() as session:
        rows = (await session.scalars(select(WebhookDelivery))).all()
    assert {(row.status, row.attempts) for row in rows} == {("pending", 0)}
    assert (await kinds_of_audit(database))[-2:] == ["deliveries_replayed"] * 2


async def test_an_address_is_switched_on_and_removed(console: Console, database: Database) -> None:
    await console.post(HOOKS, url=URL)
    endpoint = await endpoint_of(database)
    async with database.operator() as session:
        (await session.get_one(WebhookEndpoint, endpoint.id)).off_at = NOW
    assert "aus seit" in words(await console.get(HOOKS))
    await console.post(f"{HOOKS}/{endpoint.id}/on")
    assert (await endpoint_of(database)).off_at is None
    await console.post(f"{HOOKS}/{endpoint.id}/remove")
    assert "Noch keine Adresse" in words(await console.get(HOOKS))
    assert (await console.post(f"{HOOKS}/{endpoint.id}/remove")).status_code == 404


async def test_a_secret_that_cannot_be_read_says_what_to_do(
    console: Console, database: Database
) -> None:
    await console.post(HOOKS, url=URL)
    console.parts.keys.secret_key = "another one"
    endpoint = await endpoint_of(database)
    tested = words(await console.post(f"{HOOKS}/{endpoint.id}/test"))
    assert "entfernen und neu eintragen" in tested
    held = re.search(r'name="held" value="(\w+)"', (await console.get(HOOKS)).text)
    assert held is not None
    answer = await console.post(f"{HOOKS}/{endpoint.id}/secret", held=held.group(1))
    assert answer.status_code == 422


async def test_a_key_is_shown_once_does_what_it_may_and_ends(
    console: Console, database: Database, merchant: Merchant
) -> None:
    last = re.search(r'name="last" value="(\d+)"', (await console.get(KEYS)).text)
    assert last is not None
    given = {"last": last.group(1), "scopes": "payments"}
    made = await console.post(KEYS, **given)
    key = secret_in(made)
    assert key is not None
    doubled = await console.post(KEYS, **given)
    assert doubled.status_code == 422
    assert secret_in(doubled) is None
    async with database.operator() as session:
        known = await known_key(session, key, now=NOW)
        (row,) = (await session.scalars(select(ApiKey))).all()
    assert known is not None
    assert known[1].scopes == [Permission.PAYMENTS.value]
    page = await console.get(KEYS)
    assert secret_in(page) is None
    assert row.prefix in words(page)
    for _ in range(2):
        assert (await console.post(f"{KEYS}/{row.id}/end")).status_code == 303
    async with database.operator() as session:
        assert await known_key(session, key, now=NOW) is None
    assert "beendet" in words(await console.get(KEYS))
    assert await kinds_of_audit(database) == ["api_key_made", "api_key_revoked"]


async def test_a_key_that_may_nothing_is_not_made(
    console: Console, database: Database, merchant: Merchant
) -> None:
    answer = await console.post(KEYS, last="0")
    assert answer.status_code == 422
    async with database.merchant(merchant.id) as session:
        assert await keys_of(session, merchant.id) == []
