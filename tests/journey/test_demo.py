"""``kulanz demo`` plays its conversations and finds the ledger right."""

from io import StringIO

import pytest
from rich.console import Console

from api.demo.play import run
from api.service import BOT_PYTHON


@pytest.mark.skipif(not BOT_PYTHON.exists(), reason="the assistant is not installed")
def test_the_played_demo_ends_with_the_right_ledger() -> None:
    shown = StringIO()

    code = run(Console(file=shown, width=100))

    assert code == 0, shown.getvalue()[-3000:]
