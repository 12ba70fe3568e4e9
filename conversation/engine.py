"""The dialogue engine as a stateless function over HTTP (the contract with ``bot/``)."""

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import httpx


class DialogueUnavailable(RuntimeError):
    """The engine does not answer (starting, dead, overloaded): the turn waits."""


class TurnFailed(RuntimeError):
    """The engine answered, but this turn went wrong: it is discarded and tried again."""


@dataclass(frozen=True)
class TurnRequest:
    """One message with everything the engine may know about its conversation."""

    conversation_id: int
    text: str
    parse_data: Mapping[str, Any] | None
    events: list[dict[str, Any]]
    metadata: Mapping[str, Any]


@dataclass(frozen=True)
class TurnResult:
    """What to say (wording names with arguments), and the engine's new events and slots."""

    messages: list[dict[str, Any]]
    events: list[dict[str, Any]]
    slots: dict[str, Any]
    understanding: dict[str, Any]


class DialogueEngine(Protocol):
    """Anything that makes replies out of a message."""

    async def run(self, request: TurnRequest) -> TurnResult:
        """Handle one message. Raises DialogueUnavailable or TurnFailed."""


class RasaEngine:
    """One or more Rasa processes behind their turn channels; any of them can take any turn."""

    def __init__(self, urls: Sequence[str], secret: str, *, timeout_seconds: float = 20) -> None:
        self._urls = itertools.cycle(urls)
        self._count = len(urls)
        self._http = httpx.AsyncClient(
            headers={"X-Kulanz-Secret": secret},
            timeout=httpx.Timeout(timeout_seconds, connect=2),
            limits=httpx.Limits(max_connections=20, max_keepalive_connections=20),
        )

    async def run(self, request: TurnRequest) -> TurnResult:
        """Post one turn.

        Raises:
            DialogueUnavailable: no connection, or an answer that is not the loaded model's.
            TurnFailed: an action failed, the request was refused, or it took too long.
        """
        body = {
            "sender": str(request.conversation_id),
            "text": request.text,
            "parse_data": request.parse_data,
            "events": request.events,
            "metadata": dict(request.metadata),
        }
        response = await self._post(body)
        if response.status_code == 200:
            try:
                answer = response.json()
                return TurnResult(
                    answer["messages"], answer["events"], answer["slots"], answer["parse"]
                )
            except (ValueError, KeyError, TypeError) as error:
                raise TurnFailed("the dialogue engine's answer has another shape") from error
        if response.status_code in (403, 404, 503):
            raise DialogueUnavailable(f"the dialogue engine answered {response.status_code}")
        raise TurnFailed(f"the dialogue engine answered {response.status_code}")

    async def _post(self, body: dict[str, Any]) -> httpx.Response:
        for attempt in range(1, self._count + 1):
            try:
                return await self._http.post(f"{next(self._urls)}/webhooks/turn/run", json=body)
            except httpx.ConnectError as error:  # one of several may be starting
                if attempt == self._count:
                    raise DialogueUnavailable(type(error).__name__) from error
            except httpx.ReadTimeout as error:
                # It lives but does not come to an end with this message: that counts as a failure.
                raise TurnFailed("the dialogue engine took too long") from error
            except httpx.HTTPError as error:
                raise DialogueUnavailable(type(error).__name__) from error
        raise DialogueUnavailable("no engine is configured")

    async def ready(self) -> bool:
        """Whether the next engine's model is loaded."""
        try:
            url = f"{next(self._urls)}/webhooks/turn/"
            return (await self._http.get(url, timeout=2)).status_code == 200
        except httpx.HTTPError:
            return False

    async def close(self) -> None:
        """Close the connections."""
        await self._http.aclose()
