"""What merchants set and hand over at the console: each change, each file with its progress."""

from sqlalchemy import BigInteger, Index, LargeBinary
from sqlalchemy.orm import Mapped, mapped_column

from storage.tables.base import Base, Id, Json, JsonList, Moment, OfMerchant


class SettingChange(OfMerchant, Base):
    """One change of what a merchant has set: who, when, why, from what to what; append-only."""

    __tablename__ = "setting_change"
    __table_args__ = (Index("ix_setting_change_of", "merchant_id", "part", "name", "id"),)

    id: Mapped[Id]
    part: Mapped[str]
    """See :class:`api.setting_changes.Part`."""
    name: Mapped[str] = mapped_column(server_default="")
    """Of several of a part: which, as a wording's name."""
    before: Mapped[Json]
    after: Mapped[Json]
    """What changed of it, by field; a field that is missing was not set."""
    why: Mapped[str] = mapped_column(server_default="")
    person: Mapped[str]
    person_id: Mapped[int | None] = mapped_column(BigInteger)
    at: Mapped[Moment]


class Upload(OfMerchant, Base):
    """A file that somebody handed over at the console, and what became of it."""

    __tablename__ = "upload"
    __table_args__ = (
        Index("ix_upload_newest", "merchant_id", "id"),
        Index("ix_upload_content", "merchant_id", "kind", "sha256"),
    )

    id: Mapped[Id]
    kind: Mapped[str]
    """``claims``, ``open_items`` or ``bank_statement``, as of the intake's batches."""
    name: Mapped[str]
    sha256: Mapped[str]
    content: Mapped[bytes | None] = mapped_column(LargeBinary)
    """The file, until it was read."""
    options: Mapped[Json] = mapped_column(server_default="{}")
    state: Mapped[str]
    """``waiting``, ``running``, ``taken``, ``refused`` or ``failed``."""
    rows_total: Mapped[int | None]
    rows_done: Mapped[int] = mapped_column(server_default="0")
    report: Mapped[Json] = mapped_column(server_default="{}")
    """Codes and counts of what was done."""
    problems: Mapped[JsonList] = mapped_column(server_default="[]")
    """The first of why it was refused: line, column, reason."""
    person: Mapped[str]
    created_at: Mapped[Moment]
    finished_at: Mapped[Moment | None]
