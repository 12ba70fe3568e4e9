"""what a message that watches an agreement is about; what follows a broken one"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

from storage.migrations.protection import protect

revision: str = "0009"
down_revision: str | None = "0008"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    """Apply."""
    op.add_column(
        "contact_attempt",
        sa.Column("about", sa.Text(), server_default="", nullable=False),
    )
    op.drop_constraint(
        op.f("uq_contact_attempt_customer_id_cycle_step"), "contact_attempt", type_="unique"
    )
    op.create_unique_constraint(
        op.f("uq_contact_attempt_customer_id_cycle_step_about"),
        "contact_attempt",
        ["customer_id", "cycle", "step", "about"],
    )
    op.create_index(
        "ix_agreement_merchant_id_ended_at", "agreement", ["merchant_id", "ended_at"], unique=False
    )
    op.create_table(
        "follow_up",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("claim_id", sa.BigInteger(), nullable=False),
        sa.Column("agreement_id", sa.BigInteger(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("exported_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("merchant_id", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["agreement_id"], ["agreement.id"], name=op.f("fk_follow_up_agreement_id_agreement")
        ),
        sa.ForeignKeyConstraint(
            ["claim_id"], ["claim.id"], name=op.f("fk_follow_up_claim_id_claim")
        ),
        sa.ForeignKeyConstraint(
            ["merchant_id"],
            ["merchant.id"],
            name=op.f("fk_follow_up_merchant_id_merchant"),
            ondelete="RESTRICT",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_follow_up")),
        sa.UniqueConstraint("agreement_id", name=op.f("uq_follow_up_agreement_id")),
    )
    op.create_index(op.f("ix_follow_up_claim_id"), "follow_up", ["claim_id"], unique=False)
    op.create_index(op.f("ix_follow_up_merchant_id"), "follow_up", ["merchant_id"], unique=False)
    protect("follow_up")


def downgrade() -> None:
    """Refuse: the books are append-only, a step back is a new step forward."""
    raise NotImplementedError
