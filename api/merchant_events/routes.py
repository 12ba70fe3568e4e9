"""Events and their deliveries over REST: read on from a number, look, have them posted again."""

from datetime import datetime
from typing import Annotated, Any, Literal

from fastapi import APIRouter, HTTPException, Path, Query, Request
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, model_validator

from api.callers import OF_KEY, Failure, ForEvents, ForReadingCodes
from api.merchant_events import replay
from api.merchant_events.envelope import SHOWN, EventView, view
from api.wiring import Parts
from storage.tables import MerchantEvent

LISTED_MAX = 500

router = APIRouter(prefix="/api/v1", tags=["events"])
Number = Annotated[int, Field(ge=0, le=2**63 - 1)]


class Events(BaseModel):
    """Some events, in the order of their numbers."""

    events: list[EventView]
    next_after: int = Field(description="Ask for the events after this number next.")


class DeliveryView(BaseModel):
    """One event on its way to one endpoint."""

    id: int
    status: Literal["pending", "delivered", "failed"]
    event_id: str
    event_type: str
    sequence: int
    endpoint_id: int
    url: str
    attempts: int = Field(description="Since it was put down, or posted again.")
    attempted_at: datetime | None
    next_attempt_at: datetime | None = Field(description="At the earliest; null: none is planned.")
    answer: int | None = Field(description="HTTP status of the last attempt; null: none came.")
    error: str | None = Field(
        description="Code of what was wrong with the last attempt.", examples=["timeout"]
    )


class Deliveries(BaseModel):
    """Some deliveries, the newest first."""

    deliveries: list[DeliveryView]
    next_before: int | None = Field(description="Ask for those before this one next; null: all.")


class ReplayRequest(BaseModel):
    """All that failed, or every event of a period."""

    model_config = ConfigDict(extra="forbid")

    failed: Literal[True] | None = None
    since: AwareDatetime | None = None
    until: AwareDatetime | None = Field(default=None, description="Not included.")
    endpoint_id: Number | None = Field(default=None, description="A period at this one only.")

    @model_validator(mode="after")
    def _one_of_both(self) -> "ReplayRequest":
        period = self.since is not None and self.until is not None
        if bool(self.failed) == period or (self.failed and (self.since or self.until)):
            raise ValueError("either failed, or since and until")
        if self.failed and self.endpoint_id is not None:
            raise ValueError("endpoint_id goes with a period")
        return self


class Replayed(BaseModel):
    """What will be posted again."""

    deliveries: int


def delivery_view(row: Any) -> DeliveryView:
    """A row of `replay.deliveries` as it is shown."""
    held, event = row.WebhookDelivery, row.MerchantEvent
    return DeliveryView(
        id=held.id,
        status=held.status,
        event_id=event.key,
        event_type=event.kind,
        sequence=event.sequence,
        endpoint_id=held.endpoint_id,
        url=row.url,
        attempts=held.attempts,
        attempted_at=held.attempted_at,
        next_attempt_at=held.due_at if held.status == "pending" else None,
        answer=held.answer,
        error=held.error,
    )


@router.get("/events", responses=OF_KEY)
async def events(
    request: Request,
    merchant: ForReadingCodes,
    after: Annotated[int, Query(ge=0, le=2**63 - 1, description="A number.")] = 0,
    limit: Annotated[int, Query(ge=1, le=LISTED_MAX)] = 100,
) -> Events:
    """What happened after a number, oldest first: for systems that ask instead of being told."""
    parts: Parts = request.app.state.parts
    async with parts.database.merchant(merchant.id) as session:
        found = await session.execute(
            SHOWN.where(MerchantEvent.merchant_id == merchant.id, MerchantEvent.sequence > after)
            .order_by(MerchantEvent.sequence)
            .limit(limit)
        )
        shown = [view(row) for row in found]
    return Events(events=shown, next_after=shown[-1].sequence if shown else after)


@router.get("/webhook-deliveries", responses=OF_KEY)
async def deliveries(
    request: Request,
    merchant: ForReadingCodes,
    status: Literal["pending", "delivered", "failed"] | None = None,
    endpoint_id: Annotated[int | None, Query(ge=0, le=2**63 - 1)] = None,
    before: Annotated[int | None, Query(ge=0, le=2**63 - 1)] = None,
    limit: Annotated[int, Query(ge=1, le=LISTED_MAX)] = 100,
) -> Deliveries:
    """What was posted where, and what became of it."""
    parts: Parts = request.app.state.parts
    wanted = replay.Listed(status, endpoint_id, before, limit)
    async with parts.database.merchant(merchant.id) as session:
        shown = [
            delivery_view(row) for row in await replay.deliveries(session, merchant.id, wanted)
        ]
    return Deliveries(deliveries=shown, next_before=shown[-1].id if len(shown) == limit else None)


@router.post("/webhook-deliveries/replay", responses=OF_KEY)
async def replay_many(request: Request, merchant: ForEvents, wanted: ReplayRequest) -> Replayed:
    """Post again all that failed, or every event of a period, each under its own id."""
    parts: Parts = request.app.state.parts
    now = parts.clock.now()
    async with parts.database.merchant(merchant.id) as session:
        if wanted.since is not None and wanted.until is not None:
            count = await replay.replay_period(
                session,
                merchant.id,
                wanted.since,
                wanted.until,
                now,
                endpoint_id=wanted.endpoint_id,
            )
        else:
            count = await replay.replay_failed(session, merchant.id, now)
    return Replayed(deliveries=count)


@router.post(
    "/webhook-deliveries/{delivery_id}/replay", responses={**OF_KEY, 404: {"model": Failure}}
)
async def replay_one(
    request: Request,
    merchant: ForEvents,
    delivery_id: Annotated[int, Path(ge=1, le=2**63 - 1)],
) -> Replayed:
    """Post one delivery again, under the same id."""
    parts: Parts = request.app.state.parts
    async with parts.database.merchant(merchant.id) as session:
        try:
            await replay.replay_one(session, merchant.id, delivery_id, parts.clock.now())
        except replay.DeliveryUnknown as error:
            raise HTTPException(404, str(error)) from error
    return Replayed(deliveries=1)
