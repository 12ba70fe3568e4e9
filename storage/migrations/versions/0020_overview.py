"""the overview: figures by day and month, what claims came in with, orders after a solved case;
names of API keys, the log by who, what and when; single sign-on"""

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

from storage.migrations.protection import protect, table_of_merchant

revision: str = "0020"
down_revision: str | None = "0019"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

MOMENT = sa.DateTime(timezone=True)
CLAIMED = """
CREATE OR REPLACE FUNCTION kulanz_add_to_open() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO claim_open AS held (claim_id, merchant_id, open_minor, claimed_minor)
    SELECT claim_id, merchant_id,
           sum(CASE WHEN destination LIKE 'receivable:%' THEN amount_minor ELSE 0 END
             - CASE WHEN source LIKE 'receivable:%' THEN amount_minor ELSE 0 END),
           sum(CASE WHEN kind = 'opening' THEN amount_minor ELSE 0 END)
    FROM added
    GROUP BY claim_id, merchant_id
    ORDER BY claim_id
    ON CONFLICT (claim_id) DO UPDATE SET
        open_minor = held.open_minor + excluded.open_minor,
        claimed_minor = held.claimed_minor + excluded.claimed_minor;
    RETURN NULL;
END $$;
"""
SO_FAR = """
UPDATE claim_open SET claimed_minor = opened.minor
FROM (
    SELECT claim_id, sum(amount_minor) AS minor FROM posting WHERE kind = 'opening' GROUP BY 1
) AS opened
WHERE opened.claim_id = claim_open.claim_id
"""
BY_PERSON = {"postgresql_where": sa.text("person IS NOT NULL")}
INDEXES: tuple[tuple[str, str, list[str], dict[str, Any]], ...] = (
    (
        "ix_posting_cash",
        "posting",
        ["merchant_id", "booked_at"],
        {"postgresql_where": sa.text("source = 'cash' OR destination = 'cash'")},
    ),
    ("ix_agreement_merchant_id_agreed_at", "agreement", ["merchant_id", "agreed_at"], {}),
    ("ix_handoff_conversation_id_taken_at", "handoff", ["conversation_id", "taken_at"], {}),
    ("ix_contact_attempt_merchant_id_at", "contact_attempt", ["merchant_id", "at"], {}),
    ("ix_audit_event_merchant_id_kind_at", "audit_event", ["merchant_id", "kind", "at"], {}),
    ("ix_audit_event_who", "audit_event", ["merchant_id", "person", "id"], BY_PERSON),
    ("ix_audit_event_what", "audit_event", ["merchant_id", "kind", "id"], BY_PERSON),
    ("ix_audit_event_when", "audit_event", ["merchant_id", "at"], BY_PERSON),
)


def upgrade() -> None:
    """Apply."""
    op.add_column(
        "claim_open",
        sa.Column("claimed_minor", sa.BigInteger(), server_default="0", nullable=False),
    )
    _fill()
    op.execute(CLAIMED)
    op.add_column("api_key", sa.Column("name", sa.Text(), server_default="", nullable=False))
    for name, table, columns, more in INDEXES:
        op.create_index(name, table, columns, **more)
    _figures()
    table_of_merchant(
        "reorder",
        sa.Column("customer_id", sa.BigInteger(), nullable=False),
        sa.Column("order_number", sa.Text(), nullable=False),
        sa.Column("ordered_on", sa.Date(), nullable=False),
        sa.Column("amount_minor", sa.BigInteger(), nullable=True),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.ForeignKeyConstraint(
            ["customer_id"], ["customer.id"], name=op.f("fk_reorder_customer_id_customer")
        ),
        sa.UniqueConstraint(
            "merchant_id", "order_number", name=op.f("uq_reorder_merchant_id_order_number")
        ),
        sa.CheckConstraint("amount_minor > 0", name=op.f("ck_reorder_amount_positive")),
    )
    op.create_index("ix_reorder_customer_id_ordered_on", "reorder", ["customer_id", "ordered_on"])
    _single_sign_on()


def _single_sign_on() -> None:
    op.add_column("person", sa.Column("sso_subject", sa.Text(), nullable=True))
    op.create_unique_constraint(
        op.f("uq_person_merchant_id_sso_subject"), "person", ["merchant_id", "sso_subject"]
    )
    op.create_table(
        "sso_provider",
        sa.Column("merchant_id", sa.BigInteger(), nullable=False),
        sa.Column("issuer", sa.Text(), nullable=False),
        sa.Column("client_id", sa.Text(), nullable=False),
        sa.Column("client_secret", sa.LargeBinary(), nullable=True),
        sa.Column("email_domains", JSONB(), nullable=False),
        sa.Column("default_role", sa.Text(), nullable=True),
        sa.Column("second_factor", sa.Text(), nullable=False),
        sa.Column("sign_out_url", sa.Text(), nullable=True),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.CheckConstraint(
            "second_factor IN ('provider', 'told', 'ours')",
            name=op.f("ck_sso_provider_second_factor_known"),
        ),
        _merchant("sso_provider"),
        sa.PrimaryKeyConstraint("merchant_id", name=op.f("pk_sso_provider")),
    )
    protect("sso_provider")


def _fill() -> None:
    """What was posted so far; row-level security hides it from the owner as well otherwise."""
    tables = ("posting", "claim_open")
    for table in tables:
        op.execute(f"ALTER TABLE {table} NO FORCE ROW LEVEL SECURITY")
    op.execute(SO_FAR)
    for table in tables:
        op.execute(f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY")


def _figures() -> None:
    key = ("merchant_id", "grain", "figure", "day", "channel", "band", "currency")
    op.create_table(
        "overview_figure",
        *(
            sa.Column(name, sa.Date() if name == "day" else sa.Text(), nullable=False)
            for name in key[1:]
        ),
        sa.Column("cases", sa.Integer(), nullable=False),
        sa.Column("minor", sa.BigInteger(), nullable=False),
        sa.Column("minutes", sa.ARRAY(sa.Integer()), nullable=True),
        sa.Column("counts", sa.ARRAY(sa.Integer()), nullable=True),
        sa.Column("merchant_id", sa.BigInteger(), nullable=False),
        _merchant("overview_figure"),
        sa.PrimaryKeyConstraint(*key, name=op.f("pk_overview_figure")),
    )
    op.create_index(op.f("ix_overview_figure_merchant_id"), "overview_figure", ["merchant_id"])
    protect("overview_figure")
    op.create_table(
        "overview_refresh",
        sa.Column("merchant_id", sa.BigInteger(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("at", MOMENT, nullable=False),
        sa.Column("whole_at", MOMENT, nullable=False),
        _merchant("overview_refresh"),
        sa.PrimaryKeyConstraint("merchant_id", name=op.f("pk_overview_refresh")),
    )
    protect("overview_refresh")


def _merchant(table: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(
        ["merchant_id"],
        ["merchant.id"],
        name=op.f(f"fk_{table}_merchant_id_merchant"),
        ondelete="RESTRICT",
    )


def downgrade() -> None:
    """Refuse: the books are append-only, a step back is a new step forward."""
    raise NotImplementedError
