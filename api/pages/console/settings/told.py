"""Reasons of the intake and of the wordings' check, told in the reader's language with a remedy.

The checks name a reason in English, with figures in it. The tables here know each by its pattern,
where ``{}`` stands for such a figure; a test holds that none is missing.
"""

import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import yaml


@dataclass(frozen=True, slots=True)
class Reason:
    """What is wrong, and what helps."""

    problem: str
    remedy: str = ""


@cache
def _table(name: str) -> tuple[tuple[re.Pattern[str], dict[str, list[str]]], ...]:
    path = Path(__file__).with_name("reasons") / f"{name}.yml"
    loaded = yaml.safe_load(path.read_text("utf-8"))
    return tuple((_pattern(one["of"]), one) for one in loaded)


def _pattern(of: str) -> re.Pattern[str]:
    return re.compile("(.*?)".join(re.escape(part) for part in of.split("{}")), re.DOTALL)


def told(reason: str, language: str, table: str) -> Reason:
    """A reason of this table in words; what is not known is told as it is."""
    found = known(reason, table)
    if found is None:
        return Reason(reason[:1].upper() + reason[1:])
    texts, figures = found
    problem, remedy = texts[language]
    return Reason(problem.format(*figures), remedy.format(*figures))


def known(reason: str, table: str) -> tuple[dict[str, list[str]], tuple[str, ...]] | None:
    """The texts of a reason, and the figures in it."""
    for pattern, texts in _table(table):
        if found := pattern.fullmatch(reason):
            return texts, found.groups()
    return None
