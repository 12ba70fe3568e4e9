"""How hard a text is to read."""

import pytest

from conversation.wording.readability import grade, longest_sentence, sentences, syllables


@pytest.mark.parametrize(
    ("word", "language", "count"),
    [
        ("Rechnung", "de", 2),
        ("überweisen", "de", 4),
        ("Bäuerin", "de", 3),
        ("bezahlen", "de", 3),
        ("hm", "de", 1),
        ("payment", "en", 2),
        ("make", "en", 1),
        ("little", "en", 2),
        ("asked", "en", 1),
        ("automated", "en", 4),
    ],
)
def test_syllables(word: str, language: str, count: int) -> None:
    assert syllables(word, language) == count


def test_amounts_dates_and_addresses_are_not_read_as_words() -> None:
    text = "Bis zum 15. Dezember 2026 sind 1.234,56 € offen. Hilfe: www.linde.example, z. B. heute."
    assert sentences(text) == [
        ["Bis", "zum", "Dezember", "sind", "offen"],
        ["Hilfe"],
        ["heute"],
    ]


def test_a_line_ends_a_sentence() -> None:
    assert longest_sentence("Rate am 15.01.2027: 20,00 €\nRate am 15.02.2027: 20,00 €") == 2


def test_what_an_office_writes_is_harder_than_what_a_person_writes() -> None:
    office = (
        "Hinsichtlich der vorbezeichneten Zahlungsverpflichtung ersuchen wir um unverzügliche "
        "Begleichung des Gesamtbetrages unter Angabe des Verwendungszweckes."
    )
    person = "Von Ihrer Rechnung ist noch etwas offen. Wann passt es Ihnen, sie zu bezahlen?"
    hard, easy = grade(office, "de"), grade(person, "de")
    assert hard is not None
    assert easy is not None
    assert hard > 12
    assert easy < 5


def test_a_few_words_have_no_grade() -> None:
    assert grade("Danke, das passt.", "de") is None
