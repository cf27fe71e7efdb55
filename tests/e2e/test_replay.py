"""A candidate is proved on the talks: the present model walks them, one that confuses yes and no does not."""

from __future__ import annotations

import copy

import numpy as np

from followup.training.replay import replay
from tests.e2e.in_process import trained
from tests.e2e.play import talk_files


def test_a_model_that_confuses_yes_and_no_breaks_talks_that_the_present_one_walks() -> None:
    paths = talk_files()[::50]
    present = trained()
    confused = copy.deepcopy(present)
    swapped = {"consent": "deny", "deny": "consent"}
    confused.machine.intents = np.array([swapped.get(str(name), str(name)) for name in present.machine.intents])
    assert [replay(path, present) for path in paths] == [None] * len(paths)
    broken = [why for path in paths if (why := replay(path, confused))]
    assert broken and all("客户：" in why for why in broken), "told with the transcript"
