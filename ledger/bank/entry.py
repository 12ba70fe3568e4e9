"""What a bank statement says, as values: statements, their movements, and why a file is refused."""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from enum import StrEnum

from ledger.money import EXPONENTS, Money

AMOUNT_MINOR_MAX = 10**14
"""No amount of a statement is larger; what is, is a mistake or an attack."""


class Refusal(StrEnum):
    """Why a file is refused as a whole."""

    UNREADABLE = "unreadable"
    """Neither camt nor MT940, cut off, or with broken letters."""
    FORBIDDEN = "forbidden"
    """A document type, entities, an encrypted or nested archive."""
    TOO_LARGE = "too_large"
    VERSION = "version"
    AMOUNT = "amount"
    DATE = "date"
    ACCOUNT = "account"
    BALANCE = "balance"


class StatementRefused(ValueError):
    """The file is not taken, nothing of it; the text says what is wrong and where."""

    def __init__(self, code: Refusal, reason: str) -> None:
        super().__init__(reason)
        self.code = code
        self.reason = reason


class Family(StrEnum):
    """The two families of formats; they word the same movement differently."""

    CAMT = "camt"
    MT940 = "mt940"


class Problem(StrEnum):
    """Why a movement can never post itself, whatever its text says."""

    COLLECTIVE = "collective_without_details"
    """Several payments booked as one sum, and the file does not say which."""
    DETAILS = "details_do_not_add_up"
    FOREIGN_CURRENCY = "foreign_currency"


@dataclass(frozen=True, slots=True, kw_only=True)
class Movement:
    """Money that came (positive) or went (negative): an entry, or one part of a collective one.

    ``text`` is the remittance information as the bank gives it, lines apart; ``joined`` the same
    without the breaks that a format puts after so many characters. ``reversal`` takes an earlier
    booking back, ``returned`` says that a payment came back (its reason code where known).
    ``original`` is the amount before the bank's charges of a return.
    """

    amount: Money
    booked: date
    value_date: date
    text: str = ""
    joined: str = ""
    payer_name: str | None = None
    payer_iban: str | None = None
    end_to_end_id: str | None = None
    mandate_id: str | None = None
    creditor_reference: str | None = None
    bank_reference: str | None = None
    code: str | None = None
    """The German business transaction code (GVC), or domain, family and subfamily in ISO 20022."""
    reversal: bool = False
    returned: str | None = None
    original: Money | None = None
    problem: Problem | None = None
    entry: int = 0
    """Which entry of its statement it belongs to, from 0."""

    @property
    def incoming(self) -> bool:
        """Whether the account grew."""
        return self.amount.minor > 0


@dataclass(frozen=True, slots=True, kw_only=True)
class BankStatement:
    """One statement about one account; ``pending`` counts entries that are not booked yet."""

    account: str
    """IBAN, or the bank's own ``BLZ/number``."""
    family: Family
    format: str
    number: str
    page: str = ""
    """Which page of a statement that came in several."""
    movements: tuple[Movement, ...]
    entries: int
    """How many booked entries it has; a collective one counts once."""
    pending: int = 0
    opening: Money | None = None
    closing: Money | None = None

    def check_balance(self) -> None:
        """Raise ``StatementRefused`` where opening balance and entries miss the closing one."""
        if self.opening is None or self.closing is None:
            return
        if self.opening.currency != self.closing.currency:
            raise StatementRefused(
                Refusal.BALANCE, f"statement {self.number}: balances in two currencies"
            )
        held = self.opening
        for movement in self.movements:
            if movement.amount.currency != held.currency:
                return  # an account is kept in one currency; such entries are looked at by people
            held += movement.amount
        if held != self.closing:
            raise StatementRefused(
                Refusal.BALANCE,
                f"statement {self.number}: {self.opening} and the entries make {held}, "
                f"but the closing balance is {self.closing}",
            )


def exact_money(amount: Decimal, currency: str, where: str) -> Money:
    """The amount in minor units; ``where`` says what it belongs to.

    Raises ``StatementRefused`` where it is not whole in them, out of bounds, or in a currency
    that is not known.
    """
    if currency not in EXPONENTS:
        raise StatementRefused(Refusal.AMOUNT, f"{where}: currency {currency[:8]!r} is not known")
    if not amount.is_finite() or amount.adjusted() > 20:
        raise StatementRefused(Refusal.AMOUNT, f"{where}: the amount is no amount")
    minor = amount.scaleb(EXPONENTS[currency])
    if minor != minor.to_integral_value():
        raise StatementRefused(
            Refusal.AMOUNT, f"{where}: {amount} {currency} has too many decimals"
        )
    if abs(minor) > AMOUNT_MINOR_MAX:
        raise StatementRefused(Refusal.AMOUNT, f"{where}: the amount is out of bounds")
    return Money(int(minor), currency)
