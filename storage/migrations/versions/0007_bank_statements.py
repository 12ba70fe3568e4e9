"""bank statements: every booked movement once, and a merchant's further accounts"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from storage.migrations.protection import protect

revision: str = "0007"
down_revision: str | None = "0006"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    """Apply."""
    op.add_column(
        "merchant",
        sa.Column("bank_accounts", postgresql.JSONB(), server_default="[]", nullable=False),
    )
    op.create_table(
        "bank_movement",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("batch_id", sa.BigInteger(), nullable=False),
        sa.Column("account", sa.Text(), nullable=False),
        sa.Column("format", sa.Text(), nullable=False),
        sa.Column("statement_number", sa.Text(), nullable=False),
        sa.Column("booked", sa.Date(), nullable=False),
        sa.Column("value_date", sa.Date(), nullable=False),
        sa.Column("amount_minor", sa.BigInteger(), nullable=False),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("content", sa.Text(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("reference", sa.Text(), nullable=True),
        sa.Column("payer_name", sa.Text(), nullable=True),
        sa.Column("payer_iban", sa.Text(), nullable=True),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("end_to_end_id", sa.Text(), nullable=True),
        sa.Column("mandate_id", sa.Text(), nullable=True),
        sa.Column("code", sa.Text(), nullable=True),
        sa.Column("returned", sa.Text(), nullable=True),
        sa.Column("original_minor", sa.BigInteger(), nullable=True),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("match", postgresql.JSONB(), server_default="{}", nullable=False),
        sa.Column("customer_id", sa.BigInteger(), nullable=True),
        sa.Column("payment_key", sa.Text(), nullable=True),
        sa.Column("returns_key", sa.Text(), nullable=True),
        sa.Column("attempts", sa.Integer(), server_default="0", nullable=False),
        sa.Column("decided_by", sa.Text(), nullable=True),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("merchant_id", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["batch_id"], ["intake_batch.id"], name=op.f("fk_bank_movement_batch_id_intake_batch")
        ),
        sa.ForeignKeyConstraint(
            ["customer_id"], ["customer.id"], name=op.f("fk_bank_movement_customer_id_customer")
        ),
        sa.ForeignKeyConstraint(
            ["merchant_id"],
            ["merchant.id"],
            name=op.f("fk_bank_movement_merchant_id_merchant"),
            ondelete="RESTRICT",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_bank_movement")),
        sa.UniqueConstraint(
            "merchant_id",
            "content",
            "position",
            name=op.f("uq_bank_movement_merchant_id_content_position"),
        ),
    )
    for column in ("batch_id", "merchant_id"):
        op.create_index(op.f(f"ix_bank_movement_{column}"), "bank_movement", [column])
    for name, *columns in (
        ("booked", "account", "booked"),
        ("reference", "reference"),
        ("state", "state", "id"),
    ):
        op.create_index(f"ix_bank_movement_{name}", "bank_movement", ["merchant_id", *columns])
    op.create_index(
        "ix_bank_movement_payer",
        "bank_movement",
        ["merchant_id", "payer_iban"],
        postgresql_where=sa.text("state = 'posted'"),
    )
    op.create_index(
        "ix_bank_movement_returns",
        "bank_movement",
        ["merchant_id", "returns_key"],
        postgresql_where=sa.text("returns_key IS NOT NULL"),
    )
    protect("bank_movement")


def downgrade() -> None:
    """Refuse: the books are append-only, a step back is a new step forward."""
    raise NotImplementedError
