"""the customer's page: links, visits, feedback, and how it looks"""

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from storage.migrations.protection import protect

revision: str = "0008"
down_revision: str | None = "0007"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def _of_customer(table: str, key: str, *columns: Any) -> None:
    op.create_table(
        table,
        *columns,
        sa.Column("customer_id", sa.BigInteger(), nullable=False),
        sa.Column("merchant_id", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["customer_id"], ["customer.id"], name=op.f(f"fk_{table}_customer_id_customer")
        ),
        sa.ForeignKeyConstraint(
            ["merchant_id"],
            ["merchant.id"],
            name=op.f(f"fk_{table}_merchant_id_merchant"),
            ondelete="RESTRICT",
        ),
        sa.PrimaryKeyConstraint(key, name=op.f(f"pk_{table}")),
    )
    op.create_index(op.f(f"ix_{table}_merchant_id"), table, ["merchant_id"], unique=False)
    op.create_index(op.f(f"ix_{table}_customer_id"), table, ["customer_id"], unique=False)
    protect(table)


def _moment(name: str, *, nullable: bool = False) -> sa.Column[Any]:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=nullable)


def upgrade() -> None:
    """Apply."""
    op.add_column(
        "merchant",
        sa.Column("page", postgresql.JSONB(), server_default="{}", nullable=False),
    )
    _of_customer(
        "page_link",
        "hash",
        sa.Column("hash", sa.Text(), nullable=False),
        sa.Column("conversation_id", sa.BigInteger(), nullable=False),
        sa.Column("message_id", sa.BigInteger(), nullable=True),
        _moment("created_at"),
        _moment("expires_at"),
        _moment("trusted_until", nullable=True),
        _moment("used_at", nullable=True),
        _moment("revoked_at", nullable=True),
        sa.ForeignKeyConstraint(
            ["conversation_id"],
            ["conversation.id"],
            name=op.f("fk_page_link_conversation_id_conversation"),
        ),
        sa.ForeignKeyConstraint(
            ["message_id"], ["message.id"], name=op.f("fk_page_link_message_id_message")
        ),
    )
    op.create_index(
        op.f("ix_page_link_conversation_id"), "page_link", ["conversation_id"], unique=False
    )
    _of_customer(
        "page_session",
        "hash",
        sa.Column("hash", sa.Text(), nullable=False),
        sa.Column("link_hash", sa.Text(), nullable=False),
        sa.Column("language", sa.Text(), nullable=False),
        sa.Column("proved_with", sa.Text(), nullable=False),
        _moment("created_at"),
        _moment("seen_at"),
        _moment("ended_at", nullable=True),
        sa.ForeignKeyConstraint(
            ["link_hash"], ["page_link.hash"], name=op.f("fk_page_session_link_hash_page_link")
        ),
    )
    op.create_index(op.f("ix_page_session_link_hash"), "page_session", ["link_hash"], unique=False)
    _of_customer(
        "page_feedback",
        "id",
        sa.Column("id", sa.BigInteger(), sa.Identity(), nullable=False),
        sa.Column("rating", sa.Integer(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        _moment("at"),
        sa.CheckConstraint("rating BETWEEN 1 AND 5", name=op.f("ck_page_feedback_rating_in_range")),
    )


def downgrade() -> None:
    """Refuse: the books are append-only, a step back is a new step forward."""
    raise NotImplementedError
