"""Which models are served without TensorFlow, and what happens where somebody wants to compute with it all the same."""

import importlib
import io
import json
import sys
import tarfile
from pathlib import Path

import pytest

from followup.supervise import no_tensorflow
from followup.supervise.no_tensorflow import TensorFlowLeftOut, is_light

OURS = (
    "followup.nlu.classifier.ReplyClassifier",
    "rasa.core.policies.rule_policy.RulePolicy",
    "rasa.graph_components.providers.domain_provider.DomainProvider",
    "rasa.nlu.classifiers.regex_message_handler.RegexMessageHandler",
)


def _model(folder: Path, *predicting: str, training: tuple[str, ...] = OURS) -> Path:
    nodes = {"train_schema": training, "predict_schema": predicting}
    metadata = {key: {"nodes": {f"{n}": {"uses": used} for n, used in enumerate(value)}} for key, value in nodes.items()}
    data = json.dumps(metadata).encode()
    path = folder / "model.tar.gz"
    with tarfile.open(path, "w:gz") as archive:
        entry = tarfile.TarInfo("metadata.json")
        entry.size = len(data)
        archive.addfile(entry, io.BytesIO(data))
    return path


@pytest.fixture
def left_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As in a Rasa that serves our model; the modules are those that Rasa imports."""
    for name in [name for name in sys.modules if name.partition(".")[0] in ("tensorflow", "keras")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setattr(sys, "meta_path", [*sys.meta_path])
    monkeypatch.setattr(sys, "modules", {**sys.modules})
    assert no_tensorflow.leave_out(_model(tmp_path, *OURS))


def test_our_model_needs_no_tensorflow(tmp_path: Path) -> None:
    assert is_light(_model(tmp_path, *OURS))


@pytest.mark.parametrize(
    "component",
    [
        "rasa.nlu.classifiers.diet_classifier.DIETClassifier",
        "rasa.core.policies.ted_policy.TEDPolicy",
        "somebody.elses.Component",
    ],
)
def test_a_model_with_anything_else_gets_it(component: str, tmp_path: Path) -> None:
    assert not is_light(_model(tmp_path, *OURS, component))
    assert not is_light(_model(tmp_path, *OURS, training=(*OURS, component)))


def test_a_file_that_is_no_model_is_left_to_rasa(tmp_path: Path) -> None:
    broken = tmp_path / "model.tar.gz"
    assert not is_light(broken)
    broken.write_bytes(b"no archive")
    assert not is_light(broken)
    broken.write_bytes(_model(tmp_path, *OURS).read_bytes()[:100])
    assert not is_light(broken)
    assert not is_light(_model(tmp_path, training=()))


@pytest.mark.usefixtures("left_out")
def test_rasas_classes_can_be_defined_but_not_made() -> None:
    tf = importlib.import_module("tensorflow")
    backend = importlib.import_module("tensorflow.keras.backend")

    class Layer(tf.keras.layers.Layer):
        @tf.function
        def call(self, given: "tf.Tensor | None") -> int:
            return 7

        @tf.function(experimental_relax_shapes=True)
        def other(self) -> int:
            return 8

    assert Layer.call(None, None) == 7 and Layer.other(None) == 8
    assert isinstance(backend.epsilon, type)
    with pytest.raises(TensorFlowLeftOut, match="Layer"):
        Layer()


@pytest.mark.usefixtures("left_out")
def test_nothing_is_computed_with_what_is_not_there() -> None:
    tf = importlib.import_module("tensorflow")
    with pytest.raises(TensorFlowLeftOut, match="constant"):
        tf.constant(1.0, dtype=tf.float32)(2.0)
