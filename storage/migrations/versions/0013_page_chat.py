"""messages that are written on a customer's page"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0013"
down_revision: str | None = "0012"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    """Apply."""
    op.add_column("message", sa.Column("page_customer_id", sa.BigInteger(), nullable=True))
    op.create_foreign_key(
        op.f("fk_message_page_customer_id_customer"),
        "message",
        "customer",
        ["page_customer_id"],
        ["id"],
    )
    op.create_index(
        "ix_message_page_customer_id",
        "message",
        ["page_customer_id", "id"],
        unique=False,
        postgresql_where=sa.text("page_customer_id IS NOT NULL"),
    )
    op.create_index(
        "ix_message_page_unread",
        "message",
        ["created_at"],
        unique=False,
        postgresql_where=sa.text(
            "author = 'agent' AND page_customer_id IS NOT NULL AND read_at IS NULL"
        ),
    )


def downgrade() -> None:
    """Refuse: the books are append-only, a step back is a new step forward."""
    raise NotImplementedError
