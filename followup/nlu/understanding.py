"""A reply understood: intent, confidence, ranking, acts and entities. Everything the Rasa components do, without Rasa."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from typing import Any

from followup.nlu.acts import Act, Reading, read_acts
from followup.nlu.finder import Entity, EntityFinder
from followup.nlu.model import Guess, IntentModel
from followup.nlu.normalise import normalise

RANKING_LENGTH = 10

SIGNS: dict[str, str] = {
    "👍": "satisfied",
    "👌": "consent",
    "😊": "satisfied",
    "🙏": "thank",
    "😡": "dissatisfied",
    "😞": "dissatisfied",
    "👋": "goodbye",
}
"""What a reply of signs alone means (groups of `normalise.EMOJI_GROUPS`)."""

SIGN_CONFIDENCE = 0.6


@dataclass(frozen=True)
class Parse:
    """One reply. Intents by their full names."""

    text: str
    intent: str
    confidence: float
    ranking: tuple[Guess, ...]
    """The leading intent first, then what the text as a whole may mean."""
    acts: tuple[Act, ...]
    entities: tuple[Entity, ...]

    def as_dict(self) -> dict[str, Any]:
        """The form of `followup nlu`."""
        return {
            "text": self.text,
            "intent": self.intent,
            "confidence": round(self.confidence, 4),
            "ranking": [{"name": guess.intent, "confidence": round(guess.confidence, 4)} for guess in self.ranking],
            "entities": [entity.as_dict() for entity in self.entities],
            "acts": [asdict(act) | {"confidence": round(act.confidence, 4)} for act in self.acts],
        }


def read_reply(text: str, model: IntentModel) -> Reading:
    """Acts and ranking of one reply; the ranking begins with the leading act."""
    sign = _sign(text)
    if sign is not None:
        return Reading((Act(sign, SIGN_CONFIDENCE, text),), (Guess(sign, SIGN_CONFIDENCE),))
    reading = read_acts(text, lambda texts: model.rank_all(texts, RANKING_LENGTH))
    leading = reading.leading
    rest = [guess for guess in reading.ranking if guess.intent != leading.intent]
    first = Guess(leading.intent, leading.confidence)
    return replace(reading, ranking=(first, *rest)[:RANKING_LENGTH])


def _sign(text: str) -> str | None:
    """The intent of a reply that is nothing but signs of one meaning."""
    meanings = {SIGNS.get(char) for char in normalise(text) if not char.isspace()}
    return meanings.pop() if len(meanings) == 1 else None


@dataclass(frozen=True)
class Understanding:
    """A trained model and the word lists, together."""

    model: IntentModel
    finder: EntityFinder

    def parse(self, text: str) -> Parse:
        reading = read_reply(text, self.model)
        leading = reading.leading
        return Parse(
            text, leading.intent, leading.confidence, reading.ranking, reading.acts, tuple(self.finder.find(text))
        )
