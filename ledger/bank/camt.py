"""Reading camt.052, 053 and 054 (ISO 20022), versions 02 to 08, with a parser that trusts nothing.

No document type, no entities, no network, no huge trees: a file that needs any of it is refused.
"""

import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from decimal import Decimal, InvalidOperation
from io import BytesIO
from typing import Any

from lxml import etree

from ledger.bank.entry import (
    BankStatement,
    Family,
    Movement,
    Problem,
    Refusal,
    StatementRefused,
    exact_money,
)
from ledger.bank.remittance import keywords, stated
from ledger.money import Money

_NAMESPACE = re.compile(r"urn:iso:std:iso:20022:tech:xsd:camt\.(05[234])\.001\.(\d\d)")
_VERSIONS = frozenset(f"{version:02d}" for version in range(2, 9))
_BODIES = {"052": "Rpt", "053": "Stmt", "054": "Ntfctn"}
_GVC = re.compile(r"(?:^|\+)(\d{3})(?:\+|$)")
_RETURN_GVC = frozenset({"108", "109", "159"})
# Reversals in ISO's list of bank transaction codes: unpaid or returned, and cancelled on request.
_RETURN_SUBFAMILIES = frozenset({"UPDD", "RRTN", "RPCR", "PRDD"})
COLLECTIVE_GVC = frozenset({"191", "192", "193", "194", "195", "196", "197"})
ENTRIES_MAX = 200_000


def camt_statements(data: bytes) -> tuple[BankStatement, ...]:
    """Every statement of a camt file.

    Raises:
        StatementRefused: the file is no camt of a known version, broken, or unsafe.
    """
    try:
        return tuple(_statements(data))
    except etree.XMLSyntaxError as error:
        raise StatementRefused(
            Refusal.UNREADABLE, f"the XML is broken or cut off: {error.msg}"[:200]
        ) from error


def _statements(data: bytes) -> Iterator[BankStatement]:
    reader: _Reader | None = None
    draft: _Draft | None = None
    found = 0
    tags = tuple(f"{{*}}{name}" for name in ("Document", "Ntry", *_BODIES.values()))
    events = etree.iterparse(
        BytesIO(data),
        events=("start", "end"),
        tag=tags,
        load_dtd=False,
        dtd_validation=False,
        attribute_defaults=False,
        no_network=True,
        resolve_entities=False,
        remove_comments=True,
        remove_pis=True,
        huge_tree=False,
    )
    for event, element in events:
        name = etree.QName(element).localname
        if event == "start":
            if reader is None:
                reader = _Reader.of(element)
            elif name == reader.body and draft is None:
                draft = _Draft(reader)
            continue
        if reader is None or draft is None:
            continue
        if name == "Ntry":
            draft.add(element)
            element.clear()  # what was read is let go
        elif name == reader.body:
            yield draft.finished(element)
            found += 1
            draft = None
            element.clear()
    if reader is None:
        raise StatementRefused(Refusal.UNREADABLE, "the XML is no camt document")
    if not found:
        raise StatementRefused(Refusal.UNREADABLE, "there is no statement in the file")


class _Reader:
    """Reads texts by their path in one namespace."""

    def __init__(self, namespace: str, message: str, version: str) -> None:
        self.format = f"camt.{message}.001.{version}"
        self.body = _BODIES[message]
        self._namespace = namespace
        self._paths: dict[str, str] = {}

    @classmethod
    def of(cls, root: Any) -> "_Reader":
        """The reader of a document; raises ``StatementRefused`` where it is none we read."""
        if root.getroottree().docinfo.internalDTD is not None:
            raise StatementRefused(Refusal.FORBIDDEN, "the file has a document type (DTD)")
        name = etree.QName(root)
        known = _NAMESPACE.fullmatch(name.namespace or "")
        if name.localname != "Document" or known is None:
            raise StatementRefused(
                Refusal.UNREADABLE, "the XML is no camt.052, camt.053 or camt.054 document"
            )
        if known[2] not in _VERSIONS:
            raise StatementRefused(
                Refusal.VERSION,
                f"camt.{known[1]}.001.{known[2]} is not read; versions 02 to 08 are",
            )
        return cls(f"{{{name.namespace}}}", known[1], known[2])

    def path(self, path: str) -> str:
        """The path with its namespace at every step."""
        known = self._paths.get(path)
        if known is None:
            known = "/".join(f"{self._namespace}{step}" for step in path.split("/"))
            self._paths[path] = known
        return known

    def all(self, element: Any, path: str) -> list[Any]:
        return list(element.findall(self.path(path)))

    def first(self, element: Any, *paths: str) -> Any | None:
        for path in paths:
            found = element.find(self.path(path))
            if found is not None:
                return found
        return None

    def text(self, element: Any, *paths: str) -> str | None:
        """The text at the first of these paths that has one."""
        for path in paths:
            value = stated(element.findtext(self.path(path)))
            if value is not None:
                return value
        return None

    def money(self, element: Any, where: str) -> Money:
        """The amount of an ``Amt``; raises ``StatementRefused`` for none, and below zero."""
        try:
            amount = Decimal((element.text or "").strip())
        except InvalidOperation as error:
            raise StatementRefused(Refusal.AMOUNT, f"{where}: the amount is no amount") from error
        if amount.is_signed() and amount:
            raise StatementRefused(Refusal.AMOUNT, f"{where}: the amount is negative")
        return exact_money(abs(amount), element.get("Ccy") or "", where)

    def day(self, element: Any, path: str, where: str) -> date | None:
        text = self.text(element, f"{path}/Dt", f"{path}/DtTm")
        if text is None:
            return None
        try:
            return date.fromisoformat(text[:10])
        except ValueError as error:
            raise StatementRefused(Refusal.DATE, f"{where}: {text[:30]!r} is no date") from error


class _Draft:
    """A statement whose entries come in one after the other."""

    def __init__(self, reader: _Reader) -> None:
        self._reader = reader
        self._movements: list[Movement] = []
        self._entries = self._pending = self._seen = 0

    def add(self, entry: Any) -> None:
        """Read one entry; only what is booked counts."""
        reader = self._reader
        self._seen += 1
        if self._seen > ENTRIES_MAX:
            raise StatementRefused(Refusal.TOO_LARGE, f"more than {ENTRIES_MAX} entries")
        where = f"entry {self._seen}"
        status = reader.text(entry, "Sts/Cd", "Sts/Prtry", "Sts")
        if status is None:
            raise StatementRefused(Refusal.UNREADABLE, f"{where}: no status")
        if status != "BOOK":
            self._pending += 1
            return
        self._movements += _movements(reader, entry, where, self._entries)
        self._entries += 1

    def finished(self, body: Any) -> BankStatement:
        reader = self._reader
        number = reader.text(body, "ElctrncSeqNb", "LglSeqNb", "Id") or "?"
        account = reader.text(body, "Acct/Id/IBAN", "Acct/Id/Othr/Id")
        if account is None:
            raise StatementRefused(Refusal.ACCOUNT, f"statement {number} names no account")
        opening, closing = self._balances(body, number)
        return BankStatement(
            account=account,
            family=Family.CAMT,
            format=reader.format,
            number=number,
            page=reader.text(body, "StmtPgntn/PgNb", "RptPgntn/PgNb") or "",
            movements=tuple(self._movements),
            entries=self._entries,
            pending=self._pending,
            opening=opening,
            closing=closing,
        )

    def _balances(self, body: Any, number: str) -> tuple[Money | None, Money | None]:
        """Opening and closing balance, where the statement is whole and states both."""
        reader = self._reader
        if reader.body != "Stmt":
            return None, None  # reports of the day overlap and leave out as each bank likes
        last_page = reader.text(body, "StmtPgntn/LastPgInd", "RptPgntn/LastPgInd")
        first_page = reader.text(body, "StmtPgntn/PgNb", "RptPgntn/PgNb")
        if last_page == "false" or (first_page or "1").lstrip("0") != "1":
            return None, None
        held: dict[str, Money] = {}
        for balance in reader.all(body, "Bal"):
            code = reader.text(balance, "Tp/CdOrPrtry/Cd")
            amount = reader.first(balance, "Amt")
            if code is None or amount is None:
                continue
            money = reader.money(amount, f"statement {number}, balance {code}")
            debit = reader.text(balance, "CdtDbtInd") == "DBIT"
            held.setdefault(code, -money if debit else money)
        return held.get("OPBD", held.get("PRCD")), held.get("CLBD")


def _movements(reader: _Reader, entry: Any, where: str, number: int) -> list[Movement]:
    amount_element = reader.first(entry, "Amt")
    if amount_element is None:
        raise StatementRefused(Refusal.AMOUNT, f"{where}: no amount")
    amount = reader.money(amount_element, where)
    direction = reader.text(entry, "CdtDbtInd")
    if direction not in ("CRDT", "DBIT"):
        raise StatementRefused(Refusal.UNREADABLE, f"{where}: neither credit nor debit")
    value_date = reader.day(entry, "ValDt", where)
    booked = reader.day(entry, "BookgDt", where) or value_date
    if booked is None:
        raise StatementRefused(Refusal.DATE, f"{where}: no date")
    code = _code(reader, entry)
    whole = Movement(
        amount=amount if direction == "CRDT" else -amount,
        booked=booked,
        value_date=value_date or booked,
        text=reader.text(entry, "AddtlNtryInf") or "",
        joined=reader.text(entry, "AddtlNtryInf") or "",
        bank_reference=reader.text(entry, "AcctSvcrRef"),
        code=code,
        returned=_returned(reader, entry, code),
        reversal=reader.text(entry, "RvslInd") in ("true", "1"),
        entry=number,
    )
    details = reader.all(entry, "NtryDtls/TxDtls")
    if not details:
        count = reader.text(entry, "NtryDtls/Btch/NbOfTxs") or "1"
        collective = count.lstrip("0") != "1" or (whole.code or "") in COLLECTIVE_GVC
        return [replace(whole, problem=Problem.COLLECTIVE if collective else None)]
    if len(details) == 1:
        return [_detailed(reader, details[0], whole, single=True)]
    parts = [_part(reader, detail, whole, where) for detail in details]
    if None in parts or sum(part.amount.minor for part in parts if part) != whole.amount.minor:
        return [replace(whole, problem=Problem.DETAILS)]
    return [part for part in parts if part is not None]


def _part(reader: _Reader, detail: Any, whole: Movement, where: str) -> Movement | None:
    """One payment of a collective entry; None where its own amount is not stated."""
    element = reader.first(detail, "Amt", "AmtDtls/TxAmt/Amt", "AmtDtls/InstdAmt/Amt")
    if element is None or element.get("Ccy") != whole.amount.currency:
        return None
    amount = reader.money(element, where)
    direction = reader.text(detail, "CdtDbtInd")
    incoming = whole.incoming if direction is None else direction == "CRDT"
    part = replace(whole, amount=amount if incoming else -amount, bank_reference=None, text="")
    return _detailed(reader, detail, part, single=False)


def _detailed(reader: _Reader, detail: Any, whole: Movement, *, single: bool) -> Movement:
    """The movement with what its transaction details say."""
    lines = [text for element in reader.all(detail, "RmtInf/Ustrd") if (text := element.text)]
    said = keywords("".join(lines)) if lines else {}
    free = said.get("SVWZ", "") or said.get("", "") if len(said) > 1 else "\n".join(lines)
    side = "Dbtr" if whole.incoming else "Cdtr"
    other = "Cdtr" if whole.incoming else "Dbtr"
    returned = reader.text(detail, "RtrInf/Rsn/Cd", "RtrInf/Rsn/Prtry", "RtrInf/AddtlInf")
    code = _code(reader, detail) or whole.code
    returned = returned or _returned(reader, detail, code) or whole.returned
    if returned is not None:  # a returned direct debit names the first payment's parties
        side, other = other, side
    name, iban = _party(reader, detail, side)
    if iban is None and name is None and returned is not None:
        name, iban = _party(reader, detail, other)
    instructed = reader.first(detail, "AmtDtls/InstdAmt/Amt")
    foreign = instructed is not None and instructed.get("Ccy") != whole.amount.currency
    exchanged = reader.first(detail, "AmtDtls/TxAmt/CcyXchg", "AmtDtls/InstdAmt/CcyXchg")
    original = None
    if returned is not None and instructed is not None and not foreign:
        original = reader.money(instructed, "return")
    return replace(
        whole,
        text=free or reader.text(detail, "AddtlTxInf") or whole.text,
        joined=said.get("SVWZ", "") or said.get("", "") or whole.joined,
        payer_name=name or said.get("ABWA"),
        payer_iban=iban,
        end_to_end_id=reader.text(detail, "Refs/EndToEndId") or stated(said.get("EREF")),
        mandate_id=reader.text(detail, "Refs/MndtId") or stated(said.get("MREF")),
        creditor_reference=reader.text(detail, "RmtInf/Strd/CdtrRefInf/Ref"),
        bank_reference=reader.text(detail, "Refs/AcctSvcrRef")
        or (whole.bank_reference if single else None),
        code=code,
        returned=returned,
        original=original,
        problem=Problem.FOREIGN_CURRENCY if foreign or exchanged is not None else None,
    )


def _party(reader: _Reader, detail: Any, side: str) -> tuple[str | None, str | None]:
    """Name and IBAN of the other side; since version 08 the name lies one level deeper."""
    name = reader.text(detail, f"RltdPties/{side}/Pty/Nm", f"RltdPties/{side}/Nm")
    iban = reader.text(detail, f"RltdPties/{side}Acct/Id/IBAN")
    return name, iban


def _code(reader: _Reader, element: Any) -> str | None:
    proprietary = reader.text(element, "BkTxCd/Prtry/Cd")
    known = _GVC.search(proprietary or "")
    if known is not None:
        return known[1]
    steps = [
        reader.text(element, f"BkTxCd/Domn/{path}") for path in ("Cd", "Fmly/Cd", "Fmly/SubFmlyCd")
    ]
    return "-".join(step for step in steps if step) or None


def _returned(reader: _Reader, element: Any, code: str | None) -> str | None:
    """That a payment came back, where only the kind of booking says so."""
    subfamily = reader.text(element, "BkTxCd/Domn/Fmly/SubFmlyCd")
    comes_back = code in _RETURN_GVC or subfamily in _RETURN_SUBFAMILIES
    return "unknown" if comes_back else None
