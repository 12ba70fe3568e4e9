"""The desk's style and script: files that a browser keeps, under names that say what is in them."""

import hashlib
import re

import httpx
import pytest

from api.pages.desk import files
from api.pages.page import Served
from tests.desk_parts import Desk

PAGES = ("/console/desk", "/console/desk/callbacks", "/console/desk/mentions")


def linked(page: httpx.Response) -> list[str]:
    """The style and the script that a page names."""
    return re.findall(r'<link rel="stylesheet" href="([^"]+)">|<script src="([^"]+)"', page.text)


def addresses(page: httpx.Response) -> list[str]:
    return [style or script for style, script in linked(page)]


async def test_pages_name_their_files_and_carry_none_of_them(desk: Desk) -> None:
    await desk.ask()
    agent = await desk.agent()
    for path in (*PAGES, desk.page):
        page = await agent.console.get(path)
        assert [one.rpartition(".")[2] for one in addresses(page)] == ["css", "js"], path
        assert "<style" not in page.text
        assert "<script>" not in page.text
        policy = page.headers["Content-Security-Policy"].split("; ")
        assert "script-src 'self'" in policy
        assert "style-src 'self'" in policy
        assert "default-src 'none'" in policy


async def test_a_file_is_kept_for_good_and_its_name_is_its_hash(desk: Desk) -> None:
    agent = await desk.agent()
    kinds = {"css": "text/css; charset=utf-8", "js": "text/javascript; charset=utf-8"}
    page = await agent.console.get("/console/desk")
    agent.console.forget()
    for address in addresses(page):
        name, _, kind = address.rpartition("/")[2].partition(".")
        file = await agent.console.get(address)
        assert file.status_code == 200
        assert file.headers["Content-Type"] == kinds[kind]
        assert file.headers["Cache-Control"] == "public, max-age=31536000, immutable"
        assert file.headers["X-Content-Type-Options"] == "nosniff"
        assert "set-cookie" not in file.headers, "what is kept is the same for everybody"
        assert hashlib.sha256(file.content).hexdigest().startswith(name)


@pytest.mark.parametrize("name", ["0" * 32 + ".js", "desk.js", "%2e%2e%2fdesk.js", "x"])
async def test_a_name_that_nobody_has_is_not_there_and_is_not_kept(desk: Desk, name: str) -> None:
    agent = await desk.agent()
    answer = await agent.console.get(f"/console/desk/files/{name}")
    assert answer.status_code == 404
    assert answer.headers.get("Cache-Control", "no-store") == "no-store"


async def test_a_page_that_was_open_during_an_update_goes_on(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    await desk.ask()
    agent = await desk.agent()
    old = addresses(await agent.console.get(desk.page))[1]
    after = await desk.messages()
    monkeypatch.setattr(files, "_files", {"1" * 32 + ".js": Served(b"", "text/javascript")})
    await desk.hear("Sind Sie noch da?")
    assert (await agent.console.get(old)).status_code == 404
    live = await agent.console.get(f"{desk.page}/live?after={after[-1].id}")
    assert "Sind Sie noch da?" in live.text
    for part in (live, await agent.console.get("/console/desk/rows?view=all")):
        assert part.status_code == 200
        assert addresses(part) == [], "what is put into a page brings no script of its own"
