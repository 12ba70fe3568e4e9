"""Fixed phrases as entities: the names of channels, found by spaCy on whole words."""

# ruff: noqa: E501 - a pattern is easier to read whole than in pieces

import re
from functools import lru_cache
from typing import Dict, List, Tuple

import spacy
from spacy.language import Language

from pipeline.values_numbers import ValueSpan

CHANNEL_NAMES: Dict[str, Tuple[str, ...]] = {
    "telegram": ("telegram", "telegramm", "telegram messenger", "tg"),
    "whatsapp": (
        "whatsapp",
        "whats app",
        "whatsap",
        "whatsup",
        "wa",
        "watsapp",
        "wattsapp",
        "whatsapp's",
    ),
    "sms": (
        "sms",
        "text message",
        "text messages",
        "textnachricht",
        "textnachrichten",
        "kurznachricht",
        "kurznachrichten",
        "texts",
        "texting",
        "a text",
        "by text",
        "text me",
        "txt",
    ),
    "email": (
        "email",
        "e-mail",
        "mail",
        "e mail",
        "emails",
        "e-mails",
        "mails",
        "per mail",
        "emaill",
    ),
    "letter": (
        "brief",
        "briefpost",
        "post",
        "per post",
        "letter",
        "by post",
        "briefe",
        "postalisch",
        "schriftlich",
        "postal mail",
    ),
    "phone": (
        "telefon",
        "telefonisch",
        "anruf",
        "handy",
        "phone",
        "call",
        "by phone",
        "phone call",
        "telefonat",
    ),
}
_REFUSED_BEFORE = re.compile(
    r"\b(?:nicht(?: mehr)?|nie|kein\w*|statt|anstatt|anstelle von|nimmer|not|no(?: more)?|never|don'?t (?:use|have)|instead of|in place of|rather than|than)"
    r"(?:\s+(?:per|(?:ü|ue)ber|via|auf|aufs|auf das|mit|by|through|on|an|the|das|die|der|als|mehr|use|have))*\s+$",
    re.IGNORECASE,
)
_REFUSED_AFTER = re.compile(
    r"\s+(?:(?:nutze?|benutze?|hab\w*|verwende|lese|mag|brauche|geht|funktioniert|kann|will)\s+)?(?:ich\s+|wir\s+|i\s+)?(?:leider\s+)?(?:nicht|nimmer|kaum|nie|kein\w*)\b"
    r"|\s+(?:does\s?n[o']?t|doesn't|isn'?t)\b",
    re.IGNORECASE,
)
_LABEL_PREFIX = "channel:"
# Most messages name no channel: to look for that first is cheaper than to split them into words.
_ANY_NAME = re.compile(
    "|".join(re.escape(name) for names in CHANNEL_NAMES.values() for name in names), re.IGNORECASE
)


@lru_cache(maxsize=1)
def _language() -> Language:
    # The multilingual tokenizer splits both languages the way these phrases need it.
    nlp = spacy.blank("xx")
    ruler = nlp.add_pipe("entity_ruler", config={"phrase_matcher_attr": "LOWER"})
    ruler.add_patterns(
        [
            {"label": f"{_LABEL_PREFIX}{channel}", "pattern": name}
            for channel, names in CHANNEL_NAMES.items()
            for name in names
        ]
    )
    return nlp


def find_channels(text: str) -> List[ValueSpan]:
    """Return the channels that the text wishes for: those it names but for those it refuses."""
    if not _ANY_NAME.search(text):
        return []
    return [
        ValueSpan("channel", span.start_char, span.end_char, span.label_[len(_LABEL_PREFIX) :])
        for span in _language()(text).ents
        if not _REFUSED_BEFORE.search(text[: span.start_char])
        and not _REFUSED_AFTER.match(text, span.end_char)
    ]
