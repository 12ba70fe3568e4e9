"""The wordings as data: read once from YAML, validated while reading, never half loaded."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Set
from dataclasses import dataclass, field
from functools import cache, lru_cache
from pathlib import Path
from typing import Any, NamedTuple

import yaml
from jinja2 import StrictUndefined, Template, TemplateSyntaxError, meta, nodes
from jinja2.sandbox import ImmutableSandboxedEnvironment

from conversation.wording.formats import grouped

LANGUAGES = ("de", "en")
ADDRESS_FORMS = ("sie", "du")
TONES = ("warm", "plain", "firm")
KINDS = ("text", "count", "money", "date", "code", "codes", "rates", "claims", "answer_time")
_FOLDER = Path(__file__).parent
STANDARD = "standard"
"""The variant that every wording has; others stand under ``variants``."""
TEXT_KEYS = frozenset({"de", "en", "sms", "variants", *TONES})
_SPEC_KEYS = TEXT_KEYS | {
    "discloses",
    "restrained",
    "leads",
    "long",
    "args",
    "purpose",
    "buttons",
    "template",
}

PAGE = "page"
_ALWAYS_THERE = frozenset({"m", "roomy", PAGE})
"""Names every text may use: the merchant, whether an SMS has room for more than it must say, and
the link to the customer's page ("" where none is given)."""

_environment = ImmutableSandboxedEnvironment(
    undefined=StrictUndefined, autoescape=False, trim_blocks=True, lstrip_blocks=True
)
_environment.filters["grouped"] = grouped


class CatalogueInvalid(Exception):
    """The catalogue cannot be used; `problems` names every fault."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("; ".join(problems))
        self.problems = problems


class Place(NamedTuple):
    """Where a text stands in its wording: which reader of which channel it is for."""

    variant: str
    tone: str
    sms: bool
    language: str
    form: str

    def __str__(self) -> str:
        """``de sie sms``: tone and variant are named where they are not the usual ones."""
        unusual = [
            "" if self.tone == "warm" else self.tone,
            "sms" if self.sms else "",
            "" if self.variant == STANDARD else self.variant,
        ]
        return " ".join(word for word in (self.language, self.form, *unusual) if word)

    @classmethod
    def read(cls, told: str) -> Place:
        """The place that is named so. Raises ``ValueError`` where it is none."""
        language, form, *unusual = told.split(" ")
        tone = next((word for word in unusual if word in TONES), "warm")
        rest = [word for word in unusual if word not in (tone, "sms")]
        place = cls(rest[0] if rest else STANDARD, tone, "sms" in unusual, language, form)
        if str(place) != told:
            raise ValueError(f"no place of a text: {told}")
        return place


@dataclass(frozen=True, slots=True)
class Text:
    """One text of a wording, its syntax checked; compiled when it is first said."""

    source: str
    names: frozenset[str]

    @property
    def template(self) -> Template:
        return _template(self.source)


@dataclass(frozen=True, slots=True)
class Wording:
    """One thing that can be said; `purpose` says to reviewers when.

    `discloses` marks texts with facts of a claim: they are rendered for verified conversations
    only. `restrained` marks texts that go out unasked and may not even hint at a claim. `leads`
    marks texts that only lead up to the next one. `long` is the reason why an SMS of it, with its
    choices, may have more than two segments.
    """

    name: str
    purpose: str
    discloses: bool
    restrained: bool
    long: str
    args: Mapping[str, str]
    texts: Mapping[Place, Text]
    buttons: tuple[str, ...] = ()
    """What it is usually shown with (``button_<name>``), for reviewers; the dialogue decides."""
    leads: bool = False
    group: str = ""
    """The file it stands in."""
    template: Mapping[str, Text] = field(default_factory=dict)

    def text(self, tone: str, sms: bool, language: str, form: str, variant: str = STANDARD) -> Text:
        """The nearest text: own variant, then own SMS form, then own tone.

        Plain stands in for firm, and warm for any tone.
        """
        for given in dict.fromkeys((variant, STANDARD)):
            for wants_sms in (True, False) if sms else (False,):
                for wanted in dict.fromkeys((tone, "plain" if tone == "firm" else tone, "warm")):
                    found = self.texts.get(Place(given, wanted, wants_sms, language, form))
                    if found is not None:
                        return found
        raise CatalogueInvalid([f"{self.name}: no text for {language} {form}"])

    def variants(self, language: str, form: str) -> tuple[str, ...]:
        """Names of the variants for one kind of reader, the standard one first."""
        names = (
            place.variant
            for place in self.texts
            if (place.language, place.form) == (language, form)
        )
        return tuple(dict.fromkeys((STANDARD, *names)))

    @property
    def carries_page(self) -> bool:
        """Whether one of its texts leads to the customer's page."""
        return any(PAGE in text.names for text in self.texts.values())

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


def parsed(source: str) -> nodes.Template:
    """The syntax tree of a text's template."""
    return _environment.parse(source)


_TEXT_THEN_TAG = re.compile(r"(?m)^(?!\s*\{%[^%]*%\}\s*$)(.*%\})$")
"""A line of text that ends with a tag: ``trim_blocks`` would swallow its line end."""


def _text(source: str) -> Text:
    cleaned = _TEXT_THEN_TAG.sub(r"\1\n", source.strip()).strip()
    return Text(cleaned, frozenset(meta.find_undeclared_variables(parsed(cleaned))))


@lru_cache(maxsize=4096)
def _template(source: str) -> Template:
    return _environment.from_string(source)


def _loaded(path: Path) -> Any:
    """YAML as `yaml.safe_load` reads it, ten times faster."""
    return yaml.load(path.read_text("utf-8"), Loader=yaml.CSafeLoader)


def _by_form(spec: Mapping[str, Any]) -> Iterator[tuple[str, str, str]]:
    """(language, form, text) of a mapping with ``de`` and ``en``; a bare string suits all forms."""
    for language in LANGUAGES:
        texts = spec.get(language)
        for form in ADDRESS_FORMS:
            text = texts.get(form) if isinstance(texts, Mapping) else texts
            if isinstance(text, str):
                yield language, form, text


def shape_problems(name: str, spec: Mapping[str, Any]) -> Iterator[str]:
    """Keys and values that nobody would read, such as a language or form with a typo."""
    for key, value in spec.items():
        if key in LANGUAGES:
            forms = value if isinstance(value, Mapping) else {"sie": value}
            for form, text in forms.items():
                if form not in ADDRESS_FORMS:
                    yield f"{name}: {key} has no form of address called {form}"
                elif not isinstance(text, str):
                    yield f"{name}: {key} {form} is no text"
        elif key == "sms" or key in TONES:
            yield from _nested_problems(name, key, value, {*LANGUAGES, "sms"} - {key})
        elif key == "variants":
            for variant, given in value.items() if isinstance(value, Mapping) else ():
                yield from _nested_problems(f"{name}.{variant}", key, given, TEXT_KEYS - {key})
            if not isinstance(value, Mapping) or STANDARD in value:
                yield f"{name}: variants need names of their own"


def _nested_problems(name: str, key: str, value: Any, known: Set[str]) -> Iterator[str]:
    if not isinstance(value, Mapping):
        yield f"{name}: {key} holds no texts by language"
        return
    if unknown := sorted(set(value) - known):
        yield f"{name}: {key} has unknown keys {', '.join(unknown)}"
    yield from shape_problems(name, value)


def read_texts(name: str, spec: Mapping[str, Any], problems: list[str]) -> dict[Place, Text]:
    """All texts of a wording's data; faults of syntax are added to `problems`."""
    texts: dict[Place, Text] = {}
    variants = [(STANDARD, spec), *(spec.get("variants") or {}).items()]
    for variant, given in variants:
        sources = [("warm", False, given), ("warm", True, given.get("sms") or {})]
        for tone in TONES:
            toned = given.get(tone) or {}
            sources += [(tone, False, toned), (tone, True, toned.get("sms") or {})]
        for tone, sms, source in sources:
            for language, form, text in _by_form(source):
                try:
                    texts[Place(variant, tone, sms, language, form)] = _text(text)
                except TemplateSyntaxError as fault:
                    place = Place(variant, tone, sms, language, form)
                    problems.append(f"{name} ({place}): {fault.message}")
    return texts


def surplus_names(name: str, args: Mapping[str, str], texts: Mapping[Place, Text]) -> Iterator[str]:
    """Names that texts use although the wording does not declare them."""
    for place, compiled in texts.items():
        if surplus := sorted(compiled.names - set(args) - _ALWAYS_THERE):
            yield f"{name} ({place}): uses undeclared {', '.join(surplus)}"


def _wording(name: str, group: str, spec: Mapping[str, Any], problems: list[str]) -> Wording:
    unknown = sorted(set(spec) - _SPEC_KEYS)
    if unknown:
        problems.append(f"{name}: unknown keys {', '.join(unknown)}")
    problems += shape_problems(name, spec)
    args = dict(spec.get("args") or {})
    for arg, kind in args.items():
        if kind.removesuffix("?").partition(":")[0] not in KINDS:
            problems.append(f"{name}: {arg} is of unknown kind {kind}")
    texts = read_texts(name, spec, problems)
    for variant in dict.fromkeys((STANDARD, *(spec.get("variants") or {}))):
        for language in LANGUAGES:
            for form in ADDRESS_FORMS:
                if Place(variant, "warm", False, language, form) not in texts:
                    problems.append(f"{name}: no {variant} text for {language} {form}")
    problems += surplus_names(name, args, texts)
    used = {name for compiled in texts.values() for name in compiled.names}
    unused = sorted(set(args) - used)
    if unused:
        problems.append(f"{name}: never uses {', '.join(unused)}")
    return Wording(
        name=name,
        purpose=str(spec.get("purpose", "")),
        discloses=bool(spec.get("discloses", False)),
        restrained=bool(spec.get("restrained", False)),
        long=str(spec.get("long") or ""),
        args=args,
        texts=texts,
        buttons=tuple(spec.get("buttons") or ()),
        leads=bool(spec.get("leads", False)),
        group=group,
        template={key: _text(text) for key, text in (spec.get("template") or {}).items()},
    )


def read_catalogue(folder: Path, phrases_file: Path) -> Catalogue:
    """Read every file of `folder`. Raises CatalogueInvalid with all problems at once."""
    problems: list[str] = []
    wordings: dict[str, Wording] = {}
    for path in sorted(folder.glob("*.yml")):
        for name, spec in _loaded(path).items():
            if name in wordings:
                problems.append(f"{name}: defined twice")
            wordings[name] = _wording(name, path.stem, spec, problems)
    phrases = {
        group: {
            code: {(language, form): text for language, form, text in _by_form(spec)}
            for code, spec in codes.items()
        }
        for group, codes in _loaded(phrases_file).items()
    }
    if problems:
        raise CatalogueInvalid(problems)
    return Catalogue(wordings, phrases)


@cache
def load_catalogue() -> Catalogue:
    """The catalogue of this product, read once per process."""
    return read_catalogue(_FOLDER / "catalogue", _FOLDER / "phrases.yml")
