"""A merchant's texts of one wording, one place at a time: read, put in, taken out again (pure).

The shape is that of the catalogue's files (see ``conversation.wording.overrides``).
"""

from collections.abc import Mapping
from copy import deepcopy
from typing import Any

from conversation.wording.catalogue import ADDRESS_FORMS, STANDARD, Place, read_texts

EVERY_FORM = "en"
"""In this language there is no form of address: a text is the same for both."""


def own_texts(name: str, spec: Mapping[str, Any]) -> dict[str, str]:
    """All of a merchant's texts of a wording by where they stand, as they were written."""
    found = read_texts(name, spec, [])
    return {
        str(place): text
        for place in found
        if (text := own_text(spec, place)) is not None
        and (place.language != EVERY_FORM or place.form == ADDRESS_FORMS[0])
    }


def own_text(spec: Mapping[str, Any], place: Place) -> str | None:
    """The merchant's text in a place, or None where it is ours."""
    held: Any = spec
    for key in _way(place):
        held = held.get(key) if isinstance(held, Mapping) else None
    texts = held.get(place.language) if isinstance(held, Mapping) else None
    text = texts.get(place.form) if isinstance(texts, Mapping) else texts
    return text if isinstance(text, str) else None


def with_text(spec: Mapping[str, Any], place: Place, text: str) -> dict[str, Any]:
    """The same texts with this one in its place; an empty one takes it out."""
    changed = deepcopy(dict(spec))
    held = changed
    for key in _way(place):
        held = held.setdefault(key, {})
    before = held.get(place.language)
    if place.language == EVERY_FORM:
        held[place.language] = text
    else:
        forms = (
            dict(before) if isinstance(before, Mapping) else dict.fromkeys(ADDRESS_FORMS, before)
        )
        forms[place.form] = text
        held[place.language] = {form: given for form, given in forms.items() if given}
    return _pruned(changed)


def with_texts(name: str, spec: Mapping[str, Any], texts: Mapping[str, str]) -> dict[str, Any]:
    """The same wording with exactly these texts, by where they stand; see `own_texts`."""
    changed = dict(spec)
    for told in {**own_texts(name, spec), **texts}:
        changed = with_text(changed, Place.read(told), texts.get(told, ""))
    return changed


def without(spec: Mapping[str, Any], language: str, form: str) -> dict[str, Any]:
    """The same texts without any for this kind of reader, in no tone, variant or SMS form."""
    if not isinstance(spec, Mapping):
        return spec
    left: dict[str, Any] = {}
    for key, held in spec.items():
        if key != language:
            left[key] = without(held, language, form) if isinstance(held, Mapping) else held
        elif language != EVERY_FORM:
            forms = held if isinstance(held, Mapping) else dict.fromkeys(ADDRESS_FORMS, held)
            left[key] = {one: text for one, text in forms.items() if one != form}
    return _pruned(left)


def _way(place: Place) -> list[str]:
    way = [] if place.variant == STANDARD else ["variants", place.variant]
    if place.tone != "warm":
        way.append(place.tone)
    return [*way, "sms"] if place.sms else way


def _pruned(spec: dict[str, Any]) -> dict[str, Any]:
    """Without what holds nothing."""
    kept = {key: _pruned(held) if isinstance(held, dict) else held for key, held in spec.items()}
    return {key: held for key, held in kept.items() if held}
