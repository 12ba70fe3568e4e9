"""Reads one message a line and prints what is understood; needs a trained model, no server.

bot/.venv/bin/python bot/pipeline/parse.py [--jsonl] [--now 2026-11-23T09:00:00+01:00]
    [--model FILE]
"""

import os

# One message at a time: more BLAS threads only cost. Must be set before numpy is loaded.
for _variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(_variable, "1")

import argparse  # noqa: E402
import json  # noqa: E402
import sys  # noqa: E402
from datetime import date, datetime  # noqa: E402
from pathlib import Path  # noqa: E402
from typing import Any, Dict, Optional  # noqa: E402
from zoneinfo import ZoneInfo  # noqa: E402

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from pipeline import model_files  # noqa: E402
from pipeline.understanding import Understanding  # noqa: E402

CALENDAR = ZoneInfo("Europe/Berlin")


def _today(now: Optional[str]) -> date:
    if now is None:
        return datetime.now(tz=CALENDAR).date()
    moment = datetime.fromisoformat(now.replace("Z", "+00:00"))
    return moment.date() if moment.tzinfo is None else moment.astimezone(CALENDAR).date()


def _plain(parsed: Dict[str, Any]) -> str:
    values = ", ".join(
        f"{entity['entity']}={json.dumps(entity['value'], ensure_ascii=False)}"
        for entity in parsed["entities"]
    )
    return (
        f"{parsed['intent']} ({parsed['confidence']:.2f}, {parsed['language']}) {values}".rstrip()
    )


def main() -> None:
    """Parse standard input line by line; answers appear as soon as they are known."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--jsonl", action="store_true", help="print one JSON object a line")
    arguments.add_argument("--now", type=_today, default=None, help="ISO date or time of today")
    arguments.add_argument("--model", type=Path, help="another model than that of the present data")
    chosen = arguments.parse_args()
    model = chosen.model or model_files.newest_model()
    if model is None:
        raise SystemExit("No model yet: run `kulanz train`")
    understanding = Understanding.load(model, model_files.BOT / "config.yml")
    for line in sys.stdin:
        text = line.rstrip("\r\n")
        parsed = understanding.parse(text, chosen.now or _today(None))
        shown = json.dumps(parsed, ensure_ascii=False) if chosen.jsonl else _plain(parsed)
        print(shown, flush=True)


if __name__ == "__main__":
    main()
