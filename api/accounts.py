"""Channel accounts: which provider speaks for an address, with credentials from where."""

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from api.sealing import seal, unseal
from api.settings import Settings
from channels.http import Connections
from channels.message import Channel, ChannelProvider
from channels.telegram import TelegramProvider
from channels.terminal import Publish, TerminalProvider
from channels.twilio import TwilioProvider
from storage.engine import Database
from storage.tables import ChannelAccount, Merchant

TERMINAL_ADDRESS = "terminal"
SEALED_FOR = "channel accounts"

MakeProvider = Callable[[], ChannelProvider]


class NoProvider(LookupError):
    """The account has neither stored credentials nor settings in the environment."""


def decrypt(secret_key: str, stored: bytes) -> dict[str, str]:
    """An account's own credentials as they were stored."""
    return unseal(secret_key, SEALED_FOR, stored)


def environment_credentials(settings: Settings, channel: str) -> dict[str, str] | None:
    """The credentials that ``KULANZ_*`` names for this channel, under the names of stored ones."""
    if channel == Channel.TELEGRAM:
        given = {
            "token": settings.secret("telegram_bot_token"),
            "webhook_secret": settings.secret("telegram_webhook_secret"),
        }
    else:
        given = {
            "account_sid": settings.twilio_account_sid,
            "auth_token": settings.secret("twilio_auth_token"),
        }
    known = {name: value for name, value in given.items() if value}
    return known if len(known) == len(given) else None


@dataclass(frozen=True)
class AccountRow:
    """What of a stored account decides its provider."""

    id: int
    merchant_id: int
    channel: str
    address: str
    credentials: bytes | None
    merchant_key: str


@dataclass(frozen=True)
class Sender:
    """What sends from one account, and the path on which its status callbacks come back."""

    provider: ChannelProvider
    callback_path: str


class Providers:
    """One provider object per set of credentials, made when first needed."""

    def __init__(self, settings: Settings, secret_key: str, publish: Publish) -> None:
        self._settings = settings
        self._secret_key = secret_key
        self._publish = publish
        self._connections = Connections(connections_max=40)
        self._made: dict[str, ChannelProvider] = {}
        self._by_account: dict[int, ChannelProvider] = {}
        self._senders: dict[int, Sender] = {}
        self._first: int | None = None

    def encrypt(self, credentials: Mapping[str, str]) -> bytes:
        """Credentials as they are stored."""
        return seal(self._secret_key, SEALED_FOR, credentials)

    def from_environment(self, channel: Channel) -> ChannelProvider:
        """The first merchant's provider, as set by ``KULANZ_*``.

        Raises:
            NoProvider: the settings for this channel are missing.
        """
        settings = self._settings
        if channel is Channel.TERMINAL:
            return self._once(
                "env:terminal",
                lambda: TerminalProvider(
                    secret=self.terminal_secret, publish=self._publish, account=TERMINAL_ADDRESS
                ),
            )
        if channel is Channel.TELEGRAM:
            token = settings.secret("telegram_bot_token")
            hook = settings.secret("telegram_webhook_secret")
            if not token or not hook:
                raise NoProvider("KULANZ_TELEGRAM_BOT_TOKEN or _WEBHOOK_SECRET is not set")
            return self._once("env:telegram", lambda: self._telegram(token, hook))
        sid, auth = settings.twilio_account_sid, settings.secret("twilio_auth_token")
        if not sid or not auth:
            raise NoProvider("KULANZ_TWILIO_ACCOUNT_SID or _AUTH_TOKEN is not set")
        senders = {
            kind: number
            for kind, number in (
                (Channel.SMS, settings.twilio_sms_from),
                (Channel.WHATSAPP, settings.twilio_whatsapp_from),
            )
            if number
        }
        return self._once("env:twilio", lambda: self._twilio(sid, auth, senders))

    @property
    def terminal_secret(self) -> str:
        """What the terminal messenger signs its webhooks with."""
        return hashlib.sha256(f"terminal:{self._secret_key}".encode()).hexdigest()

    def of(self, account: AccountRow) -> ChannelProvider:
        """The provider of a stored account. Raises NoProvider."""
        known = self._by_account.get(account.id)
        if known is not None:
            return known
        channel = Channel(account.channel)
        if account.credentials is None:
            provider = self.from_environment(channel)
        else:
            given = decrypt(self._secret_key, account.credentials)
            if channel is Channel.TELEGRAM:
                provider = self._telegram(given["token"], given["webhook_secret"])
            else:
                provider = self._twilio(
                    given["account_sid"], given["auth_token"], {channel: account.address}
                )
        self._by_account[account.id] = provider
        return provider

    async def load(self, database: Database, account_id: int) -> Sender:
        """What sends from the account with this id. Raises NoProvider."""
        known = self._senders.get(account_id)
        if known is not None:
            return known
        async with database.operator() as session:
            rows = await _rows(session, ChannelAccount.id == account_id)
        if not rows:
            raise NoProvider(f"there is no channel account {account_id}")
        (row,) = rows
        prefix = f"/{row.merchant_key}" if row.credentials is not None else ""
        sender = Sender(self.of(row), f"/webhooks{prefix}/twilio/status")
        self._senders[account_id] = sender
        return sender

    async def of_merchant(
        self, database: Database, merchant_key: str, channels: frozenset[Channel]
    ) -> tuple[int, list[ChannelProvider]]:
        """A merchant's id and its providers for these channels, for its own webhook addresses.

        Raises:
            NoProvider: it has none.
        """
        async with database.operator() as session:
            rows = await _rows(
                session,
                Merchant.key == merchant_key,
                ChannelAccount.channel.in_([c.value for c in channels]),
                ChannelAccount.enabled,
            )
        if not rows:
            raise NoProvider("the merchant has no account of this kind")
        return rows[0].merchant_id, list(dict.fromkeys(self.of(row) for row in rows))

    async def first_merchant(self, database: Database) -> int:
        """The merchant whose accounts the environment names. Raises NoProvider."""
        if self._first is None:
            async with database.operator() as session:
                self._first = await session.scalar(select(func.min(Merchant.id)))
        if self._first is None:
            raise NoProvider("there is no merchant yet")
        return self._first

    def _once(self, key: str, make: MakeProvider) -> ChannelProvider:
        if key not in self._made:
            self._made[key] = make()
        return self._made[key]

    def _telegram(self, token: str, webhook_secret: str) -> ChannelProvider:
        return TelegramProvider(
            token=token,
            webhook_secret=webhook_secret,
            api_url=self._settings.telegram_api_url,
            connections=self._connections,
        )

    def _twilio(self, sid: str, auth: str, senders: Mapping[Channel, str]) -> ChannelProvider:
        return TwilioProvider(
            account_sid=sid,
            auth_token=auth,
            senders=senders,
            api_url=self._settings.twilio_api_url,
            connections=self._connections,
        )

    async def close(self) -> None:
        """Give back all connections."""
        await self._connections.close()


async def _rows(session: AsyncSession, *conditions: object) -> list[AccountRow]:
    found = await session.execute(
        select(
            ChannelAccount.id,
            ChannelAccount.merchant_id,
            ChannelAccount.channel,
            ChannelAccount.address,
            ChannelAccount.credentials,
            Merchant.key,
        )
        .join(Merchant, Merchant.id == ChannelAccount.merchant_id)
        .where(*conditions)  # type: ignore[arg-type]
        .order_by(ChannelAccount.id)
    )
    return [AccountRow(*row) for row in found]


async def ensure_environment_accounts(
    session: AsyncSession, settings: Settings, now: datetime
) -> list[str]:
    """See that the first merchant owns the accounts that the environment names; return channels."""
    first = await session.scalar(select(Merchant.id).order_by(Merchant.id).limit(1))
    if first is None:
        return []
    token = settings.secret("telegram_bot_token")
    wanted = [
        (Channel.TELEGRAM, token.partition(":")[0] if token else None),
        (Channel.SMS, settings.twilio_sms_from if settings.twilio_account_sid else None),
        (Channel.WHATSAPP, settings.twilio_whatsapp_from if settings.twilio_account_sid else None),
        (Channel.TERMINAL, TERMINAL_ADDRESS if settings.demo else None),
    ]
    named = [(channel, address) for channel, address in wanted if address]
    for channel, address in named:
        name = settings.telegram_bot_name if channel is Channel.TELEGRAM else None
        row = insert(ChannelAccount).values(
            merchant_id=first,
            channel=channel.value,
            address=address,
            public_name=name,
            created_at=now,
        )
        await session.execute(
            row.on_conflict_do_update(
                index_elements=["channel", "address"],
                set_={"public_name": name},
                where=(ChannelAccount.merchant_id == first)
                & ChannelAccount.public_name.is_distinct_from(name),
            )
            if name
            else row.on_conflict_do_nothing()
        )
    return [channel.value for channel, _ in named]


async def register_telegram_webhook(settings: Settings) -> bool:
    """Tell Telegram where our webhook is, if it can be reached from outside; say whether it was.

    Raises:
        SendError: Telegram did not take it.
    """
    token = settings.secret("telegram_bot_token")
    hook = settings.secret("telegram_webhook_secret")
    base = settings.public_url or ""
    if not token or not hook or not base.startswith("https://"):
        return False
    provider = TelegramProvider(token=token, webhook_secret=hook, api_url=settings.telegram_api_url)
    try:
        await provider.register_webhook(f"{base.rstrip('/')}/webhooks/telegram")
    finally:
        await provider.close()
    return True
