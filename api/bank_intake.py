"""A file of bank statements taken for a merchant, and its report as data."""

import asyncio
import hashlib
from collections.abc import Callable
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy.ext.asyncio import AsyncSession

from api.clock import Clock
from ledger.bank.entry import BankStatement
from ledger.bank.files import read_statements
from ledger.bank.intake import Account, StatementsOutcome, Taken, take_statements
from ledger.bank.review import Reviewed
from ledger.intake_book import Source
from ledger.money import Money
from storage.engine import Database, take_back
from storage.tables import Merchant


def own_ibans(merchant: Merchant) -> tuple[str, ...]:
    """The accounts whose statements are the merchant's."""
    return tuple(iban for iban in (merchant.iban, *merchant.bank_accounts) if iban)


async def read(data: bytes) -> tuple[BankStatement, ...]:
    """Read a file beside the event loop; raises ``StatementRefused``."""
    return await asyncio.to_thread(read_statements, data)


async def take(
    database: Database,
    merchant: Merchant,
    statements: tuple[BankStatement, ...],
    *,
    name: str,
    data: bytes,
    clock: Clock,
    dry_run: bool = False,
    progress: Callable[[int], None] = lambda movements: None,
) -> StatementsOutcome:
    """Take statements in one transaction; a dry run takes them and takes it back.

    Raises ``StatementRefused``; then nothing has changed.
    """
    async with database.merchant(merchant.id) as session:
        outcome = await take_in(
            session, merchant, statements, name=name, data=data, now=clock.now(), progress=progress
        )
        if dry_run:
            await take_back(session)
    return outcome


async def take_in(
    session: AsyncSession,
    merchant: Merchant,
    statements: tuple[BankStatement, ...],
    *,
    name: str,
    data: bytes,
    now: datetime,
    progress: Callable[[int], None] = lambda movements: None,
) -> StatementsOutcome:
    """Take statements in the caller's transaction; raises ``StatementRefused``."""
    today = now.astimezone(ZoneInfo(merchant.timezone)).date()
    account = Account(merchant.id, own_ibans(merchant), today, now)
    source = Source("bank_statement", name, hashlib.sha256(data).hexdigest())
    return await take_statements(session, statements, account, source, progress=progress)


def report(outcome: StatementsOutcome, *, dry_run: bool = False) -> dict[str, Any]:
    """What became of a file: each movement has one state, and the sums add up to the file's."""
    return {
        "batch": None if dry_run else outcome.batch_id,
        "dry_run": dry_run,
        "statements": outcome.statements,
        "entries": outcome.entries,
        "entries_pending": outcome.pending,
        "movements": {"total": len(outcome.taken), **outcome.counts},
        "sums": {
            currency: {state: _number(money) for state, money in by_state.items()}
            for currency, by_state in outcome.sums.items()
        },
    }


def taken_data(taken: Taken) -> dict[str, Any]:
    """One movement of a report."""
    return {
        "statement": taken.statement,
        "entry": taken.entry,
        "booked": taken.booked.isoformat(),
        "amount": _number(taken.amount),
        "currency": taken.amount.currency,
        "state": taken.state,
        "claims": list(taken.claims),
        "evidence": list(taken.evidence),
        "doubt": taken.doubt,
    }


def reviewed_data(item: Reviewed) -> dict[str, Any]:
    """A movement as people review it."""
    return {
        "id": item.id,
        "state": item.state,
        "account": item.account,
        "booked": item.booked.isoformat(),
        "value_date": item.value_date.isoformat(),
        "amount": _number(item.amount),
        "currency": item.amount.currency,
        "payer_name": item.payer_name,
        "payer_iban": item.payer_iban,
        "text": item.text,
        "end_to_end_id": item.end_to_end_id,
        "returned": item.returned,
        "proposals": [
            {
                "claim_reference": proposal.claim_reference,
                "amount": None if proposal.amount is None else _number(proposal.amount),
            }
            for proposal in item.proposals
        ],
        "other_claims": list(item.others),
        "evidence": list(item.evidence),
        "doubt": item.doubt,
        "decided_by": item.decided_by,
        "decided_at": item.decided_at.isoformat() if item.decided_at else None,
    }


def _number(money: Money) -> str:
    return f"{money.decimal:.{money.exponent}f}"
