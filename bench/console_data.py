"""A year of talks, written straight into the tables: 100,000 talks with 2 million messages. Seeded, the same in every run.

Lines are those of the talk files and of the scripts; people are made up of common names and of numbers that a counter
gives. Rasa's events are left out: the console never reads them.
"""

from __future__ import annotations

import json
import random
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import psycopg
from ruamel.yaml import YAML

from followup.reading.scale import SCALE3, SCALE5
from followup.scripts import load
from followup.scripts.model import Question, Script
from followup.settings import PROJECT_DIR, SHANGHAI

RARE = "琥珀色的小刺猬"
"""Said in RARE_TIMES messages of all."""
RARE_TIMES = 20
_SURNAMES = "王李张刘陈杨赵黄周吴徐孙胡朱高林何郭马罗梁宋郑谢韩唐冯于董萧程曹袁邓许傅沈曾彭吕"
_GIVEN = "伟芳娜敏静丽强磊军洋勇艳杰娟涛明超秀霞平刚桂英华玉萍红鹏飞玲建国志文斌宇浩凯健俊帆雪梅兰"
_OUTCOMES = (
    *(("completed", 62), ("appointed", 6), ("refused", 8), ("do_not_contact", 1), ("wrong_person", 2), ("unreachable", 9)),
    *(("handed_over", 2), ("ended_early", 6), ("complained", 3), (None, 1)),
)
_INTENTS = ("inform", "satisfied", "neutral", "dissatisfied", "consent", "suggest", "nothing_to_add", "faq", "thank", "give_score")
_DEPARTMENTS = ("客户服务部", "售后部", "信贷部", "物流部")
_NOW = datetime(2026, 11, 22, 9, 0, tzinfo=SHANGHAI)


@dataclass(frozen=True, slots=True)
class Size:
    talks: int = 100_000
    messages_per_talk: int = 20


def fill(url: str, size: Size, users: Sequence[int], report: Any = print) -> list[str]:
    """Write everything into a migrated, empty database; the ids of all talks."""
    rng = random.Random(20261122)
    scripts = [script for script in load.load_all() if not script.customer_led][:8]
    with psycopg.connect(url, autocommit=False) as connection:
        dropped = _drop_indexes(connection)
        revisions = _revisions(connection, scripts)
        maker = _Maker(rng, scripts, revisions, _customers_lines(), users, size)
        for table, columns, rows in maker.tables():
            count = _copy(connection, table, columns, rows)
            report(f"  {table}: {count:,}")
        connection.execute("SET maintenance_work_mem = '512MB'")
        for definition in dropped:
            connection.execute(definition)
        for table in ("contacts", "messages", "answers", "tickets", "ticket_events", "attempts", "callbacks", "notes", "do_not_contact", "audit_log"):
            connection.execute(f"SELECT setval(pg_get_serial_sequence('{table}', 'id'), (SELECT coalesce(max(id), 1) FROM {table}))")  # noqa: S608
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("VACUUM ANALYZE")
    return maker.case_ids


def _drop_indexes(connection: psycopg.Connection[Any]) -> list[str]:
    """Plain indexes of the large tables are built once, afterwards; their definitions."""
    rows = connection.execute(
        "SELECT i.indexname, i.indexdef FROM pg_indexes i WHERE i.tablename IN ('messages', 'answers', 'cases')"
        " AND NOT EXISTS (SELECT 1 FROM pg_constraint c WHERE c.conname = i.indexname)"
    ).fetchall()
    for name, _ in rows:
        connection.execute(f'DROP INDEX "{name}"')
    return [definition for _, definition in rows]


def _revisions(connection: psycopg.Connection[Any], scripts: Iterable[Script]) -> dict[str, int]:
    found = {}
    for script in scripts:
        content = load.content(script.id)
        row = connection.execute(
            "INSERT INTO script_revisions (script_id, version, digest, content) VALUES (%s, %s, %s, %s) RETURNING id",
            (script.id, str(script.version), load.digest(content), json.dumps(content)),
        ).fetchone()
        found[script.id] = row[0]
    return found


def _copy(connection: psycopg.Connection[Any], table: str, columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> int:
    count = 0
    with connection.cursor().copy(f"COPY {table} ({', '.join(columns)}) FROM STDIN") as copy:
        for row in rows:
            copy.write_row(row)
            count += 1
    return count


def _customers_lines() -> list[str]:
    """What customers say in the talk files."""
    yaml = YAML(typ="safe")
    lines: list[str] = []
    for file in sorted((PROJECT_DIR / "tests" / "e2e" / "talks").glob("**/*.yml")):
        for step in yaml.load(file.read_text(encoding="utf-8")).get("dialogue", []):
            said = step.get("客户") if isinstance(step, dict) else None
            if isinstance(said, str) and 1 < len(said) < 200:
                lines.append(said)
    return sorted(set(lines))


class _Maker:
    """Makes the rows. Messages, answers and the rest are decided talk by talk and kept in plain lists."""

    def __init__(
        self, rng: random.Random, scripts: Sequence[Script], revisions: dict[str, int], lines: list[str], users: Sequence[int], size: Size
    ) -> None:
        self.rng, self.scripts, self.revisions, self.lines, self.users, self.size = rng, scripts, revisions, lines, users, size
        self.asked = {script.id: [q.ask.replace("{", "").replace("}", "") or "好的，记下了。" for q in script.questions if q.ask] or ["好的。"] for script in scripts}
        self.questions = {script.id: [q for q in script.questions if q.type not in ("tell", "compute")] for script in scripts}
        self.case_ids = [f"{rng.getrandbits(128):032x}" for _ in range(size.talks)]
        self.when: list[datetime] = []
        self.outcomes: list[str | None] = []
        self.lengths: list[int] = []
        self.answers: list[tuple[Any, ...]] = []
        names, weights = zip(*_OUTCOMES, strict=True)
        for number in range(size.talks):
            # More of them lately, as a firm grows; nights are quiet.
            day = int(365 * (1 - rng.random() ** 1.3))
            self.when.append((_NOW - timedelta(days=day)).replace(hour=rng.randint(9, 19), minute=rng.randint(0, 59)) - timedelta(days=1))
            self.outcomes.append(rng.choices(names, weights)[0])
            mean = size.messages_per_talk
            self.lengths.append(max(2, min(3 * mean, round(rng.gauss(mean, mean / 3)))))
        self.rare = set(rng.sample(range(size.talks), min(RARE_TIMES, size.talks)))

    def tables(self) -> Iterator[tuple[str, Sequence[str], Iterable[Sequence[Any]]]]:
        """(table, columns, rows), in an order that foreign keys allow."""
        yield "contacts", ("id", "name", "title", "phone", "fields", "created_at"), self._contacts()
        yield "cases", ("id", "contact_id", "script_id", "revision_id", "variables", "status", "outcome", "outcome_reason", "created_at", "opened_at", "ended_at", "last_message_at"), self._cases()
        yield "attempts", ("case_id", "number", "channel", "reason", "started_at", "ended_at", "outcome"), self._attempts()
        columns = ("id", "case_id", "direction", "channel", "channel_message_id", "text", "intent", "confidence", "acts", "status", "in_reply_to", "created_at", "handled_at")
        yield "messages", columns, self._messages()
        yield "answers", ("case_id", "question_id", "value", "words", "message_id", "how", "created_at"), self.answers
        yield "tickets", ("id", "case_id", "topic", "kind", "severity", "department", "reason", "words", "status", "due_at", "owner_id", "solution", "solved_at", "closed_at", "created_at", "updated_at"), self._tickets()
        yield "ticket_events", ("ticket_id", "user_id", "kind", "detail", "at"), self._ticket_events()
        yield "callbacks", ("case_id", "at", "reason", "words", "status", "created_at"), self._callbacks()
        yield "notes", ("case_id", "kind", "topic", "text", "created_at"), self._notes()
        yield "do_not_contact", ("contact_id", "phone", "reason", "words", "source", "at"), self._blocked()
        yield "audit_log", ("at", "user_id", "user_name", "role", "action", "object_type", "object_id"), self._audit()

    def _contacts(self) -> Iterator[tuple[Any, ...]]:
        for number in range(1, self.size.talks + 1):
            name = self.rng.choice(_SURNAMES) + "".join(self.rng.choices(_GIVEN, k=self.rng.choice((1, 2, 2))))
            fields = json.dumps({"客户分组": self.rng.choice(("新客户", "老客户", "会员"))}, ensure_ascii=False)
            yield number, name, self.rng.choice(("先生", "女士")), f"1{3 + number % 7}{number:09d}", fields, self.when[number - 1] - timedelta(days=3)

    def _script(self, number: int) -> Script:
        return self.scripts[number % len(self.scripts)]

    def _cases(self) -> Iterator[tuple[Any, ...]]:
        for number, case_id in enumerate(self.case_ids):
            script, at, outcome = self._script(number), self.when[number], self.outcomes[number]
            last = at + timedelta(minutes=self.lengths[number])
            status = "open" if outcome is None else "waiting" if outcome == "appointed" else "closed"
            variables = json.dumps({"company": "演示公司", "agent": "小客", "consultant": f"顾问{number % 40}"}, ensure_ascii=False)
            yield case_id, number + 1, script.id, self.revisions[script.id], variables, status, outcome, "", at, at, last if status == "closed" else None, last

    def _attempts(self) -> Iterator[tuple[Any, ...]]:
        for number, case_id in enumerate(self.case_ids):
            at = self.when[number]
            yield case_id, 1, self.rng.choice(("web", "web", "wechat", "sms")), "first", at, at + timedelta(minutes=self.lengths[number]), self.outcomes[number]

    def _messages(self) -> Iterator[tuple[Any, ...]]:
        message_id = 0
        for number, case_id in enumerate(self.case_ids):
            script, at = self._script(number), self.when[number]
            asked, questions = self.asked[script.id], self.questions[script.id]
            answered = 0
            for place in range(self.lengths[number]):
                message_id += 1
                at += timedelta(minutes=1)
                if place % 2 == 0:
                    yield message_id, case_id, "out", "web", f"m{place}", asked[place // 2 % len(asked)], None, None, None, "sent", message_id - 1 if place else None, at, None
                    continue
                text = self.rng.choice(self.lines)
                if number in self.rare and place == 1:
                    text += f"，{RARE}"
                intent = self.rng.choice(_INTENTS)
                confidence = round(min(0.99, self.rng.betavariate(9, 1.2)), 3)
                acts = json.dumps([{"intent": intent, "confidence": confidence, "text": text}], ensure_ascii=False)
                yield message_id, case_id, "in", "web", f"m{place}", text, intent, confidence, acts, "handled", None, at, at
                if answered < len(questions) and self.outcomes[number] not in ("unreachable", "refused", "wrong_person"):
                    question = questions[answered]
                    answered += 1
                    value = json.dumps(self._value(question, text), ensure_ascii=False)
                    self.answers.append((case_id, question.id, value, text, message_id, "scale3:words", at))

    def _value(self, question: Question, text: str) -> Any:
        kind = question.type
        if kind == "scale3":
            return self.rng.choices(SCALE3, (6, 3, 1))[0]
        if kind == "scale5":
            return self.rng.choices(SCALE5, (5, 4, 3, 1, 1))[0]
        if kind in ("yes_no", "confirm"):
            return self.rng.random() < 0.8
        if kind == "score":
            return self.rng.randint(6, 10)
        if kind == "number":
            return self.rng.randint(1, 5)
        if kind == "choice" and question.options:
            option = self.rng.choice(question.options).value
            return [option] if question.multiple else option
        if kind == "quantity_of":
            return {"bad": 1, "total": 10, "ratio": 0.1, "at_least_half": False}
        return None if kind in ("datetime", "date") else text

    def _tickets(self) -> Iterator[tuple[Any, ...]]:
        self.ticket_ids: list[int] = []
        for number, case_id in enumerate(self.case_ids):
            if self.outcomes[number] != "complained" and number % 20:
                continue
            ticket_id, at = len(self.ticket_ids) + 1, self.when[number] + timedelta(minutes=5)
            self.ticket_ids.append(ticket_id)
            kind = "complaint" if self.outcomes[number] == "complained" else self.rng.choice(("dissatisfaction", "compensation", "request", "question"))
            recent = at > _NOW - timedelta(days=20)
            status = self.rng.choice(("open", "working", "solved", "closed")) if recent else "closed"
            text = self.rng.choice(self.lines)
            words = json.dumps([{"message_id": None, "text": text}], ensure_ascii=False)
            done = at + timedelta(hours=8) if status in ("solved", "closed") else None
            owner = None if status == "open" else self.rng.choice(self.users)
            yield ticket_id, case_id, kind, kind, self.rng.randint(1, 4), self.rng.choice(_DEPARTMENTS), text, words, status, at + timedelta(hours=9), owner, "已经和客户商定" if done else "", done, done if status == "closed" else None, at, done or at

    def _ticket_events(self) -> Iterator[tuple[Any, ...]]:
        for ticket_id in self.ticket_ids:
            for kind in ("taken", "noted", "solved"):
                yield ticket_id, self.rng.choice(self.users), kind, json.dumps({"text": "已经联系客户"}, ensure_ascii=False), _NOW - timedelta(days=1)

    def _callbacks(self) -> Iterator[tuple[Any, ...]]:
        for number, case_id in enumerate(self.case_ids):
            if self.outcomes[number] == "appointed":
                yield case_id, self.when[number] + timedelta(days=1), "busy", "在忙，明天再打", "done" if number % 50 else "booked", self.when[number]

    def _notes(self) -> Iterator[tuple[Any, ...]]:
        for number, case_id in enumerate(self.case_ids):
            if number % 10 == 0:
                yield case_id, "suggestion", "", self.rng.choice(self.lines), self.when[number]

    def _blocked(self) -> Iterator[tuple[Any, ...]]:
        for number in range(self.size.talks):
            if self.outcomes[number] == "do_not_contact":
                yield number + 1, f"1{3 + (number + 1) % 7}{number + 1:09d}", "customer", "不要再打了", "customer", self.when[number]

    def _audit(self) -> Iterator[tuple[Any, ...]]:
        for number in range(self.size.talks // 2):
            yield _NOW - timedelta(minutes=number), self.rng.choice(self.users), "bench", "supervisor", self.rng.choice(("customer.reveal", "ticket.taken", "note.add")), "case", self.rng.choice(self.case_ids)
