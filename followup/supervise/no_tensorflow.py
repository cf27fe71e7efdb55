"""Rasa without TensorFlow, for a model that needs none: `leave_out(model)` before the first import of Rasa.

Rasa 3.6 imports TensorFlow with its policies, whether the model has a neural network or not: half of the start and some
200 MB. None of our components uses it. So names of TensorFlow's are answered with empty classes while Rasa's modules define
theirs; whatever would really compute with one raises TensorFlowLeftOut, which ends the start instead of a customer's turn.
No file of Rasa's is changed, and a model with any other component gets the real TensorFlow.
"""

from __future__ import annotations

import json
import sys
import tarfile
from abc import ABCMeta
from collections.abc import Callable, Mapping, Sequence
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from pathlib import Path
from types import ModuleType
from typing import Any

_LEFT_OUT = ("tensorflow", "tensorflow_addons", "keras")
_LIGHT = (
    "followup.",
    "rasa.core.policies.ensemble.",
    "rasa.core.policies.memoization.",
    "rasa.core.policies.rule_policy.",
    "rasa.graph_components.",
    "rasa.nlu.classifiers.regex_message_handler.",
)
"""What a model may be made of to be served without TensorFlow."""


class TensorFlowLeftOut(RuntimeError):
    """Something wanted to compute with TensorFlow, which is not loaded in this process."""


def leave_out(model: str | Path) -> bool:
    """Keep TensorFlow out of this process if the model needs none of it. Returns whether it is kept out."""
    if "tensorflow" in sys.modules or not is_light(model):
        return False
    sys.meta_path.insert(0, _Finder())
    return True


def is_light(model: str | Path) -> bool:
    """Whether every component of the model is known to need no TensorFlow; False for a file that cannot be read."""
    try:
        with tarfile.open(model, "r:gz") as archive:
            member = archive.extractfile("metadata.json")
            metadata: Mapping[str, Any] = json.load(member) if member is not None else {}
        used = [
            str(node["uses"])
            for schema in ("train_schema", "predict_schema")
            for node in metadata[schema]["nodes"].values()
        ]
    except (OSError, tarfile.TarError, EOFError, KeyError, TypeError, AttributeError, ValueError):
        return False  # Rasa says what is wrong with it
    return bool(used) and all(name.startswith(_LIGHT) for name in used)


class _Kind(ABCMeta):
    """The class of the empty classes: each of their attributes is another one, and calling one decorates."""

    def __getattr__(cls, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)
        return _empty(f"{cls.__name__}.{name}")

    def __call__(cls, *arguments: Any, **named: Any) -> Any:
        if "_left_out" not in vars(cls):  # a class of Rasa's, made from ours
            raise TensorFlowLeftOut(f"{cls.__module__}.{cls.__qualname__}")
        if len(arguments) == 1 and not named and callable(arguments[0]):
            return arguments[0]  # @tf.function
        return _decorator(cls.__name__)  # @tf.function(...)


def _empty(name: str) -> type:
    return _Kind(name, (), {"_left_out": True})


def _decorator(name: str) -> Callable[[Any], Any]:
    def decorate(decorated: Any) -> Any:
        if not callable(decorated):
            raise TensorFlowLeftOut(name)
        return decorated

    return decorate


class _Module(ModuleType):
    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return _empty(f"{self.__name__}.{name}")


class _Loader(Loader):
    def create_module(self, spec: ModuleSpec) -> ModuleType:
        return _Module(spec.name)

    def exec_module(self, module: ModuleType) -> None:
        return None


class _Finder(MetaPathFinder):
    def find_spec(self, name: str, path: Sequence[str] | None, target: ModuleType | None = None) -> ModuleSpec | None:
        return ModuleSpec(name, _Loader(), is_package=True) if name.partition(".")[0] in _LEFT_OUT else None
