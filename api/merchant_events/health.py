"""What ``kulanz doctor`` says about endpoints: which of them do not take what is posted."""

from datetime import datetime, timedelta

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from api.findings import BAD, GOOD, Finding

FAILING_AFTER_ATTEMPTS = 4
"""Of one event; about half an hour without an answer that takes it."""
GIVEN_UP_SHOWN = timedelta(days=7)
"""After that nobody will post it again."""
_STATES = text(
    """
    SELECT m.key, p.id, p.url, p.off_at IS NOT NULL AS off,
        count(d.id) FILTER (WHERE d.status = 'pending') AS pending,
        count(d.id) FILTER (WHERE d.status = 'pending' AND d.attempts >= :failing) AS failing,
        count(d.id) FILTER (WHERE d.status = 'failed' AND d.attempted_at > :recent) AS failed
    FROM webhook_endpoint p JOIN merchant m ON m.id = p.merchant_id
    LEFT JOIN webhook_delivery d ON d.endpoint_id = p.id AND d.status <> 'delivered'
    GROUP BY m.key, p.id, p.url, p.off_at ORDER BY m.key, p.id
    """
)


async def examine_endpoints(session: AsyncSession, now: datetime) -> list[Finding]:
    """One line for each endpoint; `session` is the operator's."""
    findings = []
    given = {"failing": FAILING_AFTER_ATTEMPTS, "recent": now - GIVEN_UP_SHOWN}
    for row in await session.execute(_STATES, given):
        what = f"events of {row.key}"
        state = f"{row.url}: {row.pending} waiting, {row.failed} given up"
        if row.off:
            advice = f"it answered 410; kulanz webhook enable {row.id}, or remove {row.id}"
            findings.append(Finding(BAD, what, f"{row.url}: off", advice))
        elif row.failing or row.failed:
            advice = f"kulanz webhook test {row.id}, then replay --failed"
            findings.append(Finding(BAD, what, state, advice))
        else:
            findings.append(Finding(GOOD, what, state))
    return findings
