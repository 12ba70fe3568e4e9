"""Where the Chromium for the pages' tests comes from, and what is said without one."""

from pathlib import Path

import pytest

from toolchain import browser


@pytest.fixture(autouse=True)
def nothing_installed(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """A machine without any browser; its folder of Playwright's."""
    monkeypatch.delenv("KULANZ_CHROMIUM", raising=False)
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    monkeypatch.setenv("PLAYWRIGHT_BROWSERS_PATH", str(tmp_path))
    return tmp_path


def test_one_that_is_named_is_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KULANZ_CHROMIUM", "/opt/chromium")
    assert browser.chromium() == "/opt/chromium"


def test_the_newest_of_playwrights_own_is_taken(nothing_installed: Path) -> None:
    for build in ("chromium-1100", "chromium-1200"):
        program = nothing_installed / build / "chrome-linux" / "chrome"
        program.parent.mkdir(parents=True)
        program.touch()
    assert browser.chromium() == str(nothing_installed / "chromium-1200/chrome-linux/chrome")


def test_one_on_the_path_goes_first(nothing_installed: Path) -> None:
    program = nothing_installed / "bin" / "chromium"
    program.parent.mkdir()
    program.touch(mode=0o755)
    assert browser.chromium() == str(program)


def test_without_any_it_says_what_to_do(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(browser, "_install", lambda: None)
    assert browser.main() == 1
    assert "playwright install chromium" in capsys.readouterr().out
