"""The intent model: character n-grams and concepts, a linear support vector machine, and honest confidences. No Rasa.

A support vector machine's margins are no probabilities. A small logistic regression, fitted on sentences the
machine had not seen, turns (largest margin, its lead over the second, share of known tokens) into the probability
that the top intent is right. It also learns from sentences whose intent was withheld, so that a sentence unlike
anything trained gets a low confidence instead of a confident nonsense.
"""

from __future__ import annotations

import warnings
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Iterable, Iterator, Sequence

import joblib
import numpy as np
from numpy.typing import NDArray
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import KFold, StratifiedKFold
from sklearn.svm import LinearSVC

from followup.nlu import NOT_UNDERSTOOD_BELOW as NOT_UNDERSTOOD_BELOW
from followup.nlu.features import Concepts, marked
from followup.nlu.lexicon import Lexicon
from followup.nlu.normalise import normalise

WITHHELD_WEIGHT = 0.1
"""Weight of a sentence of a withheld intent in the calibration, against 1 for the others."""

FORMAT = 4
"""Version of the stored file; a file of another version is refused, not guessed at."""


Tokens = list[str]
"""What the machine counts of one text (features.Concepts.tokens)."""


@dataclass(frozen=True)
class ModelSettings:
    """What training may vary (keys of the component in config.yml)."""

    c: float = 1.0
    """Inverse regularisation of the support vector machine."""
    folds: int = 5
    """Folds of the calibration."""
    withheld_share: float = 0.25
    """Share of intents withheld per fold to learn what an unknown sentence looks like; 0 switches it off."""
    seed: int = 7


@dataclass(frozen=True)
class Guess:
    """One intent by its full name, and the probability that it is right."""

    intent: str
    confidence: float


@dataclass
class _Machine:
    """Vocabulary and weights of a fitted one-against-all linear machine."""

    vocabulary: dict[str, int]
    idf: NDArray[np.float32]
    weights: NDArray[np.float32]
    """(features, intents)"""
    bias: NDArray[np.float32]
    intents: NDArray[np.str_]

    def margins(self, texts: Iterable[Tokens]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Margins (texts, intents) of texts' tokens, and how much of each one was seen in training (texts,): tokens, the rare ones weigh more."""
        rows = [self._margins_of(tokens) for tokens in texts]
        return np.array([row for row, _ in rows], dtype=float), np.array([known for _, known in rows])

    def _margins_of(self, tokens: Tokens) -> tuple[NDArray[np.float32], float]:
        # The vectoriser's arithmetic by hand: scikit-learn's checks cost ten times the arithmetic for a single text.
        counts = Counter(tokens)
        known = [(self.vocabulary[token], count) for token, count in counts.items() if token in self.vocabulary]
        if not known:
            return self.bias, 0.0
        places = [place for place, _ in known]
        values = (1.0 + np.log(np.array([count for _, count in known], dtype=np.float32))) * self.idf[places]
        values /= np.linalg.norm(values)
        mass = float(self.idf[places].sum())
        unknown = (len(counts) - len(known)) * float(self.idf.max())
        return values @ self.weights[places] + self.bias, mass / (mass + unknown)


def _as_they_are(tokens: Tokens) -> Tokens:
    return tokens


def _fit_machine(texts: Sequence[Tokens], labels: NDArray[np.str_], settings: ModelSettings) -> _Machine:
    vectoriser = TfidfVectorizer(analyzer=_as_they_are, sublinear_tf=True, dtype=np.float32)
    machine = LinearSVC(C=settings.c, random_state=settings.seed)
    machine.fit(vectoriser.fit_transform(texts), labels)
    weights, bias = machine.coef_.T, machine.intercept_
    if len(machine.classes_) == 2:  # scikit-learn keeps one column for two classes
        weights, bias = np.hstack([-weights, weights]), np.concatenate([-bias, bias])
    return _Machine(
        vectoriser.vocabulary_,
        vectoriser.idf_,
        np.ascontiguousarray(weights, dtype=np.float32),
        np.asarray(bias, dtype=np.float32),
        machine.classes_,
    )


def _signals(margins: NDArray[np.float64], known: NDArray[np.float64]) -> NDArray[np.float64]:
    """What the calibration looks at: (texts, 3) = largest margin, its lead over the second, share of known tokens."""
    ordered = np.sort(margins, axis=1)
    return np.column_stack([ordered[:, -1], ordered[:, -1] - ordered[:, -2], known])


@dataclass
class IntentModel:
    """A trained model. Made by `train`, kept by `save`, brought back by `load`."""

    settings: ModelSettings
    concepts: Concepts
    machine: _Machine
    calibration: LogisticRegression
    _format: int = field(default=FORMAT)

    @classmethod
    def train(
        cls,
        texts: Sequence[str],
        intents: Sequence[str],
        settings: ModelSettings | None = None,
        lexicon: Lexicon | None = None,
    ) -> IntentModel:
        """Train on sentences and the full names of their intents.

        Raises ValueError when there are fewer than two intents.
        """
        settings = settings or ModelSettings()
        if len(set(intents)) < 2:
            raise ValueError("an intent model needs examples of at least two intents")
        concepts = Concepts.read(lexicon)
        tokens = [concepts.tokens(marked(text)) for text in texts]
        labels = np.array(list(intents), dtype=str)
        return cls(settings, concepts, _fit_machine(tokens, labels, settings), _calibrate(tokens, labels, settings))

    @property
    def intents(self) -> list[str]:
        return [str(intent) for intent in self.machine.intents]

    def rank(self, text: str, length: int = 10) -> list[Guess]:
        """The likeliest intents of one text, best first."""
        return self.rank_all([text], length)[0]

    def rank_all(self, texts: Sequence[str], length: int = 10) -> list[list[Guess]]:
        """As `rank` for several texts at once, which costs little more than one.

        The confidences of one ranking need not add up to 1: what is missing is the probability of none of them.
        """
        if not texts:
            return []
        margins, known = self.machine.margins(self.concepts.tokens(marked(text)) for text in texts)
        right = self._probability(_signals(margins, known)) * [self._familiar(text) for text in texts]
        order = np.argsort(-margins, axis=1)[:, :length]
        shares = np.exp(3.0 * (margins - margins.max(axis=1, keepdims=True)))
        shares /= shares.sum(axis=1, keepdims=True)
        names = self.machine.intents
        return [
            [Guess(str(names[row[0]]), float(top))]
            + [Guess(str(names[i]), float(min(top, (1.0 - top) * share[i]))) for i in row[1:]]
            for row, top, share in zip(order, right, shares)
        ]

    def _familiar(self, text: str) -> float:
        """1, or 0.5 when half of the letters or more never stood in an example: babble ("呜啦呜啦") is a guess."""
        letters = [char for char in normalise(text) if char.isalnum()]
        unknown = sum(char not in self.machine.vocabulary for char in letters)
        return 0.5 if letters and 2 * unknown >= len(letters) else 1.0

    def _probability(self, signals: NDArray[np.float64]) -> NDArray[np.float64]:
        # The logistic function by hand: scikit-learn's own checks cost more than the arithmetic.
        score = signals @ self.calibration.coef_[0] + self.calibration.intercept_[0]
        return 1.0 / (1.0 + np.exp(-score))

    def save(self, path: Path) -> None:
        joblib.dump(self, path, compress=3)

    @classmethod
    def load(cls, path: Path) -> IntentModel:
        """Load a file of `save`. Only files of our own making: it is a pickle.

        Raises ValueError when the file was written by another version.
        """
        model = joblib.load(path)
        if not isinstance(model, cls) or model._format != FORMAT:
            raise ValueError(f"{path.name} was written by another version; train again")
        return model


def _calibrate(texts: Sequence[Tokens], labels: NDArray[np.str_], settings: ModelSettings) -> LogisticRegression:
    """Learn the probability of being right from sentences the machine had not seen."""
    signals, correct, weights = [], [], []
    for train, test, weight in _splits(labels, settings):
        machine = _fit_machine([texts[i] for i in train], labels[train], settings)
        margins, known = machine.margins(texts[i] for i in test)
        signals.append(_signals(margins, known))
        correct.append(machine.intents[margins.argmax(axis=1)] == labels[test])
        weights.append(np.full(len(test), weight))
    right = np.concatenate(correct) if correct else np.array([], dtype=bool)
    if right.all() or not right.any():  # nothing to learn from: a plain curve over the margin
        return _plain_curve()
    calibration = LogisticRegression(C=100.0)
    calibration.fit(np.concatenate(signals), right, sample_weight=np.concatenate(weights))
    return calibration


def _splits(
    labels: NDArray[np.str_], settings: ModelSettings
) -> Iterator[tuple[NDArray[np.int_], NDArray[np.int_], float]]:
    """(train, test, weight) of the calibration: folds of known intents, then folds with withheld intents.

    Withheld sentences weigh little: in a real talk unknown sentences are the smaller part.
    """
    everything = np.arange(len(labels))
    folds = min(settings.folds, max(Counter(labels.tolist()).values()))
    if folds >= 2:
        splitter = StratifiedKFold(folds, shuffle=True, random_state=settings.seed)
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", message="The least populated class")
            yield from ((train, test, 1.0) for train, test in splitter.split(everything, labels))
    names = np.unique(labels)
    parts = round(1 / settings.withheld_share) if settings.withheld_share else 0
    if parts and len(names) >= 2 * parts:
        for _, withheld in KFold(parts, shuffle=True, random_state=settings.seed).split(names):
            test = np.flatnonzero(np.isin(labels, names[withheld]))
            yield np.setdiff1d(everything, test), test, WITHHELD_WEIGHT


def _plain_curve() -> LogisticRegression:
    """For a handful of examples: probability from the largest margin and its lead alone."""
    curve = LogisticRegression()
    curve.classes_ = np.array([False, True])
    curve.coef_, curve.intercept_ = np.array([[2.0, 2.0, 1.0]]), np.array([-0.5])
    return curve
