"""`python -m bench [--talks N] [--write]`: both systems measured on this machine, one after the other; bounded."""

import argparse
import os
import platform
from datetime import date

from bench import followup_stack, stock_rasa
from bench.measure import table
from followup.settings import PROJECT_DIR

_PAGE = PROJECT_DIR / "docs" / "performance.md"
_INTRODUCTION = """# Performance

Written by `make bench BENCH=--write`. One turn is the time from `POST /chat/messages` to the event of the reply's first
line, as a browser sees it: stored in PostgreSQL, understood, answered by the action server, stored again. The stock
project is what `rasa init` gives (DIET, TED, no custom action, nothing stored), measured at its REST channel in the same
run; only the ratios mean something on another machine.
"""


def main() -> None:
    parser = argparse.ArgumentParser(prog="make bench")
    parser.add_argument("--talks", type=int, default=20, choices=range(5, 201), metavar="5..200")
    parser.add_argument("--write", action="store_true", help="keep the figures in docs/performance.md")
    options = parser.parse_args()
    ours = followup_stack.main(options.talks)
    stock = stock_rasa.main(options.talks * len(followup_stack.REPLIES))
    figures = table(ours, stock)
    print(f"\n{figures}")
    if options.write:
        machine = f"{os.cpu_count()} cores, {platform.machine()}, Python {platform.python_version()}"
        _PAGE.write_text(f"{_INTRODUCTION}\n{date.today().isoformat()}, {machine}.\n\n{figures}\n", encoding="utf-8")


if __name__ == "__main__":
    main()
