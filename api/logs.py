"""Logs for people and machines: facts and ids, never texts, phones, names or tokens."""

import logging
import sys

import structlog


def configure_logs() -> None:
    """Readable lines on a terminal, JSON lines elsewhere; libraries at warning."""
    plain = sys.stderr.isatty()
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="%H:%M:%S" if plain else "iso", utc=not plain),
            structlog.processors.format_exc_info,
            structlog.dev.ConsoleRenderer(colors=plain)
            if plain
            else structlog.processors.LogfmtRenderer(key_order=["timestamp", "level", "event"]),
        ],
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
        cache_logger_on_first_use=True,
    )
    logging.basicConfig(level=logging.WARNING, stream=sys.stderr, format="%(name)s %(message)s")
    # Both tell of a lost database with pages of traceback; the worker says it in one line.
    logging.getLogger("procrastinate").setLevel(logging.CRITICAL)
    logging.getLogger("psycopg.pool").setLevel(logging.CRITICAL)
