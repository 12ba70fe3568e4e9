"""The dialogue engine as a stateless function over HTTP (the contract with ``bot/``)."""

import itertools
import json
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import aiohttp

CONNECTIONS_MAX = 20
TEXT_CHARACTERS_MAX = 1000
"""What a person says is said by then; the time of understanding grows faster than the text."""


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


def readable(text: str) -> str:
    """A customer's text as the engine gets it: not too long, digits in ASCII, nothing invisible.

    Digits of other scripts and in circles are read like any other; zero-width characters and
    direction marks would part words that look whole.
    """
    if text.isascii():
        return text[:TEXT_CHARACTERS_MAX]
    seen = []
    for character in text:
        digit = unicodedata.digit(character, None)
        if digit is not None:
            seen.append(str(digit))
        elif unicodedata.category(character) != "Cf":
            seen.append(character)
    return "".join(seen)[:TEXT_CHARACTERS_MAX]


class DialogueEngine(Protocol):
    """Anything that makes replies out of a message."""

    async def run(self, request: TurnRequest) -> TurnResult:
        """Handle one message. Raises DialogueUnavailable or TurnFailed."""


class RasaEngine:
    """One or more Rasa processes behind their turn channels; any of them can take any turn."""

    def __init__(self, urls: Sequence[str], secret: str, *, timeout_seconds: float = 20) -> None:
        self._urls = itertools.cycle(urls)
        self._count = len(urls)
        self._secret = secret
        self._timeout = aiohttp.ClientTimeout(total=timeout_seconds, sock_connect=2)
        self._session: aiohttp.ClientSession | None = None

    def _opened(self) -> aiohttp.ClientSession:
        """The connections; made in the event loop that they belong to."""
        if self._session is None:
            self._session = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(limit=CONNECTIONS_MAX),
                headers={"X-Kulanz-Secret": self._secret},
                timeout=self._timeout,
            )
        return self._session

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
        status, answer = await self._post(json.dumps(body).encode())
        if status == 200:
            try:
                result = json.loads(answer)
                return TurnResult(
                    result["messages"], result["events"], result["slots"], result["parse"]
                )
            except (ValueError, KeyError, TypeError) as error:
                raise TurnFailed("the dialogue engine's answer has another shape") from error
        if status in (403, 404, 503):
            raise DialogueUnavailable(f"the dialogue engine answered {status}")
        raise TurnFailed(f"the dialogue engine answered {status}")

    async def _post(self, body: bytes) -> tuple[int, bytes]:
        headers = {"Content-Type": "application/json"}
        for attempt in range(1, self._count + 1):
            url = f"{next(self._urls)}/webhooks/turn/run"
            try:
                async with self._opened().post(url, data=body, headers=headers) as response:
                    return response.status, await response.read()
            except (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError) as error:
                if attempt == self._count:  # one of several may be starting
                    raise DialogueUnavailable(type(error).__name__) from error
            except TimeoutError as error:
                # It lives but does not come to an end with this message: that counts as a failure.
                raise TurnFailed("the dialogue engine took too long") from error
            except aiohttp.ClientError as error:
                raise DialogueUnavailable(type(error).__name__) from error
        raise DialogueUnavailable("no engine is configured")

    async def ready(self) -> bool:
        """Whether the next engine's model is loaded."""
        url = f"{next(self._urls)}/webhooks/turn/"
        try:
            timeout = aiohttp.ClientTimeout(total=2)
            async with self._opened().get(url, timeout=timeout) as response:
                return response.status == 200
        except (aiohttp.ClientError, TimeoutError):
            return False

    async def close(self) -> None:
        """Close the connections."""
        if self._session is not None:
            await self._session.close()
