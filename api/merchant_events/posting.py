"""Posting one event to an endpoint, signed by the Standard Webhooks convention.

Nothing of an answer is kept but its status: what an address says that somebody named is theirs.
"""

import ssl
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from types import TracebackType
from typing import Self

import aiohttp
import certifi
from standardwebhooks import Webhook
from yarl import URL

from api.merchant_events.addresses import AddressRefused, GuardedSockets, Network

CONNECT_SECONDS_MAX = 5.0
ANSWER_SECONDS_MAX = 15.0
AT_ONCE_MAX = 8
HOLD_SECONDS = 60.0
HOLD_SECONDS_MAX = 3600.0
TOO_BUSY = frozenset({429, 502, 503, 504})
GONE = 410


@dataclass(frozen=True, slots=True)
class Answer:
    """What became of one attempt."""

    status: int | None = None
    error: str | None = None
    """A code, where it was not taken."""
    hold_seconds: float | None = None
    """The endpoint as a whole does not answer, or asked for patience: leave it alone so long."""

    @property
    def taken(self) -> bool:
        """Whether the endpoint has it."""
        return self.error is None

    @property
    def gone(self) -> bool:
        """Whether the endpoint wants no more events at all."""
        return self.status == GONE


class Poster:
    """A pool of connections to endpoints; never retries, never follows redirects."""

    def __init__(
        self, networks: Sequence[Network], *, answer_seconds_max: float = ANSWER_SECONDS_MAX
    ) -> None:
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(
                limit=AT_ONCE_MAX, ssl=_tls(), socket_factory=GuardedSockets(networks)
            ),
            timeout=aiohttp.ClientTimeout(
                total=answer_seconds_max, sock_connect=CONNECT_SECONDS_MAX
            ),
            cookie_jar=aiohttp.DummyCookieJar(),
            headers={"User-Agent": "Kulanz"},
        )

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        where: TracebackType | None,
    ) -> None:
        await self._session.close()

    async def post(self, url: str, secrets: Sequence[str], key: str, body: str) -> Answer:
        """Post an event once, signed with each of these secrets at the real time of day."""
        headers = {"Content-Type": "application/json", **signed(secrets, key, body)}
        try:
            async with self._session.post(
                URL(url), data=body.encode(), headers=headers, allow_redirects=False
            ) as answer:
                return _answer(answer.status, answer.headers.get("Retry-After"))
        except aiohttp.ClientConnectorError as error:
            return Answer(error=_reason(error), hold_seconds=HOLD_SECONDS)
        except TimeoutError:
            return Answer(error="timeout", hold_seconds=HOLD_SECONDS)
        except (aiohttp.ClientError, ValueError):  # an answer that is not HTTP, a lost connection
            return Answer(error="no_answer", hold_seconds=HOLD_SECONDS)


def signed(secrets: Sequence[str], key: str, body: str) -> dict[str, str]:
    """The three headers of the convention.

    The time is the real one, wherever a demo's clock stands: receivers refuse any other.
    """
    at = datetime.now(UTC)
    return {
        "webhook-id": key,
        "webhook-timestamp": str(int(at.timestamp())),
        "webhook-signature": " ".join(Webhook(secret).sign(key, at, body) for secret in secrets),
    }


@lru_cache(maxsize=1)
def _tls() -> ssl.SSLContext:
    return ssl.create_default_context(cafile=certifi.where())


def _reason(error: aiohttp.ClientConnectorError) -> str:
    if isinstance(error, aiohttp.ClientSSLError):
        return "tls"
    if isinstance(error, aiohttp.ClientConnectorDNSError):
        return "name_unknown"
    return "address_refused" if isinstance(error.os_error, AddressRefused) else "no_connection"


def _answer(status: int, retry_after: str | None) -> Answer:
    if 200 <= status < 300:
        return Answer(status)
    if 300 <= status < 400:
        return Answer(status, "redirect")
    if status == GONE:
        return Answer(status, "gone")
    hold = None
    if status in TOO_BUSY:
        hold = HOLD_SECONDS
        if retry_after and retry_after.isascii() and retry_after.isdigit():
            hold = min(max(float(retry_after), 1.0), HOLD_SECONDS_MAX)
    return Answer(status, "status", hold)
