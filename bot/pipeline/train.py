"""Trains the assistant if anything it depends on has changed, and prints the model's path.

bot/.venv/bin/python bot/pipeline/train.py [--anew FILE.tar.gz] [--reviewed LINES.yml]
"""

import argparse
import fcntl
import logging
import os
import sys
import time
from pathlib import Path
from typing import Optional

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from pipeline import model_files, without_tensorflow


def _train(target: Path, reviewed: Optional[Path]) -> None:
    os.environ.setdefault("RASA_TELEMETRY_ENABLED", "false")
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    os.environ.setdefault("RASA_MAX_CACHE_SIZE", "0")
    # Rasa's pinned libraries deprecate each other; nothing of that is ours to act on. Some of them
    # set filters of their own, so the warnings go to a log that nobody keeps.
    logging.captureWarnings(True)
    logging.getLogger("py.warnings").addHandler(logging.NullHandler())
    logging.getLogger("py.warnings").propagate = False
    os.environ.setdefault("SQLALCHEMY_SILENCE_UBER_WARNING", "1")
    os.environ.setdefault("LOG_LEVEL", "WARNING")
    os.chdir(model_files.BOT)
    without_tensorflow.install()
    import structlog
    from rasa.model_training import train

    from pipeline import quick_training

    quick_training.install()
    # Rasa writes each state of each rule it checks as a debug line, unless it is told not to.
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING))

    result = train(
        domain="domain",
        config="config.yml",
        training_files=[str(path) for path in model_files.training_data(reviewed)],
        output=str(target.parent),
        fixed_model_name=f"unfinished-{target.name}",
        force_training=True,
    )
    if result.code != 0 or not result.model:
        raise SystemExit("Training failed")
    os.replace(result.model, target)


def main() -> None:
    """Train under a lock: two processes that start together train once."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--anew", type=Path, help="train in any case, into this file")
    arguments.add_argument(
        "--reviewed", type=Path, help="train with these reviewed lines in place of those kept"
    )
    given = arguments.parse_args()
    reviewed = given.reviewed.resolve() if given.reviewed else None
    if given.anew is not None:
        _train(given.anew.resolve(), reviewed)
        return
    model_files.MODELS.mkdir(exist_ok=True)
    with (model_files.MODELS / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        target = model_files.model_path(model_files.fingerprint(reviewed))
        if not target.exists():
            started = time.monotonic()
            _train(target, reviewed)
            print(f"trained in {time.monotonic() - started:.0f} s", file=sys.stderr)
    print(target)


if __name__ == "__main__":
    main()
