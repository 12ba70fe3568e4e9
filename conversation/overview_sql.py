"""What the overview shows of conversations, and of claims that were solved in them.

Parameters as in :mod:`ledger.overview_sql`.
"""

from typing import Final

from ledger.overview_sql import ENDED
from ledger.segment import SEGMENT, band_sql

BAND_OF_CUSTOMER: Final = f"""
(SELECT {band_sql("coalesce(max(claim_open.claimed_minor), 0)")}
 FROM claim JOIN claim_open ON claim_open.claim_id = claim.id
 WHERE claim.customer_id = {{customer}})"""
"""The band of a customer's largest claim."""

TALKED: Final = ("handed_over", "opted_out")
CASES: Final = f"""
WITH talked AS (
    SELECT 'opted_out' AS figure, min(id) AS source, min(at) AS at, conversation_id
    FROM audit_event
    WHERE merchant_id = :merchant AND kind IN ('opted_out', 'opted_out_everywhere')
      AND at >= :since AND conversation_id IS NOT NULL
    GROUP BY conversation_id, (at AT TIME ZONE :zone)::date
    UNION ALL
    SELECT 'handed_over', id, requested_at, conversation_id
    FROM handoff WHERE merchant_id = :merchant AND requested_at >= :since
)
SELECT talked.figure, talked.source, talked.at, talked.conversation_id, conversation.channel,
       {BAND_OF_CUSTOMER.format(customer="conversation.customer_id")} AS band,
       NULL::integer AS minutes
FROM talked JOIN conversation ON conversation.id = talked.conversation_id
"""
"""Each conversation that somebody stopped, once a day, and each that was handed over; columns as in
:class:`storage.tables.OverviewCase`."""

SOLVED: Final = ("solved", "alone")
CLAIMS: Final = f"""
WITH {SEGMENT}, {ENDED},
solved AS (
    SELECT ended.*, EXISTS (
        SELECT FROM conversation JOIN handoff ON handoff.conversation_id = conversation.id
        WHERE conversation.customer_id = ended.customer_id AND handoff.taken_at <= ended.at
    ) AS with_person
    FROM ended
    WHERE EXISTS (
        SELECT FROM contact_attempt JOIN message ON message.id = contact_attempt.message_id
        WHERE contact_attempt.customer_id = ended.customer_id AND message.sent_at <= ended.at
    )
)
SELECT how.figure, solved.claim_id, solved.at, segment.due_date, segment.channel, segment.band
FROM solved JOIN segment USING (claim_id)
CROSS JOIN LATERAL (
    SELECT 'solved' AS figure UNION ALL SELECT 'alone' WHERE NOT solved.with_person
) AS how
"""
"""Each claim settled after a contact, and whether no person had taken part; columns as in
:class:`storage.tables.OverviewClaim`."""
