"""A few words of a customer's line marked with what they mean: in a word list when handed in, or in a draft of the script.

    found = await offers(session, project, wanted)               what the words may mean at each line, the question's own answers first
    mark = await mark_words(session, staff, project, line, talk, words, meaning, now)    raises Refused
    await undo_mark(session, staff, mark_id)                                             raises Refused

A satisfaction, an aspect, a product and a person are words that all scripts share: rows that wait to be handed in with the examples. An
answer of one question belongs to its script: it goes into the trainer's own draft, which a second person publishes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from pathlib import Path
from typing import Any

from sqlalchemy import select
from sqlalchemy import text as sql
from sqlalchemy.ext.asyncio import AsyncSession

from followup.console.audit import audit
from followup.console.labels import labels
from followup.console.permissions import Permission, Staff
from followup.console.scripts import bench, texts, work
from followup.console.training.around import Talk
from followup.console.transcripts.masking import Mask
from followup.nlu.normalise import simplify
from followup.scripts.publish_check import check_text
from followup.scripts.published import Kind, Name
from followup.store.inbox_models import WordMark
from followup.store.models import Message
from followup.training import word_lists
from followup.training.examples_hand_in import LEXICON, Term
from followup.training.word_lists import CannotWrite
from followup.training.word_meanings import LISTS, Meaning, kept_as, list_of, of_lexicon, of_question, place_in_lexicon, place_in_script, questions_of

SHORTEST, LONGEST = 2, 20
_LONGEST_NOTE = 1000
_LOCK = sql("SELECT pg_advisory_xact_lock(hashtextextended('word_marks', 0))")
_HIDDEN = ("*", "＊", "［", "］")


class Refused(Exception):
    """It cannot be marked so, or not be undone. `why`: a key of `word_errors` in labels.yml; `name` fills its blank."""

    def __init__(self, why: str, name: str = "") -> None:
        super().__init__(labels()["word_errors"][why].format(name=name))
        self.why = why


@dataclass(frozen=True, slots=True)
class Offer:
    """What words may mean at a line. `first`: answers of the question it answers; `all`: whatever else there is too."""

    question: str
    first: Sequence[Meaning]
    all: Sequence[Meaning]


def lexicon(project: Path) -> Mapping[str, Any]:
    """The word lists of the project, by their names."""
    return {name: _read(project / LEXICON / f"{name}.yml") for name in LISTS}


def _read(path: Path) -> Any:
    if not path.is_file():
        return {}
    return _read_once(path, path.stat().st_mtime_ns)


@lru_cache(maxsize=32)
def _read_once(path: Path, stamp: int) -> Any:
    return word_lists.read(path.read_text("utf-8")) or {}


@lru_cache(maxsize=64)
def _script(text: str) -> Any:
    return word_lists.read(text)


async def offers(session: AsyncSession, project: Path, wanted: Mapping[int, tuple[Talk, str]]) -> dict[int, Offer]:
    """Line -> what its words may mean; `wanted`: line -> (its talk, the question it answers)."""
    shared = of_lexicon(lexicon(project))
    found: dict[int, Offer] = {}
    scripts: dict[str, Any] = {}
    for number, (talk, question) in wanted.items():
        if talk.script_id not in scripts:
            scripts[talk.script_id] = await _content(session, talk.script_id)
        script = scripts[talk.script_id]
        own = [meaning for one in questions_of(script) for meaning in of_question(script, one)]
        found[number] = Offer(question, of_question(script, question) if question else [], [*own, *shared])
    return found


async def _content(session: AsyncSession, script_id: str) -> Any:
    """The script as it is in force; None where it is gone or cannot be read."""
    text = await texts.one_text(session, Name(Kind.SCRIPT, script_id))
    try:
        return _script(text.text) if text is not None else None
    except CannotWrite:
        return None


def name_of(meaning: Meaning, talk: Talk | None = None) -> str:
    """In Chinese, for lists."""
    asked = talk.questions.label(meaning.question) if talk is not None and meaning.question else meaning.question
    name = labels()["opinion_levels"][meaning.name] if meaning.kind == "opinion" else meaning.name
    return labels()["word_meanings"][meaning.kind].format(name=name, question=asked)


def short_name(meaning: Meaning) -> str:
    """In Chinese, for a button beside the question."""
    name = labels()["opinion_levels"][meaning.name] if meaning.kind == "opinion" else meaning.name
    return labels()["word_answers"].get(meaning.kind, "{name}").format(name=name)


def meaning_of(said: str, offer: Offer, talk: Talk) -> Meaning | None:
    """The meaning of a code, or of the Chinese that the list shows."""
    return next((one for one in [*offer.first, *offer.all] if said in (one.code, name_of(one, talk))), None)


async def mark_words(
    session: AsyncSession, staff: Staff, project: Path, line: Message, talk: Talk, words: str, meaning: Meaning, now: datetime
) -> WordMark:
    """Keep it. Raises Refused."""
    words = " ".join(words.split())
    _fit(words, line, talk.mask)
    await session.execute(_LOCK)
    row = WordMark(at=now, by_user_id=staff.id, message_id=line.id, words=words, meaning=meaning.code)
    if meaning.of_script:
        row.script_id, row.draft_id, row.state = talk.script_id, await _into_draft(session, staff, talk, words, meaning), "drafted"
    else:
        await _free(session, project, words, meaning)
    session.add(row)
    await session.flush()
    await audit(session, staff, "word.mark", "word_mark", row.id, after=meaning.code, message=line.id)
    return row


def _fit(words: str, line: Message, mask: Mask) -> None:
    if not words:
        raise Refused("empty")
    if len(words) < SHORTEST:
        raise Refused("too_short")
    if len(words) > LONGEST:
        raise Refused("too_long")
    if any(sign in words for sign in _HIDDEN) or mask(words) != words or Mask()(words) != words:
        raise Refused("personal")
    if simplify(words) not in simplify(mask(line.text)):
        raise Refused("not_there")


async def _free(session: AsyncSession, project: Path, words: str, meaning: Meaning) -> None:
    """Refused when a list of the same kind has the words, in the files or by an open mark."""
    file = list_of(meaning)
    content = lexicon(project)[file]
    kept = kept_as(words, {file: content})
    if kept is None:
        opened = await session.scalars(select(WordMark).where(WordMark.state == "open", WordMark.words == words))
        known = {one.code: one for one in of_lexicon(lexicon(project))}
        kept = next((known[one.meaning] for one in opened if one.meaning in known and list_of(known[one.meaning]) == file), None)
    if kept is not None:
        raise Refused("there_already") if kept.code == meaning.code else Refused("elsewhere", name_of(kept))


async def _into_draft(session: AsyncSession, staff: Staff, talk: Talk, words: str, meaning: Meaning) -> int:
    """Into the trainer's own draft, begun now where there is none. Returns its number."""
    if not staff.may(Permission.EDIT_SCRIPTS):
        raise Refused("may_not_write")
    name = Name(Kind.SCRIPT, talk.script_id)
    text = await texts.one_text(session, name)
    if text is None:
        raise Refused("no_script")
    row = await work.begin(session, staff, text)
    if row.state == "review":
        raise Refused("in_review")
    old = row.text
    new = _with_word(old, words, meaning)
    if new == old:
        raise Refused("there_already")
    if why := await bench.run(lambda: _made_wrong(name, old, new)):
        raise Refused("script_wrong", why)
    await _save(session, staff, row.id, new, labels()["word_notes"][meaning.kind].format(words=words, name=meaning.name))
    return row.id


def _with_word(text: str, words: str, meaning: Meaning) -> str:
    try:
        place = place_in_script(word_lists.read(text), meaning)
        if place is not None:
            return word_lists.add(text, place, words)
    except CannotWrite:
        pass
    raise Refused("no_place")


def _made_wrong(name: Name, old: str, new: str) -> str:
    """An error that the word brings; those that were there before are the author's."""
    before = {one.message for one in check_text(name, old, thorough=False) if one.is_error}
    return next((one.message for one in check_text(name, new, thorough=False) if one.is_error and one.message not in before), "")


async def _save(session: AsyncSession, staff: Staff, draft_id: int, text: str, told: str) -> None:
    draft = await texts.one_draft(session, draft_id, lock=True)
    assert draft is not None
    note = draft.row.note
    if told and told not in note:
        note = f"{note}；{told}" if note else told
    try:
        await work.save(session, staff, draft, text, note[:_LONGEST_NOTE], draft.row.version)
    except work.Refused:
        raise Refused("in_review") from None


async def undo_mark(session: AsyncSession, staff: Staff, mark_id: int) -> WordMark | None:
    """Take one's own mark back; None when there is none. Raises Refused when its draft has gone on."""
    await session.execute(_LOCK)
    row = await session.get(WordMark, mark_id, with_for_update=True)
    if row is None or row.by_user_id != staff.id:
        return None
    if row.state == "handed_in":
        raise Refused("handed_in")
    if row.state == "drafted":
        await _out_of_draft(session, staff, row)
    if row.state != "withdrawn":
        row.state = "withdrawn"
        await audit(session, staff, "word.undo", "word_mark", row.id, before=row.meaning)
    return row


async def _out_of_draft(session: AsyncSession, staff: Staff, row: WordMark) -> None:
    draft = await texts.one_draft(session, row.draft_id, lock=True) if row.draft_id else None
    if draft is None or draft.row.state == "withdrawn":
        return  # the word went with it
    if draft.row.state not in ("draft", "rejected"):
        raise Refused("draft_gone_on")
    kind, _, rest = row.meaning.partition(":")
    question, _, value = rest.partition(":")
    try:
        place = place_in_script(word_lists.read(draft.row.text), Meaning(row.meaning, kind, value, question))
        new = word_lists.remove(draft.row.text, place, row.words) if place is not None else draft.row.text
    except CannotWrite:
        raise Refused("no_place") from None
    if new == draft.row.base_text:
        await work.withdraw(session, staff, draft)  # nothing else was in it
    else:
        await _save(session, staff, draft.row.id, new, "")


async def open_marks(session: AsyncSession, user_id: int | None = None) -> list[WordMark]:
    """Marks for the word lists that are not in the files yet; of one trainer only."""
    query = select(WordMark).where(WordMark.state == "open").order_by(WordMark.id)
    return list(await session.scalars(query if user_id is None else query.where(WordMark.by_user_id == user_id)))


async def marks_of(session: AsyncSession, ids: Sequence[int]) -> dict[int, list[WordMark]]:
    """Line -> what was marked in it, by anybody."""
    found: dict[int, list[WordMark]] = {}
    for row in await session.scalars(select(WordMark).where(WordMark.message_id.in_(ids), WordMark.state != "withdrawn").order_by(WordMark.id)):
        found.setdefault(row.message_id or 0, []).append(row)
    return found


def terms(project: Path, marks: Sequence[WordMark]) -> list[Term]:
    """The marks as words for their lists."""
    known = {one.code: one for one in of_lexicon(lexicon(project))}
    return [Term(list_of(known[one.meaning]), place_in_lexicon(known[one.meaning]), one.words) if one.meaning in known else Term("", (), one.words) for one in marks]


def told(mark: WordMark, project: Path, talk: Talk | None = None) -> str:
    """What a mark says, in Chinese."""
    if mark.script_id:
        kind, _, rest = mark.meaning.partition(":")
        question, _, value = rest.partition(":")
        return name_of(Meaning(mark.meaning, kind, value, question), talk)
    return next((name_of(one) for one in of_lexicon(lexicon(project)) if one.code == mark.meaning), mark.meaning)
