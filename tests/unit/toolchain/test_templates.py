"""The lint of text templates."""

from pathlib import Path

from toolchain.templates import page_faults


def test_a_page_that_does_not_compile_is_named_with_its_line(tmp_path: Path) -> None:
    folder = tmp_path / "api" / "pages" / "pay" / "templates"
    folder.mkdir(parents=True)
    (folder / "good.html").write_text("<p>{{ name }}</p>")
    (folder / "bad.html").write_text("<p>\n{% if %}\n</p>")
    faults = list(page_faults(tmp_path))
    assert len(faults) == 1
    assert faults[0].startswith("api/pages/pay/templates/bad.html:2: ")
