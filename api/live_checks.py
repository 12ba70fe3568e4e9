"""``kulanz doctor --live``: asks Telegram and Twilio what they have on file about us.

Reads only: nothing is sent to anybody, nothing is changed. Sources: Telegram Bot API (getMe,
getWebhookInfo), Twilio API 2010-04-01 (Account, IncomingPhoneNumber), Messaging API v2
(Channels/Senders), Content API v1 (ApprovalRequests). No finding quotes a credential.
"""

from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
from twilio.request_validator import SIGNATURE_HEADER, RequestValidator

from api.findings import BAD, GOOD, MISSING, Finding

ERROR_IS_RECENT = timedelta(hours=1)
TEMPLATES = ("first_contact.de", "first_contact.en", "first_reminder.de", "first_reminder.en")
_WRONG_CREDENTIALS = (401, 403, 404)


@dataclass(frozen=True, slots=True)
class LiveAccount:
    """An account as its provider should know it; `hooks` is our webhooks' address."""

    merchant: str
    channel: str
    address: str
    credentials: Mapping[str, str] = field(repr=False)
    hooks: str
    """``https://kulanz.example/webhooks`` or ``…/webhooks/<merchant>``."""
    bot_name: str | None = None
    templates: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Providers:
    """Where the providers' APIs are."""

    telegram: str
    twilio: str
    twilio_messaging: str
    twilio_content: str


class _Unanswered(Exception):
    """The provider did not answer with success; `status` is None where it did not answer."""

    def __init__(self, status: int | None, reason: str) -> None:
        super().__init__(reason)
        self.status = status


async def check(
    account: LiveAccount, providers: Providers, client: httpx.AsyncClient, now: datetime
) -> list[Finding]:
    """Everything a provider tells about one account, step by step as ``docs/connect.md`` has it."""
    kinds = {"telegram": _telegram, "sms": _sms, "whatsapp": _whatsapp}
    name = f"{account.merchant} {account.channel} {account.address}"
    if account.channel not in kinds:
        return []
    found = []
    try:
        async for mark, what, state, advice in kinds[account.channel](
            account, providers, client, now
        ):
            found.append(Finding(mark, f"{name}: {what}", state, advice))
    except _Unanswered as error:
        wrong = error.status in _WRONG_CREDENTIALS
        advice = "docs/connect.md: token, account SID and auth token" if wrong else "try again"
        found.append(Finding(BAD, name, str(error), advice))
    return found


_Step = tuple[str, str, str, str]


async def _telegram(
    account: LiveAccount, providers: Providers, client: httpx.AsyncClient, now: datetime
) -> AsyncIterator[_Step]:
    base = f"{providers.telegram}/bot{account.credentials['token']}"
    me = (await _ask(client, f"{base}/getMe"))["result"]
    if account.bot_name and me.get("username") != account.bot_name:
        advice = f"KULANZ_TELEGRAM_BOT_NAME={me.get('username')}"
        yield BAD, "name", f"the token is that of @{me.get('username')}", advice
    else:
        yield GOOD, "bot", f"@{me.get('username')}", ""
    if me.get("can_join_groups"):
        yield MISSING, "groups", "may be added to groups", "@BotFather: /setjoingroups, Disable"
    hook = (await _ask(client, f"{base}/getWebhookInfo"))["result"]
    wanted = f"{account.hooks}/telegram"
    if hook["url"] != wanted:
        state = hook["url"] or "not set"
        advice = f"kulanz up with KULANZ_PUBLIC_URL=https://… sets {wanted}"
        yield BAD, "webhook", state, advice
    else:
        yield GOOD, "webhook", f"{wanted}, {hook['pending_update_count']} waiting", ""
    if (failed_at := hook.get("last_error_date")) is not None:
        at = datetime.fromtimestamp(failed_at, UTC)
        mark = BAD if now - at < ERROR_IS_RECENT else MISSING
        state = f"{hook.get('last_error_message', 'failed')} ({at:%Y-%m-%d %H:%M} UTC)"
        yield mark, "last error", state, "403: the webhook secrets differ; start kulanz up again"
    secret = {"X-Telegram-Bot-Api-Secret-Token": account.credentials["webhook_secret"]}
    yield await _our_door(client, wanted, secret)


async def _sms(
    account: LiveAccount, providers: Providers, client: httpx.AsyncClient, now: datetime
) -> AsyncIterator[_Step]:
    async for step in _twilio_account(account, providers, client):
        yield step
    sid = account.credentials["account_sid"]
    listed = await _ask(
        client,
        f"{providers.twilio}/2010-04-01/Accounts/{sid}/IncomingPhoneNumbers.json",
        account,
        PhoneNumber=account.address,
    )
    numbers = listed["incoming_phone_numbers"]
    if not numbers:
        yield BAD, "number", "not of this account", "buy it, or set the account that has it"
        return
    (number,) = numbers[:1]
    able = number.get("capabilities", {}).get("sms", False)
    yield (
        (GOOD, "number", "can send and receive SMS", "")
        if able
        else (BAD, "number", "cannot do SMS", "take a number that can receive SMS")
    )
    wanted = f"{account.hooks}/twilio/messages"
    if (number.get("sms_url"), number.get("sms_method")) == (wanted, "POST"):
        yield GOOD, "webhook", wanted, ""
    else:
        state = f"{number.get('sms_method')} {number.get('sms_url') or 'not set'}"
        advice = f"A message comes in: POST {wanted} (in a Messaging Service: its Integration)"
        yield BAD, "webhook", state, advice
    yield await _our_twilio_door(client, account, wanted)


async def _whatsapp(
    account: LiveAccount, providers: Providers, client: httpx.AsyncClient, now: datetime
) -> AsyncIterator[_Step]:
    async for step in _twilio_account(account, providers, client):
        yield step
    url: str | None = f"{providers.twilio_messaging}/v2/Channels/Senders"
    query = {"Channel": "whatsapp", "PageSize": "100"}
    sender: Mapping[str, Any] | None = None
    while url and sender is None:
        page = await _ask(client, url, account, **query)
        mine = (one for one in page["senders"] if one["sender_id"] == f"whatsapp:{account.address}")
        sender = next(mine, None)
        url, query = (page.get("meta") or {}).get("next_page_url"), {}
    wanted = f"{account.hooks}/twilio/messages"
    if sender is None:
        yield BAD, "sender", "not registered", "Messaging, Senders, WhatsApp senders"
    else:
        online = str(sender["status"]).startswith("ONLINE")
        limit = (sender.get("properties") or {}).get("messaging_limit") or "unknown limit"
        state = f"{sender['status']}, {limit}"
        yield GOOD if online else BAD, "sender", state, "" if online else "wait for Meta's review"
        hook = sender.get("webhook") or {}
        right = (hook.get("callback_url"), hook.get("callback_method")) == (wanted, "POST")
        state = wanted if right else str(hook.get("callback_url") or "not set")
        yield GOOD if right else BAD, "webhook", state, "" if right else f"POST {wanted}"
    yield await _our_twilio_door(client, account, wanted)
    for key in TEMPLATES:
        yield await _template(key, account, providers, client)


async def _template(
    key: str, account: LiveAccount, providers: Providers, client: httpx.AsyncClient
) -> _Step:
    what, sid = f"template {key}", account.templates.get(key)
    if sid is None:
        return MISSING, what, "none: not written to first here", "kulanz channel … --template"
    found = await _ask(
        client, f"{providers.twilio_content}/v1/Content/{sid}/ApprovalRequests", account
    )
    approval = found.get("whatsapp") or {}
    status, category = approval.get("status", "unsubmitted"), approval.get("category", "")
    if status != "approved":
        return BAD, what, status, approval.get("rejection_reason") or "submit it for WhatsApp"
    if category.upper() != "UTILITY":
        return MISSING, what, f"approved as {category.lower()}", "costs more than utility"
    return GOOD, what, "approved, utility", ""


async def _twilio_account(
    account: LiveAccount, providers: Providers, client: httpx.AsyncClient
) -> AsyncIterator[_Step]:
    sid = account.credentials["account_sid"]
    found = await _ask(client, f"{providers.twilio}/2010-04-01/Accounts/{sid}.json", account)
    if found["status"] != "active":
        yield BAD, "account", str(found["status"]), "Twilio's console says why"
    elif found.get("type") == "Trial":
        advice = "upgrade it: a trial account writes to verified numbers only"
        yield MISSING, "account", "active, on trial", advice
    else:
        yield GOOD, "account", "active", ""


async def _our_twilio_door(client: httpx.AsyncClient, account: LiveAccount, url: str) -> _Step:
    validator = RequestValidator(account.credentials["auth_token"])
    return await _our_door(client, url, {SIGNATURE_HEADER: validator.compute_signature(url, {})})


async def _our_door(client: httpx.AsyncClient, url: str, key: Mapping[str, str]) -> _Step:
    """Knock at our own webhook from outside, without the key and with it, carrying nothing.

    Without it 403 is right; with it the empty message is refused as malformed (400), which only
    those hear who got past the signature.
    """
    what = "our webhook"
    try:
        strange = (await client.post(url, content=b"")).status_code
        known = (await client.post(url, content=b"", headers=dict(key))).status_code
    except httpx.HTTPError as error:
        return BAD, what, f"cannot be reached ({type(error).__name__})", "proxy, DNS, certificate"
    if strange != 403:
        return BAD, what, f"answers {strange} to a stranger", "KULANZ_PUBLIC_URL leads elsewhere"
    if known == 403:
        return BAD, what, "refuses the right key", "KULANZ_PUBLIC_URL is not what is called"
    return GOOD, what, "reached from outside, knows its key", ""


async def _ask(
    client: httpx.AsyncClient, url: str, account: LiveAccount | None = None, **query: str
) -> dict[str, Any]:
    """GET JSON. The address may hold a token, so no error quotes it."""
    auth = None
    if account is not None:
        auth = httpx.BasicAuth(
            account.credentials["account_sid"], account.credentials["auth_token"]
        )
    try:
        answer = await client.get(url, params=query or None, auth=auth)
    except httpx.HTTPError as error:
        raise _Unanswered(None, f"no answer ({type(error).__name__})") from None
    if answer.status_code != 200:
        raise _Unanswered(answer.status_code, f"answered {answer.status_code}")
    try:
        found: dict[str, Any] = answer.json()
    except ValueError:
        raise _Unanswered(200, "answered no JSON") from None
    return found
