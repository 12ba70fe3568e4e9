"""What has done its work is removed: links, sessions, codes, told events, payments never made.

Nothing here is part of the books, of a transcript or of the audit. Rows go in batches, each a
transaction of its own, so nothing is locked for long; the next run goes on where one stops.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import ColumnElement, and_, delete, exists, or_, select, tuple_
from sqlalchemy.orm import aliased

from api.payments.provider import NoticeKind, PaymentStatus
from storage.engine import Database
from storage.tables import (
    AddressCode,
    Base,
    ConsoleLink,
    ConsoleSession,
    MerchantEvent,
    PageLink,
    PageSession,
    Payment,
    PaymentNotice,
    StartToken,
    WebhookDelivery,
)

BATCH_ROWS: Final = 1000
BATCHES_MAX: Final = 20
"""Of one rule in one run."""


@dataclass(frozen=True, slots=True)
class Rule:
    """Rows of a table that are removed ``days`` after they have done their work.

    ``past`` says which have by a moment, which is that many days ago. ``name`` is the rule's in
    the documentation and the log.
    """

    name: str
    table: type[Base]
    days: int
    past: Callable[[datetime], ColumnElement[bool]]


_later = aliased(MerchantEvent)

RULES: Final = (
    Rule(
        "page_session",
        PageSession,
        30,
        lambda then: or_(PageSession.ended_at < then, PageSession.seen_at < then),
    ),
    Rule(
        "page_link",
        PageLink,
        30,
        lambda then: and_(
            or_(PageLink.expires_at < then, PageLink.revoked_at < then),
            ~exists().where(PageSession.link_hash == PageLink.hash),
        ),
    ),
    Rule("console_session", ConsoleSession, 30, lambda then: ConsoleSession.expires_at < then),
    Rule("console_link", ConsoleLink, 30, lambda then: ConsoleLink.expires_at < then),
    Rule("address_code", AddressCode, 30, lambda then: AddressCode.expires_at < then),
    Rule("start_token", StartToken, 30, lambda then: StartToken.expires_at < then),
    Rule(
        "webhook_delivery_done",
        WebhookDelivery,
        90,
        lambda then: and_(
            WebhookDelivery.status == "delivered", WebhookDelivery.attempted_at < then
        ),
    ),
    Rule(
        "webhook_delivery_failed",
        WebhookDelivery,
        365,
        lambda then: and_(WebhookDelivery.status == "failed", WebhookDelivery.attempted_at < then),
    ),
    Rule(
        "merchant_event",
        MerchantEvent,
        90,
        # The newest one stays: the next number is counted from it.
        lambda then: and_(
            MerchantEvent.at < then,
            ~exists().where(WebhookDelivery.event_id == MerchantEvent.id),
            exists().where(
                _later.merchant_id == MerchantEvent.merchant_id,
                _later.sequence > MerchantEvent.sequence,
            ),
        ),
    ),
    Rule(
        "payment",
        Payment,
        180,
        # Nothing was ever posted for it, and nobody waits to tell that money came.
        lambda then: and_(
            Payment.status.in_(
                [PaymentStatus.STARTED, PaymentStatus.FAILED, PaymentStatus.EXPIRED]
            ),
            Payment.booked == {},
            Payment.updated_at < then,
        ),
    ),
    Rule(
        "payment_notice",
        PaymentNotice,
        180,
        lambda then: and_(
            PaymentNotice.kind.in_([NoticeKind.PENDING, NoticeKind.FAILED, NoticeKind.EXPIRED]),
            PaymentNotice.received_at < then,
        ),
    ),
)
"""In this order: what refers to something else goes before it."""


async def remove(database: Database, now: datetime) -> dict[str, int]:
    """Remove what is past its time, of all merchants; how many rows of each rule went."""
    removed = {}
    for rule in RULES:
        removed[rule.name] = 0
        for _ in range(BATCHES_MAX):
            gone = await _batch(database, rule, now - timedelta(days=rule.days))
            removed[rule.name] += gone
            if gone < BATCH_ROWS:
                break
    return removed


async def _batch(database: Database, rule: Rule, then: datetime) -> int:
    table = Base.metadata.tables[rule.table.__tablename__]
    key = list(table.primary_key.columns)
    # What somebody else holds at this moment is not past its time yet, or goes the next time.
    wanted = select(*key).where(rule.past(then)).limit(BATCH_ROWS).with_for_update(skip_locked=True)
    async with database.operator() as session:
        result: Any = await session.execute(delete(table).where(tuple_(*key).in_(wanted)))
        return int(result.rowcount)
