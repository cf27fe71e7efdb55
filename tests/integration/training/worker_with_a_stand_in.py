"""The worker, with a stand-in in the place of what trains; everything around it is real, the leash too."""

import sys
from pathlib import Path

from followup.supervise.leashed import leashed
from followup.talk import worker
from followup.training import jobs

STANDS_IN = Path(__file__).with_name("stands_in.py")
jobs.leashed = lambda command: leashed([sys.executable, str(STANDS_IN), command[-1]])  # type: ignore[assignment]

if __name__ == "__main__":
    worker.main()
