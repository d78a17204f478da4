"""The processes that are killed: each begins in a moment, because one was loaded before them all.

`kill -9` ends them as it ends any other; only that they begin so quickly is unlike the service.
"""

import multiprocessing
import os
import signal
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from multiprocessing.context import ForkServerProcess
from pathlib import Path

from werkzeug.serving import make_server

from config import Config
from webinar import logs
from webinar.app import create_app
from webinar.db import connect, open_db
from webinar.jobs import clock
from webinar.jobs.engine import Timings
from webinar.jobs.toolbox import Toolbox
from webinar.jobs.working import run_worker
from webinar.services import search

# Everything that is waited for when somebody died, shorter than in service.
TIMINGS = Timings(
    offered_for=timedelta(seconds=30),
    heartbeat_seconds=0.5,
    stalled_after_seconds=2.0,
    retry_seconds=1,
    poll_seconds=0.5,
)
BATCHES_AT_ONCE = 2

Begin = Callable[[Config, int], None]


def run_clock(config: Config, _port: int) -> None:
    """`flask scheduler run`."""
    _prepare(config)
    clock.run_for_ever(Toolbox.from_config(config), TIMINGS)


def run_a_worker(config: Config, _port: int) -> None:
    """`flask worker run`."""
    _prepare(config)
    run_worker(
        Toolbox.from_config(config), clock.TICKS, concurrency=BATCHES_AT_ONCE, timings=TIMINGS
    )


def run_web(config: Config, port: int) -> None:
    """A process that serves pages."""
    _prepare(config)
    _serve(config, port, with_clock=False)


def run_laptop(config: Config, port: int) -> None:
    """The one process of a laptop: pages, clock and mails."""
    _prepare(config)
    _serve(config, port, with_clock=True)


def _serve(config: Config, port: int, *, with_clock: bool) -> None:
    app = create_app(config)
    app.config.update(WTF_CSRF_ENABLED=False, RATELIMIT_ENABLED=False)
    if with_clock:
        clock.start_in_background(Toolbox.from_config(config), TIMINGS)
    make_server("127.0.0.1", port, app, threaded=True).serve_forever()


def _prepare(config: Config) -> None:
    logs.start("text", to=(config.DATA_DIR / f"{os.getpid()}.log").open("a"))
    connect(config.DATABASE_URL)
    search.keep_up_to_date([open_db])


@dataclass(frozen=True)
class Kill:
    """One `kill -9`."""

    role: str
    pid: int
    at: float  # seconds since 1970


@dataclass
class Crew:
    """Processes by name; those that are killed are started anew at once."""

    config: Config
    port: int
    roles: dict[str, Begin]
    kills: list[Kill] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._context = multiprocessing.get_context("forkserver")
        self._context.set_forkserver_preload(["tests.crash.processes"])
        self._running: dict[str, ForkServerProcess] = {}

    def start(self) -> None:
        """All of them."""
        for role in self.roles:
            self._start(role)

    def kill(self, role: str) -> None:
        """`kill -9`, and another in its place."""
        self._end(role)
        self._start(role)

    def stop(self) -> None:
        """Kill all, and start none."""
        for role in list(self._running):
            self._end(role)

    def pid(self, role: str) -> int:
        """The number of the one that runs now."""
        return self._running[role].pid or 0

    def has_ended(self, role: str) -> bool:
        """True if it ended by itself."""
        return not self._running[role].is_alive()

    def logs(self) -> str:
        """The last words of each process that ever ran."""
        files = sorted(Path(self.config.DATA_DIR).glob("*.log"))
        return "\n".join(f"--- {file.name}\n{file.read_text()[-1500:]}" for file in files)

    def _start(self, role: str) -> None:
        process = self._context.Process(
            target=self.roles[role], args=(self.config, self.port), name=role
        )
        process.start()
        self._running[role] = process

    def _end(self, role: str) -> None:
        process = self._running.pop(role)
        pid = process.pid or 0
        if process.is_alive():
            os.kill(pid, signal.SIGKILL)
        self.kills.append(Kill(role, pid, time.time()))
        process.join()
        process.close()
