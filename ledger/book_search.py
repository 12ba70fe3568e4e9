"""Whose claims somebody means who types a name or any number, however it is written.

Row-level security lets only equality and order use an index, so each kind of number has one
canonical key to look up, and a name is found by its beginning.
"""

import re
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass

import phonenumbers
from sqlalchemy import ColumnElement, Select, and_, func, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import InstrumentedAttribute
from stdnum import iso11649

from ledger.reference import rf_reference
from storage.tables import Claim, ContactPoint, Customer

TYPED_CHARACTERS_MAX = 120
MATCHES_MAX = 300
"""So many customers, and so many claims; who needs more writes more of the name."""
_CANDIDATES_MAX = 500
_PHONE_DIGITS_MIN = 6
_PHONE_CHANNELS = ("sms", "whatsapp", "voice")
_LAST = "\U0010ffff"
_Key = InstrumentedAttribute[str | None]
_RUN = re.compile(r"\d+|[^\W\d_]+")


@dataclass(frozen=True, slots=True)
class Found:
    """Claims found by their own numbers, and customers of whom all claims are meant."""

    claims: tuple[int, ...] = ()
    customers: tuple[int, ...] = ()
    more: bool = False
    """There are more than are named here."""

    def __bool__(self) -> bool:
        return bool(self.claims or self.customers)


async def search(session: AsyncSession, merchant_id: int, typed: str) -> Found:
    """Look for a customer's name, customer number or phone, an invoice number or an RF reference.

    ``session`` is the merchant's: what is another's is not there.
    """
    typed = " ".join(typed[:TYPED_CHARACTERS_MAX].split())
    if not _RUN.search(typed):
        return Found()
    customers: dict[int, None] = {}
    if any(mark.isdigit() for mark in typed):
        claims = await _invoices(session, merchant_id, typed)
        wanted = [*rf_candidates(typed)]
        if wanted:
            of_rf = select(Claim.id).where(
                Claim.merchant_id == merchant_id, Claim.rf_reference.in_(wanted)
            )
            claims += await session.scalars(of_rf)
        customers |= dict.fromkeys(await _of_phone(session, merchant_id, typed))
    else:
        claims = []
        for wanted_names in _names(merchant_id, typed):
            customers |= dict.fromkeys(await session.scalars(wanted_names))
    customers |= dict.fromkeys(await _of_number(session, merchant_id, typed))
    return Found(
        tuple(dict.fromkeys(claims))[:MATCHES_MAX],
        tuple(customers)[:MATCHES_MAX],
        more=max(len(claims), len(customers)) > MATCHES_MAX,
    )


def same_number(typed: str, number: str) -> bool:
    """Whether somebody who types this means that number.

    Separators, capitals and zeros that lead a group do not count; letters may be left out.
    """
    runs = _RUN.findall(number.lower())
    plain = "".join(_RUN.findall(typed.lower()))
    if not runs or not plain:
        return False
    digits = [run for run in runs if run.isdigit()]
    return _matches(runs, plain) or (plain.isdigit() and bool(digits) and _matches(digits, plain))


def _matches(runs: Sequence[str], plain: str) -> bool:
    pattern = "".join("0*" + run.lstrip("0") if run.isdigit() else re.escape(run) for run in runs)
    return re.fullmatch(pattern, plain) is not None


def rf_candidates(typed: str) -> set[str]:
    """The RF references this can be: with or without ``RF``, with zeros missing, in groups."""
    plain = "".join(_RUN.findall(typed.upper()))
    found = set()
    for text in (plain, f"RF{plain}"):
        if iso11649.is_valid(text):
            found.add(text)
            with suppress(ValueError):
                found.add(rf_reference(int(text[4:])))
    return found


def phone_candidates(typed: str) -> set[str]:
    """The E.164 numbers this can be: ``+49``, ``0049``, ``49``, ``0`` or nothing in front."""
    digits = re.sub(r"\D", "", typed)
    if len(digits) < _PHONE_DIGITS_MIN or re.search(r"[^\W\d_]", typed):
        return set()
    found = set()
    for text in (typed, f"+{digits}"):
        with suppress(phonenumbers.NumberParseException):
            number = phonenumbers.parse(text, "DE")
            found.add(phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164))
    return found


async def _invoices(session: AsyncSession, merchant_id: int, typed: str) -> list[int]:
    found = await session.execute(
        select(Claim.id, Claim.invoice_number)
        .where(
            Claim.merchant_id == merchant_id,
            Claim.invoice_key == func.kulanz_number_key(typed),
            Claim.invoice_key != "",
        )
        .limit(_CANDIDATES_MAX)
    )
    return [id_ for id_, number in found if same_number(typed, number)]


async def _of_number(session: AsyncSession, merchant_id: int, typed: str) -> list[int]:
    found = await session.execute(
        select(Customer.id, Customer.number)
        .where(
            Customer.merchant_id == merchant_id,
            Customer.number_key == func.kulanz_number_key(typed),
            Customer.number_key != "",
        )
        .limit(_CANDIDATES_MAX)
    )
    return [id_ for id_, number in found if same_number(typed, number)]


async def _of_phone(session: AsyncSession, merchant_id: int, typed: str) -> Iterable[int]:
    wanted = phone_candidates(typed)
    if not wanted:
        return ()
    return await session.scalars(
        select(ContactPoint.customer_id)
        .where(
            ContactPoint.merchant_id == merchant_id,
            ContactPoint.channel.in_(_PHONE_CHANNELS),
            ContactPoint.address.in_(wanted),
        )
        .limit(MATCHES_MAX + 1)
    )


def _names(merchant_id: int, typed: str) -> Iterable[Select[int]]:
    """Customers whose names begin so: the name, or the first name, or both in either order."""
    words = typed.replace(",", " ").split()
    name, first = Customer.name_key, Customer.first_name_key
    yield _named(merchant_id, _begins(name, typed))
    if len(words) == 1:
        yield _named(merchant_id, _begins(first, typed), by=first)
    for cut in {1, len(words) - 1} if len(words) > 1 else ():
        one, other = " ".join(words[:cut]), " ".join(words[cut:])
        yield _named(merchant_id, and_(_begins(name, other), _begins(first, one)))
        yield _named(merchant_id, and_(_begins(name, one), _begins(first, other)))


def _named(
    merchant_id: int, begins: ColumnElement[bool], by: _Key = Customer.name_key
) -> Select[int]:
    return (
        select(Customer.id)
        .where(Customer.merchant_id == merchant_id, begins)
        .order_by(by)
        .limit(MATCHES_MAX + 1)
    )


def _begins(column: _Key, typed: str) -> ColumnElement[bool]:
    key = func.kulanz_name_key(typed)
    return and_(column >= key, column < func.concat(key, _LAST))
