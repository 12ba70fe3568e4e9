"""Replies as the messages that a customer gets."""

import pytest

from conversation.speaker import Reply, Speaker
from conversation.wording import MerchantVoice

SHOP = MerchantVoice(name="Gartenhaus Linde", phone="030 1234567")
CLAIM = Reply(
    "claim_short",
    {
        **{"what": "Gartentisch", "invoice": "RE-1044", "invoice_date": "2026-09-03"},
        **{name: {"minor": 0, "currency": "EUR"} for name in ("costs", "interest")},
        "open": {"minor": 100_00, "currency": "EUR"},
    },
)
DATE = Reply("promise_ask_date")
ANSWER = [Reply("introduction"), Reply("verified"), CLAIM, DATE]


def speaker(channel: str, **templates: str) -> Speaker:
    return Speaker(
        voice=SHOP,
        language="de",
        address_form="sie",
        tone="warm",
        channel=channel,
        verified=True,
        templates=templates,
    )


@pytest.mark.parametrize(("channel", "gap"), [("sms", "\n"), ("whatsapp", "\n\n")])
def test_on_a_telephone_what_leads_up_to_a_question_stands_above_it(channel: str, gap: str) -> None:
    (said,) = speaker(channel).spoken(ANSWER)
    reply, rendered = said.reply, said.rendered
    assert (reply, rendered.wording) == (DATE, "promise_ask_date")
    day = "03.09.2026" if channel == "sms" else "3. September 2026"
    assert rendered.text.replace("\u00a0", " ").split(gap) == [
        "Guten Tag, hier schreibt der automatische Assistent von Gartenhaus Linde.",
        "Danke, das passt.",
        f"Es geht um Ihre Rechnung RE-1044 vom {day} (Gartentisch). Offen sind 100,00 €.",
        "Gern. An welchem Tag möchten Sie bezahlen?",
    ]
    assert rendered.discloses


@pytest.mark.parametrize("channel", ["telegram", "terminal"])
def test_elsewhere_each_is_a_message(channel: str) -> None:
    said = [one.rendered.wording for one in speaker(channel).spoken(ANSWER)]
    assert said == ["introduction", "verified", "claim_short", "promise_ask_date"]


def test_what_leads_up_to_nothing_is_a_message() -> None:
    assert [one.reply.say for one in speaker("sms").spoken([Reply("thanks_noted")])] == [
        "thanks_noted"
    ]


def test_a_text_that_answers_stays_a_message() -> None:
    replies = [Reply("goodbye"), DATE]
    assert [one.reply for one in speaker("sms").spoken(replies)] == replies


def test_the_facts_of_a_claim_stay_guarded_in_a_message_with_others() -> None:
    (said,) = speaker("sms").spoken([CLAIM, Reply("goodbye")])
    rendered = said.rendered
    assert rendered.discloses


def test_nothing_stands_above_an_approved_template() -> None:
    held = speaker("whatsapp", **{"channel_arrived.de": "HX1"})
    said = [one.reply.say for one in held.spoken([Reply("verified"), Reply("channel_arrived")])]
    assert said == ["verified", "channel_arrived"]


def test_a_long_text_is_a_message_of_its_own() -> None:
    rates = [
        {"number": number, "due": "2026-12-15", "amount": {"minor": 100, "currency": "EUR"}}
        for number in range(1, 41)
    ]
    zero = {"minor": 0, "currency": "EUR"}
    plan = Reply("plan_offer", {"rates": rates, "total": zero, "charge": zero, "interest": "none"})
    said = [one.reply.say for one in speaker("sms").spoken([Reply("verified"), plan])]
    assert said == ["verified", "plan_offer"]
