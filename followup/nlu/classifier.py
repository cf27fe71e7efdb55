"""Rasa component: intent, ranking and acts of a reply. The work is done in `understanding`, which knows no Rasa."""

from __future__ import annotations

import hashlib
from dataclasses import asdict
from pathlib import Path
from typing import Any

from rasa.engine.graph import ExecutionContext, GraphComponent
from rasa.engine.recipes.default_recipe import DefaultV1Recipe
from rasa.engine.storage.resource import Resource
from rasa.engine.storage.storage import ModelStorage
from rasa.nlu.classifiers.classifier import IntentClassifier
from rasa.shared.constants import INTENT_MESSAGE_PREFIX
from rasa.shared.nlu.constants import (
    FULL_RETRIEVAL_INTENT_NAME_KEY,
    INTENT,
    INTENT_NAME_KEY,
    INTENT_RANKING_KEY,
    PREDICTED_CONFIDENCE_KEY,
    TEXT,
)
from rasa.shared.nlu.training_data.message import Message
from rasa.shared.nlu.training_data.training_data import TrainingData

from followup.nlu.lexicon import Lexicon
from followup.nlu.model import IntentModel, ModelSettings
from followup.nlu.normalise import normalise
from followup.nlu.segment import OWN_WORDS
from followup.nlu.understanding import read_reply
from followup.reading.lexicon import lexicon_dir

ACTS = "acts"
NORMALISED = "normalised"
FULL_NAME = "full_name"
"""In the intent: `faq/eat_pear` where Rasa's own `name` is `faq`."""

MODEL_FILE = "intent_model.joblib"


@DefaultV1Recipe.register(DefaultV1Recipe.ComponentType.INTENT_CLASSIFIER, is_trainable=True)
class ReplyClassifier(GraphComponent, IntentClassifier):
    """Sets `intent`, `intent_ranking`, `acts` and `normalised`; the customer's text stays as it is.

    Config keys are those of `ModelSettings`.
    """

    def __init__(
        self,
        config: dict[str, Any],
        model_storage: ModelStorage,
        resource: Resource,
        model: IntentModel | None = None,
    ) -> None:
        self._settings = ModelSettings(**{key: config[key] for key in self.get_default_config()})
        self._storage = model_storage
        self._resource = resource
        self._model = model

    @staticmethod
    def get_default_config() -> dict[str, Any]:
        return asdict(ModelSettings())

    @staticmethod
    def required_packages() -> list[str]:
        return ["sklearn", "zhconv", "joblib", "jieba"]

    @classmethod
    def fingerprint_addon(cls, config: dict[str, Any]) -> str | None:
        """Word lists and our own code are part of what is trained: a change of theirs empties Rasa's cache."""
        digest = hashlib.sha256()
        for folder in (lexicon_dir(), Path(__file__).parent):
            for path in sorted((*folder.glob("*.yml"), *folder.glob("*.py"), *folder.glob(OWN_WORDS))):
                digest.update(path.name.encode() + path.read_bytes())
        return digest.hexdigest()

    @classmethod
    def create(
        cls,
        config: dict[str, Any],
        model_storage: ModelStorage,
        resource: Resource,
        execution_context: ExecutionContext,
    ) -> ReplyClassifier:
        return cls(config, model_storage, resource)

    def train(self, training_data: TrainingData) -> Resource:
        """Train on full intent names. Raises ValueError when there are fewer than two intents."""
        examples = [example for example in training_data.intent_examples if example.get(TEXT)]
        self._model = IntentModel.train(
            [example.get(TEXT) for example in examples],
            [example.get_full_intent() for example in examples],
            self._settings,
            Lexicon.read(lexicon_dir()),
        )
        with self._storage.write_to(self._resource) as folder:
            self._model.save(folder / MODEL_FILE)
        return self._resource

    @classmethod
    def load(
        cls,
        config: dict[str, Any],
        model_storage: ModelStorage,
        resource: Resource,
        execution_context: ExecutionContext,
        **kwargs: Any,
    ) -> ReplyClassifier:
        """Load a trained component. Raises ValueError when the archive has no model of this version."""
        with model_storage.read_from(resource) as folder:
            return cls(config, model_storage, resource, IntentModel.load(folder / MODEL_FILE))

    def process(self, messages: list[Message]) -> list[Message]:
        """Read every message, except Rasa's own commands ("/start_followup"), which Rasa reads itself."""
        if self._model is None:
            raise ValueError("the reply classifier was not trained")
        for message in messages:
            text = message.get(TEXT) or ""
            if not text.startswith(INTENT_MESSAGE_PREFIX):
                self._read(message, text, self._model)
        return messages

    @staticmethod
    def _read(message: Message, text: str, model: IntentModel) -> None:
        reading = read_reply(text, model)
        leading = reading.leading
        message.set(INTENT, _intent(leading.intent, leading.confidence), add_to_output=True)
        ranking = [_intent(guess.intent, guess.confidence) for guess in reading.ranking]
        message.set(INTENT_RANKING_KEY, ranking, add_to_output=True)
        message.set(ACTS, [asdict(act) for act in reading.acts], add_to_output=True)
        message.set(NORMALISED, normalise(text), add_to_output=True)


def _intent(full_name: str, confidence: float) -> dict[str, Any]:
    """Rasa's form: the base name decides rules, the full name travels beside it."""
    base = full_name.split("/")[0]
    intent = {INTENT_NAME_KEY: base, PREDICTED_CONFIDENCE_KEY: confidence, FULL_NAME: full_name}
    if base != full_name:
        intent[FULL_RETRIEVAL_INTENT_NAME_KEY] = full_name
    return intent
