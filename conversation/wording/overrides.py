"""A merchant's own texts: data laid over the catalogue, held to the same rules, or refused.

An override gives texts only. Name, arguments, and whether a wording discloses stay the product's.
What it gives for a language and form takes the place of all texts the product has there, of every
tone and variant and of the SMS form, so that nobody reads a mixture.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from difflib import get_close_matches
from functools import lru_cache
from typing import Any

from jinja2 import nodes

from conversation.wording.catalogue import (
    STANDARD,
    TEXT_KEYS,
    Catalogue,
    Place,
    Text,
    Wording,
    load_catalogue,
    parsed,
    read_texts,
    shape_problems,
    surplus_names,
)
from conversation.wording.check import check_wording

CHARACTERS_MAX = 2_000
_FILTERS = frozenset({"grouped"})
_ALLOWED = (
    nodes.Template,
    nodes.Output,
    nodes.TemplateData,
    nodes.Name,
    nodes.Getattr,
    nodes.If,
    nodes.For,
    nodes.Filter,
    nodes.Compare,
    nodes.Operand,
    nodes.Const,
    nodes.CondExpr,
    nodes.And,
    nodes.Or,
    nodes.Not,
)
"""A text may choose and repeat; it calculates nothing, calls nothing and defines nothing."""


class OverridesRefused(Exception):
    """A merchant's texts are not taken; `problems` names wording, language and reason of each."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("; ".join(problems))
        self.problems = problems


@dataclass(frozen=True, slots=True)
class Overridden:
    """The catalogue with those overrides that are fit, and what is wrong with the others."""

    catalogue: Catalogue
    names: frozenset[str]
    problems: list[str]


def checked_overrides(data: Any) -> Overridden:
    """The catalogue with a merchant's texts: wording name → texts, as in the catalogue's files.

    Raises:
        OverridesRefused: any text breaks a rule; every problem is named at once.
    """
    laid = lay_over(data)
    if laid.problems:
        raise OverridesRefused(laid.problems)
    return laid


def merchant_catalogue(data: Mapping[str, Any]) -> Catalogue:
    """The catalogue one merchant speaks with.

    A stored text that no longer fits, because the product has changed since, is left out: the
    customer reads the product's text.
    """
    return _laid_over(json.dumps(data, sort_keys=True)) if data else load_catalogue()


@lru_cache(maxsize=64)
def _laid_over(data: str) -> Catalogue:
    return lay_over(json.loads(data)).catalogue


def lay_over(data: Any, product: Catalogue | None = None) -> Overridden:
    """Lay texts over the product's catalogue, one wording at a time; each is taken or left out."""
    base = product or load_catalogue()
    if not isinstance(data, Mapping):
        return Overridden(base, frozenset(), ["the file holds no wordings by name"])
    problems: list[str] = []
    taken: dict[str, Wording] = {}
    for name, spec in data.items():
        own = base.wordings.get(name)
        if own is None:
            near = get_close_matches(str(name), base.wordings, n=1)
            meant = f"; did you mean {near[0]}?" if near else ""
            problems.append(f"{name}: the catalogue has no such wording{meant}")
            continue
        wording, found = _overridden(own, spec, base)
        problems += found
        if not found:
            taken[name] = wording
    return Overridden(
        Catalogue({**base.wordings, **taken}, base.phrases), frozenset(taken), problems
    )


def _overridden(own: Wording, spec: Any, base: Catalogue) -> tuple[Wording, list[str]]:
    name = own.name
    if not isinstance(spec, Mapping):
        return own, [f"{name}: holds no texts by language"]
    problems = list(shape_problems(name, spec))
    if unknown := sorted(set(map(str, spec)) - TEXT_KEYS):
        problems.append(f"{name}: an override gives texts only, not {', '.join(unknown)}")
    if problems:
        return own, problems
    texts = read_texts(name, spec, problems)
    problems += surplus_names(name, own.args, texts)
    for place, text in texts.items():
        problems += _grammar_problems(f"{name} ({place})", text)
    given = {(place.language, place.form) for place in texts}
    for language, form in sorted(given):
        if Place(STANDARD, "warm", False, language, form) not in texts:
            problems.append(f"{name} ({language} {form}): has no text of its own beside the others")
    if problems:
        return own, problems
    kept = {
        place: text
        for place, text in own.texts.items()
        if (place.language, place.form) not in given
    }
    wording = replace(own, texts={**kept, **texts})
    return wording, check_wording(wording, _with(base, wording), like=own)


def _with(base: Catalogue, wording: Wording) -> Catalogue:
    """The catalogue with one wording in place of its own."""
    return Catalogue({**base.wordings, wording.name: wording}, base.phrases)


def _grammar_problems(where: str, text: Text) -> Iterator[str]:
    if len(text.source) > CHARACTERS_MAX:
        yield f"{where}: is longer than {CHARACTERS_MAX} characters"
    for node in parsed(text.source).find_all(nodes.Node):
        if not isinstance(node, _ALLOWED):
            yield f"{where}: a text may not use {type(node).__name__.lower()}"
        elif isinstance(node, nodes.Filter) and node.name not in _FILTERS:
            yield f"{where}: a text may not use the filter {node.name}"
