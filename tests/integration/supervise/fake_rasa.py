"""What looks like Rasa to a supervisor: answers on its port, and ends as Rasa does when the model is `unfit` or `misread`."""

import argparse
import http.server
import signal
import sys
import time
from pathlib import Path


class _Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self) -> None:  # noqa: N802
        self.send_response(200)
        self.end_headers()
        self.wfile.write(Path(options.model).read_bytes())

    def log_message(self, *_: object) -> None:
        pass


parser = argparse.ArgumentParser()
parser.add_argument("--model")
parser.add_argument("--port", type=int)
options = parser.parse_args()
content = Path(options.model).read_bytes()
if content == b"unfit":
    sys.exit(3)
if content == b"misread":
    sys.exit(4)
if content == b"slow":
    time.sleep(600)
signal.signal(signal.SIGUSR1, lambda *_: sys.exit(0))
http.server.ThreadingHTTPServer(("127.0.0.1", options.port), _Handler).serve_forever()
