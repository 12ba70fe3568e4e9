"""What default interest on a claim depends on, read from the database; and base rates added."""

from collections.abc import Iterable
from datetime import date, datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

from sqlalchemy import insert, select
from sqlalchemy.ext.asyncio import AsyncSession

from ledger import book_rows as rows
from ledger.base_rate import BaseRate, with_added
from ledger.claim import PURSUED, ClaimStatus
from ledger.default import DefaultGround, default_earliest
from ledger.interest import Span, default_points
from ledger.rebooking import NO_INTEREST, InterestTerms
from storage.tables import Agreement as AgreementRow
from storage.tables import BaseRate as BaseRateRow
from storage.tables import Claim, Customer, Merchant

BEARING = PURSUED | {ClaimStatus.SETTLED}
"""On claims that were recalled or written off nothing is reckoned any more."""


async def base_rates(session: AsyncSession) -> tuple[BaseRate, ...]:
    """The shipped base rates with those that were added."""
    found = await session.execute(
        select(
            BaseRateRow.since, BaseRateRow.percent, BaseRateRow.confirmed, BaseRateRow.source
        ).order_by(BaseRateRow.id)
    )
    return with_added(BaseRate(*row) for row in found)


async def add_base_rate(session: AsyncSession, rate: BaseRate, *, now: datetime) -> None:
    """Enter the base rate of a half year, or confirm or correct it; earlier entries stay.

    Claims are booked anew with it, visibly, when something is next posted on them. Raises
    ``NoHalfYear``.
    """
    with_added([rate])
    await session.execute(
        insert(BaseRateRow).values(
            since=rate.since,
            percent=rate.percent,
            confirmed=rate.confirmed,
            source=rate.source,
            added_at=now,
        )
    )


async def interest_terms(session: AsyncSession, claim: Claim) -> InterestTerms | None:
    """The terms of one claim; ``None`` where its account is closed."""
    if claim.status not in BEARING:
        return None
    if not proved_default(claim):
        return NO_INTEREST
    business, land, zone = (
        await session.execute(
            select(Customer.business, Customer.land, Merchant.timezone)
            .join(Merchant, Merchant.id == Customer.merchant_id)
            .where(Customer.id == claim.customer_id)
        )
    ).one()
    agreements = await rows.agreement_rows(session, claim.id)
    return terms_of(claim, agreements, business, land, zone, await base_rates(session))


def proved_default(claim: Claim) -> bool:
    """Whether a default stands in the book with what proves it (§ 286 BGB)."""
    return claim.default_since is not None and bool(claim.default_proof)


def terms_of(
    claim: Claim,
    agreements: Iterable[AgreementRow],
    business: bool,
    land: str | None,
    zone: str,
    rates: tuple[BaseRate, ...],
) -> InterestTerms:
    """The terms of a claim with a proved default.

    ``land`` is the customer's: what is owed is paid where they live (§§ 269, 270 IV BGB).
    """
    return InterestTerms(
        default_since=_first_day(claim, land),
        points=_points(claim, business),
        stopped=tuple(
            span for row in agreements if (span := _stopped(row, ZoneInfo(zone))) is not None
        ),
        rates=rates,
    )


def _first_day(claim: Claim, land: str | None) -> date | None:
    """The first day of interest; a day that the law does not allow yet is moved to it."""
    if claim.default_since is None:
        return None
    ground = DefaultGround(claim.default_ground) if claim.default_ground else None
    earliest = default_earliest(claim.due_date, land, ground=ground, received=claim.invoice_date)
    return max(claim.default_since, earliest)


def _points(claim: Claim, business: bool) -> Decimal:
    return default_points(
        business=business, contract_date=claim.contract_date or claim.invoice_date
    )


def _stopped(row: AgreementRow, zone: ZoneInfo) -> Span | None:
    """The days without interest of an agreement: from the day after it was made to its end."""
    terms = rows.record_of(row, ()).terms
    if not terms.stops_interest:
        return None
    agreed = row.agreed_at.astimezone(zone).date()
    last = terms.instalments[-1].due
    if row.ended_at is not None:
        last = min(last, row.ended_at.astimezone(zone).date())
    return Span.after(agreed, last)
