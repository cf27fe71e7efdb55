"""Rasa component: entities of a reply from the word lists and patterns of `finder`, which knows no Rasa."""

from __future__ import annotations

from typing import Any

from rasa.engine.graph import ExecutionContext, GraphComponent
from rasa.engine.recipes.default_recipe import DefaultV1Recipe
from rasa.engine.storage.resource import Resource
from rasa.engine.storage.storage import ModelStorage
from rasa.nlu.extractors.extractor import EntityExtractorMixin
from rasa.shared.constants import INTENT_MESSAGE_PREFIX
from rasa.shared.nlu.constants import ENTITIES, TEXT
from rasa.shared.nlu.training_data.message import Message

from followup.nlu.finder import EntityFinder
from followup.nlu.lexicon import Lexicon
from followup.reading.lexicon import lexicon_dir


@DefaultV1Recipe.register(DefaultV1Recipe.ComponentType.ENTITY_EXTRACTOR, is_trainable=False)
class ReplyEntities(GraphComponent, EntityExtractorMixin):
    """Adds aspects, persons, products, phone numbers, plates, scores, quantities and times to `entities`.

    Nothing is learnt: an edited word list takes effect at the next start.
    """

    def __init__(self, finder: EntityFinder) -> None:
        self._finder = finder

    @staticmethod
    def required_packages() -> list[str]:
        return ["spacy"]

    @classmethod
    def create(
        cls,
        config: dict[str, Any],
        model_storage: ModelStorage,
        resource: Resource,
        execution_context: ExecutionContext,
    ) -> ReplyEntities:
        return cls(EntityFinder(Lexicon.read(lexicon_dir())))

    def process(self, messages: list[Message]) -> list[Message]:
        for message in messages:
            text = message.get(TEXT) or ""
            if text.startswith(INTENT_MESSAGE_PREFIX):
                continue
            found = self.add_extractor_name([entity.as_dict() for entity in self._finder.find(text)])
            message.set(ENTITIES, message.get(ENTITIES, []) + found, add_to_output=True)
        return messages
