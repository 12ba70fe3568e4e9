"""Transcripts in the words of the console: times, states, and what happened at each message."""

from datetime import date, datetime
from functools import cache, lru_cache
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import yaml
from babel.dates import format_date

from conversation.finding import Listed
from conversation.redaction import Redaction
from conversation.transcript import Effect, Line
from conversation.wording.formats import LOCALES, money
from storage.tables import Message

_QUIET_FACTS = frozenset({"message", "conversation", "claim", "handoff"})
"""Numbers of rows, which tell a reader nothing."""
_PICTURES = frozenset({"photo", "sticker"})
# What claims to be another browser as well comes first.
_BROWSERS = (
    ("Edg", "Edge"),
    ("OPR/", "Opera"),
    ("SamsungBrowser", "Samsung Internet"),
    ("Firefox", "Firefox"),
    ("FxiOS", "Firefox"),
    ("Chrome", "Chrome"),
    ("CriOS", "Chrome"),
    ("Safari", "Safari"),
)
_SYSTEMS = (
    ("Android", "Android"),
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Windows", "Windows"),
    ("Macintosh", "macOS"),
    ("CrOS", "ChromeOS"),
    ("Linux", "Linux"),
)


@cache
def texts(language: str) -> dict[str, Any]:
    """The console's words in this language, of all its pages and those of the desk.

    Raises:
        ValueError: a name is given twice.
    """
    words: dict[str, Any] = {}
    folder = Path(__file__).parent
    for path in sorted(
        [*folder.glob("*.yml"), *folder.glob("settings/*.yml"), *folder.glob("../desk/*.yml")]
    ):
        loaded = yaml.safe_load(path.read_text("utf-8"))[language]
        if twice := words.keys() & loaded.keys():
            raise ValueError(f"{path.name} says otherwise what {sorted(twice)} are")
        words |= loaded
    return words


def device_name(agent: str, language: str) -> str:
    """A browser by its ``User-Agent``, as its owner would call it."""
    words = texts(language)
    browser = next((name for mark, name in _BROWSERS if mark in agent), "")
    system = next((name for mark, name in _SYSTEMS if mark in agent), "")
    if browser and system:
        return str(words["device"].format(browser=browser, system=system))
    return browser or system or str(words["unknown_device"])


def moment(at: datetime, language: str, zone: ZoneInfo) -> str:
    """A time of day with its day, as people at a desk read it."""
    local = at.astimezone(zone)
    return f"{_day(local.date(), language)} {local:%H:%M}"


@lru_cache(maxsize=1024)
def _day(day: date, language: str) -> str:
    """A day of the week with its date; a page of messages has few."""
    pattern = {"de": "EEE dd.MM.yyyy", "en": "EEE d MMM yyyy"}[language]
    return str(format_date(day, pattern, locale=LOCALES[language]))


def listed_view(row: Listed, language: str, zone: ZoneInfo) -> dict[str, Any]:
    """A row of the list."""
    words = texts(language)
    return {
        "id": row.id,
        "at": moment(row.at, language, zone),
        "iso": row.at.isoformat(),
        "number": row.customer_number or words["unknown_customer"],
        "channel": words["channels"].get(row.channel, row.channel),
        "state": row.state,
        "state_words": words["states"].get(row.state, row.state),
        "author": words["authors"].get(row.author, row.author),
        "status": words["delivery"].get(row.status, row.status) if row.status else "",
        "tick": _tick(row.status),
    }


def line_view(
    line: Line,
    language: str,
    zone: ZoneInfo,
    redaction: Redaction | None,
    *,
    opens: bool = False,
) -> dict[str, Any]:
    """A message or a bare event; everything in it is covered where `redaction` is given.

    `opens`: files may be opened, each on its own and each time noted; nothing covers a picture.
    """
    words = texts(language)

    def cover(text: str) -> str:
        return redaction.cover(text) if redaction is not None else text

    shown: dict[str, Any] = {
        "at": moment(line.at, language, zone),
        "iso": line.at.isoformat(),
        "effects": [_effect(effect, language, cover) for effect in line.effects],
        "message": None,
    }
    message, understood = line.message, line.understood
    if message is None:
        return shown
    status = message.status if message.direction == "out" else None
    shown |= {
        "message": message.id,
        "author": message.author,
        "author_words": words["authors"].get(message.author, message.author),
        "agent": message.args.get("agent", "") if message.author == "agent" else "",
        "text": cover(message.text),
        "on_page": message.page_customer_id is not None,
        "buttons": [cover(one["title"]) for one in message.buttons if one.get("title")],
        "attachments": [
            _attachment(message, position, words, opens=opens, covered=redaction is not None)
            for position in range(len(message.attachments))
        ],
        "status": words["delivery"].get(status, status) if status else "",
        "tick": _tick(status),
        "error": message.error or "" if message.direction == "out" else "",
        "wording": message.wording or "",
        "variant": message.variant or "",
        "tone": words["tones"].get(message.tone, message.tone) if message.tone else "",
        "why": _why(line.reason, language) if line.reason else "",
        "template": bool(message.template),
        "outcome": words["outcomes"].get(message.outcome or "", ""),
        "actions": list(line.actions),
        "understood": None,
    }
    if understood is not None:
        shown["understood"] = {
            "intent": understood.intent,
            "confidence": _share(understood.confidence),
            "ranking": [(name, _share(value)) for name, value in understood.ranking],
            "entities": [
                (name, _entity(name, value, language, redaction))
                for name, value in understood.entities
            ],
        }
    return shown


def _attachment(
    message: Message, position: int, words: dict[str, Any], *, opens: bool, covered: bool
) -> dict[str, Any]:
    """What was sent, the way to it, and whether it is shown small beside the words."""
    told = message.attachments[position]
    kind = told.get("kind") or ""
    what = words["attachments"].get(kind, kind or "?")
    claims_picture = kind in _PICTURES or str(told.get("mime_type")).startswith("image/")
    way = words["attachment_view" if claims_picture else "attachment_load"]
    openable = opens and bool(told.get("reference"))
    return {
        "words": way.format(what=what) if openable else what,
        "path": f"/console/attachments/{message.id}/{position}" if openable else "",
        "preview": openable and claims_picture and not covered,
    }


def _why(reason: str, language: str) -> str:
    """Why outreach wrote just then and there, as it kept it: codes, one after the other."""
    words = texts(language)["why_now"]
    return "; ".join(str(words.get(code, code)) for code in reason.split("; "))


def _tick(status: str | None) -> str:
    """The style of a delivery state; its words stand beside it."""
    if status in ("sent", "delivered", "read"):
        return "done"
    return "lost" if status in ("failed", "unknown") else ""


def _entity(name: str, value: Any, language: str, redaction: Redaction | None) -> str:
    if isinstance(value, dict) and isinstance(value.get("minor"), int):
        return str(money({"currency": "EUR", **value}, language))
    return redaction.cover_value(name, value) if redaction is not None else str(value)


def _share(value: float | None) -> str:
    if value is None:
        return ""
    share = round(value * 100)
    if share in (0, 100) and value not in (0, 1):
        return "< 1 %" if share == 0 else "> 99 %"
    return f"{share} %"


def _effect(effect: Effect, language: str, cover: Any) -> dict[str, str]:
    words = texts(language)
    named = words["effects"].get(effect.code, effect.code.replace("_", " "))
    if effect.kind == "agreement":
        named = f"{words['agreed']}: {named}"
    elif effect.kind == "posting":
        named = f"{words['posted']}: {named}"
    facts = ", ".join(
        f"{name.replace('_', ' ')}: {cover(str(value))}"
        for name, value in effect.facts.items()
        if name not in _QUIET_FACTS and value is not None
    )
    amount = ""
    if effect.amount is not None:
        minor, currency = effect.amount.minor, effect.amount.currency
        amount = str(money({"minor": minor, "currency": currency}, language))
    return {"kind": effect.kind, "words": named, "amount": amount, "facts": facts}
