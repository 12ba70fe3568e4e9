"""Understanding without Rasa: the same models and steps as the components, for `parse.py`."""

import tarfile
import tempfile
from datetime import date
from pathlib import Path
from typing import Any, Dict, Optional

import yaml

from pipeline import encoder, entities
from pipeline.intents import WEIGHTS_FILE, WORDS_FILE, IntentModel, decide, ranked
from pipeline.languages import FILE_NAME as LANGUAGE_FILE
from pipeline.languages import LanguageModel
from pipeline.values_contacts import mask_cards

_CLASSIFIER = "pipeline.components.IntentClassifier"
_RANKING_LENGTH = 5
# In cross-validation a higher one catches no more out of scope, it only rejects more.
_THRESHOLD = 0.12


class Understanding:
    """Intents, entities and language of single messages."""

    def __init__(self, intents: IntentModel, languages: LanguageModel, threshold: float) -> None:
        self._intents = intents
        self._languages = languages
        self._threshold = threshold

    @classmethod
    def load(cls, model: Path, config: Path) -> "Understanding":
        """Read the models out of a trained assistant; raises `KeyError` where they lack."""
        wanted = (WEIGHTS_FILE, WORDS_FILE, LANGUAGE_FILE, encoder.PIECES_FILE)
        with tempfile.TemporaryDirectory() as folder, tarfile.open(model) as archive:
            directory = Path(folder)
            for member in archive.getmembers():
                name = Path(member.name).name
                stored = archive.extractfile(member) if name in wanted else None
                if stored is not None:
                    (directory / name).write_bytes(stored.read())
            missing = [name for name in wanted if not (directory / name).exists()]
            if missing:
                raise KeyError(f"{model.name} lacks {missing}")
            encoder.remember(directory)
            return cls(
                IntentModel.load(directory), LanguageModel.load(directory), _threshold(config)
            )

    def parse(self, text: str, today: date, language: Optional[str] = None) -> Dict[str, Any]:
        """Return `text`, `intent`, `confidence`, `ranking`, `entities` and `language`.

        Digits of card numbers are masked first. An empty text is out of scope.
        """
        text = mask_cards(text)
        spans = entities.find(text)
        row = self._intents.probabilities(
            entities.placeholders(spans), encoder.encode([spans.words.text])[0]
        )
        ranking = ranked(self._intents.classes, row, _RANKING_LENGTH)
        intent = decide(ranking, self._threshold if text.strip() else 1.1)
        return {
            "text": text,
            "intent": intent["name"],
            "confidence": intent["confidence"],
            "ranking": ranking,
            "entities": entities.read(
                text, spans, today, intent["name"], tense=entities.tense_of(intent, ranking)
            ),
            "language": self._languages.detect(text, language),
        }


def _threshold(config: Path) -> float:
    pipeline = yaml.safe_load(config.read_text(encoding="utf-8"))["pipeline"]
    for component in pipeline:
        if component["name"] == _CLASSIFIER:
            return float(component.get("threshold", _THRESHOLD))
    return _THRESHOLD
