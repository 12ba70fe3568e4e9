"""All values of a message, found once and then read in the light of its intent."""

import re
from dataclasses import dataclass
from datetime import date
from typing import Any, Dict, List, Mapping, Optional, Sequence, Tuple, Union

from pipeline.dialects import Standard, standard
from pipeline.phrases import find_channels
from pipeline.values_amounts import LOOSE_NUMBER, find_amounts, money
from pipeline.values_contacts import find_contacts
from pipeline.values_dates import DateSpan, find_dates
from pipeline.values_numbers import ValueSpan

EXTRACTOR = "kulanz"
# Intents that speak of what has happened: a day without a year is the last such day.
PAST_INTENTS = frozenset(
    {
        "already_paid",
        "dispute_goods",
        "request_receipt",
        "payment_failed",
        "bereavement",
        "insolvency",
    }
)
FUTURE_INTENTS = frozenset(
    {
        "promise_payment",
        "request_deferral",
        "cannot_keep_agreement",
        "not_now",
        "propose_amount",
        "request_instalments",
        "request_callback",
    }
)
# Below this confidence the first reading does not tell alone what time a message speaks of.
_SURE = 0.5
# Intents that a report of a payment may be taken for.
TENSE_DECIDES = frozenset({"promise_payment", "request_deferral", "propose_amount", "inform"})
# Intents in which a mere length of time asks for a day so far ahead.
DURATION_IS_DAY = frozenset(
    {"request_deferral", "promise_payment", "not_now", "inform", "cannot_keep_agreement"}
)
DURATION_IS_COUNT = frozenset({"request_instalments", "propose_amount"})
# Intents about money: a number that nothing else explains is an amount.
MONEY_INTENTS = frozenset(
    {
        "propose_amount",
        "request_discount",
        "request_instalments",
        "promise_payment",
        "pay_now",
        "already_paid",
        "ask_agreement",
        "cannot_keep_agreement",
        "ask_costs",
    }
)
# Intents in which the name of a channel is a wish; elsewhere ("why this SMS?") it is only a word.
CHANNEL_INTENTS = frozenset(
    {
        "choose_channel",
        "request_invoice_copy",
        "request_receipt",
        "request_bank_details",
        "change_contact",
        "opt_out",
        "inform",
        "affirm",
        "deny",
    }
)
# "in 6 Monaten abzahlen" is a number of instalments, "in 6 Monaten" is a day.
_PAID_OFF = re.compile(
    r"\s+(?:\w+\s+){0,2}(?:ab(?:be)?zahl|abstotter|abtrag|zur(?:ü|ue)ck(?:zu)?zahl|aufteil|verteil)",
    re.IGNORECASE,
)
_MONTHS_OR_YEARS = re.compile(r"monat|month|jahr|year", re.IGNORECASE)
_SO_MANY_MONTHS = re.compile(r"\w+\s*(?:monat|month|jahr|year)", re.IGNORECASE)
_ADULT_AGE_YEARS = 14
_BIRTH = re.compile(
    r"\b(?:geb(?:oren|urtsdatum|urtstag|urtsdat)?\b|geb\.|born|birth(?:day|date)?|dob|d\.o\.b)",
    re.IGNORECASE,
)
_DONE = re.compile(
    r"\b(?:gezahlt|bezahlt|(?:ü|ue)berwiesen|abgebucht|zur(?:ü|ue)ckgeschickt|war|wurden?|habe?|bestellt|geliefert|gek(?:ü|ue)ndigt|storniert|"
    r"paid|transferred|sent|went out|returned|ordered|delivered|cancelled|got|was|were)\b",
    re.IGNORECASE,
)
# What is paid is paid, whatever the message is taken for; "sobald ich bezahlt werde" is not.
_PAID = re.compile(
    r"\b(?:hab|habe|haben|ham|wurden?|ist|sind)\b[^.?!,]{0,60}\b"
    r"(?:(?:ü|ue)berwiesen|(?:ge|be)zahlt|abgebucht|abgeschickt|angewiesen|eingezahlt)\b"
    r"(?!\s+(?:werd|bekomm|krieg))"
    r"|\b(?:i|we)(?:'ve|\s+have)?\s+(?:already\s+|just\s+)?(?:paid|payed|sent|transferred|wired)\b",
    re.IGNORECASE,
)
_CONDITION = re.compile(
    r"\b(?:wenn|sobald|nachdem|bis|falls|when|once|after|until|till|if|as soon as)\b",
    re.IGNORECASE,
)
# The present tense of what one is about to do, in a message that is taken for a report.
_ABOUT_TO = re.compile(
    r"\b(?:(?:ich|wir)\s+(?:zahle?n?|bezahle?n?|(?:ü|ue)berweisen?)"
    r"|(?:zahle?|bezahle?|(?:ü|ue)berweise)\s+(?:ich|wir|es|das|den|am)"
    r"|geht\b[^.?!]{0,30}\braus)\b",
    re.IGNORECASE,
)
_PROMISED = re.compile(
    r"\b(?:zugesagt|versprochen|vereinbart|ausgemacht|promised|agreed|f(?:ä|ae)llig|due)\b",
    re.IGNORECASE,
)
_SINCE = re.compile(
    r"\b(?:seit|since)\s+(?:dem\s+|den\s+|the\s+|letzte[nrm]\s+|last\s+)?$", re.IGNORECASE
)
_SINCE_IN = re.compile(r"^(?:seit|since)\b", re.IGNORECASE)
_AHEAD = re.compile(r"\b(?:werde|wird|will|going to|gonna|'ll)\b", re.IGNORECASE)


@dataclass(frozen=True)
class Spans:
    """What `find` saw in a text: values that need no context, and times that do.

    All places are those of the text in standard words.
    """

    words: Standard
    values: Tuple[ValueSpan, ...]
    dates: Tuple[DateSpan, ...]


def _free(span: Union[ValueSpan, DateSpan], taken: List[Any]) -> bool:
    return all(span.end <= other.start or span.start >= other.end for other in taken)


def find(text: str) -> Spans:
    """Return the values and times of the text; contacts win over dates over amounts."""
    words = standard(text)
    text = words.text
    times = find_dates(text)
    full_dates = [span for span in times if span.has_year]
    contacts = [span for span in find_contacts(text) if _free(span, full_dates)]
    plain = [span for span in contacts if span.entity in ("postal_code", "invoice_number")]
    amounts = find_amounts(text)
    counts = [span for span in amounts if span.entity == "count"]
    rhythms = [*counts, *(span for span in amounts if span.entity == "period")]
    paid_off = [span for span in counts if _PAID_OFF.match(text, span.end)]
    dates = [
        span
        for span in times
        if _free(span, contacts)
        and _free(span, paid_off)
        and not (span.is_duration and not _free(span, rhythms))
    ]
    fixed = [span for span in dates if not span.is_duration]
    values = list(contacts)
    for span in amounts:
        if span.entity == "period" or (_free(span, fixed) and _free(span, contacts)):
            values.append(span)
    values.extend(span for span in find_channels(text) if _free(span, [*contacts, *plain]))
    return Spans(words, tuple(values), tuple(dates))


def placeholders(spans: Spans) -> str:
    """Return the standard text with each value replaced by the name of its entity."""
    text = spans.words.text
    marks = [(span.start, span.end, f" x{span.entity}x ") for span in spans.values]
    marks += [
        (span.start, span.end, " xdurationx " if span.is_duration else " xdatex ")
        for span in spans.dates
        if not span.is_event
    ]
    result, position = [], 0
    for start, end, name in sorted(marks, key=lambda mark: (mark[0], -mark[1])):
        if start < position:
            continue
        result += [text[position:start], name]
        position = end
    return "".join([*result, text[position:]])


def _entity(text: str, start: int, end: int, name: str, value: Any) -> Dict[str, Any]:
    said = "masked" if name == "card_number" else text[start:end]
    return {
        "entity": name,
        "value": value,
        "start": start,
        "end": end,
        "text": said,
        "extractor": EXTRACTOR,
    }


def tense_of(intent: Mapping[str, Any], ranking: Sequence[Mapping[str, Any]]) -> Optional[str]:
    """The intent that tells what time a message speaks of.

    An unsure reading that says nothing about time leaves it to the second one.
    """
    tells = PAST_INTENTS | FUTURE_INTENTS | {"inform"}
    if intent.get("confidence", 1.0) < _SURE:
        return next((one["name"] for one in ranking[:2] if one["name"] in tells), intent["name"])
    return intent["name"]


def _is_past(text: str, intent: Optional[str], looking_back: bool) -> bool:
    if looking_back or intent in PAST_INTENTS:
        is_ahead = _AHEAD.search(text) or (_ABOUT_TO.search(text) and not _DONE.search(text))
        return not is_ahead
    if intent in TENSE_DECIDES and _PAID.search(text):
        return not (_CONDITION.search(text) or _AHEAD.search(text))
    return (
        intent not in FUTURE_INTENTS
        and intent != "inform"
        and _DONE.search(text) is not None
        and _AHEAD.search(text) is None
        and _PROMISED.search(text) is None
    )


def _date_entity(
    text: str,
    span: DateSpan,
    today: date,
    intent: Optional[str],
    tense: Optional[str],
    looking_back: bool,
) -> Optional[Dict[str, Any]]:
    said = text[span.start : span.end]
    is_months = _MONTHS_OR_YEARS.search(said) is not None
    if span.is_duration and (intent in DURATION_IS_COUNT or (intent == "inform" and is_months)):
        months = _SO_MANY_MONTHS.match(said)
        day = span.resolve(today, False)
        if months and day and day > today:
            count = (day.year - today.year) * 12 + day.month - today.month
            if count > 1:
                return _entity(text, span.start, span.end, "count", count)
        return None
    if span.is_duration and intent not in DURATION_IS_DAY:
        return None
    since = _SINCE.search(text[: span.start]) or _SINCE_IN.match(text[span.start : span.end])
    day = span.resolve(today, since is not None or _is_past(text, tense, looking_back))
    is_birth = (
        span.has_year
        and day is not None
        and (day.year <= today.year - _ADULT_AGE_YEARS or _BIRTH.search(text) is not None)
    )
    return _entity(
        text,
        span.start,
        span.end,
        "birth_date" if is_birth else "date",
        day.isoformat() if day else None,
    )


def read(
    text: str,
    spans: Spans,
    today: date,
    intent: Optional[str],
    *,
    tense: Optional[str] = None,
    looking_back: bool = False,
) -> List[Dict[str, Any]]:
    """Return the entities of a message: `entity`, `value`, `start`, `end`, `text`.

    `today` is the calendar day of the conversation; `intent` tells promises from what is done,
    or `tense` where another one does (see `tense_of`), and `looking_back` that the question was
    about something done. A time without a day is left
    out where another one has a day.
    """
    original, text = text, spans.words.text
    entities = [
        _entity(text, span.start, span.end, span.entity, span.value)
        for span in spans.values
        if span.entity != LOOSE_NUMBER and (span.entity != "channel" or intent in CHANNEL_INTENTS)
    ]
    has_amount = any(entity["entity"] == "amount" for entity in entities)
    if intent == "propose_amount" or (intent in MONEY_INTENTS and not has_amount):
        entities += [
            _entity(text, span.start, span.end, "amount", money(int(str(span.value))))
            for span in spans.values
            if span.entity == LOOSE_NUMBER
        ]
    if intent == "change_contact" and any(entity["entity"] == "email" for entity in entities):
        # "my new e-mail": an address, not where to write from now on.
        entities = [
            entity
            for entity in entities
            if entity["entity"] != "channel" or entity["value"] != "email"
        ]
    times = [
        entity
        for span in spans.dates
        for entity in [_date_entity(text, span, today, intent, tense or intent, looking_back)]
        if entity
    ]
    if any(entity["value"] is not None for entity in times):
        times = [entity for entity in times if entity["value"] is not None]
    found = sorted([*entities, *times], key=lambda entity: (entity["start"], entity["entity"]))
    return [_in_original(original, spans.words, entity) for entity in found]


def _in_original(original: str, words: Standard, entity: Dict[str, Any]) -> Dict[str, Any]:
    start = words.place(entity["start"])
    end = words.place(entity["end"], is_end=True)
    said = entity["text"] if entity["entity"] == "card_number" else original[start:end]
    return {**entity, "start": start, "end": end, "text": said}
