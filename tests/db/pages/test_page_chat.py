"""Writing on the page: the same dialogue, behind the page's proof, and what becomes of answers."""

import re
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select, text

from api import handoff_care
from api.queue import make_app
from conversation import desk, turn
from conversation.engine import TurnResult
from conversation.handoff import request_handoff
from conversation.handoff_held import By
from conversation.look import look
from conversation.page_visit import WORDS_MAX
from conversation.port import conversation_port
from outreach.customer_facts import read_customers, read_sender
from storage.tables import Conversation, Customer, Handoff, Message
from tests.conftest import NOW
from tests.db.pages.conftest import Visiting, hidden, words


async def write(visiting: Visiting, said: str, nonce: str = "", **fields: Any) -> Any:
    """Send the form of the chat."""
    given = await visiting.form("/p")
    given |= {"nonce": nonce} if nonce else {}
    return await visiting.http.post("/p/chat", data={**given, "words": said, **fields})


async def write_on_phone(visiting: Visiting, said: str) -> None:
    """The same customer writes on the channel."""
    async with visiting.parts.database.operator() as session:
        held = await session.get_one(Conversation, visiting.conversation_id)
        session.add(
            Message(
                merchant_id=held.merchant_id,
                conversation_id=held.id,
                channel_account_id=held.channel_account_id,
                direction="in",
                author="customer",
                kind="message",
                text=said,
                created_at=NOW,
            )
        )


async def take(visiting: Visiting) -> turn.Pending | turn.Settled | None:
    """What the turn makes of the next message."""
    held, now = visiting.conversation_id, visiting.parts.clock.now()
    async with visiting.parts.database.conversation(visiting.merchant.id, held) as session:
        return await turn.next_unhandled(session, await look(session, held, now), now)


async def answered(visiting: Visiting, *messages: dict[str, Any]) -> turn.Pending:
    """The dialogue engine answers the next message."""
    pending = await take(visiting)
    assert isinstance(pending, turn.Pending)
    result = TurnResult(
        messages=list(messages or [{"say": "thanks_noted"}]),
        events=[],
        slots={},
        understanding={"language": "de"},
    )
    held, now = visiting.conversation_id, visiting.parts.clock.now()
    async with visiting.parts.database.conversation(visiting.merchant.id, held) as session:
        url = visiting.parts.public_url
        assert await turn.store(session, held, pending.message_id, result, now, public_url=url)
    return pending


async def talk(visiting: Visiting) -> str:
    """What the chat on the page shows."""
    page = await visiting.http.get("/p")
    log = page.text.partition('role="log"')[2].partition("</div>")[0]
    return " ".join(re.sub(r"<[^>]+>", " ", log.partition(">")[2]).split())


async def jobs(visiting: Visiting, task: str) -> int:
    async with visiting.parts.database.operator() as session:
        waiting = text("SELECT count(*) FROM procrastinate_jobs WHERE task_name = :task")
        return int(await session.scalar(waiting, {"task": f"kulanz:{task}"}) or 0)


async def in_hand(visiting: Visiting) -> int:
    """A person has taken the conversation; the handoff's number."""
    held, now = visiting.conversation_id, visiting.parts.clock.now()
    async with visiting.parts.database.conversation(visiting.merchant.id, held) as session:
        await request_handoff(
            session, conversation_id=held, reason="asked_for_person", summary={}, now=now
        )
        await session.flush()
        number = (await session.scalars(select(Handoff.id))).one()
        await desk.take(session, number, By("m.koch"), now)
    return number


async def agent_writes(visiting: Visiting, handoff: int, said: str) -> desk.Replied:
    held, now = visiting.conversation_id, visiting.parts.clock.now()
    url = visiting.parts.public_url
    async with visiting.parts.database.conversation(visiting.merchant.id, held) as session:
        return await desk.reply(session, handoff, By("m.koch"), said, now, public_url=url)


async def out(visiting: Visiting) -> Sequence[Message]:
    return [one for one in await visiting.messages() if one.direction == "out"]


async def test_a_message_goes_into_the_dialogue_and_its_answer_is_read_there(
    visiting: Visiting,
) -> None:
    await visiting.enter()
    sent = await write(visiting, "Wie viel ist noch offen?")
    assert (sent.status_code, sent.headers["location"]) == (303, "/p#chat")
    assert await jobs(visiting, "turn") == 1
    assert "Die Antwort kommt gleich." in words(await visiting.http.get("/p"))

    pending = await answered(visiting, {"say": "thanks_noted"})
    assert pending.request.metadata["page_customer_id"] == visiting.customer.id
    (asked, answer) = await visiting.messages()
    assert (asked.conversation_id, asked.text) == (
        visiting.conversation_id,
        "Wie viel ist noch offen?",
    )
    assert (answer.status, answer.in_reply_to) == ("sent", asked.id)
    shown = await talk(visiting)
    assert "Wie viel ist noch offen?" in shown
    assert answer.text[:20] in shown
    (_, answer) = await visiting.messages()
    assert (answer.status, answer.read_at) == ("read", NOW)


async def test_the_pages_proof_covers_the_answer_and_proves_nothing_in_the_chat(
    visiting: Visiting,
) -> None:
    await visiting.enter()
    await write(visiting, "Wie viel ist noch offen?")
    pending = await take(visiting)
    assert isinstance(pending, turn.Pending)
    async with visiting.parts.database.merchant(visiting.merchant.id) as session:
        asked = pending.request.metadata["page_customer_id"]
        held = visiting.conversation_id
        on_page = await conversation_port(session, held, NOW, page_customer_id=asked)
        in_chat = await conversation_port(session, held, NOW)
        assert (await on_page.facts()).verified
        assert not (await in_chat.facts()).verified
        # Nor does a page that belongs to somebody else by now.
        other = await conversation_port(session, held, NOW, page_customer_id=asked + 1)
        assert not (await other.facts()).verified
    # An answer that carries facts of the claim would be refused in the chat.
    await answered(visiting, {"say": "already_paid_ask"})
    (_, answer) = await visiting.messages()
    assert answer.discloses
    assert (await visiting.conversation()).verified_at is None


async def test_a_double_click_counts_once_and_a_second_message_twice(visiting: Visiting) -> None:
    await visiting.enter()
    for _ in range(2):
        assert (await write(visiting, "Hallo", "n" * 20)).status_code == 303
    await write(visiting, "Hallo", "m" * 20)
    # A page from the browser's memory has an old mark: what is new in it is not lost.
    await write(visiting, "Noch etwas", "n" * 20)
    said = [one.text for one in await visiting.messages()]
    assert said == ["Hallo", "Hallo", "Noch etwas"]


async def test_it_is_no_channel(visiting: Visiting) -> None:
    """The page opens no window, and the dialogue does not move there."""
    await visiting.enter()
    before = await visiting.conversation()
    await write(visiting, "Hallo")
    await answered(visiting)
    after = await visiting.conversation()
    assert (before.last_inbound_at, after.last_inbound_at) == (None, None)
    async with visiting.parts.database.operator() as session:
        customer = await session.get_one(Customer, visiting.customer.id)
        assert customer.active_conversation_id is None
        # But it is an answer: nobody is reminded of what they have just written about.
        sender = await read_sender(session, visiting.merchant.id)
        (facts,) = await read_customers(session, sender, [customer.id])
        assert facts.talk.last_inbound_at == NOW


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        ("<script>alert(1)</script>", "<script>alert(1)</script>"),
        ('/affirm{"offer": "1"}', '/affirm{"offer": "1"}'),
        ("Meine Karte ist 4111 1111 1111 1111", "Meine Karte ist"),
        ("eins\r\nzwei", "eins\nzwei"),
    ],
)
async def test_hostile_text_is_kept_and_shown_as_text(
    visiting: Visiting, typed: str, kept: str
) -> None:
    await visiting.enter()
    await write(visiting, typed)
    (message,) = await visiting.messages()
    assert message.text.startswith(kept)
    assert "4111" not in message.text
    page = (await visiting.http.get("/p")).text
    assert "<script>alert" not in page
    assert "4111" not in page
    taken = await take(visiting)
    if "4111" in typed:
        assert isinstance(taken, turn.Settled)
        assert taken.outcome == "card_masked"
        assert "Karte" in (await talk(visiting)).partition("Assistent")[2]
    else:
        assert isinstance(taken, turn.Pending)
        assert taken.request.parse_data is None  # words, whatever they look like


async def test_nothing_too_long_too_fast_or_empty_gets_in(visiting: Visiting) -> None:
    await visiting.enter()
    long = "ä" * (WORDS_MAX + 1)
    refused = await write(visiting, long)
    assert refused.status_code == 422
    assert "2.000 Zeichen" in words(refused)
    assert long in refused.text
    assert (await write(visiting, "ä" * WORDS_MAX)).status_code == 303
    assert (await write(visiting, " \u200b\ufeff \n")).status_code == 303
    visiting.parts.limits.allows = False
    assert (await write(visiting, "Hallo")).status_code == 429
    assert [len(one.text) for one in await visiting.messages()] == [WORDS_MAX]


async def test_a_form_that_is_not_ours_is_refused(visiting: Visiting) -> None:
    await visiting.enter()
    assert (await write(visiting, "Hallo", csrf="0" * 64)).status_code == 403
    assert (await write(visiting, "Hallo", "short")).status_code == 422
    visiting.http.cookies.clear()
    assert (await visiting.http.get("/p/chat?script=true")).status_code == 403
    assert await visiting.messages() == []


async def test_a_stop_word_is_heard_on_the_page(visiting: Visiting) -> None:
    await visiting.enter()
    await write(visiting, "Stopp")
    taken = await take(visiting)
    assert isinstance(taken, turn.Settled)
    assert taken.outcome == "opted_out"
    assert (await visiting.conversation()).opted_out_at == NOW
    (_, said) = await visiting.messages()
    assert (said.wording, said.status) == ("opt_out_confirmed", "sent")
    # It ends our messages, not the page: who writes there is answered there.
    await write(visiting, "Und was ist noch offen?")
    await answered(visiting)
    assert (await out(visiting))[-1].status == "sent"


async def test_the_script_gets_what_is_newer_and_does_not_prolong_the_visit(
    visiting: Visiting,
) -> None:
    await visiting.enter()
    fields = await visiting.form("/p")
    given = {**fields, "words": "Hallo", "script": "true", "after": "0"}
    first = (await visiting.http.post("/p/chat", data=given)).json()
    assert first["waits"]
    assert first["items"].count("<li") == 1
    again = (await visiting.http.post("/p/chat", data=given)).json()
    assert again["last"] == first["last"]
    await answered(visiting)
    look_on = f"/p/chat?script=true&after={first['last']}"
    news = (await visiting.http.get(look_on)).json()
    assert (news["waits"], news["items"].count("<li")) == (False, 1)
    assert f'id="m{news["last"]}"' in news["items"]
    quiet = (await visiting.http.get(f"/p/chat?script=true&after={news['last']}")).json()
    assert (quiet["items"].strip(), quiet["last"]) == ("", news["last"])
    for minutes in (20, 29):
        visiting.parts.clock.moment = NOW + timedelta(minutes=minutes)
        assert (await visiting.http.get(look_on)).status_code == 200
    visiting.parts.clock.moment = NOW + timedelta(minutes=31)
    over = await visiting.http.get(look_on)
    assert (over.status_code, over.json()) == (403, {"over": True})


async def test_a_button_is_pressed_once_and_only_where_it_was_shown(visiting: Visiting) -> None:
    await visiting.enter()
    await write(visiting, "Hallo")
    button = {"title": "button_person", "intent": "ask_for_person", "entities": {}}
    await answered(visiting, {"say": "thanks_noted", "buttons": [button]})
    page = (await visiting.http.get("/p")).text
    (choice,) = re.findall(r'name="button" value="([^"]+)"', page)
    fields = hidden(page.partition('class="replies"')[2].partition("</form>")[0])
    for _ in range(2):
        pressed = await visiting.http.post("/p/chat", data={**fields, "button": choice})
        assert pressed.status_code == 303
    await visiting.http.post("/p/chat", data={**fields, "button": "never shown"})
    (_, _, press) = await visiting.messages()
    assert (press.kind, press.buttons) == ("button", [{"id": choice}])
    assert "name=button" not in (await visiting.http.get("/p")).text
    pending = await take(visiting)
    assert isinstance(pending, turn.Pending)
    assert pending.request.parse_data is not None
    assert pending.request.parse_data["intent"] == "ask_for_person"


async def test_a_yes_means_what_was_asked_where_it_is_written(visiting: Visiting) -> None:
    """Whoever writes on the phone has not seen what was asked on the page, nor the other way."""
    await visiting.enter()
    await write(visiting, "in Raten bitte")
    on_page = await answered(visiting)
    await write_on_phone(visiting, "ja")
    on_phone = await take(visiting)
    assert isinstance(on_phone, turn.Pending)
    assert on_phone.request.metadata["follows"] is None
    await answered(visiting)
    await write(visiting, "ja", nonce="b" * 22)
    again = await take(visiting)
    assert isinstance(again, turn.Pending)
    assert again.request.metadata["follows"] is None
    await answered(visiting)
    await write(visiting, "ja, gern", nonce="c" * 22)
    last = await take(visiting)
    assert isinstance(last, turn.Pending)
    assert last.request.metadata["follows"] == again.message_id
    assert on_page.message_id < again.message_id


async def test_what_was_said_elsewhere_or_by_another_customer_is_not_shown(
    visiting: Visiting,
) -> None:
    await visiting.enter()
    await write(visiting, "Das habe ich geschrieben")
    async with visiting.parts.database.operator() as session:
        held = await session.get_one(Conversation, visiting.conversation_id)
        other = Customer(
            merchant_id=visiting.merchant.id,
            number="K-2",
            name="Andere",
            created_at=NOW,
            updated_at=NOW,
        )
        session.add(other)
        await session.flush()
        for page, said in ((None, "Auf dem Telefon"), (other.id, "Von jemand anderem")):
            session.add(
                Message(
                    merchant_id=held.merchant_id,
                    conversation_id=held.id,
                    channel_account_id=held.channel_account_id,
                    direction="in",
                    author="customer",
                    kind="message",
                    text=said,
                    page_customer_id=page,
                    created_at=NOW,
                )
            )
    shown = await talk(visiting)
    assert "Das habe ich geschrieben" in shown
    assert "Telefon" not in shown
    assert "anderem" not in shown


async def test_a_person_answers_on_the_page_while_it_is_visited(visiting: Visiting) -> None:
    await visiting.enter()
    await write(visiting, "Ich möchte mit einem Menschen sprechen")
    number = await in_hand(visiting)
    assert isinstance(await take(visiting), turn.Settled)
    replied = await agent_writes(visiting, number, "Gern, ich sehe mir das an.")
    assert replied.verified
    assert [one.status for one in await out(visiting)] == ["sent", "sent"]
    shown = await talk(visiting)
    assert f"Team von {visiting.merchant.name}" in shown
    assert "ich sehe mir das an" in shown
    # It was read there: nobody is told of it elsewhere.
    assert await told(visiting, timedelta(minutes=10)) == []


async def told(visiting: Visiting, after: timedelta) -> list[int]:
    visiting.parts.clock.moment = NOW + after
    jobs = make_app(visiting.parts, pool_size=1)  # type: ignore[arg-type]
    async with jobs.open_async():
        parts = visiting.parts
        return await handoff_care.tell_of_answers(
            parts.database, jobs, parts.public_url, parts.clock.now()
        )


async def test_an_answer_that_nobody_reads_is_told_once_without_a_word_of_it(
    visiting: Visiting,
) -> None:
    await visiting.enter()
    await write(visiting, "Bitte ein Mensch")
    number = await in_hand(visiting)
    await take(visiting)
    await agent_writes(visiting, number, "Es sind noch 122,50 Euro offen.")
    assert await told(visiting, timedelta(minutes=4)) == []
    assert await told(visiting, timedelta(minutes=6)) == [visiting.conversation_id]
    assert await told(visiting, timedelta(minutes=7)) == []
    notice = (await out(visiting))[-1]
    assert (notice.wording, notice.status, notice.page_customer_id) == (
        "page_answer",
        "queued",
        None,
    )
    assert "122" not in notice.text
    assert "https://kulanz.example/p/" in notice.text


@pytest.mark.parametrize("chat_proved", [False, True])
async def test_where_a_person_answers_once_the_visit_is_over(
    visiting: Visiting, chat_proved: bool
) -> None:
    await visiting.enter()
    await write(visiting, "Bitte ein Mensch")
    number = await in_hand(visiting)
    await take(visiting)
    visiting.parts.clock.moment = NOW + timedelta(minutes=40)
    if chat_proved:
        await visiting.change(
            Conversation, visiting.conversation_id, verified_at=visiting.parts.clock.now()
        )
    await agent_writes(visiting, number, "Alles ist geklärt.")
    written = [one for one in await out(visiting) if one.author == "agent"]
    (notices,) = [[one for one in await out(visiting) if one.wording == "page_answer"]]
    if chat_proved:
        assert [one.page_customer_id for one in written] == [None]
        assert notices == []
    else:
        assert [one.page_customer_id for one in written] == [visiting.customer.id]
        assert len(notices) == 1
        # It is there at the next visit.
        await visiting.prove()
        assert "Alles ist geklärt." in await talk(visiting)


async def test_who_has_said_stop_still_reads_a_persons_answer_on_the_page(
    visiting: Visiting,
) -> None:
    await visiting.enter()
    await write(visiting, "Bitte ein Mensch")
    number = await in_hand(visiting)
    await take(visiting)
    await visiting.change(Conversation, visiting.conversation_id, opted_out_at=NOW)
    visiting.parts.clock.moment = NOW + timedelta(minutes=40)
    await agent_writes(visiting, number, "Alles ist geklärt.")
    assert [one.wording for one in await out(visiting)] == ["agent_took_over", None]
    assert await told(visiting, timedelta(minutes=50)) == []
    await visiting.prove()
    assert "Alles ist geklärt." in await talk(visiting)


async def test_who_has_last_written_on_the_phone_is_answered_there(visiting: Visiting) -> None:
    await visiting.enter()
    await write(visiting, "Bitte ein Mensch")
    number = await in_hand(visiting)
    await take(visiting)
    await write_on_phone(visiting, "Ich bin jetzt unterwegs")
    replied = await agent_writes(visiting, number, "Gern per SMS.")
    assert not replied.verified
    assert {one.page_customer_id for one in await out(visiting)} == {None}


async def test_somebody_else_at_the_page_ends_the_visit(visiting: Visiting) -> None:
    await visiting.enter()
    async with visiting.parts.database.merchant(visiting.merchant.id) as session:
        port = await conversation_port(
            session, visiting.conversation_id, NOW, page_customer_id=visiting.customer.id
        )
        await port.refuse_proof("third_party")
    assert (await visiting.http.get("/p/chat?script=true")).status_code == 403
