"""The action server: `python -m followup.supervise.action_server --port N`.

Rasa SDK's own start listens on every address and lets every web site call it; this one listens on loopback only and
sends no CORS headers. It must never import TensorFlow or Rasa itself: that would cost 0.5 GB and ten seconds.
"""

import argparse

from rasa_sdk.endpoint import create_app

from followup.supervise import discreet_logging


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--port", type=int, required=True)
    port = parser.parse_args().port
    discreet_logging.configure()
    app = create_app("actions", cors_origins=[])
    app.run("127.0.0.1", port, workers=1, access_log=False, motd=False)


if __name__ == "__main__":
    main()
