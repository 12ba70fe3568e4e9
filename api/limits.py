"""How fast we may send and be called, how often secrets may be guessed: counted in Redis for all
processes."""

import time
from math import ceil

import structlog
from limits import (
    RateLimitItem,
    RateLimitItemPerDay,
    RateLimitItemPerHour,
    RateLimitItemPerMinute,
    RateLimitItemPerSecond,
)
from limits.aio.storage import RedisStorage
from limits.aio.strategies import SlidingWindowCounterRateLimiter
from redis.asyncio import ConnectionPool
from redis.exceptions import MaxConnectionsError, RedisError

from channels.message import Channel

log = structlog.get_logger()

# Telegram: about 30 messages a second for one bot (Bot FAQ). Twilio queues what comes too fast.
SENDS_PER_SECOND = {Channel.TELEGRAM: 25}
WAIT_SECONDS = 1.0
CHECKS: tuple[RateLimitItem, ...] = (RateLimitItemPerMinute(20), RateLimitItemPerHour(120))
"""How often one client may try a code; many phones share one address of their carrier."""
CHECK_WAIT_SECONDS = 60
CALLS_PER_MINUTE = 300
"""Of the merchants' API with one key: a desk of many people looks at its list every few seconds,
and an import has 5,000 rows a call."""
WRITES: tuple[RateLimitItem, ...] = (RateLimitItemPerMinute(12), RateLimitItemPerHour(120))
"""How often somebody may write in one visit to the page; nobody who reads the answers is faster."""
GUESSES_PER_MINUTE = 10
"""Codes and links tried in one conversation; the database has counts of its own behind this."""
TRIES_OF_ACCOUNT: tuple[RateLimitItem, ...] = (
    RateLimitItemPerMinute(5, 5),
    RateLimitItemPerHour(10),
    RateLimitItemPerDay(20),
)
"""Passwords, or codes, tried for one account: the more were wrong, the longer the wait. NIST SP
800-63B-4, section 3.2.2, allows 100 in a row."""


class Limits:
    """One counter per channel account, and one for each conversation in which secrets are tried."""

    def __init__(self, redis_url: str) -> None:
        self._connections = ConnectionPool.from_url(redis_url)
        storage = RedisStorage(
            f"async+{redis_url}",
            connection_pool=self._connections,  # type: ignore[arg-type]  # documented, typed too narrowly
            implementation="redispy",
        )
        self._limiter = SlidingWindowCounterRateLimiter(storage)

    async def free(self, channel: Channel, account_id: int) -> bool:
        """Whether one more message may be sent now; counts it if so.

        A Redis that is away stops nobody: the provider's own refusal is then obeyed.
        """
        rate = SENDS_PER_SECOND.get(channel)
        if rate is None:
            return True
        try:
            return await self._limiter.hit(RateLimitItemPerSecond(rate), "send", str(account_id))
        except (RedisError, OSError) as error:
            log.info("rate_limit_not_counted", error=type(error).__name__)
            return True

    async def call_wait(self, key: str) -> int | None:
        """Count a call of the API with this key: the seconds to wait; None where it may go on.

        A Redis that is away keeps nobody waiting.
        """
        rate = RateLimitItemPerMinute(CALLS_PER_MINUTE)
        try:
            if await self._limiter.hit(rate, "call", key):
                return None
            free_at, _ = await self._limiter.get_window_stats(rate, "call", key)
        except (RedisError, OSError) as error:
            log.info("rate_limit_not_counted", error=type(error).__name__)
            return None
        return max(1, ceil(free_at - time.time()))

    async def may_guess(self, key: str) -> bool:
        """Whether one more secret may be tried under this key; counts it.

        A Redis that is away opens nothing: tries are counted in the database as well.
        """
        return await self._may_try(key, RateLimitItemPerMinute(GUESSES_PER_MINUTE))

    async def may_check(self, client: str) -> bool:
        """Whether this client of the page that takes codes may try another one; counts it.

        A Redis that is away locks nobody out: those codes are too long to be guessed.
        """
        return await self._may_try(client, *CHECKS)

    async def may_write(self, visit: str) -> bool:
        """Whether one more message may be written in this visit to the page; counts it.

        A Redis that is away keeps nobody from writing: the database counts a conversation's turns.
        """
        return await self._may_try(f"write:{visit}", *WRITES)

    async def may_sign_in(self, account: str, client: str) -> bool:
        """Whether one more password or code may be tried for this account from there; counts it.

        A Redis that is away lets nobody in: nothing else counts these tries.
        """
        try:
            of_client = [await self._limiter.hit(limit, "sign-in", client) for limit in CHECKS]
            of_account = [
                await self._limiter.hit(limit, "account", account) for limit in TRIES_OF_ACCOUNT
            ]
        except (RedisError, OSError) as error:
            log.error("sign_in_not_counted", error=type(error).__name__)
            return False
        return all(of_client) and all(of_account)

    async def signed_in(self, account: str) -> None:
        """It was right: the tries before count no more."""
        try:
            for limit in TRIES_OF_ACCOUNT:
                await self._limiter.clear(limit, "account", account)
        except (RedisError, OSError) as error:
            log.info("tries_not_forgotten", error=type(error).__name__)

    async def _may_try(self, key: str, *limits: RateLimitItem) -> bool:
        try:
            return all([await self._limiter.hit(limit, "guess", key) for limit in limits])
        except MaxConnectionsError:  # not Redis is away, so many ask at once
            return False
        except (RedisError, OSError) as error:
            log.info("guess_not_counted", error=type(error).__name__)
            return True

    async def close(self) -> None:
        """Give back all connections."""
        await self._connections.disconnect()
