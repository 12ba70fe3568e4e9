"""the claims behind those figures of the overview that take long to be told from the books"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

from storage.migrations.protection import protect

revision: str = "0024"
down_revision: str | None = "0023"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "overview_claim",
        sa.Column("figure", sa.Text(), nullable=False),
        sa.Column("claim_id", sa.BigInteger(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("due_date", sa.Date(), nullable=False),
        sa.Column("channel", sa.Text(), nullable=False),
        sa.Column("band", sa.Text(), nullable=False),
        sa.Column("merchant_id", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["claim_id"], ["claim.id"], name=op.f("fk_overview_claim_claim_id_claim")
        ),
        sa.ForeignKeyConstraint(
            ["merchant_id"],
            ["merchant.id"],
            name=op.f("fk_overview_claim_merchant_id_merchant"),
            ondelete="RESTRICT",
        ),
        sa.PrimaryKeyConstraint(
            "merchant_id", "figure", "claim_id", name=op.f("pk_overview_claim")
        ),
    )
    op.create_index(op.f("ix_overview_claim_merchant_id"), "overview_claim", ["merchant_id"])
    op.create_index(
        "ix_overview_claim_listed",
        "overview_claim",
        ["merchant_id", "figure", "due_date", "claim_id"],
        # A short period and a rare segment are found in the index alone.
        postgresql_include=["at", "channel", "band"],
    )
    protect("overview_claim")
    # The next run gathers the whole time, so that no figure is without its claims.
    op.execute("ALTER TABLE overview_refresh NO FORCE ROW LEVEL SECURITY")
    op.execute("UPDATE overview_refresh SET whole_at = whole_at - interval '2 days'")
    op.execute("ALTER TABLE overview_refresh FORCE ROW LEVEL SECURITY")


def downgrade() -> None:
    """Refuse: the books are append-only, a step back is a new step forward."""
    raise NotImplementedError
