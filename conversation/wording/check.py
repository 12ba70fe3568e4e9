"""What is wrong with the catalogue: completeness, disclosure, length; tone stands beside."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Sequence

from jinja2 import TemplateError

from channels.gsm7 import is_gsm7, septets, to_gsm7
from conversation.wording.catalogue import (
    ADDRESS_FORMS,
    LANGUAGES,
    Catalogue,
    Text,
    Wording,
    load_catalogue,
)
from conversation.wording.render import SMS_SEGMENTS_MAX, VOICE_NAMES, sms_name
from conversation.wording.samples import (
    BARE_MERCHANT,
    WIDEST_LINK,
    WIDEST_MERCHANT,
    Reading,
    bare_args,
    readings,
    sample_args,
)
from conversation.wording.tone import NEVER, reading_problems, threat_in, tone_problems
from conversation.wording.voice import (
    DIRECT_CHARACTERS_MAX,
    NAME_CHARACTERS_MAX,
    MerchantVoice,
)

BUTTON_CHARACTERS_MAX = 20
"""WhatsApp quick replies (Twilio Content API, ``twilio/quick-reply``) carry no longer titles."""
SMS_SEGMENTS_LONG_MAX = 8

_CLAIM_KINDS = frozenset({"money", "rates", "claims"})
_OPEN_ARGS = frozenset(
    {
        *("facts", "missing", "language", "channel", "channels", "until", "answer_by", "received"),
        *("day", "bound", "clock", "clock_end", "part", "emergency", "helpline", "advice"),
        *("source", "here", "link", "digits", "code", "proof", "closed"),
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
_TELLING_NAME = re.compile(
    r"inkasso|forderung|mahn(?:wesen|abteilung|stelle)|schuld|\bdebt|receivable"
    r"|\bcollections?\s+(?:agency|service)|credit\s?(?:control|management)",
    re.IGNORECASE,
)
"""What in a sender's name says what the message is about."""
_VOICE = re.compile(r"\bm\.(\w+)")


def check_catalogue(catalogue: Catalogue | None = None) -> list[str]:
    """Every rule a text breaks, in words; empty when the catalogue is fit to be read."""
    checked = catalogue or load_catalogue()
    problems = list(_phrase_problems(checked))
    for wording in checked.wordings.values():
        problems += check_wording(wording, checked)
    return problems


def check_voice(voice: MerchantVoice) -> list[str]:
    """Why messages that go out unasked could not be written in this merchant's name, in words."""
    problems = []
    given = "alias" if voice.alias else "name"
    shown = sms_name(voice.public_name)
    if any(unicodedata.category(character) == "Cc" for character in voice.public_name):
        problems.append(f"{given}: has line breaks or other control characters")
    lost = [one for one in voice.public_name if one.isalpha() and not is_gsm7(to_gsm7(one))]
    if lost:
        problems.append(
            f"{given}: an SMS cannot write {', '.join(lost[:5])}; give an alias that it can"
        )
    elif not any(character.isalnum() for character in shown):
        problems.append(f"{given}: nothing of it can be written in an SMS; give an alias that can")
    elif septets(shown) > NAME_CHARACTERS_MAX:
        problems.append(
            f"{given}: takes more than {NAME_CHARACTERS_MAX} characters of an SMS; "
            "give a shorter alias"
        )
    if found := _TELLING_NAME.search(voice.public_name):
        problems.append(
            f"{given}: anybody who reads “{found.group()}” knows what the message is about; "
            "give a neutral alias"
        )
    if not voice.direct:
        problems.append(
            "phone, email: a first message names one of them; give at least one, and with an alias "
            "no mail address on the website"
        )
    elif not is_gsm7(voice.direct) or septets(voice.direct) > DIRECT_CHARACTERS_MAX:
        problems.append(
            f"email: takes more than {DIRECT_CHARACTERS_MAX} plain characters; give a phone"
        )
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
    problems += _unasked_problems(wording, catalogue)
    problems += [
        f"{wording.name} ({one.place}): empty where nothing optional is given"
        for one in bare
        if not one.text
    ]
    return problems


def _unasked_problems(wording: Wording, catalogue: Catalogue) -> Iterator[str]:
    """What a text that goes out unasked leaves out, or is too long for, for some shop."""
    if not (wording.restrained and "proof" in wording.args):
        return
    args = {**sample_args(wording, catalogue), "proof": WIDEST_LINK}
    for shop in (WIDEST_MERCHANT, BARE_MERCHANT):
        read = list(readings(wording, catalogue, args, merchant=shop))
        yield from _size_problems(wording, read)
        for one in read:
            needed = (shop.public_name, WIDEST_LINK, shop.direct, "STOP")
            for missing in (part for part in needed if part not in one.text):
                yield f"{wording.name} ({one.place}): a shop called {shop.name} misses {missing}"


def _phrase_problems(catalogue: Catalogue) -> Iterator[str]:
    for group, codes in catalogue.phrases.items():
        for code, texts in codes.items():
            if len(texts) != len(LANGUAGES) * len(ADDRESS_FORMS):
                yield f"phrase {group}.{code}: a language or form is missing"
            for text in texts.values():
                if found := NEVER.search(text):
                    yield f"phrase {group}.{code}: says {found.group()}"
                if threat := threat_in(text):
                    yield f"phrase {group}.{code}: threatens with {threat}"


def _group_problems(wording: Wording, catalogue: Catalogue) -> Iterator[str]:
    for kind in wording.args.values():
        name, _, group = kind.removesuffix("?").partition(":")
        if name in ("code", "codes") and group not in catalogue.phrases:
            yield f"{wording.name}: no phrases called {group}"
    if wording.leads and (wording.buttons or wording.template):
        yield f"{wording.name}: leads up to another text and has buttons or a template"
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
