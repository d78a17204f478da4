"""The web processes of one server, behind nginx (deploy/nginx.conf): gunicorn -c this wsgi:app.

The clock is a process of its own: flask --app wsgi scheduler run.
"""

import os
from pathlib import Path

from gunicorn.arbiter import Arbiter
from gunicorn.workers.base import Worker

# Where the workers count together for /metrics. The library asks for it when it is imported.
counts = Path(os.environ.get("WEBINAR_DATA_DIR", "var")).resolve() / "counts"
os.environ.setdefault("PROMETHEUS_MULTIPROC_DIR", str(counts))

from prometheus_client import multiprocess  # noqa: E402

bind = os.environ.get("BIND", "127.0.0.1:8000")
# One for each core, two at least: when one dies, the other goes on with what waits at the door.
# Threads are for those who wait, on the database or a slow network.
workers = int(os.environ.get("WEB_CONCURRENCY", "0")) or max(2, os.cpu_count() or 1)
worker_class = "deploy.whole_answers.WholeAnswers"
threads = 16
# nginx keeps its connections for 60 seconds; it must be the one that hangs up.
keepalive = 75
timeout = 60
graceful_timeout = 30
# Requests that wait in line while every thread is busy: an audience reloads at the same second.
backlog = 2048
preload_app = False
# On a disk that is busy a worker's sign of life may come too late.
worker_tmp_dir = "/dev/shm" if os.path.isdir("/dev/shm") else None  # noqa: S108
forwarded_allow_ips = "127.0.0.1,::1"


def on_starting(_server: Arbiter) -> None:
    """Begin to count anew: the files of processes that are gone are of no use."""
    folder = Path(os.environ["PROMETHEUS_MULTIPROC_DIR"])
    folder.mkdir(parents=True, exist_ok=True)
    for file in folder.glob("*.db"):
        file.unlink()


def child_exit(_server: Arbiter, worker: Worker) -> None:
    """What a worker that has ended held at that moment is held no more; what it counted stays."""
    multiprocess.mark_process_dead(worker.pid)  # type: ignore[no-untyped-call]


def post_worker_init(worker: Worker) -> None:
    """Tell the others that this one serves, and by which release."""
    worker.wsgi.extensions["sign_of_life"].start()


def worker_exit(_server: Arbiter, worker: Worker) -> None:
    """Tell them that it ends, if it began."""
    if worker.wsgi is not None:
        worker.wsgi.extensions["sign_of_life"].stop()
