"""handoffs: the promised time, notes, an agent's replies, a hint for the bot"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from storage.migrations.protection import protect

revision: str = "0002"
down_revision: str | None = "0001"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    """Apply."""
    op.add_column(
        "conversation",
        sa.Column("hint", postgresql.JSONB(astext_type=sa.Text()), nullable=True),
    )
    op.add_column("message", sa.Column("idempotency_key", sa.Text(), nullable=True))
    op.create_index(
        "uq_message_idempotency_key",
        "message",
        ["conversation_id", "idempotency_key"],
        unique=True,
        postgresql_where=sa.text("idempotency_key IS NOT NULL"),
    )
    op.add_column("handoff", sa.Column("answer_by", sa.DateTime(timezone=True), nullable=True))
    op.add_column(
        "handoff", sa.Column("promised", sa.Boolean(), server_default="false", nullable=False)
    )
    op.add_column("handoff", sa.Column("overdue_at", sa.DateTime(timezone=True), nullable=True))
    op.create_table(
        "handoff_note",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("handoff_id", sa.BigInteger(), nullable=False),
        sa.Column("conversation_id", sa.BigInteger(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("author", sa.Text(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("merchant_id", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["conversation_id"],
            ["conversation.id"],
            name=op.f("fk_handoff_note_conversation_id_conversation"),
        ),
        sa.ForeignKeyConstraint(
            ["handoff_id"], ["handoff.id"], name=op.f("fk_handoff_note_handoff_id_handoff")
        ),
        sa.ForeignKeyConstraint(
            ["merchant_id"],
            ["merchant.id"],
            name=op.f("fk_handoff_note_merchant_id_merchant"),
            ondelete="RESTRICT",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_handoff_note")),
    )
    for column in ("conversation_id", "handoff_id", "merchant_id"):
        op.create_index(op.f(f"ix_handoff_note_{column}"), "handoff_note", [column], unique=False)
    protect("handoff_note")


def downgrade() -> None:
    """Refuse: the books are append-only, a step back is a new step forward."""
    raise NotImplementedError
