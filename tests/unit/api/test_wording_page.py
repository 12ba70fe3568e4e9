"""The printed catalogue: complete, self-contained, and made by the renderer itself."""

import re
from pathlib import Path

import pytest
from typer.testing import CliRunner

from api.cli import app
from api.wording_view import Chosen, entries, page
from conversation.wording import checked_overrides, load_catalogue

run = CliRunner()


@pytest.fixture(scope="module")
def html() -> str:
    chosen = Chosen()
    return page(entries(load_catalogue(), chosen), chosen)


def test_every_wording_is_on_the_page_and_in_its_contents(html: str) -> None:
    for name in load_catalogue().wordings:
        if not name.startswith("button_"):
            assert html.count(f'id="{name}"') == 1
            assert html.count(f'<li><a href="#{name}"') == 1


def test_the_page_asks_nobody_for_anything_and_runs_nothing(html: str) -> None:
    assert not re.search(r"(src|href)=[\"']?(https?:)?//|url\(|@import|<script|<link", html)


def test_it_has_no_colour_outside_the_tokens(html: str) -> None:
    tokens = (Path("api/pages/static/tokens.css")).read_text("utf-8")
    assert not re.search(r"#[0-9a-f]{3,8}\b(?=[;,)\s])|rgb\(", html.replace(tokens, ""))
    used = set(re.findall(r"var\((--[a-z0-9-]+)\)", html))
    assert used <= set(re.findall(r"(--[a-z0-9-]+):", tokens))


def test_a_text_stands_there_as_the_customer_reads_it(html: str) -> None:
    assert "Offener Betrag: 1.134,56\u00a0€" in html
    assert "fällig am 3. Oktober 2026" in html
    assert "Etwas stimmt nicht" in html


def test_only_what_was_asked_for_is_shown() -> None:
    shown = entries(load_catalogue(), Chosen(language="en", channel="sms"))
    texts = [(column.language, text.sms) for one in shown for column in one.columns
             for text in column.texts]  # fmt: skip
    assert set(texts) == {("en", True)}


def test_a_merchants_text_is_shown_marked_and_escaped() -> None:
    laid = checked_overrides({"goodbye": {"de": "Danke & <b>bis bald</b>."}})
    chosen = Chosen()
    found = entries(laid.catalogue, chosen, laid.names)
    assert [one.name for one in found if "merchant's own text" in one.marks] == ["goodbye"]
    assert "Danke &amp; &lt;b&gt;bis bald&lt;/b&gt;." in page(found, chosen)


def test_the_command_prints_and_refuses(tmp_path: Path) -> None:
    printed = run.invoke(app, ["wording", "--language", "en", "--channel", "telegram"])
    assert printed.exit_code == 0
    assert "Thank you, that matches." in printed.output
    texts = tmp_path / "own.yml"
    texts.write_text("goodbye: {en: Pay at once or we go to court.}", "utf-8")
    refused = run.invoke(app, ["wording", "--overrides", str(texts)])
    assert refused.exit_code == 1
    assert "goodbye (en sie): threatens with court" in " ".join(refused.output.split())
