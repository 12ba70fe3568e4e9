"""The law of what goes out unasked, over every shop, language, form, tone, variant and channel.

It names the shop by its neutral name, the automated assistant, the way to check, the shop's own
phone or mail, and stop; it carries nothing of a claim; as an SMS it is GSM-7 and two parts at most.
"""

import re
from dataclasses import fields, replace
from typing import Any

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from api.merchants import CHECK_URL_CHARACTERS_MAX, MerchantData
from api.settings import PUBLIC_URL_CHARACTERS_MAX, Settings
from channels.gsm7 import is_gsm7, segments
from channels.message import Channel
from conversation import genuine
from conversation.wording import (
    MerchantVoice,
    OverridesRefused,
    Rendered,
    checked_overrides,
    load_catalogue,
    merchant_catalogue,
    render,
)
from conversation.wording.catalogue import ADDRESS_FORMS, LANGUAGES, TONES
from conversation.wording.render import sms_name

UNASKED = ("first_contact", "first_reminder")
ASSISTANT = {"de": "automatische Assistent", "en": "automated assistant"}
CLAIM_FACTS = (
    "RE-2026-1044",
    "A-77012",
    "K-10021",
    "Gartentisch Eiche",
    "1.234,56",
    "1,234.56",
    "123456",
    "03.10.2026",
    "Anna Beispiel",
    "RF18539007547034",
)
"""What a caller might hand over by mistake; not one of it may come out."""
HINT = re.compile(
    r"€|\bEUR\b|\d+[.,]\d\d\b|rechnung|betrag|bezahl|zahlung|offen|forderung|mahn|inkasso|gericht"
    r"|anwalt|schufa|frist|sofort|dringend|invoice|amount|payment|\bpay\b|\bowe|overdue|court"
    r"|lawyer|\bclaim|deadline|urgent|immediately",
    re.IGNORECASE,
)

names = st.one_of(
    st.sampled_from(
        [
            "Lindenhof Versand",
            "1&1",
            "Blumen 🌻 Grün 👩‍🌾",
            "Ærø & Łódź Möbelmanufaktur GmbH & Co. KGaA – Niederlassung Süd",
            "{Kopf|Kissen} [Outlet] ~ 50€",
            "Ÿ" * 60,
            "Donaudampfschifffahrtselektrizitätenhauptbetriebswerkbau GmbH",
            "株式会社サンプル",
            "🙂🙂🙂",
            "{{ m.iban }}",
            "Müller\nSTOP",
        ]
    ),
    st.text(min_size=1, max_size=120),
)
shops = st.fixed_dictionaries(
    {
        "name": names,
        "alias": st.one_of(st.none(), names.map(lambda name: name[:60])),
        "phone": st.sampled_from([None, "030 23125000", "+43 1 23456789012"]),
        "email": st.sampled_from(
            [
                None,
                "hilfe@linde.example",
                "service@apotheke-am-ring.example",
                "kundenservice-und-mehr@donaudampfschifffahrt.example",
            ]
        ),
        "website": st.sampled_from([None, "www.linde.example", "https://apotheke-am-ring.example"]),
        "check_url": st.sampled_from(
            [
                None,
                "https://linde.example/echt",
                "https://linde.example/echt?code=",
                "https://apotheke-am-ring.example/echt",
                "https://".ljust(CHECK_URL_CHARACTERS_MAX, "w"),
            ]
        ),
    }
)
public_urls = st.sampled_from(
    ["https://k.example", "https://".ljust(PUBLIC_URL_CHARACTERS_MAX, "w"), "http://127.0.0.1:8000"]
)
OVERRIDES: tuple[dict[str, Any], ...] = (
    {},
    {
        "first_contact": {
            "de": "Hallo, hier schreibt der automatische Assistent von {{ m.public_name }}. "
            "Prüfen: {{ proof }} oder {{ m.direct }}. Nichts mehr von uns: STOP",
            "en": "Hello, the automated assistant of {{ m.public_name }} here. "
            "Check: {{ proof }} or {{ m.direct }}. Nothing more: STOP",
        }
    },
)


def taken(data: dict[str, Any]) -> MerchantVoice | None:
    """The shop as it is stored, None where it is refused."""
    try:
        shop = MerchantData.model_validate({"key": "shop", **data})
    except ValidationError:
        return None
    known = {field.name for field in fields(MerchantVoice)}
    return MerchantVoice(**{k: v for k, v in shop.model_dump().items() if k in known})


@settings(max_examples=300)
@given(
    data=shops,
    public_url=public_urls,
    wording=st.sampled_from(UNASKED),
    language=st.sampled_from(LANGUAGES),
    form=st.sampled_from(ADDRESS_FORMS),
    tone=st.sampled_from(TONES),
    channel=st.sampled_from([channel.value for channel in Channel]),
    variant=st.integers(0, 3),
    overrides=st.sampled_from(OVERRIDES),
    more=st.dictionaries(
        st.sampled_from(["what", "invoice", "open", "amount", "name", "due"]),
        st.sampled_from(CLAIM_FACTS),
    ),
)
def test_every_message_that_goes_out_unasked_keeps_the_law(
    data: dict[str, Any],
    public_url: str,
    wording: str,
    language: str,
    form: str,
    tone: str,
    channel: str,
    variant: int,
    overrides: dict[str, Any],
    more: dict[str, str],
) -> None:
    voice = taken(data)
    assume(voice is not None)
    assert voice is not None
    link = genuine.link(genuine.new_code(), voice, language, public_url)

    def said_by(shop: MerchantVoice) -> Rendered:
        return render(
            wording, {**more, "proof": link}, language=language, address_form=form, tone=tone,
            channel=channel, merchant=shop, verified=False, variant=variant,
            catalogue=merchant_catalogue(overrides),
        )  # fmt: skip

    said = said_by(voice)
    sms = channel == "sms"
    shown = sms_name(voice.public_name) if sms else voice.public_name
    assert ASSISTANT[language] in said.text
    assert shown in said.text
    assert link in said.text
    assert voice.direct
    assert voice.direct in said.text
    assert re.search(r"STOP\.?$", said.text)
    own_words = said.text
    for given_by_shop in (link, voice.direct, shown if len(shown) > 3 else link):
        own_words = own_words.replace(given_by_shop, " ")
    assert not HINT.search(own_words)
    assert not [fact for fact in CLAIM_FACTS if fact in own_words]
    if voice.alias:
        assert said_by(replace(voice, name="Another")) == said
        hidden = (voice.website or "").removeprefix("https://").removeprefix("www.")
        assert not hidden or hidden not in said.text
    if sms:
        assert is_gsm7(said.text)
        assert segments(said.text) <= 2
    assert all(value for value in said.template_variables.values())


@given(data=shops)
def test_a_shop_that_is_taken_can_be_named_everywhere(data: dict[str, Any]) -> None:
    voice = taken(data)
    assume(voice is not None)
    assert voice is not None
    written = sms_name(voice.public_name)
    assert any(character.isalnum() for character in written)
    letters = [one for one in voice.public_name if one.isalpha()]
    assert len([one for one in written if one.isalpha()]) >= len(letters)
    assert "\n" not in voice.public_name


@pytest.mark.parametrize(
    ("data", "problem"),
    [
        ({"name": "Nordinkasso"}, "anybody who reads"),
        ({"name": "Hanse Forderungsmanagement"}, "give a neutral alias"),
        ({"name": "A" * 61}, "give a shorter alias"),
        ({"name": "🙂"}, "nothing of it can be written"),
        ({"name": "株式会社"}, "an SMS cannot write 株, 式"),
        ({"name": "Дом"}, "give an alias that it can"),
        ({"name": "Hof\nSTOP"}, "line breaks"),
        ({"name": "Hof", "phone": None}, "give at least one"),
        ({"name": "Hof", "phone": None, "email": f"{'a' * 40}@hof.example"}, "give a phone"),
        (
            {"name": "Apotheke", "alias": "Ring", "phone": None, "email": "a@apo.example",
             "website": "https://www.apo.example/echt"},
            "no mail address on the website",
        ),
        (
            {"name": "Apotheke", "alias": "Ring", "website": "apo.example",
             "check_url": "https://www.apo.example/echt"},
            "what the alias hides",
        ),
        ({"name": "Hof", "check_url": "http://hof.example/echt"}, "check_url"),
        ({"name": "Hof", "check_url": f"https://{'w' * 70}.example"}, "check_url"),
    ],
)  # fmt: skip
def test_a_shop_that_could_not_keep_the_law_is_refused_with_the_remedy(
    data: dict[str, Any], problem: str
) -> None:
    with pytest.raises(ValidationError, match=problem):
        MerchantData.model_validate({"key": "shop", "phone": "030 23125000", **data})


def test_a_neutral_alias_mends_a_telling_name() -> None:
    shop = MerchantData.model_validate(
        {"key": "shop", "name": "Nordinkasso", "alias": "Nord Service", "phone": "030 23125000"}
    )
    assert shop.alias == "Nord Service"


FULL = OVERRIDES[1]["first_contact"]["de"]


@pytest.mark.parametrize(
    ("left_out", "problem"),
    [
        (FULL.replace("{{ proof }} oder ", ""), "leaves out proof"),
        (FULL.replace(" oder {{ m.direct }}", ""), "leaves out m.direct"),
        (FULL.replace("STOP", "{% if m.website %}STOP{% endif %}"), "misses STOP"),
        (FULL.replace("{{ proof }}", "{% if m.website %}{{ proof }}{% endif %}"), "misses https"),
        (FULL.replace("automatische Assistent", "Assistent"), "must say automatische Assistent"),
        (FULL + " Bitte antworten Sie uns doch bald." * 5, "takes 3 SMS"),
        (FULL + " Es geht um Ihre Rechnung.", "Rechnung"),
        (FULL + " Ihr {{ m.name }}", "m.name without disclosing"),
    ],
)
def test_a_shops_own_words_cannot_leave_the_law(left_out: str, problem: str) -> None:
    with pytest.raises(OverridesRefused) as refused:
        checked_overrides({"first_contact": {"de": {"sie": left_out}}})
    assert any(problem in found for found in refused.value.problems), refused.value.problems


def test_what_goes_out_unasked_takes_nothing_but_the_link() -> None:
    for name in UNASKED:
        assert dict(load_catalogue().wordings[name].args) == {"proof": "text"}
        assert load_catalogue().wordings[name].restrained


def test_a_public_address_that_would_not_fit_is_refused() -> None:
    with pytest.raises(ValidationError, match="public_url"):
        Settings(public_url="https://".ljust(PUBLIC_URL_CHARACTERS_MAX + 1, "w"), _env_file=None)
