"""The routes of the trainer's workbench."""

from __future__ import annotations

from aiohttp import web

from followup.console.training import author_pages, change_pages, example_pages, exchange_pages, inbox_pages, word_pages

_ID = r"{id:\d+}"

routes = [
    web.get("/training", inbox_pages.inbox_page),
    web.get("/training/next", inbox_pages.next_group),
    web.get(f"/training/groups/{_ID}", inbox_pages.group_page),
    web.post(f"/training/groups/{_ID}", inbox_pages.decide_group),
    web.post(f"/training/decisions/{_ID}/undo", inbox_pages.undo),
    web.post(f"/training/lines/{_ID}/words", word_pages.mark),
    web.post(f"/training/words/{_ID}/undo", word_pages.undo),
    web.get("/training/authors", author_pages.authors_page),
    web.post(f"/training/authors/{_ID}/draft", author_pages.draft),
    web.get("/training/examples", example_pages.examples_page),
    web.post("/training/examples", example_pages.add),
    web.get("/training/examples/check", example_pages.check),
    web.get("/training/examples/one", example_pages.example_page),
    web.post("/training/examples/one", example_pages.change),
    web.get("/training/examples.{kind:yml|xlsx}", exchange_pages.export),
    web.get("/training/import", exchange_pages.import_page),
    web.post("/training/import", exchange_pages.check_file),
    web.post("/training/import/take", exchange_pages.take_file),
    web.get("/training/changes", change_pages.changes_page),
    web.get("/training/changes.patch", change_pages.my_patch),
    web.post(f"/training/changes/{_ID}/undo", change_pages.undo),
    web.post("/training/hand-in", change_pages.hand_in_changes),
]
