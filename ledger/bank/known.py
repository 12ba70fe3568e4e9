"""What the database knows that statements are matched against: on a session, read only."""

import asyncio
from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import BigInteger, and_, any_, bindparam, case, exists, func, or_, select
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import aliased
from sqlalchemy.types import Text

from ledger import book_rows as rows
from ledger.agreements import AgreementStatus
from ledger.bank.entry import Movement
from ledger.bank.identity import Identified
from ledger.bank.identity import Stored as KnownMovement
from ledger.bank.matching import Candidate, Matcher, Payer, Share
from ledger.bank.numbers import Numbers
from ledger.bank.returns import RETURN_DAYS_MAX, Paid, PaidBefore
from ledger.claim import PURSUED
from ledger.posting import Account
from storage.tables import Agreement, BankMovement, Claim, Customer, Posting

ENDED_DAYS = 180
"""So long after its end a claim is still found, so that who pays twice is recognised."""


async def stored(session: AsyncSession, items: Sequence[Identified]) -> list[KnownMovement]:
    """The movements that these may be: on their accounts and days, or with their references."""
    if not items:
        return []
    booked = [item.movement.booked for item in items]
    references = [item.reference for item in items if item.reference]
    found = await session.execute(
        select(
            BankMovement.id,
            BankMovement.account,
            BankMovement.booked,
            BankMovement.amount_minor,
            BankMovement.content,
            BankMovement.reference,
            BankMovement.payer_iban,
            BankMovement.format,
        )
        .where(
            or_(
                and_(
                    BankMovement.account.in_({item.account for item in items}),
                    BankMovement.booked.between(min(booked), max(booked)),
                ),
                BankMovement.reference == any_(bindparam("references", type_=ARRAY(Text))),
            )
        )
        .order_by(BankMovement.id),
        {"references": references},
    )
    return [KnownMovement(*row) for row in found]


async def matcher(
    session: AsyncSession,
    merchant_id: int,
    payer_ibans: Collection[str],
    *,
    now: datetime,
    today: date,
) -> Matcher:
    """A matcher over the merchant's claims that are open, or ended lately."""
    candidates = await _candidates(session, merchant_id, now, today)
    customers = {candidate.customer_id for candidate in candidates}
    payers = await session.execute(
        select(Customer.id, Customer.number, Customer.name, Customer.first_name).where(
            Customer.merchant_id == merchant_id,
            Customer.id == any_(bindparam("ids", type_=ARRAY(BigInteger))),
        ),
        {"ids": list(customers)},
    )
    accounts: dict[str, set[int]] = defaultdict(set)
    if payer_ibans:
        paid = await session.execute(
            select(BankMovement.payer_iban, BankMovement.customer_id)
            .where(
                BankMovement.merchant_id == merchant_id,
                BankMovement.state == "posted",
                BankMovement.customer_id.is_not(None),
                BankMovement.payer_iban == any_(bindparam("ibans", type_=ARRAY(Text))),
            )
            .distinct(),
            {"ibans": list(payer_ibans)},
        )
        for iban, customer_id in paid:
            if iban is not None and customer_id is not None:
                accounts[iban].add(customer_id)
    listed = [Payer(*row) for row in payers]
    return await asyncio.to_thread(Matcher, candidates, listed, accounts, today=today)


async def _candidates(
    session: AsyncSession, merchant_id: int, now: datetime, today: date
) -> list[Candidate]:
    receivable = (Account.COSTS.value, Account.INTEREST.value, Account.PRINCIPAL.value)

    def balance(accounts: Sequence[str]) -> Any:
        return func.sum(
            case(
                (Posting.destination.in_(accounts), Posting.amount_minor),
                (Posting.source.in_(accounts), -Posting.amount_minor),
                else_=0,
            )
        )

    balances = (
        select(
            Posting.claim_id,
            balance(receivable).label("open"),
            balance([Account.PRINCIPAL.value]).label("principal"),
        )
        .where(Posting.merchant_id == merchant_id)
        .group_by(Posting.claim_id)
        .subquery()
    )
    found = await session.execute(
        select(
            Claim.id,
            Claim.rf_reference,
            Claim.reference,
            Claim.invoice_number,
            Claim.order_number,
            Claim.customer_id,
            Claim.currency,
            Claim.due_date,
            Claim.limitation_date,
            Claim.default_since,
            Claim.status,
            balances.c.open,
            balances.c.principal,
        )
        .join(balances, balances.c.claim_id == Claim.id)
        .where(
            Claim.merchant_id == merchant_id,
            or_(
                Claim.status.in_([status.value for status in PURSUED]),
                Claim.updated_at > now - timedelta(days=ENDED_DAYS),
            ),
        )
        .order_by(Claim.id)
    )
    instalments = await _instalments(session, merchant_id)
    return [
        Candidate(
            numbers=Numbers(
                row.id, row.rf_reference, row.reference, row.invoice_number, row.order_number
            ),
            customer_id=row.customer_id,
            currency=row.currency,
            due_date=row.due_date,
            limitation_date=row.limitation_date,
            bears_interest=row.default_since is not None and row.default_since <= today,
            pursued=row.status in PURSUED,
            open_minor=int(row.open),
            principal_minor=int(row.principal),
            instalments_minor=instalments.get(row.id, []),
        )
        for row in found
    ]


async def _instalments(session: AsyncSession, merchant_id: int) -> dict[int, list[int]]:
    """What is missing of the instalments of each agreement in force, by claim."""
    active = (
        await session.scalars(
            select(Agreement).where(
                Agreement.merchant_id == merchant_id,
                Agreement.status == AgreementStatus.ACTIVE.value,
            )
        )
    ).all()
    postings = await rows.postings_by_claim(session, [row.claim_id for row in active])
    missing = {}
    for row in active:
        progress = rows.record_of(row, postings[row.claim_id]).progress
        missing[row.claim_id] = [part.missing.minor for part in progress if part.missing]
    return missing


async def paid_before(
    session: AsyncSession, merchant_id: int, returns: Sequence[Movement]
) -> PaidBefore:
    """The payments posted from statements that these may be, and that did not come back yet."""
    came_back = aliased(BankMovement)
    oldest = min(movement.booked for movement in returns) - timedelta(days=RETURN_DAYS_MAX)
    found = await session.scalars(
        select(BankMovement).where(
            BankMovement.merchant_id == merchant_id,
            BankMovement.state == "posted",
            BankMovement.amount_minor > 0,
            BankMovement.booked >= oldest,
            or_(
                BankMovement.end_to_end_id.in_({one.end_to_end_id for one in returns} - {None}),
                BankMovement.payer_iban.in_({one.payer_iban for one in returns} - {None}),
                BankMovement.text.in_({one.text for one in returns} - {""}),
            ),
            ~exists().where(
                came_back.merchant_id == merchant_id,
                came_back.returns_key == BankMovement.payment_key,
                came_back.state == "posted",
            ),
        )
    )
    return PaidBefore(paid for row in found if (paid := paid_of(row)) is not None)


def paid_of(row: BankMovement) -> Paid | None:
    """A posted movement as a payment that may come back."""
    if row.payment_key is None:
        return None
    return Paid(
        key=row.payment_key,
        amount_minor=row.amount_minor,
        currency=row.currency,
        booked=row.booked,
        payer_iban=row.payer_iban,
        end_to_end_id=row.end_to_end_id,
        mandate_id=row.mandate_id,
        text=row.text,
        shares=tuple(Share(share["claim"], share["minor"]) for share in row.match["shares"]),
    )


async def claim_references(session: AsyncSession, claim_ids: Iterable[int]) -> dict[int, str]:
    """The merchant's own keys of these claims."""
    found = await session.execute(
        select(Claim.id, Claim.reference).where(
            Claim.id == any_(bindparam("ids", type_=ARRAY(BigInteger)))
        ),
        {"ids": list(claim_ids)},
    )
    return {row.id: row.reference for row in found}
