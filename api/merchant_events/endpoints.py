"""Endpoints of a merchant: where events go, which, and what they are signed with."""

import base64
import secrets
from collections.abc import Sequence
from datetime import datetime, timedelta
from ipaddress import IPv4Network, IPv6Network

from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncSession

from api.merchant_events.addresses import EVERYWHERE, require_url
from api.sealing import seal, unseal
from api.settings import Settings
from storage.merchant_events import EventKind
from storage.tables import WebhookDelivery, WebhookEndpoint

SEALED_FOR = "webhook endpoints"
SECRET_BYTES = 32
ENDPOINTS_MAX = 10
"""Of one merchant: each event is posted to all of them."""


class EndpointRefused(ValueError):
    """It cannot be done; the text says why."""


class EndpointUnknown(LookupError):
    """The merchant has no such endpoint."""


def networks_of(settings: Settings) -> tuple[IPv4Network | IPv6Network, ...]:
    """Where we post besides public addresses; a demo's receivers run on this machine."""
    return EVERYWHERE if settings.demo else tuple(settings.webhook_networks)


def new_secret() -> str:
    """A signing secret in the form of Standard Webhooks."""
    return "whsec_" + base64.b64encode(secrets.token_bytes(SECRET_BYTES)).decode()


def known_kinds(given: Sequence[str]) -> list[str]:
    """The kinds of events that were named. Raises EndpointRefused for a kind that there is not."""
    unknown = sorted(set(given) - {kind.value for kind in EventKind})
    if unknown:
        raise EndpointRefused(
            f"there is no event {', '.join(unknown)}; known: {', '.join(EventKind)}"
        )
    return sorted(set(given))


async def add(
    session: AsyncSession,
    merchant_id: int,
    url: str,
    kinds: Sequence[str],
    *,
    settings: Settings,
    secret_key: str,
    now: datetime,
) -> tuple[WebhookEndpoint, str]:
    """Store an endpoint for events of these kinds, all where none is named; and its secret.

    Raises EndpointRefused, UrlRefused.
    """
    url, kinds = require_url(url, networks_of(settings)), known_kinds(kinds)
    held = await of_merchant(session, merchant_id)
    if any(endpoint.url == url for endpoint in held):
        raise EndpointRefused(f"{url} is an endpoint already")
    if len(held) >= ENDPOINTS_MAX:
        raise EndpointRefused(f"there are {ENDPOINTS_MAX} endpoints already")
    secret = new_secret()
    endpoint = WebhookEndpoint(
        merchant_id=merchant_id,
        url=url,
        kinds=kinds,
        secrets=seal(secret_key, SEALED_FOR, {"current": secret}),
        created_at=now,
    )
    session.add(endpoint)
    await session.flush()
    return endpoint, secret


async def of_merchant(session: AsyncSession, merchant_id: int) -> list[WebhookEndpoint]:
    """All endpoints of a merchant."""
    found = await session.scalars(
        select(WebhookEndpoint)
        .where(WebhookEndpoint.merchant_id == merchant_id)
        .order_by(WebhookEndpoint.id)
    )
    return list(found)


async def named(session: AsyncSession, merchant_id: int, endpoint_id: int) -> WebhookEndpoint:
    """One endpoint, held until the transaction ends. Raises EndpointUnknown."""
    found = await session.scalar(
        select(WebhookEndpoint)
        .where(WebhookEndpoint.merchant_id == merchant_id, WebhookEndpoint.id == endpoint_id)
        .with_for_update()
    )
    if found is None:
        raise EndpointUnknown(f"there is no endpoint {endpoint_id}")
    return found


async def rotate(
    session: AsyncSession,
    merchant_id: int,
    endpoint_id: int,
    *,
    overlap: timedelta,
    secret_key: str,
    now: datetime,
) -> str:
    """Give an endpoint a new secret; the one before it signs along until `overlap` has passed.

    A second rotation within that time ends the oldest one. Raises EndpointUnknown.
    """
    endpoint = await named(session, merchant_id, endpoint_id)
    before = unseal(secret_key, SEALED_FOR, endpoint.secrets)["current"]
    secret = new_secret()
    endpoint.secrets = seal(
        secret_key,
        SEALED_FOR,
        {"current": secret, "previous": before, "until": (now + overlap).isoformat()},
    )
    return secret


def secrets_in_force(stored: bytes, secret_key: str, now: datetime) -> list[str]:
    """What to sign with, the newest first. Raises InvalidToken under another secret key."""
    held = unseal(secret_key, SEALED_FOR, stored)
    if "previous" in held and now < datetime.fromisoformat(held["until"]):
        return [held["current"], held["previous"]]
    return [held["current"]]


async def switch_on(session: AsyncSession, merchant_id: int, endpoint_id: int) -> None:
    """Post to an endpoint again that had answered 410. Raises EndpointUnknown."""
    (await named(session, merchant_id, endpoint_id)).off_at = None


async def switch_off(session: AsyncSession, endpoint_id: int, now: datetime) -> None:
    """Post nothing more to an endpoint; what waits for it has failed, and can be replayed."""
    await session.execute(
        update(WebhookEndpoint).where(WebhookEndpoint.id == endpoint_id).values(off_at=now)
    )
    await session.execute(
        update(WebhookDelivery)
        .where(WebhookDelivery.endpoint_id == endpoint_id, WebhookDelivery.status == "pending")
        .values(status="failed", error="endpoint_off")
    )


async def remove(session: AsyncSession, merchant_id: int, endpoint_id: int) -> str:
    """Forget an endpoint, its secrets and its deliveries; its address. Raises EndpointUnknown."""
    endpoint = await named(session, merchant_id, endpoint_id)
    await session.delete(endpoint)
    return endpoint.url
