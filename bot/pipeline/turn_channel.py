"""The turn as a stateless function over HTTP: (past events, message) → (new events, replies).

Nothing is kept between two requests: the caller stores the events together with the replies.
"""

import gc
import hmac
import logging
import os
import traceback
import unicodedata
from typing import Any, Awaitable, Callable, Dict, List, Optional, Text

from rasa.core.actions.action import Action, ActionExecutionRejection
from rasa.core.actions.loops import LoopAction
from rasa.core.channels.channel import InputChannel, OutputChannel, UserMessage
from rasa.core.policies.policy import PolicyPrediction
from rasa.core.processor import ActionLimitReached, MessageProcessor
from rasa.shared.core.constants import ACTION_LISTEN_NAME
from rasa.shared.core.events import ActionExecuted, ActionExecutionRejected, UserUttered
from rasa.shared.core.trackers import DialogueStateTracker
from sanic import Blueprint, Request, response
from sanic.response import HTTPResponse

from pipeline import action_call, graph_run, history, quiet_log, rule_index
from pipeline.action_call import ActionFailed
from pipeline.components import LOOKING_BACK

logger = logging.getLogger(__name__)

CHANNEL = "turn"
SECRET_HEADER = "X-Kulanz-Secret"
SECRET_VARIABLE = "KULANZ_RASA_SECRET"
TEXT_LENGTH_MAX = 4000
RANKING_LENGTH = 5
# The slot that holds the bot's last question, and the questions about what has happened.
AWAITING_SLOT = "awaiting"
ASKS_ABOUT_THE_PAST = frozenset({"paid_details", "dispute_reason"})


class BadRequest(Exception):
    """The request does not have the agreed shape; repeating it will not help."""


class PlainReply(Exception):
    """A reply carried words instead of the name of a wording."""


class TurnOutput(OutputChannel):
    """Collects the custom payloads of the replies, in order."""

    def __init__(self) -> None:
        self.messages: List[Dict[Text, Any]] = []

    @classmethod
    def name(cls) -> Text:
        return CHANNEL

    async def send_response(self, recipient_id: Text, message: Dict[Text, Any]) -> None:
        """Keep the reply; raises `PlainReply` for one without a custom payload."""
        payload = message.get("custom")
        if not isinstance(payload, dict) or "say" not in payload or message.get("text"):
            raise PlainReply
        self.messages.append(payload)


def escape(text: str) -> str:
    """Return the text cut to `TEXT_LENGTH_MAX`, and safe from being read as a command.

    Rasa takes a text that starts with "/" for an intent, and strips what looks like space
    before it looks. Each such slash becomes a space, so that positions stay valid.
    """
    text = text[:TEXT_LENGTH_MAX]
    for index, character in enumerate(text):
        if character == "/" or character.isspace() or unicodedata.category(character) == "Cf":
            continue
        return text[:index].replace("/", " ") + text[index:]
    return text.replace("/", " ")


def _resolved_button(button: Dict[Text, Any], body: Dict[Text, Any], processor: MessageProcessor):
    intent = button.get("intent")
    if intent not in processor.domain.intents:
        raise BadRequest("unknown intent")
    chosen = {"name": intent, "confidence": 1.0}
    return {
        "text": body["text"],
        "intent": chosen,
        "intent_ranking": [chosen],
        "entities": list(button.get("entities") or []),
        "language": (body.get("metadata") or {}).get("language"),
    }


def _understand(
    body: Dict[Text, Any], processor: MessageProcessor, tracker: DialogueStateTracker
) -> Dict[Text, Any]:
    button = body.get("parse_data")
    if button:
        return _resolved_button(button, body, processor)
    asked = tracker.get_slot(AWAITING_SLOT) if AWAITING_SLOT in tracker.slots else None
    metadata = {**(body.get("metadata") or {}), LOOKING_BACK: asked in ASKS_ABOUT_THE_PAST}
    message = UserMessage(sender_id=body["sender"], metadata=metadata)
    # Set after the fact: the constructor strips, and positions would shift.
    message.text = escape(body["text"])
    # Rasa's method around this one only looks for intents that its own domain lacks.
    parsed = processor._parse_message_with_graph(message, tracker)
    return {
        "text": parsed["text"],
        "intent": parsed["intent"],
        "intent_ranking": parsed.get("intent_ranking", [])[:RANKING_LENGTH],
        "entities": parsed["entities"],
        "language": parsed.get("language"),
    }


async def _run_action(
    processor: MessageProcessor,
    action: Action,
    prediction: PolicyPrediction,
    tracker: DialogueStateTracker,
    output: TurnOutput,
) -> None:
    """Run one action and put its events on the tracker.

    Rasa's own method goes on after an exception; here it ends the turn.
    """
    view = tracker
    if prediction.events or isinstance(action, LoopAction):
        view = tracker.copy()
        view.update_with_events(prediction.events, processor.domain)
    try:
        events = await action.run(output, processor.nlg, view, processor.domain)
    except ActionExecutionRejection:
        # A form steps aside for a rule (a remote action's rejection is an ActionFailed).
        tracker.update(
            ActionExecutionRejected(
                action.name(), prediction.policy_name, prediction.max_confidence
            )
        )
        return
    except ActionFailed:
        raise
    except Exception as error:
        raise ActionFailed(action.name(), type(error).__name__) from error
    processor._log_action_on_tracker(tracker, action, events, prediction)
    await processor._send_bot_messages(events, tracker, output)
    if any(isinstance(event, UserUttered) for event in events):
        await processor.run_action_extract_slots(output, tracker)


async def _act(
    processor: MessageProcessor, tracker: DialogueStateTracker, output: TurnOutput
) -> None:
    await processor.run_action_extract_slots(output, tracker)
    listening = False
    while not listening and processor._should_handle_message(tracker):
        try:
            action, prediction = processor.predict_next_with_tracker_if_should(tracker)
        except ActionLimitReached as error:
            raise ActionFailed("action_limit", "too many actions in one turn") from error
        await _run_action(processor, action, prediction, tracker, output)
        listening = not processor.should_predict_another_action(action.name())


async def take_turn(body: Dict[Text, Any], processor: MessageProcessor) -> Dict[Text, Any]:
    """Return the answer to a turn's request; raises `ActionFailed`, `BadRequest`, `PlainReply`."""
    past = history.recent(body.get("events") or [])
    tracker = DialogueStateTracker.from_dict(body["sender"], past, processor.domain.slots)
    if not past:
        tracker.update(ActionExecuted(ACTION_LISTEN_NAME), processor.domain)
    parsed = _understand(body, processor, tracker)
    metadata = body.get("metadata") or {}
    tracker.update(
        UserUttered(
            parsed["text"],
            parsed["intent"],
            parsed["entities"],
            parsed,
            input_channel=CHANNEL,
            message_id=str(metadata.get("message_id", "")),
            metadata=metadata,
        ),
        processor.domain,
    )
    output = TurnOutput()
    await _act(processor, tracker, output)
    return {
        "messages": output.messages,
        "events": [event.as_dict() for event in list(tracker.events)[len(past) :]],
        "slots": tracker.current_slot_values(),
        "parse": {
            "intent": parsed["intent"]["name"],
            "confidence": parsed["intent"]["confidence"],
            "ranking": parsed["intent_ranking"],
            "entities": parsed["entities"],
            "language": parsed["language"],
        },
    }


def checked_body(body: Any) -> Dict[Text, Any]:
    """Return the request's JSON; raises `BadRequest` where it is not what was agreed."""
    if not isinstance(body, dict):
        raise BadRequest("not an object")
    shapes = {"sender": str, "text": str}
    optional = {"events": list, "metadata": dict, "parse_data": dict}
    for name, kind in shapes.items():
        if not isinstance(body.get(name), kind):
            raise BadRequest(f"{name} is missing or of a wrong type")
    for name, kind in optional.items():
        if body.get(name) is not None and not isinstance(body[name], kind):
            raise BadRequest(f"{name} is of a wrong type")
    return body


def _log_failure(error: BaseException) -> None:
    place = traceback.extract_tb(error.__traceback__)[-1]
    reason = f" {error}" if isinstance(error, (ActionFailed, BadRequest)) else ""
    logger.error(
        "Turn failed: %s%s (%s:%s)",
        type(error).__name__,
        reason,
        os.path.basename(place.filename),
        place.lineno,
    )


async def _collect_garbage_rarely(*_: Any) -> None:
    """The loaded model stays; what a turn leaves behind is seldom a cycle."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 20, 50)


class TurnInput(InputChannel):
    """Registered in `credentials.yml` as `pipeline.turn_channel.TurnInput`."""

    def __init__(self, secret: Text) -> None:
        self.secret = secret

    @classmethod
    def name(cls) -> Text:
        return CHANNEL

    @classmethod
    def from_credentials(cls, credentials: Optional[Dict[Text, Any]]) -> "TurnInput":
        """Read the shared secret from the environment; raises `ValueError` without one."""
        secret = os.environ.get(SECRET_VARIABLE, "")
        if not secret:
            raise ValueError(f"{SECRET_VARIABLE} is not set")
        return cls(secret)

    def _is_known(self, request: Request) -> bool:
        given = request.headers.get(SECRET_HEADER, "")
        return hmac.compare_digest(given.encode(), self.secret.encode())

    def blueprint(self, on_new_message: Callable[[UserMessage], Awaitable[Any]]) -> Blueprint:
        """Return the routes `/` (is the model loaded?) and `/run` (one turn)."""
        quiet_log.install()
        action_call.install()
        history.install()
        graph_run.install()
        rule_index.install()
        routes = Blueprint("turn_channel")
        routes.after_server_start(_collect_garbage_rarely)

        @routes.get("/")
        async def health(request: Request) -> HTTPResponse:
            agent = getattr(request.app.ctx, "agent", None)
            if agent is None or not agent.is_ready():
                return response.json({"status": "loading"}, status=503)
            return response.json({"status": "ok"})

        @routes.post("/run")
        async def run(request: Request) -> HTTPResponse:
            if not self._is_known(request):
                return response.json({"error": "forbidden"}, status=403)
            try:
                with quiet_log.turn():
                    body = checked_body(request.json)
                    return response.json(await take_turn(body, request.app.ctx.agent.processor))
            except BadRequest as error:
                _log_failure(error)
                return response.json({"error": "bad_request", "reason": str(error)}, status=400)
            except ActionFailed as error:
                _log_failure(error)
                return response.json({"error": "action_failed", "action": error.action}, status=502)
            except PlainReply as error:
                _log_failure(error)
                return response.json({"error": "plain_reply"}, status=502)
            except Exception as error:
                _log_failure(error)
                return response.json({"error": "turn_failed"}, status=500)

        return routes
