"""Files that want to fill the memory, or to read ours: refused in the words for damaged or too large ones, by every reader of spreadsheets."""

from __future__ import annotations

import io
import struct
import time
import zipfile
import zlib
from collections.abc import Callable

import psutil
import pytest
from openpyxl import Workbook

from followup.archive import TooLarge, check_size
from followup.console.customers import imports
from followup.contacts.table import ContactsFileError, read_table
from followup.training import examples_exchange

SHEET, STRINGS = "xl/worksheets/sheet1.xml", "xl/sharedStrings.xml"
LAUGHS = '<!DOCTYPE x [<!ENTITY a0 "哈哈哈哈哈哈哈哈哈哈">' + "".join(f'<!ENTITY a{n} "{f"&a{n - 1};" * 10}">' for n in range(1, 10)) + "]>"
OUTSIDE = '<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]>'
OUTSIDE_SET = '<!DOCTYPE x [<!ENTITY % p SYSTEM "http://127.0.0.1:9/x.dtd">%p;]>'
MEMORY = 300 * 2**20


def contacts(data: bytes) -> str:
    return str(read_table(data))


def blocks(data: bytes) -> str:
    return str(imports.parse_block_list(data, "名单"))


def examples(data: bytes) -> str:
    return str(examples_exchange.read(data))


READERS: tuple[tuple[Callable[[bytes], str], type[Exception]], ...] = ((contacts, ContactsFileError), (blocks, imports.BadFile), (examples, examples_exchange.Unreadable))


def book(**changed: Callable[[str], str]) -> bytes:
    """A good workbook; `changed`: part (sheet, strings, book) -> what becomes of its text."""
    made, plain = Workbook(), io.BytesIO()
    for row in (["姓名", "手机号", "意图", "例句"], ["王芳", "13800138000", "complain", "质量太差了"]):
        made.active.append(row)  # type: ignore[union-attr]
    made.save(plain)
    names = {"sheet": SHEET, "strings": STRINGS, "book": "xl/workbook.xml"}
    change = {names[name]: how for name, how in changed.items()}
    out = io.BytesIO()
    with zipfile.ZipFile(plain) as old, zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as new:
        for name in old.namelist():
            text = old.read(name).decode()
            new.writestr(name, change[name](text) if name in change else text)
    return out.getvalue()


def with_head(head: str, put: str = "") -> Callable[[str], str]:
    """The document type in front, and a reference to it instead of the customer's name."""

    def change(text: str) -> str:
        declaration, _, rest = text.partition("?>") if text.startswith("<?xml") else ("", "", text)
        return (f"{declaration}?>" if declaration else "") + head + (rest.replace("王芳", put) if put else rest)

    return change


def bomb(size: int, *, says: int) -> bytes:
    """A workbook whose strings unpack to `size` bytes of blanks, and that says of them that they are `says`."""
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    piece = packer.compress(b" " * 2**20) + packer.flush(zlib.Z_FULL_FLUSH)  # good for any number of them, one after the other
    data = piece * (size // 2**20) + packer.flush()
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(book())) as old, zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as new:
        for name in old.namelist():
            if name != STRINGS:
                new.writestr(name, old.read(name))
        new.writestr(STRINGS, b"x" * 100)
        info = new.getinfo(STRINGS)
    whole = out.getvalue()
    start, sizes = info.header_offset + 30 + len(STRINGS), struct.pack("<LL", len(data), says)
    whole = whole[: info.header_offset + 18] + sizes + whole[info.header_offset + 26 : start] + data + whole[start + info.compress_size :]
    entry = whole.index(STRINGS.encode(), start + len(data)) - 46
    whole = whole[: entry + 20] + sizes + whole[entry + 28 :]
    end = whole.rindex(b"PK\x05\x06")
    place = struct.unpack("<L", whole[end + 16 : end + 20])[0] + len(data) - info.compress_size
    return whole[: end + 16] + struct.pack("<L", place) + whole[end + 20 :]


@pytest.mark.parametrize(("read", "refusal"), READERS)
@pytest.mark.parametrize("part", ["sheet", "strings", "book"])
@pytest.mark.parametrize(("head", "put"), [(LAUGHS, "&a9;"), (OUTSIDE, "&e;"), (OUTSIDE_SET, "")])
def test_entities_are_not_followed(read: Callable[[bytes], str], refusal: type[Exception], part: str, head: str, put: str) -> None:
    before, began = psutil.Process().memory_info().rss, time.process_time()
    try:
        said = read(book(**{part: with_head(head, put)}))
    except refusal:
        said = ""
    assert "root:" not in said and "哈哈" not in said
    assert psutil.Process().memory_info().rss - before < MEMORY
    assert time.process_time() - began < 20  # CPU, not the clock


@pytest.mark.parametrize(("read", "refusal"), READERS)
@pytest.mark.parametrize("says", [900 * 2**20, 100])
def test_a_file_that_unpacks_to_more_than_anybody_needs_is_refused_whatever_it_says(read: Callable[[bytes], str], refusal: type[Exception], says: int) -> None:
    data = bomb(900 * 2**20, says=says)
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        assert archive.getinfo(STRINGS).file_size == says
    before = psutil.Process().memory_info().rss
    with pytest.raises(refusal):
        read(data)
    assert psutil.Process().memory_info().rss - before < MEMORY


@pytest.mark.parametrize(("read", "refusal"), READERS)
def test_a_good_file_is_read_as_ever(read: Callable[[bytes], str], refusal: type[Exception]) -> None:
    assert read(book())


def test_very_many_parts_are_too_many() -> None:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for number in range(5001):
            archive.writestr(f"{number}", "")
    with pytest.raises(TooLarge):
        check_size(out.getvalue(), 2**30)


def test_aliases_that_multiply_in_a_file_of_examples_come_to_nothing() -> None:
    lines = ["a: &a0 [哈哈哈]", *(f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 12))]
    file = "version: '3.1'\n" + "\n".join(lines) + "\nnlu:\n- intent: complain\n  examples: [*a11, 质量太差了]\n"
    assert examples_exchange.read(file.encode()) == [("质量太差了", "complain")]
