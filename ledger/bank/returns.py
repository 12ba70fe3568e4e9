"""Which payment came back: returned direct debits, recalled transfers, reversed bookings (pure)."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta

from ledger.bank.entry import Movement
from ledger.bank.matching import Doubt, Match, Share
from ledger.bank.writing import squeezed

RETURN_DAYS_MAX = 430
"""A direct debit without a mandate can come back for thirteen months (Art. 71 PSD2)."""


@dataclass(slots=True)
class Paid:
    """A payment that was posted from a bank movement; ``key`` is its command's in the ledger."""

    key: str
    amount_minor: int
    currency: str
    booked: date
    payer_iban: str | None
    end_to_end_id: str | None
    mandate_id: str | None
    text: str
    shares: tuple[Share, ...]
    returned: bool = False


class PaidBefore:
    """The payments of an account that may come back."""

    def __init__(self, paid: Iterable[Paid]) -> None:
        self._by_reference: dict[str, list[Paid]] = defaultdict(list)
        self._by_iban: dict[str, list[Paid]] = defaultdict(list)
        self._by_text: dict[str, list[Paid]] = defaultdict(list)
        for payment in paid:
            self.add(payment)

    def add(self, payment: Paid) -> None:
        """Remember a payment."""
        if payment.end_to_end_id:
            self._by_reference[squeezed(payment.end_to_end_id)].append(payment)
        if payment.payer_iban:
            self._by_iban[payment.payer_iban].append(payment)
        if payment.text:
            self._by_text[squeezed(payment.text)].append(payment)

    def match(self, movement: Movement) -> tuple[Match, Paid | None]:
        """The payment that a return takes back; a sure one reverses itself."""
        wanted = movement.original or -movement.amount
        oldest = movement.booked - timedelta(days=RETURN_DAYS_MAX)

        def left(payments: Iterable[Paid]) -> list[Paid]:
            return [
                payment
                for payment in payments
                if not payment.returned
                and oldest <= payment.booked <= movement.booked
                and payment.currency == wanted.currency
            ]

        ways = (
            ("end_to_end_id", self._by_reference.get(squeezed(movement.end_to_end_id or ""), ())),
            ("known_account", self._by_iban.get(movement.payer_iban or "", ())),
            ("text", self._by_text.get(squeezed(movement.joined or movement.text), ())),
        )
        for evidence, payments in ways:
            listed = left(payments)
            exact = [payment for payment in listed if payment.amount_minor == wanted.minor]
            if evidence != "end_to_end_id" and movement.mandate_id:
                of_mandate = [p for p in exact if p.mandate_id == movement.mandate_id]
                exact = of_mandate or exact
            if exact:
                newest = max(exact, key=lambda payment: payment.booked)
                doubt = None if len(exact) == 1 else Doubt.SEVERAL_CLAIMS
                return Match(newest.shares, (evidence, "amount"), doubt), newest
            if listed and evidence == "end_to_end_id":
                newest = max(listed, key=lambda payment: payment.booked)
                return Match(newest.shares, (evidence,), Doubt.RETURN_AMOUNT), newest
        return Match(doubt=Doubt.RETURN_UNKNOWN), None
