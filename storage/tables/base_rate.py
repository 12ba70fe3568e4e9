"""Base rates that were added to the shipped ones."""

from datetime import date
from decimal import Decimal

from sqlalchemy import Numeric
from sqlalchemy.orm import Mapped, mapped_column

from storage.tables.base import Base, Id, Moment


class BaseRate(Base):
    """The base rate of a half year as somebody entered it; the same for all merchants.

    Append-only: of one half year the last entry counts, the earlier ones show what was reckoned
    with before.
    """

    __tablename__ = "base_rate"

    id: Mapped[Id]
    since: Mapped[date]
    percent: Mapped[Decimal] = mapped_column(Numeric(5, 2))
    confirmed: Mapped[bool]
    source: Mapped[str]
    """Where the figure comes from, such as the notice in the Bundesanzeiger."""
    added_at: Mapped[Moment]
