"""Row-level security, written once so that every migration protects its tables alike."""

import sqlalchemy as sa
from alembic import op

from storage.engine import APP_ROLE, OPERATOR_ROLE

CURRENT_MERCHANT = "nullif(current_setting('kulanz.merchant_id', true), '')::bigint"


def protect(table: str, *, column: str = "merchant_id") -> None:
    """Force row-level security: the application role sees one merchant, the operator all."""
    own = f"{column} = (SELECT {CURRENT_MERCHANT})"
    op.execute(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY")
    op.execute(f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY")
    op.execute(
        f"CREATE POLICY own_merchant ON {table} TO {APP_ROLE} USING ({own}) WITH CHECK ({own})"
    )
    op.execute(
        f"CREATE POLICY all_merchants ON {table} TO {OPERATOR_ROLE} USING (true) WITH CHECK (true)"
    )


def table_of_merchant(table: str, *rest: sa.schema.SchemaItem) -> None:
    """Make a protected table with an id of its own and the merchant's."""
    op.create_table(
        table,
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        *rest,
        sa.Column("merchant_id", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["merchant_id"],
            ["merchant.id"],
            name=op.f(f"fk_{table}_merchant_id_merchant"),
            ondelete="RESTRICT",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f(f"pk_{table}")),
    )
    op.create_index(op.f(f"ix_{table}_merchant_id"), table, ["merchant_id"], unique=False)
    protect(table)


def append_only(table: str) -> None:
    """Refuse UPDATE, DELETE and TRUNCATE on a table, by privilege and by trigger."""
    op.execute(f"REVOKE UPDATE, DELETE, TRUNCATE ON {table} FROM {APP_ROLE}, {OPERATOR_ROLE}")
    op.execute(
        f"CREATE TRIGGER {table}_append_only BEFORE UPDATE OR DELETE ON {table} "
        "FOR EACH ROW EXECUTE FUNCTION kulanz_refuse_change()"
    )
    op.execute(
        f"CREATE TRIGGER {table}_no_truncate BEFORE TRUNCATE ON {table} "
        "FOR EACH STATEMENT EXECUTE FUNCTION kulanz_refuse_change()"
    )
