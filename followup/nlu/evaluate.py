"""`python -m followup.nlu.evaluate`: cross-validation of the intent model on data/nlu, without Rasa.

Prints accuracy, macro F1, expected calibration error, the threshold's effect, the worst confusions and the time of
one prediction. Folds are stratified; doubled sentences (after normalisation) are kept on one side only.
"""

from __future__ import annotations

import argparse
import json
import time
from collections import Counter
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Sequence

import numpy as np
from numpy.typing import NDArray
from sklearn.metrics import f1_score
from sklearn.model_selection import StratifiedKFold

from followup.nlu.examples import Example, load_examples
from followup.nlu.lexicon import Lexicon
from followup.nlu import NOT_UNDERSTOOD_BELOW
from followup.nlu.model import IntentModel, ModelSettings
from followup.nlu.normalise import normalise

BINS = 10


@dataclass(frozen=True)
class Confusion:
    """Sentences of one intent taken for another."""

    intent: str
    taken_for: str
    count: int
    samples: tuple[str, ...]


@dataclass(frozen=True)
class Report:
    """Figures of one cross-validation; shares are between 0 and 1."""

    examples: int
    intents: int
    accuracy: float
    macro_f1: float
    calibration_error: float
    """Expected calibration error over ten bins of confidence."""
    not_understood: float
    """Share of sentences below the threshold."""
    accuracy_understood: float
    """Accuracy among the others."""
    training_seconds: float
    """Mean of the folds."""
    prediction_ms: float
    """Median time of one sentence."""
    f1_by_intent: dict[str, float]
    confusions: tuple[Confusion, ...]


def calibration_error(confidence: NDArray[np.float64], correct: NDArray[np.bool_], bins: int = BINS) -> float:
    """Expected calibration error: mean distance of confidence and accuracy, weighted by the bins' sizes."""
    places = np.minimum((confidence * bins).astype(int), bins - 1)
    gaps = [
        abs(confidence[places == b].mean() - correct[places == b].mean()) * (places == b).sum()
        for b in range(bins)
        if (places == b).any()
    ]
    return float(sum(gaps) / len(confidence))


def cross_validate(
    examples: Sequence[Example],
    settings: ModelSettings,
    lexicon: Lexicon | None = None,
    folds: int = 5,
    seed: int = 1,
) -> Report:
    """Train and test on `folds` parts. Examples whose normalised text repeats an earlier one are left out."""
    unique = list({normalise(example.text): example for example in reversed(examples)}.values())
    texts = np.array([example.text for example in unique])
    truth = np.array([example.intent for example in unique])
    predicted = np.empty_like(truth)
    confidence = np.zeros(len(truth))
    training, prediction = [], []
    for train, test in StratifiedKFold(folds, shuffle=True, random_state=seed).split(texts, truth):
        begun = time.perf_counter()
        model = IntentModel.train(texts[train].tolist(), truth[train].tolist(), settings, lexicon)
        training.append(time.perf_counter() - begun)
        for index in test:
            begun = time.perf_counter()
            best = model.rank(str(texts[index]))[0]
            prediction.append(time.perf_counter() - begun)
            predicted[index], confidence[index] = best.intent, best.confidence
    return _report(texts, truth, predicted, confidence, float(np.mean(training)), float(np.median(prediction)) * 1000)


def _report(
    texts: NDArray[np.str_],
    truth: NDArray[np.str_],
    predicted: NDArray[np.str_],
    confidence: NDArray[np.float64],
    training_seconds: float,
    prediction_ms: float,
) -> Report:
    correct = predicted == truth
    understood = confidence >= NOT_UNDERSTOOD_BELOW
    names = sorted(set(truth.tolist()))
    scores = f1_score(truth, predicted, labels=names, average=None, zero_division=0)
    return Report(
        examples=len(truth),
        intents=len(names),
        accuracy=float(correct.mean()),
        macro_f1=float(scores.mean()),
        calibration_error=calibration_error(confidence, correct),
        not_understood=float(1 - understood.mean()),
        accuracy_understood=float(correct[understood].mean()) if understood.any() else 0.0,
        training_seconds=training_seconds,
        prediction_ms=prediction_ms,
        f1_by_intent={name: round(float(score), 3) for name, score in zip(names, scores)},
        confusions=_confusions(texts, truth, predicted),
    )


def _confusions(
    texts: NDArray[np.str_], truth: NDArray[np.str_], predicted: NDArray[np.str_]
) -> tuple[Confusion, ...]:
    wrong = np.flatnonzero(truth != predicted)
    pairs = Counter((str(truth[i]), str(predicted[i])) for i in wrong)
    return tuple(
        Confusion(a, b, count, tuple(str(texts[i]) for i in wrong if truth[i] == a and predicted[i] == b)[:5])
        for (a, b), count in pairs.most_common(25)
    )


def _show(report: Report) -> str:
    lines = [
        f"examples {report.examples}, intents {report.intents}",
        f"accuracy {report.accuracy:.3f}, macro F1 {report.macro_f1:.3f}, ECE {report.calibration_error:.3f}",
        f"below {NOT_UNDERSTOOD_BELOW}: {report.not_understood:.3f}; accuracy of the rest {report.accuracy_understood:.3f}",
        f"training {report.training_seconds:.1f} s, one prediction {report.prediction_ms:.2f} ms (median)",
        "weakest intents: "
        + ", ".join(f"{k} {v:.2f}" for k, v in sorted(report.f1_by_intent.items(), key=lambda item: item[1])[:10]),
        "confusions:",
    ]
    lines += [f"  {c.count:3} {c.intent} -> {c.taken_for}: {' | '.join(c.samples)}" for c in report.confusions]
    return "\n".join(lines)


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="python -m followup.nlu.evaluate", description=__doc__)
    parser.add_argument("paths", nargs="*", type=Path, default=[Path("data/nlu")], help="example files or folders")
    parser.add_argument("--lexicon", type=Path, default=Path("data/lexicon"), help="folder of the word lists")
    parser.add_argument("--folds", type=int, default=5)
    parser.add_argument("--c", type=float, default=ModelSettings.c, help="inverse regularisation")
    parser.add_argument("--json", action="store_true", help="print JSON")
    options = parser.parse_args(arguments)
    settings = ModelSettings(c=options.c)
    report = cross_validate(load_examples(options.paths), settings, Lexicon.read(options.lexicon), options.folds)
    print(json.dumps(asdict(report), ensure_ascii=False) if options.json else _show(report))


if __name__ == "__main__":
    main()
