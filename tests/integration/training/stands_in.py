"""Claims its row as a training does, and then does what STANDS_IN says."""

import os
import signal
import sys
import time

import psycopg

from followup.training.run import be_quiet

be_quiet()
with psycopg.connect(os.environ["DATABASE_URL"], autocommit=True) as connection:
    connection.execute("UPDATE model_versions SET state = 'running', tries = tries + 1 WHERE id = %s", (sys.argv[1],))
match os.environ["STANDS_IN"]:
    case "sleep":
        time.sleep(600)
    case "crash":
        sys.exit(7)
    case "killed":
        os.kill(os.getpid(), signal.SIGKILL)
