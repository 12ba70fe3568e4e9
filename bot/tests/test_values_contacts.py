"""Facts that identify or reach a person."""

from datetime import date

import pytest

from pipeline import entities
from pipeline.values_contacts import find_contacts, mask_cards

CASES = [
    ("anna.Schmidt@web.de", "email", "anna.schmidt@web.de"),
    ("0171 2345678", "phone", "+491712345678"),
    ("+49 160 1112223", "phone", "+491601112223"),
    ("iban DE89 3704 0044 0532 0130 00 danke", "iban", "DE89370400440532013000"),
    ("plz 50667", "postal_code", "50667"),
    ("10115 Berlin", "postal_code", "10115"),
    ("Rechnungsnummer 4711-22", "invoice_number", "4711-22"),
    ("re-2026-0815", "invoice_number", "RE-2026-0815"),
    ("order number 99812734", "invoice_number", "99812734"),
    ("Kd-Nr. 44556 oder kundennummer 883112", "invoice_number", "883112"),
]


@pytest.mark.parametrize(("text", "name", "value"), CASES)
def test_found_and_normalised(text: str, name: str, value: str) -> None:
    assert value in [span.value for span in find_contacts(text) if span.entity == name]


def test_iban_with_wrong_checksum_is_none() -> None:
    spans = find_contacts("DE88 3704 0044 0532 0130 00")
    assert [span for span in spans if span.entity == "iban"] == []


def test_digits_of_a_card_are_not_kept() -> None:
    text = "meine karte ist 4111 1111 1111 1111"
    masked = mask_cards(text)
    assert "1" not in masked
    assert len(masked) == len(text)
    for seen in (text, masked):
        cards = [s for s in find_contacts(seen) if s.entity == "card_number"]
        assert [card.value for card in cards] == ["masked"]


def test_number_that_fails_luhn_is_no_card() -> None:
    assert mask_cards("4111 1111 1111 1112") == "4111 1111 1111 1112"


def test_a_date_is_no_phone() -> None:
    assert [v.entity for v in entities.find("05.12.2026").values] == []


def test_channels_are_whole_words() -> None:
    assert entities.find("postbote").values == ()


@pytest.mark.parametrize(
    ("text", "wished"),
    [
        ("lieber per WhatsApp statt SMS", ["whatsapp"]),
        ("I'd prefer to get texts instead of Telegram", ["sms"]),
        ("lieber Textnachrichten anstelle von WhatsApp", ["sms"]),
        ("nicht mehr über Telegram, bitte nur noch Briefe", ["letter"]),
        ("emails rather than texts please", ["email"]),
        ("Bitte nicht mehr über Telegram", []),
        ("no more texts please", []),
    ],
)
def test_a_channel_that_is_refused_is_not_wished(text: str, wished: list) -> None:
    found = entities.read(text, entities.find(text), date(2026, 11, 23), "choose_channel")
    assert [entity["value"] for entity in found if entity["entity"] == "channel"] == wished
