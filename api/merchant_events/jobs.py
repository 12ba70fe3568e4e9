"""The jobs that tell merchants' systems what happened: number, put down, post.

What is due stands in the tables, by the service's own clock; a job is only somebody to do it. So
nothing is lost with a worker: what it had not noted is due still, and posted again under its id.
"""

import asyncio
import time
from collections.abc import Callable
from datetime import datetime

import structlog
from cryptography.fernet import InvalidToken
from procrastinate import exceptions

from api.merchant_events import delivery, endpoints, relay
from api.merchant_events.posting import AT_ONCE_MAX, HOLD_SECONDS, Answer, Poster
from api.queue import UPKEEP_PRIORITY, current, queue
from storage.engine import Database

log = structlog.get_logger()

RUN_SECONDS_MAX = 30
LANES = 3
"""So many endpoints are posted to at once in all, however many are slow: the rest of the workers is
for conversations."""
PRIORITY = -10


@queue.periodic(cron="* * * * * */2")
@queue.task(name="events", queueing_lock="events", priority=UPKEEP_PRIORITY)
async def events(timestamp: int) -> None:
    """Number what was committed, and see that somebody posts what is due."""
    parts, app = current().parts, current().app
    async with parts.database.operator() as session:
        await relay.number(session, parts.clock.now())
    async with parts.database.operator() as session:
        found = await relay.due_endpoints(session, parts.clock.now())
    for merchant_id, endpoint_id in found:
        job = app.configure_task(
            "kulanz:post_events",
            lock=f"post_events:{endpoint_id % LANES}",
            queueing_lock=f"post_events:{endpoint_id}",
            priority=PRIORITY,
        )
        try:
            await job.defer_async(merchant_id=merchant_id, endpoint_id=endpoint_id)
        except exceptions.AlreadyEnqueued:
            continue


@queue.task(name="post_events")
async def post_events(merchant_id: int, endpoint_id: int) -> None:
    """Post what is due at one endpoint; what is left after a while gets a job anew."""
    parts = current().parts
    try:
        async with Poster(endpoints.networks_of(parts.settings)) as poster:
            await post_due(
                parts.database,
                poster,
                merchant_id,
                endpoint_id,
                secret_key=parts.keys.secret_key,
                now=parts.clock.now,
            )
    except Exception as error:  # the next look finds the same again, due still
        log.error("job_failed", task="post_events", error=type(error).__name__)


async def post_due(
    database: Database,
    poster: Poster,
    merchant_id: int,
    endpoint_id: int,
    *,
    secret_key: str,
    now: Callable[[], datetime],
) -> int:
    """Post what is due, some at a time, until nothing is or RUN_SECONDS_MAX have passed.

    Returns how many attempts were made.
    """
    ends = time.monotonic() + RUN_SECONDS_MAX
    answers: list[tuple[delivery.Due, Answer]] = []
    made = 0
    while True:
        async with database.merchant(merchant_id) as session:
            await delivery.note(session, endpoint_id, answers, now())
            endpoint = await delivery.endpoint_on(session, endpoint_id)
            if endpoint is None or time.monotonic() > ends:
                return made
            due = await delivery.due(session, endpoint_id, now(), AT_ONCE_MAX)
        if not due:
            return made
        try:
            signing = endpoints.secrets_in_force(endpoint.secrets, secret_key, now())
        except InvalidToken:
            unreadable = Answer(error="secret_unreadable", hold_seconds=HOLD_SECONDS)
            answers = [(tried, unreadable) for tried in due]
        else:
            answers = list(
                zip(
                    due,
                    await asyncio.gather(
                        *(poster.post(endpoint.url, signing, one.key, one.body) for one in due)
                    ),
                    strict=True,
                )
            )
        made += len(due)
        for tried, answer in answers:
            if not answer.taken:
                log.warning(
                    "event_not_taken",
                    delivery=tried.delivery_id,
                    endpoint=endpoint_id,
                    status=answer.status,
                    reason=answer.error,
                )
