"""The policy as a form: its fields in groups, what stands in them, and what came back (pure).

What a field may hold is said in one place, :mod:`negotiation.policy_data`: what cannot be read here
goes there as nothing, and each refusal comes back to the input that it is about.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from babel.numbers import format_decimal
from starlette.datastructures import FormData

from conversation.wording.formats import LOCALES, money
from ledger.money import AmountAmbiguous, AmountUnreadable, parse_amount
from ledger.schedule import Period
from negotiation.policy import BrokenNext, DayWord, Policy, PolicyError, PolicyInvalid
from negotiation.policy_data import LAENDER, bounds, policy_from_data, policy_to_data

GROUPS: Mapping[str, tuple[str, ...]] = {
    "plans": (
        "instalment_bands",
        "instalment_minor_min",
        "instalment_first_days_max",
        "instalment_first_days_usual",
        "instalment_periods",
        "plan_stops_interest",
        "plan_charge_business_minor",
        "shift_due_days_land",
    ),
    "later": ("promise_days_max", "deferral_bands"),
    "less": (
        "discount_interest_percent",
        "discount_costs_percent",
        "discount_principal_percent",
        "discount_days_max",
        "contact_thanks_minor",
    ),
    "limits": (
        "authority_minor",
        "agreements_max",
        "let_go_below_minor",
        "small_rest_below_minor",
        "transit_days",
    ),
    "effort": (
        "effort_bands",
        "reminder_after_days",
        "reminder_letter_minor",
        "freshness_hours",
        "verification_minutes",
        "check_days",
    ),
    "watch": (
        "note_days",
        "day_word",
        "invoice_note_days",
        "thanks",
        "question_banking_days",
        "days_moved_max",
        "broken_after_days",
        "broken_next",
    ),
}
"""The fields of the policy's page; those of contact and opening hours have a page of their own."""
CONTACT = ("contact_country", "contact_rules", "opening_hours", "answer_minutes")
FIXED = ("currency",)
"""Said by the merchant's claims, so not for choosing."""

BANDS: Mapping[str, tuple[str, tuple[str, ...]]] = {
    "instalment_bands": ("up_to_minor", ("count_max",)),
    "deferral_bands": ("up_to_days", ("days_max",)),
    "effort_bands": ("up_to_minor", ("reminders_max", "call")),
}
LAST = "last"
SPARE_ROWS = 2
ROWS_MAX = 8
_AMOUNT_OPEN_ENDED = 10**12
_CHOICES: Mapping[str, type[StrEnum]] = {"day_word": DayWord, "broken_next": BrokenNext}
_PATH = re.compile(r"(\w+)(?:\[(\d+)\])?(?:\.(\w+))?")
_DEFAULTS = policy_to_data(Policy())


@dataclass(frozen=True, slots=True)
class Read:
    """What came back: the policy where it is one, and for each input what is wrong with it."""

    policy: Policy | None
    data: Mapping[str, Any]
    wrong: Mapping[str, str]


def kind_of(name: str) -> str:
    """Which kind of input a field has."""
    if name in BANDS:
        return "bands"
    if name in _CHOICES or name == "shift_due_days_land":
        return "choice"
    if name == "instalment_periods":
        return "several"
    if isinstance(_DEFAULTS[name], bool):
        return "yes_no"
    return "amount" if "_minor" in name else "whole"


def inputs(policy: Policy, language: str) -> dict[str, str | list[str]]:
    """What stands in the inputs of a policy, by the inputs' names."""
    data = policy_to_data(policy)
    found: dict[str, str | list[str]] = {}
    for name in (name for group in GROUPS.values() for name in group):
        value = data[name]
        if name == "instalment_periods":
            found[f"{name}-first"] = value[0]
        if name not in BANDS:
            found[name] = value if isinstance(value, list) else written(name, value, language)
            continue
        for key, band in zip([*map(str, range(len(value) - 1)), LAST], value, strict=True):
            for part, held in band.items():
                if held is not None:
                    found[f"{name}-{key}-{part}"] = written(part, held, language)
    return found


def written(name: str, value: Any, language: str) -> str:
    """One value as it stands in its input."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if "_minor" in name:
        return str(format_decimal(value / 100, "#,##0.00", locale=LOCALES[language]))
    return str(value)


def rows_of(name: str, given: Mapping[str, Any]) -> list[str]:
    """The keys of a field's rows: those that hold something, two to spare, and the last one."""
    held = [key for key in map(str, range(ROWS_MAX)) if _holds(name, key, given)]
    count = min(ROWS_MAX, (int(held[-1]) + 1 if held else 0) + SPARE_ROWS)
    return [*map(str, range(count)), LAST]


def _holds(name: str, key: str, given: Mapping[str, Any]) -> bool:
    limit, parts = BANDS[name]
    return any(given.get(f"{name}-{key}-{part}") for part in (limit, *parts) if part != "call")


def read(form: FormData, held: Mapping[str, Any], words: Mapping[str, Any], language: str) -> Read:
    """Read the form of the policy's page; what it has no input for stays as `held`.

    `words` are those of what can be wrong.
    """
    data = dict(held)
    places: dict[str, list[str]] = {}
    for name in (name for group in GROUPS.values() for name in group):
        if name in BANDS:
            data[name], places[name] = _bands(name, form)
        elif kind_of(name) == "several":
            chosen = [str(one) for one in form.getlist(name)]
            data[name] = list(dict.fromkeys([_text(form, f"{name}-first"), *chosen]))
        else:
            data[name] = _value(name, _text(form, name))
    return checked(data, places, words, language)


def checked(
    data: Mapping[str, Any],
    places: Mapping[str, Sequence[str]],
    words: Mapping[str, Any],
    language: str,
) -> Read:
    """The policy of this data, or what is wrong by input; `places` are the keys of rows."""
    try:
        return Read(policy_from_data(data), data, {})
    except PolicyInvalid as invalid:
        wrong = dict(_wrong(error, places, words, language) for error in invalid.errors)
        return Read(None, data, wrong)


def _text(form: FormData, name: str) -> str:
    given = form.get(name)
    return given.strip()[:80] if isinstance(given, str) else ""


def _value(name: str, text: str) -> Any:
    """What an input says; None where it cannot be read, or where nothing is chosen."""
    kind = "yes_no" if name == "call" else kind_of(name) if name in _DEFAULTS else ""
    if kind == "yes_no":
        return {"yes": True, "no": False}.get(text)
    if kind == "choice":
        return text or None
    if "_minor" in name:
        try:
            return parse_amount(text).minor
        except (AmountUnreadable, AmountAmbiguous):
            return None
    return int(text) if re.fullmatch(r"\d{1,9}", text, re.ASCII) else None


def _bands(name: str, form: FormData) -> tuple[list[dict[str, Any]], list[str]]:
    limit, parts = BANDS[name]
    given = {key: _text(form, key) for key in form if key.startswith(f"{name}-")}
    keys = [key for key in map(str, range(ROWS_MAX)) if _holds(name, key, given)]
    rows = [
        {part: _value(part, given.get(f"{name}-{key}-{part}", "")) for part in (limit, *parts)}
        for key in (*keys, LAST)
    ]
    rows[-1][limit] = None
    return rows, [*keys, LAST]


def _wrong(
    error: PolicyError,
    places: Mapping[str, Sequence[str]],
    words: Mapping[str, Any],
    language: str,
) -> tuple[str, str]:
    """The input that a refusal is about, and what is wrong in words."""
    found = _PATH.fullmatch(error.field)
    if found is None:
        return error.field, words["other"]
    name, index, part = found.groups()
    if index is not None:
        key = places[name][int(index)] if name in places else index
        if part == BANDS[name][0]:
            return f"{name}-{key}-{part}", words["rise"]
        return f"{name}-{key}-{part}", _range(name, part, words, language)
    if name == "instalment_first_days_usual" and "instalment_first_days_max" in error.expected:
        return name, words["usual"]
    if part:
        return f"{name}-{part}", words["hours"]
    return name, _range(name, "", words, language)


def _range(name: str, part: str, words: Mapping[str, Any], language: str) -> str:
    try:
        least, most = bounds(name, part)
    except KeyError:  # a rule that there is no longer
        return str(words["other"])
    except TypeError:
        return str(words["choose"])
    if "_minor" not in (part or name):
        return str(words["whole"].format(least=least, most=most))
    shown = [str(money({"minor": one, "currency": "EUR"}, language)) for one in (least, most)]
    if most >= _AMOUNT_OPEN_ENDED:
        return str(words["amount_from"].format(least=shown[0]))
    return str(words["amount"].format(least=shown[0], most=shown[1]))


def options(name: str) -> list[str]:
    """What can be chosen for a field; the empty one is none of them."""
    if name == "shift_due_days_land":
        return ["", *sorted(LAENDER)]
    if name == "instalment_periods":
        return [period.value for period in reversed(Period)]
    return [code.value for code in _CHOICES[name]]


def told(name: str, value: Any, words: Mapping[str, Any], language: str) -> str:
    """A field's value in words, for the history."""
    if name in BANDS:
        return "; ".join(_band(name, band, words, language) for band in value)
    if isinstance(value, bool):
        return str(words["yes"] if value else words["no"])
    if isinstance(value, list):
        return ", ".join(str(words["choices"].get(one, one)) for one in value)
    if isinstance(value, Mapping):
        return ", ".join(f"{key} {held}" for key, held in value.items()) or "–"
    if isinstance(value, int):
        if "_minor" in name:
            return str(money({"minor": value, "currency": "EUR"}, language))
        unit = words["units"].get(name, "")
        return f"{value} {unit}".strip()
    return str(words["choices"].get(value, value)) if value else "–"


def _band(name: str, band: Mapping[str, Any], words: Mapping[str, Any], language: str) -> str:
    limit, parts = BANDS[name]
    upper = band[limit]
    shown = written(limit, upper, language)
    to = words["band_to"][limit].format(limit=shown) if upper is not None else words["band_rest"]
    values = [
        words["band_parts"][part].format(value=told(part, band[part], words, language))
        for part in parts
    ]
    return f"{to}: {', '.join(values)}"


def names() -> Iterator[str]:
    """Every field of the policy's page, in the order of the page."""
    for group in GROUPS.values():
        yield from group
