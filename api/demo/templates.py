"""WhatsApp templates as the stand-in has approved them: the catalogue's own texts, with gaps.

A template is what Meta approves: one text with numbered gaps and, here, quick replies. Kulanz
knows its id and what stands in the gaps; the text is the provider's.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache

from conversation.wording import MerchantVoice, load_catalogue, render

_GAPS = MerchantVoice(name="{{1}}", website="{{2}}")
_QUICK_REPLIES = {
    "de": ("Worum geht es?", "Ist das echt?"),
    "en": ("What is it about?", "Is this real?"),
}


@dataclass(frozen=True)
class Template:
    """One approved template: its text with gaps ``{{1}}``, and its quick replies."""

    text: str
    quick_replies: tuple[str, ...]

    def filled(self, variables: Mapping[str, str]) -> str:
        """What the customer reads."""
        text = self.text
        for gap, value in variables.items():
            text = text.replace(f"{{{{{gap}}}}}", value)
        return text


@cache
def by_id() -> Mapping[str, Template]:
    """All approved templates by their ``ContentSid``."""
    return {_sid(name, language): _template(name, language) for name, language in _approved()}


def approved() -> dict[str, str]:
    """Wording and language to ``ContentSid``, as a channel account keeps them."""
    return {f"{name}.{language}": _sid(name, language) for name, language in _approved()}


def _approved() -> list[tuple[str, str]]:
    return [
        (name, language)
        for name, wording in load_catalogue().wordings.items()
        if wording.template and not wording.args and not wording.discloses
        for language in _QUICK_REPLIES
    ]


def _sid(name: str, language: str) -> str:
    return "HX" + hashlib.sha256(f"{name}.{language}".encode()).hexdigest()[:32]


def _template(name: str, language: str) -> Template:
    text = render(
        name,
        {},
        language=language,
        address_form="sie",
        tone="warm",
        channel="whatsapp",
        merchant=_GAPS,
        verified=False,
    ).text
    return Template(text, _QUICK_REPLIES[language])
