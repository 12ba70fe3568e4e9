"""The tone of a text, as far as a machine can hear it: words, forms, questions, reading level."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from conversation.wording.catalogue import Wording
from conversation.wording.readability import (
    GRADE_MAX,
    SENTENCE_WORDS_MAX,
    grade,
    longest_sentence,
)
from conversation.wording.samples import Reading

NEVER = re.compile(
    r"\b(mahnung(?:en)?|forderung|abgelehnt|letztmalig|unverzüglich|säumig\w*|zahlungsverzug"
    r"|debt\w*|rejected|arrears|overdue|final notice|delinquent)\b|installment"
    r"|\bschuld(?!nerberatung|enberatung|en\.(?:de|ch)\b)",
    re.IGNORECASE,
)
"""No text says these: jargon, and words that reduce a person to a debt."""
_COURT = (
    # „Gericht“, but neither „eingerichtet“ nor „außergerichtlich“, which is help.
    r"(?:amts|land|mahn)?gericht(?:s\w*|lich\w*|e[ns]?)?|mahnbescheid\w*|mahnverfahren\w*"
    r"|klage|klagen|verklag\w*|eingeklagt|einklag\w*|rechtsweg\w*|titulier\w*"
    r"|(?:zwangs)?vollstreck\w*|zwangsversteiger\w*|\w*pfänd(?!er\b|ern\b)\w+"
    r"|vermögensauskunft|offenbarungseid|haftbefehl\w*"
    r"|courts?|lawsuits?|bailiffs?|garnish\w*|attachment of earnings"
    r"|enforcement (?:agents?|officers?|actions?|orders?|proceedings)"
)
"""What the law provides where somebody never pays."""
_LAWYER = r"(?:rechts)?anw[aä]lt\w*|kanzlei\w*|lawyers?|solicitors?|attorneys?"
_OTHERS = (
    r"inkasso\w*|schufa\w*|(?:wirtschafts)?auskunftei\w*|negativeintr[aä]g\w*|bonität\w*"
    r"|kreditwürdigkeit|(?:rechtliche|juristische)[nr]? (?:schritt|maßnahme|konsequenz|folge)\w*"
    r"|strafe|strafbar\w*|strafanzeige\w*|penalty|legal (?:action|steps|measures|proceedings)"
    r"|collections? agenc\w+|credit (?:agenc\w+|bureaus?|reference|ratings?|scores?|files?|reports?"
    r"|records?|history)|sue you|suing you"
)
_THREATS = {
    kind: re.compile(rf"\b(?:{words})\b", re.IGNORECASE)
    for kind, words in (("court", _COURT), ("lawyer", _LAWYER), ("others", _OTHERS))
}
SPEAKS_OF: Mapping[str, str] = {"consequences": "court", "represented_noted": "lawyer"}
"""Texts that may name what is a threat anywhere else: the answer to who asked for it after proof,
and that to a customer whose lawyer acts for them. A credit agency is none of what the law provides.
"""
_STIFF = re.compile(
    r"\b(bezüglich|diesbezüglich|hinsichtlich|gemäß|seitens|hiermit|umgehend|widrigenfalls"
    r"|entsprechend|betreffend|anbei|nachfolgend|obig\w*|etwaig\w*|bitten wir|in kenntnis"
    r"|hereby|pursuant|aforementioned|kindly|forthwith|please be advised|in respect of"
    r"|failure to|must immediately)\b",
    re.IGNORECASE,
)
"""The words of an office."""
_ALARMING = re.compile(
    r"\b(rechnung|betrag|bezahl|zahlung|offen|forderung|mahn|inkasso|gericht|anwalt|schufa|frist"
    r"|sofort|dringend|letzte|kosten|invoice|amount|payment|pay|owe|overdue|court|lawyer|claim"
    r"|collection|credit|deadline|urgent|immediately|final)",
    re.IGNORECASE,
)
"""What a restrained text may not even hint at."""
_INFORMAL = re.compile(r"\b(du|dir|dich|dein\w*)\b")
_FORMAL = re.compile(r"\b(Ihnen|Ihre[nmrs]?|Ihr)\b|(?<=[a-zäöüß,] )Sie\b")
QUESTIONS_MAX = 1

_NAMES_OF_FACTS = "names of facts (Rechnungsnummer …) stand on the customer's papers like that"
HARDER: Mapping[str, str] = {
    "introduction": "one short sentence; „automatischer Assistent“ is what has to be said",
    "verification_needed": _NAMES_OF_FACTS,
    "verification_lapsed": _NAMES_OF_FACTS,
}
"""Wordings that may be harder to read than the bound, with the reason."""


@cache
def laws() -> tuple[tuple[str, Mapping[str, Any]], ...]:
    """The rows of ``tone.yml``: name, and what its wordings must and may never say."""
    loaded = yaml.safe_load(Path(__file__).with_name("tone.yml").read_text("utf-8"))
    return tuple(loaded.items())


def tone_problems(wording: Wording) -> Iterator[str]:
    """What the texts of a wording say that they may not, whatever the arguments."""
    for place, text in wording.texts.items():
        where = f"{wording.name} ({place})"
        for pattern in (NEVER, _STIFF):
            if found := pattern.search(text.source):
                yield f"{where}: says {found.group()}"
        if threat := threat_in(text.source, wording.name):
            yield f"{where}: threatens with {threat}"
        if wording.restrained and (found := _ALARMING.search(text.source)):
            yield f"{where}: hints at a claim with {found.group()}"
        if place.language == "de" and place.form == "sie":
            if found := _INFORMAL.search(text.source):
                yield f"{where}: says {found.group()}"
        elif place.language == "de" and (found := _FORMAL.search(text.source)):
            yield f"{where}: says {found.group()}"


def threat_in(text: str, name: str = "") -> str | None:
    """The words of a text with this name by which it threatens, if any."""
    found = (
        pattern.search(text) for kind, pattern in _THREATS.items() if kind != SPEAKS_OF.get(name)
    )
    return next((one.group() for one in found if one), None)


def reading_problems(wording: Wording, read: Sequence[Reading]) -> Iterator[str]:
    """What is wrong with the texts as a reader sees them, with all their arguments."""
    for reading in read:
        where, language = f"{wording.name} ({reading.place})", reading.place.language
        for law, row in laws():
            if wording.name in row["wordings"]:
                yield from _law_problems(f"{where}: {law}", row, reading.text, language)
        if reading.text.count("?") > QUESTIONS_MAX:
            yield f"{where}: asks {reading.text.count('?')} questions"
        if wording.name in HARDER:
            continue
        found = grade(reading.text, language)
        if found is not None and found > GRADE_MAX[language]:
            yield f"{where}: reads like school year {found:.1f}"
        if (words := longest_sentence(reading.text)) > SENTENCE_WORDS_MAX:
            yield f"{where}: a sentence of {words} words"


def _law_problems(where: str, row: Mapping[str, Any], text: str, language: str) -> Iterator[str]:
    for pattern in row.get("must", {}).get(language, ()):
        if not re.search(pattern, text, re.IGNORECASE):
            yield f"{where} must say {pattern.strip()}"
    for pattern in row.get("never", {}).get(language, ()):
        if found := re.search(pattern, text, re.IGNORECASE):
            yield f"{where} may not say {found.group()}"
