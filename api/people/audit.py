"""What people did: signed in, saw, uncovered, changed; written and read.

It stands in the one audit, beside what customers and the service did. Nobody can change it: the
application roles may only add (see :func:`storage.migrations.protection.append_only`).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import select, text
from sqlalchemy.ext.asyncio import AsyncSession

from api.people.sessions import SignedIn
from storage.tables import AuditEvent, Person

LISTED_MAX = 50
COMMAND_LINE = "kulanz"
"""Who did it where it was done on the command line."""

KINDS = (
    "signed_in",
    "sign_in_failed",
    "signed_out",
    "sessions_ended",
    "password_changed",
    "password_link_made",
    "second_factor_set",
    "recovery_codes_made",
    "second_factor_removed",
    "person_invited",
    "person_joined",
    "sso_linked",
    "sso_changed",
    "person_role_changed",
    "person_disabled",
    "person_enabled",
    "merchant_entered",
    "transcript_seen",
    "transcript_revealed",
    "attachment_seen",
    "transcript_rated",
    "transcript_flagged",
    "transcript_unflagged",
    "transcript_commented",
    "transcripts_exported",
    "correction_proposed",
    "correction_accepted",
    "correction_rejected",
    "corrections_exported",
    "customer_seen",
    "customer_revealed",
    "complaint_file_made",
    "pause_set",
    "pause_ended",
    "amount_waived",
    "payment_entered",
    "objection_answered",
    "handed_back",
    "written_off",
    "address_removed",
    "number_changed",
    "handoff_given",
    "handoff_snoozed",
    "handoff_woken",
    "handoff_tagged",
    "call_reached",
    "call_not_reached",
    "call_wrong_number",
    "team_changed",
    "team_ended",
    "answer_target_set",
    "wrap_ups_changed",
    "policy_changed",
    "contact_changed",
    "wording_changed",
    "page_changed",
    "file_handed_over",
    "movements_seen",
    "movement_matched",
    "movement_ignored",
    "movement_undone",
    "endpoint_added",
    "endpoint_secret_changed",
    "endpoint_tested",
    "endpoint_switched_on",
    "endpoint_removed",
    "deliveries_replayed",
    "terms_suggested",
    "consent_noted",
    "canned_reply_saved",
    "canned_reply_removed",
    "audit_seen",
    "api_call",
    "api_key_made",
    "api_key_revoked",
)
"""All that people do here, in the order in which they are offered for choosing."""


def note(
    session: AsyncSession,
    who: SignedIn | Person | str,
    kind: str,
    now: datetime,
    *,
    merchant_id: int,
    customer_id: int | None = None,
    claim_id: int | None = None,
    conversation_id: int | None = None,
    **facts: Any,
) -> None:
    """Keep that somebody did something; ``facts`` are codes and figures, never texts."""
    name, person_id = _named(who)
    session.add(
        AuditEvent(
            merchant_id=merchant_id,
            kind=kind,
            at=now,
            person=name,
            person_id=person_id,
            customer_id=customer_id,
            claim_id=claim_id,
            conversation_id=conversation_id,
            facts=facts,
        )
    )


def _named(who: SignedIn | Person | str) -> tuple[str, int | None]:
    if isinstance(who, str):
        return who, None
    if isinstance(who, Person):
        return who.name, who.id
    return who.operator, who.person_id


@dataclass(frozen=True, slots=True)
class Chosen:
    """Which lines of the audit are wanted."""

    person: str = ""
    kind: str = ""
    day: date | None = None


async def listed(
    session: AsyncSession,
    merchant_id: int,
    chosen: Chosen,
    zone: ZoneInfo,
    *,
    before: int | None = None,
    limit: int = LISTED_MAX,
) -> tuple[Sequence[AuditEvent], int | None]:
    """What people of this merchant did, the newest first, and where the next page begins.

    ``day`` is the merchant's day.
    """
    wanted = select(AuditEvent).where(
        AuditEvent.merchant_id == merchant_id, AuditEvent.person.is_not(None)
    )
    if chosen.person:
        wanted = wanted.where(AuditEvent.person == chosen.person)
    if chosen.kind:
        wanted = wanted.where(AuditEvent.kind == chosen.kind)
    if chosen.day is not None:
        begins = datetime.combine(chosen.day, time(), zone)
        ends = datetime.combine(chosen.day + timedelta(days=1), time(), zone)
        wanted = wanted.where(AuditEvent.at >= begins, AuditEvent.at < ends)
    if before is not None:
        wanted = wanted.where(AuditEvent.id < before)
    rows = (await session.scalars(wanted.order_by(AuditEvent.id.desc()).limit(limit + 1))).all()
    more = len(rows) > limit
    return rows[:limit], rows[limit - 1].id if more else None


_NAMES = text("""
WITH RECURSIVE known AS (
    (SELECT person FROM audit_event WHERE merchant_id = :merchant AND person IS NOT NULL
     ORDER BY person LIMIT 1)
    UNION ALL
    SELECT (SELECT person FROM audit_event WHERE merchant_id = :merchant AND person IS NOT NULL
            AND person > known.person ORDER BY person LIMIT 1)
    FROM known WHERE known.person IS NOT NULL
)
SELECT person FROM known WHERE person IS NOT NULL
""")
"""From one name to the next in the index: however many lines each has."""


async def names(session: AsyncSession, merchant_id: int) -> Sequence[str]:
    """Everybody who stands in this merchant's audit, people and keys."""
    return list(await session.scalars(_NAMES, {"merchant": merchant_id}))
