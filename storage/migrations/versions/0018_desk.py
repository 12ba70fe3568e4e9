"""what people at the desk work with: replies kept ready, suggestions of terms, mentions"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

from storage.migrations.protection import table_of_merchant

revision: str = "0018"
down_revision: str | None = "0017"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    """Apply."""
    table_of_merchant(
        "canned_reply",
        sa.Column("shortcut", sa.Text(), nullable=False),
        sa.Column("text_de", sa.Text(), nullable=False),
        sa.Column("text_en", sa.Text(), nullable=False),
        sa.Column("changed_by", sa.Text(), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.UniqueConstraint(
            "merchant_id", "shortcut", name=op.f("uq_canned_reply_merchant_id_shortcut")
        ),
    )
    table_of_merchant(
        "desk_offer",
        _reference("desk_offer", "handoff_id", "handoff"),
        _reference("desk_offer", "conversation_id", "conversation"),
        _reference("desk_offer", "claim_id", "claim"),
        sa.Column("handoff_id", sa.BigInteger(), nullable=False),
        sa.Column("conversation_id", sa.BigInteger(), nullable=False),
        sa.Column("claim_id", sa.BigInteger(), nullable=False),
        sa.Column("terms", JSONB(), nullable=False),
        sa.Column("balance_minor", sa.BigInteger(), nullable=False),
        _reference("desk_offer", "message_id", "message"),
        sa.Column("message_id", sa.BigInteger(), nullable=True),
        sa.Column("offered_by", sa.Text(), nullable=False),
        sa.Column("offered_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("outcome", sa.Text(), nullable=True),
        sa.Column("consent", sa.Text(), nullable=True),
        sa.Column("idempotency_key", sa.Text(), nullable=False),
        sa.UniqueConstraint(
            "merchant_id",
            "idempotency_key",
            name=op.f("uq_desk_offer_merchant_id_idempotency_key"),
        ),
    )
    op.create_index(op.f("ix_desk_offer_handoff_id"), "desk_offer", ["handoff_id"])
    op.create_index(
        "uq_desk_offer_open",
        "desk_offer",
        ["conversation_id"],
        unique=True,
        postgresql_where=sa.text("ended_at IS NULL"),
    )
    table_of_merchant(
        "note_mention",
        sa.Column("note_id", sa.BigInteger(), nullable=False),
        sa.Column("person_id", sa.BigInteger(), nullable=False),
        sa.Column("seen_at", sa.DateTime(timezone=True), nullable=True),
        _reference("note_mention", "note_id", "handoff_note"),
        _reference("note_mention", "person_id", "person"),
        sa.UniqueConstraint("note_id", "person_id", name=op.f("uq_note_mention_note_id_person_id")),
    )
    op.create_index(
        "ix_note_mention_unseen",
        "note_mention",
        ["person_id"],
        postgresql_where=sa.text("seen_at IS NULL"),
    )


def _reference(table: str, column: str, to: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint([column], [f"{to}.id"], name=op.f(f"fk_{table}_{column}_{to}"))


def downgrade() -> None:
    """Refuse: the books are append-only, a step back is a new step forward."""
    raise NotImplementedError
