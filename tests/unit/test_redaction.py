"""What a passing glance at a transcript may not catch."""

import re
from datetime import date

import phonenumbers
import pytest
from hypothesis import given
from hypothesis import strategies as st

from conversation.redaction import KINDS, PHONE_DIGITS_MIN, Known, Redaction, cover_address

LABELS = {kind: kind for kind in KINDS}
ANNA = Known(
    names=("Anna Maria Beispiel-Muster", "Beispiel-Muster", "Anna Maria"),
    birth_date=date(1985, 3, 7),
    postal_code="10115",
    addresses=("+4915112345678", "anna@beispiel.example", "811223344"),
)
COVER = Redaction(ANNA, LABELS).cover


@pytest.mark.parametrize(
    ("said", "covered"),
    [
        ("Hallo, ich bin Anna Maria Beispiel-Muster.", "Hallo, ich bin [name]."),
        ("ANNA hier, Frau Muster", "[name] hier, Frau [name]"),
        ("Annahme und Musterung bleiben", "Annahme und Musterung bleiben"),
        ("0151 12345678", "[phone]"),
        ("+49 (0)151 / 123 456 78!", "[phone]!"),
        ("0049-151-12345678", "[phone]"),
        ("anna@beispiel.example bitte", "[email] bitte"),
        ("Post an meine.schwester@web.example", "Post an [email]"),
        ("am 7.3.85 geboren", "am [birth_date] geboren"),
        ("07.03.1985, 1985-03-07, 7. 3. 1985", "[birth_date], [birth_date], [birth_date]"),
        ("mein Vater: 12.11.1951", "mein Vater: [birth_date]"),
        ("wohne in 10115", "wohne in [address]"),
        ("Lindenstraße 12a, 20095 Hamburg", "[address], [address]"),
        ("ruf meine Mutter an: 030 1234567", "ruf meine Mutter an: [phone]"),
        ("DE02120300000000202051", "DExxxxxxxxxxxxxxxx2051"),
        ("4111 1111 1111 1111", "**** 1111"),
        ("Chat 811223344", "Chat [phone]"),
    ],
)
def test_personal_data_is_covered_however_it_is_spelled(said: str, covered: str) -> None:
    assert COVER(said) == covered


@pytest.mark.parametrize(
    "said",
    [
        "Ich zahle 30 Euro am 15.12.2026, die Rechnung war RE-2026-1042.",
        "geht nur in raten, 30 im monat",
        "Ihre 1. Rate über 205,76 € ist am 15. Januar 2027 fällig.",
        "1. Rate am 07.12.2026: 82,00 €\n3. Rate am 07.02.2027: 82,00 €",
        "K-10021",
        "ja",
        "",
    ],
)
def test_what_the_conversation_is_about_stays_readable(said: str) -> None:
    assert COVER(said) == said


@given(
    before=st.text(st.characters(categories=["Zs", "Po"]), max_size=5),
    after=st.text(st.characters(categories=["Zs", "Po"]), max_size=5),
    spelled=st.sampled_from(
        ["Anna", "beispiel", "Muster", "07.03.1985", "+4915112345678", "anna@beispiel.example"]
    ),
)
def test_nothing_known_shows_whatever_stands_around_it(
    before: str, after: str, spelled: str
) -> None:
    assert spelled not in COVER(f"x {before} {spelled} {after} y")


def test_the_shops_own_phone_and_mail_stay_readable() -> None:
    known = Known(names=("Anna",), spared=("+49 30 23125000", "hilfe@hof.example", ""))
    cover = Redaction(known, LABELS).cover
    said = "Anna, fragen Sie: +49 30 23125000 oder hilfe@hof.example, nicht 0151 12345678."
    assert cover(said) == (
        "[name], fragen Sie: +49 30 23125000 oder hilfe@hof.example, nicht [phone]."
    )


def test_an_address_shows_its_last_two_characters() -> None:
    assert cover_address("+4915112345678") == "…78"
    assert cover_address("anna") == "…"


def test_personal_values_are_covered_whole() -> None:
    redaction = Redaction(ANNA, LABELS)
    assert redaction.cover_value("birth_date", "1970-01-01") == "[…]"
    assert redaction.cover_value("count", 3) == "3"
    assert redaction.cover_value("name", "Anna") == "[name]"


def test_a_link_to_the_customers_page_cannot_be_followed() -> None:
    said = COVER("Alles im Überblick: https://kulanz.example/p/k7qm-t2rt-xh4p")
    assert said == "Alles im Überblick: https://kulanz.example/p/…"


@pytest.mark.parametrize("written", ["İpek", "ipek", "ıpek", "IPEK", "İPEK", "Ipek"])
@pytest.mark.parametrize("known", ["İpek", "Ipek", "ıpek"])
def test_a_turkish_i_hides_no_name(known: str, written: str) -> None:
    cover = Redaction(Known(names=(known,)), LABELS).cover
    pattern = re.compile(rf"\b{known}\b", re.IGNORECASE)
    assert (written in cover(f"hier {written}, hallo")) == (pattern.search(written) is None)


@pytest.mark.parametrize(
    ("name", "written"),
    [
        *(("Strauß", "STRAUẞ"), ("Kessler", "Kessler"), ("Süß", "süß"), ("Ó Néill", "ó  néill")),
        *(
            ("d'Ivoire", "D'IVOIRE"),
            ("Ia", "ia"),
            ("Li", "LI"),
            ("Nguyễn-Mai", "nguyễn"),
            ("Şen", "şEN"),
        ),
        *(("Susi", "ſuſi"), ("Jörn (Jo)", "jörn (jo)")),
    ],
)
def test_a_name_is_covered_in_any_case(name: str, written: str) -> None:
    covered = Redaction(Known(names=(name,)), LABELS).cover(f"ich bin {written}.")
    assert covered == f"ich bin [{LABELS['name']}]."


def test_no_number_is_too_short_to_be_looked_for() -> None:
    shortest = min(
        length
        for region in phonenumbers.SUPPORTED_REGIONS
        if (known := phonenumbers.PhoneMetadata.metadata_for_region(region)) is not None
        for length in known.general_desc.possible_length
    )
    assert shortest == PHONE_DIGITS_MIN
    assert Redaction(Known(), LABELS).cover("Durchwahl 1640") == "Durchwahl [phone]"


def test_a_known_short_number_is_covered_with_its_digits_alone() -> None:
    short = Redaction(Known(addresses=("12345",), birth_date=date(1985, 3, 7)), LABELS)
    assert short.cover("Chat 12345") == "Chat [phone]"
    assert short.cover("7.3.85") == "[birth_date]"
