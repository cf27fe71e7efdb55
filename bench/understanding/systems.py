"""The small systems of the comparison: each is trained, kept in a folder, brought back, and asked for rankings.

They see what this project's component sees: the normalised text. Their settings are the usual ones, not searched for.
"""

from __future__ import annotations

import random
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol, Sequence

import joblib
import numpy as np

from followup.nlu.lexicon import Lexicon
from followup.nlu.model import IntentModel
from followup.nlu.normalise import normalise
from followup.reading.lexicon import lexicon_dir

LENGTH = 10
"""Length of a ranking."""

SEED = 7

Ranking = list[tuple[str, float]]
"""Full intent names and confidences, best first."""


class System(Protocol):
    """One way to find the intent of a reply."""

    def train(self, texts: Sequence[str], intents: Sequence[str], folder: Path) -> str:
        """Train and keep the result in an empty folder. Returns what to say about the training, often nothing."""

    def load(self, folder: Path) -> None:
        """Bring back what `train` kept."""

    def rank(self, text: str) -> Ranking:
        """At most `LENGTH` intents of one reply."""


class Classifier:
    """This project's classifier alone: the reply as a whole, not divided into acts, without Rasa."""

    _model: IntentModel

    def train(self, texts: Sequence[str], intents: Sequence[str], folder: Path) -> str:
        IntentModel.train(texts, intents, lexicon=Lexicon.read(lexicon_dir())).save(folder / "model")
        return ""

    def load(self, folder: Path) -> None:
        self._model = IntentModel.load(folder / "model")

    def rank(self, text: str) -> Ranking:
        return [(guess.intent, guess.confidence) for guess in self._model.rank(text, LENGTH)]


@dataclass
class Scikit:
    """A pipeline of scikit-learn that ends in probabilities."""

    kind: str
    """`regression` or `hashing`."""

    def train(self, texts: Sequence[str], intents: Sequence[str], folder: Path) -> str:
        pipeline = _regression() if self.kind == "regression" else _hashing()
        pipeline.fit([normalise(text) for text in texts], list(intents))
        joblib.dump(pipeline, folder / "model")
        return ""

    def load(self, folder: Path) -> None:
        self._pipeline = joblib.load(folder / "model")
        self._names = self._pipeline.classes_
        # Transposed for each prediction: in this order that is free, otherwise all of it is copied every time.
        self._pipeline[-1].coef_ = np.asfortranarray(self._pipeline[-1].coef_)

    def rank(self, text: str) -> Ranking:
        shares = self._pipeline.predict_proba([normalise(text)])[0]
        return [(str(self._names[i]), float(shares[i])) for i in np.argsort(-shares)[:LENGTH]]


def _regression() -> Any:
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline

    grams = TfidfVectorizer(analyzer="char", ngram_range=(1, 3), sublinear_tf=True, dtype=np.float32)
    return make_pipeline(grams, LogisticRegression(C=10.0, solver="liblinear", random_state=SEED))


def _hashing() -> Any:
    """As fastText does: n-grams hashed into buckets, a linear softmax learnt by stochastic descent."""
    from sklearn.feature_extraction.text import HashingVectorizer
    from sklearn.linear_model import SGDClassifier
    from sklearn.pipeline import make_pipeline

    grams = HashingVectorizer(analyzer="char", ngram_range=(1, 3), n_features=2**18, alternate_sign=False)
    descent = SGDClassifier(loss="log_loss", alpha=3e-6, max_iter=20, tol=1e-4, random_state=SEED)
    return make_pipeline(grams, descent)


class SpacyTextcat:
    """spaCy's `textcat`: a blank Chinese pipeline, tokens are jieba's words or single characters, bag of n-grams."""

    epochs = 6
    batch = 64

    def __init__(self, segmenter: str, minutes: float) -> None:
        """`segmenter` is `char` or `jieba`; training ends after `minutes`, in the middle of an epoch if need be."""
        self._segmenter = segmenter
        self._seconds = 60 * minutes

    def train(self, texts: Sequence[str], intents: Sequence[str], folder: Path) -> str:
        import spacy
        from spacy.training import Example
        from spacy.util import fix_random_seed

        fix_random_seed(SEED)
        nlp = spacy.blank("zh", config={"nlp": {"tokenizer": {"segmenter": self._segmenter}}})
        bag = {"@architectures": "spacy.TextCatBOW.v3", "exclusive_classes": True, "ngram_size": 3 if self._segmenter == "char" else 2}
        textcat: Any = nlp.add_pipe("textcat", config={"model": bag | {"no_output_layer": False, "length": 262144}})
        names = sorted(set(intents))
        for name in names:
            textcat.add_label(name)
        examples = [
            Example.from_dict(nlp.make_doc(normalise(text)), {"cats": {name: float(name == intent) for name in names}})
            for text, intent in zip(texts, intents)
        ]
        optimizer = nlp.initialize(lambda: examples[:200])
        order = random.Random(SEED)
        began, seen = time.monotonic(), 0
        for _ in range(self.epochs):
            order.shuffle(examples)
            for start in range(0, len(examples), self.batch):
                if time.monotonic() - began < self._seconds:
                    nlp.update(examples[start : start + self.batch], sgd=optimizer, losses={})
                    seen += self.batch
        nlp.to_disk(folder)
        return f"{seen / len(examples):.1f} of {self.epochs} epochs in {(time.monotonic() - began) / 60:.0f} min"

    def load(self, folder: Path) -> None:
        import spacy

        self._nlp = spacy.load(folder)

    def rank(self, text: str) -> Ranking:
        shares = self._nlp(normalise(text)).cats
        return sorted(shares.items(), key=lambda item: -item[1])[:LENGTH]
