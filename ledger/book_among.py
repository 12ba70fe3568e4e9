"""Claims to which something happened in a period: what stands behind a figure of the overview.

Each condition says of one claim what :mod:`ledger.overview_sql` counts of all.
"""

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from enum import StrEnum
from typing import Any, Final
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, DateTime, and_, bindparam, or_, select
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
    Conversation,
    Customer,
    OverviewClaim,
    Posting,
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


_KEPT: Final = (Happened.CAME_BACK, Happened.ALONE)
"""Those whose claims are gathered with the figures: told from the books they would take seconds."""
PAID: Final = frozenset({Happened.SETTLED, Happened.KEPT, *_KEPT})
"""Nothing is open on these any more."""


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
        return and_(at >= self._begin_of(self.first), at < self._ends())

    def _begin_of(self, day: date) -> ColumnElement[datetime]:
        """Written into the statement: one plan for any period would be a bad one for most."""
        begin = datetime.combine(day, time(), self.zone)
        return bindparam(None, begin, DateTime(timezone=True), literal_execute=True)

    def _ends(self) -> ColumnElement[datetime]:
        return self._begin_of(self.last + timedelta(days=1))

    def _settled(self, merchant_id: int) -> ColumnElement[bool]:
        """Settled in the period, the last time."""
        settled = select(AuditEvent.claim_id).where(
            AuditEvent.merchant_id == merchant_id, AuditEvent.kind == "claim_settled"
        )
        later = settled.where(AuditEvent.claim_id == Claim.id, AuditEvent.at >= self._ends())
        within = settled.where(self._within(AuditEvent.at))
        return and_(
            Claim.status == ClaimStatus.SETTLED.value, Claim.id.in_(within), ~later.exists()
        )

    @property
    def kept(self) -> bool:
        """Whether the claims were gathered: then the list is one of :class:`OverviewClaim`."""
        return self.happened in _KEPT

    def _of_kept(self, merchant_id: int) -> list[ColumnElement[bool]]:
        wanted = [
            OverviewClaim.claim_id == Claim.id,
            OverviewClaim.merchant_id == merchant_id,
            OverviewClaim.figure == self.happened,
            self._within(OverviewClaim.at),
        ]
        if self.channel:
            wanted.append(OverviewClaim.channel == self.channel)
        if self.band is not None:
            wanted.append(OverviewClaim.band == self.band.value)
        return wanted

    def conditions(self, merchant_id: int) -> list[ColumnElement[bool]]:
        """What narrows a selection of :class:`Claim` joined with ``ClaimOpen`` and ``Customer``;
        with ``kept`` it takes its claims from :class:`OverviewClaim` as well."""
        if self.kept:
            return self._of_kept(merchant_id)
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
            return self._settled(merchant_id)
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
