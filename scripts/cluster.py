"""Serves the demonstration season from a cluster on this machine, until Ctrl-C.

usage: python -m scripts.cluster [--quick | --empty]
PostgreSQL, Redis, two web nodes, two workers, two clocks, and nginx on PORT (8000). Kill any of
them and see. Nothing stays: data and logs lie in a folder that is removed at the end.
"""

import argparse
import os
import signal
import socket
import sys
import tempfile
from pathlib import Path
from threading import Event, Lock

from tests.components.cluster import Cluster
from tests.components.servers import ServerDied

_line = Lock()


def main() -> int:
    """Returns the exit code."""
    parser = argparse.ArgumentParser(prog="make cluster")
    season = parser.add_mutually_exclusive_group()
    season.add_argument("--quick", action="store_true", help="a few sessions, short recordings")
    season.add_argument("--empty", action="store_true", help="no session at all")
    wanted = parser.parse_args()
    end = Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda _number, _frame: end.set())
    with tempfile.TemporaryDirectory(prefix="webinar-cluster-") as folder:
        try:
            _serve(Path(folder) / "data", end, quick=wanted.quick, empty=wanted.empty)
        except ServerDied as error:
            _say(str(error))
            return 1
    _say("All of it has ended.")
    return 0


def _serve(data: Path, end: Event, *, quick: bool, empty: bool) -> None:
    port = int(os.environ.get("PORT", "8000"))
    if _is_taken(port):
        raise ServerDied(f"Somebody serves on port {port} already: PORT=8123 make cluster")
    _say("Starting PostgreSQL and Redis, bringing the database up to date ...")
    with Cluster(data, port=port, is_demo=not empty, say=_say) as cluster:
        if not empty and not end.is_set():
            _say("Loading the demo season ...")
            cluster.run("demo", "load", *(["--quick"] if quick else []), say=_say)
        if end.is_set():
            return
        cluster.serve(*([] if empty else ["demo speak"]))
        _say(_processes(cluster))
        _say(f"Serving on {cluster.url} (Ctrl-C ends all)")
        end.wait()
        _say("Ending ...")


def _is_taken(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def _processes(cluster: Cluster) -> str:
    """Who is who, so that somebody can kill one and see what happens."""
    rows = [
        f"  {name:<10} {cluster.pids(name)[0]:>7}  {member.folder.log}"
        for name, member in cluster.members.items()
    ]
    mails = cluster.data_dir / "outbox"
    return "\n".join(["Processes, and their logs", *rows, f"Mails are kept in {mails}", ""])


def _say(line: str) -> None:
    with _line:
        sys.stdout.write(f"{line}\n")
        sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
