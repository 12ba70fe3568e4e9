"""What customer and merchant can agree on: promise, deferral, instalment plan, settlement."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Any, Self

from ledger.money import Money, total
from ledger.schedule import Period, amounts_by_count, amounts_by_regular, due_days


class AgreementKind(StrEnum):
    """The four forms an agreement has."""

    PROMISE = "promise"
    DEFERRAL = "deferral"
    INSTALMENT_PLAN = "instalment_plan"
    SETTLEMENT = "settlement"


class AgreementStatus(StrEnum):
    """Where an agreement stands; only one of a claim is active."""

    ACTIVE = "active"
    KEPT = "kept"
    BROKEN = "broken"
    CANCELLED = "cancelled"
    SUPERSEDED = "superseded"


@dataclass(frozen=True, slots=True)
class Instalment:
    """One amount with its due day; ``number`` counts from 1."""

    number: int
    due: date
    amount: Money

    def __post_init__(self) -> None:
        if self.amount.minor <= 0:
            raise ValueError("an instalment is more than nothing")


@dataclass(frozen=True, slots=True)
class Promise:
    """The customer pays the whole open amount by a day; interest goes on (no deferral)."""

    amount: Money
    due: date

    @property
    def kind(self) -> AgreementKind:
        return AgreementKind.PROMISE

    @property
    def total(self) -> Money:
        return self.amount

    @property
    def instalments(self) -> tuple[Instalment, ...]:
        return (Instalment(1, self.due, self.amount),)

    @property
    def stops_interest(self) -> bool:
        return False

    def to_data(self) -> dict[str, Any]:
        return {"amount": self.amount.to_json(), "due": self.due.isoformat()}

    @classmethod
    def from_data(cls, data: Mapping[str, Any]) -> Self:
        return cls(Money.from_json(data["amount"]), date.fromisoformat(data["due"]))


@dataclass(frozen=True, slots=True)
class Deferral:
    """The whole open amount falls due later (Stundung, § 271 BGB); interest stops until then."""

    amount: Money
    until: date

    @property
    def kind(self) -> AgreementKind:
        return AgreementKind.DEFERRAL

    @property
    def total(self) -> Money:
        return self.amount

    @property
    def instalments(self) -> tuple[Instalment, ...]:
        return (Instalment(1, self.until, self.amount),)

    @property
    def stops_interest(self) -> bool:
        return True

    def to_data(self) -> dict[str, Any]:
        return {"amount": self.amount.to_json(), "until": self.until.isoformat()}

    @classmethod
    def from_data(cls, data: Mapping[str, Any]) -> Self:
        return cls(Money.from_json(data["amount"]), date.fromisoformat(data["until"]))


@dataclass(frozen=True, slots=True)
class DownPayment:
    """A first payment with an amount and a day of its own, before the regular instalments."""

    amount: Money
    due: date


@dataclass(frozen=True, slots=True)
class InstalmentPlan:
    """The open amount in instalments.

    ``first`` is the day the regular instalments count from, ``charge`` what the plan itself costs
    (nothing for consumers, § 506 BGB) and is part of the instalments. With ``shift_land`` due
    days move off weekends and that Land's holidays. With ``starts_apart`` the first instalment is
    a down payment: the regular ones follow it.
    """

    instalments: tuple[Instalment, ...]
    period: Period
    first: date
    charge: Money
    stops_interest: bool = True
    shift_land: str | None = None
    starts_apart: bool = False

    def __post_init__(self) -> None:
        if len(self.instalments) <= self.starts_apart:
            raise ValueError("a plan has at least one regular instalment")
        if [part.number for part in self.instalments] != [*range(1, len(self.instalments) + 1)]:
            raise ValueError("instalments are numbered from 1")
        if self.charge.minor < 0:
            raise ValueError("a charge is not negative")

    @property
    def kind(self) -> AgreementKind:
        return AgreementKind.INSTALMENT_PLAN

    @property
    def total(self) -> Money:
        return total((part.amount for part in self.instalments), self.charge.currency)

    @property
    def count(self) -> int:
        return len(self.instalments)

    @property
    def down_payment(self) -> DownPayment | None:
        """The payment that stands before the regular instalments."""
        start = self.instalments[0]
        return DownPayment(start.amount, start.due) if self.starts_apart else None

    @property
    def regulars(self) -> tuple[Instalment, ...]:
        """The instalments but for a down payment."""
        return self.instalments[1:] if self.starts_apart else self.instalments

    @property
    def rhythm(self) -> Period | None:
        """How often an instalment is due; None where there is a single regular one."""
        return self.period if len(self.regulars) > 1 else None

    @property
    def regular(self) -> Money:
        """The amount of each regular instalment but the last."""
        return self.regulars[0].amount

    def to_data(self) -> dict[str, Any]:
        return {
            "instalments": [
                {"due": part.due.isoformat(), "amount": part.amount.to_json()}
                for part in self.instalments
            ],
            "period": self.period.value,
            "first": self.first.isoformat(),
            "charge": self.charge.to_json(),
            "stops_interest": self.stops_interest,
            "shift_land": self.shift_land,
            "starts_apart": self.starts_apart,
        }

    @classmethod
    def from_data(cls, data: Mapping[str, Any]) -> Self:
        return cls(
            instalments=tuple(
                Instalment(number, date.fromisoformat(part["due"]), Money.from_json(part["amount"]))
                for number, part in enumerate(data["instalments"], 1)
            ),
            period=Period(data["period"]),
            first=date.fromisoformat(data["first"]),
            charge=Money.from_json(data["charge"]),
            stops_interest=data["stops_interest"],
            shift_land=data["shift_land"],
            starts_apart=data.get("starts_apart", False),
        )


@dataclass(frozen=True, slots=True)
class Settlement:
    """The claim is done when ``amount`` is paid by ``due``; ``waived`` is then let go."""

    amount: Money
    waived: Money
    due: date

    @property
    def kind(self) -> AgreementKind:
        return AgreementKind.SETTLEMENT

    @property
    def total(self) -> Money:
        return self.amount

    @property
    def instalments(self) -> tuple[Instalment, ...]:
        return (Instalment(1, self.due, self.amount),)

    @property
    def stops_interest(self) -> bool:
        return False

    def to_data(self) -> dict[str, Any]:
        return {
            "amount": self.amount.to_json(),
            "waived": self.waived.to_json(),
            "due": self.due.isoformat(),
        }

    @classmethod
    def from_data(cls, data: Mapping[str, Any]) -> Self:
        return cls(
            Money.from_json(data["amount"]),
            Money.from_json(data["waived"]),
            date.fromisoformat(data["due"]),
        )


AgreementTerms = Promise | Deferral | InstalmentPlan | Settlement

_TERMS: Mapping[AgreementKind, type[Promise | Deferral | InstalmentPlan | Settlement]] = {
    AgreementKind.PROMISE: Promise,
    AgreementKind.DEFERRAL: Deferral,
    AgreementKind.INSTALMENT_PLAN: InstalmentPlan,
    AgreementKind.SETTLEMENT: Settlement,
}


def terms_to_data(terms: AgreementTerms) -> dict[str, Any]:
    """The terms as JSON-able data, with their kind: for storing, and for dialogue slots."""
    return {"kind": terms.kind.value, **terms.to_data()}


def terms_from_data(data: Mapping[str, Any]) -> AgreementTerms:
    """Read what ``terms_to_data`` wrote; raises ``ValueError``, ``KeyError`` or ``TypeError``."""
    return _TERMS[AgreementKind(data["kind"])].from_data(data)


def _plan(
    amounts: Sequence[Money],
    first: date,
    period: Period,
    charge: Money,
    stops_interest: bool,
    shift_land: str | None,
    down: DownPayment | None,
) -> InstalmentPlan:
    days = due_days(first, period, len(amounts), shift_land=shift_land)
    parts = [*zip(days, amounts, strict=True)]
    if down is not None:
        (day,) = due_days(down.due, period, 1, shift_land=shift_land)
        parts.insert(0, (day, down.amount))
    return InstalmentPlan(
        instalments=tuple(
            Instalment(number, day, amount) for number, (day, amount) in enumerate(parts, 1)
        ),
        period=period,
        first=first,
        charge=charge,
        stops_interest=stops_interest,
        shift_land=shift_land,
        starts_apart=down is not None,
    )


def plan_by_count(
    owed: Money,
    count: int,
    *,
    first: date,
    period: Period = Period.MONTHLY,
    charge: Money | None = None,
    stops_interest: bool = True,
    shift_land: str | None = None,
    down: DownPayment | None = None,
) -> InstalmentPlan:
    """A plan of ``count`` equal instalments over ``owed`` plus ``charge``, after ``down``."""
    charge = charge or Money.zero(owed.currency)
    rest = owed + charge - (down.amount if down else Money.zero(owed.currency))
    amounts = amounts_by_count(rest, count)
    return _plan(amounts, first, period, charge, stops_interest, shift_land, down)


def plan_by_amount(
    owed: Money,
    regular: Money,
    *,
    first: date,
    period: Period = Period.MONTHLY,
    charge: Money | None = None,
    stops_interest: bool = True,
    shift_land: str | None = None,
    down: DownPayment | None = None,
) -> InstalmentPlan:
    """A plan of ``regular`` per period over ``owed`` plus ``charge``, the last one the rest.

    ``down`` is paid before, and the regular instalments share what it leaves.
    """
    charge = charge or Money.zero(owed.currency)
    rest = owed + charge - (down.amount if down else Money.zero(owed.currency))
    amounts = amounts_by_regular(rest, regular)
    return _plan(amounts, first, period, charge, stops_interest, shift_land, down)
