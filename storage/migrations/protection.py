"""Row-level security, written once so that every migration protects its tables alike."""

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
