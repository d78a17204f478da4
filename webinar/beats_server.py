"""Beats alone: what each process of deploy/beats_server.py runs, with few threads and no pages."""

import gc
import os
import sys
from collections.abc import Iterable
from multiprocessing.util import Finalize
from wsgiref.types import StartResponse, WSGIEnvironment

from config import Config
from webinar import logs
from webinar.db import connect
from webinar.web.beats import BeatIntake
from webinar.web.status_lines import status_line

# Who leaves and waits for the database holds a thread; of two, the other goes on.
MOST_WHO_WAIT = 1
# Beats come between the rows of a batch that is being written. With Python's 5 ms each of them
# waits that long for the interpreter, and in the second of a batch hundreds queue up.
SWITCH_SECONDS = 0.000_5


def create_beats(config: Config) -> BeatIntake:
    """Return the callable for these settings; it knows no other address than that of beats."""
    config.DATA_DIR.mkdir(parents=True, exist_ok=True)
    engine = connect(config.DATABASE_URL, pool=config.DATABASE_POOL, read_only=config.READ_ONLY)
    return BeatIntake(_nothing_else, config, engine, most_who_wait=MOST_WHO_WAIT)


def from_environment() -> BeatIntake:
    """Return the callable of this process, which writes what waits before the process ends."""
    config = Config.from_env(os.environ)
    logs.start(config.LOG, secrets=config.secrets())
    beats = create_beats(config)
    sys.setswitchinterval(SWITCH_SECONDS)
    # Everything that was loaded stays: to look through it for garbage holds all up for 0.15 s.
    gc.collect()
    gc.freeze()
    # Children of granian leave by a way of their own, on which nothing of `atexit` is called.
    Finalize(None, beats.store.close, exitpriority=0)
    return beats


def _nothing_else(_environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
    body = b"Only beats are taken here.\n"
    headers = [("Content-Type", "text/plain"), ("Content-Length", str(len(body)))]
    start_response(status_line(404), headers)
    return [body]
