"""A statement as it is read: every line worded and formatted, so that page and letter lay out only.

The figures are the ledger's own; what is added up here is added up from its postings.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date

from api.letter_data import LetterData
from api.pages.pay.claims import ClaimView
from api.pages.pay.transfer import Transfer, transfer_for
from api.pages.statement.free_text import readable
from api.pages.statement.law import law_of
from api.pages.statement.words import Words
from conversation.wording import formats
from ledger.agreements import InstalmentPlan
from ledger.itemised import Charge, Credit, charges, credits
from ledger.money import Money
from ledger.posting import Account, PostingKind
from negotiation.policy import Policy
from storage.tables import Customer, Merchant

NAME_CHARACTERS_MAX = 120
_NUMBER_CHARACTERS_MAX = 48
_NARROW = {"recipient": 16, "info": 12}
"""After how many characters a word may break where there is little room."""


@dataclass(frozen=True, slots=True)
class Item:
    """One line: what, why, and how much. ``total`` marks sums."""

    day: str
    what: str
    why: str
    amount: str
    total: bool = False


@dataclass(frozen=True, slots=True)
class InterestLine:
    """Days on which principal and rate stay the same; ``mark`` says that a rate is not certain."""

    period: str
    days: int
    base: str
    rate: str
    mark: str
    amount: str


@dataclass(frozen=True, slots=True)
class Payment:
    """How to pay by transfer: label and value, and the same as a QR code (SVG) where it fits."""

    lead: str
    fields: Sequence[tuple[str, str]]
    qr: str
    qr_alt: str


@dataclass(frozen=True, slots=True)
class Sheet:
    """One claim's statement on one day."""

    language: str
    form: str
    title: str
    subject: str
    day: date
    sender: str
    sender_lines: Sequence[str]
    recipient: str
    colour: str
    logo: str
    info: Sequence[tuple[str, str]]
    hello: str
    lead: str
    items: Sequence[Item]
    interest: Sequence[InterestLine]
    interest_notes: Sequence[str]
    agreed: Sequence[tuple[str, str]]
    note: str
    payment: Payment | None
    closing: Sequence[str]
    law: Sequence[tuple[str, str]]
    law_more: str
    footer: Sequence[Sequence[str]]

    @property
    def name(self) -> str:
        """The name of its file, without suffix."""
        kept = re.sub(r"[^A-Za-z0-9-]+", "-", self.title).strip("-")
        return f"{kept[:80]}-{self.day.isoformat()}"


def sheet_of(
    view: ClaimView,
    merchant: Merchant,
    customer: Customer,
    policy: Policy,
    words: Words,
) -> Sheet:
    """The statement of a claim on the day that it was read."""
    transfer = transfer_for(merchant, view) if view.payable else None
    told = view.statement
    letter = LetterData.model_validate(merchant.letter)
    sender = readable(letter.firm or merchant.name, NAME_CHARACTERS_MAX)
    name = " ".join(filter(None, (customer.first_name, customer.name)))
    invoice = readable(told.invoice_number, _NUMBER_CHARACTERS_MAX)
    today = view.facts.today
    lines = [readable(line) for line in (letter.address or "").splitlines() if line.strip()]
    numbers = [
        (words.t.invoice, told.invoice_number),
        (words.t.order, told.order_number),
        (words.t.customer, told.customer_number),
    ]
    info = [
        (words.t.date, words.day(today)),
        *(
            (label, readable(text, _NUMBER_CHARACTERS_MAX, _NARROW["info"]))
            for label, text in numbers
            if text
        ),
        (words.t.due, words.day(told.due_date)),
        *((words.t.phone, one) for one in [merchant.phone] if one),
        *((words.t.email, one) for one in [merchant.email] if one),
    ]
    collects = merchant.kind == "collector"
    law, more = law_of(view, customer, letter, policy, words) if collects else ([], "")
    return Sheet(
        language=words.language,
        form=words.form,
        title=words.t.title.format(invoice=invoice),
        subject=words.t.subject.format(invoice=invoice),
        day=today,
        sender=sender,
        sender_lines=lines,
        recipient=readable(name, NAME_CHARACTERS_MAX, _NARROW["recipient"]),
        colour=merchant.page.get("colour") or "",
        logo=merchant.page.get("logo") or "",
        info=info,
        hello=words.t.hello.format(name=readable(name, NAME_CHARACTERS_MAX)),
        lead=words.t.lead.format(day=words.day(today)),
        items=list(items_of(view, merchant.name, words)),
        interest=list(_interest(view, words)),
        interest_notes=_interest_notes(view, words),
        agreed=_agreed(view, words),
        note=_note(view, transfer, words),
        payment=_payment(transfer, words) if transfer and transfer.iban else None,
        closing=[words.t.help, words.t.inform, words.t.regards, sender],
        law=law,
        law_more=more,
        footer=_footer(merchant, letter, sender, lines, words),
    )


def items_of(view: ClaimView, shop: str, words: Words) -> Iterator[Item]:
    """What is asked for, what was set off, and what is left."""
    shop = readable(shop, NAME_CHARACTERS_MAX)
    told, t, money = view.statement, words.t, words.money
    for charge in charges(view.record.postings):
        if charge.part is not Account.INTEREST:
            what, why = _charge(view, charge, words)
            yield Item(words.short_day(charge.day), what, why, money(charge.amount))
    if told.charged.interest:
        why = t.interest_shop.format(shop=shop)
        if view.interest:
            first, last = view.interest.segments[0].first, view.interest.segments[-1].last
            why = t.interest_why.format(first=words.short_day(first), last=words.short_day(last))
        yield Item("", t.interest, why, money(told.charged.interest))
    taken = credits(view.record.postings, told.currency)
    if taken:
        yield Item("", t.sum, "", money(told.charged.total), total=True)
    for credit in taken:
        what, why = t.kinds[credit.kind.value], _set_off(credit, words)
        yield Item(words.short_day(credit.day), what, why, money(-credit.amount))
    day = words.day(view.facts.today)
    yield Item("", t.open.format(day=day), "", money(told.open.total), total=True)
    if told.open.overpaid:
        yield Item("", t.overpaid, t.overpaid_why, money(told.open.overpaid), total=True)


def _charge(view: ClaimView, charge: Charge, words: Words) -> tuple[str, str]:
    """What was asked for, and why."""
    told, t = view.statement, words.t
    if charge.part is Account.PRINCIPAL:
        if charge.kind is not PostingKind.OPENING:
            return (t.corrected if charge.amount.minor < 0 else t.charged_later), ""
        contract, day = view.record.claim.contract_date, words.day(told.invoice_date)
        what = readable(told.description)
        if contract is None:
            return t.price, t.price_why.format(what=what, day=day)
        return t.price, t.price_why_contract.format(
            what=what, contract=words.day(contract), day=day
        )
    what = t.costs if charge.amount.minor >= 0 else t.corrected
    if charge.kind.value in t.cost_kinds:
        return what, t.cost_kinds[charge.kind.value]
    if charge.kind is PostingKind.CHARGE and _is_of_plan(view, charge.amount):
        return what, t.plan_costs
    if charge.kind is PostingKind.REVERSAL:
        return what, ""
    return what, readable(told.costs_reason or t.costs_unexplained)


def _is_of_plan(view: ClaimView, amount: Money) -> bool:
    told = view.statement
    agreements = (*told.earlier_agreements, told.agreement)
    return any(
        isinstance(one.terms, InstalmentPlan) and one.terms.charge == amount
        for one in agreements
        if one is not None
    )


def _set_off(credit: Credit, words: Words) -> str:
    """Which parts of the claim it went to (§ 367 BGB), or which are open again."""
    names = ("costs", "interest", "principal", "overpaid")
    parts = [(name, getattr(credit.parts, name)) for name in names]
    back = not any(part.minor > 0 for _, part in parts)
    said = ", ".join(
        words.t.parts[name].format(amount=words.money(-part if back else part))
        for name, part in parts
        if part
    )
    return str((words.t.given_back if back else words.t.set_off).format(parts=said))


def _interest(view: ClaimView, words: Words) -> Iterator[InterestLine]:
    for part in view.interest.segments if view.interest else ():
        points = words.number(part.percent - part.base_percent)
        rate = words.t.rate.format(
            base=words.number(part.base_percent), points=points, percent=words.number(part.percent)
        )
        first, last = words.short_day(part.first), words.short_day(part.last)
        yield InterestLine(
            first if part.days == 1 else f"{first} – {last}",
            part.days,
            words.money(part.principal),
            rate,
            "" if part.confirmed else words.t.not_confirmed,
            words.money(part.amount),
        )


def _interest_notes(view: ClaimView, words: Words) -> list[str]:
    if not view.interest:
        return []
    part = view.interest.segments[-1]
    points = words.number(part.percent - part.base_percent)
    notes = [words.t.interest_law.format(points=points)]
    return notes if view.interest.confirmed else [*notes, words.t.interest_unconfirmed]


def _agreed(view: ClaimView, words: Words) -> list[tuple[str, str]]:
    """Each agreed day with its amount."""
    if view.agreement is None or not view.payable:
        return []
    return [
        (
            words.day(part.instalment.due),
            words.money(part.instalment.amount) + ("" if part.missing else f" ({words.t.paid})"),
        )
        for part in view.agreement.progress
    ]


def _note(view: ClaimView, transfer: Transfer | None, words: Words) -> str:
    """What is to be said in place of a transfer."""
    if transfer is not None:
        return "" if transfer.iban else str(words.t.pay_missing)
    return str(words.t.states.get(view.state, ""))


def _payment(transfer: Transfer, words: Words) -> Payment:
    t, amount = words.t, words.money(transfer.amount)
    fields = [
        (t.payee, readable(transfer.payee, NAME_CHARACTERS_MAX)),
        (t.iban, formats.grouped(transfer.iban)),
        *((t.bic, bic) for bic in [transfer.bic] if bic),
        (t.amount, amount),
        (t.reference, formats.grouped(transfer.reference)),
    ]
    qr = transfer.svg().decode() if transfer.has_code else ""
    return Payment(t.qr_hint if qr else "", fields, qr, t.qr_alt.format(amount=amount))


def _footer(
    merchant: Merchant, letter: LetterData, sender: str, lines: Sequence[str], words: Words
) -> list[list[str]]:
    """The sender's business data in columns, without empty ones."""
    iban = f"IBAN {formats.grouped(merchant.iban)}" if merchant.iban else None
    bic = f"BIC {merchant.bic}" if merchant.iban and merchant.bic else None
    vat = f"{words.t.vat_id} {letter.vat_id}" if letter.vat_id else None
    columns = (
        [sender, *lines],
        [merchant.phone, merchant.email, merchant.website],
        [merchant.payee if iban else None, iban, bic],
        [letter.register_entry, letter.management, vat],
    )
    kept = ([readable(one, NAME_CHARACTERS_MAX) for one in column if one] for column in columns)
    return [column for column in kept if column]
