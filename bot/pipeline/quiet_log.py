"""Keeps what customers write out of Rasa's log.

Rasa prints message texts, slots and whole events in warnings and errors. While a turn runs,
every record that is not ours keeps only its origin and the type of its exception.
"""

import logging
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, Iterator

_in_turn: ContextVar[bool] = ContextVar("in_turn", default=False)
_OWN = "pipeline."


def install() -> None:
    """Put the filter in front of every log record of this process, warnings included."""
    original = logging.getLogRecordFactory()
    if getattr(original, "withholds_texts", False):
        return

    def factory(*args: Any, **kwargs: Any) -> logging.LogRecord:
        record = original(*args, **kwargs)
        if _in_turn.get() and not record.name.startswith(_OWN):
            cause = record.exc_info[0] if record.exc_info else None
            reason = f", {cause.__name__}" if cause else ""
            record.msg = f"text withheld ({record.module}:{record.lineno}{reason})"
            record.args = ()
            record.exc_info = None
            record.exc_text = None
            record.stack_info = None
        return record

    factory.withholds_texts = True  # type: ignore[attr-defined]
    logging.setLogRecordFactory(factory)
    logging.captureWarnings(True)


@contextmanager
def turn() -> Iterator[None]:
    """Mark the code that handles a customer's message."""
    token = _in_turn.set(True)
    try:
        yield
    finally:
        _in_turn.reset(token)
