"""Words of a normalised text: jieba's dictionary and our own words (data/lexicon/jieba.txt), without its guessing.

Words tell apart what characters alone do not: 差 in 差不多 is no blame, 没 in 没事 is no denial.
"""

from __future__ import annotations

import logging
from functools import lru_cache

import jieba

from followup.reading.lexicon import lexicon_dir

OWN_WORDS = "jieba.txt"


@lru_cache(maxsize=1)
def _cutter() -> jieba.Tokenizer:
    jieba.setLogLevel(logging.WARNING)  # it reports its loading as if it were news
    cutter = jieba.Tokenizer()
    own = lexicon_dir() / OWN_WORDS
    if own.is_file():
        cutter.load_userdict(str(own))
    return cutter


def words(text: str) -> list[str]:
    """The words of a text in order; punctuation and digits are words of their own."""
    return list(_cutter().cut(text, HMM=False))
