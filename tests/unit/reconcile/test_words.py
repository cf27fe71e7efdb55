"""What the reconciliation says."""

from followup.reconcile.checks import CHECKS, COUNTED
from followup.reconcile.run import tables, words


def test_every_check_and_every_table_has_its_words_and_no_word_is_left_over() -> None:
    assert set(words()) == {check.key for check in CHECKS}
    assert set(tables()) == set(COUNTED)


def test_no_two_checks_have_one_name() -> None:
    assert len({check.key for check in CHECKS}) == len(CHECKS)


def test_the_words_end_as_sentences_and_titles_do() -> None:
    for said in words().values():
        assert said.advice.endswith("。") and not said.title.endswith("。")
        assert not set(said.title + said.advice) & set(",;:?!()")
