"""One pooled HTTP exchange, with the one distinction a sender needs: was it sent or not.

Speaks to httpx's transport rather than to its client, because the client logs every URL, and the
URLs of these providers carry tokens (Telegram) and phone numbers (Twilio's message list).
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass

import httpx

CONNECT_SECONDS_MAX = 5.0
ANSWER_SECONDS_MAX = 10.0
EXCHANGE_SECONDS_MAX = 25.0
IDLE_SECONDS_MAX = 15.0


class NotSent(Exception):
    """The request has certainly not reached the provider; it may be made again."""


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
        self._transport = httpx.AsyncHTTPTransport(
            limits=httpx.Limits(
                max_connections=connections_max,
                max_keepalive_connections=connections_max,
                keepalive_expiry=IDLE_SECONDS_MAX,
            )
        )
        self._timeout = httpx.Timeout(answer_seconds_max, connect=CONNECT_SECONDS_MAX).as_dict()

    async def exchange(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str],
        content: bytes = b"",
    ) -> Answer:
        """Make one request. Raises NotSent or AnswerLost; neither quotes the URL."""
        try:
            request = httpx.Request(
                method,
                url,
                headers=dict(headers),
                content=content,
                extensions={"timeout": self._timeout},
            )
        except httpx.InvalidURL:
            raise NotSent("the provider's address is not a URL") from None
        try:
            async with asyncio.timeout(EXCHANGE_SECONDS_MAX):
                response = await self._transport.handle_async_request(request)
                try:
                    body = await response.aread()
                finally:
                    await response.aclose()
        except (
            httpx.ConnectError,
            httpx.ConnectTimeout,
            httpx.LocalProtocolError,
            httpx.PoolTimeout,
            httpx.UnsupportedProtocol,
        ) as error:
            raise NotSent(type(error).__name__) from None
        except (httpx.TransportError, httpx.DecodingError, TimeoutError) as error:
            raise AnswerLost(type(error).__name__) from None
        return Answer(response.status_code, response.headers, body)

    async def close(self) -> None:
        await self._transport.aclose()
