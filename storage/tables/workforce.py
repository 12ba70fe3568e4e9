"""The desk: teams and what goes to them, who is there, how soon to answer, names of endings."""

from sqlalchemy import CheckConstraint, ForeignKey, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from storage.tables.base import Base, Id, JsonList, Moment, OfMerchant


class DeskTeam(OfMerchant, Base):
    """People who share a queue."""

    __tablename__ = "desk_team"
    __table_args__ = (UniqueConstraint("merchant_id", "name"),)

    id: Mapped[Id]
    name: Mapped[str]
    reasons: Mapped[JsonList] = mapped_column(server_default="[]")
    """Reasons that go to this team; empty: any."""
    languages: Mapped[JsonList] = mapped_column(server_default="[]")
    """Languages that go to this team; empty: any."""
    in_turn: Mapped[bool] = mapped_column(server_default="false")
    """Whether what comes in is given to those who are there, in turn."""


class DeskTeamMember(OfMerchant, Base):
    """A person in a team; they may be in several."""

    __tablename__ = "desk_team_member"

    team_id: Mapped[int] = mapped_column(
        ForeignKey("desk_team.id", ondelete="CASCADE"), primary_key=True
    )
    person_id: Mapped[int] = mapped_column(ForeignKey("person.id"), primary_key=True, index=True)


class DeskSeat(OfMerchant, Base):
    """A person's place at a merchant's desk."""

    __tablename__ = "desk_seat"
    __table_args__ = (CheckConstraint("capacity BETWEEN 1 AND 50", name="capacity"),)

    person_id: Mapped[int] = mapped_column(ForeignKey("person.id"), primary_key=True)
    merchant_id: Mapped[int] = mapped_column(
        ForeignKey("merchant.id", ondelete="RESTRICT"), primary_key=True, index=True
    )
    capacity: Mapped[int] = mapped_column(server_default="5")
    """How many they hold at once before they are given no more."""
    here: Mapped[bool] = mapped_column(server_default="false")
    """Whether they say that they are there; it counts while they are signed in."""
    given_at: Mapped[Moment | None]
    """When they were last given something in turn: whoever waited longest is next."""


class AnswerTarget(OfMerchant, Base):
    """How soon a person is to answer, by reason, in minutes in which the desk is open."""

    __tablename__ = "answer_target"
    __table_args__ = (
        CheckConstraint("first_minutes > 0 AND next_minutes > 0", name="minutes_positive"),
    )

    merchant_id: Mapped[int] = mapped_column(
        ForeignKey("merchant.id", ondelete="RESTRICT"), primary_key=True, index=True
    )
    reason: Mapped[str] = mapped_column(primary_key=True)
    first_minutes: Mapped[int]
    next_minutes: Mapped[int]


class WrapUp(OfMerchant, Base):
    """A merchant's own name for how a handoff ends."""

    __tablename__ = "wrap_up_code"
    __table_args__ = (UniqueConstraint("merchant_id", "name"),)

    id: Mapped[Id]
    name: Mapped[str]
    outcome: Mapped[str]
    """See :class:`conversation.handoff_held.Outcome`."""
