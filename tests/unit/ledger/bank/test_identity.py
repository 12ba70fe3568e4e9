"""Overlapping and repeated files post nothing twice, and lose nothing."""

from collections import Counter
from datetime import date

from hypothesis import given
from hypothesis import strategies as st

from ledger.bank.accounts import own_account
from ledger.bank.entry import BankStatement, Family, Movement
from ledger.bank.identity import Acquaintance, Identified, Register, Stored, identified, together
from ledger.money import Money

OWN = "DE02120300000000202051"
OTHER = "DE44500105175407324931"


def movement(text: str, reference: str | None = None, minor: int = 100) -> Movement:
    return Movement(
        amount=Money(minor),
        booked=date(2026, 11, 20),
        value_date=date(2026, 11, 20),
        text=text,
        joined=text,
        bank_reference=reference,
    )


def statement(
    *movements: Movement, number: str = "1", page: str = "", form: str = "camt.053"
) -> BankStatement:
    return BankStatement(
        account=OWN,
        family=Family.CAMT,
        format=form,
        number=number,
        page=page,
        movements=movements,
        entries=len(movements),
    )


class Known:
    """What is known after some files, as the intake keeps it."""

    def __init__(self) -> None:
        self.stored: list[Stored] = []

    def take(self, given: BankStatement) -> Counter[Acquaintance]:
        items = identified([(OWN, given)])
        listed = Register(self.stored).sort(items)
        self.stored += [
            self._stored(item) for item, how, _ in listed if how is not Acquaintance.KNOWN
        ]
        return Counter(how for _, how, _ in listed)

    def _stored(self, item: Identified) -> Stored:
        return Stored(
            len(self.stored) + 1000 * id(item),
            OWN,
            item.movement.booked,
            item.movement.amount.minor,
            item.content,
            item.reference,
            item.movement.payer_iban,
            item.statement.format,
        )


@given(st.lists(st.lists(st.sampled_from("abc"), max_size=5), max_size=5))
def test_without_references_each_is_known_as_often_as_any_file_says(files: list[list[str]]) -> None:
    known = Known()
    for texts in files:
        known.take(statement(*(movement(text) for text in texts)))
    most: Counter[str] = Counter()
    for texts in files:
        most |= Counter(texts)
    assert len(known.stored) == sum(most.values())


@given(st.lists(st.lists(st.integers(1, 6), unique=True, max_size=6), max_size=5))
def test_with_references_each_is_known_once(files: list[list[int]]) -> None:
    known = Known()
    for numbers in files:
        taken = known.take(statement(*(movement(f"t{number}", f"R{number}") for number in numbers)))
        assert taken[Acquaintance.PERHAPS] == 0
    assert len(known.stored) == len({number for numbers in files for number in numbers})


def test_a_reference_that_comes_later_is_the_same_movement() -> None:
    known = Known()
    known.take(statement(movement("a"), form="camt.052"))
    assert known.take(statement(movement("a", "R1")))[Acquaintance.KNOWN] == 1


def test_equal_movements_with_other_references_in_another_file_are_for_a_person() -> None:
    known = Known()
    known.take(statement(movement("a", "R1")))
    assert known.take(statement(movement("a", "R2")))[Acquaintance.PERHAPS] == 1


def test_equal_movements_with_other_references_in_one_file_are_two() -> None:
    taken = Known().take(statement(movement("a", "R1"), movement("a", "R2")))
    assert taken[Acquaintance.NEW] == 2


def test_a_reference_that_several_movements_share_names_none() -> None:
    one, other = identified([(OWN, statement(movement("a", "R"), movement("b", "R")))])
    assert (one.reference, other.reference) == (None, None)


def test_pages_belong_together_and_repeated_ones_do_not() -> None:
    first, second = statement(page="1"), statement(page="2")
    groups = together([first, second, statement(page="2"), statement(number="2", page="1")])
    assert [len(group) for group in groups] == [2, 1, 1]


def test_an_account_is_known_however_the_bank_writes_it() -> None:
    for account in (OWN, OWN.lower(), f"{OWN}EUR", "12030000/202051", "12030000/0000202051"):
        assert own_account(account, [OTHER, OWN]) == OWN
    assert own_account("12030000/202052", [OWN]) is None
    assert own_account(OTHER, [OWN]) is None
