"""A stand-in of Telegram's Bot API and of Twilio's Messages resource, on loopback.

It accepts what the service sends, keeps it in order with the time of acceptance, fails on request
as the providers do, and reports delivery by signed status callbacks. Shapes follow the providers'
published specifications.
"""

import asyncio
import itertools
import json
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from email.utils import format_datetime
from typing import Any
from urllib.parse import parse_qs, parse_qsl, urlsplit

import httpx
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.types import Receive, Scope, Send
from twilio.request_validator import SIGNATURE_HEADER, RequestValidator

from api.demo.faults import Failing, Fault, Plan
from api.demo.media import MEDIA, file_named
from api.demo.templates import by_id

LISTED_MAX = 50


@dataclass(frozen=True)
class Accepted:
    """One message that the stand-in took, as a provider would have delivered it.

    `to` is a chat id or a number, with Twilio's ``whatsapp:`` prefix where it has one; `outbox_id`
    is read from the status callback's address and None for Telegram, which has none.
    `provider_message_id` has the form that the service notes. `accepted_monotonic` is seconds of
    this machine's monotonic clock.
    """

    number: int
    provider: str
    provider_message_id: str
    to: str
    sender: str
    text: str
    buttons: tuple[tuple[str, str], ...]
    outbox_id: int | None
    callback_url: str | None
    accepted_at: datetime
    accepted_monotonic: float
    content_sid: str | None = None


@dataclass
class StandIn:
    """Both providers at once. `auth_token` signs the status callbacks that `reports` names, in
    that order, for each Twilio message; `watch` is called with each accepted message,
    `watch_status` with each status that the service took, and `watch_typing` with the chat in
    which a bot says that it is typing. Messages are numbered from `first_number`."""

    auth_token: str
    reports: tuple[str, ...] = ()
    watch: Callable[[Accepted], None] = lambda _accepted: None
    watch_status: Callable[[Accepted, str], None] = lambda _accepted, _status: None
    watch_typing: Callable[[str], None] = lambda _chat: None
    first_number: int = 1
    accepted: list[Accepted] = field(default_factory=list)
    acknowledged: list[str] = field(default_factory=list)
    faults: Plan = field(default_factory=Plan)
    refused_count: int = 0
    numbers: "itertools.count[int]" = field(init=False)
    _reporting: "set[asyncio.Task[None]]" = field(default_factory=set)
    _http: httpx.AsyncClient | None = None

    def __post_init__(self) -> None:
        self.numbers = itertools.count(self.first_number)

    def app(self) -> Starlette:
        """The ASGI application."""
        account = "/2010-04-01/Accounts/{account}"
        messages = f"{account}/Messages.json"
        return Starlette(
            routes=[
                Route("/file/bot{token}/{name}", self._file, methods=["GET"]),
                Route("/bot{token}/{method}", self._telegram, methods=["GET", "POST"]),
                Route(f"{account}/Messages/{{message}}/Media/ME{{kind}}", self._file),
                Route(messages, self._twilio_create, methods=["POST"]),
                Route(messages, self._twilio_list, methods=["GET"]),
                Route("/accepted", self._accepted_after, methods=["GET"]),
            ]
        )

    def to(self, recipient: str) -> list[Accepted]:
        """Everything accepted for one recipient, in order."""
        return [message for message in self.accepted if message.to == recipient]

    @property
    def reporting(self) -> bool:
        """Whether status callbacks are still under way."""
        return bool(self._reporting)

    async def report(self, message: Accepted, status: str, *, code: int | None = None) -> int:
        """Send one signed status callback for a Twilio message; return the answer's status.

        Raises httpx.HTTPError when the service cannot be reached, ValueError for a message
        without a callback address.
        """
        if message.callback_url is None:
            raise ValueError("this message has no status callback")
        fields = {
            "MessageSid": message.provider_message_id,
            "SmsSid": message.provider_message_id,
            "MessageStatus": status,
            "SmsStatus": status,
            "To": message.to,
            "From": message.sender,
            "ApiVersion": "2010-04-01",
        }
        if code is not None:
            fields["ErrorCode"] = str(code)
        signature = RequestValidator(self.auth_token).compute_signature(
            message.callback_url, fields
        )
        self._http = self._http or httpx.AsyncClient(timeout=10)
        answer = await self._http.post(
            message.callback_url, data=fields, headers={SIGNATURE_HEADER: signature}
        )
        return answer.status_code

    async def read(self, provider_message_id: str) -> None:
        """The recipient of a Twilio message has looked at it."""
        for message in self.accepted:
            if message.provider_message_id == provider_message_id and message.callback_url:
                await self._report(message, "read")

    async def close(self) -> None:
        """End the reports under way."""
        for task in list(self._reporting):
            task.cancel()
        if self._http is not None:
            await self._http.aclose()

    async def _file(self, request: Request) -> Response:
        """A file that a customer sent, by its name (Telegram) or its kind (Twilio)."""
        kind, name = request.path_params.get("kind", ""), request.path_params.get("name", "")
        content = file_named(name or MEDIA.get(kind, ("", ""))[1])
        return Response(status_code=404) if content is None else Response(content)

    async def _telegram(self, request: Request) -> Response:
        method = request.path_params["method"]
        bot = request.path_params["token"].partition(":")[0]
        given = dict(parse_qsl((await request.body()).decode(), keep_blank_values=True))
        if method == "getFile":
            name = given["file_id"].removeprefix("demo-")
            found = {"file_id": given["file_id"], "file_unique_id": name, "file_path": name}
            return JSONResponse({"ok": True, "result": found})
        if method != "sendMessage":
            if method == "answerCallbackQuery":
                self.acknowledged.append(given.get("callback_query_id", ""))
            if method == "sendChatAction":
                self.watch_typing(given.get("chat_id", ""))
            about = {"id": int(bot), "is_bot": True, "first_name": "Kulanz", "username": "demo_bot"}
            return JSONResponse({"ok": True, "result": about if method == "getMe" else True})
        fault = self.faults.take(given["chat_id"])
        if fault is not None and fault.kind is Failing.REFUSED:
            self.refused_count += 1
            return _telegram_refusal(fault)
        number = next(self.numbers)
        chat = int(given["chat_id"])
        markup = json.loads(given.get("reply_markup") or "{}")
        now = datetime.now(UTC)
        self._keep(
            Accepted(
                number=number,
                provider="telegram",
                provider_message_id=f"{chat}:{number}",
                to=given["chat_id"],
                sender=bot,
                text=given["text"],
                buttons=tuple(
                    (button["callback_data"], button["text"])
                    for row in markup.get("inline_keyboard", [])
                    for button in row
                ),
                outbox_id=None,
                callback_url=None,
                accepted_at=now,
                accepted_monotonic=time.monotonic(),
            )
        )
        sent = {
            "message_id": number,
            "date": int(now.timestamp()),
            "chat": {"id": chat, "type": "private"},
            "from": {"id": int(bot), "is_bot": True, "first_name": "Kulanz"},
            "text": given["text"],
        }
        return await _after(fault, JSONResponse({"ok": True, "result": sent}))

    async def _twilio_create(self, request: Request) -> Response:
        given = dict(parse_qsl((await request.body()).decode(), keep_blank_values=True))
        fault = self.faults.take(given["To"])
        if fault is not None and fault.kind is Failing.REFUSED:
            self.refused_count += 1
            return _twilio_refusal(fault)
        number = next(self.numbers)
        callback = given.get("StatusCallback")
        template = by_id().get(given.get("ContentSid", ""))
        text, replies = given.get("Body", ""), tuple[str, ...]()
        if template is not None:
            text = template.filled(json.loads(given.get("ContentVariables") or "{}"))
            replies = template.quick_replies
        message = Accepted(
            number=number,
            provider="twilio",
            provider_message_id=f"SM{number:032x}",
            to=given["To"],
            sender=given["From"],
            text=text,
            buttons=tuple((title, title) for title in replies),
            outbox_id=_outbox_id(callback),
            callback_url=callback,
            accepted_at=datetime.now(UTC),
            accepted_monotonic=time.monotonic(),
            content_sid=given.get("ContentSid"),
        )
        self._keep(message)
        if callback and self.reports:
            task = asyncio.create_task(self._report_all(message))
            self._reporting.add(task)
            task.add_done_callback(self._reporting.discard)
        body = _resource(message, request.path_params["account"])
        return await _after(fault, JSONResponse(body, status_code=201))

    async def _twilio_list(self, request: Request) -> Response:
        wanted = request.query_params
        found = [
            _resource(message, request.path_params["account"])
            for message in reversed(self.accepted)
            if message.provider == "twilio"
            and wanted.get("To") in (None, message.to)
            and wanted.get("From") in (None, message.sender)
            and _sent_within(message.accepted_at.date().isoformat(), wanted)
        ]
        size = min(int(wanted.get("PageSize", LISTED_MAX)), 1000)
        page = {"messages": found[:size], "page": 0, "page_size": size, "next_page_uri": None}
        return JSONResponse(page)

    async def _accepted_after(self, request: Request) -> Response:
        after = int(request.query_params.get("after", 0))
        listed = [asdict(message) for message in self.accepted if message.number > after]
        return Response(json.dumps(listed, default=str), media_type="application/json")

    def _keep(self, message: Accepted) -> None:
        self.accepted.append(message)
        self.watch(message)

    async def _report_all(self, message: Accepted) -> None:
        for status in self.reports:
            await self._report(message, status)

    async def _report(self, message: Accepted, status: str) -> None:
        """Report as Twilio does: again where the service does not take it, but not for ever."""
        for _ in range(20):
            try:
                if await self.report(message, status) < 300:
                    self.watch_status(message, status)
                    return
            except httpx.HTTPError:
                pass
            await asyncio.sleep(0.5)


class _CutShort(Response):
    """Promises a body that never comes, so that the server breaks the connection."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers = [(b"content-length", b"100")]
        await send({"type": "http.response.start", "status": 200, "headers": headers})


async def _after(fault: Fault | None, answer: Response) -> Response:
    if fault is not None and fault.kind is Failing.SLOW:
        await asyncio.sleep(fault.delay_seconds)
    return _CutShort() if fault is not None and fault.kind is Failing.CUT else answer


def _telegram_refusal(fault: Fault) -> Response:
    body: dict[str, Any] = {"ok": False, "error_code": fault.status, "description": "Refused"}
    if fault.retry_after_seconds is not None:
        body["parameters"] = {"retry_after": fault.retry_after_seconds}
    return JSONResponse(body, status_code=fault.status)


def _twilio_refusal(fault: Fault) -> Response:
    headers = {}
    if fault.retry_after_seconds is not None:
        headers["Retry-After"] = str(fault.retry_after_seconds)
    body = {"code": fault.code, "message": "Refused", "status": fault.status}
    return JSONResponse(body, status_code=fault.status, headers=headers)


def _outbox_id(callback_url: str | None) -> int | None:
    given = parse_qs(urlsplit(callback_url or "").query).get("outbox")
    return int(given[0]) if given else None


def _sent_within(day: str, wanted: Mapping[str, str]) -> bool:
    """Twilio's three DateSent filters: on, from (``DateSent>``) and until (``DateSent<``) a day."""
    return (
        wanted.get("DateSent", day)[:10] == day
        and wanted.get("DateSent>", day)[:10] <= day
        and day <= wanted.get("DateSent<", day)[:10]
    )


def _resource(message: Accepted, account: str) -> dict[str, Any]:
    """The Message resource (Twilio API v2010)."""
    moment = format_datetime(message.accepted_at)
    uri = f"/2010-04-01/Accounts/{account}/Messages/{message.provider_message_id}.json"
    return {
        "account_sid": account,
        "api_version": "2010-04-01",
        "body": message.text,
        "date_created": moment,
        "date_sent": None,
        "date_updated": moment,
        "direction": "outbound-api",
        "error_code": None,
        "error_message": None,
        "from": message.sender,
        "messaging_service_sid": None,
        "num_media": "0",
        "num_segments": "1",
        "price": None,
        "price_unit": "USD",
        "sid": message.provider_message_id,
        "status": "queued",
        "subresource_uris": {"media": uri.replace(".json", "/Media.json")},
        "to": message.to,
        "uri": uri,
    }
