"""What a payment is for: numbers however they are typed, names, accounts, amounts."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.bank.entry import Movement, Problem
from ledger.bank.matching import Candidate, Doubt, Evidence, Match, Matcher, Payer, Share
from ledger.bank.numbers import Numbers
from ledger.bank.writing import name_words, within_one_edit
from ledger.money import Money
from ledger.reference import printed_rf, rf_reference

DAY = date(2026, 11, 20)
ANNA, BRANDT = 1, 2
ANNA_IBAN = "DE46100500001234567890"


def claim(
    claim_id: int,
    invoice: str,
    minor: int,
    *,
    customer: int = ANNA,
    order: str | None = None,
    **changes: object,
) -> Candidate:
    facts = {
        "currency": "EUR",
        "due_date": date(2026, 8, claim_id),
        "limitation_date": None,
        "bears_interest": False,
        "pursued": True,
        "open_minor": minor,
        "principal_minor": minor,
    }
    return Candidate(
        numbers=Numbers(claim_id, rf_reference(claim_id), invoice, invoice, order),
        customer_id=customer,
        **{**facts, **changes},  # type: ignore[arg-type]
    )


def claims() -> list[Candidate]:
    return [
        claim(1, "RE-2026-01042", 12990, order="B-55871"),
        claim(2, "RE-2026-1043", 6000, customer=BRANDT),
        claim(3, "RE-2026-1077", 4000),
        claim(4, "RE-2026-0900", 2500, pursued=False, open_minor=0, principal_minor=0),
        claim(5, "RE-2026-2042", 7000, customer=BRANDT, instalments_minor=[2000, 5000]),
    ]


PAYERS = [
    Payer(ANNA, "K-1001", "Beispiel", "Anna"),
    Payer(BRANDT, "K-1002", "Müller-Brandt", "Jörg"),
]


def matcher(**known: set[int]) -> Matcher:
    return Matcher(claims(), PAYERS, known, today=DAY)


def payment(minor: int, text: str = "", **facts: object) -> Movement:
    return Movement(
        amount=Money(minor),
        booked=DAY,
        value_date=DAY,
        text=text,
        joined=text.replace("\n", ""),
        **facts,  # type: ignore[arg-type]
    )


def match(minor: int, text: str = "", **facts: object) -> Match:
    return matcher().match(payment(minor, text, **facts))


@pytest.mark.parametrize(
    "text",
    [
        printed_rf(rf_reference(1)),
        printed_rf(rf_reference(1)).lower(),
        f"Ref.{rf_reference(1)}danke",
        "\n".join(printed_rf(rf_reference(1)).split()),
    ],
)
def test_a_reference_with_check_digits_is_enough(text: str) -> None:
    found = match(777, text, payer_name="Irgendwer")
    assert found.sure
    assert found.shares == (Share(1, 777),)


def test_a_structured_reference_is_enough() -> None:
    assert match(777, creditor_reference=rf_reference(1)).sure


@pytest.mark.parametrize(
    "text",
    [
        "RE-2026-01042",
        "re 2026 1042",
        "RE2026/1042",
        "Rechnung Nr. RE-2026-1042 vom 1.8.",
        "RE-2026-10\n42",
        "2026-1042",
        "Rechnung1042",
        "rechnungsnr. 01042",
        "INV 1042",
        "DankeRE202601042Gruss",
        "Bestellung B-55871",
    ],
)
def test_a_number_in_any_spelling_with_the_amount_is_sure(text: str) -> None:
    found = match(12990, text)
    assert found.sure, found
    assert found.shares == (Share(1, 12990),)


def test_a_number_alone_is_a_suggestion() -> None:
    found = match(100, "RE-2026-1042", payer_name="Fremde Person")
    assert (found.sure, found.doubt, found.shares) == (False, Doubt.ALONE, (Share(1, 100),))


def test_a_number_with_the_payers_name_is_sure_for_part_of_the_amount() -> None:
    assert match(100, "RE-2026-1042", payer_name="BEISPIEL ANNA").sure


@pytest.mark.parametrize("name", ["Jörg Müller-Brandt", "JOERG MUELLER BRANDT", "Muller Brandt"])
def test_umlauts_in_a_name_are_read_in_any_spelling(name: str) -> None:
    assert match(100, "RE-2026-1043", payer_name=name).sure


@pytest.mark.parametrize(
    "text", ["RE-2026-01O42", "RE-2026-010422", "RE-2062-01042", "RE-226-01042"]
)
def test_a_mistyped_number_needs_amount_and_payer(text: str) -> None:
    assert match(12990, text, payer_name="Anna Beispiel").sure
    found = match(12990, text)
    assert not found.sure
    assert Share(1, 12990) in found.shares


def test_a_neighbouring_number_is_not_taken_for_a_typo() -> None:
    """RE-2026-1043 is somebody else's: with Anna's name and amount nothing posts itself."""
    found = match(12990, "RE-2026-1043", payer_name="Anna Beispiel")
    assert not found.sure


def test_an_amount_that_is_an_instalment_speaks_for_the_claim() -> None:
    found = match(2000, "RE-2026-2042")
    assert found.sure
    assert Evidence.INSTALMENT.value in found.evidence


def test_a_known_account_with_an_amount_that_fits_is_sure() -> None:
    known = matcher(**{ANNA_IBAN: {ANNA}})
    found = known.match(payment(4000, "Danke", payer_iban=ANNA_IBAN))
    assert (found.sure, found.shares) == (True, (Share(3, 4000),))
    both = known.match(payment(16990, "Danke", payer_iban=ANNA_IBAN))
    assert (both.sure, both.shares) == (True, (Share(1, 12990), Share(3, 4000)))
    other = known.match(payment(1234, "Danke", payer_iban=ANNA_IBAN))
    assert (other.sure, other.doubt) == (False, Doubt.NO_NUMBER)


def test_an_account_that_pays_for_many_says_nothing() -> None:
    known = matcher(**{ANNA_IBAN: {ANNA, BRANDT}})
    assert not known.match(payment(4000, "Danke", payer_iban=ANNA_IBAN)).sure


def test_an_account_is_known_from_an_earlier_payment_of_the_same_run() -> None:
    running = matcher()
    first = payment(12990, "RE-2026-1042", payer_iban=ANNA_IBAN)
    running.post(first, running.match(first))
    assert running.match(payment(4000, "noch was", payer_iban=ANNA_IBAN)).sure


def test_a_name_with_the_amount_is_a_suggestion() -> None:
    found = match(4000, "Schuhe", payer_name="Anna Beispiel")
    assert (found.doubt, found.shares) == (Doubt.NO_NUMBER, (Share(3, 4000),))


def test_an_amount_alone_is_a_suggestion_where_only_one_claim_has_it() -> None:
    assert match(4000).doubt is Doubt.AMOUNT_ONLY
    assert match(1).doubt is Doubt.NOTHING


def test_several_invoices_get_each_its_amount() -> None:
    found = match(16990, "RE-2026-1042 und RE-2026-1077")
    assert found.sure
    assert set(found.shares) == {Share(1, 12990), Share(3, 4000)}


def test_several_invoices_of_one_customer_are_paid_in_the_order_of_the_law() -> None:
    found = match(14000, "RE-2026-1042, RE-2026-1077")
    assert found.sure
    assert found.shares == (Share(1, 12990), Share(3, 1010))


def test_several_invoices_of_several_customers_are_for_a_person() -> None:
    assert match(9000, "RE-2026-1042 RE-2026-1043").doubt is Doubt.SEVERAL_CUSTOMERS
    assert match(18990, "RE-2026-1042 RE-2026-1043").sure  # each its amount


def test_more_than_is_open_is_posted_all_the_same() -> None:
    assert match(20000, rf_reference(1)).shares == (Share(1, 20000),)


def test_a_claim_that_is_paid_or_ended_is_for_a_person() -> None:
    assert match(2500, "RE-2026-0900").doubt is Doubt.ENDED
    running = matcher()
    first = payment(12990, "RE-2026-1042")
    running.post(first, running.match(first))
    assert running.match(payment(12990, "RE-2026-1042")).doubt is Doubt.ENDED


def test_another_currency_never_posts_itself() -> None:
    dollars = Movement(
        amount=Money(12990, "USD"), booked=DAY, value_date=DAY, creditor_reference=rf_reference(1)
    )
    found = matcher().match(dollars)
    assert (found.doubt, found.shares) == (Doubt.FOREIGN_CURRENCY, (Share(1, None),))
    exchanged = match(12990, "RE-2026-1042", problem=Problem.FOREIGN_CURRENCY)
    assert exchanged.doubt is Doubt.FOREIGN_CURRENCY


def test_a_collective_entry_without_details_matches_nothing() -> None:
    assert match(12990, "RE-2026-1042", problem=Problem.COLLECTIVE).shares == ()


def test_days_and_phone_numbers_are_no_invoices() -> None:
    days = Matcher([claim(1, "20261120", 5000)], PAYERS, {}, today=DAY)
    assert not days.match(payment(4999, "Zahlung vom 20261120")).sure
    longer = Matcher([claim(1, "202601", 5000)], PAYERS, {}, today=DAY)
    assert longer.match(payment(4999, "Tel 030202601999")).shares == ()


def test_legal_forms_are_no_names() -> None:
    assert name_words("Brandt & Söhne GmbH & Co. KG") == name_words("BRANDT SOEHNE")


@given(st.text(alphabet="AB12", max_size=6), st.data())
def test_one_edit_is_one_edit(text: str, data: st.DataObject) -> None:
    place = data.draw(st.integers(0, len(text)))
    letter = data.draw(st.sampled_from("AB12"))
    edits = [text[:place] + letter + text[place:]]
    if place < len(text):
        edits += [text[:place] + text[place + 1 :], text[:place] + letter + text[place + 1 :]]
    if place + 1 < len(text):
        edits.append(text[:place] + text[place + 1] + text[place] + text[place + 2 :])
    assert all(within_one_edit(text, edit) and within_one_edit(edit, text) for edit in edits)
    assert not within_one_edit(text, text + "XY")


_noise = st.text(alphabet="abcdefghijäöü .,-/()&", max_size=25)


@given(
    before=_noise,
    after=_noise,
    separators=st.lists(st.sampled_from(["", " ", "-", "/", ".", "\n"]), min_size=2, max_size=2),
    zeros=st.integers(0, 2),
    lower=st.booleans(),
    amount=st.integers(1, 99999),
)
def test_a_number_is_found_in_any_text_and_no_cent_is_lost(
    before: str, after: str, separators: list[str], zeros: int, lower: bool, amount: int
) -> None:
    number = f"RE{separators[0]}2026{separators[1] or '-'}{'0' * zeros}1042"
    text = f"{before} {number.lower() if lower else number} {after}"
    found = match(amount, text)
    assert [share.claim_id for share in found.shares] == [1]
    assert sum(share.minor or 0 for share in found.shares) == amount


@given(
    text=st.text(max_size=140),
    name=st.none() | st.text(max_size=40),
    amount=st.integers(1, 10**7),
    known=st.booleans(),
)
def test_whatever_is_written_shares_are_the_amount_or_nothing(
    text: str, name: str | None, amount: int, known: bool
) -> None:
    accounts = {ANNA_IBAN: {ANNA}} if known else {}
    found = Matcher(claims(), PAYERS, accounts, today=DAY).match(
        payment(amount, text, payer_name=name, payer_iban=ANNA_IBAN)
    )
    assert sum(share.minor or 0 for share in found.shares) in (0, amount)
    assert all(share.minor for share in found.shares)
    if found.sure:
        assert len(found.evidence) > 1 or found.evidence == ("rf_reference",)


@given(st.lists(st.sampled_from([0, 2]), min_size=1, max_size=3), st.integers(1, 30000))
def test_payments_of_several_invoices_are_spread_without_loss(picks: list[int], minor: int) -> None:
    numbers = " ".join(claims()[pick].numbers.invoice_number for pick in picks)
    found = match(minor, numbers, payer_name="Anna Beispiel")
    assert sum(share.minor or 0 for share in found.shares) == minor
