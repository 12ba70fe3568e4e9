"""Provider webhooks: checked, stored, and a job deferred, all before the provider gets its 200."""

from collections.abc import Sequence
from datetime import datetime

import procrastinate
import structlog
from fastapi import APIRouter, BackgroundTasks, HTTPException, Request, Response
from procrastinate.exceptions import ConnectorException
from sqlalchemy.exc import InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from tenacity import (
    retry,
    retry_if_exception_type,
    stop_after_delay,
    wait_exponential_jitter,
)

from api.accounts import NoProvider
from api.events import MESSAGE
from api.intake import read_body
from api.queue import Overtaken, defer_turn
from api.wiring import Parts
from channels.message import (
    Channel,
    ChannelProvider,
    InboundMessage,
    MalformedWebhook,
    ParsedWebhook,
    SignatureInvalid,
    WebhookRequest,
)
from channels.public_url import public_url
from conversation import inbox
from conversation.consent import set_reachable
from conversation.delivery import record_status

log = structlog.get_logger()
router = APIRouter(prefix="/webhooks", include_in_schema=False)

BODY_BYTES_MAX = 1_000_000
TWILIO = frozenset({Channel.SMS, Channel.WHATSAPP})
TWIML_NOTHING = '<?xml version="1.0" encoding="UTF-8"?><Response/>'


@router.post("/telegram")
async def telegram(request: Request, later: BackgroundTasks) -> Response:
    """Updates of the first merchant's bot."""
    return await _from_environment(request, later, Channel.TELEGRAM)


@router.post("/twilio/messages")
@router.post("/twilio/status")
async def twilio(request: Request, later: BackgroundTasks) -> Response:
    """Messages and status callbacks of the first merchant's Twilio account."""
    return await _from_environment(request, later, Channel.SMS)


@router.post("/terminal")
async def terminal(request: Request, later: BackgroundTasks) -> Response:
    """The terminal messenger (demo only)."""
    if not _parts(request).settings.demo:
        raise HTTPException(404)
    return await _from_environment(request, later, Channel.TERMINAL)


@router.post("/{merchant}/telegram")
async def merchant_telegram(merchant: str, request: Request, later: BackgroundTasks) -> Response:
    """Updates of a further merchant's bot."""
    return await _from_merchant(request, later, merchant, frozenset({Channel.TELEGRAM}))


@router.post("/{merchant}/twilio/messages")
@router.post("/{merchant}/twilio/status")
async def merchant_twilio(merchant: str, request: Request, later: BackgroundTasks) -> Response:
    """Messages and status callbacks of a further merchant's Twilio account."""
    return await _from_merchant(request, later, merchant, TWILIO)


def _parts(request: Request) -> Parts:
    parts: Parts = request.app.state.parts
    return parts


async def _from_environment(request: Request, later: BackgroundTasks, channel: Channel) -> Response:
    parts = _parts(request)
    try:
        provider = parts.providers.from_environment(channel)
        merchant_id = await parts.providers.first_merchant(parts.database)
    except NoProvider:
        raise HTTPException(404) from None
    return await _receive(request, later, merchant_id, [provider])


async def _from_merchant(
    request: Request, later: BackgroundTasks, merchant: str, channels: frozenset[Channel]
) -> Response:
    parts = _parts(request)
    try:
        found = await parts.providers.of_merchant(parts.database, merchant, channels)
    except NoProvider:
        raise HTTPException(404) from None
    return await _receive(request, later, *found)


async def _receive(
    request: Request,
    later: BackgroundTasks,
    merchant_id: int,
    providers: Sequence[ChannelProvider],
) -> Response:
    """Check, store and answer. What a merchant's own credentials signed can reach nothing of
    another merchant: it is stored in a transaction that sees this merchant's rows only."""
    parts = _parts(request)
    hook = await _hook(request, parts)
    provider = _verified(hook, providers)
    try:
        parsed = provider.parse(hook)
    except MalformedWebhook as error:
        log.error("webhook_malformed", path=request.url.path, reason=str(error))
        raise HTTPException(400, "not of the documented shape") from None
    await _accept(request, parts, merchant_id, parsed)
    for message in parsed.messages:
        if message.button_query_id:
            later.add_task(provider.acknowledge, message.button_query_id)
    if "/twilio/messages" in request.url.path:
        return Response(TWIML_NOTHING, media_type="text/xml")
    return Response(status_code=200)


async def _hook(request: Request, parts: Parts) -> WebhookRequest:
    body = await read_body(request, BODY_BYTES_MAX)
    url = public_url(
        scheme=request.url.scheme,
        path=request.scope["raw_path"].decode("ascii", "replace").partition("?")[0],
        query=request.scope["query_string"].decode("ascii", "replace"),
        headers=request.headers,
        peer=request.client.host if request.client else None,
        trusted_proxies=parts.settings.trusted_proxies,
        public_url_setting=parts.settings.public_url,
    )
    return WebhookRequest(url=url, headers=dict(request.headers), body=body)


def _verified(hook: WebhookRequest, providers: Sequence[ChannelProvider]) -> ChannelProvider:
    """The provider whose signature this is; a merchant may have several accounts."""
    for provider in providers:
        try:
            provider.verify(hook)
        except SignatureInvalid:
            continue
        return provider
    log.warning("webhook_forged")
    raise HTTPException(403)


# Twilio does not deliver a refused message again, so a database that is just coming back is
# waited for as long as the provider waits for us (Twilio: 15 seconds).
patiently = retry(
    retry=retry_if_exception_type(
        (OperationalError, InterfaceError, ConnectorException, PoolTimeout, Overtaken)
    ),
    wait=wait_exponential_jitter(multiplier=0.1, max=1),
    stop=stop_after_delay(10),
    reraise=True,
)


@patiently
async def _store(
    parts: Parts,
    jobs: procrastinate.App,
    merchant_id: int,
    message: InboundMessage,
    now: datetime,
) -> inbox.Accepted:
    """One message into the inbox with its job; safe to repeat, the message's own key sees to it."""
    async with parts.database.merchant(merchant_id) as session:
        accepted = await inbox.accept(session, message, now)
        if accepted.new and not accepted.settled:
            await defer_turn(jobs, session, accepted.merchant_id, accepted.conversation_id)
    return accepted


@patiently
async def _record(parts: Parts, merchant_id: int, parsed: ParsedWebhook, now: datetime) -> set[int]:
    """Status callbacks, and what the provider says of addresses; the conversations concerned."""
    changed: set[int] = set()
    async with parts.database.merchant(merchant_id) as session:
        for status in parsed.statuses:
            conversation_id = await record_status(session, status, now)
            if conversation_id is None:
                log.warning("status_for_nobody", channel=status.channel)
            else:
                changed.add(conversation_id)
        for contact in parsed.contacts:
            await set_reachable(
                session,
                channel=contact.channel,
                account=contact.account,
                address=contact.address,
                reachable=contact.reachable,
                now=now,
            )
    return changed


async def _accept(request: Request, parts: Parts, merchant_id: int, parsed: ParsedWebhook) -> None:
    now = parts.clock.now()
    jobs: procrastinate.App = request.app.state.jobs
    for message in parsed.messages:
        try:
            accepted = await _store(parts, jobs, merchant_id, message, now)
        except inbox.UnknownAccount as error:
            log.error("webhook_for_nobody", channel=message.channel, reason=str(error))
            raise HTTPException(404, "no such account") from None
        if accepted.new:
            await parts.events.changed(accepted.merchant_id, accepted.conversation_id, kind=MESSAGE)
    if parsed.statuses or parsed.contacts:
        for conversation_id in await _record(parts, merchant_id, parsed, now):
            await parts.events.changed(merchant_id, conversation_id, kind=MESSAGE)
