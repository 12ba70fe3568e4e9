"""The catalogue keeps the rules of tone and disclosure; the checker sees when it does not."""

from pathlib import Path

import pytest

from conversation.wording import CatalogueInvalid, check_catalogue, load_catalogue
from conversation.wording.catalogue import read_catalogue
from conversation.wording.readability import GRADE_MAX, grade
from conversation.wording.samples import readings
from conversation.wording.tone import HARDER, laws

PHRASES = "reason:\n  other: {de: Das geht nicht ganz., en: Not quite.}\n"


def problems(tmp_path: Path, wording: str) -> list[str]:
    folder = tmp_path / "catalogue"
    folder.mkdir()
    (folder / "a.yml").write_text(wording, "utf-8")
    (tmp_path / "phrases.yml").write_text(PHRASES, "utf-8")
    return check_catalogue(read_catalogue(folder, tmp_path / "phrases.yml"))


def test_the_catalogue_keeps_every_rule() -> None:
    assert check_catalogue() == []


def test_every_wording_says_when_it_is_said() -> None:
    wordings = load_catalogue().wordings.values()
    assert [one.name for one in wordings if not one.purpose and one.group != "buttons"] == []


def test_what_outreach_will_learn_from_has_variants() -> None:
    wordings = load_catalogue().wordings
    for name in ("first_contact", "first_reminder", "ways"):
        for language, form in (("de", "sie"), ("de", "du"), ("en", "sie")):
            assert len(wordings[name].variants(language, form)) >= 2


def test_exceptions_from_the_reading_level_are_needed() -> None:
    catalogue = load_catalogue()
    for name in HARDER:
        over = [
            (grade(one.text, one.place.language) or 0) > GRADE_MAX[one.place.language]
            for one in readings(catalogue.wordings[name], catalogue)
        ]
        assert any(over), f"{name} needs no exception any more"


def test_the_laws_of_tone_name_wordings_that_exist() -> None:
    named = {name for _, row in laws() for name in row["wordings"]}
    assert named <= set(load_catalogue().wordings)


@pytest.mark.parametrize(
    ("wording", "problem"),
    [
        (
            "a: {args: {open: money}, de: '{{ open }}', en: '{{ open }}'}",
            "without disclosing",
        ),
        ("a: {de: 'Konto {{ m.iban }}', en: 'IBAN'}", "m.iban without disclosing"),
        ("a: {restrained: true, de: Es ist etwas offen., en: Hello.}", "hints at a claim"),
        ("a: {de: Sonst folgt die Mahnung., en: Hello.}", "says Mahnung"),
        ("a: {de: Sonst folgt der Mahnbescheid., en: Hello.}", "threatens with Mahnbescheid"),
        ("a: {de: Hallo., en: We will take legal action.}", "threatens with legal action"),
        ("a: {de: {sie: Bist du da, du: Bist du da}, en: Hello.}", "says du"),
        ("a: {de: {sie: Danke Ihnen., du: Danke Ihnen.}, en: Hello.}", "says Ihnen"),
        ("button_a: {de: Ein viel zu langer Knopf, en: OK}", "a label of"),
        ("a: {de: '" + "lang. " * 60 + "', en: OK}", "takes 3 SMS"),
        ("a: {de: '😀', en: OK}", "outside GSM-7"),
        ("a: {de: Hiermit melden wir uns., en: OK}", "says Hiermit"),
        ("a: {de: 'Geht es? Oder nicht?', en: OK}", "asks 2 questions"),
        ("a: {de: {sie: Ja, du: 'Ja, dann haben Sie Zeit'}, en: OK}", "says Sie"),
        ("a: {de: Der Betrag ist da., en: OK}", "uses Betrag without disclosing"),
        ("a: {args: {until: date}, de: '{{ until }}', en: OK}", "(en sie): leaves out until"),
        ("a: {de: '{{ m.reach }}', en: OK}", "(en sie): leaves out"),
        ("a: {de: '{{ m.colour }}', en: '{{ m.colour }}'}", "there is no m.colour"),
        ("a: {buttons: [gone], de: Ja, en: OK}", "there is no button_gone"),
        ("a: {de: '" + "und so " * 12 + "', en: OK}", "a sentence of 24 words"),
        (
            "a: {de: 'Zahlungsbestätigungen, Verwendungszwecke, Vertragsunterlagen, "
            + "Ansprechpartner " * 7
            + "', en: OK}",
            "reads like school year",
        ),
        ("crisis_help: {de: Das ist schlimm., en: That is bad.}", "crisis must say"),
        (
            "rate_missed: {de: 'Sie haben die Abmachung gebrochen.', en: You broke it.}",
            "missed_rate may not say gebroch",
        ),
        ("first_contact: {restrained: true, de: Hallo., en: Hello.}", "must say STOP"),
        (
            "a: {args: {why: 'code:moods'}, discloses: true, de: '{{ why }}', en: '{{ why }}'}",
            "moods",
        ),
    ],
)
def test_the_checker_sees_each_kind_of_fault(tmp_path: Path, wording: str, problem: str) -> None:
    assert any(problem in found for found in problems(tmp_path, wording))


@pytest.mark.parametrize(
    "wording",
    [
        "a: {de: Hallo.}",
        "a: {de: '{{ nobody }}', en: Hello.}",
        "a: {args: {x: text}, de: Hallo., en: Hello.}",
        "a: {args: {x: colour}, de: '{{ x }}', en: '{{ x }}'}",
        "a: {de: '{% if %}', en: Hello.}",
        "a: {de: {Sie: Hallo., du: Hallo.}, en: Hello.}",
        "a: {de: Hallo., en: Hello., sms: {ed: Hallo.}}",
        "a: {de: Hallo., en: Hello., variants: {b: {de: Moin.}}}",
        "a: {de: Hallo., en: Hello., variants: {standard: {de: Moin., en: Hi.}}}",
    ],
)
def test_a_broken_catalogue_is_not_loaded(tmp_path: Path, wording: str) -> None:
    with pytest.raises(CatalogueInvalid):
        problems(tmp_path, wording)
