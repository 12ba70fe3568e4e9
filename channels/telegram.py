"""Telegram through its Bot API: webhooks in, ``sendMessage`` out.

A bot cannot write first: a person comes in through ``t.me/<bot>?start=<token>``. The bot token is
part of every URL Telegram has, so here only the request layer knows it; the library, its logs, its
errors and its `repr` see a placeholder.
"""

from __future__ import annotations

import hmac
import json
import logging
import re
from datetime import datetime
from typing import Any
from urllib.parse import urlencode

from telegram import Bot, InlineKeyboardButton, InlineKeyboardMarkup, LinkPreviewOptions
from telegram.error import TelegramError
from telegram.request import BaseRequest, RequestData

from channels.files import (
    FileGone,
    FileOutOfReach,
    FileRefused,
    FileTooLarge,
    download,
    refusal,
)
from channels.http import AnswerLost, Connections, NotSent
from channels.message import (
    Channel,
    ContactStopped,
    GiveUp,
    OutboundMessage,
    ParsedWebhook,
    Retry,
    SendError,
    SendReceipt,
    SignatureInvalid,
    Throttled,
    Uncertain,
    Unsupported,
    WebhookRequest,
    WrongAddress,
)
from channels.payload import json_payload
from channels.telegram_update import ALLOWED_UPDATES, message_key, read_update

API_URL = "https://api.telegram.org"
SECRET_HEADER = "X-Telegram-Bot-Api-Secret-Token"
TEXT_UNITS_MAX = 4096
"""Characters of one message (Bot API, sendMessage), counted as Telegram does, in UTF-16 units."""

_TOKEN = re.compile(r"(?P<bot_id>\d+):\S+\Z")
_FILE_PATH = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9_./-]*\Z")
_SECRET = re.compile(r"[A-Za-z0-9_-]{1,256}\Z")

_REFUSALS: tuple[tuple[int, str, type[SendError], str], ...] = (
    (403, "user is deactivated", WrongAddress, "the account no longer exists"),
    (403, "can't initiate", WrongAddress, "the person never started the bot"),
    (403, "", ContactStopped, "the person blocked the bot"),
    (400, "chat not found", WrongAddress, "no such chat"),
    (400, "peer_id_invalid", WrongAddress, "no such chat"),
    (400, "user not found", WrongAddress, "no such chat"),
    (400, "chat_id is empty", WrongAddress, "no such chat"),
    (400, "migrated", WrongAddress, "the chat is a group"),
    (400, "", GiveUp, "the message was refused"),
    (401, "", GiveUp, "the bot token was refused"),
    (404, "", GiveUp, "the bot token was refused"),
)

# At debug level the library logs whole messages with chat ids and texts.
logging.getLogger("telegram.Bot").setLevel(logging.INFO)


class TelegramProvider:
    """One bot. `webhook_secret` is what Telegram repeats in every webhook (1 to 256 characters
    of ``A-Z a-z 0-9 _ -``); `api_url` overrides the public host. Raises ValueError for a token or
    secret that Telegram could not have given or take."""

    channels = frozenset({Channel.TELEGRAM})

    def __init__(
        self,
        *,
        token: str,
        webhook_secret: str,
        api_url: str = API_URL,
        connections: Connections | None = None,
    ) -> None:
        match = _TOKEN.match(token)
        if match is None:
            raise ValueError("a Telegram bot token looks like 123456:ABC…")
        if not _SECRET.match(webhook_secret):
            raise ValueError("a Telegram webhook secret has 1 to 256 of A-Z a-z 0-9 _ -")
        self.account = match["bot_id"]
        self._webhook_secret = webhook_secret
        self._request = _BotRequest(
            f"{api_url.rstrip('/')}/bot{token}", connections or Connections()
        )
        self._bot = Bot(
            token=f"{self.account}:hidden",
            base_url=lambda _token: "",
            base_file_url=lambda _token: "",
            request=self._request,
            get_updates_request=self._request,
        )

    def verify(self, request: WebhookRequest) -> None:
        given = request.header(SECRET_HEADER) or ""
        if not hmac.compare_digest(given.encode(), self._webhook_secret.encode()):
            raise SignatureInvalid("the secret token is missing or wrong")

    def parse(self, request: WebhookRequest) -> ParsedWebhook:
        return read_update(json_payload(request.body), account=self.account)

    async def send(self, message: OutboundMessage) -> SendReceipt:
        """Send one text with its buttons below each other.

        A longer text than Telegram takes is given up rather than split: two requests under one
        outbox id could not be told apart after a crash. Link previews are off, since fetching one
        would use up a one-time link.
        """
        if not message.text.strip():
            raise GiveUp("no text, and Telegram has no templates")
        if len(message.text.encode("utf-16-le")) // 2 > TEXT_UNITS_MAX:
            raise GiveUp("the text is longer than one message may be")
        rows = [[InlineKeyboardButton(b.title, callback_data=b.id)] for b in message.buttons]
        try:
            sent = await self._bot.send_message(
                chat_id=message.to,
                text=message.text,
                reply_markup=InlineKeyboardMarkup(rows) if rows else None,
                link_preview_options=LinkPreviewOptions(is_disabled=True),
            )
            return SendReceipt(message_key(sent.chat.id, sent.message_id))
        except TelegramError as error:
            raise _send_error(error) from None
        except (KeyError, TypeError, ValueError, AttributeError):
            raise Uncertain("the answer could not be read") from None

    async def find_sent(self, message: OutboundMessage, claimed_at: datetime) -> SendReceipt | None:
        raise Unsupported("Telegram keeps no list of sent messages that a bot could read")

    async def fetch(self, reference: str) -> bytes:
        """Ask where the file is (Bot API, getFile) and get it from there; never from elsewhere."""
        try:
            found = await self._bot.get_file(reference)
        except _Refused as refused:
            if "too big" in refused.description.lower():
                raise FileTooLarge("Telegram hands out no file as large") from None
            # An id that no longer holds is a bad request; an unknown method is a wrong token.
            raise refusal({400: 404, 404: 401}.get(refused.status, refused.status)) from None
        except (TelegramError, KeyError, TypeError, ValueError, AttributeError):
            raise FileOutOfReach("no readable answer from Telegram") from None
        if not found.file_path:
            raise FileGone("Telegram names no place of the file")
        return await self._request.file(str(found.file_path).removeprefix("/"))

    async def acknowledge(self, button_query_id: str) -> None:
        """Stop the button's spinner; a failure means only that it spins a little longer."""
        try:
            await self._bot.answer_callback_query(button_query_id)
        except TelegramError:
            logging.getLogger(__name__).debug("a button press could not be acknowledged")

    async def register_webhook(self, url: str) -> None:
        """Tell Telegram to deliver to `url` (https) with our secret. Raises a SendError."""
        try:
            await self._bot.set_webhook(
                url, allowed_updates=ALLOWED_UPDATES, secret_token=self._webhook_secret
            )
        except TelegramError as error:
            raise _send_error(error) from None

    async def close(self) -> None:
        await self._request.shutdown()


class _Refused(TelegramError):
    """Telegram answered, and not with success."""

    def __init__(self, status: int, description: str, retry_after_seconds: float | None) -> None:
        super().__init__(f"Telegram answered {status}")
        self.status = status
        self.description = description
        self.retry_after_seconds = retry_after_seconds


class _Unsent(TelegramError):
    """The request never left."""


class _BotRequest(BaseRequest):
    """The library's request layer over our connections; the only holder of the token."""

    def __init__(self, bot_url: str, connections: Connections) -> None:
        self._bot_url = bot_url
        self._connections = connections

    async def file(self, path: str) -> bytes:
        """The file at a path that ``getFile`` gave. Raises FileError."""
        if not _FILE_PATH.match(path) or ".." in path:
            raise FileRefused("not a path of a file")
        host, _, bot = self._bot_url.rpartition("/bot")
        answer = await download(self._connections, f"{host}/file/bot{bot}/{path}")
        if answer.status >= 300:
            raise FileRefused("Telegram's files are nowhere else")
        return answer.body

    @property
    def read_timeout(self) -> float | None:
        return None

    async def initialize(self) -> None:
        """Connections open by themselves."""

    async def shutdown(self) -> None:
        await self._connections.close()

    @staticmethod
    def parse_json_payload(payload: bytes) -> Any:
        # The inherited one logs an unreadable answer, which may repeat the customer's message.
        try:
            return json.loads(payload)
        except ValueError:
            raise TelegramError("the answer is not JSON") from None

    async def do_request(
        self,
        url: str,
        method: str,
        request_data: RequestData | None = None,
        read_timeout: Any = None,
        write_timeout: Any = None,
        connect_timeout: Any = None,
        pool_timeout: Any = None,
    ) -> tuple[int, bytes]:
        """One call; the timeouts are those of the connections."""
        parameters = request_data.json_parameters if request_data else {}
        try:
            answer = await self._connections.exchange(
                method,
                self._bot_url + url,
                headers={"Content-Type": "application/x-www-form-urlencoded"},
                content=urlencode(parameters).encode(),
            )
        except NotSent as error:
            raise _Unsent(str(error)) from None
        except AnswerLost as error:
            raise TelegramError(str(error)) from None
        if 200 <= answer.status < 300:
            return answer.status, answer.body
        raise _refusal(answer.status, answer.body)


def _refusal(status: int, body: bytes) -> _Refused:
    try:
        answer = json.loads(body)
        description = str(answer.get("description", ""))
        seconds = (answer.get("parameters") or {}).get("retry_after")
        return _Refused(status, description, None if seconds is None else float(seconds))
    except (ValueError, TypeError, AttributeError):
        return _Refused(status, "", None)


def _send_error(error: TelegramError) -> SendError:
    if isinstance(error, _Unsent):
        return Retry("Telegram could not be reached")
    if not isinstance(error, _Refused):
        return Uncertain("no readable answer from Telegram")
    code = str(error.status)
    if error.status == 429:
        return Throttled(
            "too many messages",
            retry_after_seconds=error.retry_after_seconds or 1.0,
            provider_code=code,
        )
    description = error.description.lower()
    for status, part, kind, reason in _REFUSALS:
        if error.status == status and part in description:
            return kind(reason, provider_code=code)
    if error.status >= 500:
        return Uncertain("Telegram failed while handling the message", provider_code=code)
    return GiveUp("the message was refused", provider_code=code)
