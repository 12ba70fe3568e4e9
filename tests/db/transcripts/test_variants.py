"""Two variants side by side: what came of each, and how sure that is."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from conversation.variants import Share, outcome
from storage.engine import Database
from storage.tables import Conversation, Customer, Merchant
from tests.conftest import NOW
from tests.db.console_browser import console_of, words
from tests.db.transcripts.conftest import Talks


@pytest.mark.parametrize(
    ("count", "of", "low", "high"),
    # Wilson's intervals as printed in textbooks, to three digits.
    [(0, 10, 0.0, 0.278), (1, 10, 0.018, 0.404), (5, 10, 0.237, 0.763), (81, 263, 0.255, 0.366)],
)
def test_intervals_are_wilsons(count: int, of: int, low: float, high: float) -> None:
    found = Share(count, of).interval
    assert found == pytest.approx((low, high), abs=0.001)


@given(st.integers(1, 5_000).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))))
def test_an_interval_holds_its_share_and_nothing_impossible(pair: tuple[int, int]) -> None:
    share = Share(*pair)
    low, high = share.interval
    assert 0 <= low <= share.value <= high <= 1
    assert low < high


async def test_figures_count_what_came_after_the_variant(
    talks: Talks, database: Database, merchant: Merchant, anna: Customer
) -> None:
    answered = await talks.add("vorher", customer_id=anna.id)
    silent, failed = await talks.add(), await talks.add("nur vorher")
    for talk, status, variant in (
        *((answered, "read", "short"), (silent, "delivered", "short"), (failed, "failed", "short")),
        (failed, "sent", "standard"),
    ):
        await talks.say(
            talk, "Hallo", author="bot", wording="first_contact", variant=variant, status=status
        )
    await talks.say(answered, "ja bitte")
    async with database.operator() as session:
        (await session.get_one(Conversation, answered)).verified_at = NOW + timedelta(days=1)
        (await session.get_one(Conversation, failed)).verified_at = NOW - timedelta(days=1)
    async with database.merchant(merchant.id) as session:
        short = await outcome(session, merchant.id, "first_contact", "short")
        standard = await outcome(session, merchant.id, "first_contact", "standard")
    assert {name: (one.count, one.of) for name, one in short.shares} == {
        "read": (1, 2), "answered": (1, 2), "verified": (1, 2), "agreed": (0, 2),
    }  # fmt: skip
    assert [one.count for _, one in standard.shares] == [0, 0, 0, 0]
    assert short.examples == [failed, silent, answered]
    async with console_of(database) as console:
        await console.sign_in(merchant)
        page = words(
            await console.get("/console/variants?wording=first_contact&a=standard&b=short")
        )
        assert "gelesen 0 % (0–79 %; 0) 50 % (9–91 %; 1)" in page


async def test_another_merchants_figures_are_not_there(
    talks: Talks, database: Database, other: Merchant
) -> None:
    talk = await talks.add()
    await talks.say(
        talk, "Hallo", author="bot", wording="first_contact", variant="short", status="read"
    )
    async with database.merchant(other.id) as session:
        found = await outcome(session, talks.merchant.id, "first_contact", "short")
    assert (found.sent, found.examples) == (0, [])
