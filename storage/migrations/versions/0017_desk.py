"""the desk: who has a handoff, teams, seats, snoozing, tags, times to answer, calls, endings"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

from storage.migrations.protection import protect, table_of_merchant

revision: str = "0017"
down_revision: str | None = "0016"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

MOMENT = sa.DateTime(timezone=True)
ANSWERED = """
UPDATE handoff SET first_answer_at = said.first, answered_at = said.last
FROM (
    SELECT handoff.id, min(message.created_at) AS first, max(message.created_at) AS last
    FROM handoff JOIN message ON message.conversation_id = handoff.conversation_id
    WHERE message.author = 'agent' AND message.created_at >= handoff.requested_at
      AND message.created_at <= coalesce(handoff.closed_at, 'infinity')
    GROUP BY handoff.id
) AS said
WHERE handoff.id = said.id
"""


def upgrade() -> None:
    """Apply."""
    table_of_merchant(
        "desk_team",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("reasons", JSONB(), server_default="[]", nullable=False),
        sa.Column("languages", JSONB(), server_default="[]", nullable=False),
        sa.Column("in_turn", sa.Boolean(), server_default="false", nullable=False),
        sa.UniqueConstraint("merchant_id", "name", name=op.f("uq_desk_team_merchant_id_name")),
    )
    _table(
        "desk_team_member",
        ("team_id", "person_id"),
        sa.Column("team_id", sa.BigInteger(), nullable=False),
        sa.Column("person_id", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["team_id"],
            ["desk_team.id"],
            name=op.f("fk_desk_team_member_team_id_desk_team"),
            ondelete="CASCADE",
        ),
        _person("desk_team_member"),
    )
    op.create_index(op.f("ix_desk_team_member_person_id"), "desk_team_member", ["person_id"])
    _table(
        "desk_seat",
        ("person_id", "merchant_id"),
        sa.Column("person_id", sa.BigInteger(), nullable=False),
        sa.Column("capacity", sa.Integer(), server_default="5", nullable=False),
        sa.Column("here", sa.Boolean(), server_default="false", nullable=False),
        sa.Column("given_at", MOMENT, nullable=True),
        sa.CheckConstraint("capacity BETWEEN 1 AND 50", name=op.f("ck_desk_seat_capacity")),
        _person("desk_seat"),
    )
    _table(
        "answer_target",
        ("merchant_id", "reason"),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("first_minutes", sa.Integer(), nullable=False),
        sa.Column("next_minutes", sa.Integer(), nullable=False),
        sa.CheckConstraint(
            "first_minutes > 0 AND next_minutes > 0",
            name=op.f("ck_answer_target_minutes_positive"),
        ),
    )
    table_of_merchant(
        "wrap_up_code",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("outcome", sa.Text(), nullable=False),
        sa.UniqueConstraint("merchant_id", "name", name=op.f("uq_wrap_up_code_merchant_id_name")),
    )
    _handoffs()


def _handoffs() -> None:
    for name in (
        *("given_at", "snoozed_at", "snoozed_until", "first_answer_at", "answered_at"),
        *("call_again_at", "called_at"),
    ):
        op.add_column("handoff", sa.Column(name, MOMENT, nullable=True))
    op.add_column("handoff", sa.Column("person_id", sa.BigInteger(), nullable=True))
    op.add_column("handoff", sa.Column("team_id", sa.BigInteger(), nullable=True))
    op.add_column("handoff", sa.Column("tags", JSONB(), server_default="[]", nullable=False))
    op.add_column("handoff", sa.Column("wrap_up", sa.Text(), nullable=True))
    op.create_foreign_key(
        op.f("fk_handoff_person_id_person"), "handoff", "person", ["person_id"], ["id"]
    )
    op.create_foreign_key(
        op.f("fk_handoff_team_id_desk_team"),
        "handoff",
        "desk_team",
        ["team_id"],
        ["id"],
        ondelete="SET NULL",
    )
    _answers_so_far()
    op.create_index(
        "ix_handoff_open",
        "handoff",
        ["merchant_id", "requested_at"],
        postgresql_where=sa.text("closed_at IS NULL"),
    )
    op.create_index(
        op.f("ix_handoff_merchant_id_answered_at"), "handoff", ["merchant_id", "answered_at"]
    )


def _answers_so_far() -> None:
    """Row-level security hides the rows from the owner as well otherwise."""
    for table in ("handoff", "message"):
        op.execute(f"ALTER TABLE {table} NO FORCE ROW LEVEL SECURITY")
    op.execute(ANSWERED)
    for table in ("handoff", "message"):
        op.execute(f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY")


def _table(name: str, key: tuple[str, ...], *rest: sa.schema.SchemaItem) -> None:
    op.create_table(
        name,
        *rest,
        sa.Column("merchant_id", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["merchant_id"],
            ["merchant.id"],
            name=op.f(f"fk_{name}_merchant_id_merchant"),
            ondelete="RESTRICT",
        ),
        sa.PrimaryKeyConstraint(*key, name=op.f(f"pk_{name}")),
    )
    op.create_index(op.f(f"ix_{name}_merchant_id"), name, ["merchant_id"])
    protect(name)


def _person(table: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(
        ["person_id"], ["person.id"], name=op.f(f"fk_{table}_person_id_person")
    )


def downgrade() -> None:
    """Refuse: the books are append-only, a step back is a new step forward."""
    raise NotImplementedError
