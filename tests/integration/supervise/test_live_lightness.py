"""The running Rasa has no TensorFlow in its memory."""

from pathlib import Path

from followup.supervise.stack import Stack


def test_the_running_rasa_has_not_loaded_tensorflow(running_stack: Stack) -> None:
    mapped = Path(f"/proc/{running_stack.pids()['rasa']}/maps").read_text(encoding="utf-8")
    assert "sklearn" in mapped  # what our model does need
    assert "tensorflow" not in mapped
