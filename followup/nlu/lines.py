"""`followup nlu`: sentences in, what was understood out, from the trained model and without starting Rasa."""

from __future__ import annotations

import tarfile
import tempfile
from pathlib import Path
from typing import Any, Iterable, Iterator

from followup.nlu.finder import EntityFinder
from followup.nlu.lexicon import Lexicon
from followup.nlu.model import IntentModel
from followup.nlu.understanding import Understanding
from followup.reading.lexicon import lexicon_dir

_MODEL_FILE = "intent_model.joblib"  # as followup.nlu.classifier.MODEL_FILE, which cannot be imported without Rasa


def parse_lines(lines: Iterable[str], model_path: Path | None = None) -> Iterator[dict[str, Any]]:
    """What each line says, as `Parse.as_dict`; each is yielded before the next line is read.

    `model_path` is a model archive or a folder of them (the newest counts); without it the model of the present data.
    Raises FileNotFoundError when there is no model, ValueError when it is of another version or pipeline.
    """
    understanding = load_understanding(model_path or _present_model())
    for line in lines:
        yield understanding.parse(line).as_dict()


def load_understanding(model_path: Path) -> Understanding:
    """The very objects that Rasa's components use, out of a model archive."""
    return Understanding(_load_model(_archive(Path(model_path))), EntityFinder(Lexicon.read(lexicon_dir())))


def _present_model() -> Path:
    from followup.settings import PROJECT_DIR
    from followup.supervise.model import model_path

    present = model_path(PROJECT_DIR)
    return present if present.exists() else PROJECT_DIR / "models"


def _archive(path: Path) -> Path:
    if not path.is_dir():
        if not path.exists():
            raise FileNotFoundError(f"没有找到模型 {path.name}，请先运行 followup train")
        return path
    archives = sorted(path.glob("*.tar.gz"), key=lambda archive: archive.stat().st_mtime)
    if not archives:
        raise FileNotFoundError("还没有训练好的模型，请先运行 followup train")
    return archives[-1]


def _load_model(archive: Path) -> IntentModel:
    with tarfile.open(archive) as tar, tempfile.TemporaryDirectory() as folder:
        for member in tar:
            if member.isfile() and Path(member.name).name == _MODEL_FILE:
                member.name = _MODEL_FILE  # no path out of the archive is followed
                tar.extract(member, folder)
                return IntentModel.load(Path(folder) / _MODEL_FILE)
    raise ValueError(f"模型 {archive.name} 里没有本程序的意图模型，请重新运行 followup train")
