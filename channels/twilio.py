"""Twilio: SMS and WhatsApp through one account.

Sends through Twilio's library with an HTTP client of ours underneath: asynchronous, pooled, without
its request log (which prints phone numbers), and sure about what was sent and what was not.
"""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlencode, urljoin, urlsplit

from twilio.base.exceptions import TwilioException
from twilio.http import AsyncHttpClient
from twilio.http.response import Response
from twilio.request_validator import (
    SIGNATURE_HEADER,
    SIGNATURE_SETTINGS_HEADER,
    RequestValidator,
    get_signature_algorithm,
)
from twilio.rest import Client

from channels.choices import LETTERS, lettered
from channels.files import FileGone, FileRefused, download
from channels.http import EXCHANGE_SECONDS_MAX, AnswerLost, Connections, NotSent
from channels.message import (
    Channel,
    GiveUp,
    MalformedWebhook,
    OutboundMessage,
    ParsedWebhook,
    Retry,
    SendReceipt,
    SignatureInvalid,
    TemplateRef,
    Throttled,
    Uncertain,
    WebhookRequest,
)
from channels.payload import form_fields, form_payload
from channels.twilio_errors import send_error
from channels.twilio_webhook import channel_address, read_form

API_URL = "https://api.twilio.com"
MEDIA_URL = "https://mms.twiliocdn.com"
"""Where the API sends who asks for media (Twilio, "protect media access with HTTP basic
authentication")."""
BODY_CHARACTERS_MAX = 1600
"""Twilio's limit for ``Body`` (error 21617)."""

_LISTED_MAX = 50
_REDIRECTS_MAX = 2
_MEDIA_PATH = re.compile(r"/2010-04-01/Accounts/\w+/Messages/\w+/Media/\w+\Z", re.ASCII)
_CLOCK_SKEW = timedelta(seconds=2)
_UNREADABLE = (ValueError, TypeError, KeyError, AttributeError, TwilioException)


class TwilioProvider:
    """One Twilio account. `senders` holds our own E.164 number per channel; a channel without one
    is not offered. `api_url` overrides the public host. Raises ValueError for an empty setting."""

    def __init__(
        self,
        *,
        account_sid: str,
        auth_token: str,
        senders: Mapping[Channel, str],
        api_url: str = API_URL,
        connections: Connections | None = None,
    ) -> None:
        if not account_sid or not auth_token:
            raise ValueError("a Twilio account needs its SID and its auth token")
        if not set(senders) <= {Channel.SMS, Channel.WHATSAPP} or not all(senders.values()):
            raise ValueError("Twilio senders are numbers for SMS or WhatsApp")
        self.account_sid = account_sid
        self.senders = dict(senders)
        self._validator = RequestValidator(auth_token)
        self._connections = connections or Connections()
        self._api_url = api_url.rstrip("/")
        self._basic = {"Authorization": _basic(account_sid, auth_token)}
        client = Client(account_sid, auth_token, http_client=_TwilioHttp(self._connections))
        client.api.base_url = self._api_url
        self._messages = client.api.account.messages

    @property
    def channels(self) -> frozenset[Channel]:
        return frozenset(self.senders)

    def verify(self, request: WebhookRequest) -> None:
        """The signature covers the public URL and every form field (Twilio, webhook security)."""
        given = request.header(SIGNATURE_HEADER) or ""
        algorithm = get_signature_algorithm(request.header(SIGNATURE_SETTINGS_HEADER))
        try:
            fields = form_fields(request.body)
            valid = self._validator.validate(request.url, fields, given, algorithm)
        except (ValueError, MalformedWebhook):
            valid = False
        if not valid:
            raise SignatureInvalid("the signature is missing or wrong")

    def parse(self, request: WebhookRequest) -> ParsedWebhook:
        return read_form(form_payload(request.body), request.query)

    async def send(self, message: OutboundMessage) -> SendReceipt:
        """Ask Twilio to create the message. WhatsApp templates bring their own buttons; anywhere
        else buttons become lettered lines (`channels.choices`)."""
        request: dict[str, Any] = {
            "to": channel_address(message.channel, message.to),
            "from_": self._sender(message),
        }
        if message.status_callback_url:
            request["status_callback"] = message.status_callback_url
        if template := _template(message):
            request["content_sid"] = template.id
            if template.variables:
                request["content_variables"] = _content_variables(template)
        else:
            request["body"] = _body(message)
        try:
            created = await self._messages.create_async(**request)
            sid = created.sid
        except NotSent:
            raise Retry("Twilio could not be reached") from None
        except AnswerLost:
            raise Uncertain("no answer from Twilio") from None
        except _Refused as refused:
            error = send_error(refused.status, refused.code, refused.retry_after_seconds)
            raise error from None
        except _UNREADABLE:
            raise Uncertain("Twilio's answer could not be read") from None
        if not sid:
            raise Uncertain("Twilio's answer names no message")
        return SendReceipt(str(sid))

    async def find_sent(self, message: OutboundMessage, claimed_at: datetime) -> SendReceipt | None:
        """Look through the account's list for this recipient and sender.

        The list is not filtered by DateSent, which a queued message does not have yet; the time of
        creation is compared here instead: from the claim until a send could last have ended. A text
        must be the same (a trial account puts its own line before it); a template's text is
        Twilio's, so for one the time alone decides.
        """
        try:
            listed = await self._messages.list_async(
                to=channel_address(message.channel, message.to),
                from_=self._sender(message),
                limit=_LISTED_MAX,
                page_size=_LISTED_MAX,
            )
            fitting = [item for item in listed if _fits(item, message, claimed_at)]
        except _Refused as refused:
            error = send_error(refused.status, refused.code, refused.retry_after_seconds)
            if isinstance(error, Throttled):
                raise error from None
            raise Retry("the message list was refused") from None
        except (NotSent, AnswerLost, *_UNREADABLE):
            raise Retry("the message list could not be read") from None
        if len(fitting) > 1:
            raise Uncertain("more than one message fits")
        return SendReceipt(str(fitting[0].sid)) if fitting else None

    async def fetch(self, reference: str) -> bytes:
        """Get the media at our account's own address of it, or where Twilio keeps its files.

        Of the address that came with the message only the path counts, so that our credentials go
        to the API alone; the short-lived address on the CDN needs none.
        """
        path = urlsplit(reference).path
        if not _MEDIA_PATH.match(path):
            raise FileGone("not an address of Twilio's media")
        answer = await download(self._connections, self._api_url + path, headers=self._basic)
        for _ in range(_REDIRECTS_MAX):
            if answer.status < 300:
                return answer.body
            target = urljoin(self._api_url + path, answer.headers.get("location", ""))
            if not target.startswith((f"{self._api_url}/", f"{MEDIA_URL}/")):
                raise FileRefused("sent to a host that is not Twilio's")
            answer = await download(self._connections, target)
        raise FileRefused("sent on too often")

    async def acknowledge(self, button_query_id: str) -> None:
        """Twilio expects no answer to a button press."""

    async def close(self) -> None:
        await self._connections.close()

    def _sender(self, message: OutboundMessage) -> str:
        sender = self.senders.get(message.channel)
        if sender is None:
            raise GiveUp(f"no sender for {message.channel} is configured")
        return channel_address(message.channel, sender)


class _Refused(Exception):
    """Twilio answered, and not with success; nothing of its text is kept."""

    def __init__(self, status: int, code: int | None, retry_after_seconds: float | None) -> None:
        super().__init__(f"Twilio answered {status}")
        self.status = status
        self.code = code
        self.retry_after_seconds = retry_after_seconds


class _TwilioHttp(AsyncHttpClient):  # type: ignore[misc]  # the library carries no types
    """The library's HTTP client over our connections."""

    def __init__(self, connections: Connections) -> None:
        self.is_async = True
        self._connections = connections

    async def request(
        self,
        method: str,
        url: str,
        params: Mapping[str, object] | None = None,
        data: Mapping[str, object] | None = None,
        headers: Mapping[str, str] | None = None,
        auth: tuple[str, str] | None = None,
        timeout: float | None = None,
        allow_redirects: bool = False,
    ) -> Response:
        """Raises NotSent, AnswerLost, _Refused; timeouts are those of the connections."""
        sent = dict(headers or {})
        if auth is not None:
            sent["Authorization"] = _basic(*auth)
        answer = await self._connections.exchange(
            method,
            f"{url}?{urlencode(params)}" if params else url,
            headers=sent,
            content=urlencode(data or {}, doseq=True).encode(),
        )
        if answer.status >= 300:
            raise _Refused(
                answer.status, _code(answer.body), _seconds(answer.headers.get("retry-after"))
            )
        return Response(answer.status, answer.body.decode(errors="replace"), answer.headers)


def _basic(user: str, secret: str) -> str:
    return "Basic " + base64.b64encode(f"{user}:{secret}".encode()).decode()


def _template(message: OutboundMessage) -> TemplateRef | None:
    return message.template if message.channel is Channel.WHATSAPP else None


def _body(message: OutboundMessage) -> str:
    if not message.text.strip():
        raise GiveUp("no text, and SMS has no templates")
    if len(message.buttons) > len(LETTERS):
        raise GiveUp("more choices than letters")
    body = lettered(message.text, [button.title for button in message.buttons])
    if len(body) > BODY_CHARACTERS_MAX:
        raise GiveUp("the text is longer than Twilio takes")
    return body


def _content_variables(template: TemplateRef) -> str:
    """Template variables as JSON. WhatsApp refuses empty ones, line breaks, tabs and long gaps."""
    variables = {key: " ".join(value.split()) for key, value in template.variables.items()}
    if not all(variables.values()):
        raise GiveUp("a template variable is empty")
    return json.dumps(variables, ensure_ascii=False)


def _fits(item: Any, message: OutboundMessage, claimed_at: datetime) -> bool:
    latest = claimed_at + timedelta(seconds=EXCHANGE_SECONDS_MAX) + _CLOCK_SKEW
    if not claimed_at - _CLOCK_SKEW <= item.date_created <= latest:
        return False
    if not str(item.direction).startswith("outbound"):
        return False
    if _template(message):
        return True
    return " ".join((item.body or "").split()).endswith(" ".join(_body(message).split()))


def _code(body: bytes) -> int | None:
    try:
        return int(json.loads(body)["code"])
    except _UNREADABLE:
        return None


def _seconds(retry_after: str | None) -> float | None:
    try:
        return float(retry_after) if retry_after else None
    except ValueError:
        return None
