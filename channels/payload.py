"""Decodes webhook bodies into values that PostgreSQL can store."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import parse_qsl

from channels.message import MalformedWebhook, each_string


def json_payload(body: bytes) -> Any:
    """The JSON value of a body. Raises MalformedWebhook."""
    try:
        return each_string(json.loads(body), storable)
    except (ValueError, RecursionError):
        raise MalformedWebhook("not JSON") from None


def form_fields(body: bytes) -> dict[str, str]:
    """The fields of a form exactly as sent, as a signature covers them. Raises MalformedWebhook."""
    try:
        return dict(parse_qsl(body.decode(), keep_blank_values=True))
    except ValueError:
        raise MalformedWebhook("not a form in UTF-8") from None


def form_payload(body: bytes) -> dict[str, str]:
    """The fields of a form, storable. Raises MalformedWebhook."""
    return {name: storable(value) for name, value in form_fields(body).items()}


def storable(text: str) -> str:
    """The text without NUL and lone surrogates: both can be written in JSON and forms, and
    PostgreSQL takes neither."""
    return text.replace("\x00", "").encode(errors="replace").decode()
