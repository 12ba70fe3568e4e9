"""Claims to which something happened in a period: what stands behind a figure of the overview.

Each condition says of one claim what :mod:`ledger.overview_sql` counts of all.
"""

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from enum import StrEnum
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, Date, and_, cast, func, or_, select
from sqlalchemy.orm import InstrumentedAttribute

from ledger.agreements import AgreementStatus
from ledger.claim import ClaimStatus
from ledger.posting import Account
from ledger.segment import LARGE_MINOR_MIN, MIDDLE_MINOR_MIN, Band
from storage.tables import (
    Agreement,
    AuditEvent,
    Claim,
    ClaimOpen,
    ContactAttempt,
    Conversation,
    Customer,
    Handoff,
    Message,
    Posting,
    Reorder,
)


class Happened(StrEnum):
    """What happened to a claim; ``PROMISED`` is how it stands now, whatever the period."""

    PROMISED = "promised"
    COLLECTED = "collected"
    SETTLED = "settled"
    AGREED = "agreed"
    KEPT = "kept"
    BROKEN = "broken"
    DISPUTED = "disputed"
    CAME_BACK = "came_back"
    ALONE = "alone"
    """Settled after contact, without a person."""


@dataclass(frozen=True, slots=True)
class Among:
    """Which claims are wanted: by what happened from the first to the last day, by segment."""

    happened: Happened | None
    first: date
    last: date
    zone: ZoneInfo
    channel: str = ""
    band: Band | None = None

    def _within(self, at: InstrumentedAttribute[Any]) -> ColumnElement[bool]:
        begins = datetime.combine(self.first, time(), self.zone)
        return and_(
            at >= begins, at < datetime.combine(self.last + timedelta(days=1), time(), self.zone)
        )

    def _latest(self, merchant_id: int, *more: ColumnElement[bool]) -> ColumnElement[bool]:
        """Claims settled in the period, the last time; `more` is asked of that event."""
        settled = select(AuditEvent.claim_id).where(
            AuditEvent.merchant_id == merchant_id, AuditEvent.kind == "claim_settled"
        )
        ends = datetime.combine(self.last + timedelta(days=1), time(), self.zone)
        later = settled.where(AuditEvent.claim_id == Claim.id, AuditEvent.at >= ends)
        within = settled.where(self._within(AuditEvent.at), *more)
        return and_(
            Claim.status == ClaimStatus.SETTLED.value, Claim.id.in_(within), ~later.exists()
        )

    def _came_back(self, merchant_id: int) -> ColumnElement[bool]:
        settled_on = cast(func.timezone(self.zone.key, AuditEvent.at), Date)
        ordered = select(Reorder.id).where(
            Reorder.customer_id == AuditEvent.customer_id, Reorder.ordered_on > settled_on
        )
        return self._latest(merchant_id, ordered.exists())

    def _alone(self, merchant_id: int) -> ColumnElement[bool]:
        ended = (
            select(func.max(AuditEvent.at))
            .where(AuditEvent.claim_id == Claim.id, AuditEvent.kind == "claim_settled")
            .correlate(Claim)
            .scalar_subquery()
        )
        contacted = (
            select(ContactAttempt.id)
            .join(Message, Message.id == ContactAttempt.message_id)
            .where(ContactAttempt.customer_id == Claim.customer_id, Message.sent_at <= ended)
        )
        taken = (
            select(Handoff.id)
            .join(Conversation, Conversation.id == Handoff.conversation_id)
            .where(Conversation.customer_id == Claim.customer_id, Handoff.taken_at <= ended)
        )
        return and_(self._latest(merchant_id), contacted.exists(), ~taken.exists())

    def conditions(self, merchant_id: int) -> list[ColumnElement[bool]]:
        """What narrows a selection of :class:`Claim` joined with ``ClaimOpen`` and ``Customer``."""
        wanted: list[ColumnElement[bool]] = []
        if self.channel:
            talks = select(Conversation.id).where(
                Conversation.id == Customer.active_conversation_id,
                Conversation.channel == self.channel,
            )
            wanted.append(talks.exists())
        if self.band is Band.SMALL:
            wanted.append(ClaimOpen.claimed_minor < MIDDLE_MINOR_MIN)
        elif self.band is Band.MIDDLE:
            wanted.append(ClaimOpen.claimed_minor.between(MIDDLE_MINOR_MIN, LARGE_MINOR_MIN - 1))
        elif self.band is Band.LARGE:
            wanted.append(ClaimOpen.claimed_minor >= LARGE_MINOR_MIN)
        if self.happened is not None:
            wanted.append(self._what(self.happened, merchant_id))
        return wanted

    def _what(self, happened: Happened, merchant_id: int) -> ColumnElement[bool]:
        if happened is Happened.SETTLED:
            return self._latest(merchant_id)
        if happened is Happened.CAME_BACK:
            return self._came_back(merchant_id)
        if happened is Happened.ALONE:
            return self._alone(merchant_id)
        if happened is Happened.COLLECTED:
            cash = Account.CASH.value
            return Claim.id.in_(
                select(Posting.claim_id).where(
                    Posting.merchant_id == merchant_id,
                    self._within(Posting.booked_at),
                    or_(Posting.source == cash, Posting.destination == cash),
                )
            )
        if happened in (Happened.AGREED, Happened.DISPUTED):
            kind = "agreement_made" if happened is Happened.AGREED else "claim_disputed"
            return Claim.id.in_(
                select(AuditEvent.claim_id).where(
                    AuditEvent.merchant_id == merchant_id,
                    AuditEvent.kind == kind,
                    self._within(AuditEvent.at),
                )
            )
        agreed = select(Agreement.claim_id).where(Agreement.merchant_id == merchant_id)
        if happened is Happened.PROMISED:
            return Claim.id.in_(agreed.where(Agreement.status == AgreementStatus.ACTIVE.value))
        return Claim.id.in_(
            agreed.where(Agreement.status == happened.value, self._within(Agreement.ended_at))
        )
