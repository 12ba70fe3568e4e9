"""``/console/settings/webhooks``: where events are posted to, and what became of them."""

import hashlib
from datetime import datetime, timedelta
from typing import Annotated, Any

from cryptography.fernet import InvalidToken
from fastapi import Depends, Form, Query, Request, Response
from sqlalchemy.ext.asyncio import AsyncSession

from api.merchant_events import endpoints, replay, trial
from api.merchant_events.addresses import UrlRefused
from api.merchant_events.endpoints import EndpointRefused, EndpointUnknown
from api.merchant_events.posting import Answer
from api.merchant_events.routes import delivery_view
from api.pages.console.conversations import Id
from api.pages.console.page import console_router, go, language_of, notice, parts_of, query
from api.pages.console.settings import told
from api.pages.console.settings.page import Before, Setter, show
from api.pages.console.view import moment, texts
from api.people import audit
from api.people.access import Needs
from api.people.roles import Permission
from api.people.sessions import SignedIn
from storage.merchant_events import EventKind
from storage.tables import Merchant, WebhookEndpoint

router = console_router()

PATH = "/console/settings/webhooks"
STATES = ("failed", "pending", "delivered")
LISTED_MAX = 25
OVERLAP = timedelta(hours=24)
"""So long the secret before a new one signs along."""

Poster = Annotated[SignedIn, Depends(Needs(Permission.EVENTS))]
Line = Annotated[str, Form(max_length=2100)]


@router.get("/settings/webhooks")
async def listed(
    request: Request,
    person: Setter,
    state: str = "",
    before: Before = None,
    done: str = "",
    count: Annotated[int, Query(ge=0)] = 0,
) -> Response:
    """The endpoints, and the deliveries to them."""
    told_done = done if done in ("replayed", "on", "removed") else ""
    return await _page(request, person, state=state, before=before, done=told_done, count=count)


@router.post("/settings/webhooks")
async def add(request: Request, person: Setter, url: Line = "") -> Response:
    """Post events to an address from now on; its secret is shown, once."""
    form = await request.form()
    kinds = [str(kind) for kind in form.getlist("kinds")]
    parts = parts_of(request)
    try:
        async with parts.database.merchant(person.merchant_id) as session:
            endpoint, secret = await endpoints.add(
                session, person.merchant_id, url.strip(), kinds,
                settings=parts.settings, secret_key=parts.keys.secret_key, now=parts.clock.now(),
            )  # fmt: skip
            _note(request, session, person, "endpoint_added", endpoint.id)
    except (UrlRefused, EndpointRefused) as refused:
        wrong = told.told(str(refused), language_of(request), "addresses")
        return await _page(request, person, url=url, kinds=kinds, wrong=wrong, status=422)
    return await _page(request, person, secret=secret, secret_of=endpoint.url)


@router.post("/settings/webhooks/replay")
async def replay_failed(request: Request, person: Poster) -> Response:
    """Post all that was given up again."""
    now = parts_of(request).clock.now()
    async with parts_of(request).database.merchant(person.merchant_id) as session:
        count = await replay.replay_failed(session, person.merchant_id, now)
        if count:
            _note(request, session, person, "deliveries_replayed", count=count)
    return go(request, PATH, done="replayed", count=count)


@router.post("/settings/webhooks/deliveries/{delivery_id}/replay")
async def replay_one(request: Request, person: Poster, delivery_id: Id) -> Response:
    """Post one delivery again, under its own id."""
    now = parts_of(request).clock.now()
    try:
        async with parts_of(request).database.merchant(person.merchant_id) as session:
            await replay.replay_one(session, person.merchant_id, delivery_id, now)
            _note(request, session, person, "deliveries_replayed", delivery=delivery_id)
    except replay.DeliveryUnknown:
        return notice(request, "nothing", 404, {"person": person})
    return go(request, PATH, done="replayed", count=1)


@router.post("/settings/webhooks/{endpoint}/test")
async def test(request: Request, person: Setter, endpoint: Id) -> Response:
    """Post a test event now, and say what the address answered."""
    parts = parts_of(request)
    try:
        async with parts.database.merchant(person.merchant_id) as session:
            merchant = await session.get_one(Merchant, person.merchant_id)
            held, signing = await trial.signing_of(
                session, person.merchant_id, endpoint,
                secret_key=parts.keys.secret_key, now=parts.clock.now(),
            )  # fmt: skip
            _note(request, session, person, "endpoint_tested", endpoint)
    except EndpointUnknown:
        return notice(request, "nothing", 404, {"person": person})
    except InvalidToken:
        answer = Answer(error="secret_unreadable")
        return await _page(request, person, tested=(endpoint, answer))
    answer = await trial.post_test(
        held.url, signing, merchant.key, settings=parts.settings, now=parts.clock.now()
    )
    return await _page(request, person, tested=(endpoint, answer))


@router.post("/settings/webhooks/{endpoint}/secret")
async def rotate(
    request: Request, person: Setter, endpoint: Id, held: Annotated[str, Form()] = ""
) -> Response:
    """Give an address a new secret, shown once; a form that is sent twice makes one."""
    parts = parts_of(request)
    try:
        async with parts.database.merchant(person.merchant_id) as session:
            found = await endpoints.named(session, person.merchant_id, endpoint)
            if held != _mark_of(found):
                return await _page(request, person, problem="secret_stale", status=422)
            secret = await endpoints.rotate(
                session, person.merchant_id, endpoint,
                overlap=OVERLAP, secret_key=parts.keys.secret_key, now=parts.clock.now(),
            )  # fmt: skip
            _note(request, session, person, "endpoint_secret_changed", endpoint)
    except EndpointUnknown:
        return notice(request, "nothing", 404, {"person": person})
    except InvalidToken:
        return await _page(request, person, problem="secret_unreadable", status=422)
    return await _page(request, person, secret=secret, secret_of=found.url, overlaps=True)


@router.post("/settings/webhooks/{endpoint}/on")
async def switch_on(request: Request, person: Setter, endpoint: Id) -> Response:
    """Post to an address again that wanted nothing more."""
    return await _changed(request, person, endpoint, "on")


@router.post("/settings/webhooks/{endpoint}/remove")
async def remove(request: Request, person: Setter, endpoint: Id) -> Response:
    """Forget an address, its secrets and its deliveries."""
    return await _changed(request, person, endpoint, "removed")


async def _changed(request: Request, person: SignedIn, endpoint: int, done: str) -> Response:
    try:
        async with parts_of(request).database.merchant(person.merchant_id) as session:
            if done == "on":
                await endpoints.switch_on(session, person.merchant_id, endpoint)
                _note(request, session, person, "endpoint_switched_on", endpoint)
            else:
                await endpoints.remove(session, person.merchant_id, endpoint)
                _note(request, session, person, "endpoint_removed", endpoint)
    except EndpointUnknown:
        return notice(request, "nothing", 404, {"person": person})
    return go(request, PATH, done=done)


def _note(
    request: Request,
    session: AsyncSession,
    person: SignedIn,
    kind: str,
    endpoint: int | None = None,
    **facts: Any,
) -> None:
    if endpoint is not None:
        facts["endpoint"] = endpoint
    now = parts_of(request).clock.now()
    audit.note(session, person, kind, now, merchant_id=person.merchant_id, **facts)


def _mark_of(endpoint: WebhookEndpoint) -> str:
    """What tells that the secrets are those that a form was made with."""
    return hashlib.sha256(endpoint.secrets).hexdigest()[:16]


async def _page(
    request: Request,
    person: SignedIn,
    *,
    state: str = "",
    before: int | None = None,
    tested: tuple[int, Answer] | None = None,
    status: int = 200,
    **more: Any,
) -> Response:
    language = language_of(request)
    chosen = state if state in STATES else ""
    async with parts_of(request).database.merchant(person.merchant_id) as session:
        held = await endpoints.of_merchant(session, person.merchant_id)
        wanted = replay.Listed(chosen or None, before=before, most=LISTED_MAX + 1)
        rows = await replay.deliveries(session, person.merchant_id, wanted)
    words = texts(language)["webhooks"]
    problem = more.pop("problem", "")
    kept = {"state": chosen, "lang": request.query_params.get("lang", "")}
    more_rows = len(rows) > LISTED_MAX
    facts = {
        "endpoints": [
            {
                "id": one.id,
                "url": one.url,
                "kinds": [words["kinds"].get(kind, kind) for kind in one.kinds],
                "off": moment(one.off_at, language, person.zone) if one.off_at else "",
                "held": _mark_of(one),
                "told": _answered(tested[1], words) if tested and tested[0] == one.id else None,
            }
            for one in held
        ],
        "rows": [_delivery(row, words, language, person) for row in rows[:LISTED_MAX]],
        "all_kinds": [kind.value for kind in EventKind],
        "states": STATES,
        "chosen": chosen,
        "older": query(**kept, before=rows[LISTED_MAX - 1].WebhookDelivery.id) if more_rows else "",
        "newest": (query(**kept) or "?") if before else "",
        "problem": words["problems"][problem] if problem else "",
        **{"url": "", "kinds": [], "wrong": None, "secret": "", "secret_of": "", "done": ""},
        **{"count": 0, "overlaps": False},
        **more,
    }
    return show(request, person, "webhooks", facts, status)


def _delivery(row: Any, words: dict[str, Any], language: str, person: SignedIn) -> dict[str, Any]:
    shown = delivery_view(row)

    def at(when: datetime | None) -> str:
        return moment(when, language, person.zone) if when else ""

    return {
        "id": shown.id,
        "kind": words["kinds"].get(shown.event_type, shown.event_type),
        "sequence": shown.sequence,
        "url": shown.url,
        "status": shown.status,
        "attempts": shown.attempts,
        "at": at(shown.attempted_at),
        "next": at(shown.next_attempt_at),
        "said": _said(shown.answer, shown.error, words),
    }


def _answered(answer: Answer, words: dict[str, Any]) -> dict[str, Any]:
    return {"taken": answer.taken, "said": _said(answer.status, answer.error, words)}


def _said(status: int | None, error: str | None, words: dict[str, Any]) -> str:
    told_error = words["errors"].get(error, error) if error else ""
    return ", ".join(str(part) for part in (status, told_error) if part)
