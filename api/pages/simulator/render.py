"""The simulator's page and panel as HTML."""

import tomllib
from collections.abc import Mapping
from datetime import date, datetime
from functools import cache
from pathlib import Path
from typing import Any, Final
from zoneinfo import ZoneInfo

from babel.dates import format_date, format_datetime, format_time
from babel.numbers import format_currency, format_percent
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from api.demo.coming import Coming
from api.demo.providers import served_channels
from api.demo.stories import stories
from api.pages.simulator.panel import Panel
from api.pages.simulator.simulation import Found
from channels.message import Channel
from ledger.money import Money
from outreach.facts import PlannedContact, Skipped

HERE: Final = Path(__file__).parent
LANGUAGES: Final = ("de", "en")
LOCALES: Final = {"de": "de_DE", "en": "en_GB"}
PARTS: Final = ("clock", "coming", "understood", "agreement", "account")
"""Parts of the panel, each sent anew when it changes."""
SCRIPT_WORDS: Final = (
    *("tick_sent", "tick_delivered", "tick_read", "photo", "document"),
    *("offline", "failed", "contacted", "not_contacted", "time_moved", "money_came"),
)
"""What the script has to say by itself."""


@cache
def words(language: str) -> Mapping[str, Any]:
    """Everything the page says in one language."""
    told: dict[str, Any] = tomllib.loads((HERE / "words.toml").read_text("utf-8"))[language]
    return told


@cache
def _environment() -> Environment:
    return Environment(
        loader=FileSystemLoader(HERE / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


class _Forms:
    """Amounts, days and codes as a reader of one language sees them."""

    def __init__(self, language: str, zone: ZoneInfo) -> None:
        self._words = words(language)
        self._locale = LOCALES[language]
        self._zone = zone

    def money(self, amount: Money) -> str:
        """An amount, ``1.234,56 €``."""
        return str(format_currency(amount.decimal, amount.currency, locale=self._locale))

    def day(self, day: date) -> str:
        """A day with its weekday, ``Di., 15. Dez. 2026``."""
        return str(format_date(day, "EEE d. MMM y" if self._de else "EEE d MMM y", self._locale))

    def short_day(self, day: date) -> str:
        """A day without its year."""
        return str(format_date(day, "d. MMM" if self._de else "d MMM", self._locale))

    def moment(self, at: datetime) -> str:
        """Day and time."""
        pattern = "EEE d. MMM, HH:mm" if self._de else "EEE d MMM, HH:mm"
        return str(format_datetime(at, pattern, tzinfo=self._zone, locale=self._locale))

    def time(self, at: datetime) -> str:
        """The time of day."""
        return str(format_time(at, "HH:mm", tzinfo=self._zone, locale=self._locale))

    def percent(self, share: float) -> str:
        """A confidence as a whole percentage."""
        return str(format_percent(share, locale=self._locale))

    def code(self, group: str, code: str) -> str:
        """What a code is called; one that nobody has named is shown as it is."""
        return str(self._words[group].get(code, code.replace("_", " ")))

    def why(self, decision: PlannedContact | Skipped) -> str:
        """The code of the reason of a decision of outreach."""
        return (
            decision.step_reason if isinstance(decision, PlannedContact) else decision.reason
        ).value

    def coming(self, coming: Coming) -> str:
        """What is to come, with what it is about."""
        detail = self._words.get(coming.detail, coming.detail)
        told = self.code("what", coming.what).format(detail=detail)
        return f"{told}: {self.money(coming.amount)}" if coming.amount is not None else told

    @property
    def _de(self) -> bool:
        return self._locale.startswith("de")


def page_html(found: Found, panel: Panel, language: str, stand_in: Mapping[str, str]) -> str:
    """The whole page, with a phone for each channel that the stand-in serves."""
    said = words(language)
    owner = found.phones.owner
    lines = [line.format(invoice=_invoice(panel)) for line in found.story.lines]
    return (
        _environment()
        .get_template("page.html")
        .render(
            w=said,
            language=language,
            other=next(each for each in LANGUAGES if each != language),
            stories=[(story, story.telling[language]) for story in stories().values()],
            story=found.story,
            telling=found.story.telling[language],
            owner=owner,
            merchant=found.merchant,
            phones=[
                (channel.value, channel.value in owner.addresses)
                for channel in served_channels(stand_in)
            ],
            facts=_facts(panel, _forms(found, language), said),
            parts=panel_parts(found, panel, language),
            script={
                "number": owner.customer_number,
                "language": language,
                "bot": stand_in.get("telegram_bot_name", ""),
                "whatsapp": owner.numbers.get(Channel.WHATSAPP, "").lstrip("+"),
                "zone": found.merchant.timezone,
                "lines": lines,
                "words": {name: said[name] for name in SCRIPT_WORDS},
                "reasons": said["reason"],
            },
        )
    )


def panel_parts(found: Found, panel: Panel, language: str) -> dict[str, str]:
    """Each part of the panel as HTML, by its name."""
    given = {
        "w": words(language),
        "f": _forms(found, language),
        "p": panel,
        "found": found,
        "today": panel.now.astimezone(ZoneInfo(found.merchant.timezone)).date(),
    }
    return {name: _environment().get_template(f"part_{name}.html").render(given) for name in PARTS}


def _forms(found: Found, language: str) -> _Forms:
    return _Forms(language, ZoneInfo(found.merchant.timezone))


def _invoice(panel: Panel) -> str:
    return panel.statements[0].invoice_number if panel.statements else ""


def _facts(panel: Panel, forms: _Forms, said: Mapping[str, Any]) -> list[tuple[str, str]]:
    """What the customer can prove who they are with."""
    customer = panel.customer
    first = panel.statements[0] if panel.statements else None
    return [
        (said[name], value)
        for name, value in (
            ("invoice", first.invoice_number if first else None),
            ("order", first.order_number if first else None),
            ("customer_number", customer.number),
            ("birth_date", f"{customer.birth_date:%d.%m.%Y}" if customer.birth_date else None),
            ("postal_code", customer.postal_code),
        )
        if value
    ]
