"""The Chromium that pages are looked at with: found, or else installed where that is possible.

Run: ``python -m toolchain.browser``; it prints where Chromium is, or says what to do and exits 1.
"""

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Final

NAMES: Final = ("chromium", "chromium-browser", "google-chrome-stable", "google-chrome")
MISSING: Final = (
    "The browser tests need Chromium, and none was found. Install it once, by one of\n"
    "  .venv/bin/playwright install chromium    (downloads one of its own, no root needed)\n"
    "  apt-get install chromium                 (Debian, as root)\n"
    "or name one by KULANZ_CHROMIUM=/path/to/chromium."
)
INSTALL_SECONDS_MAX: Final = 600


def chromium() -> str | None:
    """The path of a Chromium: as named by ``KULANZ_CHROMIUM``, on PATH, or Playwright's own."""
    named = os.environ.get("KULANZ_CHROMIUM")
    if named:
        return named
    on_path = next(filter(None, map(shutil.which, NAMES)), None)
    return on_path or _of_playwright()


def _of_playwright() -> str | None:
    home = os.environ.get("PLAYWRIGHT_BROWSERS_PATH")
    folders = (
        [Path(home)]
        if home
        else [
            Path.home() / ".cache/ms-playwright",
            Path.home() / "Library/Caches/ms-playwright",
        ]
    )
    programs = ("chrome-linux*/chrome", "chrome-mac*/*.app/Contents/MacOS/*")
    found = [
        path
        for folder in folders
        for program in programs
        for path in folder.glob(f"chromium-*/{program}")
    ]
    return str(max(found)) if found else None


def _install() -> None:
    """Try what can work here; what fails leaves no trace but its message."""
    tries = [[sys.executable, "-m", "playwright", "install", "chromium"]]
    if hasattr(os, "geteuid") and os.geteuid() == 0 and shutil.which("apt-get"):
        tries = [
            ["apt-get", "update", "-qq"],
            ["apt-get", "install", "-y", "-qq", "--no-install-recommends", "chromium"],
            *tries,
        ]
    for command in tries:
        if chromium() is None:
            subprocess.run(
                command,
                check=False,
                stdout=sys.stderr,
                timeout=INSTALL_SECONDS_MAX,
                env={**os.environ, "DEBIAN_FRONTEND": "noninteractive"},
            )


def main() -> int:
    """Find or install it."""
    if chromium() is None:
        print("no Chromium found, installing one", file=sys.stderr)
        _install()
    found = chromium()
    print(found or MISSING)
    return 0 if found else 1


if __name__ == "__main__":
    sys.exit(main())
