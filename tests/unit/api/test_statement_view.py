"""What a terminal shows of an agreement."""

from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import pytest

from api.statement_view import agreement_table
from ledger.agreements import (
    AgreementStatus,
    AgreementTerms,
    Promise,
    plan_by_count,
)
from ledger.money import Money
from ledger.progress import InstalmentProgress
from ledger.schedule import Period
from ledger.statement import AgreementRecord

FIRST = date(2026, 12, 15)


@pytest.mark.parametrize(
    ("terms", "caption"),
    [
        (
            plan_by_count(Money(100_00), 4, first=FIRST, period=Period.BIWEEKLY),
            "total 100,00\u00a0€ · 4 instalments, every two weeks",
        ),
        (plan_by_count(Money(100_00), 1, first=FIRST), "total 100,00\u00a0€"),
        (Promise(Money(100_00), FIRST), "total 100,00\u00a0€"),
    ],
)
def test_a_plan_is_shown_with_its_rhythm(terms: AgreementTerms, caption: str) -> None:
    shown = agreement_table(
        AgreementRecord(
            id=1,
            claim_id=1,
            conversation_id=None,
            status=AgreementStatus.ACTIVE,
            terms=terms,
            agreed_at=datetime(2026, 11, 23, tzinfo=UTC),
            ended_at=None,
            end_reason=None,
            progress=tuple(InstalmentProgress(part, Money(0)) for part in terms.instalments),
        ),
        FIRST,
        ZoneInfo("Europe/Berlin"),
    )
    assert shown.caption == f"{caption} · agreed 2026-11-23 01:00"
