"""Invented arguments for every wording, and each of its texts as a reader sees it.

The catalogue's check and the printed catalogue read the same: what the renderer makes of these.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from channels.choices import lettered
from channels.gsm7 import segments
from conversation.wording.catalogue import (
    ADDRESS_FORMS,
    LANGUAGES,
    TONES,
    Catalogue,
    Place,
    Text,
    Wording,
)
from conversation.wording.render import SMS, render
from conversation.wording.voice import (
    DIRECT_CHARACTERS_MAX,
    LINK_CHARACTERS_MAX,
    NAME_CHARACTERS_MAX,
    MerchantVoice,
)

CHAT = "telegram"
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
WIDEST_MERCHANT = MerchantVoice(
    name="W" * NAME_CHARACTERS_MAX, email="@".rjust(DIRECT_CHARACTERS_MAX, "w")
)
BARE_MERCHANT = MerchantVoice(name="Hof", phone="030 1")
"""A shop of which nothing is known that need not be."""
WIDEST_LINK = "https://".ljust(LINK_CHARACTERS_MAX, "w")
"""A shop at every bound at once, and its link."""
SAMPLE_PAGE = "https://kulanz.example/p/k7qm-t2rt-xh4p"


def _euro(minor: int) -> dict[str, Any]:
    return {"minor": minor, "currency": "EUR"}


_AMOUNT = _euro(1_234_56)
_KINDS: Mapping[str, Any] = {
    "text": "RE-2026-1044",
    "count": 2,
    "money": _AMOUNT,
    "date": "2026-12-15",
    "answer_time": {
        "today": "2026-12-24",
        "day": "2027-01-04",
        "opens": "09:30",
        "closes": "17:00",
    },
    "rates": [
        {
            "number": number,
            "due": f"2027-{number:02}-15",
            "amount": _euro(205_76),
            "paid": _euro(205_76 if number == 1 else 0),
        }
        for number in range(1, 7)
    ],
    "claims": [{"what": "Gartenstuhl", "invoice": "RE-2026-1044", "open": _AMOUNT}],
}
_NAMED: Mapping[str, Any] = {
    "what": "Gartentisch Eiche",
    "invoice_date": "2026-09-03",
    "due": "2026-10-03",
    "price": _euro(1_199_00),
    "costs": _euro(5_00),
    "costs_reason": "Porto und Druck",
    "interest": _euro(30_56),
    "paid": _euro(100_00),
    "open": _euro(1_134_56),
    "more_total": _euro(1_298_06),
    "reference": "RF18539007547034",
    "proof": "https://linde.example/echt/k7qmt-2rtxh",
    "charge": _euro(12_00),
    "waived": _euro(30_56),
    "down": _euro(200_00),
    "down_due": "2026-09-15",
    "each": _euro(172_43),
    "last": _euro(172_41),
    "asked_amount": _euro(50_00),
    "asked_count": 12,
    "asked_day": "2027-06-01",
    "count": 6,
    "paid_on": "2026-11-20",
    "latest": "2027-02-15",
    "date": "2026-11-01",
    "link": "https://t.me/linde_service_bot?start=Zk3vQ9xW2rT7yB5nM8cD1fG4hJ6kL0pA",
    "digits": "012",
    "ending": "012",
    "code": "482913",
    "clock": "10:30",
    "clock_end": "12:00",
}
_BARE: Mapping[str, Any] = {
    **dict.fromkeys(("costs", "interest", "paid", "charge"), _euro(0)),
    **dict.fromkeys(("more", "in_default"), 0),
    "count": 1,
}
_CODES = {
    "missing": "birth_date",
    "reason": "plan_terms_differ",
    "rhythm": "monthly",
    "period": "monthly",
}
_CODES_SHOWN = 4


@dataclass(frozen=True, slots=True)
class Reading:
    """One text of a wording as one reader sees it."""

    place: Place
    source: Text
    text: str
    choices: tuple[str, ...]
    """The labels that are usually shown with it."""

    @property
    def segments(self) -> int:
        """How many SMS it is sent as, its choices below it; only of interest for the SMS form."""
        return segments(lettered(self.text, self.choices))


def sample_args(wording: Wording, catalogue: Catalogue) -> dict[str, Any]:
    """Arguments of plausible size for every declared argument."""
    return {
        name: _sample(name, kind.removesuffix("?"), catalogue)
        for name, kind in wording.args.items()
    }


def bare_args(wording: Wording, catalogue: Catalogue) -> dict[str, Any]:
    """The least a wording may be given: nothing optional, no costs, one instalment."""
    args = sample_args(wording, catalogue)
    for name, kind in wording.args.items():
        if kind.endswith("?"):
            args[name] = None
        elif name in _BARE and kind in ("money", "count"):
            args[name] = _BARE[name]
    return args


def _sample(arg: str, kind: str, catalogue: Catalogue) -> Any:
    name, _, group = kind.partition(":")
    if name == "code":
        known = catalogue.phrases[group]
        return _CODES[arg] if _CODES.get(arg) in known else next(iter(known))
    if name == "codes":
        return list(catalogue.phrases[group])[:_CODES_SHOWN]
    if name == "answer_time":
        return _KINDS[name]
    return _NAMED.get(arg, _KINDS[name])


def readings(
    wording: Wording,
    catalogue: Catalogue,
    args: Mapping[str, Any] | None = None,
    *,
    merchant: MerchantVoice = SAMPLE_MERCHANT,
) -> Iterator[Reading]:
    """Every text that some reader gets, once each: by language, form, variant, tone, SMS or not.

    Raises what rendering raises.
    """
    given = sample_args(wording, catalogue) if args is None else args
    shown = [catalogue.wordings[f"button_{name}"] for name in wording.buttons]
    buttons = [
        {"title": one.name, "args": sample_args(one, catalogue), "intent": ""} for one in shown
    ]
    for language in LANGUAGES:
        for form in ADDRESS_FORMS:
            for number, variant in enumerate(wording.variants(language, form)):
                seen: set[tuple[bool, int]] = set()
                for sms in (False, True):
                    for tone in TONES:
                        source = wording.text(tone, sms, language, form, variant)
                        if (sms, id(source)) in seen:
                            continue
                        seen.add((sms, id(source)))
                        rendered = render(
                            wording.name,
                            given,
                            language=language,
                            address_form=form,
                            tone=tone,
                            channel=SMS if sms else CHAT,
                            merchant=merchant,
                            verified=True,
                            buttons=buttons,
                            variant=number,
                            catalogue=catalogue,
                            page=SAMPLE_PAGE if wording.carries_page else "",
                        )
                        place = Place(variant, tone, sms, language, form)
                        choices = tuple(one.title for one in rendered.buttons)
                        yield Reading(place, source, rendered.text, choices)
