"""Events reach a real web server: signed, again when they were not taken, never twice in vain."""

import asyncio
import time
from datetime import timedelta
from typing import Any

import pytest
from aiohttp import web
from sqlalchemy import insert, text
from standardwebhooks import Webhook, WebhookVerificationError

from api.merchant_events import delivery, endpoints
from api.merchant_events.addresses import EVERYWHERE
from api.merchant_events.jobs import post_due
from api.merchant_events.posting import Answer, Poster
from storage.merchant_events import new_event_key
from storage.tables import MerchantEvent, WebhookEndpoint
from tests.conftest import NOW
from tests.db.events.conftest import SECRET_KEY, Telling, answers, takes


async def test_an_event_arrives_as_the_library_of_a_receiver_reads_it(telling: Telling) -> None:
    await telling.pay(40_00)
    await telling.number()
    await telling.post()
    (got,) = telling.receiver.got
    read = Webhook(telling.secret).verify(got.text, got.headers)
    (event,) = await telling.events()
    assert read == {
        "id": event.key,
        "type": "payment.received",
        "timestamp": "2026-11-23T10:00:00Z",
        "sequence": 1,
        "merchant": "lindenhof",
        "data": {
            "claim_id": telling.claim.id,
            "claim_reference": "R-1",
            "customer_id": telling.claim.customer_id,
            "customer_number": "K-1001",
            "amount_minor": 40_00,
            "open_minor": 60_00,
            "overpaid_minor": 0,
            "currency": "EUR",
            "value_date": "2026-11-23",
            "payment_key": "merchant:B-1",
        },
    }
    assert got.headers["webhook-id"] == event.key
    assert got.headers["Content-Type"] == "application/json"
    held = await telling.delivery()
    assert (held.status, held.attempts, held.answer, held.error) == ("delivered", 1, 204, None)


async def test_what_was_changed_on_the_way_is_noticed(telling: Telling) -> None:
    await telling.pay(40_00)
    await telling.number()
    await telling.post()
    (got,) = telling.receiver.got
    with pytest.raises(WebhookVerificationError):
        Webhook(telling.secret).verify(got.text.replace("4000", "4001"), got.headers)


async def test_both_secrets_sign_until_the_time_of_change_is_over(telling: Telling) -> None:
    async with telling.database.merchant(telling.merchant.id) as session:
        new = await endpoints.rotate(
            session,
            telling.merchant.id,
            telling.endpoint_id,
            overlap=timedelta(hours=24),
            secret_key=SECRET_KEY,
            now=telling.now,
        )
    await telling.pay(1_00, "p1")
    await telling.number()
    await telling.post()
    await telling.wait(hours=24)
    await telling.pay(1_00, "p2")
    await telling.number()
    await telling.post()
    during, after = telling.receiver.got
    for secret in (telling.secret, new):
        Webhook(secret).verify(during.text, during.headers)
    Webhook(new).verify(after.text, after.headers)
    with pytest.raises(WebhookVerificationError):
        Webhook(telling.secret).verify(after.text, after.headers)


async def test_secrets_are_not_stored_as_they_are(telling: Telling) -> None:
    async with telling.database.operator() as session:
        stored = await session.scalar(text("SELECT secrets FROM webhook_endpoint"))
    assert telling.secret.encode() not in bytes(stored)
    assert b"whsec" not in bytes(stored)


async def test_an_endpoint_gets_the_kinds_it_is_for(telling: Telling) -> None:
    await telling.add_endpoint(telling.receiver.url + "/disputes", "dispute.opened")
    await telling.pay()
    await telling.number()
    held = await telling.delivery()
    assert held.endpoint_id == telling.endpoint_id


async def test_a_failing_endpoint_gets_eleven_attempts_in_three_days(telling: Telling) -> None:
    telling.receiver.answering = answers(500)
    await telling.pay()
    await telling.number()
    attempts = 0
    begin = telling.now
    while (held := await telling.delivery()).status == "pending":
        telling.now = held.due_at
        assert await telling.due() == [(telling.merchant.id, telling.endpoint_id)]
        attempts += await telling.post()
        assert await telling.due() == []
    assert (held.status, held.attempts, held.answer, held.error) == ("failed", 11, 500, "status")
    assert attempts == len(telling.receiver.got) == len(delivery.WAITS) + 1
    assert timedelta(hours=64) < telling.now - begin < timedelta(hours=80)
    assert len({got.headers["webhook-id"] for got in telling.receiver.got}) == 1
    assert len({got.text for got in telling.receiver.got}) == 1


async def test_a_retry_that_is_taken_ends_it(telling: Telling) -> None:
    telling.receiver.answering = answers(500)
    await telling.pay()
    await telling.number()
    await telling.post()
    telling.receiver.answering = takes
    assert await telling.post() == 0, "not before it is due"
    await telling.wait(seconds=6)
    assert await telling.post() == 1
    await telling.wait(days=4)
    assert await telling.due() == []
    first, second = telling.receiver.got
    assert first.headers["webhook-id"] == second.headers["webhook-id"]


async def test_an_event_that_is_not_taken_holds_back_no_other(telling: Telling) -> None:
    async def refuses_the_first(request: web.Request) -> web.StreamResponse:
        return web.Response(status=500 if '"sequence":1,' in await request.text() else 200)

    telling.receiver.answering = refuses_the_first
    for number in (1, 2, 3):
        await telling.pay(1_00, f"p{number}")
    await telling.number()
    await telling.post()
    assert [held.status for held in await telling.deliveries()] == [
        "pending",
        "delivered",
        "delivered",
    ]


async def test_a_slow_endpoint_times_out_and_is_left_alone(telling: Telling) -> None:
    async def slow(request: web.Request) -> web.StreamResponse:
        await asyncio.sleep(30)
        return web.Response()

    telling.receiver.answering = slow
    telling.answer_seconds_max = 0.3
    for number in range(20):
        await telling.pay(1_00, f"p{number}")
    await telling.number()
    begin = time.monotonic()
    attempts = await telling.post()
    assert time.monotonic() - begin < 5
    held = await telling.deliveries()
    assert attempts < 20, "those that waited were not tried in vain"
    assert {one.error for one in held if one.attempts} == {"timeout"}
    await telling.wait(seconds=59)
    assert await telling.due() == []
    await telling.wait(seconds=10)
    telling.receiver.answering = takes
    await telling.post()
    assert {one.status for one in await telling.deliveries()} == {"delivered"}


async def test_too_many_requests_are_answered_with_patience(telling: Telling) -> None:
    telling.receiver.answering = answers(429, **{"Retry-After": "600"})
    await telling.pay()
    await telling.number()
    await telling.post()
    await telling.wait(seconds=599)
    assert await telling.due() == []
    await telling.wait(seconds=2)
    assert len(await telling.due()) == 1


async def test_an_endpoint_that_is_gone_is_off(telling: Telling) -> None:
    telling.receiver.answering = answers(410)
    for number in (1, 2):
        await telling.pay(1_00, f"p{number}")
    await telling.number()
    await telling.wait(seconds=1)
    await telling.post()
    assert [one.status for one in await telling.deliveries()] == ["failed", "failed"]
    await telling.pay(1_00, "p3")
    await telling.number()
    assert len(await telling.deliveries()) == 2, "nothing is put down for it any more"
    await telling.wait(days=1)
    assert await telling.due() == []


async def test_a_redirect_is_not_followed(telling: Telling) -> None:
    telling.receiver.answering = answers(307, Location=telling.receiver.url + "/elsewhere")
    await telling.pay()
    await telling.number()
    await telling.post()
    assert len(telling.receiver.got) == 1
    held = await telling.delivery()
    assert (held.status, held.answer, held.error) == ("pending", 307, "redirect")


@pytest.mark.parametrize(
    ("host", "error"),
    [
        ("127.0.0.1", "address_refused"),
        ("localhost", "address_refused"),
        ("[::ffff:127.0.0.1]", "address_refused"),
        ("127.1", "no_answer"),  # no host's name
    ],
)
async def test_nothing_is_posted_to_this_machine_outside_a_demo(
    telling: Telling, host: str, error: str
) -> None:
    url = telling.receiver.url.replace("127.0.0.1", host)
    async with Poster([]) as poster:
        answer = await poster.post(url, [telling.secret], "evt_1", "{}")
    assert answer.error == error
    assert telling.receiver.got == []


async def test_a_name_nobody_has_and_a_closed_port_are_told_apart(telling: Telling) -> None:
    async with Poster(EVERYWHERE) as poster:
        closed = await poster.post("http://127.0.0.1:1/", [telling.secret], "evt_1", "{}")
        unknown = await poster.post("http://shop.invalid/", [telling.secret], "evt_1", "{}")
        plain = telling.receiver.url.replace("http:", "https:")
        no_tls = await poster.post(plain, [telling.secret], "evt_1", "{}")
    assert [closed.error, unknown.error, no_tls.error] == ["no_connection", "name_unknown", "tls"]


class Dying(Poster):
    """The worker's process ends when the receiver has the event and before that is noted."""

    async def post(self, *given: Any, **named: Any) -> Answer:
        await super().post(*given, **named)
        raise ConnectionAbortedError


async def test_a_worker_that_dies_leaves_the_event_to_the_next_under_its_id(
    telling: Telling,
) -> None:
    await telling.pay()
    await telling.number()
    async with Dying(EVERYWHERE) as poster:
        with pytest.raises(ConnectionAbortedError):
            await post_due(
                telling.database,
                poster,
                telling.merchant.id,
                telling.endpoint_id,
                secret_key=SECRET_KEY,
                now=lambda: NOW,
            )
    assert (await telling.delivery()).status == "pending"
    assert len(await telling.due()) == 1
    await telling.post()
    assert (await telling.delivery()).status == "delivered"
    first, second = telling.receiver.got
    assert first.headers["webhook-id"] == second.headers["webhook-id"]


async def test_secrets_of_another_key_are_a_failure_and_no_signature(telling: Telling) -> None:
    await telling.pay()
    await telling.number()
    await telling.post(secret_key="not the key")
    assert telling.receiver.got == []
    held = await telling.delivery()
    assert (held.status, held.error) == ("pending", "secret_unreadable")


async def test_an_endpoint_that_was_removed_gets_nothing(telling: Telling) -> None:
    await telling.pay()
    await telling.number()
    async with telling.database.merchant(telling.merchant.id) as session:
        await endpoints.remove(session, telling.merchant.id, telling.endpoint_id)
    assert await telling.post() == 0
    assert await telling.deliveries() == []
    assert len(await telling.events()) == 1


async def test_numbers_follow_the_commits_and_have_no_gap(telling: Telling) -> None:
    database, merchant = telling.database, telling.merchant.id
    async with database.merchant(merchant) as slow:
        slow.add(_event(merchant, "dispute.opened"))
        await slow.flush()
        async with database.merchant(merchant) as quick:
            quick.add(_event(merchant, "handoff.opened"))
        assert await telling.number() == 1
    assert await telling.number() == 1
    assert await telling.number() == 0
    assert [(event.kind, event.sequence) for event in await telling.events()] == [
        ("dispute.opened", 2),
        ("handoff.opened", 1),
    ]


async def test_two_workers_number_each_event_once(telling: Telling) -> None:
    for number in range(10):
        await telling.pay(1_00, f"p{number}")
    assert sum(await asyncio.gather(*(telling.number() for _ in range(4)))) == 10
    assert sorted(event.sequence or 0 for event in await telling.events()) == list(range(1, 11))
    assert len(await telling.deliveries()) == 10


async def test_a_thousand_events_are_there_within_seconds(telling: Telling) -> None:
    async with telling.database.operator() as session:
        await session.execute(
            insert(MerchantEvent),
            [
                {
                    "merchant_id": telling.merchant.id,
                    "key": new_event_key(),
                    "kind": "payment.received",
                    "at": NOW,
                    "claim_id": telling.claim.id,
                    "facts": {"amount_minor": minor},
                }
                for minor in range(1000)
            ],
        )
    begin = time.monotonic()
    assert await telling.number() == 1000
    numbered = time.monotonic()
    while await telling.due():
        await telling.post()
    posted = time.monotonic()
    assert {got.event["sequence"] for got in telling.receiver.got} == set(range(1, 1001))
    assert len(telling.receiver.got) == 1000
    print(
        f"1,000 events: numbered in {numbered - begin:.2f} s, posted in {posted - numbered:.2f} s"
    )
    assert posted - begin < 60


async def test_a_merchant_has_so_many_endpoints_and_no_more(telling: Telling) -> None:
    for number in range(endpoints.ENDPOINTS_MAX - 1):
        await telling.add_endpoint(f"{telling.receiver.url}/{number}")
    with pytest.raises(endpoints.EndpointRefused):
        await telling.add_endpoint(f"{telling.receiver.url}/one-more")
    with pytest.raises(endpoints.EndpointRefused, match="already"):
        await telling.add_endpoint(telling.receiver.url)
    with pytest.raises(endpoints.EndpointRefused, match=r"payment\.lost"):
        await telling.add_endpoint(telling.receiver.url, "payment.lost")
    async with telling.database.merchant(telling.merchant.id) as session:
        held = await endpoints.of_merchant(session, telling.merchant.id)
    assert len(held) == endpoints.ENDPOINTS_MAX
    assert isinstance(held[0], WebhookEndpoint)


def _event(merchant_id: int, kind: str) -> MerchantEvent:
    return MerchantEvent(merchant_id=merchant_id, key=new_event_key(), kind=kind, at=NOW, facts={})
