"""base rates that were added; grounds of default; consumer loans; postings booked anew"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

from storage.engine import APP_ROLE
from storage.migrations.protection import append_only

revision: str = "0006"
down_revision: str | None = "0005"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "base_rate",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("since", sa.Date(), nullable=False),
        sa.Column("percent", sa.Numeric(5, 2), nullable=False),
        sa.Column("confirmed", sa.Boolean(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("added_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_base_rate")),
    )
    # The base rate is the same for all merchants, and none of them writes it.
    op.execute(f"REVOKE INSERT, UPDATE, DELETE, TRUNCATE ON base_rate FROM {APP_ROLE}")
    append_only("base_rate")
    op.add_column(
        "claim",
        sa.Column("consumer_loan", sa.Boolean(), server_default="false", nullable=False),
    )
    op.add_column("claim", sa.Column("default_ground", sa.Text(), nullable=True))
    op.add_column("posting", sa.Column("marking", sa.Text(), nullable=True))
    op.add_column("posting", sa.Column("rebooks", sa.Integer(), nullable=True))


def downgrade() -> None:
    """Refuse: the books are append-only, a step back is a new step forward."""
    raise NotImplementedError
