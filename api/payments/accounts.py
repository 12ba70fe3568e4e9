"""Which providers of online payments a merchant has, with credentials from where."""

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from api.accounts import NoProvider
from api.payments.provider import PaymentProvider
from api.payments.sandbox import SandboxProvider
from api.sealing import unseal
from api.wiring import Parts
from storage.tables import Merchant, PaymentAccount

STRIPE = "stripe"
SEALED_FOR = "payment accounts"


class PaymentProviders:
    """The provider objects of one process, each made when it is first needed."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._made: dict[tuple[int, str, bytes], PaymentProvider] = {}

    async def of_merchant(self, session: AsyncSession, merchant_id: int) -> list[PaymentProvider]:
        """What this merchant's customers may choose from; empty where there is only the transfer.

        In a demo everybody has the sandbox beside what is set up.
        """
        found: list[PaymentProvider] = []
        stored = await session.scalar(
            select(PaymentAccount.credentials).where(
                PaymentAccount.merchant_id == merchant_id,
                PaymentAccount.provider == STRIPE,
                PaymentAccount.enabled,
            )
        )
        if stored is not None:
            found.append(self._stripe(merchant_id, stored))
        elif (
            self._parts.settings.stripe_secret_key
            and await self._parts.providers.first_merchant(self._parts.database) == merchant_id
        ):
            found.append(self._stripe(merchant_id, b""))
        if self._parts.settings.demo:
            found.append(self.sandbox((await session.get_one(Merchant, merchant_id)).key))
        return found

    async def named(
        self, session: AsyncSession, name: str, merchant_key: str | None
    ) -> tuple[int, PaymentProvider]:
        """A merchant's id and provider, for the address that its notices come to.

        Without a key it is the first merchant, whose accounts the environment names.

        Raises:
            NoProvider: there is no such merchant, or it has no such account.
        """
        if merchant_key is None:
            merchant_id = await self._parts.providers.first_merchant(self._parts.database)
        else:
            known = await session.scalar(select(Merchant.id).where(Merchant.key == merchant_key))
            if known is None:
                raise NoProvider("there is no such merchant")
            merchant_id = known
        for provider in await self.of_merchant(session, merchant_id):
            if provider.name == name:
                return merchant_id, provider
        raise NoProvider("the merchant has no account there")

    def sandbox(self, merchant: str = "") -> SandboxProvider:
        """The sandbox of a demo; `merchant` is the key of whose customers it opens pages for."""
        secret = f"sandbox payments:{self._parts.keys.secret_key}"
        return SandboxProvider(secret=secret, base_url=self._parts.public_url, merchant=merchant)

    async def close(self) -> None:
        """Give back what the providers hold."""
        for provider in self._made.values():
            await provider.close()

    def _stripe(self, merchant_id: int, stored: bytes) -> PaymentProvider:
        key = (merchant_id, STRIPE, stored)
        if key not in self._made:
            # Stripe's library takes a second to import; who does not use it need not wait.
            from api.payments.stripe_checkout import StripeCheckout

            settings = self._parts.settings
            given = (
                unseal(self._parts.keys.secret_key, SEALED_FOR, stored)
                if stored
                else {
                    "secret_key": settings.secret("stripe_secret_key") or "",
                    "webhook_secret": settings.secret("stripe_webhook_secret") or "",
                }
            )
            self._made[key] = StripeCheckout(
                secret_key=given["secret_key"],
                webhook_secret=given["webhook_secret"],
                api_url=settings.stripe_api_url,
            )
        return self._made[key]


async def save_account(
    session: AsyncSession, merchant_id: int, provider: str, credentials: bytes, now: datetime
) -> None:
    """Keep a merchant's account, encrypted by the caller; a second one replaces the first."""
    row = insert(PaymentAccount).values(
        merchant_id=merchant_id, provider=provider, credentials=credentials, created_at=now
    )
    await session.execute(
        row.on_conflict_do_update(
            index_elements=["merchant_id", "provider"],
            set_={"credentials": credentials, "enabled": True},
        )
    )
