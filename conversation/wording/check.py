"""What is wrong with the catalogue: completeness, disclosure, length; tone stands beside."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from jinja2 import TemplateError

from channels.gsm7 import is_gsm7, to_gsm7
from conversation.wording.catalogue import (
    ADDRESS_FORMS,
    LANGUAGES,
    Catalogue,
    Text,
    Wording,
    load_catalogue,
)
from conversation.wording.render import VOICE_NAMES
from conversation.wording.samples import Reading, bare_args, readings, sample_args
from conversation.wording.tone import NEVER, reading_problems, tone_problems

BUTTON_CHARACTERS_MAX = 20
"""WhatsApp quick replies (Twilio Content API, ``twilio/quick-reply``) carry no longer titles."""
SMS_SEGMENTS_MAX = 2
SMS_SEGMENTS_LONG_MAX = 8

_CLAIM_KINDS = frozenset({"money", "rates", "claims"})
_OPEN_ARGS = frozenset(
    {
        *("facts", "missing", "language", "channel", "until", "answer_by", "received"),
        *("link", "digits", "code"),
        *("day", "bound", "clock", "clock_end", "part", "emergency", "helpline"),
    }
)
"""What a text may be given that is shown to somebody who has proved nothing."""
_DISCLOSING_VOICE = re.compile(r"\bm\.(name|iban|bic|payee)\b")
_CLAIM_WORDS = re.compile(
    r"[€$£]|\b(rechnung|betrag|bezahl|zahlung|zahlen|zahlst|überweis|raten?\b|zinsen|vereinbar"
    r"|invoice|amount|payment|pay\b|paid|owe|instalment|interest\b|balance)",
    re.IGNORECASE,
)
"""What gives a claim away: no text says it that does not disclose."""
_VOICE = re.compile(r"\bm\.(\w+)")


def check_catalogue(catalogue: Catalogue | None = None) -> list[str]:
    """Every rule a text breaks, in words; empty when the catalogue is fit to be read."""
    checked = catalogue or load_catalogue()
    problems = list(_phrase_problems(checked))
    for wording in checked.wordings.values():
        problems += check_wording(wording, checked)
    return problems


def check_wording(wording: Wording, catalogue: Catalogue, like: Wording | None = None) -> list[str]:
    """The rules one wording breaks; it must say what `like` says, where that is given."""
    problems = list(_group_problems(wording, catalogue))
    if problems:
        return problems
    problems += _disclosure_problems(wording)
    problems += _complete_problems(wording, like or wording)
    problems += tone_problems(wording)
    try:
        read = list(readings(wording, catalogue, sample_args(wording, catalogue)))
        bare = list(readings(wording, catalogue, bare_args(wording, catalogue)))
    except (TemplateError, TypeError, ValueError) as fault:
        return [*problems, f"{wording.name}: cannot be rendered: {fault}"]
    problems += reading_problems(wording, read)
    problems += _size_problems(wording, read)
    problems += [
        f"{wording.name} ({one.place}): empty where nothing optional is given"
        for one in bare
        if not one.text
    ]
    return problems


def _phrase_problems(catalogue: Catalogue) -> Iterator[str]:
    for group, codes in catalogue.phrases.items():
        for code, texts in codes.items():
            if len(texts) != len(LANGUAGES) * len(ADDRESS_FORMS):
                yield f"phrase {group}.{code}: a language or form is missing"
            for text in texts.values():
                if found := NEVER.search(text):
                    yield f"phrase {group}.{code}: says {found.group()}"


def _group_problems(wording: Wording, catalogue: Catalogue) -> Iterator[str]:
    for kind in wording.args.values():
        name, _, group = kind.removesuffix("?").partition(":")
        if name in ("code", "codes") and group not in catalogue.phrases:
            yield f"{wording.name}: no phrases called {group}"
    for button in wording.buttons:
        if f"button_{button}" not in catalogue.wordings:
            yield f"{wording.name}: there is no button_{button}"


def _disclosure_problems(wording: Wording) -> Iterator[str]:
    if wording.discloses:
        return
    for arg, kind in wording.args.items():
        if arg not in _OPEN_ARGS or kind.removesuffix("?") in _CLAIM_KINDS:
            yield f"{wording.name}: takes {arg} without disclosing"
    for place, text in wording.texts.items():
        for pattern in (_DISCLOSING_VOICE, _CLAIM_WORDS):
            if found := pattern.search(text.source):
                where = f"{wording.name} ({place})"
                yield f"{where}: uses {found.group().strip()} without disclosing"


def _complete_problems(wording: Wording, like: Wording) -> Iterator[str]:
    """Texts that leave out an argument, or a fact about the shop that `like` gives."""
    voices = _voice(like.text("warm", False, LANGUAGES[0], ADDRESS_FORMS[0]))
    for place, text in wording.texts.items():
        where = f"{wording.name} ({place})"
        for missing in sorted(set(wording.args) - text.names):
            yield f"{where}: leaves out {missing}"
        for missing in sorted(voices - _voice(text)):
            yield f"{where}: leaves out m.{missing}"
        for unknown in sorted(_voice(text) - VOICE_NAMES):
            yield f"{where}: there is no m.{unknown}"


def _voice(text: Text) -> set[str]:
    return set(_VOICE.findall(text.source))


def _size_problems(wording: Wording, read: Sequence[Reading]) -> Iterator[str]:
    limit = SMS_SEGMENTS_LONG_MAX if wording.long else SMS_SEGMENTS_MAX
    for reading in read:
        where = f"{wording.name} ({reading.place})"
        if not reading.place.sms:
            continue
        # A label has short dates on every channel, as an SMS has.
        if wording.name.startswith("button_") and len(reading.text) > BUTTON_CHARACTERS_MAX:
            yield f"{where}: a label of {len(reading.text)} characters"
        if not is_gsm7(to_gsm7(reading.source.source)):
            yield f"{where}: an SMS of it would need letters outside GSM-7"
        if reading.segments > limit:
            yield f"{where}: takes {reading.segments} SMS ({len(reading.text)} characters)"
