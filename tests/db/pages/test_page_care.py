"""What else can be done on the page, with the effects it has in the chat; and how it is closed."""

import html
import re
from datetime import date, time
from urllib.parse import quote

import httpx
import pytest
import segno
from sqlalchemy import select

from conversation.page_visit import WORDS_MAX
from ledger import book
from ledger.money import Money
from storage.tables import (
    ChannelAccount,
    Claim,
    Customer,
    Handoff,
    Merchant,
    PageFeedback,
)
from tests.conftest import NOW
from tests.db.pages.conftest import CODE, Visiting, words

HOSTILE = "<script>alert(1)</script>{{ 7*7 }}{% raw %}${7*7}\x00'\";--"


@pytest.fixture
async def inside(visiting: Visiting) -> Visiting:
    """The customer, come in."""
    await visiting.enter()
    return visiting


async def handoff(inside: Visiting) -> Handoff:
    async with inside.parts.database.operator() as session:
        return (await session.scalars(select(Handoff))).one()


@pytest.mark.parametrize(
    ("reason", "code", "status"),
    [
        ("goods", "dispute_goods", "disputed"),
        ("unknown", "dispute_unknown", "disputed"),
        ("withdrawal", "withdrawal", "disputed"),
        ("other", "dispute_other", "disputed"),
        ("paid", "payment_reported", "open"),
    ],
)
async def test_what_is_not_right_rests_and_goes_to_a_person(
    inside: Visiting, reason: str, code: str, status: str
) -> None:
    claim = inside.claims[0].id
    answer = await inside.send("/p/dispute", claim=claim, reason=reason, words="Der Fuß wackelt.")
    assert answer.headers["location"].startswith("/p?done=")
    async with inside.parts.database.operator() as session:
        row = await session.get_one(Claim, claim)
    assert (row.status, row.pause_reason, row.paused_until) == (status, code, date(2026, 12, 3))
    asked = await handoff(inside)
    assert (asked.reason, asked.summary["claim"]) == (code, claim)
    written = [m for m in await inside.messages() if m.direction == "in"]
    assert [(m.text, m.handled_at, m.outcome) for m in written] == [
        ("Der Fuß wackelt.", NOW, "page_form")
    ]
    said = words(await inside.http.get(answer.headers["location"]))
    assert "Danke" in said
    assert bool(await inside.events("withdrawal_declared")) == (reason == "withdrawal")


async def test_a_dispute_needs_a_reason(inside: Visiting) -> None:
    answer = await inside.send("/p/dispute", claim=inside.claims[0].id, words="…")
    assert answer.status_code == 422
    assert "Bitte wählen Sie aus" in words(answer)


async def test_a_call_is_wished_for_with_its_day(inside: Visiting) -> None:
    answer = await inside.send(
        "/p/callback", phone="0171 3920014", day="2026-11-25", part="evening", words="Bitte leise"
    )
    assert answer.headers["location"] == "/p?done=callback"
    asked = await handoff(inside)
    assert asked.reason == "callback"
    assert {k: asked.summary[k] for k in ("day", "day_part", "number")} == {
        "day": "2026-11-25",
        "day_part": "evening",
        "number": "named",
    }
    assert "0171 3920014" in (await inside.messages())[-1].text


async def test_hours_language_and_stop_are_kept(inside: Visiting) -> None:
    await inside.send("/p/hours", earliest="18:00", latest="09:00")
    await inside.send("/p/language", language="en")
    async with inside.parts.database.operator() as session:
        known = await session.get_one(Customer, inside.customer.id)
    assert (known.contact_from, known.contact_until) == (time(9), time(18))
    assert known.language == "en"
    assert "Hello Anna Beispiel" in words(await inside.http.get("/p"))
    await inside.send("/p/stop")
    assert (await inside.conversation()).opted_out_at == NOW
    await inside.send("/p/stop", everywhere="true")
    async with inside.parts.database.operator() as session:
        known = await session.get_one(Customer, inside.customer.id)
    assert known.opted_out_at == NOW
    # Who wants no messages gets none for what they do here.
    fields = await inside.agreeing(f"/p/later?claim={inside.claims[0].id}")
    await inside.http.post("/p/agree", data=fields)
    assert await inside.messages() == []


async def test_another_messenger_is_reached_by_a_link(inside: Visiting) -> None:
    async with inside.parts.database.operator() as session:
        session.add(
            ChannelAccount(
                merchant_id=inside.merchant.id, channel="telegram", address="77",
                public_name="lindenhof_bot", created_at=NOW,
            )
        )  # fmt: skip
    assert "Zu Telegram wechseln" in words(await inside.http.get("/p/contact"))
    page = await inside.send("/p/channel", channel="telegram")
    link = re.search(r'href="(https://t\.me/lindenhof_bot\?start=[\w-]+)"', page.text)
    assert link is not None
    # At a desk the phone's camera opens the same link.
    code = segno.make_qr(link[1]).svg_data_uri(border=4, scale=4, light="#fff")
    assert code in html.unescape(page.text)


async def test_a_data_request_is_kept_with_its_day(inside: Visiting) -> None:
    await inside.send("/p/data", kind="erasure")
    (event,) = await inside.events("data_request")
    assert event.facts == {"at": "page", "kind": "erasure"}
    assert (await handoff(inside)).summary["received"] == "2026-11-23"


async def test_feedback_is_kept_and_its_cards_are_masked(inside: Visiting) -> None:
    words_of_theirs = f"Gut! {HOSTILE} 4111 1111 1111 1111 " + "x" * WORDS_MAX
    answer = await inside.send("/p/feedback", rating=4, words=words_of_theirs)
    assert "Vielen Dank" in words(answer)
    async with inside.parts.database.operator() as session:
        kept = (await session.scalars(select(PageFeedback))).one()
    assert kept.rating == 4
    assert "4111 1111" not in kept.text
    assert len(kept.text) <= WORDS_MAX
    assert (await inside.send("/p/feedback", rating=9)).status_code == 422


async def test_hostile_text_stays_text(inside: Visiting) -> None:
    await inside.change(Claim, inside.claims[0].id, description=HOSTILE.replace("\x00", ""))
    await inside.change(Merchant, inside.merchant.id, page={"imprint": HOSTILE.replace("\x00", "")})
    claim, typed = inside.claims[0].id, quote(HOSTILE)
    for path in (
        "/p",
        "/p/pay",
        f"/p/plan?claim={claim}&amount={typed}&count={typed}&first={typed}&period={typed}",
        f"/p/later?claim={claim}&until={typed}",
        "/p/dispute",
        "/p/about/imprint",
        f"/p?done={typed}&lang={typed}",
    ):
        page = await inside.http.get(path)
        assert page.status_code == 200, path
        body = page.text.partition("<main")[2].partition("</main>")[0]
        assert "<script>" not in body
        assert "alert(1)" not in body or "&lt;script&gt;" in body
    await inside.send("/p/dispute", claim=inside.claims[0].id, reason="other", words=HOSTILE)
    assert "{{ 7*7 }}" in [m for m in await inside.messages() if m.direction == "in"][-1].text


@pytest.mark.parametrize("path", ["/p", f"/p/{CODE}", "/p/pay", "/p/plan?claim=1", "/p/contact"])
async def test_pages_are_closed_and_light(inside: Visiting, path: str) -> None:
    page = await inside.http.get(path)
    if page.status_code == 303:
        page = await inside.http.get(page.headers["location"])
    policy = page.headers["content-security-policy"]
    for part in ("default-src 'none'", "frame-ancestors 'none'", "script-src 'sha256-"):
        assert part in policy
    assert "unsafe" not in policy
    assert page.headers["cache-control"] == "no-store"
    assert page.headers["referrer-policy"] == "no-referrer"
    assert len(page.content) < 60_000
    assert "http://" not in page.text.replace("http://www.w3.org", "")


async def test_it_carries_the_merchants_own_look(inside: Visiting) -> None:
    await inside.change(
        Merchant,
        inside.merchant.id,
        page={
            "colour": "#ffdd00",
            "logo": "data:image/png;base64,AAAA",
            "privacy": "Eigener Text.",
        },
    )
    page = await inside.http.get("/p")
    light, dark = re.findall(r"--accent:(#\w{6});--accent-ink", page.text)
    assert light != "#ffdd00"  # too pale to be read on paper: it was corrected
    assert dark == "#ffdd00"
    assert 'src="data:image/png;base64,AAAA"' in page.text
    assert page.headers["content-security-policy"].count("'sha256-") == 3
    assert "Eigener Text." in (await inside.http.get("/p/about/privacy")).text


async def test_an_imprint_names_what_letters_name(inside: Visiting) -> None:
    letter = {
        "firm": "Lindenhof GmbH",
        "address": "Lindenallee 12\n10115 Berlin",
        "register_entry": "HRB 1",
        "management": "Geschäftsführung: Mara Linden",
        "vat_id": "DE000000000",
    }
    await inside.change(Merchant, inside.merchant.id, letter=letter)
    shown = words(await inside.http.get("/p/about/imprint"))
    for part in (
        "Lindenhof GmbH",
        "10115 Berlin",
        "HRB 1",
        "Mara Linden",
        "USt-IdNr.: DE000000000",
    ):
        assert part in shown


async def test_law_is_there_for_everybody(visiting: Visiting) -> None:
    for page, part in (
        ("imprint", "Lindenhof Versand GmbH"),
        ("privacy", "Verantwortlich für diese Seite ist Lindenhof Versand."),
        ("accessibility", "WCAG 2.2"),
    ):
        shown = await visiting.http.get(f"/p/about/{page}?shop=lindenhof")
        assert part in words(shown)
    unknown: httpx.Response = await visiting.http.get("/p/about/imprint?shop=nobody")
    assert unknown.status_code == 404


async def test_a_receipt_says_what_has_arrived(inside: Visiting) -> None:
    claim = inside.claims[1].id
    async with inside.parts.database.operator() as session:
        await book.post_payment(
            session, claim, Money(60_00), value_date=date(2026, 11, 20), now=NOW, key="all"
        )
    said = words(await inside.http.get(f"/p/receipt?claim={claim}"))
    for part in ("20. November 2026", "60,00 €", "vollständig bezahlt"):
        assert part in said


async def test_a_further_way_is_asked_for_with_what_the_merchant_gives_for_it(
    visiting: Visiting,
) -> None:
    await visiting.enter()
    assert "Dankeschön" not in words(await visiting.http.get("/p/contact"))
    await visiting.change(Merchant, visiting.merchant.id, policy={"contact_thanks_minor": 5_00})
    said = words(await visiting.http.get("/p/contact"))
    assert "erlässt Ihnen Lindenhof" in said
    assert "2,50 € der Nebenkosten" in said  # never more than there is
