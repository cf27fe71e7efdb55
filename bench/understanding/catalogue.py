"""Which systems are compared, by name."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Callable

from bench.understanding.systems import Classifier, Scikit, SpacyTextcat, System
from bench.understanding.rasa_systems import RasaPipeline


@dataclass(frozen=True, slots=True)
class Compared:
    """One row of the table."""

    name: str
    """For `--only`."""
    label: str
    label_zh: str
    make: Callable[[float], System]
    """Makes it, given the minutes that DIET and spaCy may train."""


OURS = "followup"
DIET = "diet"

SYSTEMS: tuple[Compared, ...] = (
    Compared(OURS, "this pipeline, in Rasa", "本项目的流水线（在 Rasa 里）", lambda _: RasaPipeline("config.yml")),
    Compared("classifier", "its classifier alone", "只用其中的分类器", lambda _: Classifier()),
    Compared("regression", "logistic regression, character n-grams", "逻辑回归（字 n 元）", lambda _: Scikit("regression")),
    Compared("hashing", "hashed n-grams, as fastText", "哈希 n 元（fastText 式）", lambda _: Scikit("hashing")),
    Compared("spacy-char", "spaCy textcat, characters", "spaCy textcat（按字）", lambda m: SpacyTextcat("char", m)),
    Compared("spacy-jieba", "spaCy textcat, jieba", "spaCy textcat（jieba）", lambda m: SpacyTextcat("jieba", m)),
    Compared(DIET, "DIET, light (no transformer)", "DIET（轻量，不用 transformer）", lambda m: RasaPipeline("configs/diet.yml", m)),
    Compared("diet-stock", "DIET, as Rasa ships it", "DIET（Rasa 原样）", lambda m: RasaPipeline("configs/diet-stock.yml", m)),
)

BY_NAME = {system.name: system for system in SYSTEMS}
