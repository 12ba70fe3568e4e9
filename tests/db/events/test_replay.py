"""Events are read on from a number, and posted again: one, a period, or all that failed."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import httpx
import pytest

from api.keys import create_api_key
from api.merchant_events import endpoints, health, routes
from api.queue import Worker, make_app, start_worker
from api.settings import Settings
from storage.engine import Database
from storage.tables import Merchant
from tests.apps import app_of
from tests.conftest import NOW, FakeLimits
from tests.db.events.conftest import SECRET_KEY, Telling, answers, takes


@dataclass
class FakeKeys:
    secret_key: str = SECRET_KEY


@dataclass
class FakeParts:
    """What routes and jobs need of a process."""

    database: Database
    clock: Any
    settings: Settings = field(default_factory=lambda: Settings(demo=True))
    keys: FakeKeys = field(default_factory=FakeKeys)
    limits: FakeLimits = field(default_factory=FakeLimits)


@dataclass
class TheTestsClock:
    telling: Telling

    def now(self) -> Any:
        return self.telling.now


class Api:
    """The merchant's client."""

    def __init__(self, client: httpx.AsyncClient) -> None:
        self._client = client

    async def get(self, path: str, **params: Any) -> Any:
        answer = await self._client.get(f"/api/v1/{path}", params=params)
        assert answer.status_code == 200, answer.text
        return answer.json()

    async def replay(self, path: str = "replay", **body: Any) -> httpx.Response:
        return await self._client.post(f"/api/v1/webhook-deliveries/{path}", json=body)


@pytest.fixture
async def api(telling: Telling) -> AsyncIterator[Api]:
    app = app_of(routes.router)
    app.state.parts = FakeParts(telling.database, TheTestsClock(telling))
    async with telling.database.merchant(telling.merchant.id) as session:
        key = await create_api_key(session, telling.merchant.id, now=NOW)
    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(app=app),
        base_url="http://kulanz.test",
        headers={"Authorization": f"Bearer {key}"},
    ) as client:
        yield Api(client)


async def paid(telling: Telling, *keys: str) -> None:
    for key in keys:
        await telling.pay(1_00, key)
    await telling.number()


async def test_events_are_read_on_from_a_number(telling: Telling, api: Api) -> None:
    await paid(telling, "a", "b", "c")
    first = await api.get("events", limit=2)
    assert [event["sequence"] for event in first["events"]] == [1, 2]
    rest = await api.get("events", after=first["next_after"])
    assert [event["data"]["payment_key"] for event in rest["events"]] == ["c"]
    assert await api.get("events", after=3) == {"events": [], "next_after": 3}
    await telling.post()
    assert telling.receiver.got[0].event == first["events"][0], "shown as it is posted"


async def test_a_foreign_key_reads_nothing(telling: Telling, api: Api) -> None:
    await paid(telling, "a")
    async with telling.database.operator() as session:
        other = Merchant(key="other", name="Other", created_at=NOW)
        session.add(other)
        await session.flush()
        key = await create_api_key(session, other.id, now=NOW)
    api._client.headers["Authorization"] = f"Bearer {key}"
    assert (await api.get("events"))["events"] == []
    assert (await api.get("webhook-deliveries"))["deliveries"] == []
    (held,) = await telling.deliveries()
    assert (await api.replay(f"{held.id}/replay")).status_code == 404
    api._client.headers["Authorization"] = "Bearer nobody's"
    assert (await api._client.get("/api/v1/events")).status_code == 401


async def test_deliveries_are_seen_with_what_became_of_them(telling: Telling, api: Api) -> None:
    telling.receiver.answering = answers(503)
    await paid(telling, "a")
    await telling.post()
    ((shown),) = (await api.get("webhook-deliveries", status="pending"))["deliveries"]
    (event,) = await telling.events()
    assert shown["event_id"] == event.key
    assert shown["url"] == telling.receiver.url
    assert (shown["attempts"], shown["answer"], shown["error"]) == (1, 503, "status")
    assert shown["next_attempt_at"] == "2026-11-23T10:01:00Z"
    assert (await api.get("webhook-deliveries", status="failed"))["deliveries"] == []


async def test_deliveries_are_paged(telling: Telling, api: Api) -> None:
    await paid(telling, "a", "b", "c")
    first = await api.get("webhook-deliveries", limit=2)
    rest = await api.get("webhook-deliveries", limit=2, before=first["next_before"])
    ids = [shown["id"] for page in (first, rest) for shown in page["deliveries"]]
    assert ids == sorted(ids, reverse=True)
    assert len(ids) == 3
    assert rest["next_before"] is None


async def test_one_is_posted_again_under_its_id(telling: Telling, api: Api) -> None:
    await paid(telling, "a", "b")
    await telling.post()
    first, _ = await telling.deliveries()
    assert (await api.replay(f"{first.id}/replay")).json() == {"deliveries": 1}
    await telling.post()
    ids = [got.headers["webhook-id"] for got in telling.receiver.got]
    assert len(ids) == 3
    assert len(set(ids)) == 2
    assert (await api.replay("999999/replay")).status_code == 404


async def test_all_that_failed_is_posted_again_and_nothing_else(telling: Telling, api: Api) -> None:
    await paid(telling, "a")
    await telling.post()
    telling.receiver.answering = answers(410)
    await paid(telling, "b")
    await telling.post()
    telling.receiver.answering = takes
    assert (await api.replay(failed=True)).json() == {"deliveries": 0}, "it is off"
    async with telling.database.merchant(telling.merchant.id) as session:
        await endpoints.switch_on(session, telling.merchant.id, telling.endpoint_id)
    assert (await api.replay(failed=True)).json() == {"deliveries": 1}
    await telling.post()
    assert {held.status for held in await telling.deliveries()} == {"delivered"}
    assert telling.receiver.got[-1].event["data"]["payment_key"] == "b"


async def test_a_period_is_posted_again_to_an_endpoint_that_is_new(
    telling: Telling, api: Api
) -> None:
    await paid(telling, "a")
    await telling.wait(hours=2)
    await paid(telling, "b")
    await telling.wait(hours=2)
    await paid(telling, "c")
    await telling.post()
    new, _ = await telling.add_endpoint(telling.receiver.url + "/new")
    await telling.add_endpoint(telling.receiver.url + "/other", "dispute.opened")
    period = {
        "since": (NOW + timedelta(hours=1)).isoformat(),
        "until": (NOW + timedelta(hours=4)).isoformat(),
    }
    asked = await api.replay(**period, endpoint_id=new)
    assert asked.json() == {"deliveries": 1}
    telling.endpoint_id = new
    await telling.post()
    assert telling.receiver.got[-1].event["data"]["payment_key"] == "b"
    assert (await api.replay(**period)).json() == {"deliveries": 2}, "at both that want it"


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"failed": False},
        {"since": "2026-11-23T10:00:00Z"},
        {"since": "2026-11-23T10:00:00", "until": "2026-11-23T11:00:00"},
        {"failed": True, "since": "2026-11-23T10:00:00Z", "until": "2026-11-23T11:00:00Z"},
        {"failed": True, "endpoint_id": 1},
        {"all": True},
    ],
)
async def test_what_is_to_be_posted_again_has_to_be_said(api: Api, body: dict[str, Any]) -> None:
    assert (await api.replay(**body)).status_code == 422


async def test_the_worker_numbers_and_posts_by_itself(telling: Telling) -> None:
    parts = FakeParts(telling.database, TheTestsClock(telling))
    make_app(parts, pool_size=2)  # type: ignore[arg-type]
    app = make_app(parts, pool_size=2)  # type: ignore[arg-type]
    start_worker(Worker(parts, app))  # type: ignore[arg-type]
    await telling.pay()
    async with app.open_async():
        for _ in range(2):
            await app.configure_task("kulanz:events").defer_async(timestamp=0)
            await app.run_worker_async(wait=False, concurrency=1, install_signal_handlers=False)
    assert telling.receiver.kinds == ["payment.received"]
    assert (await telling.delivery()).status == "delivered"


async def test_doctor_names_the_endpoints_that_do_not_take_events(telling: Telling) -> None:
    async def states() -> list[str]:
        async with telling.database.operator() as session:
            found = await health.examine_endpoints(session, telling.now)
        return [f"{one.mark} {one.state} {one.advice}" for one in found]

    await paid(telling, "a")
    (state,) = await states()
    assert "✓" in state
    assert "1 waiting, 0 given up" in state
    telling.receiver.answering = answers(500)
    for _ in range(health.FAILING_AFTER_ATTEMPTS):
        await telling.wait(hours=1)
        await telling.post()
    (state,) = await states()
    assert "✗" in state
    assert f"kulanz webhook test {telling.endpoint_id}" in state
    telling.receiver.answering = answers(410)
    await telling.wait(hours=3)
    await telling.post()
    (state,) = await states()
    assert ": off" in state
