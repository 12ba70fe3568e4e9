"""The invented shop's side: its daily confirmation of open amounts, and payments that arrive.

Both come in by the import of open items, as any shop would hand them over.
"""

import secrets
from datetime import datetime
from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from ledger import book
from ledger.claim import PURSUED
from ledger.intake_book import RowsRefused, Source
from ledger.intake_items import take_items
from ledger.money import Money, Notation
from ledger.rows import Problem
from ledger.rows_claims import Setting
from ledger.rows_file import Record
from storage.tables import Claim, Customer, Merchant


class NothingToPay(ValueError):
    """No claim of this customer is open."""


async def confirm(
    session: AsyncSession, merchant: Merchant, customer: Customer, now: datetime
) -> None:
    """The shop's daily file says that the open amounts of this customer are still right."""
    references = await session.scalars(
        select(Claim.reference).where(
            Claim.customer_id == customer.id, Claim.status.in_(sorted(PURSUED))
        )
    )
    rows = [
        {"event": "confirmation", "claim_reference": reference} for reference in references.all()
    ]
    await _take(session, merchant, customer, now, rows)


async def pay(
    session: AsyncSession, merchant: Merchant, customer: Customer, now: datetime
) -> Money:
    """The customer's money arrives: the next instalment that was agreed, else all that is open on
    the oldest claim. Returns the amount.

    Raises:
        NothingToPay: nothing is open.
    """
    for record in await book.records_of(session, customer.id, now=now):
        if not record.open.total.minor > 0:
            continue
        agreement = record.statement().agreement
        coming = agreement.next_instalment if agreement and agreement.ended_at is None else None
        amount = coming.missing if coming is not None else record.open.total
        row = {
            "event": "payment",
            "claim_reference": record.claim.reference,
            "amount": str(amount.decimal),
            "date": now.astimezone(ZoneInfo(merchant.timezone)).date().isoformat(),
        }
        await _take(session, merchant, customer, now, [row])
        return amount
    raise NothingToPay("nothing is open")


async def _take(
    session: AsyncSession,
    merchant: Merchant,
    customer: Customer,
    now: datetime,
    rows: list[dict[str, str]],
) -> None:
    if not rows:
        return
    problems: list[Problem] = []
    name = f"SIM-{customer.number}-{now:%Y%m%d}-{secrets.token_hex(6)}"
    try:
        await take_items(
            session,
            [
                Record(line, {**row, "event_id": f"{name}-{line}"})
                for line, row in enumerate(rows, start=1)
            ],
            Setting(
                now=now,
                zone=ZoneInfo(merchant.timezone),
                currency=merchant.currency,
                notation=Notation.ENGLISH,
            ),
            Source("open_items", name, ""),
            merchant_id=merchant.id,
            report=problems.append,
        )
    except RowsRefused as error:
        raise RowsRefused(error.count) from ValueError(str(problems))
