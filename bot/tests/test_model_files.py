"""Which model belongs to which training data."""

from pathlib import Path

import pytest

from pipeline import model_files


def test_lines_that_are_tried_make_the_model_that_they_make_when_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = tmp_path / "nlu_data"
    kept = data / "reviewed" / "lines.yml"
    for path, text in ((data / "nlu" / "a.yml", "a"), (data / "rules" / "b.yml", "b")):
        path.parent.mkdir(parents=True)
        path.write_text(text)
    tried = tmp_path / "models" / "tried.yml"
    tried.parent.mkdir()
    tried.write_text("new")
    monkeypatch.setattr(model_files, "NLU_DATA", data)
    monkeypatch.setattr(model_files, "REVIEWED", kept)
    monkeypatch.setattr(model_files, "ROOT", tmp_path)
    for name in ("config.yml", "uv.lock"):
        (tmp_path / name).write_text(name)
    monkeypatch.setattr(model_files, "BOT", tmp_path)
    without = model_files.fingerprint()
    trying = model_files.fingerprint(tried)
    assert trying != without
    kept.parent.mkdir()
    kept.write_text("old")
    assert model_files.fingerprint(tried) == trying, "they take the place of those kept"
    assert model_files.training_data(tried).count(kept) == 0
    assert [path.name for path in model_files.training_data(tried)] == [
        "a.yml",
        "tried.yml",
        "b.yml",
    ]
    kept.write_text("new")
    assert model_files.fingerprint() == trying
