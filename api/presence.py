"""Who has a handoff open and who writes there, in Redis or Valkey: hints that expire by themselves.

Two people who answer at once are kept apart by the database (`desk.reply` with what its writer had
seen). This only lets them know of each other before; without Redis nobody is seen.
"""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import structlog
from redis.asyncio import Redis
from redis.exceptions import RedisError

log = structlog.get_logger()

OPEN_SECONDS: Final = 40
"""A page says every fifteen seconds that it is open."""
WRITING_SECONDS: Final = 8
"""Whoever types says so every few seconds."""
UNCOVERED_SECONDS: Final = 30 * 60


@dataclass(frozen=True, slots=True)
class Seen:
    """Who is at a handoff now, as `member` writes them down."""

    open: Sequence[str] = ()
    writer: str = ""

    def besides(self, me: str) -> dict[str, Any]:
        """The names of all others."""
        return {
            "others": [_name(one) for one in self.open if one != me],
            "writer": _name(self.writer) if self.writer != me else "",
        }


def member(name: str, person_id: int | None) -> str:
    """One person: two of the same name are two, where they have accounts."""
    return f"{person_id or ''}:{name}"


def _name(member: str) -> str:
    return member.partition(":")[2]


class Presence:
    """People at one merchant's handoffs."""

    def __init__(self, redis: Redis, merchant_id: int) -> None:
        self._redis = redis
        self._of = f"kulanz:desk:{merchant_id}"

    async def note(
        self, handoff_id: int, person: str, *, writing: bool, instead: bool = False
    ) -> tuple[Seen, bool]:
        """Keep that somebody has it open, and whether they write; who is there, and whether that
        is new.

        Who writes keeps the field until they stop; `instead` takes it from them.
        """
        there, writer, now = self._open(handoff_id), self._writer(handoff_id), time.time()
        try:
            async with self._redis.pipeline() as several:
                several.get(writer)
                several.zadd(there, {person: now + OPEN_SECONDS})
                several.expire(there, OPEN_SECONDS)
                if writing:
                    several.set(writer, person, ex=WRITING_SECONDS, nx=not instead)
                before, added, *_ = await several.execute()
            held = before.decode() if before else ""
            if held == person and writing:
                await self._redis.expire(writer, WRITING_SECONDS)
            elif held == person:
                await self._redis.delete(writer)
            seen = await self.look(handoff_id)
            return seen, bool(added) or seen.writer != held
        except RedisError as error:
            log.info("presence_not_kept", error=type(error).__name__)
            return Seen(), False

    async def look(self, handoff_id: int) -> Seen:
        """Who is at a handoff."""
        try:
            async with self._redis.pipeline(transaction=False) as several:
                several.zrangebyscore(self._open(handoff_id), time.time(), "+inf")
                several.get(self._writer(handoff_id))
                people, writer = await several.execute()
        except RedisError:
            return Seen()
        return Seen([one.decode() for one in people], writer.decode() if writer else "")

    async def leave(self, handoff_id: int, person: str) -> None:
        """Somebody has closed it."""
        try:
            await self._redis.zrem(self._open(handoff_id), person)
        except RedisError as error:
            log.info("presence_not_kept", error=type(error).__name__)

    async def uncover(self, handoff_id: int, session: str) -> None:
        """Keep personal data uncovered for this session, for a while."""
        try:
            await self._redis.set(self._uncovered(handoff_id, session), 1, ex=UNCOVERED_SECONDS)
        except RedisError as error:
            log.info("presence_not_kept", error=type(error).__name__)

    async def cover(self, handoff_id: int, session: str) -> None:
        """Cover it again."""
        try:
            await self._redis.delete(self._uncovered(handoff_id, session))
        except RedisError as error:
            log.info("presence_not_kept", error=type(error).__name__)

    async def is_uncovered(self, handoff_id: int, session: str) -> bool:
        """Whether this session has it uncovered."""
        try:
            return bool(await self._redis.exists(self._uncovered(handoff_id, session)))
        except RedisError:
            return False

    def _open(self, handoff_id: int) -> str:
        return f"{self._of}:{handoff_id}:open"

    def _writer(self, handoff_id: int) -> str:
        return f"{self._of}:{handoff_id}:writer"

    def _uncovered(self, handoff_id: int, session: str) -> str:
        return f"{self._of}:{handoff_id}:uncovered:{session}"
