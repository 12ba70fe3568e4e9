"""A quick look at a text leaves out none that says what is looked for."""

import re
from collections.abc import Callable, Iterator

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from conversation import sought
from conversation.finding import Question, find
from conversation.wording import load_catalogue
from storage.engine import Database
from tests.conftest import PostgresServer
from tests.db.transcripts.conftest import Talks

LETTERS = st.sampled_from(
    [
        *"aeoubnstyßẞäöüÄÖÜæøłŁıİIéÉ -–„“.!1_%\\\n",
        *("ae", "oe", "ue", "a\u0308", "\u00ad", "\u200b", "\ufb01", "E\u0301"),
    ]
)
TEXTS = st.lists(LETTERS, max_size=12).map("".join)
Ask = Callable[..., list[tuple[object, ...]]]


@pytest.fixture
def ask(database: Database, postgres_server: PostgresServer) -> Iterator[Ask]:
    with postgres_server.connected(database.urls.owner.database) as connection:
        yield lambda statement, *given: connection.execute(statement, given).fetchall()


# Nothing is written, so one database does for all examples.
@settings(max_examples=300, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(text=TEXTS)
def test_a_text_may_say_each_of_its_words(ask: Ask, text: str) -> None:
    left_out = ask(
        "SELECT word FROM unnest(string_to_array(kulanz_plain(%s), ' ')) AS word "
        "WHERE NOT kulanz_may_say(%s, ARRAY['%%' || word || '%%'])",
        text,
        text,
    )
    assert left_out == []


def test_words_begin_as_their_stems_do(ask: Ask) -> None:
    """But for the last two letters of the stems: ours, and those that English takes apart."""
    texts = load_catalogue().wordings.values()
    said = {word for one in texts for word in re.findall(r"\w+", str(one))}
    said |= {"dying", "lying", "tying", "skies", "sensibility", "rational", "party", "filing"}
    said |= {"Zahlungen", "Häuser", "Kundinnen", "Verständnis", "Möglichkeiten", "Kaeee", "Queen"}
    assert len(said) > 1_000
    stems = "SELECT word, stem FROM unnest(%s::text[]) AS word, unnest(kulanz_words(word)) AS stem"
    otherwise = ask(
        f"{stems} WHERE NOT kulanz_may_say(word, "
        "ARRAY['%%' || left(stem, greatest(1, length(stem) - 2)) || '%%'])",
        sorted(said),
    )
    assert otherwise == []


@pytest.mark.parametrize(
    ("text", "part", "may"),
    [
        ("Die Häuser – „alle“ 5 €", "haus", True),
        ("Die HAEUSER", "haus", True),
        ("Die Häuser – „alle“ 5 €", "gart", False),
        ("Straße", "strasse", True),
        # With letters that are not looked into it may say anything.
        ("café", "gart", True),
    ],
)
def test_it_leaves_out_what_does_not_say_it(ask: Ask, text: str, part: str, may: bool) -> None:
    assert ask("SELECT kulanz_may_say(%s, ARRAY[%s])", text, f"%{part}%") == [(may,)]


@pytest.mark.parametrize(
    ("texts", "typed", "hit"),
    [
        (["Zahlung?", "zahlung ist raus", "zahle"], "Zahlungen", "zahlung ist raus"),
        (["It is dying", "no"], "die", "It is dying"),
        (["Feasibility?", "no"], "feasible", "Feasibility?"),
        # Folded twice: the stem is not even how the word begins.
        (["Kaeee", "no"], "kaeee", "Kaeee"),
        (["am café", "am Montag"], "cafe", "am café"),
        (["Der Ga\u0308rten", "ja"], '"der garten"', "Der Ga\u0308rten"),
        (["in Raten zahlen", "Raten in zahlen"], '"in raten zahlen"', "in Raten zahlen"),
    ],
)
async def test_the_message_found_is_shown(
    talks: Talks, texts: list[str], typed: str, hit: str
) -> None:
    await talks.add(*texts)
    async with talks.database.merchant(talks.merchant.id) as session:
        (row,) = (await find(session, talks.merchant.id, Question(typed))).rows
    assert row.hit is not None
    assert row.hit.text == hit


async def test_what_is_typed_is_read_in_its_order(talks: Talks) -> None:
    many = " ".join(f"w{n}" for n in range(40))
    async with talks.database.merchant(talks.merchant.id) as session:
        read = await sought.sought(session, 'Häuser "am  Freitag!" haeuser "…"')
        assert [one[0] for one in read.words] == ["haus", "am", "freitag"]
        assert read.phrases == ("am freitag",)
        assert len((await sought.sought(session, many)).words) == sought.WORDS_MAX
        assert await sought.sought(session, "…") == sought.Sought()
