"""The `rasa` command, without TensorFlow: bot/.venv/bin/python bot/pipeline/rasa_cli.py run …"""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from pipeline import without_tensorflow


def main() -> None:
    """Do what Rasa's own command does with the same arguments."""
    without_tensorflow.install()
    from rasa.__main__ import main as rasa

    rasa()


if __name__ == "__main__":
    main()
