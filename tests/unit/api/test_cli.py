"""The ``kulanz`` command loads what is called, and knows every command there is."""

import subprocess
import sys
from importlib import import_module
from pathlib import Path

import pytest
import typer
from typer.main import get_group
from typer.testing import CliRunner

from api import commands
from api.cli import COMMANDS, app

MODULES = sorted(
    path.stem
    for path in Path(commands.__file__).parent.glob("*.py")
    if "def register(" in path.read_text("utf-8")
)


@pytest.mark.parametrize("module", MODULES)
def test_every_command_of_a_module_is_known(module: str) -> None:
    of_module = typer.Typer()
    import_module(f"api.commands.{module}").register(of_module)
    assert sorted(get_group(of_module).commands) == sorted(
        name for name, where in COMMANDS.items() if where == module
    )


def test_help_tells_of_all_commands() -> None:
    shown = CliRunner().invoke(app, ["--help"]).output
    assert all(f" {name} " in shown for name in COMMANDS)


def test_an_unknown_command_is_refused() -> None:
    refused = CliRunner().invoke(app, ["recieve"])
    assert refused.exit_code == 2
    assert "No such command" in refused.output


def test_the_command_alone_loads_no_command() -> None:
    code = "import sys, api.cli; print([m for m in sys.modules if m.startswith('api.commands')])"
    shown = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert shown.stdout.strip() == "[]"
