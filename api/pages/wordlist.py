"""Texts of pages as data: where the form of address matters, one has ``sie`` and ``du``."""

from collections.abc import Mapping
from typing import Any


def formed(value: Any, form: str) -> Any:
    """Texts for one form of address; nested groups stay mappings."""
    if isinstance(value, Mapping) and value.keys() == {"sie", "du"}:
        return value[form]
    if isinstance(value, Mapping):
        return {key: formed(part, form) for key, part in value.items()}
    return value
