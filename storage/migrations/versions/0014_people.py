"""people who sign in, what API keys may do, and who did what"""

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

from storage.migrations.protection import protect

revision: str = "0014"
down_revision: str | None = "0013"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

MOMENT = sa.DateTime(timezone=True)
EVERY_SCOPE = '["read", "claims:write", "payments", "handoffs", "events"]'
"""What a key could do before there were scopes."""


def upgrade() -> None:
    """Apply."""
    _of_merchant_or_all(
        "person",
        "id",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("email", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("role", sa.Text(), nullable=False),
        sa.Column("password", sa.Text(), nullable=True),
        sa.Column("second_factor", sa.LargeBinary(), nullable=True),
        sa.Column("second_factor_step", sa.BigInteger(), nullable=True),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.Column("signed_in_at", MOMENT, nullable=True),
        sa.Column("disabled_at", MOMENT, nullable=True),
        sa.CheckConstraint("email = lower(email)", name=op.f("ck_person_email_lower")),
        sa.CheckConstraint(
            "(role = 'operator') = (merchant_id IS NULL)", name=op.f("ck_person_operator_of_all")
        ),
        sa.UniqueConstraint(
            "email",
            "merchant_id",
            name=op.f("uq_person_email_merchant_id"),
            postgresql_nulls_not_distinct=True,
        ),
    )
    _of_merchant_or_all(
        "recovery_code",
        "hash",
        sa.Column("hash", sa.Text(), nullable=False),
        sa.Column("person_id", sa.BigInteger(), nullable=False),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.Column("used_at", MOMENT, nullable=True),
        sa.ForeignKeyConstraint(
            ["person_id"], ["person.id"], name=op.f("fk_recovery_code_person_id_person")
        ),
    )
    op.create_index(op.f("ix_recovery_code_person_id"), "recovery_code", ["person_id"])
    _links_and_sessions()
    _add("api_key", sa.Column("scopes", JSONB(), server_default=EVERY_SCOPE, nullable=False))
    op.add_column("audit_event", sa.Column("person", sa.Text(), nullable=True))
    op.add_column("audit_event", sa.Column("person_id", sa.BigInteger(), nullable=True))
    op.create_index(
        "ix_audit_event_people",
        "audit_event",
        ["merchant_id", "id"],
        postgresql_where=sa.text("person IS NOT NULL"),
    )


def _links_and_sessions() -> None:
    """Who was let in by a link so far could do all that there was: an owner's work."""
    for table in ("console_link", "console_session"):
        op.add_column(table, sa.Column("person_id", sa.BigInteger(), nullable=True))
        op.create_foreign_key(
            op.f(f"fk_{table}_person_id_person"), table, "person", ["person_id"], ["id"]
        )
        op.create_index(op.f(f"ix_{table}_person_id"), table, ["person_id"])
        op.add_column(table, sa.Column("role", sa.Text(), server_default="owner", nullable=True))
        op.alter_column(table, "role", server_default=None)
        op.create_check_constraint(
            op.f(f"ck_{table}_role_or_person"),
            table,
            "(person_id IS NULL) = (role IS NOT NULL)",
        )
    op.alter_column("console_link", "merchant_id", nullable=True)
    _add("console_link", sa.Column("kind", sa.Text(), server_default="sign_in", nullable=False))
    _add(
        "console_session", sa.Column("proved_by", sa.Text(), server_default="link", nullable=False)
    )
    _add("console_session", sa.Column("device", sa.Text(), server_default="", nullable=False))
    _add(
        "console_session",
        sa.Column("seen_at", MOMENT, server_default=sa.func.now(), nullable=False),
    )


def _add(table: str, column: sa.Column[Any]) -> None:
    """A column whose default is for the rows that are there already."""
    op.add_column(table, column)
    op.alter_column(table, column.name, server_default=None)


def _of_merchant_or_all(table: str, key: str, *columns: sa.schema.SchemaItem) -> None:
    op.create_table(
        table,
        *columns,
        sa.Column("merchant_id", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(
            ["merchant_id"],
            ["merchant.id"],
            name=op.f(f"fk_{table}_merchant_id_merchant"),
            ondelete="RESTRICT",
        ),
        sa.PrimaryKeyConstraint(key, name=op.f(f"pk_{table}")),
    )
    op.create_index(op.f(f"ix_{table}_merchant_id"), table, ["merchant_id"])
    protect(table)


def downgrade() -> None:
    """Refuse: the books are append-only, a step back is a new step forward."""
    raise NotImplementedError
