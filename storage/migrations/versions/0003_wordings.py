"""a merchant's own wordings; the variant of a message"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision: str = "0003"
down_revision: str | None = "0002"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    """Add two columns; neither rewrites a table."""
    op.add_column(
        "merchant",
        sa.Column(
            "wordings",
            postgresql.JSONB(astext_type=sa.Text()),
            server_default="{}",
            nullable=False,
        ),
    )
    op.add_column("message", sa.Column("variant", sa.Text(), nullable=True))


def downgrade() -> None:
    """Refuse: the books are append-only, a step back is a new step forward."""
    raise NotImplementedError
