"""Talks written down as dialogues: one file shows one behaviour, in words a trainer can read and write.

    talk: 价格有点贵，原因已经说了，就不再追问
    script: auto_loan_satisfaction
    now: 2026-11-23 10:00          # 周一上午；不写就是这个时间
    dialogue:
    - 助手: 您现在方便吗             # 助手的话里要有这几个字；几处都要有就写成列表
    - 客户: 方便
    - 助手: [以什么方式, 尚德金融]
    - 助手不说: 不满意              # 这一轮里不能出现
    - 时间: 2026-11-30 09:00        # 过了一周
    - 事件: 继续回访                # 预约到点；另有：开始、没有回复
    outcome: completed
    answers: {price: 不满意}        # 只核对写出来的题
    no_answers: [term]
    tickets: [{topic: price, kind: dissatisfaction}]   # 条数也要一致
    callback: {at: "2026-11-24T15:00", reason: in_meeting}
    notes: [third_contact]
    covers: [in_meeting]          # 谈到了 docs/coverage.yml 里的哪些情形和问题
    rasa: happy                   # 每次测试都用真实的 Rasa 谈：happy 一路顺利，branch 走另一条路；每份话术各一场（chosen.py）
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, Protocol

from ruamel.yaml import YAML

from followup import clock
from followup.settings import SHANGHAI
from followup.store.records import TranscriptLine
from followup.talk.inbox import Trigger
from followup.talk.trial import TrialResult

DEFAULT_NOW = "2026-11-23 10:00"
EVENTS = {"开始": Trigger.START, "继续回访": Trigger.RESUME, "没有回复": Trigger.SILENCE}
STEPS = {"助手", "助手不说", "客户", "时间", "事件"}
KEYS = {"talk", "person", "script", "now", "variables", "dialogue", "outcome", "answers", "no_answers", "tickets", "callback", "notes", "covers", "rasa"}


@dataclass(frozen=True)
class DialogueFile:
    """A talk as written down."""

    path: Path
    raw: dict[str, Any] = field(repr=False)

    @classmethod
    def load(cls, path: Path) -> "DialogueFile":
        """Read and check the file; a misspelt key would be a test that checks nothing."""
        raw = YAML(typ="safe").load(path.read_text(encoding="utf-8"))
        unknown = set(raw) - KEYS
        _expect(not unknown, f"{path.name}: 不认识 {unknown}")
        for step in raw["dialogue"]:
            _expect(len(step) == 1 and set(step) <= STEPS, f"{path.name}: 不认识 {step}")
        return cls(path, raw)


class Holdable(Protocol):
    """A talk to be held: `followup.talk.trial.Trial`, or `followup.training.replay.InProcessTrial`."""

    async def start(self) -> list[TranscriptLine]: ...
    async def trigger(self, trigger: Trigger, key: str = "") -> list[TranscriptLine]: ...
    async def say(self, text: str) -> list[TranscriptLine]: ...
    async def result(self) -> TrialResult: ...


class TalkFailed(AssertionError):
    """What was expected, what came, and the whole transcript."""


async def hold(file: DialogueFile, trial: Holdable, set_now: Any) -> None:
    """Hold the talk and compare. Raises TalkFailed with the transcript."""
    set_now(file.raw.get("now", DEFAULT_NOW))
    try:
        said = _joined(await trial.start())
        for step in file.raw["dialogue"]:
            (kind, value), = step.items()
            if kind == "时间":
                set_now(value)
            elif kind == "事件":
                said = _joined(await trial.trigger(EVENTS[value]))
            elif kind == "客户":
                said = _joined(await trial.say(str(value)))
            elif kind == "助手":
                for words in _list(value):
                    _expect(words in said, f"助手应说“{words}”，实际说：“{said}”")
            else:
                for words in _list(value):
                    _expect(words not in said, f"助手不应说“{words}”，实际说：“{said}”")
        _compare(file.raw, await trial.result())
    except AssertionError as error:
        result = await trial.result()
        raise TalkFailed(f"{file.raw['talk']}\n{error}\n\n{transcript(result)}") from None


def _compare(expected: dict[str, Any], result: TrialResult) -> None:
    if "outcome" in expected:
        _expect(result.outcome == expected["outcome"], f"结果应为 {expected['outcome']}，实际为 {result.outcome}")
    for question, value in expected.get("answers", {}).items():
        _expect(question in result.answers, f"缺少答案 {question}；有：{list(result.answers)}")
        got = result.answers[question]["value"]
        if isinstance(value, dict) and isinstance(got, dict):
            got = {key: got.get(key) for key in value}
        _expect(got == value, f"{question} 应为 {value}，实际为 {got}")
    for question in expected.get("no_answers", []):
        _expect(question not in result.answers, f"不应有答案 {question}：{result.answers.get(question)}")
    if "tickets" in expected:
        _expect(len(result.tickets) == len(expected["tickets"]), f"工单应有 {len(expected['tickets'])} 张，实际：{result.tickets}")
        for want, got in zip(expected["tickets"], result.tickets, strict=True):
            _expect({key: got[key] for key in want} == want, f"工单应为 {want}，实际为 {got}")
    if "callback" in expected:
        _compare_callback(expected["callback"], result.callback)
    kinds = [note["kind"] for note in result.notes]
    for kind in expected.get("notes", []):
        _expect(kind in kinds, f"缺少备注 {kind}；有：{kinds}")


def _compare_callback(want: dict[str, Any] | None, got: dict[str, Any] | None) -> None:
    if want is None:
        _expect(got is None, f"不应有预约：{got}")
        return
    _expect(got is not None, f"应有预约 {want}")
    for key, value in want.items():
        if key == "at" and value is not None:
            _expect((got["at"] or "").startswith(str(value)), f"预约时间应为 {value}，实际为 {got}")
        else:
            _expect(got[key] == value, f"预约的 {key} 应为 {value}，实际为 {got}")


def _expect(condition: object, otherwise: str) -> None:
    """Not `assert`: the product proves models with it, also where Python leaves assertions out."""
    if not condition:
        raise AssertionError(otherwise)


def _joined(lines: list[TranscriptLine]) -> str:
    return "".join(line.text for line in lines)


def _list(value: Any) -> list[str]:
    return [str(item) for item in value] if isinstance(value, list) else [str(value)]


def transcript(result: TrialResult) -> str:
    """The talk with intent and confidence beside each line."""
    lines = []
    for line in result.transcript:
        if line.direction == "out":
            lines.append(f"  助手：{line.text}")
        else:
            acts = " + ".join(f"{a['intent']} {a['confidence']:.2f}" for a in line.acts)
            lines.append(f"  客户：{line.text}    〔{line.intent} {line.confidence or 0:.2f}；{acts}〕")
    lines.append(f"  结果 {result.outcome}；答案 {result.answers}；工单 {result.tickets}；预约 {result.callback}；备注 {result.notes}")
    return "\n".join(lines)


def set_now(text: Any) -> None:
    """Say what time it is in this talk. The time of a message travels with it, so the other processes need not be told."""
    clock.stand_at(datetime.fromisoformat(str(text)).replace(tzinfo=SHANGHAI))
