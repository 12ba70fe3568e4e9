"""The Rasa components of understanding: thin shells around the plain modules beside them.

Rasa inspects annotations at run time, so they are written out without deferred evaluation.
"""

from datetime import date, datetime
from typing import Any, Dict, List, Text, Type
from zoneinfo import ZoneInfo

import numpy as np
from rasa.engine.graph import ExecutionContext, GraphComponent
from rasa.engine.recipes.default_recipe import DefaultV1Recipe
from rasa.engine.storage.resource import Resource
from rasa.engine.storage.storage import ModelStorage
from rasa.nlu.constants import FEATURIZER_CLASS_ALIAS
from rasa.nlu.featurizers.dense_featurizer.dense_featurizer import DenseFeaturizer
from rasa.nlu.tokenizers.tokenizer import Tokenizer
from rasa.shared.nlu.constants import ENTITIES, FEATURE_TYPE_SENTENCE, INTENT, TEXT
from rasa.shared.nlu.training_data.features import Features
from rasa.shared.nlu.training_data.message import Message
from rasa.shared.nlu.training_data.training_data import TrainingData

from pipeline import encoder, entities
from pipeline.dialects import standard
from pipeline.intents import IntentModel, decide, ranked
from pipeline.languages import LANGUAGES, LanguageModel

CALENDAR = ZoneInfo("Europe/Berlin")
ComponentType = DefaultV1Recipe.ComponentType
# Set by the turn channel where the last question was about something that has happened.
LOOKING_BACK = "looking_back"
_SPANS = "spans"


def today_of(message: Message) -> date:
    """Return the calendar day of the conversation: `metadata.now`, else the real one."""
    now = (message.get("metadata") or {}).get("now")
    moment = datetime.fromisoformat(now.replace("Z", "+00:00")) if now else None
    return (moment or datetime.now(tz=CALENDAR)).astimezone(CALENDAR).date()


def _examples(training_data: TrainingData) -> List[Message]:
    return [m for m in training_data.intent_examples if m.get(TEXT) and m.get(INTENT)]


@DefaultV1Recipe.register(ComponentType.MESSAGE_FEATURIZER, is_trainable=True)
class SentenceEncoder(DenseFeaturizer, GraphComponent):
    """One vector a message; whoever needs it later reads it from the message."""

    def __init__(
        self, name: Text, config: Dict[Text, Any], storage: ModelStorage, resource: Resource
    ) -> None:
        super().__init__(name, config)
        self._storage = storage
        self._resource = resource

    @classmethod
    def required_components(cls) -> List[Type]:
        return [Tokenizer]

    @staticmethod
    def get_default_config() -> Dict[Text, Any]:
        return {**DenseFeaturizer.get_default_config()}

    @classmethod
    def create(
        cls,
        config: Dict[Text, Any],
        model_storage: ModelStorage,
        resource: Resource,
        execution_context: ExecutionContext,
    ) -> "SentenceEncoder":
        return cls(execution_context.node_name, config, model_storage, resource)

    @classmethod
    def load(
        cls,
        config: Dict[Text, Any],
        model_storage: ModelStorage,
        resource: Resource,
        execution_context: ExecutionContext,
        **kwargs: Any,
    ) -> "SentenceEncoder":
        with model_storage.read_from(resource) as directory:
            encoder.remember(directory)
        return cls(execution_context.node_name, config, model_storage, resource)

    def train(self, training_data: TrainingData) -> Resource:
        """Note which pieces of text are common; the encoder itself learns nothing."""
        texts = [standard(message.get(TEXT)).text for message in _examples(training_data)]
        with self._storage.write_to(self._resource) as directory:
            encoder.save_pieces(directory, encoder.pieces_of(texts))
        return self._resource

    @classmethod
    def validate_config(cls, config: Dict[Text, Any]) -> None:
        pass

    def _encode(self, messages: List[Message]) -> None:
        messages = [message for message in messages if message.get(TEXT)]
        if not messages:
            return
        vectors = encoder.encode([standard(message.get(TEXT)).text for message in messages])
        for message, vector in zip(messages, vectors, strict=True):
            message.add_features(
                Features(
                    vector.reshape(1, -1),
                    FEATURE_TYPE_SENTENCE,
                    TEXT,
                    self._config[FEATURIZER_CLASS_ALIAS],
                )
            )

    def process_training_data(self, training_data: TrainingData) -> TrainingData:
        self._encode(training_data.training_examples)
        return training_data

    def process(self, messages: List[Message]) -> List[Message]:
        self._encode(messages)
        return messages


@DefaultV1Recipe.register(ComponentType.INTENT_CLASSIFIER, is_trainable=True)
class LanguageDetector(GraphComponent):
    """Sets `language` from the text; the conversation's language breaks ties."""

    def __init__(self, model: Any, storage: ModelStorage, resource: Resource) -> None:
        self._model = model
        self._storage = storage
        self._resource = resource

    @classmethod
    def create(
        cls,
        config: Dict[Text, Any],
        model_storage: ModelStorage,
        resource: Resource,
        execution_context: ExecutionContext,
    ) -> "LanguageDetector":
        return cls(LanguageModel({}, frozenset()), model_storage, resource)

    @classmethod
    def load(
        cls,
        config: Dict[Text, Any],
        model_storage: ModelStorage,
        resource: Resource,
        execution_context: ExecutionContext,
        **kwargs: Any,
    ) -> "LanguageDetector":
        with model_storage.read_from(resource) as directory:
            return cls(LanguageModel.load(directory), model_storage, resource)

    def train(self, training_data: TrainingData) -> Resource:
        """Learn from examples whose intent block names its `language` in its metadata."""
        pairs = [
            (message.get(TEXT), language)
            for message in _examples(training_data)
            for language in [(message.get("metadata") or {}).get("intent", {}).get("language")]
            if language in LANGUAGES
        ]
        self._model = LanguageModel.fit([text for text, _ in pairs], [name for _, name in pairs])
        with self._storage.write_to(self._resource) as directory:
            self._model.save(directory)
        return self._resource

    def process(self, messages: List[Message]) -> List[Message]:
        for message in messages:
            fallback = (message.get("metadata") or {}).get("language")
            language = self._model.detect(message.get(TEXT) or "", fallback)
            message.set("language", language, add_to_output=True)
        return messages


@DefaultV1Recipe.register(ComponentType.INTENT_CLASSIFIER, is_trainable=True)
class IntentClassifier(GraphComponent):
    """Sets `intent` and `intent_ranking`; rejects what it is not sure of."""

    def __init__(
        self, config: Dict[Text, Any], model: Any, storage: ModelStorage, resource: Resource
    ) -> None:
        self._config = config
        self._model = model
        self._storage = storage
        self._resource = resource

    @classmethod
    def required_components(cls) -> List[Type]:
        return [SentenceEncoder]

    @staticmethod
    def get_default_config() -> Dict[Text, Any]:
        return {"ranking_length": 5, "threshold": 0.12}

    @classmethod
    def create(
        cls,
        config: Dict[Text, Any],
        model_storage: ModelStorage,
        resource: Resource,
        execution_context: ExecutionContext,
    ) -> "IntentClassifier":
        return cls(config, None, model_storage, resource)

    @classmethod
    def load(
        cls,
        config: Dict[Text, Any],
        model_storage: ModelStorage,
        resource: Resource,
        execution_context: ExecutionContext,
        **kwargs: Any,
    ) -> "IntentClassifier":
        with model_storage.read_from(resource) as directory:
            return cls(config, IntentModel.load(directory), model_storage, resource)

    def train(self, training_data: TrainingData) -> Resource:
        """Learn from all examples that have an intent."""
        examples = _examples(training_data)
        texts = [message.get(TEXT) for message in examples]
        self._model = IntentModel.fit(
            [entities.placeholders(entities.find(text)) for text in texts],
            np.vstack([self._vector(message) for message in examples]),
            [message.get(INTENT) for message in examples],
        )
        with self._storage.write_to(self._resource) as directory:
            self._model.save(directory)
        return self._resource

    @staticmethod
    def _vector(message: Message) -> np.ndarray:
        _, sentence = message.get_dense_features(TEXT)
        return np.asarray(sentence.features)

    def process(self, messages: List[Message]) -> List[Message]:
        for message in messages:
            text = message.get(TEXT) or ""
            if not text.strip():
                continue
            spans = entities.find(text)
            message.set(_SPANS, spans)
            row = self._model.probabilities(entities.placeholders(spans), self._vector(message))
            ranking = ranked(self._model.classes, row, self._config["ranking_length"])
            intent = decide(ranking, self._config["threshold"])
            message.set(INTENT, intent, add_to_output=True)
            message.set("intent_ranking", ranking, add_to_output=True)
        return messages


@DefaultV1Recipe.register(ComponentType.ENTITY_EXTRACTOR, is_trainable=False)
class EntityExtractor(GraphComponent):
    """Sets `entities` with values, read against the day of the conversation and the intent."""

    @classmethod
    def create(
        cls,
        config: Dict[Text, Any],
        model_storage: ModelStorage,
        resource: Resource,
        execution_context: ExecutionContext,
    ) -> "EntityExtractor":
        return cls()

    def process(self, messages: List[Message]) -> List[Message]:
        for message in messages:
            text = message.get(TEXT) or ""
            spans = message.get(_SPANS) or entities.find(text)
            intent, ranking = message.get(INTENT) or {}, message.get("intent_ranking") or []
            tense = entities.tense_of(intent, ranking) if intent else None
            looking_back = bool((message.get("metadata") or {}).get(LOOKING_BACK))
            found = entities.read(
                text,
                spans,
                today_of(message),
                intent.get("name"),
                tense=tense,
                looking_back=looking_back,
            )
            message.set(ENTITIES, found, add_to_output=True)
        return messages
