"""Sheets of statements from invented claims, for tests of how they are laid out."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

from api.pages.pay.claims import ClaimView, view_of
from api.pages.statement.sheet import Sheet, sheet_of
from api.pages.statement.words import Words
from ledger import posting as movements
from ledger import rebooking
from ledger.book import ClaimRecord
from ledger.chain import chained, input_hash
from ledger.money import Money
from ledger.posting import Movement, Posting, open_amount
from ledger.rebooking import InterestTerms
from negotiation.policy import Policy
from storage.tables import Claim, Customer, Merchant

NOW = datetime(2026, 11, 23, 10, tzinfo=UTC)
SINCE = date(2025, 12, 15)
FIRST_PAYMENT = date(2026, 3, 2)
LETTER = {
    "firm": "Lindenhof Versand GmbH",
    "address": "Lindenallee 12\n10115 Berlin",
    "register_entry": "Amtsgericht Charlottenburg, HRB 000000 B",
    "management": "Geschäftsführung: Mara Linden",
    "vat_id": "DE000000000",
}
COLLECTION = {
    "client": "Tannenhof Möbel GmbH",
    "client_address": "Tannenweg 3\n20095 Hamburg",
    "registration": "Inkassodienstleister, Registernummer 0000-0000",
    "authority": "Aufsicht Beispiel",
    "authority_address": "Amtsweg 1\n53113 Bonn",
    "authority_contact": "aufsicht@behoerde.example",
}


@dataclass
class Account:
    """A claim's postings, made as the book makes them."""

    postings: list[Posting]
    terms: InterestTerms

    def post(self, made: tuple[Movement, ...], day: date) -> None:
        key = f"c{len(self.postings)}"
        last = self.postings[-1] if self.postings else None
        self.postings += chained(
            7, last, made, value_date=day, booked_at=NOW, key=key, input_hash=input_hash(key)
        )

    def pay(self, minor: int, day: date) -> None:
        due = rebooking.interest_due(self.postings, self.terms, day, "EUR")
        if due.minor > 0:
            self.post(movements.interest_charge(due), day)
        self.post(movements.payment(Money(minor), open_amount(self.postings, "EUR")), day)


def view(payments: int = 1, minor: int = 50_00, **facts: Any) -> ClaimView:
    """A claim of 1,249.00 with 2.50 of costs in default since December, and payments day by day."""
    account = Account([], InterestTerms(SINCE, Decimal(5)))
    opened = movements.opening(Money(1249_00), Money(2_50), Money(0))
    account.post(opened, date(2025, 11, 5))
    for number in range(payments):
        account.pay(minor, FIRST_PAYMENT + timedelta(days=number))
    given: dict[str, Any] = {
        "description": "Gartentisch Eiche, 160 × 90 cm",
        "invoice_number": "RE-2026-1044",
        "contract_date": date(2025, 11, 3),
        "costs_reason": "Porto der Mahnung vom 10.12.2025",
        **facts,
    }
    claim = Claim(
        id=7,
        merchant_id=1,
        customer_id=1,
        reference="F-1044",
        order_number="B-77120",
        currency="EUR",
        rf_reference="RF18539007547034",
        invoice_date=date(2025, 11, 5),
        due_date=date(2025, 11, 19),
        default_since=SINCE,
        default_proof="Mahnung vom 10.12.2025",
        status="open",
        confirmed_at=NOW,
        **given,
    )
    today, held = NOW.date(), account.postings
    more = rebooking.interest_due(held, account.terms, today, "EUR")
    record = ClaimRecord(
        claim,
        "K-10021",
        False,
        "Europe/Berlin",
        held,
        [],
        open_amount(held, "EUR").with_interest(more),
        rebooking.accrued(held, account.terms, today, "EUR"),
        more,
    )
    return view_of(record, Policy(), NOW)


def sheet(
    shown: ClaimView | None = None,
    *,
    language: str = "de",
    first_name: str = "Łukasz Đorđe",
    name: str = "Yıldız",
    merchant: dict[str, Any] | None = None,
) -> Sheet:
    """The sheet of a claim."""
    given = {"kind": "creditor", "page": {}, "letter": LETTER, **(merchant or {})}
    sender = Merchant(
        id=1,
        key="lindenhof",
        name="Lindenhof Versand",
        phone="+49 30 23125 000",
        email="service@lindenhof.example",
        website="lindenhof.example",
        payee="Lindenhof Versand GmbH",
        iban="DE02120300000000202051",
        **given,
    )
    customer = Customer(id=1, number="K-10021", name=name, first_name=first_name, business=False)
    return sheet_of(shown or view(), sender, customer, Policy(), Words(language, "sie"))
