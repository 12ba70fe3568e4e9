"""How far first contacts led, as one statement that gathers each of them with its stages.

Each stage counts who came at least so far: who answered has read, who agreed has proved who they
are. Paying stands for itself, as it takes none of the others. What happens after the next first
contact is that one's. Parameters as in :mod:`ledger.overview_sql`, columns as in
:class:`storage.tables.OverviewCase`.
"""

from typing import Final

from ledger.segment import band_sql

STAGES: Final = ("sent", "delivered", "read", "answered", "verified", "agreed_after", "paid_after")
TIMED: Final = ("answered", "agreed_after", "paid_after")
"""Those that are told how long they took."""

# An attempt is planned some time before its message is sent: see `outreach.send_check`.
_PLANNED_BEFORE: Final = "interval '7 days'"


def _rounded(minutes: str) -> str:
    """An expression of SQL rounded to minutes, and those to two digits: enough for a median."""
    whole = f"round({minutes})"
    return (
        f"CASE WHEN {whole} < 100 THEN {whole} "
        f"ELSE round({whole}, 1 - floor(log({whole}))::integer) END::integer"
    )


CASES: Final = f"""
WITH contacted AS (
    SELECT attempt.customer_id, point.channel, message.id, message.conversation_id,
           message.sent_at, message.delivered_at,
           message.read_at,
           coalesce(lead(message.sent_at) OVER its_next, 'infinity') AS until
    FROM contact_attempt AS attempt
    JOIN message ON message.id = attempt.message_id
    JOIN contact_point AS point ON point.id = attempt.contact_point_id
    WHERE attempt.merchant_id = :merchant AND attempt.step = 'first_contact'
      AND attempt.at >= CAST(:since AS timestamptz) - {_PLANNED_BEFORE}
      AND message.sent_at >= :since
    WINDOW its_next AS (PARTITION BY attempt.customer_id ORDER BY message.sent_at, message.id)
),
reached AS (
    SELECT contacted.*, answer.at AS answered_at, proof.at AS verified_at,
           agreement.at AS agreed_at, payment.at AS paid_at, amount.band
    FROM contacted
    CROSS JOIN LATERAL (
        SELECT min(message.created_at) AS at
        FROM conversation JOIN message ON message.conversation_id = conversation.id
        WHERE conversation.customer_id = contacted.customer_id AND message.id > contacted.id
          AND message.direction = 'in' AND message.author = 'customer'
          AND message.created_at >= contacted.sent_at AND message.created_at < contacted.until
    ) AS answer
    CROSS JOIN LATERAL (
        SELECT min(event.at) AS at FROM audit_event AS event
        WHERE event.customer_id = contacted.customer_id AND event.kind = 'verified'
          AND event.at >= contacted.sent_at AND event.at < contacted.until
    ) AS proof
    CROSS JOIN LATERAL (
        SELECT min(agreement.agreed_at) AS at
        FROM claim JOIN agreement ON agreement.claim_id = claim.id
        WHERE claim.customer_id = contacted.customer_id
          AND agreement.agreed_at >= contacted.sent_at AND agreement.agreed_at < contacted.until
    ) AS agreement
    CROSS JOIN LATERAL (
        SELECT min(posting.booked_at) AS at
        FROM claim JOIN posting ON posting.claim_id = claim.id
        WHERE claim.customer_id = contacted.customer_id
          AND posting.kind = 'payment' AND posting.rebooks IS NULL
          AND posting.booked_at >= contacted.sent_at AND posting.booked_at < contacted.until
    ) AS payment
    CROSS JOIN LATERAL (
        SELECT {band_sql("coalesce(max(claim_open.claimed_minor), 0)")} AS band
        FROM claim JOIN claim_open ON claim_open.claim_id = claim.id
        WHERE claim.customer_id = contacted.customer_id
    ) AS amount
)
SELECT stage.figure, reached.id AS source, reached.sent_at AS at, reached.conversation_id,
       reached.channel, reached.band,
       {_rounded("extract(epoch FROM stage.at - reached.sent_at) / 60")} AS minutes
FROM reached
CROSS JOIN LATERAL (
    VALUES
        ('sent', true, NULL::timestamptz),
        ('delivered', coalesce(delivered_at, read_at, answered_at, verified_at, agreed_at)
            IS NOT NULL, NULL),
        ('read', coalesce(read_at, answered_at, verified_at, agreed_at) IS NOT NULL, NULL),
        ('answered', coalesce(answered_at, verified_at, agreed_at) IS NOT NULL, answered_at),
        ('verified', coalesce(verified_at, agreed_at) IS NOT NULL, NULL),
        ('agreed_after', agreed_at IS NOT NULL, agreed_at),
        ('paid_after', paid_at IS NOT NULL, paid_at)
) AS stage (figure, here, at)
WHERE stage.here
"""
