"""The intent model: character n-grams and concepts, a linear support vector machine, and honest confidences. No Rasa.

A support vector machine's margins are no probabilities. A small logistic regression, fitted on sentences the
machine had not seen, turns (largest margin, its lead over the second, share of known tokens) into the probability
that the top intent is right. It also learns from sentences whose intent was withheld, so that a sentence unlike
anything trained gets a low confidence instead of a confident nonsense.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Iterable, Iterator, Sequence

import joblib
import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import KFold
from sklearn.svm import LinearSVC

from followup.nlu import NOT_UNDERSTOOD_BELOW as NOT_UNDERSTOOD_BELOW
from followup.nlu.features import Concepts, marked
from followup.nlu.lexicon import Lexicon

WITHHELD_WEIGHT = 0.02
"""Weight of a sentence of a withheld intent in the calibration, against 1 for the others. More of it makes confidences too
low for what is known (0.1: error 0.073 on left-out examples, 0.02: 0.020); what is caught at what loss stays the same."""

FORMAT = 6
"""Version of the stored file; a file of another version is refused, not guessed at."""


_TOLERANCE = 0.1
"""Where the machine's solver stops: the library's own default for it. A smaller one takes longer and understands no more."""

Tokens = list[str]
"""What the machine counts of one text (features.Concepts.tokens)."""


@dataclass(frozen=True)
class ModelSettings:
    """What training may vary (keys of the component in config.yml)."""

    c: float = 1.0
    """Inverse regularisation of the support vector machine."""
    rare_weight: float = 0.5
    """How much more an example of a rare intent counts: 0 not at all, 1 until all intents weigh the same."""
    left_out: float = 0.15
    """Share of the examples of each intent that the calibration asks and does not train on."""
    withheld_share: float = 0.25
    """Share of intents withheld per fold to learn what an unknown sentence looks like; 0 switches it off."""
    seed: int = 7


_LATIN_OR_ONE = re.compile(r"[a-z]+|[^\W_]", re.IGNORECASE)
_MORE_THAN_LETTERS = re.compile(r"[0-9\u2600-\U0001ffff]")
_SURE_OF_LETTERS = 0.85
"""Letters alone resemble anything ("orz", "abc"); "bye" and "driving" are known for sure."""
_BABBLE = 0.3
"""What is left of the confidence in babble: less than any threshold."""


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
        """Margins (texts, intents) of texts' tokens, and the known share of each text (texts,): see `_known`."""
        rows = [self._margins_of(tokens) for tokens in texts]
        return np.array([row for row, _ in rows], dtype=float), np.array([known for _, known in rows])

    def _margins_of(self, tokens: Tokens) -> tuple[NDArray[np.float32], float]:
        # The vectoriser's arithmetic by hand: scikit-learn's checks cost ten times the arithmetic for a single text.
        counts = Counter(tokens)
        known = [(self.vocabulary[token], count) for token, count in counts.items() if token in self.vocabulary]
        if not known:
            return self.bias, 0.0
        places = [place for place, _ in known]
        idf = self.idf[places]
        values = (1.0 + np.log(np.array([count for _, count in known], dtype=np.float32))) * idf
        values /= math.sqrt(values @ values)
        mass = float(idf.sum())
        unknown = (len(counts) - len(known)) * self._rarest
        return values @ self.weights[places] + self.bias, mass / (mass + unknown)

    @cached_property
    def _rarest(self) -> float:
        return float(self.idf.max())


def _as_they_are(tokens: Tokens) -> Tokens:
    return tokens


@dataclass(frozen=True)
class _Counted:
    """All examples counted once: the folds of the calibration are rows of the same table."""

    vocabulary: dict[str, int]
    counts: csr_matrix
    """(texts, features), 1 + log of each count"""
    labels: NDArray[np.str_]

    @classmethod
    def of(cls, texts: Sequence[Tokens], labels: NDArray[np.str_]) -> _Counted:
        vectoriser = CountVectorizer(analyzer=_as_they_are, dtype=np.float32)
        counts = vectoriser.fit_transform(texts).tocsr()
        counts.data = 1.0 + np.log(counts.data)
        return cls(vectoriser.vocabulary_, counts, labels)

    def rarity(self, rows: NDArray[np.int_]) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
        """(features,) inverse document frequency in these rows, as scikit-learn smooths it, and which occur at all."""
        frequency = np.bincount(self.counts[rows].indices, minlength=self.counts.shape[1])
        return (np.log((1.0 + len(rows)) / (1.0 + frequency)) + 1.0).astype(np.float32), frequency > 0

    def weighed(self, rows: NDArray[np.int_], rarity: NDArray[np.float32]) -> csr_matrix:
        """(rows, features) of length 1 each."""
        table = self.counts[rows]
        table.data *= rarity[table.indices]
        lengths = np.sqrt(np.add.reduceat(np.append(table.data, 0.0) ** 2, table.indptr[:-1]))
        table.data /= np.repeat(np.maximum(lengths, 1e-9), np.diff(table.indptr)).astype(np.float32)
        return table


def _fit(table: csr_matrix, labels: NDArray[np.str_], settings: ModelSettings) -> LinearSVC:
    sizes = Counter(labels.tolist())
    mean = len(labels) / len(sizes)
    weights = {name: (mean / size) ** settings.rare_weight for name, size in sizes.items()}
    machine = LinearSVC(C=settings.c, tol=_TOLERANCE, class_weight=weights, random_state=settings.seed)
    return machine.fit(table, labels)


def _per_intent(machine: LinearSVC) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Weights (features, intents) and bias (intents,)."""
    weights, bias = machine.coef_.T, machine.intercept_
    if len(machine.classes_) == 2:  # scikit-learn keeps one column for two classes
        weights, bias = np.hstack([-weights, weights]), np.concatenate([-bias, bias])
    return np.ascontiguousarray(weights, dtype=np.float32), np.asarray(bias, dtype=np.float32)


def _fit_machine(counted: _Counted, settings: ModelSettings) -> _Machine:
    everything = np.arange(len(counted.labels))
    rarity, _ = counted.rarity(everything)
    machine = _fit(counted.weighed(everything, rarity), counted.labels, settings)
    return _Machine(counted.vocabulary, rarity, *_per_intent(machine), machine.classes_)


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
        counted = _Counted.of(tokens, np.array(list(intents), dtype=str))
        return cls(settings, concepts, _fit_machine(counted, settings), _calibrate(counted, settings))

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
        read = [marked(text) for text in texts]
        unique = {text: place for place, text in enumerate(dict.fromkeys(read))}  # a reply is often its own only clause
        margins, known = self.machine.margins(map(self.concepts.tokens, unique))
        if len(unique) < len(read):
            places = [unique[text] for text in read]
            margins, known = margins[places], known[places]
        right = self._probability(_signals(margins, known))
        right = np.array([_BABBLE * sure if self._is_babble(text, sure) else sure for text, sure in zip(read, right)])
        order = np.argsort(-margins, axis=1)[:, :length]
        shares = np.exp(3.0 * (margins - margins.max(axis=1, keepdims=True)))
        shares /= shares.sum(axis=1, keepdims=True)
        names = self.machine.intents
        return [
            [Guess(str(names[row[0]]), float(top))]
            + [Guess(str(names[i]), float(min(top, (1.0 - top) * share[i]))) for i in row[1:]]
            for row, top, share in zip(order, right, shares)
        ]

    def _is_babble(self, text: str, confidence: float) -> bool:
        """Whether a marked text is letters alone that are not surely known, or half of it never stood in an example.

        Babble ("呜啦呜啦", "restart", "orz") is no more than a guess, whatever it resembles. Latin letters count as
        words: single ones have all been seen.
        """
        parts = _LATIN_OR_ONE.findall(text)
        if confidence < _SURE_OF_LETTERS and parts and not _MORE_THAN_LETTERS.search(text):
            return True
        vocabulary = self.machine.vocabulary
        unknown = sum(len(part) for part in parts if (f"w:{part}" if part.isascii() and part.isalpha() else part) not in vocabulary)
        return bool(parts) and 2 * unknown >= sum(map(len, parts))

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


def _calibrate(counted: _Counted, settings: ModelSettings) -> LogisticRegression:
    """Learn the probability of being right from sentences the machine had not seen."""
    signals, correct, weights = [], [], []
    for train, test, weight in _splits(counted.labels, settings):
        rarity, occurs = counted.rarity(train)
        machine = _fit(counted.weighed(train, rarity), counted.labels[train], settings)
        per_intent, bias = _per_intent(machine)
        margins = np.asarray(counted.weighed(test, np.where(occurs, rarity, 0.0)) @ per_intent + bias, dtype=float)
        signals.append(_signals(margins, _known(counted.counts[test], rarity, occurs)))
        correct.append(machine.classes_[margins.argmax(axis=1)] == counted.labels[test])
        weights.append(np.full(len(test), weight))
    right = np.concatenate(correct) if correct else np.array([], dtype=bool)
    if right.all() or not right.any():  # nothing to learn from: a plain curve over the margin
        return _plain_curve()
    calibration = LogisticRegression(C=100.0)
    calibration.fit(np.concatenate(signals), right, sample_weight=np.concatenate(weights))
    return calibration


def _known(counts: csr_matrix, rarity: NDArray[np.float32], occurs: NDArray[np.bool_]) -> NDArray[np.float64]:
    """(texts,) how much of each text was seen in training: the share of its tokens, the rare ones weigh more."""
    present = counts.copy()
    present.data = np.ones_like(present.data)
    mass = present @ np.where(occurs, rarity, 0.0)
    unknown = (present @ (~occurs).astype(np.float32)) * rarity[occurs].max()
    return np.asarray(mass / np.maximum(mass + unknown, 1e-9), dtype=float)


def _splits(
    labels: NDArray[np.str_], settings: ModelSettings
) -> Iterator[tuple[NDArray[np.int_], NDArray[np.int_], float]]:
    """(train, test, weight) of the calibration: some of each intent left out, then some intents withheld altogether.

    One part of each is enough for a handful of coefficients, and costs a fraction of cross-validation. Withheld
    sentences weigh little: in a real talk unknown sentences are the smaller part.
    """
    everything = np.arange(len(labels))
    names = np.unique(labels)
    chosen = np.random.default_rng(settings.seed)
    mine = [chosen.permutation(np.flatnonzero(labels == name)) for name in names]
    test = np.concatenate([own[: math.ceil(settings.left_out * len(own))] for own in mine if len(own) > 1] or [[]])
    if len(test):
        test = np.sort(test.astype(int))
        yield np.setdiff1d(everything, test), test, 1.0
    parts = round(1 / settings.withheld_share) if settings.withheld_share else 0
    if parts and len(names) >= 2 * parts:
        _, withheld = next(KFold(parts, shuffle=True, random_state=settings.seed).split(names))
        test = np.flatnonzero(np.isin(labels, names[withheld]))
        yield np.setdiff1d(everything, test), test, WITHHELD_WEIGHT


def _plain_curve() -> LogisticRegression:
    """For a handful of examples: probability from the largest margin and its lead alone."""
    curve = LogisticRegression()
    curve.classes_ = np.array([False, True])
    curve.coef_, curve.intercept_ = np.array([[2.0, 2.0, 1.0]]), np.array([-0.5])
    return curve
