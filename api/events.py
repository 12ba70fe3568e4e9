"""Live events over Redis or Valkey: for whoever watches now, never the record of anything."""

import json
from collections.abc import Mapping
from typing import Any

import structlog
from redis.asyncio import Redis
from redis.exceptions import RedisError

log = structlog.get_logger()


def terminal_topic(address: str) -> str:
    """Where the terminal messenger of this address listens."""
    return f"kulanz:terminal:{address}"


class Events:
    """Publishes small JSON events; a Redis that is away costs nobody a message."""

    def __init__(self, url: str) -> None:
        self.redis = Redis.from_url(url, socket_timeout=2, socket_connect_timeout=2)

    async def to_terminal(self, address: str, event: Mapping[str, Any]) -> None:
        """Hand an outbound message to the terminal that listens at this address.

        Raises:
            redis.exceptions.RedisError: it could not be published; the send is tried again.
        """
        await self.redis.publish(terminal_topic(address), json.dumps(dict(event)))

    async def changed(self, merchant_id: int, conversation_id: int) -> None:
        """Say that a conversation has something new; ids only."""
        try:
            await self.redis.publish(
                f"kulanz:merchant:{merchant_id}", json.dumps({"conversation": conversation_id})
            )
        except RedisError as error:
            log.info("live_event_lost", error=type(error).__name__)

    async def close(self) -> None:
        """Close the connections."""
        await self.redis.aclose()
