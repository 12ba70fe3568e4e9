"""``POST /actions``: Rasa's custom actions, each call exactly once.

The call opens one transaction of the merchant, runs the action, stores its answer under
(message, place in the turn) and commits all of it together. The same call gets the same answer
again, so a turn that is discarded and retried says and does the same. A failed action is an HTTP
error, which fails the turn.
"""

import hashlib
import hmac
import json
import logging
from datetime import datetime
from typing import Any

import structlog
from fastapi import APIRouter, HTTPException, Request, Response
from rasa_sdk.executor import ActionExecutor
from rasa_sdk.interfaces import ActionExecutionRejection, ActionNotFoundException
from sqlalchemy import BigInteger, Integer, bindparam, insert, select

import actions
from actions.context import TurnContext
from actions.context import current as current_turn
from api.queue import defer_woken
from api.wiring import Parts
from conversation.port import conversation_port
from storage.statement import Statement
from storage.tables import ActionResult, Base

log = structlog.get_logger()
router = APIRouter(include_in_schema=False)

ACTIONS_PER_TURN_MAX = 64
"""Far more than a turn may take; keeps the locks of different messages apart."""
_results = Base.metadata.tables[ActionResult.__tablename__]
_KNOWN = Statement(
    select(_results.c.input_hash, _results.c.response).where(
        _results.c.message_id == bindparam("message_id", type_=BigInteger),
        _results.c.ordinal == bindparam("ordinal", type_=Integer),
    )
)
_KEEP = Statement(insert(_results))
# rasa_sdk logs whole trackers at debug level and names of missing domains at info level.
logging.getLogger("rasa_sdk").setLevel(logging.ERROR)


def make_executor() -> ActionExecutor:
    """All actions of the package, found once."""
    executor = ActionExecutor()
    executor.register_package(actions)
    return executor


@router.post("/actions")
async def run_action(request: Request) -> Response:
    """Run one action call of the dialogue engine."""
    parts: Parts = request.app.state.parts
    given = request.headers.get("X-Kulanz-Secret", "")
    if not hmac.compare_digest(given.encode(), parts.keys.rasa_secret.encode()):
        raise HTTPException(403)
    call = json.loads(await request.body())
    name = call.get("next_action", "")
    tracker = call.get("tracker", {})
    metadata = tracker.get("latest_message", {}).get("metadata") or {}
    try:
        merchant_id, message_id = int(metadata["merchant_id"]), int(metadata["message_id"])
        conversation_id = int(metadata["conversation_id"])
        now = datetime.fromisoformat(metadata.get("acting_at") or metadata["now"])
    except (KeyError, TypeError, ValueError):
        raise HTTPException(400, "the message's metadata is incomplete") from None
    ordinal = _ordinal(tracker.get("events") or [])
    input_hash = _input_hash(name, tracker)
    place = message_id * ACTIONS_PER_TURN_MAX + min(ordinal, ACTIONS_PER_TURN_MAX - 1)
    async with parts.database.call(merchant_id, place) as session:
        for known in await _KNOWN.run(session, message_id=message_id, ordinal=ordinal):
            if known.input_hash != input_hash:
                log.error("action_input_changed", action=name, message=message_id)
                raise HTTPException(409, "the same call came with another input")
            return _json(known.response)
        port = await conversation_port(
            session,
            conversation_id,
            now,
            may_guess=parts.limits.may_guess,
            page_customer_id=metadata.get("page_customer_id"),
        )
        context = TurnContext(
            session=session,
            now=now,
            merchant_id=merchant_id,
            conversation_id=conversation_id,
            message_id=message_id,
            key=f"turn:{message_id}:{ordinal}",
            conversation=port,
            follows=metadata.get("follows"),
            hint=metadata.get("hint") or {},
        )
        response = await _run(request.app.state.executor, call, name, context)
        await _KEEP.run(
            session,
            merchant_id=merchant_id,
            message_id=message_id,
            ordinal=ordinal,
            name=name,
            input_hash=input_hash,
            response=response,
            at=now,
        )
        if port.wake:
            await defer_woken(request.app.state.jobs, session, merchant_id, port.wake)
    return _json(response)


async def _run(
    executor: ActionExecutor, call: dict[str, Any], name: str, context: TurnContext
) -> dict[str, Any]:
    call.setdefault("domain", {})
    token = current_turn.set(context)
    try:
        result = await executor.run(call)
    except ActionNotFoundException:
        raise HTTPException(404, f"there is no action {name}") from None
    except ActionExecutionRejection:
        raise HTTPException(400, f"{name} refused to run") from None
    finally:
        current_turn.reset(token)
    if result is None:
        raise HTTPException(400, "no action was named")
    return dict(result.model_dump())


def _ordinal(events: list[dict[str, Any]]) -> int:
    """How many actions ran since the customer's message: this call's place in the turn."""
    done = 0
    for event in reversed(events):
        if event.get("event") == "user":
            break
        if event.get("event") == "action" and event.get("name") != "action_listen":
            done += 1
    return done


def _input_hash(name: str, tracker: dict[str, Any]) -> str:
    message = tracker.get("latest_message") or {}
    facts = {
        "action": name,
        "intent": (message.get("intent") or {}).get("name"),
        "text": message.get("text"),
        "entities": [[e.get("entity"), e.get("value")] for e in message.get("entities") or []],
        "slots": tracker.get("slots"),
    }
    packed = json.dumps(facts, sort_keys=True, separators=(",", ":"), default=str)
    return hashlib.sha256(packed.encode()).hexdigest()


def _json(response: dict[str, Any]) -> Response:
    return Response(json.dumps(response), media_type="application/json")
