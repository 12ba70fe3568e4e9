"""What customers read: a catalogue of wordings and the renderer that turns one into text.

The dialogue names a wording and its arguments; the text for language, form of address, tone,
channel and merchant is chosen here. The disclosure guard stands here too.
"""

from conversation.wording.catalogue import Catalogue, CatalogueInvalid, load_catalogue
from conversation.wording.check import check_catalogue, check_voice
from conversation.wording.overrides import (
    OverridesRefused,
    checked_overrides,
    merchant_catalogue,
)
from conversation.wording.render import (
    DisclosureRefused,
    MissingArgument,
    Rendered,
    RenderedButton,
    UnknownWording,
    render,
)
from conversation.wording.voice import MerchantVoice

__all__ = [
    "Catalogue",
    "CatalogueInvalid",
    "DisclosureRefused",
    "MerchantVoice",
    "MissingArgument",
    "OverridesRefused",
    "Rendered",
    "RenderedButton",
    "UnknownWording",
    "check_catalogue",
    "check_voice",
    "checked_overrides",
    "load_catalogue",
    "merchant_catalogue",
    "render",
]
