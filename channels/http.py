"""One pooled HTTP exchange, with the one distinction a sender needs: was it sent or not.

Nothing here logs, and no error quotes an address: the addresses of these providers carry tokens
(Telegram) and phone numbers (Twilio's message list).
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Mapping
from dataclasses import dataclass

import aiohttp
import certifi
from yarl import URL

CONNECT_SECONDS_MAX = 5.0
ANSWER_SECONDS_MAX = 10.0
EXCHANGE_SECONDS_MAX = 25.0
IDLE_SECONDS_MAX = 15.0


class NotSent(Exception):
    """The request has certainly not reached the provider; it may be made again."""


class AnswerTooLong(Exception):
    """The answer is longer than was asked for; no more of it was read."""


class AnswerLost(Exception):
    """The request left us and no whole answer came back: the provider may have acted on it."""


@dataclass(frozen=True, slots=True)
class Answer:
    status: int
    headers: Mapping[str, str]
    body: bytes


class Connections:
    """A pool of kept-alive connections; never retries, never follows redirects.

    `answer_seconds_max` bounds the wait for each part of an answer, `connections_max` the number of
    exchanges under way at once.
    """

    def __init__(
        self,
        *,
        answer_seconds_max: float = ANSWER_SECONDS_MAX,
        connections_max: int = 20,
    ) -> None:
        self._connections_max = connections_max
        self._timeout = aiohttp.ClientTimeout(
            connect=answer_seconds_max,  # the wait for a free connection among it
            sock_connect=CONNECT_SECONDS_MAX,
            sock_read=answer_seconds_max,
        )
        self._session: aiohttp.ClientSession | None = None

    def _opened(self) -> aiohttp.ClientSession:
        """The pool; made in the event loop that it belongs to."""
        if self._session is None:
            self._session = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(
                    limit=self._connections_max,
                    keepalive_timeout=IDLE_SECONDS_MAX,
                    ssl=ssl.create_default_context(cafile=certifi.where()),
                ),
                timeout=self._timeout,
                cookie_jar=aiohttp.DummyCookieJar(),
            )
        return self._session

    async def exchange(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str],
        content: bytes = b"",
        bytes_max: int | None = None,
    ) -> Answer:
        """Make one request. Raises NotSent, AnswerLost or, for an answer of more than `bytes_max`,
        AnswerTooLong; none quotes the URL."""
        if any(ord(character) < 32 for value in headers.values() for character in value):
            raise NotSent("a header cannot be written")
        try:
            address = URL(url, encoded=True)
        except ValueError:
            address = URL()
        if address.scheme not in ("http", "https") or not address.host:
            raise NotSent("the provider's address is not a URL")
        try:
            async with (
                asyncio.timeout(EXCHANGE_SECONDS_MAX),
                self._opened().request(
                    method, address, headers=headers, data=content, allow_redirects=False
                ) as response,
            ):
                body = await _body(response, bytes_max)
        except (
            aiohttp.ClientConnectorError,
            aiohttp.ConnectionTimeoutError,
            aiohttp.InvalidURL,
        ) as error:
            raise NotSent(type(error).__name__) from None
        except (aiohttp.ClientError, TimeoutError) as error:
            raise AnswerLost(type(error).__name__) from None
        return Answer(response.status, response.headers, body)

    async def close(self) -> None:
        if self._session is not None:
            await self._session.close()


async def _body(response: aiohttp.ClientResponse, bytes_max: int | None) -> bytes:
    if bytes_max is None:
        return await response.read()
    if (response.content_length or 0) > bytes_max:
        raise AnswerTooLong
    body = bytearray()
    async for part in response.content.iter_any():
        body += part
        if len(body) > bytes_max:
            raise AnswerTooLong
    return bytes(body)
