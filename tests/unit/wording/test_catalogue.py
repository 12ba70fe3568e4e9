"""The catalogue keeps the rules of tone and disclosure; the checker sees when it does not."""

from pathlib import Path

import pytest

from conversation.wording import CatalogueInvalid, check_catalogue
from conversation.wording.catalogue import read_catalogue

PHRASES = "reason:\n  other: {de: Das geht nicht ganz., en: Not quite.}\n"


def problems(tmp_path: Path, wording: str) -> list[str]:
    folder = tmp_path / "catalogue"
    folder.mkdir()
    (folder / "a.yml").write_text(wording, "utf-8")
    (tmp_path / "phrases.yml").write_text(PHRASES, "utf-8")
    return check_catalogue(read_catalogue(folder, tmp_path / "phrases.yml"))


def test_the_catalogue_keeps_every_rule() -> None:
    assert check_catalogue() == []


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
        ("a: {de: {sie: Bist du da, du: Bist du da}, en: Hello.}", "says du"),
        ("a: {de: {sie: Danke Ihnen., du: Danke Ihnen.}, en: Hello.}", "says Ihnen"),
        ("button_a: {de: Ein viel zu langer Knopf, en: OK}", "a label of"),
        ("a: {de: '" + "lang. " * 60 + "', en: OK}", "takes 3 SMS"),
        ("a: {de: '😀', en: OK}", "outside GSM-7"),
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
    ],
)
def test_a_broken_catalogue_is_not_loaded(tmp_path: Path, wording: str) -> None:
    with pytest.raises(CatalogueInvalid):
        problems(tmp_path, wording)
