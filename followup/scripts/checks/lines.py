"""Read YAML text into plain data with line numbers; whatever is wrong with the text itself becomes a finding."""

from __future__ import annotations

import re
from functools import lru_cache
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError
from ruamel.yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode
from ruamel.yaml.reader import ReaderError

from followup.scripts.checks.finding import Document, Finding, Level, NodePath

# Rasa takes any YAML file with such a line, at any indent, for its own training data (see design, traps).
RASA_KEYS = ("rules", "stories", "nlu", "responses")
_RASA_LINE = re.compile(rf"^\s*(?:- +)?({'|'.join(RASA_KEYS)}):")
_FULL_COLON = re.compile(r"^\s*(?:- +)?([A-Za-z_]+)：")
_TAB = re.compile(r"^ *\t")
_WIDE_BLANK = re.compile(r"^[ \t]*\u3000")
_BRACE_FIRST = re.compile(r":\s+(\{\w+\}\S.*)$")
_BRACE_WITHIN = re.compile(r":\s+[\[{].*[^\s:{\[,\"“]\{\w+\}")
_PLAIN_TAG = "tag:yaml.org,2002:"
_KINDS = tuple(f"{_PLAIN_TAG}{kind}" for kind in ("map", "seq", "str", "int", "float", "bool", "null", "timestamp"))

# (what the YAML reader says, message, what to write instead); the first that fits.
_SYNTAX = (
    (
        "mapping values are not allowed",
        "这一行的写法不对：缩进没有对齐，或者句子里有半角冒号",
        "与同级的键左对齐；句子里的冒号用全角“：”",
    ),
    ("cannot start any token", "不能用“{character}”开头", "给整句加上半角双引号"),
    ("found unexpected end of stream", "引号没有收尾", "在句末补上同样的引号"),
    ("could not find expected ':'", "键后面缺少冒号", "键名: 内容（半角冒号，后面空一格）"),
    ("expected ',' or ']'", "方括号没有收尾，或者两项之间缺少半角逗号", "[第一项, 第二项]"),
    ("expected ',' or '}'", "花括号没有收尾，或者两项之间缺少半角逗号", "{键: 内容, 键: 内容}"),
    ("expected <block end>", "缩进没有对齐，或者列表与键混在了一起", "同一层的行左对齐"),
    ("found undefined alias", "不能用“*”开头", "给整句加上半角双引号"),
    ("but found another document", "一个文件只能写一份话术，不能再出现“---”", "把后面的话术另存为一个文件"),
)


class _Composer:
    """Turns YAML nodes into plain data, noting lines and findings."""

    def __init__(self, file: str) -> None:
        self.file = file
        self.lines: dict[NodePath, int] = {}
        self.findings: list[Finding] = []
        self._seen: set[int] = set()

    def plain(self, node: Node, path: NodePath = ()) -> Any:
        line = node.start_mark.line + 1
        self.lines.setdefault(path, line)
        if isinstance(node, ScalarNode):
            return self._scalar(node, line)
        if id(node) in self._seen:
            self._error(line, "不支持锚点和引用（& 与 *）", "把内容原样再写一遍")
            return None
        self._seen.add(id(node))
        if node.tag not in _KINDS:
            self._error(line, f"不支持标签“{node.tag}”", "去掉感叹号开头的那一段")
        if isinstance(node, SequenceNode):
            return [self.plain(item, (*path, i)) for i, item in enumerate(node.value)]
        assert isinstance(node, MappingNode)
        return self._mapping(node, path)

    def _mapping(self, node: MappingNode, path: NodePath) -> dict[str, Any]:
        data: dict[str, Any] = {}
        for key_node, value_node in node.value:
            line = key_node.start_mark.line + 1
            if not isinstance(key_node, ScalarNode):
                self._error(line, "键只能是一个词，这里是一个列表或映射", "含变量的句子加上半角双引号")
                continue
            key = key_node.value
            if key in data:
                first = self.lines[(*path, key)]
                self._error(line, f"“{key}”重复了，第{first}行已经写过", "两处并成一处")
                continue
            self.lines[(*path, key)] = line
            data[key] = self.plain(value_node, (*path, key))
        return data

    def _scalar(self, node: ScalarNode, line: int) -> Any:
        kind, text = node.tag.removeprefix(_PLAIN_TAG), node.value
        if node.tag not in _KINDS:
            self._error(line, f"不支持标签“{node.tag}”", "去掉感叹号开头的那一段，或给整句加上半角双引号")
        elif kind == "timestamp":
            self._error(line, f"“{text}”会被当成日期", f'"{text}"（加半角双引号）')
        elif kind == "null":
            return None
        elif kind == "bool":
            return text.lower() in ("true", "yes", "on", "y")
        elif kind in ("int", "float"):
            return _number(text)
        return text

    def _error(self, line: int, message: str, instead: str) -> None:
        self.findings.append(Finding(self.file, line, Level.ERROR, message, instead))


def read_file(path: Path, name: str) -> tuple[Document | None, list[Finding]]:
    """As `read_document` for a file, which `name` stands for; one that is missing or no text is a finding too."""
    try:
        text = path.read_bytes().decode("utf-8")
    except UnicodeDecodeError:
        return None, [Finding(name, 1, Level.ERROR, "文件不是 UTF-8 编码，中文会变成乱码", "在编辑器里另存为 UTF-8")]
    except OSError:
        return None, [Finding(name, 1, Level.ERROR, "找不到这个文件，或者没有读取的权限", "检查路径和文件名")]
    return read_document(text.removeprefix("\ufeff"), name)


def compose(text: str) -> Node | None:
    """The text as YAML nodes, which are not to be altered. Raises whatever is wrong with it.

    Reading is what takes long of a check: while somebody writes, checker, form and picture look at one reading of the text.
    """
    found = _composed(text)
    if isinstance(found, Exception):
        raise found.with_traceback(None)
    return found


@lru_cache(maxsize=16)
def _composed(text: str) -> Node | Exception | None:
    try:
        return YAML(typ="safe", pure=True).compose(text)  # type: ignore[no-any-return]
    except Exception as error:  # told by whoever asked
        return error


def read_document(text: str, file: str) -> tuple[Document | None, list[Finding]]:
    """The file's data (None when the YAML cannot be read at all) and what is wrong with the text."""
    findings = _raw_lines(text, file)
    composer = _Composer(file)
    try:
        node = compose(text)
        data = composer.plain(node) if node is not None else None
    except RecursionError:
        return None, [*findings, Finding(file, 1, Level.ERROR, "括号或缩进套得太深", "话术最多套五六层")]
    except Exception as error:  # whatever the YAML reader trips over is the author's text, never our crash
        # The reader stumbles on such a line, or on the next one; the raw finding says it better.
        told = _syntax(error, text, file)
        known = any(told.line - finding.line in (0, 1) for finding in findings)
        return None, findings if known else [*findings, told]
    return Document(file, data, composer.lines), findings + composer.findings


def _raw_lines(text: str, file: str) -> list[Finding]:
    found = []
    for number, line in enumerate(text.splitlines(), 1):
        if match := _RASA_LINE.match(line):
            found.append(
                (number, f"行首不能写“{match[1]}:”，Rasa 会把整个文件当成自己的训练数据", "换一个词开头，或者换一个键")
            )
        if match := _FULL_COLON.match(line):
            found.append((number, f"键“{match[1]}”后面是全角冒号", f"{match[1]}: （半角冒号，后面空一格）"))
        if _TAB.match(line):
            found.append((number, "缩进用了制表符", "用空格缩进，每层两个"))
        if _WIDE_BLANK.match(line):
            found.append((number, "行首有全角空格", "用半角空格缩进，每层两个"))
    return [Finding(file, number, Level.ERROR, message, instead) for number, message, instead in found]


def _syntax(error: Exception, text: str, file: str) -> Finding:
    if isinstance(error, ReaderError):
        line = text.count("\n", 0, error.position) + 1 if isinstance(error.position, int) else 1
        return Finding(file, line, Level.ERROR, "有看不见的控制字符", "删掉这一行重新输入")
    if not isinstance(error, MarkedYAMLError):
        return Finding(
            file, 1, Level.ERROR, "文件读不出来，不是有效的 YAML", "对照 docs/zh/scripts.md 里的例子检查缩进和引号"
        )
    problem = f"{error.problem or ''} {error.context or ''}"
    # An unclosed bracket or quote is found at the end of the file; the author wants to know where it began.
    opened = "flow" in problem or "quoted" in problem
    mark = (error.context_mark if opened else None) or error.problem_mark or error.context_mark
    number = mark.line + 1 if mark else 1
    rows = text.splitlines()
    row = rows[number - 1] if number <= len(rows) else ""
    if match := _BRACE_FIRST.search(row):
        return Finding(
            file,
            number,
            Level.ERROR,
            "句子以花括号开头，会被当成映射",
            f'"{match[1]}"（加半角双引号），或者写在 >- 下面',
        )
    if _BRACE_WITHIN.search(row):
        return Finding(
            file,
            number,
            Level.ERROR,
            "写在花括号或方括号里的句子用了 {变量}，会被拆开",
            '给这句话加半角双引号："……{变量}……"',
        )
    for sign, message, instead in _SYNTAX:
        if sign in problem:
            character = (re.findall(r"character '(\\?.)'", problem) or ["这个符号"])[0]
            return Finding(file, number, Level.ERROR, message.format(character=character), instead)
    return Finding(file, number, Level.ERROR, "YAML 写法有误", "检查这一行的缩进、引号和括号")


def _number(text: str) -> int | float | str:
    plain = text.replace("_", "")
    for kind in (int, float):
        try:
            return kind(plain)
        except ValueError:
            continue
    return text
