"""From a wording's name and arguments to what one customer reads."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from channels.gsm7 import is_gsm7, segments, to_gsm7
from conversation.wording.catalogue import (
    PAGE,
    STANDARD,
    Catalogue,
    Text,
    Wording,
    load_catalogue,
)
from conversation.wording.formats import Style
from conversation.wording.voice import MerchantVoice

SMS = "sms"
SMS_SEGMENTS_MAX = 2
VOICE_NAMES = frozenset(
    {"name", "public_name", "website", "payee", "iban", "bic", "reach", "direct", "check"}
)
"""What templates may ask of the merchant, as ``m.<name>``."""


class UnknownWording(LookupError):
    """The catalogue has no wording of this name."""


class MissingArgument(LookupError):
    """A wording was named without an argument it needs."""


class DisclosureRefused(Exception):
    """A text with facts of a claim was asked for while nobody has proved who they are."""


@dataclass(frozen=True, slots=True)
class RenderedButton:
    """A button's label and what pressing it means."""

    title: str
    intent: str
    entities: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Rendered:
    """A message ready for the outbox; `template_variables` is empty where no template exists.

    `leads`: it only leads up to the next one, and may stand above it in one message.
    """

    text: str
    buttons: tuple[RenderedButton, ...]
    discloses: bool
    wording: str
    variant: str = STANDARD
    template_variables: Mapping[str, str] = field(default_factory=dict)
    leads: bool = False


@dataclass(frozen=True, slots=True)
class _Reader:
    """For whom a text is written."""

    language: str
    form: str
    tone: str
    sms: bool
    short: bool
    merchant: MerchantVoice
    catalogue: Catalogue
    page: str

    def style(self) -> Style:
        return Style(
            language=self.language,
            short=self.short,
            phrase=lambda group, code: self.catalogue.phrase(group, code, self.language, self.form),
        )

    def voice(self) -> dict[str, Any]:
        """The merchant as templates see it; ``reach`` and ``check`` are ready-made phrases."""
        merchant = self.merchant
        # A shop that needs a neutral name has a site whose address would say the same.
        site = None if merchant.alias else merchant.website
        reach = [way for way in (merchant.phone, merchant.open_email) if way]
        check = [way for way in (site, merchant.direct) if way]
        alternatives = self.style().alternatives
        return {
            "name": sms_name(merchant.name) if self.sms else merchant.name,
            "public_name": sms_name(merchant.public_name) if self.sms else merchant.public_name,
            "website": site or "",
            "payee": merchant.payee or merchant.name,
            "iban": merchant.iban or "",
            "bic": merchant.bic or "",
            "reach": alternatives.join(reach),
            "direct": merchant.direct,
            "check": alternatives.join(check),
        }


def render(
    name: str,
    args: Mapping[str, Any],
    *,
    language: str,
    address_form: str,
    tone: str,
    channel: str,
    merchant: MerchantVoice,
    verified: bool,
    buttons: Sequence[Mapping[str, Any]] = (),
    variant: int = 0,
    catalogue: Catalogue | None = None,
    page: str = "",
) -> Rendered:
    """Render wording `name` for one reader.

    `args` hold money as ``{"minor", "currency"}`` and days as ISO strings; `buttons` are
    ``{"title": wording name, "args"?, "intent", "entities"?}``. SMS texts are GSM-7. `variant` is
    any whole number: the same one picks the same of the wording's variants, 0 the standard one.
    `page` is the link to the customer's page, for texts that carry it.

    Raises UnknownWording, MissingArgument, InvalidArgument (a ValueError), and DisclosureRefused
    when the wording (or a button's label) discloses and `verified` is false.
    """
    reader = _Reader(
        language=language if language in ("de", "en") else "de",
        form=address_form if address_form in ("sie", "du") else "sie",
        tone=tone,
        sms=channel == SMS,
        short=channel == SMS,
        merchant=merchant,
        catalogue=catalogue or load_catalogue(),
        page=page,
    )
    wording = _find(name, reader.catalogue, verified)
    values = _values(wording, args, reader)
    rendered_buttons = tuple(_button(button, reader, verified) for button in buttons)
    variants = wording.variants(reader.language, reader.form)
    chosen = variants[variant % len(variants)]
    text = wording.text(reader.tone, reader.sms, reader.language, reader.form, chosen)
    return Rendered(
        text=_fitted(wording, text, values, reader),
        buttons=rendered_buttons,
        discloses=wording.discloses,
        wording=name,
        variant=chosen,
        leads=wording.leads,
        template_variables={
            key: variable.template.render(values, m=reader.voice())
            for key, variable in wording.template.items()
        },
    )


def _find(name: str, catalogue: Catalogue, verified: bool) -> Wording:
    wording = catalogue.wordings.get(name)
    if wording is None:
        raise UnknownWording(name)
    if wording.discloses and not verified:
        raise DisclosureRefused(name)
    return wording


def _values(wording: Wording, args: Mapping[str, Any], reader: _Reader) -> dict[str, Any]:
    missing = sorted(arg for arg in wording.required if args.get(arg) is None)
    if missing:
        raise MissingArgument(f"{wording.name} needs {', '.join(missing)}")
    style = reader.style()
    values: dict[str, Any] = {}
    for arg, kind in wording.args.items():
        value = args.get(arg)
        values[arg] = None if value is None else style.value(kind.removesuffix("?"), value)
    return values


def _button(button: Mapping[str, Any], reader: _Reader, verified: bool) -> RenderedButton:
    wording = _find(button["title"], reader.catalogue, verified)
    values = _values(wording, button.get("args") or {}, replace(reader, short=True))
    text = wording.text(reader.tone, reader.sms, reader.language, reader.form)
    title = _finished(text.template.render(values, m=reader.voice()), reader)
    return RenderedButton(title, button["intent"], dict(button.get("entities") or {}))


def _fitted(wording: Wording, text: Text, values: Mapping[str, Any], reader: _Reader) -> str:
    """The text; as an SMS without what may be left out, where it would not fit otherwise."""
    given = {**values, "m": reader.voice(), PAGE: reader.page}
    full = _finished(text.template.render(given, roomy=True), reader)
    if not reader.sms or wording.long or segments(full) <= SMS_SEGMENTS_MAX:
        return full
    return _finished(text.template.render(given, roomy=False), reader)


def _finished(text: str, reader: _Reader) -> str:
    """Tidy line ends, and for SMS only letters that do not make the message dearer."""
    lines = [line.rstrip() for line in text.strip().splitlines()]
    tidy = "\n".join(lines)
    while "\n\n\n" in tidy:
        tidy = tidy.replace("\n\n\n", "\n\n")
    return _gsm7_only(tidy) if reader.sms else tidy


def sms_name(name: str) -> str:
    """A name as an SMS can write it: without emoji and the spaces around them."""
    return " ".join(_gsm7_only(name).split())


def _gsm7_only(text: str) -> str:
    return "".join(character for character in to_gsm7(text) if is_gsm7(character))
