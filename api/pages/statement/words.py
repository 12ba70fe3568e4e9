"""The words of a statement for one reader, and how figures and days are written in them."""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from functools import cache
from pathlib import Path
from types import SimpleNamespace

import yaml
from babel.numbers import format_decimal

from api.pages.wordlist import formed
from conversation.wording import formats
from ledger.money import Money

_TEXTS = yaml.safe_load(Path(__file__).with_name("texts.yml").read_text("utf-8"))


@dataclass(frozen=True)
class Words:
    """Texts by name, and the reader's way to write amounts, days and numbers."""

    language: str
    form: str

    @property
    def t(self) -> SimpleNamespace:
        return _texts(self.language, self.form)

    def money(self, amount: Money) -> str:
        """An amount; one below zero with a minus that does not break off."""
        if amount.minor < 0:
            return f"−{formats.NBSP}{self.money(-amount)}"
        return str(formats.money(amount.to_json(), self.language))

    def day(self, day: date) -> str:
        """``15. Dezember 2026``."""
        return formats.day(day.isoformat(), self.language, short=False)

    def short_day(self, day: date) -> str:
        """``15.12.2026``."""
        return formats.day(day.isoformat(), self.language, short=True)

    def number(self, number: Decimal) -> str:
        return str(format_decimal(number, locale=formats.LOCALES[self.language]))


@cache
def _texts(language: str, form: str) -> SimpleNamespace:
    return SimpleNamespace(**formed(_TEXTS[language], form))
