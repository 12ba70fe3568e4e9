"""How training data is read and handed on while the assistant is trained: once, without copies.

Stands in for parts of Rasa 3.6.21 (the last release) that take longer than the training itself:
each file is read and validated once for every importer that asks, each merge copies all examples,
and each step of the graph has its input and output hashed for a cache that we do not keep.
"""

from functools import cache, lru_cache
from typing import Any, Dict, Hashable, Optional, Text

import rasa.shared.utils.validation as validation
from rasa.engine.training.hooks import TrainingHook
from rasa.shared.importers import utils as importing
from rasa.shared.importers.rasa import RasaFileImporter
from rasa.shared.nlu.constants import INTENT, TEXT
from rasa.shared.nlu.training_data.message import Message
from rasa.shared.nlu.training_data.training_data import TrainingData


def _key(message: Message) -> Hashable:
    """What makes two examples the same; examples without a text stay as they are."""
    text = message.get(TEXT)
    if text is None:
        return id(message)
    return text, message.get(INTENT), repr(message.get("metadata"))


def merged(self: TrainingData, *others: Optional[TrainingData]) -> TrainingData:
    """Return the data of all, each example once; the examples themselves are shared."""
    parts = [self, *(other for other in others if other)]
    result = TrainingData(
        entity_synonyms={k: v for part in parts for k, v in part.entity_synonyms.items()},
        regex_features=[feature for part in parts for feature in part.regex_features],
        lookup_tables=[table for part in parts for table in part.lookup_tables],
        responses={k: v for part in parts for k, v in part.responses.items()},
    )
    examples: Dict[Hashable, Message] = {}
    for part in parts:
        for example in part.training_examples:
            examples.setdefault(_key(example), example)
    # Past the constructor, which would hash every example.
    result.training_examples = list(examples.values())
    return result


@cache
def _read_once(files: Any, language: Text) -> TrainingData:
    return importing.training_data_from_paths(list(files), language)


def _nlu_data(self: RasaFileImporter, language: Optional[Text] = "en") -> TrainingData:
    # The reader of YAML files does not look at the language.
    return _read_once(tuple(self._nlu_files), "de")


def _no_fingerprint(self: TrainingHook, *args: Any, **kwargs: Any) -> Dict[Text, Any]:
    return {}


def install() -> None:
    """Make all training in this process use them. Data may not be changed between trainings."""
    TrainingData.merge = merged
    RasaFileImporter.get_nlu_data = _nlu_data
    TrainingHook.on_before_node = _no_fingerprint
    TrainingHook.on_after_node = _no_fingerprint
    validation.validate_yaml_schema = lru_cache(maxsize=None)(validation.validate_yaml_schema)
