"""What the page shows, read out of an OpenAPI document (pure)."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from markupsafe import Markup, escape

Document = Mapping[str, Any]
_METHODS = ("get", "post", "put", "patch", "delete")
_CODE = re.compile(r"`([^`]+)`")
_BREAKS = re.compile(r"\n\s*\n")


@dataclass(frozen=True, slots=True)
class Field:
    """A parameter, or a field of a body; ``name`` is a path (``rates[].due``) where it is deep."""

    name: str
    kind: str
    required: bool
    meaning: Markup


@dataclass(frozen=True, slots=True)
class Answer:
    """One status that an operation answers with, and the fields of what comes with it."""

    status: str
    meaning: Markup
    fields: tuple[Field, ...]


@dataclass(frozen=True, slots=True)
class Operation:
    """One method of one path."""

    id: str
    method: str
    path: str
    summary: str
    paragraphs: tuple[Markup, ...]
    parameters: tuple[Field, ...]
    body: tuple[Field, ...]
    answers: tuple[Answer, ...]


def operations(document: Document) -> dict[str, list[Operation]]:
    """All operations by their first tag, in the order of the document."""
    by_tag: dict[str, list[Operation]] = {}
    for path, item in document["paths"].items():
        for method in _METHODS:
            if method in item:
                tag = (item[method].get("tags") or ["other"])[0]
                by_tag.setdefault(tag, []).append(_operation(document, method, path, item[method]))
    return by_tag


def _operation(document: Document, method: str, path: str, told: Document) -> Operation:
    parameters = tuple(
        Field(
            one["name"],
            _kind(document, one.get("schema", {})),
            one.get("required", False),
            text(one.get("description", "")),
        )
        for one in told.get("parameters", ())
        if one["in"] != "header"
    )
    return Operation(
        id=told["operationId"],
        method=method.upper(),
        path=path,
        summary=told.get("summary", ""),
        paragraphs=tuple(map(text, filter(None, _BREAKS.split(told.get("description", ""))))),
        parameters=parameters,
        body=tuple(_content(document, told.get("requestBody", {}))),
        answers=tuple(
            Answer(status, text(one.get("description", "")), tuple(_content(document, one)))
            for status, one in sorted(told["responses"].items())
        ),
    )


def text(written: str) -> Markup:
    """A description with its ``code`` marked; everything else stands as it was written."""
    parts = _CODE.split(written)
    return Markup("").join(
        Markup("<code>{}</code>").format(part) if place % 2 else escape(part)
        for place, part in enumerate(parts)
    )


def _content(document: Document, told: Document) -> Iterator[Field]:
    for one in told.get("content", {}).values():
        yield from _fields(document, one.get("schema", {}), "", frozenset())


def _fields(document: Document, schema: Document, at: str, seen: frozenset[str]) -> Iterator[Field]:
    """The fields of an object, those of what it holds behind it; of a list those of its rows."""
    name, found = _resolved(document, schema)
    if name in seen:
        return
    seen |= {name} if name else frozenset()
    if found.get("type") == "array":
        yield from _fields(document, found.get("items", {}), f"{at}[]", seen)
        return
    for choice in found.get("anyOf", ()):
        yield from _fields(document, choice, at, seen)
    required = found.get("required", ())
    for field, inner in found.get("properties", {}).items():
        path = f"{at}.{field}" if at else field
        meaning = inner.get("description") or _resolved(document, inner)[1].get("description", "")
        yield Field(path, _kind(document, inner), field in required, text(meaning))
        yield from _fields(document, inner, path, seen)


def _resolved(document: Document, schema: Document) -> tuple[str, Document]:
    """A schema and the name it stands under, empty where it has none of its own."""
    reference = schema.get("$ref", "")
    if not reference:
        return "", schema
    name = reference.rpartition("/")[2]
    return name, document["components"]["schemas"][name]


def _kind(document: Document, schema: Document) -> str:
    """What a value is, in a word or two."""
    found = _resolved(document, schema)[1]
    if "anyOf" in found:
        return " or ".join(dict.fromkeys(_kind(document, one) for one in found["anyOf"]))
    if "enum" in found:
        return " | ".join(map(str, found["enum"]))
    if "const" in found:
        return str(found["const"])
    if found.get("type") == "array":
        return f"list of {_kind(document, found.get('items', {}))}"
    return str(found.get("format") or found.get("type") or "any")
