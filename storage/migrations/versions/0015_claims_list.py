"""claims listed and searched: keys of names and numbers, what is open by postings, indexes

Row-level security lets an index be used only by operators that are leakproof. Those of pg_trgm are
not, so the search goes by equality and by the beginning of a key, in ordinary indexes.
"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

from storage.migrations.protection import protect

revision: str = "0015"
down_revision: str | None = "0014"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

KEYS = r"""
CREATE FUNCTION kulanz_name_key(given text) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN replace(replace(replace(replace(replace(translate(lower(
    regexp_replace(normalize(given, NFKD), '[\u0300-\u036f\s.,;:''"’`/()&_-]', '', 'g')
), 'ıİłŁøØđĐ', 'iillooodd'), 'ß', 'ss'), 'ẞ', 'ss'), 'ae', 'a'), 'oe', 'o'), 'ue', 'u');

CREATE FUNCTION kulanz_number_key(given text) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN coalesce(
    nullif(regexp_replace(given, '[^1-9]', '', 'g'), ''),
    lower(regexp_replace(given, '[^A-Za-z]', '', 'g'))
);
"""
OPEN = """
CREATE FUNCTION kulanz_add_to_open() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO claim_open AS held (claim_id, merchant_id, open_minor)
    SELECT claim_id, merchant_id,
           sum(CASE WHEN destination LIKE 'receivable:%' THEN amount_minor ELSE 0 END
             - CASE WHEN source LIKE 'receivable:%' THEN amount_minor ELSE 0 END)
    FROM added
    GROUP BY claim_id, merchant_id
    ORDER BY claim_id
    ON CONFLICT (claim_id) DO UPDATE SET open_minor = held.open_minor + excluded.open_minor;
    RETURN NULL;
END $$;

CREATE TRIGGER posting_adds_to_open AFTER INSERT ON posting REFERENCING NEW TABLE AS added
FOR EACH STATEMENT EXECUTE FUNCTION kulanz_add_to_open();
"""
SO_FAR = """
INSERT INTO claim_open (claim_id, merchant_id, open_minor)
SELECT claim_id, merchant_id,
       sum(CASE WHEN destination LIKE 'receivable:%' THEN amount_minor ELSE 0 END
         - CASE WHEN source LIKE 'receivable:%' THEN amount_minor ELSE 0 END)
FROM posting GROUP BY claim_id, merchant_id
"""


def upgrade() -> None:
    """Apply."""
    op.execute(KEYS)
    _key("customer", "name_key", "kulanz_name_key(name)")
    _key("customer", "first_name_key", "kulanz_name_key(first_name)")
    _key("customer", "number_key", "kulanz_number_key(number)")
    _key("claim", "invoice_key", "kulanz_number_key(invoice_number)")
    for table, *columns in (
        ("customer", "merchant_id", "name_key", "first_name_key"),
        ("customer", "merchant_id", "first_name_key", "name_key"),
        ("customer", "merchant_id", "number_key"),
        ("claim", "merchant_id", "invoice_key"),
        ("claim", "merchant_id", "due_date", "id"),
        ("claim", "merchant_id", "status", "due_date", "id"),
    ):
        op.create_index(op.f(f"ix_{table}_{'_'.join(columns)}"), table, columns)
    for name, where in (
        ("ix_claim_pursued", "status IN ('open', 'disputed')"),
        ("ix_claim_paused", "paused_until IS NOT NULL"),
    ):
        op.create_index(
            name, "claim", ["merchant_id", "due_date", "id"], postgresql_where=sa.text(where)
        )
    op.create_table(
        "claim_open",
        sa.Column("claim_id", sa.BigInteger(), nullable=False),
        sa.Column("open_minor", sa.BigInteger(), nullable=False),
        sa.Column("merchant_id", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["claim_id"], ["claim.id"], name=op.f("fk_claim_open_claim_id_claim")
        ),
        sa.ForeignKeyConstraint(
            ["merchant_id"],
            ["merchant.id"],
            name=op.f("fk_claim_open_merchant_id_merchant"),
            ondelete="RESTRICT",
        ),
        sa.PrimaryKeyConstraint("claim_id", name=op.f("pk_claim_open")),
    )
    _fill()
    op.create_index(op.f("ix_claim_open_merchant_id"), "claim_open", ["merchant_id"])
    op.create_index(
        op.f("ix_claim_open_merchant_id_open_minor_claim_id"),
        "claim_open",
        ["merchant_id", "open_minor", "claim_id"],
    )
    protect("claim_open")
    op.execute(OPEN)


def _key(table: str, column: str, expression: str) -> None:
    """A column that the database reckons itself, compared byte by byte."""
    op.add_column(
        table,
        sa.Column(
            column,
            sa.Text(collation="C"),
            sa.Computed(expression, persisted=True),
            nullable=True,
        ),
    )


def _fill() -> None:
    """What was posted so far; row-level security hides it from the owner as well otherwise."""
    op.execute("ALTER TABLE posting NO FORCE ROW LEVEL SECURITY")
    op.execute(SO_FAR)
    op.execute("ALTER TABLE posting FORCE ROW LEVEL SECURITY")


def downgrade() -> None:
    """Refuse: the books are append-only, a step back is a new step forward."""
    raise NotImplementedError
