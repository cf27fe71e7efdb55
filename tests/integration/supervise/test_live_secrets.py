"""What the running product opens to others, and what it writes down: no secret, no token, no word; and after erasing, nothing of a customer."""

from __future__ import annotations

import asyncio
import os
import socket
import struct
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import aiohttp
import psutil

from followup import clock
from followup.api import keys
from followup.console import accounts
from followup.console.audit import entry_of
from followup.rights import logfiles
from followup.rights.erase import erase_customer
from followup.scripts import load
from followup.store import records
from followup.store.database import Database
from followup.supervise.stack import Stack
from followup.talk.links import create_link
from tests.integration.faults.page import Page
from tests.integration.rights.test_erase import places

NAME, PHONE, PASSWORD = "欧阳金丝雀", "13977990042", "Kanarienvogel-Passwort-1"
WORDS = ("方便的，我是金丝雀一号", "价格太贵了，金丝雀二号气死了", "你们去找金丝雀三号吧，我要投诉")
SECONDS = 60
"""After which something that was to be logged never will be."""


def listening(pids: set[int]) -> Iterator[tuple[int, str, int]]:
    """(process, address, port) of every TCP socket that these processes listen on, as the kernel says it."""
    owners = {}
    for pid in pids:
        try:
            for entry in os.scandir(f"/proc/{pid}/fd"):
                target = os.readlink(entry.path)
                if target.startswith("socket:["):
                    owners[target[8:-1]] = pid
        except OSError:  # ended meanwhile, or a socket closed
            continue
    for table, family, form in (("tcp", socket.AF_INET, "<L"), ("tcp6", socket.AF_INET6, "<4L")):
        for line in Path(f"/proc/net/{table}").read_text().splitlines()[1:]:
            fields = line.split()
            if fields[3] == "0A" and fields[9] in owners:
                address, port = fields[1].split(":")
                words = [int(address[at : at + 8], 16) for at in range(0, len(address), 8)]
                yield owners[fields[9]], socket.inet_ntop(family, struct.pack(form, *words)), int(port, 16)


def test_nothing_listens_on_other_than_loopback_and_nothing_but_three_ports(running_stack: Stack) -> None:
    stack = {pid for one in running_stack.pids().values() for pid in (one, *(child.pid for child in psutil.Process(one).children(recursive=True)))}
    # The database is a child of whoever started the stack, and of nobody when it was started as another user.
    home = str(running_stack.settings.home)
    database = {one.pid for one in psutil.process_iter(["name", "cmdline"]) if one.info["name"] == "postgres" and home in " ".join(one.info["cmdline"] or ())}
    assert database
    found = list(listening(stack | database))
    assert {address for _, address, _ in found} == {"127.0.0.1"}
    ports = {int(url.rpartition(":")[2]) for url in (running_stack.web_url or "", running_stack.rasa_url, running_stack.action_url)}
    assert {port for _, _, port in found} == ports
    assert not [pid for pid, _, _ in found if pid in database]  # PostgreSQL has its socket file only


async def test_no_secret_and_no_word_is_written_down_and_nothing_is_left_after_erasing(running_stack: Stack) -> None:
    database, settings, base = Database(running_stack.database_url), running_stack.settings, running_stack.web_url or ""
    script = load.load_script("auto_loan_satisfaction")
    try:
        async with database.session() as session:
            revision = await records.save_revision(session, script.id, str(script.version), load.content(script.id))
            contact = await records.create_contact(session, name=NAME, title="女士", phone=PHONE)
            case_id = await records.create_case(session, contact, revision, {**script.demo_variables(), "client": NAME})
            token = await create_link(session, case_id, valid_for=timedelta(hours=2))
            key, secret = await keys.make(session, "canary", None, clock.now())
            await accounts.create(session, "canary admin", "admin", PASSWORD)
        async with Page(base, token) as page, aiohttp.ClientSession(cookie_jar=aiohttp.CookieJar(unsafe=True)) as http:
            await page.click()
            for words in WORDS:
                await page.reply_to(await page.send(words))
            cookies = await _misuse(http, base, token, secret)
        private = (*WORDS, *(f"金丝雀{number}号" for number in "一二三"), NAME, PHONE, PASSWORD, token, secret, settings.signing_secret(), *cookies)
        await _written(settings.home / "log" / "web.log", b"POST /console/login 303")
        assert _found(settings.home / "log", private) == []
        assert places(database.url, (token, secret, PASSWORD, settings.signing_secret(), *cookies)) == set()  # hashes only
        async with database.session() as session:
            entry = entry_of(None, "customer.erase", "contact", contact, reason="本人要求")
            session.add(entry)
            await session.flush()
            who = await erase_customer(session, contact, entry.id, clock.now())
        assert logfiles.blank_home(settings.home, who.known) == 0  # there was nothing to blank
        assert places(database.url, (NAME, PHONE, "金丝雀")) == set()
        assert _found(settings.home, (*WORDS, "金丝雀", NAME, PHONE)) == []
    finally:
        await database.close()


async def _misuse(http: aiohttp.ClientSession, base: str, token: str, secret: str) -> list[str]:
    """Everything that goes wrong with private things in it, and the sessions that were got by the way."""
    bad = {"Authorization": f"Bearer {secret}", "Content-Type": "application/json"}
    contact = {"name": NAME, "phone": "1" + PHONE, "fields": {"备注": WORDS[0]}}
    for method, path, kwargs in (
        ("GET", f"/c/{token}/{NAME}?who={PHONE}", {}), ("POST", "/chat/messages", {"data": f'{{"text": "{WORDS[0]}"'.encode()}), ("PUT", f"/api/v1/contacts/{NAME}", {"json": contact, "headers": bad}),
        ("POST", "/api/v1/contacts", {"data": f"{{{PHONE}".encode(), "headers": bad}), ("POST", "/s", {"data": {"code": token}}), ("GET", f"/u/{token}", {}), ("GET", f"/wechat/{NAME}?echostr={token}", {}),
        ("POST", "/wechat/x", {"data": f"<xml>{NAME}{PHONE}".encode()}), ("POST", f"/sms/aliyun/{token}", {"json": [{"phone_number": PHONE, "content": WORDS[1]}]}),
        ("POST", "/console/login", {"data": {"name": "canary admin", "password": PASSWORD + "x"}}), ("POST", "/console/login", {"data": {"name": "canary admin", "password": PASSWORD}}),
        ("GET", f"/console/customers?q={NAME}", {}),
    ):  # fmt: skip
        async with http.request(method, base + path, allow_redirects=False, **kwargs) as answer:
            assert answer.status < 500, (method, path)
    return [cookie.value for cookie in http.cookie_jar if len(cookie.value) > 20]


async def _written(log: Path, words: bytes) -> None:
    """Until the log has it: whatever went before is written by then."""
    async with asyncio.timeout(SECONDS):
        while words not in log.read_bytes():
            await asyncio.sleep(0.05)


def _found(folder: Path, words: tuple[str, ...]) -> list[str]:
    """Files below the folder that hold one of the words; not the database's own, which is dumped instead."""
    forms = {form for word in words for form in (word.encode(), "".join(one if one.isascii() else f"\\u{ord(one):04x}" for one in word).encode())}
    files = [path for path in folder.rglob("*") if path.is_file() and not path.is_symlink() and path.relative_to(folder).parts[0] != "pg"]
    assert files
    return [str(path) for path in files if any(form in path.read_bytes() for form in forms)]
