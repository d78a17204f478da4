"""What the test servers share: a free port, a folder, a guarded process."""

import os
import pwd
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import psutil

_GUARDIAN = Path(__file__).with_name("guardian.py")


class ServerDied(Exception):
    """The server ended before it answered, or did not answer in time; the text is its log."""


class ServerFolder:
    """A folder of one server, removed with it; `owner` is who the server runs as."""

    def __init__(self, name: str, *, owner: "pwd.struct_passwd | None" = None) -> None:
        # Where another user must get in, TMPDIR may lie in a home that is closed to it.
        parent = "/tmp" if owner else None  # noqa: S108 - mkdtemp makes a private folder in it
        self.path = Path(tempfile.mkdtemp(prefix=f"webinar-{name}-", dir=parent))
        self.owner = owner
        if owner:
            os.chown(self.path, owner.pw_uid, owner.pw_gid)

    @property
    def log(self) -> Path:
        return self.path / "server.log"

    def remove(self) -> None:
        shutil.rmtree(self.path, ignore_errors=True)


def other_user() -> "pwd.struct_passwd | None":
    """The user that runs a server which refuses root; None where we are not root."""
    return pwd.getpwnam("nobody") if os.geteuid() == 0 else None


def free_port() -> int:
    """A port of 127.0.0.1 that nobody listens on at this moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port


class GuardedServer:
    """A running server process; it ends with `stop()` or with this process, whichever is first."""

    def __init__(
        self, command: Sequence[str | Path], folder: ServerFolder, *, stop_signal: str = "SIGTERM"
    ) -> None:
        self._folder = folder
        owner = folder.owner
        ids = [str(owner.pw_uid), str(owner.pw_gid)] if owner else ["-1", "-1"]
        with folder.log.open("ab") as log:
            self._guardian = subprocess.Popen(
                [
                    *(sys.executable, "-I", "-S", _GUARDIAN, folder.path, stop_signal),
                    *ids,
                    *command,
                ],
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def wait_until(self, answers: Callable[[], bool], *, seconds: float = 30) -> None:
        """Return when `answers` says yes; raises ServerDied with the log if it never does."""
        deadline = time.monotonic() + seconds
        while not answers():
            ended = self._guardian.poll() is not None
            if ended or time.monotonic() > deadline:
                log = self._read_log()
                self.stop()
                raise ServerDied(log or "The server ended without a word.")
            time.sleep(0.02)

    @property
    def pid(self) -> int:
        """The server itself, which leads the group of its processes; raises ServerDied."""
        try:
            [server] = psutil.Process(self._guardian.pid).children()
        except (psutil.NoSuchProcess, ValueError) as error:
            raise ServerDied("It is not running.") from error
        return int(server.pid)

    @property
    def exit_code(self) -> int | None:
        """None while it runs; 256 less the number of the signal that ended it."""
        return self._guardian.poll()

    def let_go(self) -> None:
        """After it ended by itself: its folder stays, for another one to begin in."""
        if self._guardian.stdin:
            self._guardian.stdin.close()
        self._guardian.wait(timeout=30)

    def stop(self) -> None:
        """End the server and remove its folder; a second call does nothing."""
        if self._guardian.stdin and not self._guardian.stdin.closed:
            self._guardian.stdin.close()
        self._guardian.wait(timeout=30)
        self._folder.remove()

    def _read_log(self) -> str:
        return self._folder.log.read_text(errors="replace")[-4000:]
