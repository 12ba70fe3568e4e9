"""where a customer's dialogue goes on, their hours, a stop everywhere; codes that prove a number"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

from storage.migrations.protection import protect

revision: str = "0004"
down_revision: str | None = "0003"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    """Apply."""
    op.add_column("customer", sa.Column("active_conversation_id", sa.BigInteger(), nullable=True))
    op.add_column("customer", sa.Column("contact_from", sa.Time(), nullable=True))
    op.add_column("customer", sa.Column("contact_until", sa.Time(), nullable=True))
    op.add_column("customer", sa.Column("opted_out_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("channel_account", sa.Column("public_name", sa.Text(), nullable=True))
    op.add_column("start_token", sa.Column("from_conversation_id", sa.BigInteger(), nullable=True))
    op.add_column("conversation", sa.Column("turns_before", sa.BigInteger(), nullable=True))
    op.create_foreign_key(
        op.f("fk_start_token_from_conversation_id_conversation"),
        "start_token",
        "conversation",
        ["from_conversation_id"],
        ["id"],
    )
    op.create_table(
        "address_code",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("customer_id", sa.BigInteger(), nullable=False),
        sa.Column("from_conversation_id", sa.BigInteger(), nullable=False),
        sa.Column("to_conversation_id", sa.BigInteger(), nullable=False),
        sa.Column("salt", sa.Text(), nullable=False),
        sa.Column("hash", sa.Text(), nullable=False),
        sa.Column("tries", sa.Integer(), server_default="0", nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("outcome", sa.Text(), nullable=True),
        sa.Column("merchant_id", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["customer_id"], ["customer.id"], name=op.f("fk_address_code_customer_id_customer")
        ),
        sa.ForeignKeyConstraint(
            ["from_conversation_id"],
            ["conversation.id"],
            name=op.f("fk_address_code_from_conversation_id_conversation"),
        ),
        sa.ForeignKeyConstraint(
            ["to_conversation_id"],
            ["conversation.id"],
            name=op.f("fk_address_code_to_conversation_id_conversation"),
        ),
        sa.ForeignKeyConstraint(
            ["merchant_id"],
            ["merchant.id"],
            name=op.f("fk_address_code_merchant_id_merchant"),
            ondelete="RESTRICT",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_address_code")),
    )
    for column in ("customer_id", "merchant_id", "to_conversation_id"):
        op.create_index(op.f(f"ix_address_code_{column}"), "address_code", [column], unique=False)
    op.create_index(
        "uq_address_code_open",
        "address_code",
        ["from_conversation_id"],
        unique=True,
        postgresql_where=sa.text("ended_at IS NULL"),
    )
    protect("address_code")


def downgrade() -> None:
    """Refuse: the books are append-only, a step back is a new step forward."""
    raise NotImplementedError
