"""``kulanz doctor --live`` against a stand-in of the four APIs, and at our own webhooks' door.

Paths, patterns of ids and payloads follow the providers' published descriptions.
"""

import json
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from pydantic import SecretStr

from api import live_checks, webhooks
from api.accounts import Providers
from api.findings import BAD, GOOD, MISSING, Finding
from api.live_checks import LiveAccount, check
from api.settings import Settings
from tests.apps import app_of

NOW = datetime(2026, 11, 23, 10, 0, tzinfo=UTC)
SID, AUTH = "AC" + "a1" * 16, "the auth token"
TOKEN, SECRET = "123456:AAbot", "hook-secret"
TEMPLATE = "HX" + "b2" * 16
HOOKS = "https://kulanz.example/webhooks"
APIS = live_checks.Providers(
    telegram="https://api.telegram.org",
    twilio="https://api.twilio.com",
    twilio_messaging="https://messaging.twilio.com",
    twilio_content="https://content.twilio.com",
)
BOT = LiveAccount(
    "lindenhof",
    "telegram",
    "123456",
    {"token": TOKEN, "webhook_secret": SECRET},
    HOOKS,
    bot_name="lindenhof_bot",
)
SMS = LiveAccount(
    "lindenhof", "sms", "+4915735990001", {"account_sid": SID, "auth_token": AUTH}, HOOKS
)
WHATSAPP = replace(
    SMS, channel="whatsapp", templates=dict.fromkeys(live_checks.TEMPLATES, TEMPLATE)
)


@dataclass
class StandIn:
    """What the providers answer, by path; a test changes what it is about."""

    answers: dict[str, Any]
    asked: list[httpx.Request] = field(default_factory=list)

    def answer(self, request: httpx.Request) -> httpx.Response:
        self.asked.append(request)
        given = self.answers.get(request.url.host + request.url.path)
        if request.url.host.endswith("twilio.com"):
            expected = httpx.BasicAuth(SID, AUTH)._auth_header
            if request.headers.get("authorization") != expected:
                return httpx.Response(401, json={"code": 20003})
        if given is None:
            return httpx.Response(404, json={"ok": False})
        if isinstance(given, int):
            return httpx.Response(given)
        return httpx.Response(200, json=given)


class AtTheDoor(httpx.AsyncBaseTransport):
    """The providers for their hosts, our own web process for ours."""

    def __init__(self, stand_in: StandIn, app: FastAPI) -> None:
        self.stand_in, self.ours = stand_in, httpx.ASGITransport(app=app)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        if request.url.host == "kulanz.example":
            return await self.ours.handle_async_request(request)
        return self.stand_in.answer(request)


def number_(**changes: Any) -> dict[str, Any]:
    return {
        "sid": "PN" + "c3" * 16,
        "account_sid": SID,
        "phone_number": SMS.address,
        "capabilities": {"voice": True, "sms": True, "mms": False, "fax": False},
        "sms_url": f"{HOOKS}/twilio/messages",
        "sms_method": "POST",
        "status": "in-use",
        **changes,
    }


def sender(**changes: Any) -> dict[str, Any]:
    return {
        "sid": "XE" + "d4" * 16,
        "sender_id": f"whatsapp:{WHATSAPP.address}",
        "status": "ONLINE",
        "webhook": {"callback_url": f"{HOOKS}/twilio/messages", "callback_method": "POST"},
        "properties": {"messaging_limit": "250 Customers/24hr", "quality_rating": "HIGH"},
        **changes,
    }


def approval(**changes: Any) -> dict[str, Any]:
    given = {
        "type": "whatsapp",
        "name": "first_contact_de",
        "category": "UTILITY",
        "content_type": "twilio/text",
        "status": "approved",
        "rejection_reason": "",
        **changes,
    }
    return {"sid": TEMPLATE, "account_sid": SID, "whatsapp": given}


def webhook_info(**changes: Any) -> dict[str, Any]:
    given = {
        "url": f"{HOOKS}/telegram",
        "has_custom_certificate": False,
        "pending_update_count": 0,
        **changes,
    }
    return {"ok": True, "result": given}


ME = f"api.telegram.org/bot{TOKEN}/getMe"
HOOK = f"api.telegram.org/bot{TOKEN}/getWebhookInfo"
ACCOUNT = f"api.twilio.com/2010-04-01/Accounts/{SID}.json"
NUMBERS = f"api.twilio.com/2010-04-01/Accounts/{SID}/IncomingPhoneNumbers.json"
SENDERS = "messaging.twilio.com/v2/Channels/Senders"
APPROVALS = f"content.twilio.com/v1/Content/{TEMPLATE}/ApprovalRequests"
BOT_USER = {"id": 123456, "is_bot": True, "first_name": "Lindenhof", "username": "lindenhof_bot"}


@pytest.fixture
def peers() -> StandIn:
    return StandIn(
        {
            ME: {"ok": True, "result": {**BOT_USER, "can_join_groups": False}},
            HOOK: webhook_info(),
            ACCOUNT: {"sid": SID, "status": "active", "type": "Full"},
            NUMBERS: {"incoming_phone_numbers": [number_()], "page": 0, "next_page_uri": None},
            SENDERS: {"senders": [sender()], "meta": {"next_page_url": None, "key": "senders"}},
            APPROVALS: approval(),
        }
    )


@pytest.fixture
def ours() -> FastAPI:
    """Our webhooks as they are served, with the same secrets."""
    settings = Settings(
        _env_file=None,
        public_url="https://kulanz.example",
        telegram_bot_token=SecretStr(TOKEN),
        telegram_webhook_secret=SecretStr(SECRET),
        twilio_account_sid=SID,
        twilio_auth_token=SecretStr(AUTH),
        twilio_sms_from=SMS.address,
    )

    async def nobody(to: str, event: object) -> None:
        """No terminal listens."""

    @dataclass
    class Parts:
        settings: Settings
        providers: Providers
        database: None = None

    providers = Providers(settings, "a secret key", nobody)
    providers._first = 1
    app = app_of(webhooks.router)
    app.state.parts = Parts(settings, providers)
    return app


async def examined(account: LiveAccount, peers: StandIn, app: FastAPI) -> list[Finding]:
    async with httpx.AsyncClient(transport=AtTheDoor(peers, app)) as client:
        found = await check(account, APIS, client, NOW)
    assert not any(secret in str(found) for secret in (TOKEN, SECRET, AUTH, SID)), (
        "a finding quotes a credential"
    )
    return found


@pytest.mark.parametrize(
    ("account", "steps"),
    [
        (BOT, ["bot", "webhook", "our webhook"]),
        (SMS, ["account", "number", "webhook", "our webhook"]),
        (
            WHATSAPP,
            ["account", "sender", "webhook", "our webhook"]
            + [f"template {key}" for key in live_checks.TEMPLATES],
        ),
    ],
)
async def test_all_is_well(
    account: LiveAccount, steps: list[str], peers: StandIn, ours: FastAPI
) -> None:
    found = await examined(account, peers, ours)
    assert [one.what.partition(": ")[2] for one in found] == steps
    assert {one.mark for one in found} == {GOOD}, found
    assert {request.method for request in peers.asked} == {"GET"}


@pytest.mark.parametrize(
    ("account", "path", "answer", "mark", "state"),
    [
        (BOT, ME, 401, BAD, "answered 401"),
        (BOT, ME, {"ok": True, "result": {**BOT_USER, "username": "x_bot"}}, BAD, "that of @x_bot"),
        (BOT, ME, {"ok": True, "result": {**BOT_USER, "can_join_groups": True}}, MISSING, "groups"),
        (BOT, HOOK, webhook_info(url=""), BAD, "not set"),
        (BOT, HOOK, webhook_info(url="https://old.example/hook"), BAD, "https://old.example/hook"),
        (
            BOT, HOOK,
            webhook_info(
                last_error_date=int(NOW.timestamp()) - 60,
                last_error_message="Wrong response from the webhook: 403 Forbidden",
            ),
            BAD, "403 Forbidden (2026-11-23 09:59 UTC)",
        ),
        (
            BOT, HOOK,
            webhook_info(last_error_date=int(NOW.timestamp()) - 90_000, last_error_message="x"),
            MISSING, "x (2026-11-22",
        ),
        (SMS, ACCOUNT, 404, BAD, "answered 404"),
        (SMS, ACCOUNT, {"sid": SID, "status": "suspended", "type": "Full"}, BAD, "suspended"),
        (SMS, ACCOUNT, {"sid": SID, "status": "active", "type": "Trial"}, MISSING, "on trial"),
        (SMS, NUMBERS, {"incoming_phone_numbers": []}, BAD, "not of this account"),
        (SMS, NUMBERS, {"incoming_phone_numbers": [number_(sms_url="")]}, BAD, "POST not set"),
        (SMS, NUMBERS, {"incoming_phone_numbers": [number_(sms_method="GET")]}, BAD, "GET https"),
        (
            SMS, NUMBERS, {"incoming_phone_numbers": [number_(capabilities={"sms": False})]},
            BAD, "cannot do SMS",
        ),
        (WHATSAPP, SENDERS, {"senders": [], "meta": {}}, BAD, "not registered"),
        (
            WHATSAPP, SENDERS, {"senders": [sender(status="TWILIO_REVIEW")], "meta": {}},
            BAD, "TWILIO_REVIEW",
        ),
        (WHATSAPP, SENDERS, {"senders": [sender(webhook=None)], "meta": {}}, BAD, "not set"),
        (WHATSAPP, APPROVALS, approval(status="rejected", rejection_reason="no"), BAD, "rejected"),
        (WHATSAPP, APPROVALS, approval(category="MARKETING"), MISSING, "approved as marketing"),
        (WHATSAPP, APPROVALS, {"sid": TEMPLATE}, BAD, "unsubmitted"),
    ],
)  # fmt: skip
async def test_each_fault_is_named(
    account: LiveAccount,
    path: str,
    answer: Any,
    mark: str,
    state: str,
    peers: StandIn,
    ours: FastAPI,
) -> None:
    peers.answers[path] = answer
    found = await examined(account, peers, ours)
    named = [one for one in found if state in f"{one.what} {one.state}"]
    assert named, found
    assert {one.mark for one in named} == {mark}
    assert all(one.advice for one in named)


@pytest.mark.parametrize("account", [BOT, SMS, WHATSAPP])
async def test_wrong_secrets_of_ours_are_seen_at_the_door(
    account: LiveAccount, peers: StandIn, ours: FastAPI
) -> None:
    other = {"webhook_secret": "another", "auth_token": "another"}
    wrong = replace(account, credentials={**account.credentials, **other})
    if account is not BOT:
        found = await examined(wrong, peers, ours)
        assert (found[0].mark, found[0].state) == (BAD, "answered 401")
        return
    door = (await examined(wrong, peers, ours))[-1]
    assert (door.mark, door.state) == (BAD, "refuses the right key")


async def test_a_public_address_that_leads_elsewhere_is_seen(peers: StandIn) -> None:
    elsewhere = FastAPI()

    @elsewhere.post("/webhooks/{path:path}")
    def welcome(path: str) -> str:
        return "Welcome"

    door = (await examined(SMS, peers, elsewhere))[-1]
    assert (door.mark, door.state) == (BAD, "answers 200 to a stranger")


async def test_a_sender_on_a_later_page_is_found(peers: StandIn, ours: FastAPI) -> None:
    later = "https://messaging.twilio.com/v2/Channels/Senders/later"
    peers.answers[SENDERS] = {"senders": [], "meta": {"next_page_url": later}}
    peers.answers[later.removeprefix("https://")] = {"senders": [sender()], "meta": {}}
    found = await examined(WHATSAPP, peers, ours)
    assert {one.mark for one in found} == {GOOD}


async def test_what_is_asked_is_what_is_documented(peers: StandIn, ours: FastAPI) -> None:
    for account in (BOT, SMS, WHATSAPP):
        await examined(account, peers, ours)
    asked = {f"{request.url.host}{request.url.path}": request.url.query for request in peers.asked}
    assert asked[NUMBERS] == b"PhoneNumber=%2B4915735990001"
    assert b"Channel=whatsapp" in asked[SENDERS]
    assert not any(json.dumps(AUTH) in str(request.url) for request in peers.asked)
