"""Every route of the application has a rule, and each role and each key gets what it says.

The routes are the application's own: a new one without a rule fails here.
"""

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

import httpx
import pytest
from fastapi.dependencies.models import Dependant
from fastapi.routing import iter_route_contexts
from redis.asyncio import Redis

from api.callers import KeyNeeds
from api.events import Listener
from api.keys import create_api_key
from api.people.access import Anybody, Needs
from api.people.links import make_link
from api.people.roles import PERMISSIONS, SCOPES, Permission, Role
from api.queue import make_app
from api.settings import Settings
from ledger import book
from ledger.book import NewClaim
from ledger.money import Money
from storage.engine import Database
from storage.tables import (
    ApiKey,
    AuditEvent,
    BankMovement,
    CannedReply,
    ChannelAccount,
    Claim,
    ConsoleSession,
    ContactPoint,
    Conversation,
    Correction,
    Customer,
    DeskTeam,
    Handoff,
    IntakeBatch,
    Merchant,
    MerchantEvent,
    Message,
    MessageFile,
    Person,
    TranscriptView,
    Upload,
    WebhookDelivery,
    WebhookEndpoint,
    WrapUp,
)
from tests.apps import whole_app
from tests.conftest import NOW
from tests.db.console_browser import Console, CountedTries, MovedClock
from tests.db.pages.conftest import Heard

Rule = Needs | KeyNeeds | Anybody

OPEN = {
    "/actions": "Rasa's secret",
    "/api/docs": "says what the API is, shows no data",
    "/api/openapi.json": "the same",
    "/docs/oauth2-redirect": "the same",
    "/echt": "a code from a message",
    "/genuine": "the same",
    "/health": "says nothing but ok",
    "/p": "a customer's own link and proof",
    "/sandbox-payment": "a token, in a demo only",
    "/webhooks": "the provider's signature",
}
"""Where something else than a role or a key keeps people out, and what."""


@dataclass(frozen=True)
class OneRoute:
    """A way in."""

    method: str
    path: str
    rule: Rule | None

    def __str__(self) -> str:
        return f"{self.method} {self.path}"


def _rules(dependant: Dependant) -> Iterator[Rule]:
    for one in dependant.dependencies:
        if isinstance(one.call, Rule):
            yield one.call
        yield from _rules(one)


def routes() -> list[OneRoute]:
    found = []
    for context in iter_route_contexts(whole_app().routes):
        rules = list(_rules(context.dependant)) if hasattr(context, "dependant") else []
        for method in sorted(set(context.methods or ()) - {"HEAD"}):
            found.append(OneRoute(method, context.path, rules[0] if rules else None))
    return found


ROUTES = routes()
CONSOLE = [one for one in ROUTES if isinstance(one.rule, Needs)]
REST = [one for one in ROUTES if isinstance(one.rule, KeyNeeds)]


def is_open(path: str) -> bool:
    return any(path == prefix or path.startswith(prefix + "/") for prefix in OPEN)


@pytest.mark.parametrize("route", ROUTES, ids=str)
def test_every_route_has_a_rule(route: OneRoute) -> None:
    assert (route.rule is None) == is_open(route.path), "name `Needs`, `KeyNeeds` or `Anybody`"
    if route.path.startswith("/console"):
        assert isinstance(route.rule, Needs | Anybody)
    if route.path.startswith("/api/v1"):
        assert isinstance(route.rule, KeyNeeds)


def test_the_walk_finds_what_is_there() -> None:
    assert len(CONSOLE) > 20
    assert len(REST) > 15
    assert OneRoute("GET", "/p/plan", None) in ROUTES


class Ending(Heard):
    """Live events that are over at once: a stream would not end by itself."""

    redis = Redis.from_url("redis://127.0.0.1:1")

    @asynccontextmanager
    async def listening(self, merchant_id: int, person: str) -> AsyncIterator[Listener]:
        listener = Listener()
        listener.end()
        yield listener


@dataclass
class FakeParts:
    """What all routes together need of a web process."""

    database: Database
    clock: MovedClock = field(default_factory=MovedClock)
    limits: CountedTries = field(default_factory=CountedTries)
    events: Ending = field(default_factory=Ending)
    public_url: str = "https://kulanz.example"
    settings: Settings = field(default_factory=lambda: Settings(_env_file=None))
    keys: Any = field(default_factory=lambda: SimpleNamespace(secret_key="of the tests"))


@pytest.fixture
async def console(database: Database) -> AsyncIterator[Console]:
    """The whole application, and a browser in front of it."""
    app = whole_app()
    app.state.parts = parts = FakeParts(database)
    app.state.database = database
    app.state.jobs = jobs = make_app(parts, pool_size=1)  # type: ignore[arg-type]
    transport = httpx.ASGITransport(app=app)
    async with (
        jobs.open_async(),
        httpx.AsyncClient(transport=transport, base_url=parts.public_url) as client,
    ):
        yield Console(client, parts)  # type: ignore[arg-type]


SECRETS = ("Vertraulich", "K-geheim", "+4915100000099", "DE00GEHEIM", "geheim@lindenhof.example")


@dataclass
class Theirs:
    """Something of the first merchant for each place that a path can name."""

    places: dict[str, str]
    rows: list[tuple[type[Any], int | str]]

    def path(self, route: OneRoute) -> str:
        path = route.path
        for name, value in self.places.items():
            path = path.replace(f"{{{name}}}", value)
        assert "{" not in path, f"say what of a merchant's is meant in {route.path}"
        return path


@pytest.fixture
async def theirs(database: Database, merchant: Merchant, customer: Customer) -> Theirs:
    of: dict[str, Any] = {"merchant_id": merchant.id}
    async with database.operator() as session:
        customer = await session.get_one(Customer, customer.id)
        customer.number, customer.name = "K-geheim", "Vertraulich"
        account = ChannelAccount(channel="sms", address="+4915735990099", created_at=NOW, **of)
        session.add(account)
        await session.flush()
        held = Conversation(
            channel_account_id=account.id, channel="sms", address="+4915100000099",
            customer_id=customer.id, created_at=NOW, **of,
        )  # fmt: skip
        person = Person(
            email="geheim@lindenhof.example", name="Vertraulich Meyer", role="agent",
            created_at=NOW, **of,
        )  # fmt: skip
        batch = IntakeBatch(
            kind="bank_statement", name="x", sha256="x", rows_total=1, rows_added=1,
            rows_changed=0, rows_unchanged=0, at=NOW, **of,
        )  # fmt: skip
        endpoint = WebhookEndpoint(url="https://geheim.example", secrets=b"x", created_at=NOW, **of)
        event = MerchantEvent(key="evt_geheim", sequence=1, kind="claim.opened", at=NOW, **of)
        session.add_all([held, person, batch, endpoint, event])
        await session.flush()
        message = Message(
            conversation_id=held.id, channel_account_id=account.id, direction="in",
            author="customer", kind="message", text="Vertraulich", created_at=NOW,
            attachments=[{"kind": "document", "reference": "Vertraulich"}], **of,
        )  # fmt: skip
        handoff = Handoff(
            conversation_id=held.id, reason="asked_for_person", requested_at=NOW, **of
        )
        movement = BankMovement(
            batch_id=batch.id, account="DE00GEHEIM", format="camt", statement_number="1",
            booked=NOW.date(), value_date=NOW.date(), amount_minor=1, currency="EUR",
            content="x", position=1, state="suggested", text="Vertraulich", created_at=NOW,
            match={"shares": [], "evidence": [], "doubt": None}, **of,
        )  # fmt: skip
        delivery = WebhookDelivery(
            event_id=event.id, endpoint_id=endpoint.id, status="failed", due_at=NOW, **of
        )
        signed_in = ConsoleSession(
            hash="0" * 64, person_id=person.id, operator=person.name, proved_by="password",
            device="", created_at=NOW, seen_at=NOW, expires_at=NOW.replace(year=2027), **of,
        )  # fmt: skip
        reply = CannedReply(
            shortcut="geheim", text_de="Vertraulich", text_en="", changed_by="x", changed_at=NOW,
            **of,
        )  # fmt: skip
        api_key = ApiKey(prefix="kulanz_g", hash="x", scopes=[], created_at=NOW, **of)
        upload = Upload(
            kind="claims", name="Vertraulich.csv", sha256="x", state="taken", person="x",
            created_at=NOW, **of,
        )  # fmt: skip
        team = DeskTeam(name="Vertraulich Team", **of)
        code = WrapUp(name="Vertraulich geregelt", outcome="solved", **of)
        point = ContactPoint(
            customer_id=customer.id, channel="sms", address="+4915100000099",
            source="merchant_import", created_at=NOW, **of,
        )  # fmt: skip
        view = TranscriptView(name="Vertraulich", query="", person="x", created_at=NOW, **of)
        session.add_all([message, handoff, movement, delivery, signed_in, point])
        session.add_all([view, team, code, api_key, upload, reply])
        await session.flush()
        correction = Correction(
            conversation_id=held.id, message_id=message.id, text="Vertraulich", language="de",
            intent="affirm", person="x", proposed_at=NOW, **of,
        )  # fmt: skip
        session.add_all([correction, MessageFile(
            message_id=message.id, position=0, media_type="text/plain", ending="txt",
            content=b"Vertraulich", fetched_at=NOW, **of,
        )])  # fmt: skip
        await session.flush()
        new = NewClaim(
            merchant_id=merchant.id, customer_id=customer.id, reference="R-geheim",
            invoice_number="Vertraulich 1", description="Vertraulich", principal=Money(84_90),
            invoice_date=NOW.date(), due_date=NOW.date(), confirmed_at=NOW,
        )  # fmt: skip
        opened = await book.open_claim(session, new, now=NOW, key="secret")
        return Theirs(
            {
                "conversation": str(held.id),
                "message": str(message.id),
                "position": "0",
                "correction": str(correction.id),
                "view": str(view.id),
                "customer": str(customer.id),
                "claim": str(opened.id),
                "point": str(point.id),
                "of": str(person.id),
                "hash_": signed_in.hash,
                "to": str(merchant.id),
                "endpoint": str(endpoint.id),
                "upload": str(upload.id),
                "key": str(api_key.id),
                "name": "introduction",
                "part": "policy",
                "handoff": str(handoff.id),
                "team": str(team.id),
                "code": str(code.id),
                "handoff:int": str(handoff.id),
                "conversation:int": str(held.id),
                "reply:int": str(reply.id),
                "movement_id": str(movement.id),
                "delivery_id": str(delivery.id),
                "number": customer.number,
                "claim_reference": "R-geheim",
                "reference:path": "R-geheim",
            },
            [
                (Conversation, held.id), (Person, person.id), (Handoff, handoff.id),
                (BankMovement, movement.id), (WebhookDelivery, delivery.id),
                (ConsoleSession, signed_in.hash), (Claim, opened.id), (ContactPoint, point.id),
                (Correction, correction.id), (TranscriptView, view.id), (Message, message.id),
                (DeskTeam, team.id), (WrapUp, code.id),
                (Upload, upload.id),
                (WebhookEndpoint, endpoint.id), (ApiKey, api_key.id), (Merchant, merchant.id),
                (CannedReply, reply.id),
            ],
        )  # fmt: skip


async def ask(console: Console, route: OneRoute, path: str) -> httpx.Response:
    """Open the route as whoever has signed in."""
    if route.method == "GET":
        return await console.get(path)
    return await console.post(path)


async def sign_in_as(console: Console, merchant: Merchant, role: Role) -> None:
    """A session of this role; an operator's has an account, as going to others takes one."""
    console.forget()
    if role is not Role.OPERATOR:
        await console.sign_in(merchant, role=role)
        return
    person = await console.add(None, f"op{NOW:%H%M}@kulanz.example", role, password=None)
    async with console.parts.database.operator() as session:
        token = await make_link(session, merchant.id, "op", NOW, person=person)
    await console.post(f"/console/login/{token}")


@pytest.mark.parametrize("role", list(Role))
async def test_each_role_gets_what_the_table_says(
    console: Console, merchant: Merchant, theirs: Theirs, role: Role
) -> None:
    await sign_in_as(console, merchant, role)
    wrong = []
    # Signing out comes last, whatever it is called.
    for route in sorted(CONSOLE, key=lambda one: "logout" in one.path):
        answer = await ask(console, route, theirs.path(route))
        allowed = answer.status_code != 403 and "sign-in" not in answer.headers.get("location", "")
        assert isinstance(route.rule, Needs)
        needed = route.rule.permission
        if allowed != (needed is None or needed in PERMISSIONS[role]):
            wrong.append(f"{role} {route}: {answer.status_code}")
        if answer.status_code == 403:
            assert not [one for one in SECRETS if one in answer.text]
    assert wrong == []


async def test_nobody_gets_in_and_no_foreign_form_is_taken(
    console: Console, merchant: Merchant, theirs: Theirs
) -> None:
    async def let_in(status: int, **more: Any) -> list[str]:
        return [
            f"{route}: {answer.status_code}"
            for route in CONSOLE
            if not more or route.method == "POST"
            for answer in [await console.client.request(route.method, theirs.path(route), **more)]
            if answer.status_code != status
            or (status == 303 and "/console/sign-in" not in answer.headers["location"])
        ]

    assert await let_in(303) == []
    await sign_in_as(console, merchant, Role.OWNER)
    assert await let_in(403, data={}) == []
    assert await let_in(403, data={"csrf": "0" * 64}) == []


async def test_forms_for_everybody_come_from_our_pages(console: Console) -> None:
    for route in [one for one in ROUTES if isinstance(one.rule, Anybody)]:
        path = route.path.replace("{token}", "x")
        answer = await console.client.request(route.method, path)
        # A link that is not good is refused when it is looked at; so is a way back from nowhere.
        refused = route.method == "POST" or "/password/" in path or path.endswith("/return")
        assert (answer.status_code == 403) == refused, route


BODIES: dict[str, dict[str, Any]] = {
    "POST /api/v1/claims/{claim_reference}/costs": {
        "json": {
            "event_id": "c-1",
            "kind": "electronic_reminder",
            "amount": "0.00",
            "reason": "Erinnerung vom 20. November 2026",
            "day": NOW.date().isoformat(),
        }
    },
    "POST /api/v1/claims": {"json": []},
    "POST /api/v1/open-items": {"json": []},
    "POST /api/v1/reorders": {"json": []},
    "POST /api/v1/handoffs/{handoff}/take": {"json": {"agent": "x"}},
    "POST /api/v1/handoffs/{handoff}/reply": {
        "json": {"agent": "x", "text": "x"}, "headers": {"Idempotency-Key": "x" * 8},
    },
    "POST /api/v1/handoffs/{handoff}/note": {"json": {"agent": "x", "text": "x"}},
    "POST /api/v1/handoffs/{handoff}/return": {"json": {"agent": "x", "hint": "x"}},
    "POST /api/v1/handoffs/{handoff}/close": {"json": {"agent": "x", "outcome": "solved"}},
    "POST /api/v1/bank-movements/{movement_id}/accept": {"json": {}},
    "POST /api/v1/bank-movements/{movement_id}/reject": {"json": {}},
    "POST /api/v1/bank-movements/{movement_id}/undo": {"json": {}},
    "POST /api/v1/webhook-deliveries/replay": {"json": {"failed": True}},
}  # fmt: skip
"""What each route takes, so that it is the owner that decides and not the form of a request."""


async def call(console: Console, route: OneRoute, path: str, key: str) -> httpx.Response:
    body = dict(BODIES.get(str(route), {}))
    headers = {"Authorization": f"Bearer {key}", **body.pop("headers", {})}
    return await console.client.request(route.method, path, headers=headers, **body)


@pytest.mark.parametrize("scope", SCOPES)
async def test_each_scope_of_a_key_opens_its_routes_and_no_others(
    console: Console, database: Database, merchant: Merchant, theirs: Theirs, scope: Permission
) -> None:
    async with database.merchant(merchant.id) as session:
        key = await create_api_key(session, merchant.id, now=NOW, scopes=[scope])
    wrong = []
    for route in REST:
        assert isinstance(route.rule, KeyNeeds)
        answer = await call(console, route, theirs.path(route), key)
        if (answer.status_code == 403) == (route.rule.permission == scope):
            wrong.append(f"{route}: {answer.status_code}")
        if answer.status_code == 403:
            assert answer.json()["detail"].endswith(f"it has: {scope.value}")
    assert wrong == []


async def test_without_a_key_nothing_is_told(console: Console, theirs: Theirs) -> None:
    for key in ("", "kulanz_invented"):
        answers = [await call(console, route, theirs.path(route), key) for route in REST]
        assert {answer.status_code for answer in answers} == {401}


async def kept(database: Database, theirs: Theirs) -> list[dict[str, Any]]:
    """The first merchant's rows as they are."""
    async with database.operator() as session:
        rows = [await session.get_one(table, key) for table, key in theirs.rows]
        return [{c.name: getattr(row, c.key) for c in row.__table__.columns} for row in rows]


async def test_another_merchants_people_and_keys_get_and_change_nothing(
    console: Console, database: Database, other: Merchant, theirs: Theirs
) -> None:
    before = await kept(database, theirs)
    async with database.merchant(other.id) as session:
        key = await create_api_key(session, other.id, now=NOW)
    wrong = []

    def judge(route: OneRoute, answer: httpx.Response, *, foreign: frozenset[int]) -> None:
        told = [one for one in SECRETS if one in answer.text.replace(theirs.path(route), "")]
        # A wording's name is the same at every merchant.
        named = "{" in route.path and "{name}" not in route.path
        if told or (named and answer.status_code not in foreign) or answer.status_code >= 500:
            wrong.append(f"{route}: {answer.status_code} {told}")

    for route in CONSOLE:
        if "logout" in route.path:
            continue
        await sign_in_as(console, other, Role.OWNER)
        answer = await ask(console, route, theirs.path(route))
        # Ending a session says the same for one that is not there.
        fine = {303} if "{hash_}" in route.path else {403, 404}
        judge(route, answer, foreign=frozenset(fine))
    for route in REST:
        answer = await call(console, route, theirs.path(route), key)
        judge(route, answer, foreign=frozenset({403, 404}))
    assert wrong == []
    assert await kept(database, theirs) == before


async def test_the_audit_of_a_merchant_is_its_own(
    console: Console, database: Database, merchant: Merchant, other: Merchant
) -> None:
    async with database.operator() as session:
        session.add(
            AuditEvent(merchant_id=merchant.id, kind="signed_in", at=NOW, person="Vertraulich")
        )
    await sign_in_as(console, other, Role.OWNER)
    assert "Vertraulich" not in (await console.get("/console/audit")).text
    await sign_in_as(console, merchant, Role.OWNER)
    assert "Vertraulich" in (await console.get("/console/audit")).text
