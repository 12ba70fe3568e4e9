"""The wordings as data: read once from YAML, validated while reading, never half loaded."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import yaml
from jinja2 import StrictUndefined, Template, TemplateSyntaxError, meta
from jinja2.sandbox import ImmutableSandboxedEnvironment

from conversation.wording.formats import grouped

LANGUAGES = ("de", "en")
ADDRESS_FORMS = ("sie", "du")
TONES = ("warm", "plain", "firm")
KINDS = ("text", "count", "money", "date", "code", "codes", "rates", "claims", "answer_time")
_FOLDER = Path(__file__).parent
_SPEC_KEYS = {"discloses", "restrained", "long", "args", "de", "en", "sms", "template", *TONES}

_environment = ImmutableSandboxedEnvironment(
    undefined=StrictUndefined, autoescape=False, trim_blocks=True, lstrip_blocks=True
)
_environment.filters["grouped"] = grouped


class CatalogueInvalid(Exception):
    """The catalogue cannot be used; `problems` names every fault."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("; ".join(problems))
        self.problems = problems


@dataclass(frozen=True, slots=True)
class Text:
    """One text of a wording, compiled."""

    source: str
    template: Template
    names: frozenset[str]


@dataclass(frozen=True, slots=True)
class Wording:
    """One thing that can be said.

    `discloses` marks texts with facts of a claim: they are rendered for verified conversations
    only. `restrained` marks texts that go out unasked and may not even hint at a claim. `long`
    allows an SMS of more than two segments. `texts` is keyed by (tone, sms, language, form).
    """

    name: str
    discloses: bool
    restrained: bool
    long: bool
    args: Mapping[str, str]
    texts: Mapping[tuple[str, bool, str, str], Text]
    template: Mapping[str, Text] = field(default_factory=dict)

    def text(self, tone: str, sms: bool, language: str, form: str) -> Text:
        """The nearest text: own SMS form first, own tone first; warm stands in for any tone."""
        for wants_sms in (True, False) if sms else (False,):
            for wanted in dict.fromkeys((tone, "plain" if tone == "firm" else tone, "warm")):
                found = self.texts.get((wanted, wants_sms, language, form))
                if found is not None:
                    return found
        raise CatalogueInvalid([f"{self.name}: no text for {language} {form}"])

    @property
    def required(self) -> frozenset[str]:
        return frozenset(name for name, kind in self.args.items() if not kind.endswith("?"))


@dataclass(frozen=True, slots=True)
class Catalogue:
    """All wordings, button labels (wordings named ``button_…``) and words for codes."""

    wordings: Mapping[str, Wording]
    phrases: Mapping[str, Mapping[str, Mapping[tuple[str, str], str]]]

    def phrase(self, group: str, code: str, language: str, form: str) -> str:
        """The words for `code`. Raises KeyError when the catalogue does not know it."""
        return self.phrases[group][code][(language, form)]


def _compiled(source: str) -> Text:
    cleaned = source.strip()
    names = meta.find_undeclared_variables(_environment.parse(cleaned))
    return Text(cleaned, _environment.from_string(cleaned), frozenset(names))


def _by_form(spec: Mapping[str, Any]) -> Iterator[tuple[str, str, str]]:
    """(language, form, text) of a mapping with ``de`` and ``en``; a bare string suits all forms."""
    for language in LANGUAGES:
        texts = spec.get(language)
        for form in ADDRESS_FORMS:
            text = texts.get(form) if isinstance(texts, Mapping) else texts
            if isinstance(text, str):
                yield language, form, text


def _wording(name: str, spec: Mapping[str, Any], problems: list[str]) -> Wording:
    unknown = sorted(set(spec) - _SPEC_KEYS)
    if unknown:
        problems.append(f"{name}: unknown keys {', '.join(unknown)}")
    args = dict(spec.get("args") or {})
    for arg, kind in args.items():
        if kind.removesuffix("?").partition(":")[0] not in KINDS:
            problems.append(f"{name}: {arg} is of unknown kind {kind}")
    texts: dict[tuple[str, bool, str, str], Text] = {}
    sources = [("warm", False, spec), ("warm", True, spec.get("sms") or {})]
    sources += [(tone, False, spec[tone]) for tone in TONES if tone in spec]
    for tone, sms, source in sources:
        for language, form, text in _by_form(source):
            try:
                texts[(tone, sms, language, form)] = _compiled(text)
            except TemplateSyntaxError as fault:
                problems.append(f"{name}: {language} {form}: {fault.message}")
    for language in LANGUAGES:
        for form in ADDRESS_FORMS:
            if ("warm", False, language, form) not in texts:
                problems.append(f"{name}: no text for {language} {form}")
    for (_, _, language, form), compiled in texts.items():
        surplus = sorted(compiled.names - set(args) - {"m"})
        if surplus:
            problems.append(f"{name}: {language} {form} uses undeclared {', '.join(surplus)}")
    used = {name for compiled in texts.values() for name in compiled.names}
    unused = sorted(set(args) - used)
    if unused:
        problems.append(f"{name}: never uses {', '.join(unused)}")
    return Wording(
        name=name,
        discloses=bool(spec.get("discloses", False)),
        restrained=bool(spec.get("restrained", False)),
        long=bool(spec.get("long", False)),
        args=args,
        texts=texts,
        template={key: _compiled(text) for key, text in (spec.get("template") or {}).items()},
    )


def read_catalogue(folder: Path, phrases_file: Path) -> Catalogue:
    """Read every file of `folder`. Raises CatalogueInvalid with all problems at once."""
    problems: list[str] = []
    wordings: dict[str, Wording] = {}
    for path in sorted(folder.glob("*.yml")):
        for name, spec in yaml.safe_load(path.read_text("utf-8")).items():
            if name in wordings:
                problems.append(f"{name}: defined twice")
            wordings[name] = _wording(name, spec, problems)
    phrases = {
        group: {
            code: {(language, form): text for language, form, text in _by_form(spec)}
            for code, spec in codes.items()
        }
        for group, codes in yaml.safe_load(phrases_file.read_text("utf-8")).items()
    }
    if problems:
        raise CatalogueInvalid(problems)
    return Catalogue(wordings, phrases)


@cache
def load_catalogue() -> Catalogue:
    """The catalogue of this product, read once per process."""
    return read_catalogue(_FOLDER / "catalogue", _FOLDER / "phrases.yml")
