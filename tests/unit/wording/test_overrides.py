"""A merchant's own texts: taken where they keep the rules, refused by name and reason where not."""

from typing import Any

import pytest

from conversation.wording import (
    MerchantVoice,
    OverridesRefused,
    checked_overrides,
    load_catalogue,
    merchant_catalogue,
    render,
)
from conversation.wording.catalogue import Catalogue

LINK = "https://kulanz.example/echt/k7qmt-2rtxh"
SHOP = MerchantVoice(name="Gartenhaus Linde", phone="030 1234567")
OWN_WELCOME = {"welcome": {"de": {"sie": "Moin! Was können wir für Sie tun?"}}}
FIRST_CONTACT = (
    "Moin, hier ist der automatische Assistent von {{ m.public_name }}. Wir würden gern mit Ihnen "
    "sprechen. Prüfen: {{ proof }} oder {{ m.direct }}. Keine Nachrichten mehr: STOP"
)


def said(
    name: str, catalogue: Catalogue, *, form: str = "sie", tone: str = "warm", variant: int = 0
) -> str:
    return render(
        name, {"proof": LINK}, language="de", address_form=form, tone=tone, channel="sms",
        merchant=SHOP, verified=True, variant=variant, catalogue=catalogue,
    ).text  # fmt: skip


def test_an_own_text_is_said_and_the_rest_stays() -> None:
    catalogue = merchant_catalogue(OWN_WELCOME)
    assert said("welcome", catalogue) == "Moin! Was können wir für Sie tun?"
    assert said("welcome", catalogue, form="du") == said("welcome", load_catalogue(), form="du")
    assert said("goodbye", catalogue) == said("goodbye", load_catalogue())


def test_it_takes_the_place_of_tones_variants_and_sms_form() -> None:
    catalogue = merchant_catalogue({"first_contact": {"de": {"sie": FIRST_CONTACT}}})
    for variant in (0, 1):
        assert said("first_contact", catalogue, variant=variant, tone="plain").startswith("Moin")
    own_ways = {"ways": {"de": {"sie": "Was passt Ihnen: jetzt, später oder in Raten?"}}}
    for tone in ("warm", "plain", "firm"):
        assert said("ways", merchant_catalogue(own_ways), tone=tone).startswith("Was passt")


def test_without_own_texts_the_catalogue_is_the_products() -> None:
    assert merchant_catalogue({}) is load_catalogue()


@pytest.mark.parametrize(
    ("data", "problem"),
    [
        ({"welcom": {"de": "Hallo."}}, "welcom: the catalogue has no such wording; did you mean"),
        ({"welcome": {"de": {"Sie": "Hallo."}}}, "welcome: de has no form of address called Sie"),
        ({"welcome": {"fr": "Salut."}}, "welcome: an override gives texts only, not fr"),
        ({"verified": {"discloses": True}}, "verified: an override gives texts only"),
        ({"welcome": {"de": "Ihre Rechnung ist offen."}}, "(de sie): uses Rechnung without disc"),
        ({"welcome": {"de": {"sie": "Konto {{ m.iban }}"}}}, "uses m.iban without disclosing"),
        ({"welcome": {"de": {"sie": "Es sind {{ open }}."}}}, "uses undeclared open"),
        ({"refused": {"en": "Then we go to court."}}, "refused (en sie): threatens with court"),
        ({"thanks_noted": {"de": "Gern 😀"}}, "thanks_noted (de sie sms): an SMS of it would"),
        ({"goodbye": {"en": "Bye now. " * 60}}, "goodbye (en sie sms): takes"),
        ({"welcome": {"sms": {"de": "Hallo."}}}, "(de sie): has no text of its own"),
        ({"not_now_noted": {"en": "All right."}}, "not_now_noted (en sie): leaves out until"),
        ({"first_contact": {"en": "Hello."}}, "leaves out m.public_name"),
        ({"first_contact": {"en": "Hello."}}, "first_contact must say automated assistant"),
        ({"crisis_help": {"de": "Das tut mir leid."}}, "crisis must say"),
        ({"welcome": {"de": {"sie": "Bist du da?"}}}, "welcome (de sie): says du"),
        ({"welcome": {"de": "{{ m.colour }}"}}, "there is no m.colour"),
        ({"welcome": {"de": "{% if %}"}}, "welcome (de sie): "),
        ("Hallo.", "no wordings by name"),
        ({"welcome": "Hallo."}, "welcome: holds no texts by language"),
    ],
)
def test_what_breaks_a_rule_is_refused_with_wording_language_and_reason(
    data: Any, problem: str
) -> None:
    with pytest.raises(OverridesRefused) as refused:
        checked_overrides(data)
    assert any(problem in found for found in refused.value.problems), refused.value.problems


@pytest.mark.parametrize(
    "source",
    [
        "{{ 'x' * 1000000 }}",
        "{% for i in range(100000) %}x{% endfor %}",
        "{% set x = 1 %}{{ x }}",
        "{% macro x() %}{% endmacro %}",
        "{{ m.reach | replace('a', 'b') }}",
        "{{ ().__class__ }}",
        "{% include 'x' %}",
    ],
)
def test_a_text_calculates_calls_and_defines_nothing(source: str) -> None:
    with pytest.raises(OverridesRefused) as refused:
        checked_overrides({"goodbye": {"de": source}})
    assert "may not use" in str(refused.value) or "must" in str(refused.value)


def test_a_stored_text_that_no_longer_fits_gives_way_to_the_products() -> None:
    stored = {**OWN_WELCOME, "gone_with_an_update": {"de": "x"}, "verified": {"de": "Konto: €"}}
    catalogue = merchant_catalogue(stored)
    assert said("welcome", catalogue).startswith("Moin")
    assert said("verified", catalogue) == said("verified", load_catalogue())
