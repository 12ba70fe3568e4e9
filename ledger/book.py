"""The book of claims: what is owed, what was paid, what was agreed.

Every function works in the caller's transaction and never commits. Commands lock their claim
first, so no two of them start from the same balance; the same idempotency key with the same
input gets the same answer, with another input ``IdempotencyConflict``.
"""

from ledger.book_agreements import (
    active_agreement,
    agree,
    break_agreement,
    cancel_agreement,
)
from ledger.book_claims import (
    NewClaim,
    confirm_open_amount,
    dispute,
    open_claim,
    pause,
    recall,
    resolve_dispute,
    resume,
    write_off,
)
from ledger.book_costs import post_costs
from ledger.book_customers import post_customer_payment
from ledger.book_interest import add_base_rate, base_rates
from ledger.book_postings import (
    post_credit_note,
    post_interest,
    post_payment,
    post_return,
    post_waiver,
    reverse,
)
from ledger.book_reading import (
    ClaimRecord,
    balance,
    claim_facts,
    claims_of,
    record,
    records_of,
    statement,
)
from ledger.guard import Guard

__all__ = [
    "ClaimRecord",
    "Guard",
    "NewClaim",
    "active_agreement",
    "add_base_rate",
    "agree",
    "balance",
    "base_rates",
    "break_agreement",
    "cancel_agreement",
    "claim_facts",
    "claims_of",
    "confirm_open_amount",
    "dispute",
    "open_claim",
    "pause",
    "post_costs",
    "post_credit_note",
    "post_customer_payment",
    "post_interest",
    "post_payment",
    "post_return",
    "post_waiver",
    "recall",
    "record",
    "records_of",
    "resolve_dispute",
    "resume",
    "reverse",
    "statement",
    "write_off",
]
