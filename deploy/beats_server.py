"""Processes for beats alone, behind nginx (deploy/nginx.conf): python -m deploy.beats_server.

For thousands of viewers at once; without them the program takes beats itself. Settings are those of
the program. Nothing of it is imported here: each process loads it for itself.
"""

import logging
import os
from pathlib import Path

from granian.constants import HTTPModes, Interfaces
from granian.log import LogLevels
from granian.server import Server

ROOT = Path(__file__).resolve().parents[1]
# More threads hinder each other: a beat takes microseconds of the processor and waits for nobody.
THREADS = 2

# Below the folder in which the program counts, and whose own files it deletes when it starts.
_program_counts = Path(os.environ.get("WEBINAR_DATA_DIR", "var")).resolve() / "counts"
counts = Path(os.environ.get("PROMETHEUS_MULTIPROC_DIR") or _program_counts) / "beats"


def main() -> None:
    """Serve until SIGTERM; what waits then is written first."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(name)s %(message)s")
    counts.mkdir(parents=True, exist_ok=True)
    for file in counts.glob("*.db"):
        file.unlink()
    # The library asks for it when it is imported, by each process.
    os.environ["PROMETHEUS_MULTIPROC_DIR"] = str(counts)
    address, _, port = os.environ.get("BEATS_BIND", "127.0.0.1:8001").rpartition(":")
    Server(
        "webinar.beats_server:from_environment",
        factory=True,
        working_dir=ROOT,
        interface=Interfaces.WSGI,
        address=address,
        port=int(port),
        workers=int(os.environ.get("WEB_CONCURRENCY", "0")) or (os.cpu_count() or 1),
        blocking_threads=THREADS,
        http=HTTPModes.http1,
        websockets=False,
        backlog=2048,
        log_level=LogLevels.warning,
        respawn_failed_workers=True,
        workers_kill_timeout=30,
    ).serve()


if __name__ == "__main__":
    main()
