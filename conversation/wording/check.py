"""What is wrong with the catalogue: the rules of tone and disclosure that a machine can check."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from channels.gsm7 import is_gsm7, segments, to_gsm7
from conversation.wording.catalogue import (
    ADDRESS_FORMS,
    LANGUAGES,
    TONES,
    Catalogue,
    Wording,
    load_catalogue,
)
from conversation.wording.render import render
from conversation.wording.voice import MerchantVoice

BUTTON_CHARACTERS_MAX = 20
"""WhatsApp quick replies (Twilio Content API, ``twilio/quick-reply``) carry no longer titles."""
SMS_SEGMENTS_MAX = 2
SMS_SEGMENTS_LONG_MAX = 8

_CLAIM_KINDS = frozenset({"money", "rates", "claims"})
_OPEN_ARGS = frozenset(
    {"facts", "missing", "language", "channel", "until", "answer_by", "received"}
)
"""What a text may be given that is shown to somebody who has proved nothing."""
_DISCLOSING_VOICE = re.compile(r"\bm\.(name|iban|bic|payee)\b")
_ALARMING = re.compile(
    r"\b(rechnung|betrag|bezahl|zahlung|offen|forderung|mahn|inkasso|gericht|anwalt|schufa|frist"
    r"|sofort|dringend|letzte|kosten|invoice|amount|payment|pay|owe|overdue|court|lawyer|claim"
    r"|collection|credit|deadline|urgent|immediately|final)",
    re.IGNORECASE,
)
_NEVER = re.compile(
    r"\b(mahnung|inkasso|forderung|gericht|schufa|anwalt|vollstreck\w*|pfänd\w*|abgelehnt"
    r"|letztmalig|unverzüglich|strafe|debt\w*|court|lawsuit|rejected|penalty|arrears"
    r"|overdue|final notice)\b|\bschuld(?!nerberatung)|installment",
    re.IGNORECASE,
)
_PERSON_HELD = re.compile(r"\b(du|dir|dich|dein\w*)\b")
_PERSON_FORMAL = re.compile(r"\b(Ihnen|Ihre[nmrs]?|Ihr)\b")

SAMPLE_MERCHANT = MerchantVoice(
    name="Gartenhaus Linde",
    alias="Linde Service",
    phone="030 1234567",
    email="hilfe@linde.example",
    website="www.linde.example",
    payee="Gartenhaus Linde GmbH",
    iban="DE02120300000000202051",
    bic="BYLADEM1001",
)
_MONEY = {"minor": 104_50, "currency": "EUR"}
_SAMPLES: Mapping[str, Any] = {
    "text": "RE-2026-1044",
    "count": 2,
    "money": _MONEY,
    "date": "2026-12-15",
    "answer_time": {
        "today": "2026-12-24",
        "day": "2027-01-04",
        "opens": "09:30",
        "closes": "17:00",
    },
    "rates": [
        {"number": number, "due": f"2027-{number:02}-15", "amount": _MONEY}
        for number in range(1, 7)
    ],
    "claims": [{"what": "Gartenstuhl", "invoice": "RE-2026-1044", "open": _MONEY}],
}


def sample_args(wording: Wording, catalogue: Catalogue) -> dict[str, Any]:
    """Arguments of plausible size for every declared argument."""
    return {name: _sample(kind.removesuffix("?"), catalogue) for name, kind in wording.args.items()}


def _sample(kind: str, catalogue: Catalogue) -> Any:
    name, _, group = kind.partition(":")
    if name == "code":
        return next(iter(catalogue.phrases[group]))
    if name == "codes":
        return list(catalogue.phrases[group])[:4]
    return _SAMPLES[name]


def check_catalogue(catalogue: Catalogue | None = None) -> list[str]:
    """Every rule a text breaks, in words; empty when the catalogue is fit to be read."""
    checked = catalogue or load_catalogue()
    problems = list(_phrase_problems(checked))
    for wording in checked.wordings.values():
        problems += _group_problems(wording, checked)
    if problems:
        return problems
    for wording in checked.wordings.values():
        problems += _disclosure_problems(wording)
        problems += _tone_problems(wording)
        problems += _size_problems(wording, checked)
    return problems


def _phrase_problems(catalogue: Catalogue) -> Iterator[str]:
    for group, codes in catalogue.phrases.items():
        for code, texts in codes.items():
            if len(texts) != len(LANGUAGES) * len(ADDRESS_FORMS):
                yield f"phrase {group}.{code}: a language or form is missing"
            for text in texts.values():
                if found := _NEVER.search(text):
                    yield f"phrase {group}.{code}: says {found.group()}"


def _group_problems(wording: Wording, catalogue: Catalogue) -> Iterator[str]:
    for kind in wording.args.values():
        name, _, group = kind.removesuffix("?").partition(":")
        if name in ("code", "codes") and group not in catalogue.phrases:
            yield f"{wording.name}: no phrases called {group}"


def _disclosure_problems(wording: Wording) -> Iterator[str]:
    if wording.discloses:
        return
    for arg, kind in wording.args.items():
        if arg not in _OPEN_ARGS or kind.removesuffix("?") in _CLAIM_KINDS:
            yield f"{wording.name}: takes {arg} without disclosing"
    for text in wording.texts.values():
        if found := _DISCLOSING_VOICE.search(text.source):
            yield f"{wording.name}: uses {found.group()} without disclosing"


def _tone_problems(wording: Wording) -> Iterator[str]:
    for (_, _, language, form), text in wording.texts.items():
        where = f"{wording.name} ({language} {form})"
        if found := _NEVER.search(text.source):
            yield f"{where}: says {found.group()}"
        if wording.restrained and (found := _ALARMING.search(text.source)):
            yield f"{where}: hints at a claim with {found.group()}"
        if language == "de" and form == "sie" and (found := _PERSON_HELD.search(text.source)):
            yield f"{where}: says {found.group()}"
        if language == "de" and form == "du" and (found := _PERSON_FORMAL.search(text.source)):
            yield f"{where}: says {found.group()}"


def _size_problems(wording: Wording, catalogue: Catalogue) -> Iterator[str]:
    args = sample_args(wording, catalogue)
    for language in LANGUAGES:
        for form in ADDRESS_FORMS:
            for tone in TONES:
                source = wording.text(tone, True, language, form).source
                text = render(
                    wording.name,
                    args,
                    language=language,
                    address_form=form,
                    tone=tone,
                    channel="sms",
                    merchant=SAMPLE_MERCHANT,
                    verified=True,
                    catalogue=catalogue,
                ).text
                where = f"{wording.name} ({language} {form} {tone})"
                if not is_gsm7(to_gsm7(source)):
                    yield f"{where}: an SMS of it would need letters outside GSM-7"
                limit = SMS_SEGMENTS_LONG_MAX if wording.long else SMS_SEGMENTS_MAX
                if segments(text) > limit:
                    yield f"{where}: takes {segments(text)} SMS ({len(text)} characters)"
                if wording.name.startswith("button_") and len(text) > BUTTON_CHARACTERS_MAX:
                    yield f"{where}: a label of {len(text)} characters"
