"""The texts that docs/connect.md gives for approval are those of the catalogue."""

import re
import textwrap
from pathlib import Path

import pytest

from conversation.wording import MerchantVoice, load_catalogue, render

DOCUMENT = Path(__file__).parents[3] / "docs" / "connect.md"
BLOCK = re.compile(r"^   `(\w+)\.(de|en)`\n\n   ```text\n(.*?)^   ```$", re.MULTILINE | re.DOTALL)
SHOP = MerchantVoice(name="Beispielgeschäft", phone="+49 30 23125 999")
KNOWN = {"proof": "https://beispiel.example/echt/bcdfg-23456", "day": "2031-05-17"}


def blocks() -> dict[tuple[str, str], str]:
    found = BLOCK.finditer(DOCUMENT.read_text("utf-8"))
    return {(one[1], one[2]): textwrap.dedent(one[3]).strip() for one in found}


@pytest.mark.parametrize("language", ["de", "en"])
@pytest.mark.parametrize(
    "wording",
    [
        *("first_contact", "first_reminder", "agreement_due", "channel_arrived"),
        *("agreement_soon", "agreement_missed", "agreement_thanks", "agreement_settled"),
        *("agreement_repriced", "invoice_soon", "arrived_thanks", "came_back"),
    ],
)
def test_what_is_to_be_approved_is_what_the_catalogue_says(wording: str, language: str) -> None:
    arguments = load_catalogue().wordings[wording].args
    said = render(
        wording, {name: KNOWN[name] for name in arguments}, language=language, address_form="sie",
        tone="warm", channel="whatsapp", merchant=SHOP, verified=False,
    )  # fmt: skip
    variables = dict(said.template_variables)
    text = said.text
    for gap, value in variables.items():
        text = text.replace(value, f"{{{{{gap}}}}}")
    assert blocks()[wording, language] == text
    assert sorted(re.findall(r"\{\{(\d)\}\}", text)) == sorted(variables)
    # WhatsApp takes no text that begins or ends with a variable, or has two side by side.
    assert not re.search(r"^\{\{|\}\}$|\}\}\s*\{\{", text)


def test_every_template_of_the_catalogue_is_documented() -> None:
    templated = {name for name, one in load_catalogue().wordings.items() if one.template}
    assert {name for name, _ in blocks()} == templated
