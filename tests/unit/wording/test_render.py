"""What a wording becomes for one reader, and what is refused."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from channels.gsm7 import is_gsm7
from conversation.wording import (
    DisclosureRefused,
    MerchantVoice,
    MissingArgument,
    Rendered,
    UnknownWording,
    load_catalogue,
    render,
)
from conversation.wording.formats import InvalidArgument, day, grouped, money
from conversation.wording.samples import sample_args

SHOP = MerchantVoice(
    name="Apotheke am Ring",
    alias="Ring Service",
    phone="030 1234567",
    email="hilfe@ring.example",
    website="www.ring.example",
    payee="Apotheke am Ring OHG",
    iban="DE02120300000000202051",
)
LINK = "https://kulanz.example/echt/k7qmt-2rtxh"
RATES = [
    {"number": 1, "due": "2026-12-15", "amount": {"minor": 40_00, "currency": "EUR"}},
    {"number": 2, "due": "2027-01-15", "amount": {"minor": 40_50, "currency": "EUR"}},
]
PLAN = {
    "rates": RATES,
    "total": {"minor": 80_50, "currency": "EUR"},
    "charge": {"minor": 0, "currency": "EUR"},
    "interest": "stops",
}


def said(
    name: str,
    args: dict[str, object] | None = None,
    *,
    language: str = "de",
    address_form: str = "sie",
    channel: str = "telegram",
    verified: bool = False,
    buttons: tuple[dict[str, object], ...] = (),
) -> Rendered:
    return render(
        name,
        args or {},
        language=language,
        address_form=address_form,
        tone="warm",
        channel=channel,
        merchant=SHOP,
        verified=verified,
        buttons=buttons,
    )


def test_a_plan_names_every_rate_with_its_day_and_the_total() -> None:
    text = said("plan_offer", PLAN, verified=True).text
    assert "1. Rate am 15. Dezember 2026: 40,00\u00a0€" in text
    assert "2. Rate am 15. Januar 2027: 40,50\u00a0€" in text
    assert "Zusammen 80,50\u00a0€." in text
    assert "kostet nichts" in text


def test_english_formats_are_english() -> None:
    text = said("plan_offer", PLAN, verified=True, language="en").text
    assert "Instalment 1, 15 December 2026: €40.00" in text


def test_du_and_sie_differ() -> None:
    assert "passt es Ihnen" in said("ways", verified=True).text
    assert "passt es dir" in said("ways", verified=True, address_form="du").text


def test_facts_of_a_claim_are_refused_to_the_unverified() -> None:
    with pytest.raises(DisclosureRefused):
        said("plan_offer", PLAN)


def test_every_disclosing_wording_is_refused_to_the_unverified() -> None:
    catalogue = load_catalogue()
    for wording in catalogue.wordings.values():
        if wording.discloses:
            with pytest.raises(DisclosureRefused):
                said(wording.name, sample_args(wording, catalogue))


def test_the_shops_own_name_and_account_stay_out_of_what_anybody_may_read() -> None:
    catalogue = load_catalogue()
    for wording in catalogue.wordings.values():
        if not wording.discloses:
            text = said(wording.name, sample_args(wording, catalogue)).text
            assert "Apotheke" not in text
            assert "DE02" not in text


def test_first_contact_names_the_assistant_the_shop_a_way_to_check_and_stop() -> None:
    for channel in ("telegram", "sms"):
        text = said("first_contact", {"proof": LINK}, channel=channel).text
        assert "automatische Assistent von Ring Service" in text
        # The site of a shop with a neutral name would say what the name does not.
        assert "www.ring.example" not in text
        assert "030 1234567" in text
        assert LINK in text
        assert "STOP" in text


def test_an_sms_is_gsm7_even_with_odd_product_names() -> None:
    args = {
        "what": "Kiefernregal „Žítko“ – 2 m 😀",
        "invoice": "RE-1",
        "invoice_date": "2026-09-01",
        "open": {"minor": 1_234_56, "currency": "EUR"},
        "costs": {"minor": 0, "currency": "EUR"},
        "interest": {"minor": 0, "currency": "EUR"},
    }
    text = said("claim_short", args, channel="sms", verified=True).text
    assert is_gsm7(text)
    assert "1.234,56 €" in text
    assert 'Kiefernregal "Zitko" - 2 m' in text


def test_merchant_data_is_never_run_as_a_template() -> None:
    shop = MerchantVoice(name="{{ 7 * 7 }}")
    text = render(
        "introduction", {}, language="de", address_form="sie", tone="warm", channel="telegram",
        merchant=shop, verified=False,
    ).text  # fmt: skip
    assert "{{ 7 * 7 }}" in text


def test_buttons_carry_what_they_mean() -> None:
    button = {"title": "button_yes", "intent": "affirm", "entities": {"offer": "7.1"}}
    rendered = said("yes_automated", buttons=(button,), language="en").buttons[0]
    assert (rendered.title, rendered.intent, rendered.entities) == (
        "Yes",
        "affirm",
        {"offer": "7.1"},
    )


def test_unknown_names_and_missing_arguments_are_errors() -> None:
    with pytest.raises(UnknownWording):
        said("no_such_wording")
    with pytest.raises(MissingArgument):
        said("plan_offer", {**PLAN, "total": None}, verified=True)
    with pytest.raises(InvalidArgument):
        said("not_now_noted", {"until": "morgen"})


@pytest.mark.parametrize("minor", [1.5, "12", None, True])
def test_money_is_whole_minor_units(minor: object) -> None:
    with pytest.raises(InvalidArgument):
        money({"minor": minor, "currency": "EUR"}, "de")


@given(st.integers(min_value=0, max_value=10**12))
def test_german_money_keeps_every_cent(minor: int) -> None:
    text = str(money({"minor": minor, "currency": "EUR"}, "de"))
    assert text.endswith("\u00a0€")
    digits = "".join(character for character in text if character.isdigit())
    assert int(digits) == minor


def test_days_and_groups() -> None:
    assert day("2026-12-15", "de", short=False) == "15. Dezember 2026"
    assert day("2026-12-05", "de", short=True) == "05.12.2026"
    assert day("2026-12-15", "en", short=False) == "15 December 2026"
    assert grouped("DE02120300000000202051") == "DE02 1203 0000 0000 2020 51"


@pytest.mark.parametrize("tone", ["warm", "plain", "firm"])
def test_the_claim_stands_line_by_line(tone: str) -> None:
    catalogue = load_catalogue()
    args = sample_args(catalogue.wordings["claim_explained"], catalogue)
    text = render(
        "claim_explained", {**args, "costs_reason": "Druck und Porto"}, language="de",
        address_form="sie", tone=tone, channel="telegram", merchant=SHOP, verified=True,
    ).text  # fmt: skip
    lines = text.splitlines()
    assert "Kosten: 5,00\u00a0€ (Druck und Porto)" in lines
    assert "Zinsen: 30,56\u00a0€" in lines
    assert lines[-1] == "Stimmt das so?"


@pytest.mark.parametrize(
    ("more", "words"),
    [
        (1, ("noch eine weitere Rechnung offen", "die andere wichtiger")),
        (2, ("noch 2 weitere Rechnungen offen", "eine andere wichtiger")),
    ],
)
def test_one_more_invoice_is_not_several(more: int, words: tuple[str, str]) -> None:
    catalogue = load_catalogue()
    args = sample_args(catalogue.wordings["claim_explained"], catalogue)
    text = said("claim_explained", {**args, "more": more}, verified=True).text
    assert all(part in text for part in words)


def test_a_single_payment_has_no_sum() -> None:
    catalogue = load_catalogue()
    args = sample_args(catalogue.wordings["agreement_active"], catalogue)
    assert "zusammen" in said("agreement_active", args, verified=True).text
    single = {**args, "rates": RATES[:1], "total": RATES[0]["amount"]}
    assert "zusammen" not in said("agreement_active", single, verified=True).text


@pytest.mark.parametrize("phone", [None, "030 1234567"])
def test_what_a_shop_lacks_leaves_no_gap(phone: str | None) -> None:
    shop = MerchantVoice(name="Laden", phone=phone)
    for language in ("de", "en"):
        for address_form in ("sie", "du"):
            text = render(
                "who_we_are", {}, language=language, address_form=address_form, tone="warm",
                channel="sms", merchant=shop, verified=False,
            ).text  # fmt: skip
            assert "  " not in text


def test_the_same_number_picks_the_same_variant() -> None:
    def first_contact(variant: int) -> Rendered:
        return render(
            "first_contact", {"proof": LINK}, language="de", address_form="sie", tone="warm",
            channel="sms", merchant=SHOP, verified=False, variant=variant,
        )  # fmt: skip

    assert [first_contact(number).variant for number in range(4)] == [
        "standard",
        "hello",
        "standard",
        "hello",
    ]
    assert first_contact(1).text == first_contact(3).text != first_contact(0).text
    assert said("verified").variant == "standard"


def test_a_line_after_a_choice_keeps_its_own_line() -> None:
    catalogue = load_catalogue()
    args = sample_args(catalogue.wordings["plan_agreed"], catalogue)
    lines = said("plan_agreed", args, verified=True).text.splitlines()
    assert lines[-1].startswith("Wenn es einmal knapp wird")
    assert "" not in lines
