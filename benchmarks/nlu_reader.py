"""Reads lines for a benchmark, in the assistant's environment: JSON in, JSON out, one a line.

    bot/.venv/bin/python benchmarks/nlu_reader.py [--rasa MODEL.tar.gz]

In: `text` and `now` (ISO). Out: what is understood, and `ms`, the time that took. With `--rasa`
another Rasa model reads, through Rasa's own agent; it knows no values and no language.
"""

import argparse
import asyncio
import gc
import json
import logging
import os
import sys
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

for _variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(_variable, "1")
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
warnings.simplefilter("ignore")
sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "bot"))

Read = Callable[[str, str], dict[str, Any]]


def ours() -> Read:
    """The trained assistant."""
    from datetime import datetime
    from zoneinfo import ZoneInfo

    from pipeline import model_files
    from pipeline.understanding import Understanding

    model = model_files.newest_model()
    if model is None:
        raise SystemExit("No model yet: run `make train`")
    understanding = Understanding.load(model, model_files.BOT / "config.yml")
    calendar = ZoneInfo("Europe/Berlin")

    def read(text: str, now: str) -> dict[str, Any]:
        return understanding.parse(text, datetime.fromisoformat(now).astimezone(calendar).date())

    return read


def rasas(model: Path) -> Read:
    """Another Rasa model."""
    import structlog

    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING))
    from rasa.core.agent import Agent

    agent = Agent.load(str(model))
    loop = asyncio.new_event_loop()

    def read(text: str, now: str) -> dict[str, Any]:
        parsed = loop.run_until_complete(agent.parse_message(text))
        return {
            "intent": parsed["intent"]["name"] or "out_of_scope",
            "confidence": parsed["intent"]["confidence"],
            "ranking": [
                {"name": ranked["name"], "confidence": ranked["confidence"]}
                for ranked in parsed.get("intent_ranking", [])
            ],
            "entities": [],
            "language": None,
        }

    return read


def main() -> None:
    """Answer each line before the next is read."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--rasa", type=Path, default=None)
    chosen = arguments.parse_args()
    read = ours() if chosen.rasa is None else rasas(chosen.rasa)
    # As the running service does once its model is loaded: the model is no garbage.
    gc.collect()
    gc.freeze()
    for line in sys.stdin:
        given = json.loads(line)
        started = time.perf_counter()
        parsed = read(given["text"], given["now"])
        parsed["ms"] = (time.perf_counter() - started) * 1000
        print(json.dumps(parsed, ensure_ascii=False), flush=True)


if __name__ == "__main__":
    main()
