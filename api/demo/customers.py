"""Invented customers who write to the service as the providers would pass it on.

Each delivery is a genuine webhook: Twilio's carry a signature over the public URL and every field,
Telegram's the secret token. A delivery that is refused or breaks off is made again, as both
providers do, so the service has to recognise it.
"""

import asyncio
import hashlib
import itertools
import json
import time
from dataclasses import dataclass, field
from typing import Any, Protocol
from urllib.parse import urlencode

import aiohttp
from twilio.request_validator import SIGNATURE_HEADER, RequestValidator

from channels.message import Channel
from channels.telegram import SECRET_HEADER
from channels.twilio_webhook import channel_address

FORM = "application/x-www-form-urlencoded"


class NotDelivered(RuntimeError):
    """The service did not take a webhook within the time; the text says what it answered last."""


class Shown(Protocol):
    """A message that a customer sees."""

    @property
    def provider_message_id(self) -> str: ...


@dataclass(frozen=True)
class Webhook:
    """One request of a provider, ready to be made any number of times."""

    path: str
    body: bytes
    headers: dict[str, str]


@dataclass
class Line:
    """The way from the providers to the service.

    `url` is where the service listens, `public_url` what it believes to be called, which is what
    Twilio's signature covers. A telegram account is set by `telegram_secret`, a Twilio account by
    `account_sid` and `auth_token`.
    """

    url: str
    public_url: str
    account_sid: str
    auth_token: str
    telegram_secret: str
    refused_count: int = 0
    _http: aiohttp.ClientSession | None = None
    _updates: "itertools.count[int]" = field(
        default_factory=lambda: itertools.count(int(time.time()) * 1000)
    )

    def next_update_id(self) -> int:
        """Telegram's number of the next update; rises with every update of the bot."""
        return next(self._updates)

    def twilio(self, path: str, fields: dict[str, str]) -> Webhook:
        """A signed request of Twilio's."""
        validator = RequestValidator(self.auth_token)
        signature = validator.compute_signature(self.public_url + path, fields)
        return Webhook(
            path, urlencode(fields).encode(), {SIGNATURE_HEADER: signature, "Content-Type": FORM}
        )

    def telegram(self, update: dict[str, Any]) -> Webhook:
        """A request of Telegram's with the secret token."""
        return Webhook(
            "/webhooks/telegram",
            json.dumps(update).encode(),
            {SECRET_HEADER: self.telegram_secret, "Content-Type": "application/json"},
        )

    async def deliver_once(self, webhook: Webhook) -> int:
        """Make the request; return the answer's status.

        Raises aiohttp.ClientError or TimeoutError when the service cannot be reached.
        """
        if self._http is None:
            self._http = aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=30))
        url = self.url + webhook.path
        async with self._http.post(url, data=webhook.body, headers=webhook.headers) as answer:
            return answer.status

    async def deliver(self, webhook: Webhook, *, seconds: float = 60) -> None:
        """Make the request until the service takes it. Raises NotDelivered after `seconds`."""
        deadline = time.monotonic() + seconds
        pause = 0.1
        while True:
            try:
                status = await self.deliver_once(webhook)
                if status < 300:
                    return
                reason = f"status {status}"
            except (aiohttp.ClientError, TimeoutError) as error:
                reason = type(error).__name__
            self.refused_count += 1
            if time.monotonic() > deadline:
                raise NotDelivered(f"{webhook.path}: {reason}")
            await asyncio.sleep(pause)
            pause = min(pause * 2, 2.0)

    async def close(self) -> None:
        """Close the connections."""
        if self._http is not None:
            await self._http.close()


def _sid(seed: str) -> str:
    return "SM" + hashlib.sha256(seed.encode()).hexdigest()[:32]


@dataclass
class PhoneCustomer:
    """Somebody with a telephone: SMS or WhatsApp through Twilio. `ours` is our own number."""

    line: Line
    number: str
    ours: str
    channel: Channel = Channel.SMS
    _written: "itertools.count[int]" = field(default_factory=itertools.count)

    @property
    def address(self) -> str:
        """How the stand-in names this customer."""
        return channel_address(self.channel, self.number)

    def message(self, text: str, **fields: str) -> Webhook:
        """The webhook of one new message."""
        sid = _sid(f"{self.address}:{next(self._written)}:{time.time_ns()}")
        form = {
            "MessageSid": sid,
            "SmsMessageSid": sid,
            "SmsSid": sid,
            "AccountSid": self.line.account_sid,
            "From": self.address,
            "To": channel_address(self.channel, self.ours),
            "Body": text,
            "NumMedia": "0",
            "NumSegments": "1",
            "SmsStatus": "received",
            "ApiVersion": "2010-04-01",
            **fields,
        }
        return self.line.twilio("/webhooks/twilio/messages", form)

    async def write(self, text: str) -> None:
        """Send one message."""
        await self.line.deliver(self.message(text))


@dataclass
class TelegramCustomer:
    """Somebody on Telegram, in a private chat with the bot."""

    line: Line
    chat_id: int
    language: str = "de"
    first_name: str = "Kim"
    numbers: "itertools.count[int]" = field(default_factory=lambda: itertools.count(1))
    """Of the messages in this chat; Telegram counts those of both sides."""

    @property
    def address(self) -> str:
        """How the stand-in names this customer."""
        return str(self.chat_id)

    def message(self, text: str = "", **fields: Any) -> Webhook:
        """The webhook of one new message: a text, or what `fields` hold."""
        message = {
            "message_id": next(self.numbers),
            "from": self._me(),
            "chat": self._chat(),
            "date": int(time.time()),
            **({"text": text} if text else {}),
            **fields,
        }
        return self.line.telegram({"update_id": self.line.next_update_id(), "message": message})

    def press(self, shown: Shown, button_id: str) -> Webhook:
        """The webhook of a press on a button under a message."""
        update_id = self.line.next_update_id()
        query = {
            "id": str(update_id),
            "from": self._me(),
            "message": {
                "message_id": int(shown.provider_message_id.partition(":")[2]),
                "chat": self._chat(),
                "date": int(time.time()),
            },
            "chat_instance": "1",
            "data": button_id,
        }
        return self.line.telegram({"update_id": update_id, "callback_query": query})

    async def write(self, text: str) -> None:
        """Send one message."""
        await self.line.deliver(self.message(text))

    def _me(self) -> dict[str, Any]:
        return {
            "id": self.chat_id,
            "is_bot": False,
            "first_name": self.first_name,
            "language_code": self.language,
        }

    def _chat(self) -> dict[str, Any]:
        return {"id": self.chat_id, "type": "private", "first_name": self.first_name}
