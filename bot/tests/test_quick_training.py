"""Training data that is merged without copies is the data that Rasa's own merge makes."""

from typing import List

from rasa.shared.nlu.training_data.formats.rasa_yaml import RasaYAMLReader
from rasa.shared.nlu.training_data.training_data import TrainingData

from pipeline import quick_training

RASAS_OWN = TrainingData.__dict__["merge"]
FILES = (
    """
nlu:
  - intent: affirm
    metadata: {language: de}
    examples: |
      - ja
      - genau
  - intent: deny
    examples: |
      - nein
""",
    """
nlu:
  - intent: affirm
    metadata: {language: de}
    examples: |
      - genau
  - intent: affirm
    metadata: {language: en}
    examples: |
      - ok
  - intent: deny
    examples: |
      - genau
""",
)


def _read() -> List[TrainingData]:
    return [RasaYAMLReader().reads(text) for text in FILES]


def test_merged_data_is_the_same() -> None:
    first, *others = _read()
    ours = quick_training.merged(first, *others, None)
    first, *others = _read()
    assert ours.fingerprint() == RASAS_OWN(first, *others, None).fingerprint()


def test_merging_leaves_the_parts_as_they_were() -> None:
    first, second = _read()
    quick_training.merged(first, second)
    assert [len(first.training_examples), len(second.training_examples)] == [3, 3]
