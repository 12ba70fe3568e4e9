from channels.gsm7 import is_gsm7
from channels.message import Button
from channels.twilio import numbered, status_callback_url


def test_choices_become_numbered_lines() -> None:
    buttons = (Button("x", "Jetzt zahlen"), Button("y", "Später"), Button("z", "Ein Mensch"))
    text = numbered("Was möchten Sie tun?", buttons)
    assert text == "Was möchten Sie tun?\n1) Jetzt zahlen\n2) Später\n3) Ein Mensch"
    assert is_gsm7(text)


def test_without_choices_the_text_stays() -> None:
    assert numbered("Danke.", ()) == "Danke."


def test_the_status_callback_carries_the_outbox_id() -> None:
    base = "https://kulanz.example/webhooks/twilio/status"
    assert status_callback_url(base, 8) == base + "?outbox=8"
    assert status_callback_url(base + "?v=1", 8) == base + "?v=1&outbox=8"
