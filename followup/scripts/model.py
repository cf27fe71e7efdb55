"""What a script is made of. Built from the checked content of a script file (see `load.content`)."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Mapping, Sequence

from followup.reading.text import normalise

QUESTION_TYPES = (
    "choice", "scale3", "scale5", "score", "yes_no", "open", "number", "quantity_of",
    "datetime", "phone", "address", "name", "date", "confirm",
)  # fmt: skip
STEP_TYPES = ("tell", "compute")
SATISFACTION_TYPES = ("scale3", "scale5")

DEPARTMENT = "客户服务部"
"""Sees to what nobody else is named for."""

Condition = Mapping[str, Any] | Sequence[Mapping[str, Any]]
"""question, flag or variable -> wanted value (see `walk.matches`); all must hold. A list: one of them must hold."""


@dataclass(frozen=True)
class Option:
    value: str
    say: tuple[str, ...] = ()


@dataclass(frozen=True)
class ListenFor:
    """Something worth hearing in any reply to this question, e.g. spoiled fruit; sets a flag of that name."""

    flag: str
    words: tuple[str, ...]
    unless: tuple[str, ...] = ()
    everywhere: bool = False
    """Heard at every later question too ("就坏了俩" said where suggestions are asked for)."""

    def heard_in(self, text: str) -> bool:
        """Whether `text`, in whatever characters it is written, mentions it and does not deny it."""
        text = normalise(text)
        for denial in self.unless:
            text = text.replace(denial, "")
        return any(word in text for word in self.words)


@dataclass(frozen=True)
class Concern:
    """Something that went wrong, as customers put it, and who sees to it (scripts that the customer starts)."""

    topic: str
    words: tuple[str, ...]
    unless: tuple[str, ...] = ()
    department: str = DEPARTMENT
    kind: str = "dissatisfaction"
    """dissatisfaction; request for what is wanted rather than gone wrong ("我要退货")."""

    def heard_at(self, text: str) -> int:
        """Where in `text`, in whatever characters it is written, it is first told of; -1 when it is not, or is denied."""
        text = normalise(text)
        for denial in self.unless:
            text = text.replace(denial, "　" * len(denial))
        return min((place for word in self.words if (place := text.find(word)) >= 0), default=-1)


@dataclass(frozen=True)
class Unwell:
    """A script that minds the customer's health: whoever says to be unwell gets this ticket the same day."""

    ticket: Mapping[str, Any]
    listener: ListenFor

    def told_in(self, text: str) -> bool:
        """Whether the words themselves say so (过敏, 发红), whatever they were taken for."""
        return self.listener.heard_in(text)

    def denied_in(self, text: str) -> bool:
        """Whether all that is said is that nothing is wrong (没有不舒服)."""
        return any(denial in text for denial in self.listener.unless) and not self.told_in(text)


@dataclass(frozen=True)
class Ending:
    """An answer that ends the talk: nobody drove the car in, so there is nothing to ask about the drive."""

    outcome: str
    say: str = ""
    """Takes the place of the outcome's own closing."""


@dataclass(frozen=True)
class Question:
    """One step of a script: a question, or a `tell` / `compute` step that only says something."""

    id: str
    type: str
    ask: str = ""
    options: tuple[Option, ...] = ()
    yes: tuple[str, ...] = ()
    no: tuple[str, ...] = ()
    """Words of its own for a yes or a no, e.g. 齐全 and 缺货."""
    multiple: bool = False
    other: bool = False
    low: float | None = None
    high: float | None = None
    ask_if: Condition = field(default_factory=dict)
    required: bool = False
    optional: bool = False
    aspects: tuple[str, ...] = ()
    department: str = ""
    on_unclear: str = ""
    acknowledge: Any = None
    """None, a list of sentences, or a mapping of value -> list of sentences."""
    probe_if: tuple[str, ...] = ()
    """Values after which reason and improvement are asked (dissatisfied, 58741 (5)); see `walk.matches`."""
    probes: tuple[str, ...] = ("reason", "improve")
    """What is asked then."""
    ends: Mapping[str, Ending] = field(default_factory=dict)
    """Value (as written in the file), `answered` or `skipped` -> the talk ends with it."""
    of: tuple[str, ...] = ()
    """Questions a computed result is made of."""
    before: str = ""
    """The variable that holds the score given before, which a computed change starts from."""
    apart: bool = False
    """Said as a message of its own, e.g. the text message that accompanies a call."""
    probe_unless: str = ""
    """A flag that makes the probing needless, e.g. the spoiled fruit is asked about anyway."""
    ask_reason: str = ""
    ask_improve: str = ""
    listen_for: tuple[ListenFor, ...] = ()
    also_reads: tuple[str, ...] = ()
    takes: tuple[str, ...] = ()
    """Interruption intents that are an answer here ("我在开会" to "为什么没来?")."""
    total: str = ""
    price: str = ""
    compute: str = ""
    say: str = ""
    ticket: Mapping[str, Any] | None = None
    buttons: tuple[str, ...] | None = None
    """Its own quick replies, none when empty; None: those that go with its type."""

    @property
    def is_step(self) -> bool:
        """True for what only says something and expects no reply."""
        return self.type in STEP_TYPES


@dataclass(frozen=True)
class Script:
    id: str
    name: str
    trade: str
    version: int
    variables: Mapping[str, Mapping[str, Any]]
    opening: str
    about: str
    questions: tuple[Question, ...]
    identity_ask: str
    after_consent: str
    closing: Mapping[str, Any]
    wording: Mapping[str, Any]
    """Shared wording with the script's overrides merged in."""
    minutes: int = 3
    landline: bool = False
    """Consent has a third form: convenient, but on a landline (63714 首日回访)."""
    unwell: Unwell | None = None
    other_user: str = ""
    """Asked of somebody who is not the customer: "请问{plate}这款{model}是您在使用吗？" (63714 三日回访)."""
    questions_to: str = DEPARTMENT
    """The department that answers what nobody else may (58741 (3))."""
    customer_led: bool = False
    """The customer comes to us and leads; the questions are asked when something said makes them needful."""
    concerns: tuple[Concern, ...] = ()
    knowledge: tuple[str, ...] = ()
    """Trades whose written answers it may give."""

    def question(self, question_id: str) -> Question:
        """The step with that id; KeyError when there is none."""
        for question in self.questions:
            if question.id == question_id:
                return question
        raise KeyError(question_id)

    def demo_variables(self) -> dict[str, Any]:
        """Variable name -> demo value."""
        return {name: spec.get("demo", "") for name, spec in self.variables.items()}


def build(content: Mapping[str, Any]) -> Script:
    """A Script from the content of a revision: {"script": {...}, "wording": {...}}."""
    raw, wording = content["script"], content["wording"]
    return Script(
        id=raw["id"],
        name=raw["name"],
        trade=raw["trade"],
        version=raw["version"],
        variables=raw.get("variables", {}),
        opening=raw["opening"],
        about=raw.get("about", ""),
        questions=tuple(_question(item) for item in raw["questions"]),
        identity_ask=raw.get("identity", {}).get("ask", ""),
        after_consent=raw.get("after_consent", ""),
        closing={**wording["closing"], **raw.get("closing", {})},
        wording=wording,
        minutes=raw.get("length", {}).get("minutes", 3),
        landline=raw.get("consent", {}).get("landline", False),
        other_user=raw.get("identity", {}).get("other_user", ""),
        unwell=_unwell(raw["unwell"]) if "unwell" in raw else None,
        questions_to=raw.get("questions_to", DEPARTMENT),
        customer_led=raw.get("starts") == "customer",
        concerns=tuple(_concern(item) for item in raw.get("concerns", ())),
        knowledge=_strings(raw.get("knowledge", raw["trade"])),
    )


def _question(raw: Mapping[str, Any]) -> Question:
    kind = raw["type"]
    probe = raw.get("probe_if", ["不满意", "非常不满意"] if kind in SATISFACTION_TYPES else [])
    low, high = (1, 10) if kind == "score" else (None, None)
    plain = ("ask", "multiple", "other", "ask_if", "required", "optional", "department", "on_unclear",
             "acknowledge", "probe_unless", "ask_reason", "ask_improve", "total", "price", "compute", "before",
             "say", "ticket", "apart")  # fmt: skip
    return Question(
        id=raw["id"],
        type=kind,
        options=tuple(_option(item) for item in raw.get("options", ())),
        yes=_strings(raw.get("yes")),
        no=_strings(raw.get("no")),
        low=raw.get("low", low),
        high=raw.get("high", high),
        aspects=_strings(raw.get("aspect")),
        probe_if=tuple(probe),
        listen_for=tuple(
            ListenFor(flag, _strings(spec["words"]), _strings(spec.get("unless")), bool(spec.get("everywhere")))
            for flag, spec in raw.get("listen_for", {}).items()
        ),
        also_reads=_strings(raw.get("also_reads")),
        takes=_strings(raw.get("takes")),
        probes=_strings(raw.get("probes", ["reason", "improve"])),
        of=_strings(raw.get("of")),
        buttons=_strings(raw["buttons"]) if "buttons" in raw else None,
        ends={str(value): Ending(spec["outcome"], spec.get("say", "")) for value, spec in raw.get("ends", {}).items()},
        **{key: raw[key] for key in plain if key in raw},
    )


def _concern(raw: Mapping[str, Any]) -> Concern:
    plain = {key: raw[key] for key in ("department", "kind") if key in raw}
    return Concern(raw["topic"], _strings(raw["words"]), _strings(raw.get("unless")), **plain)


def _unwell(raw: Mapping[str, Any]) -> Unwell:
    return Unwell(raw["ticket"], ListenFor("unwell", _strings(raw.get("words")), _strings(raw.get("unless"))))


def _option(raw: Any) -> Option:
    if isinstance(raw, str):
        return Option(raw)
    return Option(str(raw["value"]), _strings(raw.get("say")))


def _strings(raw: Any) -> tuple[str, ...]:
    if raw is None:
        return ()
    return (raw,) if isinstance(raw, str) else tuple(str(item) for item in raw)
