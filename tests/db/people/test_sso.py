"""Single sign-on against a provider on a port: who is let in, and everything that proves nobody."""

import ssl
import time
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import httpx
import pytest
from sqlalchemy import select

from api.pages.console.sso import COOKIE as BROWSER
from api.people import sso
from api.people.access import COOKIE
from api.people.roles import Role
from storage.engine import Database
from storage.tables import AuditEvent, Merchant, Person, SsoProvider
from tests.conftest import NOW
from tests.db.console_browser import Console, console_of, words
from tests.db.people.openid_provider import CLIENT, SECRET, OpenIdProvider, first_key, running

OLGA = "olga@lindenhof.example"
START = "/console/sso/lindenhof"
NOTHING_SECURE = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
"""Believes no authority, so none is read: the provider of these tests is on this machine."""


@pytest.fixture
async def console(database: Database) -> AsyncIterator[Console]:
    async with console_of(database) as made:
        yield made


@pytest.fixture
async def provider() -> AsyncIterator[OpenIdProvider]:
    async with running(first_key()) as made:
        yield made


@pytest.fixture
async def configured(
    database: Database, merchant: Merchant, provider: OpenIdProvider, console: Console
) -> SsoProvider:
    secret_key = console.parts.keys.secret_key
    kept = SsoProvider(
        merchant_id=merchant.id, issuer=provider.url, client_id=CLIENT,
        client_secret=sso.sealed_secret(secret_key, SECRET),
        email_domains=["lindenhof.example"], second_factor="provider", created_at=NOW,
    )  # fmt: skip
    async with database.operator() as session:
        session.add(kept)
    return kept


async def change(database: Database, kept: SsoProvider, **values: Any) -> None:
    async with database.operator() as session:
        row = await session.get_one(SsoProvider, kept.merchant_id)
        for name, value in values.items():
            setattr(row, name, value)


async def at_provider(console: Console, start: str = START) -> str:
    """Go there and sign in; where the browser is sent back to."""
    begun = await console.get(start)
    assert begun.status_code == 303, words(begun)
    async with httpx.AsyncClient(verify=NOTHING_SECURE) as elsewhere:
        there = await elsewhere.get(begun.headers["location"])
    back = urlsplit(there.headers["location"])
    return f"{back.path}?{back.query}"


async def sign_in(console: Console, start: str = START) -> httpx.Response:
    return await console.get(await at_provider(console, start))


async def person(database: Database, email: str = OLGA) -> Person | None:
    async with database.operator() as session:
        found: Person | None = await session.scalar(select(Person).where(Person.email == email))
        return found


async def kinds(database: Database) -> list[str]:
    async with database.operator() as session:
        return list(await session.scalars(select(AuditEvent.kind).order_by(AuditEvent.id)))


async def test_an_invited_person_comes_in_and_is_known_by_their_account_from_then_on(
    console: Console, database: Database, merchant: Merchant, provider: OpenIdProvider,
    configured: SsoProvider,
) -> None:  # fmt: skip
    await console.add(merchant, OLGA, Role.SUPERVISOR, password=None)
    answer = await sign_in(console, START + "?next=/console/claims")
    assert (answer.status_code, answer.headers["location"]) == (303, "/console/claims")
    assert "olga" in words(await console.get("/console/claims"))
    assert await kinds(database) == ["sso_linked", "signed_in"]
    olga = await person(database)
    assert olga is not None
    assert olga.sso_subject == f"{provider.url} u-1"
    # The address changes there, the person does not.
    console.forget()
    provider.email = "olga.neu@lindenhof.example"
    assert (await sign_in(console)).headers["location"] == "/console"
    assert await person(database, provider.email) is None


async def test_two_sign_ins_ask_for_different_things_and_bind_the_browser(
    console: Console, merchant: Merchant, provider: OpenIdProvider, configured: SsoProvider
) -> None:
    await console.add(merchant, OLGA, Role.AGENT, password=None)
    back = await at_provider(console)
    await at_provider(console)
    for name in ("state", "nonce", "code_challenge"):
        assert len({asked[name] for asked in provider.asked}) == 2
    # The first one is another browser's by now.
    answer = await console.get(back)
    assert answer.status_code == 403
    assert "zu lange gedauert" in words(answer)


async def test_a_way_back_is_gone_once_and_in_time_and_in_the_same_browser(
    console: Console, merchant: Merchant, provider: OpenIdProvider, configured: SsoProvider
) -> None:
    await console.add(merchant, OLGA, Role.AGENT, password=None)
    back = await at_provider(console)
    kept = console.client.cookies[BROWSER]
    assert (await console.get(back)).status_code == 303
    console.forget()
    assert (await console.get(back)).status_code == 403  # without its cookie
    console.client.cookies.set(BROWSER, kept, path="/console")
    replayed = await console.get(back)  # the provider takes a code once
    assert replayed.status_code == 403
    assert "ließ sich nicht prüfen" in words(replayed)
    assert COOKIE not in console.client.cookies
    console.forget()
    late = await at_provider(console)
    console.parts.clock.moment += timedelta(minutes=11)
    assert (await console.get(late)).status_code == 403
    console.forget()
    console.client.cookies.set(BROWSER, "forged", path="/console")
    assert (await console.get(late)).status_code == 403


HOUR = 3600


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"sign": "none"}, "ließ sich nicht prüfen"),
        ({"sign": "HS256"}, "ließ sich nicht prüfen"),
        ({"sign": "foreign"}, "ließ sich nicht prüfen"),
        ({"claims": {"aud": "another"}}, "ließ sich nicht prüfen"),
        ({"claims": {"aud": [CLIENT, "another"], "azp": "another"}}, "ließ sich nicht prüfen"),
        ({"claims": {"iss": "https://evil.example"}}, "ließ sich nicht prüfen"),
        ({"claims": {"nonce": "of another"}}, "ließ sich nicht prüfen"),
        ({"claims": {"exp": int(time.time()) - 120}}, "ließ sich nicht prüfen"),
        ({"claims": {"iat": int(time.time()) + 24 * HOUR}}, "ließ sich nicht prüfen"),
        ({"claims": {"nbf": int(time.time()) + 24 * HOUR}}, "ließ sich nicht prüfen"),
        ({"claims": {"at_hash": "of-another-token"}}, "ließ sich nicht prüfen"),
        *(({"without": (name,)}, "ließ sich nicht prüfen") for name in
          ("iss", "sub", "aud", "exp", "iat", "nonce")),
        ({"email_in_token": False, "info": {"sub": "u-2"}}, "ließ sich nicht prüfen"),
        ({"verified": False}, "keine bestätigte E-Mail-Adresse"),
        ({"verified": None}, "keine bestätigte E-Mail-Adresse"),
        ({"email": None}, "keine bestätigte E-Mail-Adresse"),
        ({"email": "olga@evil.example"}, "Adressen dieser Domain"),
        ({"email": "olga@lindenhof.example.evil.example"}, "Adressen dieser Domain"),
        ({"email": "ben@lindenhof.example"}, "noch nicht eingeladen"),
        ({"says_no": True}, "abgebrochen oder abgelehnt"),
    ],
)  # fmt: skip
async def test_what_proves_nobody_lets_nobody_in(
    console: Console, database: Database, merchant: Merchant, provider: OpenIdProvider,
    configured: SsoProvider, wrong: dict[str, Any], said: str,
) -> None:  # fmt: skip
    await console.add(merchant, OLGA, Role.OWNER, password=None)
    for name, value in wrong.items():
        setattr(provider, name, value)
    answer = await sign_in(console)
    assert answer.status_code == 403
    assert said in words(answer)
    assert COOKIE not in console.client.cookies
    olga = await person(database)
    assert olga is not None
    assert olga.sso_subject is None


@pytest.mark.parametrize("seconds", [-45, 45])
async def test_clocks_may_differ_a_little(
    console: Console, merchant: Merchant, provider: OpenIdProvider, configured: SsoProvider,
    seconds: int,
) -> None:  # fmt: skip
    await console.add(merchant, OLGA, Role.AGENT, password=None)
    there = int(time.time()) + seconds
    provider.claims = {"iat": there, "nbf": there, "exp": there if seconds < 0 else there + 300}
    assert (await sign_in(console)).status_code == 303


async def test_keys_may_change_between_two_sign_ins_and_within_one(
    console: Console, merchant: Merchant, provider: OpenIdProvider, configured: SsoProvider
) -> None:
    await console.add(merchant, OLGA, Role.AGENT, password=None)
    assert (await sign_in(console)).status_code == 303
    console.forget()
    back = await at_provider(console)
    provider.rotate()
    assert (await console.get(back)).status_code == 303


@pytest.mark.parametrize(
    "wrong",
    [
        {"down": True},
        {"metadata": {"issuer": "https://evil.example"}},
        {"metadata": {"token_endpoint": "http://evil.example/token"}},
        {"metadata": {"jwks_uri": None}},
    ],
)
async def test_a_provider_that_is_none_is_told_apart(
    console: Console, provider: OpenIdProvider, configured: SsoProvider, wrong: dict[str, Any]
) -> None:
    for name, value in wrong.items():
        setattr(provider, name, value)
    answer = await console.get(START)
    assert answer.status_code == 403
    assert "antwortet gerade nicht" in words(answer)


async def test_the_address_may_come_from_user_info(
    console: Console, merchant: Merchant, provider: OpenIdProvider, configured: SsoProvider
) -> None:
    await console.add(merchant, OLGA, Role.AGENT, password=None)
    provider.email_in_token = False
    assert (await sign_in(console)).status_code == 303


async def test_who_was_not_invited_gets_the_role_that_the_merchant_gives(
    console: Console, database: Database, provider: OpenIdProvider, configured: SsoProvider
) -> None:
    await change(database, configured, default_role="analyst")
    provider.email, provider.name = "Neu@Lindenhof.example", " Neu  Mensch "
    assert (await sign_in(console)).status_code == 303
    new = await person(database, "neu@lindenhof.example")
    assert new is not None
    assert (new.role, new.name, new.password) == ("analyst", "Neu Mensch", None)
    assert await kinds(database) == ["person_joined", "sso_linked", "signed_in"]


async def test_who_is_kept_out_or_another_account_stays_out(
    console: Console, database: Database, merchant: Merchant, provider: OpenIdProvider,
    configured: SsoProvider,
) -> None:  # fmt: skip
    await console.add(merchant, OLGA, Role.AGENT, password=None)
    assert (await sign_in(console)).status_code == 303
    console.forget()
    provider.subject = "u-2"
    assert "schon ein anderes Konto" in words(await sign_in(console))
    provider.subject = "u-1"
    async with database.operator() as session:
        olga = await session.scalar(select(Person).where(Person.email == OLGA))
        assert olga is not None
        olga.disabled_at = NOW
    assert "gesperrt" in words(await sign_in(console))


@pytest.mark.parametrize(
    ("wanted", "amr", "enough"),
    [
        ("provider", None, True),
        ("told", None, False),
        ("told", ["pwd"], False),
        ("told", ["pwd", "otp"], True),
        ("told", ["mfa"], True),
        ("ours", ["mfa"], False),
    ],
)
async def test_the_second_factor_is_the_providers_where_it_may_be(
    console: Console, database: Database, merchant: Merchant, provider: OpenIdProvider,
    configured: SsoProvider, wanted: str, amr: list[str] | None, enough: bool,
) -> None:  # fmt: skip
    await change(database, configured, second_factor=wanted)
    await console.add(merchant, OLGA, Role.AGENT, password=None)
    provider.amr = amr
    await sign_in(console)
    first = await console.get("/console")
    if enough:
        assert first.status_code == 200
        return
    assert first.headers["location"] == "/console/me/second-factor"
    await console.set_up_second_factor()
    console.forget()
    again = await sign_in(console)
    assert again.headers["location"].startswith("/console/sign-in/code")
    assert COOKIE not in console.client.cookies


async def test_another_merchants_people_are_not_reached(
    console: Console, database: Database, merchant: Merchant, other: Merchant,
    provider: OpenIdProvider, configured: SsoProvider,
) -> None:  # fmt: skip
    await console.add(other, OLGA, Role.OWNER, password=None)
    await console.add(None, OLGA, Role.OPERATOR, password=None)
    assert "noch nicht eingeladen" in words(await sign_in(console))


async def test_another_companys_provider_gets_no_code_of_ours(
    console: Console, database: Database, merchant: Merchant, other: Merchant,
    provider: OpenIdProvider, configured: SsoProvider,
) -> None:  # fmt: skip
    """A provider sends its visitors on to ours, to be handed the code that ours gives them."""
    await console.add(merchant, OLGA, Role.OWNER, password=None)
    start = f"/console/sso/{other.key}"
    async with running() as evil:
        async with database.operator() as session:
            session.add(
                SsoProvider(
                    merchant_id=other.id, issuer=evil.url, client_id=CLIENT,
                    client_secret=configured.client_secret, email_domains=["evil.example"],
                    second_factor="provider", created_at=NOW,
                )
            )  # fmt: skip
        ours = dict(parse_qsl(urlsplit((await console.get(START)).headers["location"]).query))
        theirs = dict(parse_qsl(urlsplit((await console.get(start)).headers["location"]).query))
        async with httpx.AsyncClient() as elsewhere:
            sent_on = {**ours, "state": theirs["state"]}
            there = await elsewhere.get(f"{provider.url}/authorize", params=sent_on)
        back = urlsplit(there.headers["location"])
        given = {name: said for name, said in parse_qsl(back.query) if name != "iss"}
        answer = await console.client.get(back.path, params=given)
    assert answer.status_code == 403
    assert "zu lange gedauert" in words(answer)  # nobody was asked about the code
    assert given["code"] in provider.codes


@pytest.mark.parametrize("said", ["javascript:alert(1)", "http://evil.example/out", 5, None])
async def test_nobody_is_led_to_an_unsafe_place_by_signing_out(
    console: Console, merchant: Merchant, provider: OpenIdProvider, configured: SsoProvider,
    said: Any,
) -> None:  # fmt: skip
    await console.add(merchant, OLGA, Role.AGENT, password=None)
    provider.metadata = {"end_session_endpoint": said}
    assert (await sign_in(console)).status_code == 303
    out = await console.post("/console/logout")
    assert out.status_code == 200
    assert "Auch bei der Firma abmelden" not in words(out)


async def test_one_is_led_there_and_out_again_in_words(
    console: Console, merchant: Merchant, provider: OpenIdProvider, configured: SsoProvider
) -> None:
    await console.add(merchant, OLGA, Role.AGENT, password=None)
    assert "/console/sso" in (await console.get("/console/sign-in")).text
    unknown = await console.get("/console/sso?shop=niemand")
    assert unknown.status_code == 404
    assert "keine Anmeldung über die Firma eingerichtet" in words(unknown)
    assert (
        (await console.get("/console/sso/niemand"))
        .headers["location"]
        .startswith("/console/sso?shop=niemand")
    )
    known = await console.get("/console/sso?shop=lindenhof")
    assert "/console/sso/lindenhof" in known.text
    await sign_in(console)
    out = await console.post("/console/logout")
    assert f"{provider.url}/out" in out.text
    assert (await console.get("/console")).status_code == 303
    away = await sign_in(console, START + "?next=https://evil.example/")
    assert away.headers["location"] == "/console"
