"""Threats are refused wherever they stand; what only looks like one is not."""

import pytest

from conversation.wording import OverridesRefused, checked_overrides, load_catalogue
from conversation.wording.tone import SPEAKS_OF, threat_in

ORDERS = [
    "Sonst beantragen wir einen Mahnbescheid.",
    "Es folgt ein Vollstreckungsbescheid.",
    "Dann kommt der Gerichtsvollzieher zu Ihnen.",
    "Wir gehen vor Gericht.",
    "Das Amtsgericht schreibt Ihnen dann.",
    "Das geht ins gerichtliche Mahnverfahren.",
    "Wir werden Sie verklagen.",
    "Uns bleibt nur die Klage.",
    "Eine Lohnpfändung wäre die Folge.",
    "Ihr Konto wird gepfändet.",
    "Die Zwangsvollstreckung droht.",
    "Otherwise we will go to court.",
    "A bailiff may call on you.",
]
OTHERS = [
    "Wir melden Sie der SCHUFA.",
    "Ein Schufa-Eintrag folgt.",
    "Das gibt einen Negativeintrag.",
    "Ihre Bonität leidet.",
    "Wir melden das einer Auskunftei.",
    "Dann übernimmt ein Inkassobüro.",
    "Wir leiten rechtliche Schritte ein.",
    "Wir stellen Strafanzeige.",
    "We will pass this to a collection agency.",
    "This will hurt your credit score.",
    "We will take legal action.",
    "We may sue you.",
]
LAWYERS = [
    "Unser Rechtsanwalt schreibt Ihnen.",
    "Das macht jetzt die Kanzlei.",
    "Our solicitors will write.",
]
HARMLESS = [
    "Wir haben die Ratenzahlung für Sie eingerichtet.",
    "Ihre Nachricht ist an uns gerichtet.",
    "Wir sind für Sie da und geben Ihnen Bescheid.",
    "Ein Mensch aus unserem Team weiß Bescheid.",
    "Eine außergerichtliche Einigung hilft oft weiter, sagt die Schuldnerberatung.",
    "Danke für die Pfandflaschen, die Pfänder sind verrechnet.",
    "Ihre Reklamation prüfen wir.",
    "Wir haben Ihnen 20 Euro gutgeschrieben.",
    "We have credited your account; here is the credit note.",
    "Sue from our team will write to you.",
    "Thank you for your courtesy.",
    "You can pay by credit card.",
]


def refused(name: str, text: str) -> list[str]:
    """What is wrong with a merchant's own text of this name."""
    try:
        checked_overrides({name: {"de": {"sie": text}, "en": text}})
    except OverridesRefused as problems:
        return problems.problems
    return []


@pytest.mark.parametrize("text", [*ORDERS, *OTHERS, *LAWYERS])
@pytest.mark.parametrize(
    "name", ["first_contact", "welcome", "claim_explained", "rate_missed", "consequences_agreement"]
)
def test_a_threat_is_refused_in_every_message(name: str, text: str) -> None:
    assert any("threatens with" in problem for problem in refused(name, text)), text


@pytest.mark.parametrize("text", HARMLESS)
def test_what_only_looks_like_a_threat_is_none(text: str) -> None:
    assert threat_in(text) is None
    assert refused("welcome", text) == [] or "threatens" not in " ".join(refused("welcome", text))


@pytest.mark.parametrize("text", ORDERS)
def test_who_asks_what_follows_may_be_told_what_the_law_provides(text: str) -> None:
    assert threat_in(text, "consequences") is None


@pytest.mark.parametrize("text", [*OTHERS, *LAWYERS])
def test_no_answer_threatens_with_what_the_law_does_not_provide(text: str) -> None:
    assert threat_in(text, "consequences")


def test_an_honest_answer_is_taken_and_a_pushing_one_is_not() -> None:
    honest = (
        "Von heute auf morgen passiert nichts. Bleibt der Betrag lange offen, sieht das Gesetz ein "
        "Verfahren mit Mahnbescheid vor.{% if in_default %} Zinsen kommen dazu.{% endif %} Lassen "
        "Sie uns vorher eine Lösung finden. Was wäre Ihnen lieber?"
    )
    assert [
        one for one in refused("consequences", honest) if one.startswith("consequences (de")
    ] == []
    pushing = "Zahlen Sie sofort, sonst kommt der Mahnbescheid.{% if in_default %} Ja.{% endif %}"
    found = " ".join(refused("consequences", pushing))
    assert "what_may_follow may not say sofort" in found
    assert "what_may_follow must say" in found


def test_a_customers_own_lawyer_may_be_spoken_of() -> None:
    text = "Danke. Wir schreiben künftig an Ihre Anwältin oder Ihren Anwalt."
    assert threat_in(text, "represented_noted") is None
    assert threat_in(text, "welcome")


def test_texts_that_may_name_them_exist_and_only_who_has_proved_it_is_told_of_courts() -> None:
    wordings = load_catalogue().wordings
    assert set(SPEAKS_OF) <= set(wordings)
    assert all(wordings[name].discloses for name, kind in SPEAKS_OF.items() if kind == "court")
