import pytest

from channels.message import Channel, ContactWish
from channels.optout import contact_wish

STOP, START = ContactWish.STOP, ContactWish.START


@pytest.mark.parametrize(
    "text",
    [
        "STOP",
        "stop",
        " Stop! ",
        "STOPP",
        "Stopp!!!",
        "stop.",
        "„Stop“",
        '"STOPP"',
        "/stop",
        "stop stop stop",
        "Stop 🛑",
        "Stop 👍🏽",
        "ＳＴＯＰ",
        "S\u200bTOP",
        "Bitte stop",
        "stop bitte",
        "Stop, danke!",
        "stop please",
        "STOP NOW",
        "ABMELDEN",
        "Abmelden bitte",
        "Bitte abmelden.",
        "Ich möchte mich abmelden",
        "Melden Sie mich ab!",
        "abbestellen",
        "unsubscribe",
        "UNSUBSCRIBE please",
        "opt-out",
        "OptOut",
        "keine Nachrichten mehr",
        "Bitte keine Nachrichten mehr!",
        "Ich möchte keine Nachrichten mehr erhalten.",
        "Ich will ab sofort keine weiteren Nachrichten",
        "Schreiben Sie mir nicht mehr",
        "Bitte schreiben Sie mir nicht mehr.",
        "Schreiben Sie mir bitte nicht mehr!",
        "Lassen Sie mich in Ruhe",
        "lass mich in ruhe!!",
        "no more messages",
        "Please don't contact me again",
        "Don’t text me",
        "stop texting me",
        "Leave me alone",
        "remove me",
        "KEINE\nNACHRICHTEN\nMEHR",
    ],
)
def test_stop(text: str) -> None:
    assert contact_wish(text) is STOP
    assert contact_wish(text, Channel.SMS) is STOP


@pytest.mark.parametrize("text", ["START", "start!", "/start", "unstop", "Anmelden", "subscribe"])
def test_start(text: str) -> None:
    assert contact_wish(text) is START


@pytest.mark.parametrize(
    "text",
    [
        "",
        "   ",
        "👍",
        "?",
        "stop, ich habe eine Frage",
        "Stopp, das stimmt nicht",
        "Stop?",
        "Soll ich STOP schreiben?",
        "Wie kann ich mich abmelden?",
        "Nein, stopp",
        "stop the plan",
        "Nonstop",
        "stopped",
        "Bushaltestelle",
        "Ich habe das Abo abbestellt und bezahlt",
        "Ich möchte mich nicht abmelden",
        "Ich kann nicht mehr",
        "keine Ahnung",
        "keine Rechnung mehr",
        "Ich habe keine Nachrichten mehr bekommen",
        "start am Freitag",
        "Start der Raten im Januar",
        "Ende",
        "Hilfe",
        "help",
        "bitte",
        "danke danke",
        "cancel",
        "end",
        "ja",
        "yes",
        "ich will keine nachrichten mehr " + "x" * 80,
    ],
)
def test_neither(text: str) -> None:
    assert contact_wish(text) is None


@pytest.mark.parametrize("text", ["CANCEL", "End", "quit", "REVOKE", "please cancel"])
def test_words_that_block_us_at_twilio_are_a_stop_by_sms(text: str) -> None:
    assert contact_wish(text, Channel.SMS) is STOP
    assert contact_wish(text, Channel.TELEGRAM) is None
    assert contact_wish(text, Channel.WHATSAPP) is None
