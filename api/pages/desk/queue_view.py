"""The desk's queue in words: why, since when, until when, how much, who has it."""

from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any
from zoneinfo import ZoneInfo

from babel.dates import format_datetime

from api.pages.console.view import moment, texts
from conversation.answer_clock import Clock, opens_next
from conversation.desk_queue import LINE_CHARACTERS_MAX, Row, Viewer, covered
from conversation.handoff_urgency import Urgency
from conversation.opening_hours import OpeningHours
from conversation.redaction import Known
from conversation.wording import formats
from conversation.wording.formats import LOCALES

SHOWN_CHARACTERS_MAX = 90
"""So much of the last message stands in a row."""


def span(length: timedelta, language: str) -> str:
    """How long, in minutes, hours or days, as one would say it."""
    words = texts(language)["queue"]["spans"]
    minutes = max(int(length.total_seconds()) // 60, 0)
    if minutes < 60:
        return str(words["minutes"].format(count=minutes))
    hours, rest = divmod(minutes, 60)
    if hours < 24:
        exact = words["hours"].format(count=hours)
        return f"{exact} {words['minutes'].format(count=rest)}" if rest and hours < 6 else exact
    days = hours // 24
    return str(words["day"] if days == 1 else words["days"].format(count=days))


def clock_time(at: datetime, now: datetime, language: str, zone: ZoneInfo) -> str:
    """A time; with its day where that is not today."""
    local = at.astimezone(zone)
    if local.date() == now.astimezone(zone).date():
        return local.strftime("%H:%M")
    pattern = {"de": "EEE d.M. HH:mm", "en": "EEE d MMM HH:mm"}[language]
    return format_datetime(local, pattern, locale=LOCALES[language])


def row_view(
    row: Row,
    viewer: Viewer,
    known: Known | None,
    now: datetime,
    language: str,
    zone: ZoneInfo,
    *,
    line: bool = True,
) -> dict[str, Any]:
    """A row of the list; with its last line, which is covered."""
    t = texts(language)
    words, handoff = t["queue"], row.handoff
    mine = viewer.by.has(handoff)
    since = row.clock.since if row.clock is not None else None
    return {
        "id": handoff.id,
        "number": row.customer_number or t["unknown_customer"],
        "crisis": row.urgency is Urgency.CRISIS,
        "urgency": words["urgencies"].get(row.urgency.value, ""),
        # The crisis itself stands beside it already.
        "reasons": ", ".join(
            reason_words(one, language) for one in row.reasons if one != Urgency.CRISIS
        ),
        "since": span(now - since, language) if since is not None else "",
        "since_iso": since.isoformat() if since is not None else "",
        **due_view(row.clock, now, language, zone),
        "open": ", ".join(_money(one.minor, one.currency, language) for one in row.open),
        "at_risk": row.promise_at_risk,
        "last": _last(row, known, language) if line else "",
        "author": t["authors"].get(row.last.author, "")
        if row.last is not None and row.last.author != "customer"
        else "",
        "holder": words["you"] if mine else handoff.taken_by or "",
        "team": row.team or "",
        "mine": mine,
        "begun": handoff.taken_at is not None,
        "free": handoff.taken_by is None,
        "unread": row.unread,
        "tags": tuple(handoff.tags),
        "channel": t["channels"].get(row.channel, row.channel),
        "asleep": _asleep(row, now, language, zone),
    }


@lru_cache(maxsize=4096)
def _money(minor: int, currency: str, language: str) -> str:
    return str(formats.money({"minor": minor, "currency": currency}, language))


def due_view(clock: Clock | None, now: datetime, language: str, zone: ZoneInfo) -> dict[str, Any]:
    """Until when an answer is due, and whether that is over."""
    words = texts(language)["queue"]
    if clock is None:
        return {"late": False, "due": words["their_turn"], "due_at": "", "due_iso": ""}
    due = clock.due
    if due is None:
        return {"late": False, "due": words["never_open"], "due_at": "", "due_iso": ""}
    late = due <= now
    said = words["overdue"] if late else words["due_in"]
    return {
        "late": late,
        "due": said.format(span=span(abs(due - now), language)),
        "due_at": words["due_at"].format(at=clock_time(due, now, language, zone)),
        "due_iso": due.isoformat(),
    }


def _last(row: Row, known: Known | None, language: str) -> str:
    if row.last is None:
        return ""
    labels = tuple(sorted(texts(language)["covered"].items()))
    text = " ".join(row.last.text.split())
    if len(row.last.text) == LINE_CHARACTERS_MAX:
        # The last word may be the beginning of something that would be covered whole.
        text = text.rpartition(" ")[0]
    shown = covered(known or Known(), labels, text)
    if len(shown) <= SHOWN_CHARACTERS_MAX:
        return shown
    return shown[:SHOWN_CHARACTERS_MAX].rpartition(" ")[0] + " …"


def _asleep(row: Row, now: datetime, language: str, zone: ZoneInfo) -> str:
    if not row.asleep:
        return ""
    words, until = texts(language)["queue"], row.handoff.snoozed_until
    if until is None:
        return str(words["asleep_until_answer"])
    return str(words["asleep_until"].format(at=clock_time(until, now, language, zone)))


def reason_words(reason: str, language: str) -> str:
    """Why a person is needed."""
    return str(texts(language)["queue"]["reasons"].get(reason, reason.replace("_", " ")))


def closed_notice(hours: OpeningHours, now: datetime, language: str, zone: ZoneInfo) -> str:
    """Outside the opening hours: when they begin; empty within them."""
    day = hours.on(now.astimezone(hours.zone).date())
    if day is not None and day[0] <= now < day[1]:
        return ""
    words, opens = texts(language)["queue"], opens_next(now, hours)
    if opens is None:
        return str(words["never_open_notice"])
    return str(words["closed_notice"].format(at=moment(opens, language, zone)))
