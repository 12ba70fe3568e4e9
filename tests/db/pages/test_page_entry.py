"""The way into the customer's page: links, codes, the proof, and what ends a visit."""

from datetime import timedelta

import httpx
import pytest
from sqlalchemy import select

from conversation import identity, page_link
from conversation.outbox import Reply, queue, scene
from ledger.agreements import Promise, terms_to_data
from ledger.money import Money
from storage.tables import Conversation, Customer, Merchant, Message, PageLink, PageSession
from tests.conftest import NOW
from tests.db.pages.conftest import CODE, Visiting, hidden, words

FACTS = ("RE-2026-1044", "Gartentisch", "122,50", "Anna", "K-1001")


def assert_no_fact(page: httpx.Response) -> None:
    said = words(page)
    assert [fact for fact in FACTS if fact in said] == []


async def test_a_link_asks_for_a_fact_before_it_says_one(visiting: Visiting) -> None:
    await visiting.link()
    page = await visiting.http.get(f"/p/{CODE}")
    assert page.status_code == 200
    assert "Lindenhof Versand" in words(page)
    assert_no_fact(page)
    entered = await visiting.prove()
    assert entered.status_code == 303
    shown = words(await visiting.http.get("/p"))
    assert "Gartentisch" in shown
    assert "182,50 €" in shown


@pytest.mark.parametrize("number", ["B-1044", "K-1001", "re 2026 1044"])
async def test_any_number_of_theirs_will_do(visiting: Visiting, number: str) -> None:
    await visiting.link()
    assert (await visiting.prove(number)).status_code == 303


async def test_a_birth_date_counts_with_the_postal_code_only(visiting: Visiting) -> None:
    await visiting.change(Customer, visiting.customer.id, birth_date=NOW.date().replace(year=1988))
    await visiting.link()
    for given, status in (
        ({"postal_code": "10115"}, 200),  # nothing to judge: no try
        ({"birth_date": "23.11.1988"}, 403),
        ({"birth_date": "23.11.1988", "postal_code": "10115"}, 303),
    ):
        fields = await visiting.form(f"/p/{CODE}")
        answer = await visiting.http.post(f"/p/{CODE}", data={**fields, **given})
        assert answer.status_code == status
    assert (await visiting.conversation()).verified_at is None  # the chat itself proved nothing


async def test_unknown_expired_revoked_and_malformed_ones_are_answered_alike(
    visiting: Visiting,
) -> None:
    await visiting.link()
    answers = {}
    for typed in ("k7qm-t2rt-xh4q", "nonsense", "0", "a/b", "%00", "x" * 300, "%F0%9F%98%80"):
        answers[typed] = await visiting.http.get(f"/p/{typed}")
    visiting.parts.clock.moment = NOW + page_link.VALID
    answers["expired"] = await visiting.http.get(f"/p/{CODE}")
    visiting.parts.clock.moment = NOW
    await visiting.change(PageLink, page_link.hashed(CODE), revoked_at=NOW)
    answers["revoked"] = await visiting.http.get(f"/p/{CODE}")
    await visiting.change(PageLink, page_link.hashed(CODE), revoked_at=None)
    await visiting.change(Conversation, visiting.conversation_id, customer_id=None)
    answers["somebody else's phone"] = await visiting.http.get(f"/p/{CODE}")
    assert {answer.status_code for answer in answers.values()} == {404}
    bodies = {answer.text.replace(hidden(answer.text)["csrf"], "") for answer in answers.values()}
    assert len(bodies) == 1
    assert "kennen wir nicht" in bodies.pop()


async def test_a_code_is_typed_in_any_spelling(visiting: Visiting) -> None:
    await visiting.link()
    fields = await visiting.form("/p")
    for typed in (CODE, "K7QM T2RT XH4P", "k7qmt2rtxh4p"):
        answer = await visiting.http.post("/p", data={**fields, "code": typed})
        assert answer.headers["location"] == "/p/k7qmt2rtxh4p"
    wrong = await visiting.http.post("/p", data={**fields, "code": "k7qm-t2rt-xh4q"})
    assert wrong.status_code == 404


async def test_wrong_facts_lock_and_count_with_those_of_the_chat(visiting: Visiting) -> None:
    await visiting.link()
    await visiting.change(Conversation, visiting.conversation_id, verification_tries=1)
    assert (await visiting.prove("RE-0000-0001")).status_code == 403
    last = await visiting.prove("RE-0000-0002")
    assert "sieht sich das jetzt ein Mensch an" in words(last)
    right = await visiting.prove()
    assert right.status_code == 403
    assert "Mensch" in words(right)
    held = await visiting.conversation()
    assert held.verification_locked_at == NOW
    assert held.state == "waiting"
    async with visiting.parts.database.operator() as session:
        conversation = await session.get_one(Conversation, held.id)
        given = identity.Given(("RE-2026-1044",))
        assert await identity.check(session, conversation, given, NOW) is identity.Check.LOCKED


async def test_too_many_codes_wait(visiting: Visiting) -> None:
    await visiting.link()
    visiting.parts.limits.allows = False
    page = await visiting.http.get(f"/p/{CODE}")
    assert (page.status_code, page.headers["retry-after"]) == (429, "60")


async def say(visiting: Visiting, *, verified: bool) -> str:
    """A message of the chat that carries a link; returns its code."""
    async with visiting.parts.database.operator() as session:
        held = await scene(session, visiting.conversation_id)
        args = {"amount": Money(122_50).to_json(), "reference": "RF18539007547034"}
        reply = Reply("bank_details" if verified else "page_noted", args if verified else {})
        await queue(
            session, held, held.speaker(verified=verified), [reply], NOW,
            public_url="https://kulanz.example",
        )  # fmt: skip
    return (await visiting.messages())[-1].text.rpartition("/p/")[2].split()[0]


async def test_every_message_has_a_link_of_its_own_and_only_its_hash_is_kept(
    visiting: Visiting,
) -> None:
    codes = {await say(visiting, verified=True), await say(visiting, verified=False)}
    assert len(codes) == 2
    async with visiting.parts.database.operator() as session:
        links = list(await session.scalars(select(PageLink).order_by(PageLink.message_id)))
        ids = list(await session.scalars(select(Message.id).order_by(Message.id)))
    assert [link.message_id for link in links] == ids
    assert {link.hash for link in links} == {page_link.hashed(code) for code in codes}
    assert [link.trusted_until is not None for link in links] == [True, False]


async def test_a_link_written_right_after_the_chats_proof_needs_none_once(
    visiting: Visiting,
) -> None:
    await visiting.change(Conversation, visiting.conversation_id, verified_at=NOW)
    code = await say(visiting, verified=True)
    page = await visiting.http.get(f"/p/{code}")
    assert_no_fact(page)  # a messenger looks at links: that alone opens nothing
    assert "trusted" in hidden(page.text)
    entered = await visiting.http.post(f"/p/{code}", data=hidden(page.text))
    assert entered.headers["location"] == "/p"
    visiting.http.cookies.clear()
    again = await visiting.http.get(f"/p/{code}")
    assert "trusted" not in hidden(again.text)
    refused = await visiting.http.post(f"/p/{code}", data={**hidden(again.text), "trusted": "1"})
    assert refused.status_code == 200
    assert_no_fact(refused)


@pytest.mark.parametrize("why", ["late", "withdrawn", "locked", "unproved"])
async def test_a_link_is_not_trusted_otherwise(visiting: Visiting, why: str) -> None:
    await visiting.change(Conversation, visiting.conversation_id, verified_at=NOW)
    code = await say(visiting, verified=why != "unproved")
    if why == "late":
        visiting.parts.clock.moment = NOW + page_link.TRUSTED
    elif why == "withdrawn":
        await visiting.change(Conversation, visiting.conversation_id, verified_at=None)
    elif why == "locked":
        await visiting.change(Conversation, visiting.conversation_id, verification_locked_at=NOW)
    fields = await visiting.form(f"/p/{code}")
    answer = await visiting.http.post(f"/p/{code}", data={**fields, "trusted": "1"})
    assert answer.status_code == 200
    assert_no_fact(answer)


async def test_a_visit_ends_after_half_an_hour_without_a_click(visiting: Visiting) -> None:
    await visiting.enter()
    for minutes in (29, 58):
        visiting.parts.clock.moment = NOW + timedelta(minutes=minutes)
        assert "Gartentisch" in words(await visiting.http.get("/p"))
    visiting.parts.clock.moment = NOW + timedelta(minutes=88)
    assert_no_fact(await visiting.http.get("/p"))


async def test_leaving_and_revoking_end_it(visiting: Visiting) -> None:
    await visiting.enter()
    await visiting.send("/p/leave")
    assert_no_fact(await visiting.http.get("/p"))
    assert (await visiting.prove()).status_code == 303
    async with visiting.parts.database.merchant(visiting.merchant.id) as session:
        assert await page_link.revoke_all(session, visiting.customer.id, NOW) == 1
    assert_no_fact(await visiting.http.get("/p"))
    assert (await visiting.http.get(f"/p/{CODE}")).status_code == 404


async def test_the_cookie_is_closed_to_scripts_and_other_sites(visiting: Visiting) -> None:
    await visiting.link()
    cookie = (await visiting.prove()).headers["set-cookie"].lower()
    for part in ("httponly", "samesite=lax", "secure", "path=/p"):
        assert part in cookie
    async with visiting.parts.database.operator() as session:
        kept = await session.scalar(select(PageSession.hash))
    assert kept not in cookie


async def test_a_forged_form_changes_nothing(visiting: Visiting) -> None:
    await visiting.link()
    forged = await visiting.http.post(f"/p/{CODE}", data={"number": "RE-2026-1044"})
    assert forged.status_code == 403
    await visiting.prove()
    terms = terms_to_data(Promise(Money(122_50), NOW.date()))
    assert terms["kind"] == "promise"
    for path, fields in (
        ("/p/dispute", {"claim": visiting.claims[0].id, "reason": "goods"}),
        ("/p/stop", {"everywhere": "true"}),
        ("/p/callback", {}),
        ("/p/data", {}),
        ("/p/hours", {"earliest": "09:00"}),
        ("/p/channel", {"channel": "telegram"}),
        ("/p/language", {"language": "en"}),
        ("/p/feedback", {"rating": 5}),
        ("/p/person", {"claim": visiting.claims[0].id, "reason": "above_authority"}),
        ("/p/agree", {"claim": visiting.claims[0].id, "nonce": "n" * 20, "terms": "{}"}),
    ):
        answer = await visiting.http.post(path, data={**fields, "csrf": "f" * 64})
        assert answer.status_code == 403, path
    held = await visiting.conversation()
    assert (held.state, held.opted_out_at) == ("bot", None)


async def test_a_neutral_alias_stays_neutral_before_the_proof(visiting: Visiting) -> None:
    await visiting.change(
        Merchant, visiting.merchant.id, name="Apotheke am Ring", alias="Ring Service"
    )
    await visiting.link()
    page = await visiting.http.get(f"/p/{CODE}")
    assert "Ring Service" in page.text
    for hidden_name in ("Apotheke", "lindenhof", "Lindenhof"):
        assert hidden_name not in page.text
    about = await visiting.http.get("/p/about/imprint?shop=lindenhof")
    assert about.status_code == 404
    await visiting.prove()
    assert "Apotheke" in (await visiting.http.get("/p/about/privacy")).text
