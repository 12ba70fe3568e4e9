"""the words of a message are listed after the transaction that stores it; a quick look at texts

Stemming and some seventeen rows a message are nothing that a customer has to wait for. The trigger
only notes which message waits, and `kulanz_list_waiting` lists what does. `kulanz_may_say` says,
for a part of what `kulanz_words` costs, which texts are worth that.
"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

from storage.migrations.protection import protect

revision: str = "0023"
down_revision: str | None = "0022"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

# Words are listed and let go by one at a time for each merchant. Whoever lists gives up soon, so
# that no search waits for somebody who changes many texts; who changes them waits, however long.
# Each statement of a function sees what was committed while the one before it waited.
FUNCTIONS = """
CREATE FUNCTION kulanz_words_lock(merchant bigint) RETURNS void LANGUAGE sql
RETURN pg_advisory_xact_lock(hashtextextended('transcript_token', merchant));

CREATE FUNCTION kulanz_list_waiting(merchant bigint, most integer) RETURNS integer
LANGUAGE plpgsql SET lock_timeout = '250ms' AS $$
DECLARE
    taken bigint[];
BEGIN
    IF NOT EXISTS (SELECT FROM transcript_waiting WHERE merchant_id = merchant) THEN
        RETURN 0;
    END IF;
    PERFORM kulanz_words_lock(merchant);
    taken := ARRAY(
        SELECT message_id FROM transcript_waiting
        WHERE merchant_id = merchant ORDER BY message_id LIMIT most);
    INSERT INTO transcript_token (merchant_id, token, conversation_id)
    SELECT DISTINCT merchant, token COLLATE "C" AS token, m.conversation_id
    FROM message m, unnest(kulanz_words(m.text)
        || kulanz_marks_of_message(m.author, m.wording, m.variant, m.args)) AS token
    WHERE m.id = ANY (taken) ORDER BY token, conversation_id
    ON CONFLICT DO NOTHING;
    DELETE FROM transcript_waiting WHERE merchant_id = merchant AND message_id = ANY (taken);
    RETURN cardinality(taken);
EXCEPTION WHEN lock_not_available THEN
    RETURN 0;
END $$;

CREATE OR REPLACE FUNCTION kulanz_list_message() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO transcript AS held (conversation_id, merchant_id, message_id, at)
    VALUES (NEW.conversation_id, NEW.merchant_id, NEW.id, NEW.created_at)
    ON CONFLICT (conversation_id) DO UPDATE
        SET message_id = excluded.message_id, at = excluded.at
        WHERE held.message_id < excluded.message_id;
    INSERT INTO transcript_waiting (merchant_id, message_id) VALUES (NEW.merchant_id, NEW.id);
    RETURN NULL;
END $$;

CREATE OR REPLACE FUNCTION kulanz_forget_words() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM kulanz_words_lock(OLD.merchant_id);
    IF TG_OP = 'DELETE' THEN
        DELETE FROM transcript_waiting
        WHERE merchant_id = OLD.merchant_id AND message_id = OLD.id;
    END IF;
    DELETE FROM transcript_token
    WHERE merchant_id = OLD.merchant_id AND conversation_id = OLD.conversation_id
      AND token = ANY (kulanz_words(OLD.text));
    PERFORM kulanz_mark(merchant_id, conversation_id, kulanz_words(text))
    FROM message WHERE conversation_id = OLD.conversation_id;
    RETURN NULL;
END $$;
"""

# Patterns are of letters as `kulanz_plain` writes them. What is written with others than these may
# say anything, and so may „aee“, which dictionaries fold once more.
QUICK_LOOK = r"""
CREATE FUNCTION kulanz_may_say(given text, patterns text[]) RETURNS boolean
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN replace(replace(replace(replace(replace(replace(replace(replace(lower(given),
    'ı', 'i'), 'ä', 'a'), 'ö', 'o'), 'ü', 'u'), 'ß', 'ss'), 'ae', 'a'), 'oe', 'o'), 'ue', 'u')
    LIKE ANY (patterns) OR given ~ '[^\n -~äöüß„“”‚‘’–…€]|[aouäöüAOU][eE][eE]';
"""


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "transcript_waiting",
        sa.Column("merchant_id", sa.BigInteger(), nullable=False),
        sa.Column("message_id", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("merchant_id", "message_id", name=op.f("pk_transcript_waiting")),
    )
    protect("transcript_waiting")
    op.execute(FUNCTIONS)
    op.execute(QUICK_LOOK)


def downgrade() -> None:
    """Refuse: the books are append-only, a step back is a new step forward."""
    raise NotImplementedError
