"""What the overview shows of conversations, as one statement that gathers it by day.

Parameters and columns as in :mod:`ledger.overview_sql`.
"""

from typing import Final

from ledger.segment import SEGMENT, band_sql

BAND_OF_CUSTOMER: Final = f"""
(SELECT {band_sql("coalesce(max(claim_open.claimed_minor), 0)")}
 FROM claim JOIN claim_open ON claim_open.claim_id = claim.id
 WHERE claim.customer_id = {{customer}})"""
"""The band of a customer's largest claim."""

FIGURES: Final = f"""
WITH {SEGMENT},
stopped AS (
    SELECT DISTINCT conversation_id, (at AT TIME ZONE :zone)::date AS day
    FROM audit_event
    WHERE merchant_id = :merchant AND kind IN ('opted_out', 'opted_out_everywhere')
      AND at >= :since AND conversation_id IS NOT NULL
),
asked AS (
    SELECT conversation_id, (requested_at AT TIME ZONE :zone)::date AS day
    FROM handoff WHERE merchant_id = :merchant AND requested_at >= :since
),
talked AS (
    SELECT 'opted_out' AS figure, conversation_id, day FROM stopped
    UNION ALL
    SELECT 'handed_over', conversation_id, day FROM asked
),
ended AS (
    SELECT DISTINCT ON (event.claim_id) event.claim_id, event.customer_id, event.at
    FROM audit_event AS event JOIN claim ON claim.id = event.claim_id AND claim.status = 'settled'
    WHERE event.merchant_id = :merchant AND event.kind = 'claim_settled' AND event.at >= :since
    ORDER BY event.claim_id, event.at DESC
),
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
SELECT talked.day, talked.figure, conversation.channel,
       {BAND_OF_CUSTOMER.format(customer="conversation.customer_id")}, '',
       count(*), 0, NULL::integer[], NULL::integer[]
FROM talked JOIN conversation ON conversation.id = talked.conversation_id
GROUP BY 1, 2, 3, 4
UNION ALL
SELECT (solved.at AT TIME ZONE :zone)::date, how.figure, segment.channel, segment.band, '',
       count(*), 0, NULL::integer[], NULL::integer[]
FROM solved JOIN segment USING (claim_id)
CROSS JOIN LATERAL (
    SELECT 'solved' AS figure UNION ALL SELECT 'alone' WHERE NOT solved.with_person
) AS how
GROUP BY 1, 2, 3, 4
"""
