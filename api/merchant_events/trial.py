"""A test event, posted to an endpoint at once: does it answer, and does it know the signature?"""

from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncSession

from api.merchant_events import endpoints
from api.merchant_events.envelope import EventView, body
from api.merchant_events.posting import Answer, Poster
from api.settings import Settings
from storage.merchant_events import new_event_key
from storage.tables import WebhookEndpoint

TEST_KIND = "webhook.test"


async def signing_of(
    session: AsyncSession, merchant_id: int, endpoint_id: int, *, secret_key: str, now: datetime
) -> tuple[WebhookEndpoint, list[str]]:
    """An endpoint and what it is signed with. Raises EndpointUnknown, InvalidToken."""
    found = await endpoints.named(session, merchant_id, endpoint_id)
    return found, endpoints.secrets_in_force(found.secrets, secret_key, now)


async def post_test(
    url: str, signing: list[str], merchant_key: str, *, settings: Settings, now: datetime
) -> Answer:
    """Post a signed event that says nothing; it stands in no list of deliveries."""
    shown = EventView(
        id=new_event_key(),
        type=TEST_KIND,
        timestamp=now,
        sequence=0,
        merchant=merchant_key,
        data={},
    )
    async with Poster(endpoints.networks_of(settings)) as poster:
        return await poster.post(url, signing, shown.id, body(shown))
