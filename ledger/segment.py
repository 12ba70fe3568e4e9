"""The bands of amounts that claims are looked at by; pure."""

from enum import StrEnum
from typing import Final


class Band(StrEnum):
    """How much a claim came in with, in its own currency."""

    SMALL = "small"
    MIDDLE = "middle"
    LARGE = "large"


MIDDLE_MINOR_MIN: Final = 50_00
LARGE_MINOR_MIN: Final = 250_00


def band_of(claimed_minor: int) -> Band:
    """The band of an amount in minor units."""
    if claimed_minor < MIDDLE_MINOR_MIN:
        return Band.SMALL
    return Band.MIDDLE if claimed_minor < LARGE_MINOR_MIN else Band.LARGE


def band_sql(column: str) -> str:
    """The same as an expression of SQL over a column of minor units."""
    return (
        f"CASE WHEN {column} < {MIDDLE_MINOR_MIN} THEN 'small' "
        f"WHEN {column} < {LARGE_MINOR_MIN} THEN 'middle' ELSE 'large' END"
    )


SEGMENT: Final = f"""
segment AS NOT MATERIALIZED (
    SELECT claim.id AS claim_id, claim.customer_id, claim.currency, claim.status,
           claim.due_date,
           coalesce(conversation.channel, '') AS channel,
           {band_sql("claim_open.claimed_minor")} AS band,
           claim_open.claimed_minor, claim_open.open_minor
    FROM claim
    JOIN claim_open ON claim_open.claim_id = claim.id
    JOIN customer ON customer.id = claim.customer_id
    LEFT JOIN conversation ON conversation.id = customer.active_conversation_id
    WHERE claim.merchant_id = :merchant
)"""
"""Each claim with what it is looked at by: a part of a statement's ``WITH``.

The channel is the one on which the customer's dialogue is now.
"""
