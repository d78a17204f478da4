"""A process of its own for a row that has work: started by the clock, kept in mind until it ends.

Who really is at work says the row's lease (webinar.services.leases): a process that was started
twice, or by two clocks, finds the lease taken and leaves.
"""

import logging
import os
import secrets
import socket
import subprocess
import sys
import time
from pathlib import Path

from config import Config
from webinar.jobs.apart import apart

log = logging.getLogger(__name__)

ROOT = Path(__file__).resolve().parents[2]


def own_name() -> str:
    """Who takes a lease: this computer, this process, and no later one of the same number."""
    return f"{socket.gethostname()}:{os.getpid()}:{secrets.token_hex(4)}"


def is_dead(owner: str) -> bool:
    """True if this computer has no such process any more; nothing is known of other computers."""
    host, _, rest = owner.partition(":")
    return host == socket.gethostname() and not Path(f"/proc/{rest.partition(':')[0]}").exists()


class Workers:
    """The processes of one command, `flask media <command> <row>`, by row.

    A new process needs `start_seconds` to start and claim; until then it is not started again,
    unless it is known to have ended: then after `ended_seconds`.
    """

    def __init__(
        self, command: str, *, start_seconds: float, ended_seconds: float | None = None
    ) -> None:
        self.command = command
        self.start_seconds = start_seconds
        self.ended_seconds = start_seconds if ended_seconds is None else ended_seconds
        self._started_at: dict[int, float] = {}
        self._children: dict[int, subprocess.Popen[bytes]] = {}
        # Those another one of the same row was started after; kept until they end.
        self._former: list[subprocess.Popen[bytes]] = []

    def start(self, config: Config, waiting: list[int]) -> None:
        """One for each of these rows, but for those that were started just now."""
        self._former[:] = [child for child in self._former if child.poll() is None]
        ended = {row for row, child in self._children.items() if child.poll() is not None}
        for row in waiting:
            pause = self.ended_seconds if row in ended else self.start_seconds
            if time.monotonic() - self._started_at.get(row, -self.start_seconds) < pause:
                continue
            self._started_at[row] = time.monotonic()
            with apart(f"starting media {self.command}", row):
                if row in self._children:
                    self._former.append(self._children[row])
                self._children[row] = self._process(config, row)
                log.info("started: media %s %s", self.command, row)

    def _process(self, config: Config, row: int) -> subprocess.Popen[bytes]:
        command = [sys.executable, "-m", "flask", "--app", "wsgi", "media", self.command, str(row)]
        # A session of its own: the worker goes on when the web server is killed.
        return subprocess.Popen(
            command, cwd=ROOT, env=os.environ | config.to_env(), start_new_session=True
        )
