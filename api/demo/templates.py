"""WhatsApp templates as the stand-in has approved them: the catalogue's own texts, with gaps.

A template is what Meta approves: one text with numbered gaps and, here, quick replies. Kulanz
knows its id and what stands in the gaps; the text is the provider's.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache

from conversation.wording import MerchantVoice, load_catalogue, render

_MERCHANT = MerchantVoice(
    name="Beispielgeschäft", website="beispiel.example", phone="+49 30 23125 999"
)
_ARGUMENTS = {"date": "2031-05-17", "text": "https://beispiel.example/echt/bcdfg-23456"}
"""Something that can be told from the words around it, by its kind."""
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
        if wording.template
        and not wording.discloses
        and all(kind in _ARGUMENTS for kind in wording.args.values())
        for language in _QUICK_REPLIES
    ]


def _sid(name: str, language: str) -> str:
    return "HX" + hashlib.sha256(f"{name}.{language}".encode()).hexdigest()[:32]


def _template(name: str, language: str) -> Template:
    """The wording with its gaps where the values of an example stand."""
    wording = load_catalogue().wordings[name]
    example = render(
        name,
        {key: _ARGUMENTS[kind] for key, kind in wording.args.items()},
        language=language,
        address_form="sie",
        tone="warm",
        channel="whatsapp",
        merchant=_MERCHANT,
        verified=False,
    )
    text = example.text
    for gap, value in example.template_variables.items():
        text = text.replace(value, f"{{{{{gap}}}}}")
    return Template(text, _QUICK_REPLIES[language] if name.startswith("first_") else ())
