"""What the overview shows of the books: as claims, and as figures by day.

Parameters: ``merchant``, ``zone`` (the merchant's), ``since`` (the first moment looked at) and
``today``. Columns of figures: day, figure, channel, band, currency, cases, minor, minutes and
counts, as in :class:`storage.tables.OverviewFigure`.
"""

from typing import Final

from ledger.segment import SEGMENT

STOCK: Final = ("open", "promised")
"""What stands now, under today; everything else stands under the day on which it happened."""

ENDED: Final = """
ended AS (
    SELECT DISTINCT ON (event.claim_id) event.claim_id, event.customer_id, event.at
    FROM audit_event AS event JOIN claim ON claim.id = event.claim_id AND claim.status = 'settled'
    WHERE event.merchant_id = :merchant AND event.kind = 'claim_settled' AND event.at >= :since
    ORDER BY event.claim_id, event.at DESC
)"""
"""Each settled claim with the last time that it was: a part of a statement's ``WITH``."""

FOLLOWED: Final = ("solved_customers", "came_back")
CLAIMS: Final = f"""
WITH {SEGMENT}, {ENDED},
latest AS (
    SELECT DISTINCT ON (customer_id) * FROM ended ORDER BY customer_id, at DESC
)
SELECT how.figure, latest.claim_id, latest.at, segment.due_date, segment.channel, segment.band
FROM latest JOIN segment USING (claim_id)
CROSS JOIN LATERAL (
    SELECT 'solved_customers' AS figure
    UNION ALL
    SELECT 'came_back' WHERE EXISTS (
        SELECT FROM reorder
        WHERE reorder.customer_id = latest.customer_id
          AND reorder.ordered_on > (latest.at AT TIME ZONE :zone)::date
    )
) AS how
"""
"""The last claim of each customer that was settled, and whether they bought again after it; columns
as in :class:`storage.tables.OverviewClaim`."""

FIGURES: Final = f"""
WITH {SEGMENT}, {ENDED},
moved AS (
    SELECT claim_id, (booked_at AT TIME ZONE :zone)::date AS day,
           sum(CASE WHEN destination = 'cash' THEN amount_minor ELSE -amount_minor END) AS minor,
           count(DISTINCT booked_at) FILTER (WHERE kind = 'payment' AND rebooks IS NULL) AS payments
    FROM posting
    WHERE merchant_id = :merchant AND booked_at >= :since
      AND (source = 'cash' OR destination = 'cash')
    GROUP BY 1, 2
),
disputed AS (
    SELECT DISTINCT claim_id, (at AT TIME ZONE :zone)::date AS day
    FROM audit_event
    WHERE merchant_id = :merchant AND kind = 'claim_disputed' AND at >= :since
),
made AS (
    SELECT agreement.claim_id, agreement.total_minor, (event.at AT TIME ZONE :zone)::date AS day
    FROM audit_event AS event
    JOIN agreement ON agreement.id = (event.facts ->> 'agreement')::bigint
    WHERE event.merchant_id = :merchant AND event.kind = 'agreement_made' AND event.at >= :since
),
fact AS (
    SELECT day, 'collected' AS figure, claim_id, minor, payments AS cases FROM moved
    UNION ALL
    SELECT (at AT TIME ZONE :zone)::date, 'settled', claim_id, claimed_minor, 1
    FROM ended JOIN segment USING (claim_id)
    UNION ALL
    SELECT day, 'disputed', claim_id, claimed_minor, 1 FROM disputed JOIN segment USING (claim_id)
    UNION ALL
    SELECT day, 'agreed', claim_id, total_minor, 1 FROM made
    UNION ALL
    SELECT (ended_at AT TIME ZONE :zone)::date, status, claim_id, total_minor, 1
    FROM agreement
    WHERE merchant_id = :merchant AND ended_at >= :since AND status IN ('kept', 'broken')
)
SELECT fact.day, fact.figure, segment.channel, segment.band, segment.currency,
       sum(fact.cases), sum(fact.minor), NULL::integer[], NULL::integer[]
FROM fact JOIN segment USING (claim_id)
GROUP BY 1, 2, 3, 4, 5
UNION ALL
SELECT :today, 'open', channel, band, currency, count(*), sum(open_minor), NULL, NULL
FROM segment WHERE status IN ('open', 'disputed')
GROUP BY channel, band, currency
UNION ALL
SELECT :today, 'promised', channel, band, segment.currency, count(*),
       sum(least(agreement.total_minor, segment.open_minor)), NULL, NULL
FROM agreement JOIN segment USING (claim_id)
WHERE agreement.merchant_id = :merchant AND agreement.status = 'active'
GROUP BY channel, band, segment.currency
"""
