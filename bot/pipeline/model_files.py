"""Where models lie, and which one belongs to the present configuration and training data."""

import hashlib
import sys
from pathlib import Path
from typing import Callable, Iterator, List, Optional

BOT = Path(__file__).resolve().parent.parent
ROOT = BOT.parent
MODELS = BOT / "models"
NLU_DATA = ROOT / "nlu_data"
REVIEWED = NLU_DATA / "reviewed" / "lines.yml"
"""Reviewed lines of this installation that were measured; no part of the repository."""
_SUFFIX = ".tar.gz"
_HASH_LENGTH = 16


def training_data(reviewed: Optional[Path] = None) -> List[Path]:
    """The files to train with; `reviewed` are lines to try in place of the installation's own."""
    files = [path for path in _files(NLU_DATA) if reviewed is None or path != REVIEWED]
    return files if reviewed is None else sorted([*files, reviewed], key=_place(reviewed))


def _files(folder: Path) -> Iterator[Path]:
    for path in sorted(folder.rglob("*")):
        if path.is_file() and path.suffix in (".yml", ".yaml", ".py"):
            yield path


def _place(reviewed: Optional[Path]) -> Callable[[Path], Path]:
    """Where a file lies; lines to try lie where they would if they were kept."""
    return lambda path: REVIEWED if path == reviewed else path


def fingerprint(reviewed: Optional[Path] = None) -> str:
    """Return the hash of everything that a model depends on, the same when lines tried are kept."""
    digest = hashlib.sha256()
    place = _place(reviewed)
    for path in (
        *(BOT / "config.yml", BOT / "uv.lock"),
        *_files(BOT / "domain"),
        *_files(BOT / "pipeline"),
        *training_data(reviewed),
    ):
        digest.update(str(place(path).relative_to(ROOT)).encode())
        digest.update(hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()[:_HASH_LENGTH]


def model_path(of: str) -> Path:
    """Return the path of the model with this fingerprint."""
    return MODELS / f"kulanz-{of}{_SUFFIX}"


def newest_model() -> Optional[Path]:
    """Return the model that belongs to the present files, else the last one trained."""
    current = model_path(fingerprint())
    if current.exists():
        return current
    trained: List[Path] = sorted(
        MODELS.glob(f"kulanz-*{_SUFFIX}"), key=lambda path: path.stat().st_mtime
    )
    if trained:
        print(f"{trained[-1].name} is older than its sources; train again", file=sys.stderr)
        return trained[-1]
    return None
