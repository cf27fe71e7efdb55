"""Claims its row as a training does, and then does what STANDS_IN says."""

import os
import signal
import sys
import time

import psycopg

from followup.training.jobs import LOCK
from followup.training.run import be_quiet

be_quiet(19)
version = sys.argv[1]
connection = psycopg.connect(os.environ["DATABASE_URL"], autocommit=True)
connection.execute("SELECT pg_advisory_lock(hashtextextended(%s, 0))", (LOCK,))
claimed = connection.execute("UPDATE model_versions SET state = 'running', tries = tries + 1 WHERE id = %s RETURNING tries", (version,)).fetchone()
match os.environ["STANDS_IN"]:
    case "sleep":
        time.sleep(600)
    case "second time":
        if claimed is not None and claimed[0] == 1:
            time.sleep(600)
        connection.execute("UPDATE model_versions SET state = 'ready', finished_at = now() WHERE id = %s", (version,))
    case "crash":
        sys.exit(7)
    case "killed":
        os.kill(os.getpid(), signal.SIGKILL)
