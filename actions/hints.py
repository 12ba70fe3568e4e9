"""What a person who gives the conversation back has told the assistant, as a wish to go on with.

The desk's ``facts`` (see docs/handoff.md): ``topic``, and figures that go with it.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

from actions.reading import Heard

_TOPICS: Mapping[str, tuple[str, str]] = {
    "claim": ("ask_claim", "action_explain_claim"),
    "payment": ("pay_now", "action_give_bank_details"),
    "ways": ("ask_payment_options", "action_offer_ways"),
    "promise": ("promise_payment", "action_promise"),
    "deferral": ("request_deferral", "action_defer"),
    "instalments": ("request_instalments", "action_plan_instalments"),
    "agreement": ("ask_agreement", "action_tell_agreement"),
    "callback": ("request_callback", "action_ask_callback_time"),
    "proof": ("inform", "action_greet"),
}
"""Topic → intent and action."""
_SAYS_NOTHING_ELSE = frozenset({"greet", "affirm", "thank", "inform", "out_of_scope"})
"""A message that names no wish of its own goes on with what the person wanted done."""
_CURRENCY = "EUR"


def hinted_wish(hint: Mapping[str, Any], heard: Heard) -> dict[str, Any] | None:
    """The wish to go on with after a message, or None where the message has its own.

    A wish of the same topic without figures ("ja, die Raten bitte") gets those of the hint.
    """
    topic = _TOPICS.get(str(hint.get("topic", "")))
    if topic is None:
        return None
    intent, action = topic
    figures = _figures(hint)
    named = [entity for entity in heard.entities if entity.get("entity") in _FIGURES]
    if heard.intent != intent and (heard.intent not in _SAYS_NOTHING_ELSE or named):
        return None
    if heard.intent == intent and named:
        return None
    return {"intent": intent, "entities": figures, "action": action, "ready": True}


_FIGURES = frozenset({"amount", "count", "date", "period"})


def _figures(hint: Mapping[str, Any]) -> list[dict[str, Any]]:
    count = hint.get("count", hint.get("instalments"))
    amount, day, period = hint.get("amount_minor"), hint.get("date"), hint.get("period")
    found: list[dict[str, Any]] = []
    if isinstance(count, int) and not isinstance(count, bool):
        found.append({"entity": "count", "value": count})
    if isinstance(amount, int) and not isinstance(amount, bool):
        currency = hint.get("currency", _CURRENCY)
        found.append({"entity": "amount", "value": {"minor": amount, "currency": currency}})
    if isinstance(day, str) and _is_day(day):
        found.append({"entity": "date", "value": day})
    if period in ("weekly", "biweekly", "monthly"):
        found.append({"entity": "period", "value": period})
    return found


def _is_day(text: str) -> bool:
    try:
        date.fromisoformat(text)
    except ValueError:
        return False
    return True
