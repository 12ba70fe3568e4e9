"""Reading MT940 as German banks send it (pure).

``mt-940`` finds the tags and reads balances and statement lines; the text of ``:86:`` is read
here, because what matters for matching (pieces cut at 27 letters, the payer's IBAN, original
amounts) is lost in its general form.
"""

import logging
import re
from datetime import date
from decimal import Decimal, InvalidOperation
from io import StringIO
from typing import Any

import mt940

from ledger.bank.camt import COLLECTIVE_GVC, ENTRIES_MAX
from ledger.bank.entry import (
    BankStatement,
    Family,
    Movement,
    Problem,
    Refusal,
    StatementRefused,
    exact_money,
)
from ledger.bank.remittance import joined_lines, keywords, slashed, stated
from ledger.money import EXPONENTS, Money

# The library quotes what it cannot read, and that is somebody's payment.
logging.getLogger("mt940").setLevel(logging.CRITICAL + 1)

_LINE = mt940.tags.StatementGLS()
_ENVELOPE = re.compile(r"^(?:\{[1-5]:.*|-\}.*)$", re.MULTILINE)
_STATEMENT_LINES = re.compile(r"^:\n?61:", re.MULTILINE)
_STRUCTURED = re.compile(r"(?P<code>\d{3})(?P<mark>[?<&@+])(?=\d\d)")
_RETURNS = frozenset({"108", "109", "159"})
_AMOUNT = re.compile(r"(\d{1,12}(?:[.,]\d{1,2})?)")
_IBAN = re.compile(r"[A-Z]{2}\d{2}[A-Z0-9]{11,30}")


def mt940_statements(text: str) -> tuple[BankStatement, ...]:
    """Every statement of an MT940 file; pages of one statement are statements of their own.

    Raises:
        StatementRefused: something cannot be read, is cut off, or does not add up in itself.
    """
    text = _ENVELOPE.sub("", text.replace("\r\n", "\n").replace("\r", "\n"))
    try:
        blocks = mt940.parse_statements(
            StringIO(text),
            processors={"post_transaction_details": []},
            tags={_LINE.id: _LINE},
            options=mt940.Options.all(),
        )
    # What it raises on broken input is not of one class.
    except (RuntimeError, ValueError, ArithmeticError, LookupError, TypeError) as error:
        raise StatementRefused(
            Refusal.UNREADABLE, "the MT940 file is broken or cut off: a field cannot be read"
        ) from error
    if not blocks:
        raise StatementRefused(Refusal.UNREADABLE, "there is no statement in the file")
    lines = len(_STATEMENT_LINES.findall(text))
    if lines > ENTRIES_MAX:
        raise StatementRefused(Refusal.TOO_LARGE, f"more than {ENTRIES_MAX} entries")
    statements = tuple(_statement(block, place) for place, block in enumerate(blocks, 1))
    if sum(statement.entries for statement in statements) != lines:
        raise StatementRefused(
            Refusal.UNREADABLE, "the MT940 file has statement lines that cannot be told apart"
        )
    return statements


def _statement(block: Any, place: int) -> BankStatement:
    data = block.data
    number, page = str(data.get("statement_number") or place), data.get("sequence_number") or ""
    where = f"statement {number}/{page}".rstrip("/")
    account = stated(data.get("account_identification"))
    if account is None:
        raise StatementRefused(Refusal.ACCOUNT, f"{where} names no account")
    opening = _balance(data, where, "final_opening", "intermediate_opening", "opening")
    closing = _balance(data, where, "final_closing", "intermediate_closing", "closing")
    if opening is None or closing is None:
        raise StatementRefused(
            Refusal.UNREADABLE,
            f"{where} has no {'opening' if opening is None else 'closing'} balance: cut off?",
        )
    return BankStatement(
        account=account,
        family=Family.MT940,
        format="mt940",
        number=number,
        page=page,
        movements=tuple(
            _movement(transaction, closing.currency, entry, f"{where}, entry {entry + 1}")
            for entry, transaction in enumerate(block.transactions)
        ),
        entries=len(block.transactions),
        opening=opening,
        closing=closing,
    )


def _balance(data: dict[str, Any], where: str, *kinds: str) -> Money | None:
    for kind in kinds:
        held = data.get(f"{kind}_balance")
        if held is not None:
            return exact_money(held.amount.amount, held.amount.currency, f"{where}, balance")
    return None


def _movement(transaction: Any, currency: str, entry: int, where: str) -> Movement:
    data = transaction.data
    if "amount" not in data or "date" not in data:
        raise StatementRefused(Refusal.UNREADABLE, f"{where} cannot be read")
    amount = exact_money(data["amount"].amount, currency, where)
    value_date = _day(data["date"])
    booked = _day(data["entry_date"]) if isinstance(data.get("entry_date"), date) else value_date
    details = _Details.of(data.get("transaction_details") or "")
    mark = str(data.get("status") or "").upper()
    returned = None
    if details.code in _RETURNS or "RTRN" in details.parts:
        returned = details.parts.get("RTRN") or details.fields.get("34") or "unknown"
    problem = None
    original = details.amount("OAMT", where)
    if original is not None and original.currency != currency:
        original, problem = None, Problem.FOREIGN_CURRENCY
    if details.code in COLLECTIVE_GVC and not details.free:
        problem = Problem.COLLECTIVE
    return Movement(
        amount=amount,
        booked=booked,
        value_date=value_date,
        text=details.text,
        joined=details.free,
        payer_name=details.name,
        payer_iban=details.iban,
        end_to_end_id=stated(details.parts.get("EREF")),
        mandate_id=stated(details.parts.get("MREF")),
        bank_reference=stated(data.get("bank_reference")),
        code=details.code,
        reversal=mark.startswith("R"),
        returned=returned,
        original=original if returned is not None else None,
        problem=problem,
        entry=entry,
    )


def _day(moment: date) -> date:
    return date(moment.year, moment.month, moment.day)


class _Details:
    """The text of one ``:86:``: subfields by number, keywords, and what is left as free text."""

    def __init__(self, code: str | None, fields: dict[str, str], whole: str) -> None:
        self.code = code
        self.fields = fields
        self._spaced = " ".join(self._pieces()) if fields else whole
        joined = "".join(self._pieces()) if fields else whole
        self.parts = slashed(joined) or keywords(joined)
        self.free = self.parts.get("SVWZ", "") or self.parts.get("", "")

    @classmethod
    def of(cls, raw: str) -> "_Details":
        """Read it; the mark between subfields is whatever follows the three digits."""
        whole = joined_lines(raw.split("\n"))
        head = _STRUCTURED.match(whole)
        if head is None:
            # Lines of free text end at words, those of structured text anywhere.
            spaced = joined_lines(f"{line} " for line in raw.split("\n"))
            return cls(None, {}, whole if slashed(whole) else spaced)
        pieces = re.split(rf"{re.escape(head['mark'])}(\d\d)", whole[3:])[1:]
        fields: dict[str, str] = {}
        for number, value in zip(pieces[::2], pieces[1::2], strict=True):
            fields[number] = fields.get(number, "") + value
        return cls(head["code"], fields, whole)

    def _pieces(self) -> list[str]:
        purpose = [f"2{n}" for n in range(10)] + [f"6{n}" for n in range(4)]
        return [self.fields[number] for number in purpose if number in self.fields]

    @property
    def text(self) -> str:
        """The purpose with a space between pieces, where it has no keywords to tell it apart."""
        return self._spaced if list(self.parts) == ["SVWZ"] and self.fields else self.free

    @property
    def name(self) -> str | None:
        name = self.fields.get("32", "") + self.fields.get("33", "")
        return stated(name) or stated(self.parts.get("ABWA")) or stated(self.parts.get("NAME"))

    @property
    def iban(self) -> str | None:
        for found in (self.fields.get("31"), self.parts.get("IBAN")):
            compact = (found or "").replace(" ", "").upper()
            if _IBAN.fullmatch(compact):
                return compact
        return None

    def amount(self, keyword: str, where: str) -> Money | None:
        """The amount that a keyword gives, as in ``OAMT+EUR 50,00`` or ``OAMT+50,00``."""
        said = self.parts.get(keyword)
        number = _AMOUNT.search(said or "")
        if said is None or number is None:
            return None
        named = re.search(r"[A-Z]{3}", said.upper())
        currency = named[0] if named and named[0] in EXPONENTS else "EUR"
        try:
            return exact_money(Decimal(number[1].replace(",", ".")), currency, where)
        except InvalidOperation:
            return None
