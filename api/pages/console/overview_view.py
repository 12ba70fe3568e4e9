"""The overview's figures in words and shapes: amounts, shares, times, charts, and where each leads.

A figure leads to the list of what it counts: claims or conversations, kept to the same period and
segment.
"""

from collections.abc import Mapping
from datetime import date
from typing import Any, Final

from babel.dates import format_date
from babel.numbers import format_decimal

from api.overview import Figures, Total, Wait
from api.pages.console.overview_charts import Column, bars, columns, zero
from api.pages.console.page import query
from api.pages.console.period import Period
from api.pages.console.view import texts
from conversation.overview_sql import TALKED
from conversation.wording import formats
from conversation.wording.formats import LOCALES, NBSP
from outreach.overview_sql import STAGES, TIMED

CLAIMS: Final = "/console/claims"
CONVERSATIONS: Final = "/console/conversations"
HOUR, DAY = 60, 24 * 60

MONEY: Final = ("open", "promised", "collected", "settled")
AGREEMENTS: Final = ("agreed", "kept", "broken")
CARE: Final = ("handed_over", "opted_out", "disputed")


class View:
    """What the page shows of one merchant's figures, in one language."""

    def __init__(
        self,
        figures: Figures,
        period: Period,
        kept: Mapping[str, str],
        currency: str,
        language: str,
    ) -> None:
        self.figures = figures
        self.period = period
        self.kept = kept
        self.currency = currency
        self.language = language
        self.words = texts(language)["overview"]

    def all(self) -> dict[str, Any]:
        """Everything for the template."""
        return {
            "money": [self._amounts(name) for name in MONEY],
            "agreements": [self._amounts(name) for name in AGREEMENTS],
            "care": [self._count(name) for name in CARE],
            "kept_share": self._share("kept", ("kept", "broken")),
            "alone": self._share("alone", ("solved",)),
            "came_back": self._share("came_back", ("solved_customers",)),
            "waits": [self._wait(name) for name in TIMED],
            "funnels": self._funnels(),
            "charts": [self._chart(currency) for currency in sorted(self.figures.days)],
        }

    def _amounts(self, name: str) -> dict[str, Any]:
        found = self.figures.amounts.get(name) or {self.currency: Total(0, 0)}
        return {
            "name": name,
            "amounts": [
                formats.money({"minor": one.minor, "currency": currency}, self.language)
                for currency, one in sorted(found.items(), key=lambda one: -one[1].minor)
            ],
            "cases": self._number(self.figures.cases(name)),
            "href": CLAIMS + query(state="pursued", **self._segment())
            if name == "open"
            else self._claims(name),
        }

    def _count(self, name: str) -> dict[str, Any]:
        href = self._talks(name) if name in TALKED else self._claims(name)
        return {"name": name, "cases": self._number(self.figures.cases(name)), "href": href}

    def _talks(self, figure: str, **segment: str) -> str:
        """The conversations that a figure counts, once for each time that it does."""
        of = {**self._segment(), **segment}
        return CONVERSATIONS + query(figure=figure, **self._days("since"), **of)

    def _claims(self, event: str) -> str:
        days = {} if event == "promised" else self._days()
        return CLAIMS + query(event=event, **days, **self._segment())

    def _days(self, first: str = "from") -> dict[str, str]:
        return {first: self.period.first.isoformat(), "until": self.period.last.isoformat()}

    def _segment(self) -> dict[str, str]:
        return {name: self.kept[name] for name in ("channel", "band", "lang")}

    def _share(self, part: str, whole: tuple[str, ...]) -> dict[str, Any]:
        """A share in words; None of it where there is nothing that it is a share of."""
        of = sum(self.figures.cases(name) for name in whole)
        these = self.figures.cases(part)
        return {
            "share": f"{self._number(round(100 * these / of))}{NBSP}%" if of else "",
            "these": self._number(these),
            "of": self._number(of),
            "href": self._claims(part),
        }

    def _wait(self, name: str) -> dict[str, Any]:
        found: Wait | None = self.figures.waits.get(name)
        return {
            "name": name,
            "cases": self._number(found.cases if found else 0),
            "href": self._talks(name),
            "median": self._duration(found.median) if found else "–",
            "p90": self._duration(found.p90) if found else "–",
        }

    def _duration(self, minutes: int) -> str:
        of = self.words["durations"]
        if minutes < HOUR:
            return str(of["minutes"].format(n=minutes))
        if minutes < 2 * DAY:
            hours, rest = divmod(minutes, HOUR)
            if hours >= 10:  # two digits are known
                hours, rest = round(minutes / HOUR), 0
            return str(of["hours" if not rest else "hours_minutes"].format(n=hours, rest=rest))
        return str(of["days"].format(n=self._number(round(minutes / DAY, 1))))

    def _funnels(self) -> list[dict[str, Any]]:
        """For each channel that was written on, how far the contacts led."""
        found = []
        for channel, counted in sorted(
            self.figures.channels.items(), key=lambda one: -one[1].get("sent", 0)
        ):
            sent = counted.get("sent", 0)
            if not sent:
                continue
            stages = bars([(name, counted.get(name, 0)) for name in STAGES])
            found.append(
                {
                    "channel": channel,
                    "href": self._talks("sent", channel=channel),
                    "stages": [
                        {
                            "name": one.name,
                            "href": self._talks(one.name, channel=channel),
                            "count": self._number(one.count),
                            "share": f"{one.share:.2f}",
                            "of_sent": f"{self._number(round(100 * one.count / sent))}{NBSP}%",
                        }
                        for one in stages
                    ],
                }
            )
        return found

    def _chart(self, currency: str) -> dict[str, Any]:
        found = columns(self.figures.days[currency], self.period.first, self.period.last)
        most = max(found, key=lambda one: one.minor)
        return {
            "currency": currency,
            "columns": [
                {
                    "left": f"{one.left:.3f}",
                    "width": f"{one.width:.3f}",
                    "top": f"{one.top:.1f}",
                    "height": f"{one.height:.1f}",
                    "span": self._span(one),
                    "amount": self._money(one.minor, currency),
                    "href": CLAIMS
                    + query(
                        **{"event": "collected", "from": one.first, "until": one.last},
                        **self._segment(),
                    ),
                }
                for one in found
            ],
            "zero": f"{zero(found):.1f}",
            "most": self._money(most.minor, currency),
            # The label of the tallest column stands over it, but inside the picture.
            "most_at": f"{most.middle:.2f}",
            "most_anchor": "start" if most.middle < 25 else "end" if most.middle > 75 else "middle",
            "first": self._day(found[0].first),
            "last": self._day(found[-1].last),
        }

    def _money(self, minor: int, currency: str) -> str:
        return str(formats.money({"minor": minor, "currency": currency}, self.language))

    def _span(self, one: Column) -> str:
        first, last = self._day(one.first), self._day(one.last)
        return first if one.first == one.last else f"{first} – {last}"

    def _day(self, day: date) -> str:
        pattern = {"de": "d. MMM", "en": "d MMM"}[self.language]
        return str(format_date(day, pattern, locale=LOCALES[self.language]))

    def _number(self, value: float) -> str:
        return str(format_decimal(value, locale=LOCALES[self.language]))
