"""Words of messages are listed after the messages, and none is lost or left behind."""

import asyncio

import pytest
from sqlalchemy import delete, func, select, text, update

from api import word_care
from api.word_care import list_all
from conversation import listing
from conversation.finding import Question, find, newest_fitting
from conversation.listing import list_waiting
from storage.engine import Database
from storage.tables import Merchant, Message, Transcript, TranscriptToken, TranscriptWaiting
from tests.db.transcripts.conftest import Talks


async def waiting(database: Database) -> list[int]:
    """The messages that wait, of all merchants."""
    async with database.operator() as session:
        found = select(TranscriptWaiting.message_id).order_by(TranscriptWaiting.message_id)
        return list(await session.scalars(found))


async def found(talks: Talks, typed: str) -> list[int]:
    async with talks.database.merchant(talks.merchant.id) as session:
        rows = (await find(session, talks.merchant.id, Question(typed))).rows
        return [row.id for row in rows]


async def listed_words(database: Database, talk: int) -> set[str]:
    """Tokens of a conversation that are words."""
    async with database.operator() as session:
        tokens = select(TranscriptToken.token).where(TranscriptToken.conversation_id == talk)
        return {token for token in await session.scalars(tokens) if ":" not in token}


async def change(database: Database, message: int, to: str | None) -> None:
    async with database.operator() as session:
        if to is not None:
            await session.execute(update(Message).where(Message.id == message).values(text=to))
            return
        await session.execute(delete(Transcript).where(Transcript.message_id == message))
        await session.execute(delete(Message).where(Message.id == message))


async def test_what_is_stored_waits_and_is_found_at_once(talks: Talks, database: Database) -> None:
    talk = await talks.add("Die Häuser")
    said = await talks.say(
        talk, "So?", author="agent", wording="plan_offer", variant="short", args={"agent": "Lea"}
    )
    assert await waiting(database) == [said - 1, said]
    assert await listed_words(database, talk) == set()
    assert await found(talks, "haus") == [talk]
    assert await waiting(database) == []


@pytest.mark.parametrize("mark", ["wording:plan_offer", "variant:plan_offer:short", "agent:Lea"])
async def test_marks_of_a_message_count_at_once(talks: Talks, mark: str) -> None:
    talk = await talks.add("Hallo")
    await talks.say(
        talk, "So?", author="agent", wording="plan_offer", variant="short", args={"agent": "Lea"}
    )
    async with talks.database.merchant(talks.merchant.id) as session:
        question = Question(marks=(mark,))
        assert await newest_fitting(session, talks.merchant.id, question, 9) == [talk]


async def test_a_list_without_words_lists_none(talks: Talks, database: Database) -> None:
    await talks.add("Häuser")
    async with database.merchant(talks.merchant.id) as session:
        assert len((await find(session, talks.merchant.id, Question())).rows) == 1
        question = Question(marks=("state:bot",))
        assert len((await find(session, talks.merchant.id, question)).rows) == 1
    assert len(await waiting(database)) == 1


async def test_the_job_lists_what_waits_of_every_merchant(
    talks: Talks, other: Merchant, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in (listing, word_care):
        monkeypatch.setattr(module, "LISTED_AT_ONCE", 2)
    every = [await talks.add(f"Haus {n}") for n in range(5)]
    theirs = await Talks(database, other).add("Garten")
    assert await list_all(database) == 6
    assert await waiting(database) == []
    assert [await listed_words(database, talk) for talk in every] == [
        {"haus", str(n)} for n in range(5)
    ]
    assert await listed_words(database, theirs) == {"gart", "garten"}
    assert await list_all(database) == 0


async def test_one_merchant_that_fails_holds_up_no_other(
    talks: Talks, other: Merchant, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    mine = await talks.add("Haus")
    theirs = await Talks(database, other).add("Garten")

    async def failing(session: object, merchant_id: int) -> int:
        if merchant_id == talks.merchant.id:
            raise RuntimeError
        return await list_waiting(session, merchant_id)  # type: ignore[arg-type]

    monkeypatch.setattr(word_care, "list_waiting", failing)
    assert await list_all(database) == 1
    assert await waiting(database) == [1]
    assert await listed_words(database, mine) == set()
    assert await listed_words(database, theirs) == {"gart", "garten"}


async def test_another_merchants_messages_stay_waiting(
    talks: Talks, other: Merchant, database: Database
) -> None:
    await talks.add("Häuser")
    await Talks(database, other).add("Häuser")
    first, second = await waiting(database)
    async with database.merchant(other.id) as session:
        # Asked for in the other's name, there is nothing; its own is listed.
        assert await list_waiting(session, talks.merchant.id) == 0
        assert await list_waiting(session, other.id) == 1
    assert (first < second, await waiting(database)) == (True, [first])


@pytest.mark.parametrize("to", ["Gärten", None])
async def test_a_text_that_goes_before_it_is_listed_leaves_no_word(
    talks: Talks, database: Database, to: str | None
) -> None:
    talk = await talks.add("Häuser")
    (message,) = await waiting(database)
    await change(database, message, to)
    assert await waiting(database) == ([message] if to else [])
    await list_all(database)
    assert await listed_words(database, talk) == ({"gart", "garten"} if to else set())


async def test_what_was_rolled_back_half_way_waits_still(talks: Talks, database: Database) -> None:
    talk = await talks.add("Häuser")
    async with database.merchant(talks.merchant.id) as session:
        assert await list_waiting(session, talks.merchant.id) == 1
        await session.rollback()
    assert (len(await waiting(database)), await listed_words(database, talk)) == (1, set())
    await list_all(database)
    assert (await waiting(database), await found(talks, "häuser")) == ([], [talk])


async def test_many_list_at_once_and_each_message_is_listed_once(
    talks: Talks, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in (listing, word_care):
        monkeypatch.setattr(module, "LISTED_AT_ONCE", 3)
    every = [await talks.add(f"gleiche Worte und {n}") for n in range(12)]
    counts = await asyncio.gather(*(list_all(database) for _ in range(4)))
    assert sum(counts) == 12
    assert await waiting(database) == []
    for n, talk in enumerate(every):
        assert await listed_words(database, talk) >= {"und", str(n)}


async def test_who_looks_does_not_wait_long_for_who_changes_texts(
    talks: Talks, database: Database
) -> None:
    """What waits then waits on; what was listed before is found."""
    before = await talks.add("Häuser")
    await list_all(database)
    later = await talks.add("Häuser")
    (message,) = await waiting(database)
    async with database.operator() as session:
        await session.execute(update(Message).where(Message.id != message).values(text="Gärten"))
        async with asyncio.timeout(5):
            assert await found(talks, "häuser") == [before]
        assert await waiting(database) == [message]
    assert await found(talks, "häuser") == [later]


async def test_a_text_changes_while_it_is_listed(talks: Talks, database: Database) -> None:
    """Who changes it waits until the list stands, and takes the words from it."""
    talk = await talks.add("Häuser")
    (message,) = await waiting(database)
    async with database.merchant(talks.merchant.id) as session:
        assert await list_waiting(session, talks.merchant.id) == 1
        changing = asyncio.create_task(change(database, message, "Gärten"))
        async with database.operator() as watching, asyncio.timeout(20):
            locks = text(
                "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted"
            )
            while not await watching.scalar(locks):
                await asyncio.sleep(0.01)
        assert not changing.done()
    await changing
    assert await listed_words(database, talk) == {"gart", "garten"}


async def test_a_text_is_listed_while_it_changes(talks: Talks, database: Database) -> None:
    """Whether before or after, the words of the text that stands in the end are listed."""
    every = [await talks.add("Häuser") for _ in range(8)]
    messages = await waiting(database)
    await asyncio.gather(
        *(change(database, message, "Gärten") for message in messages),
        *(list_all(database) for _ in range(8)),
    )
    await list_all(database)
    for talk in every:
        assert await listed_words(database, talk) == {"gart", "garten"}


async def test_storing_waits_for_nobody_who_lists(talks: Talks, database: Database) -> None:
    talk = await talks.add("Häuser")
    async with database.merchant(talks.merchant.id) as session:
        assert await list_waiting(session, talks.merchant.id) == 1
        async with asyncio.timeout(5):
            await talks.say(talk, "Häuser, Gärten")
    assert await found(talks, "garten") == [talk]
    async with database.operator() as session:
        assert await session.scalar(select(func.count()).select_from(TranscriptWaiting)) == 0
