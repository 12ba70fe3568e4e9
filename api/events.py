"""Live events over Redis or Valkey: for whoever watches now, never the record of anything.

An event is a hint that something is new, by ids only. Whoever hears of it reads the database.
"""

import asyncio
import json
import math
from collections import Counter
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from functools import cached_property
from typing import Any, Final

import structlog
from redis.asyncio import Redis
from redis.exceptions import RedisError

log = structlog.get_logger()

LISTENERS_MAX: Final = 12
"""So many at once for one person in one process: windows that are open, and some to spare."""
CHANGED: Final = "changed"
MESSAGE: Final = "message"
"""A message has come, or what became of one is known: nothing else of the conversation is new."""
PRESENCE: Final = "presence"
SUBSCRIBE_SECONDS_MAX: Final = 5.0
TOGETHER_SECONDS: Final = 0.15
"""News that come so soon after others are told together: at a busy merchant's, everybody hears of
everything."""
_WAIT_SECONDS: Final = 5.0


class NotLive(RuntimeError):
    """There are no live events now: Redis does not answer, or the process is ending."""


class TooManyListeners(RuntimeError):
    """This person listens often enough."""


def terminal_topic(address: str) -> str:
    """Where the terminal messenger of this address listens."""
    return f"kulanz:terminal:{address}"


def merchant_topic(merchant_id: int) -> str:
    """Where everybody listens who watches a merchant's conversations."""
    return f"kulanz:merchant:{merchant_id}"


class News:
    """Which conversations have something new, by kind: the same for all who are told together."""

    def __init__(self, ids: Mapping[str, set[int]]) -> None:
        self.ids = ids

    @cached_property
    def told(self) -> str:
        """As JSON; written once for everybody."""
        return json.dumps({kind: sorted(ids) for kind, ids in self.ids.items()})

    def __bool__(self) -> bool:
        return bool(self.ids)

    def __or__(self, more: "News") -> "News":
        kinds = {**self.ids, **more.ids}
        return News({one: self.ids.get(one, set()) | more.ids.get(one, set()) for one in kinds})


NOTHING: Final = News({})


class Listener:
    """What one browser has not been told yet; the same conversation twice is told once."""

    def __init__(self) -> None:
        self.over = False
        """Nothing more comes: the subscription broke off, or the process ends."""
        self._news: News | None = None
        self._waiting: asyncio.Future[None] | None = None

    def put(self, news: News) -> None:
        """Keep what is new until it is told."""
        self._news = news if self._news is None else self._news | news
        self._wake()

    def end(self) -> None:
        """Wake whoever waits, for the last time."""
        self.over = True
        self._wake()

    async def next(self, seconds: float) -> News:
        """What is new, as soon as there is anything; nothing after so many seconds."""
        if self._news is None and not self.over:
            loop = asyncio.get_running_loop()
            self._waiting = loop.create_future()
            timer = loop.call_later(seconds, self._wake)
            try:
                await self._waiting
            finally:
                timer.cancel()
        found, self._news = self._news, None
        return found or NOTHING

    def _wake(self) -> None:
        if self._waiting is not None and not self._waiting.done():
            self._waiting.set_result(None)


class _Subscription:
    """The one subscription of this process to a merchant's events."""

    def __init__(self, redis: Redis, merchant_id: int) -> None:
        self.listeners: set[Listener] = set()
        self._gathered: dict[str, set[int]] = {}
        self._told_at = -math.inf
        self._ready = asyncio.Event()
        self.task = asyncio.create_task(self._run(redis, merchant_topic(merchant_id)))

    async def begun(self) -> bool:
        """Whether it hears what is published from now on; False where that takes too long."""
        ready = asyncio.ensure_future(self._ready.wait())
        both = {ready, self.task}
        await asyncio.wait(both, timeout=SUBSCRIBE_SECONDS_MAX, return_when=asyncio.FIRST_COMPLETED)
        ready.cancel()
        return self._ready.is_set() and not self.task.done()

    async def _run(self, redis: Redis, topic: str) -> None:
        pubsub = redis.pubsub()
        try:
            await pubsub.subscribe(topic)
            while True:
                found = await pubsub.get_message(timeout=_WAIT_SECONDS)
                if found is None:
                    # The only way to learn that the other side is gone without a word.
                    await asyncio.wait_for(pubsub.ping(), _WAIT_SECONDS)
                elif found["type"] == "subscribe":
                    self._ready.set()
                elif found["type"] == "message":
                    self._gather(json.loads(found["data"]))
        except (RedisError, OSError, TimeoutError) as error:
            log.info("live_events_broke_off", error=type(error).__name__)
        finally:
            for listener in self.listeners:
                listener.end()
            await pubsub.aclose()  # type: ignore[no-untyped-call]

    def _gather(self, event: Mapping[str, Any]) -> None:
        if not self._gathered:
            loop = asyncio.get_running_loop()
            # At once where nothing was told just now.
            loop.call_at(max(self._told_at + TOGETHER_SECONDS, loop.time()), self._tell)
        self._gathered.setdefault(event.get("kind", CHANGED), set()).add(event["conversation"])

    def _tell(self) -> None:
        news = News(self._gathered)
        self._gathered, self._told_at = {}, asyncio.get_running_loop().time()
        for listener in self.listeners:
            listener.put(news)


class Events:
    """Publishes small JSON events; a Redis that is away costs nobody a message."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.redis = Redis.from_url(url, socket_timeout=2, socket_connect_timeout=2)
        self._subscriptions: dict[int, _Subscription] = {}
        self._ending: set[asyncio.Task[None]] = set()
        self._listening: Counter[str] = Counter()
        self._stopped = False

    async def to_terminal(self, address: str, event: Mapping[str, Any]) -> None:
        """Hand an outbound message to the terminal that listens at this address.

        Raises:
            redis.exceptions.RedisError: it could not be published; the send is tried again.
        """
        await self.redis.publish(terminal_topic(address), json.dumps(dict(event)))

    async def changed(self, merchant_id: int, conversation_id: int, *, kind: str = CHANGED) -> None:
        """Say that a conversation has something new; ids only."""
        event = {"conversation": conversation_id}
        if kind != CHANGED:
            event |= {"kind": kind}  # type: ignore[dict-item]
        try:
            await self.redis.publish(merchant_topic(merchant_id), json.dumps(event))
        except RedisError as error:
            log.info("live_event_lost", error=type(error).__name__)

    @asynccontextmanager
    async def listening(self, merchant_id: int, person: str) -> AsyncIterator[Listener]:
        """Hear of a merchant's conversations from now on, by the subscription that all share.

        Raises:
            NotLive, TooManyListeners
        """
        if self._stopped:
            raise NotLive("the process is ending")
        if self._listening[person] >= LISTENERS_MAX:
            raise TooManyListeners(person)
        listener = Listener()
        held = self._subscriptions.get(merchant_id)
        if held is None or held.task.done():
            held = self._subscriptions[merchant_id] = _Subscription(self.redis, merchant_id)
        held.listeners.add(listener)
        self._listening[person] += 1
        try:
            if not await held.begun():
                raise NotLive("no subscription")
            yield listener
        finally:
            held.listeners.discard(listener)
            self._listening[person] -= 1
            if not self._listening[person]:
                del self._listening[person]
            if not held.listeners:
                held.task.cancel()
                self._ending.add(held.task)
                held.task.add_done_callback(self._ending.discard)
                if self._subscriptions.get(merchant_id) is held:
                    del self._subscriptions[merchant_id]

    def stop(self) -> None:
        """End all listening at once: the process is told to stop."""
        self._stopped = True
        for held in self._subscriptions.values():
            for listener in held.listeners:
                listener.end()

    async def close(self) -> None:
        """Close the connections."""
        self.stop()
        tasks = [*self._ending, *(held.task for held in self._subscriptions.values())]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await self.redis.aclose()
