"""Where payment providers tell what became of a payment: checked, kept and booked in one go."""

import structlog
from fastapi import APIRouter, HTTPException, Request, Response

from api.accounts import NoProvider
from api.intake import read_body
from api.payments import booking
from api.payments.accounts import PaymentProviders
from api.payments.provider import NoticeForged, NoticeMalformed
from api.wiring import Parts

log = structlog.get_logger()
router = APIRouter(prefix="/webhooks", include_in_schema=False)

BODY_BYTES_MAX = 1_000_000


@router.post("/payments/{provider}")
async def notice(provider: str, request: Request) -> Response:
    """Notices about payments of the first merchant."""
    return await _receive(request, provider, None)


@router.post("/{merchant}/payments/{provider}")
async def merchant_notice(merchant: str, provider: str, request: Request) -> Response:
    """Notices about payments of a further merchant."""
    return await _receive(request, provider, merchant)


async def _receive(request: Request, name: str, merchant_key: str | None) -> Response:
    parts: Parts = request.app.state.parts
    providers: PaymentProviders = request.app.state.payments
    body = await read_body(request, BODY_BYTES_MAX)
    try:
        async with parts.database.operator() as session:
            merchant_id, provider = await providers.named(session, name, merchant_key)
    except NoProvider:
        raise HTTPException(404) from None
    try:
        told = provider.read(request.headers, body)
    except NoticeForged:
        raise HTTPException(403) from None
    except NoticeMalformed as error:
        log.error("payment_notice_malformed", provider=name, reason=str(error))
        raise HTTPException(400, "not of the documented shape") from None
    if told is not None:
        async with parts.database.merchant(merchant_id) as session:
            await booking.take(session, merchant_id, name, told, parts.clock.now())
    return Response(status_code=200)
