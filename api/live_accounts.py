"""Asking the providers about accounts: which, with which credentials, and all at once."""

import asyncio
from datetime import UTC, datetime

import httpx
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from api import live_checks
from api.accounts import decrypt, environment_credentials
from api.findings import Finding
from api.settings import Settings
from storage.tables import ChannelAccount, Merchant

ANSWER_SECONDS_MAX = 15


async def in_force(
    session: AsyncSession, settings: Settings, secret_key: str, merchant_id: int | None = None
) -> list[live_checks.LiveAccount]:
    """Every enabled account, of one merchant or of all, with the credentials in force for it."""
    base = (settings.public_url or "").rstrip("/") + "/webhooks"
    wanted = (
        select(ChannelAccount, Merchant.key)
        .join(Merchant, Merchant.id == ChannelAccount.merchant_id)
        .where(ChannelAccount.enabled, ChannelAccount.channel != "terminal")
        .order_by(ChannelAccount.id)
    )
    if merchant_id is not None:
        wanted = wanted.where(ChannelAccount.merchant_id == merchant_id)
    accounts = []
    for row, merchant in (await session.execute(wanted)).all():
        own = row.credentials is not None
        credentials = (
            decrypt(secret_key, row.credentials)
            if row.credentials is not None
            else environment_credentials(settings, row.channel)
        )
        if credentials is not None:
            accounts.append(
                live_checks.LiveAccount(
                    merchant=merchant,
                    channel=row.channel,
                    address=row.address,
                    credentials=credentials,
                    hooks=f"{base}/{merchant}" if own else base,
                    bot_name=None if own else settings.telegram_bot_name,
                    templates=row.templates,
                )
            )
    return accounts


async def ask(accounts: list[live_checks.LiveAccount], settings: Settings) -> list[Finding]:
    """What the providers say of these accounts."""
    apis = live_checks.Providers(
        telegram=settings.telegram_api_url.rstrip("/"),
        twilio=settings.twilio_api_url.rstrip("/"),
        twilio_messaging=settings.twilio_messaging_api_url.rstrip("/"),
        twilio_content=settings.twilio_content_api_url.rstrip("/"),
    )
    async with httpx.AsyncClient(timeout=ANSWER_SECONDS_MAX) as client:
        asked = [
            live_checks.check(account, apis, client, datetime.now(UTC)) for account in accounts
        ]
        return [finding for found in await asyncio.gather(*asked) for finding in found]
