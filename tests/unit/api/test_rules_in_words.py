"""The rules' tiers as sentences of the history read them."""

import pytest

from api.pages.console.settings.policy_form import told
from api.pages.console.view import texts


@pytest.mark.parametrize(
    ("language", "words"),
    [
        ("de", "bis 100,00 €: höchstens 4 Raten; darüber: höchstens 24 Raten"),
        ("en", "up to €100.00: 4 instalments at most; above: 24 instalments at most"),
    ],
)
def test_tiers_of_instalments_read_as_sentences(language: str, words: str) -> None:
    tiers = [{"up_to_minor": 100_00, "count_max": 4}, {"up_to_minor": None, "count_max": 24}]
    said = told("instalment_bands", tiers, texts(language)["policy"], language)
    assert said.replace("\u00a0", " ") == words
