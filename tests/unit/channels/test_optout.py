import pytest

from channels.message import Channel, ContactWish
from channels.optout import contact_wish, stops_all

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
    ],
)
def test_stop(text: str) -> None:
    assert contact_wish(text) is STOP
    assert contact_wish(text, Channel.SMS) is STOP


@pytest.mark.parametrize(
    "text",
    [
        "STOPALL",
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
def test_who_speaks_of_messages_as_a_whole_means_every_channel(text: str) -> None:
    assert contact_wish(text) is ContactWish.STOP_ALL
    assert contact_wish(text, Channel.SMS) is ContactWish.STOP_ALL


@pytest.mark.parametrize(
    ("text", "everywhere"),
    [
        ("Ich will von euch nie wieder etwas hören", True),
        ("hören Sie endlich auf mit dem Unsinn", True),
        ("bitte nicht mehr auf WhatsApp", False),
        ("schreibt mir hier nicht mehr, das ist mein Diensthandy", False),
        ("please stop using this number", False),
        ("stop bothering me", True),
    ],
)
def test_a_sentence_means_every_channel_unless_it_names_this_one(
    text: str, everywhere: bool
) -> None:
    assert stops_all(text) is everywhere


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
