"""How the interest that was charged on a claim came about, line by line."""

from datetime import date
from zoneinfo import ZoneInfo

from ledger import book_rows as rows
from ledger.book_postings import principal_changes
from ledger.book_reading import ClaimRecord
from ledger.interest import Interest, Span, default_interest
from ledger.posting import Account, PostingKind, account_balance


def charged_interest(record: ClaimRecord) -> Interest | None:
    """The calculation of the default interest charged so far.

    None where there is none to show: nothing was charged, or the merchant charged it before the
    claim was handed over, by a calculation of their own.
    """
    currency = record.claim.currency
    charged = -account_balance(record.postings, Account.INTEREST_CHARGED, currency)
    days = [one.value_date for one in record.postings if one.kind is PostingKind.INTEREST]
    if charged.minor <= 0 or not days or not record.claim.default_proof:
        return None
    found = default_interest(
        principal_changes(record.postings),
        default_since=record.claim.default_since,
        through=max(days),
        business=record.business,
        stopped=_stopped(record),
        currency=currency,
    )
    return found if found.amount == charged else None


def _stopped(record: ClaimRecord) -> list[Span]:
    """The days on which an agreement stops interest."""
    zone, spans = ZoneInfo(record.timezone), []
    for row in record.agreements:
        terms = rows.record_of(row, ()).terms
        if terms.stops_interest:
            last: date = terms.instalments[-1].due
            if row.ended_at is not None:
                last = min(last, row.ended_at.astimezone(zone).date())
            spans.append(Span(row.agreed_at.astimezone(zone).date(), last))
    return spans
