"""Where models lie, and which one belongs to the present configuration and training data."""

import hashlib
import sys
from pathlib import Path
from typing import Iterator, List, Optional

BOT = Path(__file__).resolve().parent.parent
ROOT = BOT.parent
MODELS = BOT / "models"
NLU_DATA = ROOT / "nlu_data"
_SUFFIX = ".tar.gz"
_HASH_LENGTH = 16


def _inputs() -> Iterator[Path]:
    yield BOT / "config.yml"
    yield BOT / "uv.lock"
    for folder in (BOT / "domain", BOT / "pipeline", NLU_DATA):
        for path in sorted(folder.rglob("*")):
            if path.is_file() and path.suffix in (".yml", ".yaml", ".py"):
                yield path


def fingerprint() -> str:
    """Return the hash of everything that a model depends on."""
    digest = hashlib.sha256()
    for path in _inputs():
        digest.update(str(path.relative_to(ROOT)).encode())
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
