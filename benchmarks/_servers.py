"""Applications under gunicorn, all with the same settings, and the CPU time they have used.

Beats have a server of their own as well, on granian; what it is compared with runs there too.
"""

import http.client
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path

from config import Config
from tests.components.servers import free_port

ROOT = Path(__file__).resolve().parents[1]
TICKS_PER_SECOND = os.sysconf("SC_CLK_TCK")
PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")
# As deploy/gunicorn_server.py says.
GUNICORN = (
    *("--workers", "2", "--worker-class", "deploy.whole_answers.WholeAnswers", "--threads", "16"),
    *("--keep-alive", "60", "--no-control-socket", "--log-level", "error"),
)


# As deploy/beats_server.py starts it.
GRANIAN = (
    *("--interface", "wsgi", "--workers", "2", "--blocking-threads", "2", "--backlog", "2048"),
    *("--http", "1", "--no-ws", "--log-level", "warning"),
)


@dataclass(frozen=True)
class Server:
    """A running application."""

    port: int
    pid: int

    def cpu_seconds(self) -> float:
        """User and system time of all its workers so far."""
        return sum(_cpu_seconds(child) for child in _children(self.pid))

    def megabytes(self) -> float:
        """What all its workers hold in memory."""
        return sum(_megabytes(child) for child in _children(self.pid))


def serving(application: str, environment: dict[str, str]) -> AbstractContextManager[Server]:
    """`with serving("wsgi:app", {...}) as server`: it has answered once when this is entered."""
    port = free_port()
    command = ("gunicorn", application, "--bind", f"127.0.0.1:{port}", *GUNICORN)
    return _running(command, port, environment)


def serving_on_granian(application: str) -> AbstractContextManager[Server]:
    """The same on the server that takes beats, as that is set."""
    port = free_port()
    return _running(("granian", application, "--port", str(port), *GRANIAN), port, {})


def serving_beats(environment: dict[str, str]) -> AbstractContextManager[Server]:
    """deploy/beats_server.py with two workers."""
    port = free_port()
    where = {"BEATS_BIND": f"127.0.0.1:{port}", "WEB_CONCURRENCY": "2"}
    return _running(("deploy.beats_server",), port, environment | where)


def cpu_seconds_below(pid: int, name: str) -> float:
    """User and system time so far of what runs under this name and was started by `pid`."""
    found = 0.0
    for child in _children(pid):
        found += cpu_seconds_below(child, name)
        if Path(f"/proc/{child}/comm").read_text().strip() == name:
            found += _cpu_seconds(child)
    return found


@contextmanager
def _running(command: Sequence[str], port: int, environment: dict[str, str]) -> Iterator[Server]:
    process = subprocess.Popen(
        [sys.executable, "-m", *command],
        cwd=ROOT,
        env=os.environ | environment | {"PYTHONPATH": str(ROOT)},
        # A line for each request: to be written, as it is in production, but not to be read here.
        stderr=subprocess.DEVNULL,
    )
    try:
        _wait_for(port, process)
        yield Server(port, process.pid)
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(timeout=60)


def migrated(config: Config) -> None:
    """Bring the database of these settings up to date."""
    subprocess.run(
        [sys.executable, "-m", "flask", "--app", "wsgi", "db", "upgrade"],
        cwd=ROOT,
        env=os.environ | config.to_env(),
        check=True,
        capture_output=True,
    )


def _wait_for(port: int, process: "subprocess.Popen[bytes]") -> None:
    deadline = time.monotonic() + 60
    while process.poll() is None and time.monotonic() < deadline:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
        try:
            connection.request("GET", "/nothing-here")
            connection.getresponse().read()
        except OSError:
            time.sleep(0.1)
        else:
            return
        finally:
            connection.close()
    raise SystemExit("The server did not start.")


def _children(pid: int) -> list[int]:
    tasks = Path(f"/proc/{pid}/task").glob("*/children")
    return [int(child) for task in tasks for child in task.read_text().split()]


def _megabytes(pid: int) -> float:
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    return pages * PAGE_BYTES / 1e6


def _cpu_seconds(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS_PER_SECOND
