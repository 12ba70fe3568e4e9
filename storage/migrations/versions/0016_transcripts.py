"""conversations found by words and marks; what reviewers note about them

Row-level security lets an index serve leakproof operators only, and those of full-text search are
not. So each conversation has its words, stemmed by PostgreSQL's German and English dictionaries,
and what is known of it ("marks") as rows that are found by equality; triggers keep them up.
"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

from storage.migrations.protection import protect, table_of_merchant

revision: str = "0016"
down_revision: str | None = "0015"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

MOMENT = sa.DateTime(timezone=True)

# Without stop words: whoever looks for „nicht“ means it.
WORDS = r"""
CREATE TEXT SEARCH DICTIONARY kulanz_german (TEMPLATE = snowball, Language = german);
CREATE TEXT SEARCH DICTIONARY kulanz_english (TEMPLATE = snowball, Language = english);
CREATE TEXT SEARCH CONFIGURATION kulanz_de (COPY = simple);
CREATE TEXT SEARCH CONFIGURATION kulanz_en (COPY = simple);
ALTER TEXT SEARCH CONFIGURATION kulanz_de
    ALTER MAPPING FOR asciiword, word, numword WITH kulanz_german;
ALTER TEXT SEARCH CONFIGURATION kulanz_en
    ALTER MAPPING FOR asciiword, word, numword WITH kulanz_english;

CREATE FUNCTION kulanz_plain(given text) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN btrim(regexp_replace(replace(replace(replace(replace(replace(translate(lower(
    regexp_replace(normalize(given, NFKD), '[\u0300-\u036f\u00ad\u200b-\u200f]', '', 'g')
), 'ıłøđ', 'ilod'), 'ß', 'ss'), 'ẞ', 'ss'), 'ae', 'a'), 'oe', 'o'), 'ue', 'u'),
    '[^[:alnum:]]+', ' ', 'g'));

CREATE FUNCTION kulanz_words(given text) RETURNS text[]
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE AS $$
DECLARE
    plain text := kulanz_plain(given);
BEGIN
    RETURN tsvector_to_array(
        to_tsvector('public.kulanz_de', plain) || to_tsvector('public.kulanz_en', plain));
END $$;
"""
MARKS = """
CREATE FUNCTION kulanz_marks_of_message(
    author text, wording text, variant text, args jsonb
) RETURNS text[] LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN array_remove(ARRAY[
    'wording:' || wording,
    'variant:' || wording || ':' || variant,
    CASE WHEN author = 'agent' THEN 'agent:' || (args ->> 'agent') END
], NULL);

CREATE FUNCTION kulanz_marks_of_turn(understanding jsonb) RETURNS text[]
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN array_remove(ARRAY[
    'intent:' || (understanding ->> 'intent'),
    CASE WHEN (understanding ->> 'confidence')::float8 < 0.6 THEN 'with:unsure' END,
    CASE WHEN understanding ->> 'intent' = 'out_of_scope' THEN 'with:not_understood' END
], NULL);

CREATE FUNCTION kulanz_mark_of_event(kind text) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN CASE
    WHEN kind = 'handoff_requested' THEN 'with:handoff'
    WHEN kind = 'claim_disputed' THEN 'with:dispute'
    WHEN kind IN ('opted_out', 'opted_out_everywhere') THEN 'with:opt_out'
END;

CREATE FUNCTION kulanz_newest_conversation(customer bigint) RETURNS bigint
LANGUAGE sql STABLE PARALLEL SAFE
RETURN (
    SELECT t.conversation_id FROM transcript t JOIN conversation c ON c.id = t.conversation_id
    WHERE c.customer_id = customer ORDER BY t.at DESC, t.conversation_id DESC LIMIT 1
);

CREATE FUNCTION kulanz_mark(merchant bigint, talk bigint, tokens text[]) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO transcript_token (merchant_id, token, conversation_id)
    SELECT merchant, token, talk FROM unnest(tokens) AS token ON CONFLICT DO NOTHING;
END $$;
"""
TRIGGERS = """
CREATE FUNCTION kulanz_list_message() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO transcript AS held (conversation_id, merchant_id, message_id, at)
    VALUES (NEW.conversation_id, NEW.merchant_id, NEW.id, NEW.created_at)
    ON CONFLICT (conversation_id) DO UPDATE
        SET message_id = excluded.message_id, at = excluded.at
        WHERE held.message_id < excluded.message_id;
    PERFORM kulanz_mark(NEW.merchant_id, NEW.conversation_id, kulanz_words(NEW.text)
        || kulanz_marks_of_message(NEW.author, NEW.wording, NEW.variant, NEW.args));
    RETURN NULL;
END $$;

CREATE FUNCTION kulanz_forget_words() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    DELETE FROM transcript_token
    WHERE merchant_id = OLD.merchant_id AND conversation_id = OLD.conversation_id
      AND token = ANY (kulanz_words(OLD.text));
    PERFORM kulanz_mark(merchant_id, conversation_id, kulanz_words(text))
    FROM message WHERE conversation_id = OLD.conversation_id;
    RETURN NULL;
END $$;

CREATE FUNCTION kulanz_list_turn() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM kulanz_mark(
        NEW.merchant_id, NEW.conversation_id, kulanz_marks_of_turn(NEW.understanding));
    RETURN NULL;
END $$;

CREATE FUNCTION kulanz_list_event() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    talk bigint := coalesce(NEW.conversation_id, kulanz_newest_conversation(NEW.customer_id));
BEGIN
    IF talk IS NOT NULL THEN
        PERFORM kulanz_mark(NEW.merchant_id, talk, ARRAY[kulanz_mark_of_event(NEW.kind)]);
    END IF;
    RETURN NULL;
END $$;

CREATE FUNCTION kulanz_list_agreement() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM kulanz_mark(NEW.merchant_id, NEW.conversation_id, ARRAY['outcome:' || NEW.kind]);
    RETURN NULL;
END $$;

CREATE FUNCTION kulanz_list_conversation() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'UPDATE' THEN
        DELETE FROM transcript_token
        WHERE merchant_id = OLD.merchant_id AND token = 'state:' || OLD.state
          AND conversation_id = OLD.id;
    END IF;
    PERFORM kulanz_mark(
        NEW.merchant_id, NEW.id, ARRAY['state:' || NEW.state, 'channel:' || NEW.channel]);
    RETURN NULL;
END $$;

CREATE TRIGGER message_is_listed AFTER INSERT ON message
FOR EACH ROW EXECUTE FUNCTION kulanz_list_message();
CREATE TRIGGER message_words_go AFTER DELETE ON message
FOR EACH ROW EXECUTE FUNCTION kulanz_forget_words();
CREATE TRIGGER message_words_change AFTER UPDATE OF text ON message
FOR EACH ROW WHEN (OLD.text IS DISTINCT FROM NEW.text) EXECUTE FUNCTION kulanz_forget_words();
CREATE TRIGGER turn_is_listed AFTER INSERT ON turn
FOR EACH ROW EXECUTE FUNCTION kulanz_list_turn();
CREATE TRIGGER event_is_listed AFTER INSERT ON audit_event
FOR EACH ROW WHEN (kulanz_mark_of_event(NEW.kind) IS NOT NULL)
EXECUTE FUNCTION kulanz_list_event();
CREATE TRIGGER agreement_is_listed AFTER INSERT ON agreement
FOR EACH ROW WHEN (NEW.conversation_id IS NOT NULL) EXECUTE FUNCTION kulanz_list_agreement();
CREATE TRIGGER conversation_is_listed AFTER INSERT ON conversation
FOR EACH ROW EXECUTE FUNCTION kulanz_list_conversation();
CREATE TRIGGER conversation_state_is_listed AFTER UPDATE OF state ON conversation
FOR EACH ROW WHEN (OLD.state IS DISTINCT FROM NEW.state)
EXECUTE FUNCTION kulanz_list_conversation();
"""
LISTED_SO_FAR = """
INSERT INTO transcript (conversation_id, merchant_id, message_id, at)
SELECT DISTINCT ON (conversation_id) conversation_id, merchant_id, id, created_at
FROM message ORDER BY conversation_id, id DESC
"""
MARKED_SO_FAR = """
INSERT INTO transcript_token (merchant_id, token, conversation_id)
SELECT merchant_id, token, conversation_id FROM (
    SELECT m.merchant_id, m.conversation_id, token
    FROM message m, unnest(kulanz_words(m.text)
        || kulanz_marks_of_message(m.author, m.wording, m.variant, m.args)) AS token
    UNION
    SELECT t.merchant_id, t.conversation_id, token
    FROM turn t, unnest(kulanz_marks_of_turn(t.understanding)) AS token
    UNION
    SELECT e.merchant_id, e.talk, kulanz_mark_of_event(e.kind)
    FROM (SELECT merchant_id, kind,
                 coalesce(conversation_id, kulanz_newest_conversation(customer_id)) AS talk
          FROM audit_event WHERE kulanz_mark_of_event(kind) IS NOT NULL) e
    WHERE e.talk IS NOT NULL
    UNION
    SELECT merchant_id, conversation_id, 'outcome:' || kind
    FROM agreement WHERE conversation_id IS NOT NULL
    UNION
    SELECT c.merchant_id, c.id, token
    FROM conversation c, unnest(ARRAY['state:' || c.state, 'channel:' || c.channel]) AS token
) found
ORDER BY merchant_id, token, conversation_id
"""


def upgrade() -> None:
    """Apply."""
    op.add_column("message", sa.Column("tone", sa.Text(), nullable=True))
    op.create_index(op.f("ix_agreement_conversation_id"), "agreement", ["conversation_id"])
    op.create_index(op.f("ix_contact_attempt_message_id"), "contact_attempt", ["message_id"])
    op.create_table(
        "transcript",
        sa.Column("conversation_id", sa.BigInteger(), nullable=False),
        sa.Column("message_id", sa.BigInteger(), nullable=False),
        sa.Column("at", MOMENT, nullable=False),
        sa.Column("merchant_id", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["conversation_id"],
            ["conversation.id"],
            name=op.f("fk_transcript_conversation_id_conversation"),
        ),
        sa.PrimaryKeyConstraint("conversation_id", name=op.f("pk_transcript")),
    )
    op.create_index(
        op.f("ix_transcript_merchant_id_at_conversation_id"),
        "transcript",
        ["merchant_id", "at", "conversation_id"],
    )
    op.create_table(
        "transcript_token",
        sa.Column("merchant_id", sa.BigInteger(), nullable=False),
        sa.Column("token", sa.Text(collation="C"), nullable=False),
        sa.Column("conversation_id", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint(
            "merchant_id", "token", "conversation_id", name=op.f("pk_transcript_token")
        ),
    )
    for statements in (WORDS, MARKS):
        op.execute(statements)
    _fill()
    protect("transcript")
    protect("transcript_token")
    op.execute(TRIGGERS)
    _reviews()


def _fill() -> None:
    """What was said so far; row-level security hides it from the owner as well otherwise."""
    tables = ("message", "turn", "audit_event", "agreement", "conversation")
    for table in tables:
        op.execute(f"ALTER TABLE {table} NO FORCE ROW LEVEL SECURITY")
    op.execute(LISTED_SO_FAR)
    op.execute(MARKED_SO_FAR)
    for table in tables:
        op.execute(f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY")


def _of(table: str, column: str, of: str) -> sa.ForeignKeyConstraint:
    name = op.f(f"fk_{table}_{column}_{of}")
    return sa.ForeignKeyConstraint([column], [f"{of}.id"], name=name)


def _reviews() -> None:
    op.create_table(
        "transcript_review",
        sa.Column("conversation_id", sa.BigInteger(), nullable=False),
        sa.Column("rating", sa.Integer(), nullable=True),
        sa.Column("flagged", sa.Boolean(), server_default="false", nullable=False),
        sa.Column("merchant_id", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("rating BETWEEN 1 AND 5", name=op.f("ck_transcript_review_rating")),
        _of("transcript_review", "conversation_id", "conversation"),
        sa.ForeignKeyConstraint(
            ["merchant_id"],
            ["merchant.id"],
            name=op.f("fk_transcript_review_merchant_id_merchant"),
            ondelete="RESTRICT",
        ),
        sa.PrimaryKeyConstraint("conversation_id", name=op.f("pk_transcript_review")),
    )
    op.create_index(op.f("ix_transcript_review_merchant_id"), "transcript_review", ["merchant_id"])
    protect("transcript_review")
    table_of_merchant(
        "transcript_comment",
        sa.Column("conversation_id", sa.BigInteger(), nullable=False),
        sa.Column("message_id", sa.BigInteger(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("person", sa.Text(), nullable=False),
        sa.Column("at", MOMENT, nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        _of("transcript_comment", "conversation_id", "conversation"),
        _of("transcript_comment", "message_id", "message"),
        sa.UniqueConstraint("message_id", "key", name=op.f("uq_transcript_comment_message_id_key")),
    )
    op.create_index(
        op.f("ix_transcript_comment_conversation_id"), "transcript_comment", ["conversation_id"]
    )
    table_of_merchant(
        "transcript_view",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("query", sa.Text(), nullable=False),
        sa.Column("person", sa.Text(), nullable=False),
        sa.Column("person_id", sa.BigInteger(), nullable=True),
        sa.Column("shared", sa.Boolean(), server_default="false", nullable=False),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.UniqueConstraint(
            "merchant_id", "person", "name", name=op.f("uq_transcript_view_merchant_id_person_name")
        ),
    )
    table_of_merchant(
        "correction",
        sa.Column("conversation_id", sa.BigInteger(), nullable=False),
        sa.Column("message_id", sa.BigInteger(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("language", sa.Text(), nullable=False),
        sa.Column("understood", sa.Text(), nullable=True),
        sa.Column("intent", sa.Text(), nullable=False),
        sa.Column("entities", JSONB(), server_default="[]", nullable=False),
        sa.Column("state", sa.Text(), server_default="proposed", nullable=False),
        sa.Column("person", sa.Text(), nullable=False),
        sa.Column("person_id", sa.BigInteger(), nullable=True),
        sa.Column("proposed_at", MOMENT, nullable=False),
        sa.Column("decided_by", sa.Text(), nullable=True),
        sa.Column("decided_at", MOMENT, nullable=True),
        _of("correction", "conversation_id", "conversation"),
        _of("correction", "message_id", "message"),
    )
    op.create_index(
        "uq_correction_message_id",
        "correction",
        ["message_id"],
        unique=True,
        postgresql_where=sa.text("state <> 'rejected'"),
    )
    op.create_index(
        op.f("ix_correction_merchant_id_state_id"), "correction", ["merchant_id", "state", "id"]
    )


def downgrade() -> None:
    """Refuse: the books are append-only, a step back is a new step forward."""
    raise NotImplementedError
