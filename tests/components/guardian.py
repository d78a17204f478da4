"""Runs one server beside the tests and ends it with them, however they end.

Its standard input is a pipe from the test process. When that process closes it or dies (kill -9
included), the guardian stops the server and removes its folder. Needs only the standard library.

usage: guardian.py FOLDER STOP_SIGNAL UID GID COMMAND ...     (UID and GID -1: as we are)
"""

import os
import select
import shutil
import signal
import subprocess
import sys


def main() -> int:
    folder, stop_signal, uid, gid, *command = sys.argv[1:]
    identity = {} if uid == "-1" else {"user": int(uid), "group": int(gid), "extra_groups": []}
    # A group of its own: Ctrl-C in the terminal must not stop the server under the tests' feet.
    server = subprocess.Popen(
        command, stdin=subprocess.DEVNULL, cwd=folder, start_new_session=True, **identity
    )
    while not _tests_are_gone():
        if server.poll() is not None:
            return server.returncode  # the tests read its log, so the folder stays
    _stop(server, signal.Signals[stop_signal])
    shutil.rmtree(folder, ignore_errors=True)
    return server.returncode


def _tests_are_gone() -> bool:
    readable, _, _ = select.select([sys.stdin], [], [], 0.2)
    return bool(readable) and os.read(sys.stdin.fileno(), 1024) == b""


def _stop(server: "subprocess.Popen[bytes]", stop_signal: signal.Signals) -> None:
    server.send_signal(stop_signal)
    try:
        server.wait(timeout=10)
    except subprocess.TimeoutExpired:
        os.killpg(server.pid, signal.SIGKILL)
        server.wait()


if __name__ == "__main__":
    sys.exit(main())
