"""Looking at deliveries, and having events posted again under the same id."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import func, literal, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from storage.tables import MerchantEvent, WebhookDelivery, WebhookEndpoint


class DeliveryUnknown(LookupError):
    """The merchant has no such delivery."""


@dataclass(frozen=True, slots=True)
class Listed:
    """Which deliveries to list; newest first, older than `before`."""

    status: str | None = None
    endpoint_id: int | None = None
    before: int | None = None
    most: int = 100


async def deliveries(session: AsyncSession, merchant_id: int, wanted: Listed) -> Sequence[Any]:
    """Rows of a delivery, its event and the endpoint's address."""
    conditions = [WebhookDelivery.merchant_id == merchant_id]
    if wanted.status is not None:
        conditions.append(WebhookDelivery.status == wanted.status)
    if wanted.endpoint_id is not None:
        conditions.append(WebhookDelivery.endpoint_id == wanted.endpoint_id)
    if wanted.before is not None:
        conditions.append(WebhookDelivery.id < wanted.before)
    found = await session.execute(
        select(WebhookDelivery, MerchantEvent, WebhookEndpoint.url)
        .join(MerchantEvent, MerchantEvent.id == WebhookDelivery.event_id)
        .join(WebhookEndpoint, WebhookEndpoint.id == WebhookDelivery.endpoint_id)
        .where(*conditions)
        .order_by(WebhookDelivery.id.desc())
        .limit(wanted.most)
    )
    return found.all()


async def replay_one(
    session: AsyncSession, merchant_id: int, delivery_id: int, now: datetime
) -> None:
    """Post one delivery again, with all its attempts before it. Raises DeliveryUnknown."""
    found = await session.scalar(
        update(WebhookDelivery)
        .where(WebhookDelivery.merchant_id == merchant_id, WebhookDelivery.id == delivery_id)
        .values(_anew(now))
        .returning(WebhookDelivery.id)
    )
    if found is None:
        raise DeliveryUnknown(f"there is no delivery {delivery_id}")


async def replay_failed(session: AsyncSession, merchant_id: int, now: datetime) -> int:
    """Post all that failed again, at the endpoints that are on; returns how many."""
    on = select(WebhookEndpoint.id).where(
        WebhookEndpoint.merchant_id == merchant_id, WebhookEndpoint.off_at.is_(None)
    )
    found = await session.scalars(
        update(WebhookDelivery)
        .where(
            WebhookDelivery.merchant_id == merchant_id,
            WebhookDelivery.status == "failed",
            WebhookDelivery.endpoint_id.in_(on),
        )
        .values(_anew(now))
        .returning(WebhookDelivery.id)
    )
    return len(found.all())


async def replay_period(
    session: AsyncSession,
    merchant_id: int,
    since: datetime,
    until: datetime,
    now: datetime,
    *,
    endpoint_id: int | None = None,
) -> int:
    """Post every event that happened from `since` to before `until`, delivered or not.

    Endpoints that were added later get them too, each only the kinds it is for. Returns how many
    deliveries that makes.
    """
    kinds = WebhookEndpoint.kinds
    wanted = [
        MerchantEvent.merchant_id == merchant_id,
        MerchantEvent.sequence.is_not(None),
        MerchantEvent.at >= since,
        MerchantEvent.at < until,
        WebhookEndpoint.off_at.is_(None),
        (func.jsonb_array_length(kinds) == 0) | kinds.op("?")(MerchantEvent.kind),
    ]
    if endpoint_id is not None:
        wanted.append(WebhookEndpoint.id == endpoint_id)
    rows = (
        select(MerchantEvent.merchant_id, MerchantEvent.id, WebhookEndpoint.id, literal(now))
        .join(WebhookEndpoint, WebhookEndpoint.merchant_id == MerchantEvent.merchant_id)
        .where(*wanted)
        .order_by(MerchantEvent.id)
    )
    found = await session.scalars(
        insert(WebhookDelivery)
        .from_select(["merchant_id", "event_id", "endpoint_id", "due_at"], rows)
        .on_conflict_do_update(index_elements=["event_id", "endpoint_id"], set_=_anew(now))
        .returning(WebhookDelivery.id)
    )
    return len(found.all())


def _anew(now: datetime) -> dict[str, Any]:
    return {"status": "pending", "attempts": 0, "due_at": now}
