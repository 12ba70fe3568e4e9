"""the conversations behind the overview's figures; wrong tries of a proof forgiven in one place"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

from storage.migrations.protection import protect

revision: str = "0022"
down_revision: str | None = "0021"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    """Apply."""
    key = ("merchant_id", "figure", "source")
    op.create_table(
        "overview_case",
        sa.Column("figure", sa.Text(), nullable=False),
        sa.Column("source", sa.BigInteger(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("conversation_id", sa.BigInteger(), nullable=False),
        sa.Column("channel", sa.Text(), nullable=False),
        sa.Column("band", sa.Text(), nullable=False),
        sa.Column("minutes", sa.Integer(), nullable=True),
        sa.Column("merchant_id", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["conversation_id"],
            ["conversation.id"],
            name=op.f("fk_overview_case_conversation_id_conversation"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["merchant_id"],
            ["merchant.id"],
            name=op.f("fk_overview_case_merchant_id_merchant"),
            ondelete="RESTRICT",
        ),
        sa.PrimaryKeyConstraint(*key, name=op.f("pk_overview_case")),
    )
    op.create_index(op.f("ix_overview_case_merchant_id"), "overview_case", ["merchant_id"])
    op.create_index(
        "ix_overview_case_listed",
        "overview_case",
        ["merchant_id", "figure", "at", "conversation_id"],
        # A rare segment is found in the index alone.
        postgresql_include=["channel", "band"],
    )
    op.create_index(op.f("ix_overview_case_conversation_id"), "overview_case", ["conversation_id"])
    protect("overview_case")
    # The next run gathers the whole time, so that no figure is without its cases.
    op.execute("ALTER TABLE overview_refresh NO FORCE ROW LEVEL SECURITY")
    op.execute("UPDATE overview_refresh SET whole_at = whole_at - interval '2 days'")
    op.execute("ALTER TABLE overview_refresh FORCE ROW LEVEL SECURITY")
    for table in ("customer", "conversation"):
        op.add_column(
            table,
            sa.Column("verification_round", sa.Integer(), server_default="0", nullable=False),
        )


def downgrade() -> None:
    """Refuse: the books are append-only, a step back is a new step forward."""
    raise NotImplementedError
