"""The wording catalogue laid out for people: what each reader sees, measured, on one page."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from channels.choices import lettered
from channels.gsm7 import segments
from conversation.wording.catalogue import (
    ADDRESS_FORMS,
    LANGUAGES,
    STANDARD,
    Catalogue,
    Wording,
)
from conversation.wording.readability import GRADE_MAX, grade
from conversation.wording.samples import SAMPLE_MERCHANT, Reading, readings

PAGES = Path(__file__).parent / "pages"
_COLUMN_TITLES = {
    ("de", "sie"): "Deutsch, Sie",
    ("de", "du"): "Deutsch, du",
    ("en", "sie"): "English",
}
_BUTTON = "button_"
_GROUPS = {
    "opening": "First words and who we are",
    "verification": "Proving who one is",
    "claim": "What is open and why",
    "solution": "Paying, later, in parts",
    "care": "When something else comes first",
}
"""The catalogue's files in the order of a conversation."""


@dataclass(frozen=True, slots=True)
class Chosen:
    """What of the catalogue is shown; None stands for all."""

    language: str | None = None
    channel: str | None = None

    def shows(self, reading: Reading) -> bool:
        """Whether this text is among what was asked for."""
        if self.language is not None and reading.place.language != self.language:
            return False
        return self.channel is None or reading.place.sms == (self.channel == "sms")


@dataclass(frozen=True, slots=True)
class Shown:
    """One text; `labels` say for whom, `facts` how long and how hard it is."""

    text: str
    labels: tuple[str, ...]
    facts: tuple[str, ...]
    sms: bool


@dataclass(frozen=True, slots=True)
class Column:
    """The texts of a wording in one language and form of address."""

    language: str
    title: str
    texts: tuple[Shown, ...]
    buttons: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Entry:
    """One wording as it is reviewed."""

    name: str
    group: str
    purpose: str
    marks: tuple[str, ...]
    columns: tuple[Column, ...]


def entries(catalogue: Catalogue, chosen: Chosen, own: frozenset[str] = frozenset()) -> list[Entry]:
    """Every wording but the buttons, which stand under the messages that show them.

    `own` names the wordings that a merchant has put in other words.
    """
    order = {name: number for number, name in enumerate(_GROUPS)}
    shown = [
        wording for name, wording in catalogue.wordings.items() if not name.startswith(_BUTTON)
    ]
    shown.sort(key=lambda wording: order.get(wording.group, len(order)))
    return [_entry(wording, catalogue, chosen, wording.name in own) for wording in shown]


def page(found: Sequence[Entry], chosen: Chosen) -> str:
    """One self-contained HTML page: no request, no script."""
    environment = Environment(
        loader=FileSystemLoader(PAGES / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template("wording.html").render(
        groups=[(title, list(them)) for title, them in groupby(found, lambda one: one.group)],
        count=len(found),
        chosen=chosen,
        tokens=(PAGES / "static" / "tokens.css").read_text("utf-8"),
        merchant=SAMPLE_MERCHANT,
        grade_max=GRADE_MAX,
    )


def _entry(wording: Wording, catalogue: Catalogue, chosen: Chosen, own: bool) -> Entry:
    read = [one for one in readings(wording, catalogue) if chosen.shows(one)]
    return Entry(
        name=wording.name,
        group=_GROUPS.get(wording.group, wording.group),
        purpose=wording.purpose,
        marks=tuple(_marks(wording, own)),
        columns=tuple(_columns(wording, catalogue, read)),
    )


def _marks(wording: Wording, own: bool) -> Iterator[str]:
    if own:
        yield "merchant's own text"
    yield "names the claim: only after proof" if wording.discloses else "anybody may read it"
    if wording.restrained:
        yield "may not even hint at a claim"
    if wording.leads:
        yield "SMS and WhatsApp: stands above the text that follows"
    if wording.template:
        yield "WhatsApp: an approved template outside the 24 hours"
    if wording.long:
        yield f"SMS may be longer: {wording.long}"
    if wording.args:
        yield "given: " + ", ".join(wording.args)


def _columns(wording: Wording, catalogue: Catalogue, read: Sequence[Reading]) -> Iterator[Column]:
    before: dict[str, tuple[Shown, ...]] = {}
    for language in LANGUAGES:
        for form in ADDRESS_FORMS:
            labels = tuple(_labels(wording, catalogue, language, form))
            texts = tuple(
                _texts(
                    [
                        one
                        for one in read
                        if (one.place.language, one.place.form) == (language, form)
                    ],
                    labels,
                )
            )
            # English, and what needs no form of address, says the same to everybody.
            if not texts or texts == before.get(language):
                continue
            before[language] = texts
            title = _COLUMN_TITLES.get((language, form), f"{language} {form}")
            yield Column(language, title, texts, labels)


def _labels(wording: Wording, catalogue: Catalogue, language: str, form: str) -> Iterator[str]:
    for button in wording.buttons:
        for one in readings(catalogue.wordings[_BUTTON + button], catalogue):
            place = one.place
            # A label has short dates on every channel, as in an SMS.
            if (place.language, place.form, place.sms) == (language, form, True):
                yield one.text
                break


def _texts(read: Sequence[Reading], buttons: Sequence[str]) -> Iterator[Shown]:
    """Every text once: an SMS that reads like its chat message stands beside it no second time."""
    everywhere = {
        one.place._replace(sms=False)
        for one in read
        if one.place.sms and not buttons and _chat_text(one, read) == one.text
    }
    for one in read:
        same = one.place._replace(sms=False) in everywhere
        if not (one.place.sms and same):
            yield _shown(one, buttons, same)


def _chat_text(sms: Reading, read: Sequence[Reading]) -> str | None:
    place = sms.place._replace(sms=False)
    return next((one.text for one in read if one.place == place), None)


def _shown(reading: Reading, buttons: Sequence[str], everywhere: bool) -> Shown:
    place = reading.place
    text = lettered(reading.text, buttons) if place.sms and buttons else reading.text
    labels = ["chat and SMS" if everywhere else "SMS" if place.sms else "chat"]
    if place.tone != "warm":
        labels.append(place.tone)
    if place.variant != STANDARD:
        labels.append(f"variant {place.variant}")
    facts = []
    if place.sms or everywhere:
        facts.append(f"{segments(text)} SMS, {len(text)} characters")
    score = grade(reading.text, place.language)
    if score is not None:
        facts.append(f"school year {max(1.0, score):.0f}")
    return Shown(text, tuple(labels), tuple(facts), place.sms)
