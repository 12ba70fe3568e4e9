"""Reading a policy from JSON-able data and writing it back."""

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, fields
from datetime import time
from enum import StrEnum
from typing import Any

from ledger.costs import LETTER_MINOR_MAX
from ledger.money import EXPONENTS
from ledger.schedule import Period
from negotiation.policy import (
    WEEKDAYS,
    BrokenNext,
    DayWord,
    DeferralBand,
    EffortBand,
    InstalmentBand,
    Policy,
    PolicyError,
    PolicyInvalid,
)

LAENDER = frozenset(
    ("BB", "BE", "BW", "BY", "HB", "HE", "HH", "MV", "NI", "NW", "RP", "SH", "SL", "SN", "ST", "TH")
)


class _Wrong(Exception):
    """Carries the errors of one field."""

    def __init__(self, *errors: tuple[str, str]) -> None:
        self.errors = errors


Reader = Callable[[Any], Any]


@dataclass(frozen=True)
class _Whole:
    """Reads a whole number within bounds, both included."""

    least: int
    most: int

    def __call__(self, value: Any) -> int:
        if type(value) is not int or not self.least <= value <= self.most:
            raise _Wrong(("", f"a whole number from {self.least} to {self.most}"))
        return value


def _yes_no(value: Any) -> bool:
    if type(value) is not bool:
        raise _Wrong(("", "true or false"))
    return value


def _currency(value: Any) -> str:
    if not isinstance(value, str) or value not in EXPONENTS:
        raise _Wrong(("", "an ISO 4217 currency code"))
    return value


def _land(value: Any) -> str | None:
    if value is None or (isinstance(value, str) and value in LAENDER):
        return value
    raise _Wrong(("", "a Land such as BE, or null"))


def _periods(value: Any) -> tuple[Period, ...]:
    names = [period.value for period in Period]
    if not isinstance(value, list) or not value or any(name not in names for name in value):
        raise _Wrong(("", f"a list of one or more of {', '.join(names)}"))
    if len(set(value)) != len(value):
        raise _Wrong(("", "each period once"))
    return tuple(Period(name) for name in value)


def _one_of(codes: type[StrEnum]) -> Reader:
    def read(value: Any) -> StrEnum:
        if not isinstance(value, str) or value not in set(codes):
            raise _Wrong(("", f"one of {', '.join(codes)}"))
        return codes(value)

    return read


def _country(value: Any) -> str:
    if not isinstance(value, str) or len(value) != 2 or not value.isupper():
        raise _Wrong(("", "a country code such as DE"))
    return value


def _object(value: Any) -> Mapping[str, Any]:
    if not isinstance(value, Mapping):
        raise _Wrong(("", "an object"))
    return dict(value)


def _hours(value: Any) -> dict[str, str]:
    if not isinstance(value, Mapping):
        raise _Wrong(("", "an object"))
    errors = [(f".{day}", "a day such as monday") for day in value if day not in WEEKDAYS]
    errors += [
        (f".{day}", "hours such as 09:00-17:00")
        for day, hours in value.items()
        if day in WEEKDAYS and not _is_window(hours)
    ]
    if not value:
        errors.append(("", "at least one day"))
    if errors:
        raise _Wrong(*errors)
    return {day: value[day] for day in WEEKDAYS if day in value}


def _is_window(value: Any) -> bool:
    """Whether it is ``HH:MM-HH:MM``, the later time last."""
    opens, _, closes = value.partition("-") if isinstance(value, str) else ("", "", "")
    try:
        return time.fromisoformat(opens) < time.fromisoformat(closes) and len(value) == 11
    except (ValueError, TypeError):
        return False


@dataclass(frozen=True)
class _Bands:
    """Reads a list of bands: rising limits, the last one without."""

    make: Callable[..., Any]
    limit: str
    readers: Mapping[str, Reader]

    def __call__(self, value: Any) -> tuple[Any, ...]:
        if not isinstance(value, list) or not value:
            raise _Wrong(("", "a list of one or more bands"))
        errors: list[tuple[str, str]] = []
        bands = []
        previous = -1
        for position, given in enumerate(value):
            path = f"[{position}]"
            keys = {self.limit, *self.readers}
            last = position == len(value) - 1
            # TOML cannot write null: the last band may leave its limit out.
            band = {self.limit: None, **given} if last and isinstance(given, dict) else given
            if not isinstance(band, dict) or set(band) != keys:
                errors.append((path, f"exactly the keys {', '.join(sorted(keys))}"))
                continue
            limit = band[self.limit]
            if last:
                if limit is not None:
                    errors.append((f"{path}.{self.limit}", "null in the last band"))
            elif type(limit) is not int or limit <= previous:
                errors.append((f"{path}.{self.limit}", f"a whole number above {previous}"))
            else:
                previous = limit
            parts = {}
            for name, read in self.readers.items():
                try:
                    parts[name] = read(band[name])
                except _Wrong as wrong:
                    errors += [(f"{path}.{name}", expected) for _, expected in wrong.errors]
            if len(parts) == len(self.readers):
                bands.append(self.make(limit, **parts))
        if errors:
            raise _Wrong(*errors)
        return tuple(bands)


_AMOUNT = _Whole(0, 10**12)
_DAYS = _Whole(0, 366)
_PERCENT = _Whole(0, 100)

_READERS: Mapping[str, Reader] = {
    "currency": _currency,
    "instalment_minor_min": _Whole(1, 10**12),
    "instalment_bands": _Bands(InstalmentBand, "up_to_minor", {"count_max": _Whole(1, 120)}),
    "instalment_first_days_max": _DAYS,
    "instalment_first_days_usual": _DAYS,
    "instalment_periods": _periods,
    "plan_charge_business_minor": _AMOUNT,
    "plan_stops_interest": _yes_no,
    "shift_due_days_land": _land,
    "deferral_bands": _Bands(DeferralBand, "up_to_days", {"days_max": _DAYS}),
    "promise_days_max": _DAYS,
    "discount_interest_percent": _PERCENT,
    "discount_costs_percent": _PERCENT,
    "discount_principal_percent": _PERCENT,
    "discount_days_max": _DAYS,
    "authority_minor": _AMOUNT,
    "agreements_max": _Whole(1, 100),
    "let_go_below_minor": _AMOUNT,
    "effort_bands": _Bands(
        EffortBand, "up_to_minor", {"reminders_max": _Whole(0, 10), "call": _yes_no}
    ),
    "freshness_hours": _Whole(1, 24 * 31),
    "verification_minutes": _Whole(1, 60 * 24 * 31),
    "check_days": _DAYS,
    "reminder_after_days": _Whole(1, 366),
    "note_days": _Whole(0, 28),
    "day_word": _one_of(DayWord),
    "invoice_note_days": _Whole(0, 28),
    "thanks": _yes_no,
    "question_banking_days": _Whole(1, 20),
    "days_moved_max": _Whole(0, 10),
    "broken_after_days": _Whole(1, 90),
    "broken_next": _one_of(BrokenNext),
    "contact_country": _country,
    "contact_rules": _object,
    "opening_hours": _hours,
    "answer_minutes": _Whole(0, 24 * 60),
    "transit_days": _Whole(0, 31),
    "small_rest_below_minor": _Whole(0, 10_00),
    "reminder_letter_minor": _Whole(0, LETTER_MINOR_MAX),
    "contact_thanks_minor": _AMOUNT,
}


def bounds(name: str, part: str = "") -> tuple[int, int]:
    """Least and largest value of a field that is a whole number, or of a part of its bands.

    Raises KeyError for a field that there is not, TypeError for one of another kind.
    """
    reader = _READERS[name]
    if isinstance(reader, _Bands):
        reader = reader.readers[part]
    if not isinstance(reader, _Whole):
        raise TypeError(f"{name} is no whole number")
    return reader.least, reader.most


def policy_from_data(data: Mapping[str, Any]) -> Policy:
    """Read a policy; fields that are not given keep their default.

    Raises ``PolicyInvalid`` with all errors at once: unknown fields, wrong types, numbers out of
    range, bands that do not rise.
    """
    if not isinstance(data, Mapping):
        raise PolicyInvalid((PolicyError("policy", "an object"),))
    errors = [PolicyError(str(name), "no such field") for name in data if name not in _READERS]
    values: dict[str, Any] = {}
    for name, read in _READERS.items():
        if name not in data:
            continue
        try:
            values[name] = read(data[name])
        except _Wrong as wrong:
            errors += [PolicyError(name + path, expected) for path, expected in wrong.errors]
    if not errors:
        policy = Policy(**values)
        if policy.instalment_first_days_usual <= policy.instalment_first_days_max:
            return policy
        errors.append(
            PolicyError("instalment_first_days_usual", "at most instalment_first_days_max")
        )
    raise PolicyInvalid(tuple(errors))


def policy_to_data(policy: Policy) -> dict[str, Any]:
    """The policy as JSON-able data, every field written out."""
    return {field.name: _plain(getattr(policy, field.name)) for field in fields(policy)}


def _plain(value: Any) -> Any:
    if isinstance(value, StrEnum):
        return value.value
    if isinstance(value, tuple):
        return [_plain(part) for part in value]
    if isinstance(value, InstalmentBand | DeferralBand | EffortBand):
        return asdict(value)
    return value
