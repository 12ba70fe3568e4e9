"""What is counted in Redis over all processes: how fast we send, how often a client guesses."""

import structlog
from limits import (
    RateLimitItem,
    RateLimitItemPerHour,
    RateLimitItemPerMinute,
    RateLimitItemPerSecond,
)
from limits.aio.storage import RedisStorage
from limits.aio.strategies import SlidingWindowCounterRateLimiter
from redis.exceptions import RedisError

from channels.message import Channel

log = structlog.get_logger()

# Telegram: about 30 messages a second for one bot (Bot FAQ). Twilio queues what comes too fast.
SENDS_PER_SECOND = {Channel.TELEGRAM: 25}
WAIT_SECONDS = 1.0
GUESSES: tuple[RateLimitItem, ...] = (RateLimitItemPerMinute(20), RateLimitItemPerHour(120))
"""How often one client may try a code; many phones share one address of their carrier."""
GUESS_WAIT_SECONDS = 60


class SendLimits:
    """One counter per channel account."""

    def __init__(self, redis_url: str) -> None:
        storage = RedisStorage(f"async+{redis_url}", implementation="redispy")
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


class GuessLimits:
    """One counter per client of the page that takes codes."""

    def __init__(self, redis_url: str) -> None:
        self._storage = RedisStorage(f"async+{redis_url}", implementation="redispy")
        self._limiter = SlidingWindowCounterRateLimiter(self._storage)

    async def close(self) -> None:
        """Give back the connections."""
        await self._storage.bridge.storage.aclose()  # type: ignore[attr-defined]

    async def free(self, client: str) -> bool:
        """Whether this client may try another code now; counts it if so.

        A Redis that is away locks nobody out: the codes are too long to be guessed.
        """
        try:
            return all([await self._limiter.hit(limit, "guess", client) for limit in GUESSES])
        except (RedisError, OSError) as error:
            log.info("rate_limit_not_counted", error=type(error).__name__)
            return True
