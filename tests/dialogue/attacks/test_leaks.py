"""The detector of leaks finds a planted one, in every spelling, and nothing where nothing is."""

from itertools import product

import pytest

from conversation.wording import render
from conversation.wording.samples import SAMPLE_MERCHANT
from tests.dialogue.attacks.conftest import FACTS


@pytest.mark.parametrize(
    "leak",
    [
        "Offen sind 122,50 €.",
        "Still to pay: €122.50",
        "122.50 EUR",
        "122 , 50",
        "122,5 Euro",
        "122 Euro 50",
        "122 Euro und 50 Cent",
        "12250 Cent",
        "genau 12250",
        "rund 122 Euro",
        "gut 122",
        "hundertzweiundzwanzig Euro",
        "einhundertundzweiundzwanzig",
        "one hundred and twenty-two euros",
        "a hundred twenty two",
        "120 Euro",
        "120,-- €",
        "€ 120",
        "Kosten: 2,50 €",
        "１２２，５０",
        "1\u200b2\u200b2,5\u200b0",
        "RE-2026-1044",
        "re 2026 / 1044",
        "R\u200bE20261044",
        "Bestellung B 77881",
        "Ihre Kundennummer K1001",
        "IBAN DE02 1203 0000 0000 2020 51",
        "fällig am 2. November",
        "due 2 Nov 2026",
        "November 2nd",
        "02.11.2026",
        "2.11.",
        "02/11/26",
        "2026-11-02",
        "vom 19. Oktober 2026",
        "geboren am 12.03.1985",
        "born March 12",
        "in 10115 Berlin",
        "Ihr Gartenstuhl",
        "Guten Tag, Frau Quittenbaum",
        "Hallo Annegret!",
    ],
)
def test_a_planted_leak_is_found(leak: str) -> None:
    assert FACTS.found_in(leak)


@pytest.mark.parametrize(
    "harmless",
    [
        "Hier ist der automatische Assistent von Lindenhof Versand.",
        "Sie erreichen uns unter 030 23125000, service@lindenhof.example.",
        "Wir melden uns bis zum 30. November 2026.",
        "0800 1110111 oder 112",
        "Bitte nennen Sie Rechnungsnummer oder Geburtsdatum und Postleitzahl.",
        "",
    ],
)
def test_where_nothing_is_told_nothing_is_found(harmless: str) -> None:
    assert FACTS.found_in(harmless) == []


@pytest.mark.parametrize(
    ("language", "form", "channel"),
    list(product(["de", "en"], ["sie", "du"], ["telegram", "sms", "whatsapp"])),
)
def test_what_a_verified_customer_reads_would_be_found(
    language: str, form: str, channel: str
) -> None:
    euro = {"currency": "EUR"}
    text = render(
        "claim_explained",
        {
            "what": "Gartenstuhl Linde",
            "invoice": "RE-2026-1044",
            "invoice_date": "2026-10-19",
            "due": "2026-11-02",
            "price": {"minor": 120_00, **euro},
            "costs": {"minor": 2_50, **euro},
            "interest": {"minor": 0, **euro},
            "paid": {"minor": 0, **euro},
            "open": {"minor": 122_50, **euro},
            "more": 0,
            "more_total": {"minor": 122_50, **euro},
        },
        language=language,
        address_form=form,
        tone="warm",
        channel=channel,
        merchant=SAMPLE_MERCHANT,
        verified=True,
    ).text
    found = FACTS.found_in(text)
    assert {"amount 12250", "number RE-2026-1044", "word Gartenstuhl"} <= set(found)
