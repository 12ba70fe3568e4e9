"""What ``kulanz up`` prints can be typed as it stands."""

from pathlib import Path

import pytest

from api.commands.up import called_as


def _program(folder: Path) -> Path:
    program = folder / ".venv" / "bin" / "kulanz"
    program.parent.mkdir(parents=True)
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)
    return program


@pytest.mark.parametrize("absolute", [True, False])
def test_off_the_path_it_is_named_with_its_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, absolute: bool
) -> None:
    program = _program(tmp_path)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PATH", "/nowhere")
    monkeypatch.setattr("sys.argv", [str(program) if absolute else ".venv/bin/kulanz"])
    assert called_as() == ".venv/bin/kulanz"


def test_on_the_path_it_is_named_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program = _program(tmp_path)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PATH", str(program.parent))
    monkeypatch.setattr("sys.argv", [str(program)])
    assert called_as() == "kulanz"
