"""How Rasa calls our actions: one warm connection, and no lost failure.

Takes the place of `RemoteAction.run` of Rasa 3.6.21 (the last release), which opens a
connection and compiles a JSON schema for each call, and whose errors are swallowed by
three different callers: the action loop, slot extraction, and rejections (status 400).
"""

import asyncio
from typing import Any, Dict, List, Optional, Text

import aiohttp
from rasa.core.actions.action import RemoteAction
from rasa.core.channels.channel import OutputChannel
from rasa.core.nlg.generator import NaturalLanguageGenerator
from rasa.shared.core.domain import Domain
from rasa.shared.core.events import Event, deserialise_events
from rasa.shared.core.trackers import DialogueStateTracker

TIMEOUT_SECONDS = 30.0
# Shorter than the 5 s after which uvicorn closes an idle connection, so that we never
# write into one that is just being closed.
_KEEP_ALIVE_SECONDS = 3.0


class ActionFailed(Exception):
    """An action could not be run or answered with an error; the turn must be retried."""

    def __init__(self, action: str, reason: str) -> None:
        super().__init__(f"{action}: {reason}")
        self.action = action
        self.reason = reason


_session: Optional[aiohttp.ClientSession] = None


def _connection() -> aiohttp.ClientSession:
    global _session
    loop = asyncio.get_running_loop()
    if _session is None or _session.closed or _session._loop is not loop:
        _session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(keepalive_timeout=_KEEP_ALIVE_SECONDS),
            timeout=aiohttp.ClientTimeout(total=TIMEOUT_SECONDS),
        )
    return _session


async def close() -> None:
    """Close the connection, if there is one."""
    if _session is not None:
        await _session.close()


async def _ask(action: RemoteAction, body: Dict[Text, Any]) -> Dict[Text, Any]:
    endpoint = action.action_endpoint
    if endpoint is None or not endpoint.url:
        raise ActionFailed(action.name(), "no endpoint")
    async with _connection().post(
        endpoint.url, json=body, headers=endpoint.headers, params=endpoint.params
    ) as response:
        if response.status != 200:
            raise ActionFailed(action.name(), f"status {response.status}")
        answer = await response.json()
    return _checked(answer)


def _checked(answer: Any) -> Dict[str, Any]:
    """Return the answer if it has the shape that Rasa's own schema asks for; raises `TypeError`.

    Written out because the schema's validator takes as long as the understanding of a message.
    """
    if not isinstance(answer, dict):
        raise TypeError("not an object")
    for name in ("events", "responses"):
        entries = answer.get(name, [])
        if not isinstance(entries, list) or not all(isinstance(e, dict) for e in entries):
            raise TypeError(f"{name} is no list of objects")
    if not all(isinstance(event.get("event"), str) for event in answer.get("events", [])):
        raise TypeError("an event names no type")
    return answer


async def run(
    self: RemoteAction,
    output_channel: OutputChannel,
    nlg: NaturalLanguageGenerator,
    tracker: DialogueStateTracker,
    domain: Domain,
) -> List[Event]:
    """Call the action and return its events, replies first.

    Raises `ActionFailed` for whatever goes wrong, a rejection by the server included.
    """
    body = self._action_call_format(tracker, domain)
    try:
        answer = await _ask(self, body)
        replies = await self._utter_responses(
            answer.get("responses", []), output_channel, nlg, tracker
        )
        return [*replies, *deserialise_events(answer.get("events", []))]
    except ActionFailed:
        raise
    except Exception as error:
        # Only the type: messages of these errors quote the answer's contents.
        raise ActionFailed(self.name(), type(error).__name__) from error


def install() -> None:
    """Make every remote action of this process use `run`."""
    RemoteAction.run = run
