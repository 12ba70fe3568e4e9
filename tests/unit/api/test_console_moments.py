"""Times of the console, as Babel would write them."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from babel.dates import format_datetime
from hypothesis import given
from hypothesis import strategies as st

from api.pages.console.view import moment
from conversation.wording.formats import LOCALES

PATTERNS = {"de": "EEE dd.MM.yyyy HH:mm", "en": "EEE d MMM yyyy HH:mm"}


@pytest.mark.parametrize("language", PATTERNS)
@given(seconds=st.integers(0, 2_500_000_000))
def test_a_moment_is_written_as_the_language_writes_it(language: str, seconds: int) -> None:
    at, zone = datetime.fromtimestamp(seconds, UTC), ZoneInfo("Europe/Berlin")
    pattern, locale = PATTERNS[language], LOCALES[language]
    assert moment(at, language, zone) == format_datetime(
        at.astimezone(zone), pattern, locale=locale
    )
