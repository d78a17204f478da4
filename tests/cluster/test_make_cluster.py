"""What `make cluster` starts: says where it serves, starts anew what dies, and ends as a whole."""

import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from tests.cluster.load import ask
from tests.components.servers import free_port
from tests.patience import wait_for

ROOT = Path(__file__).resolve().parents[2]


def until(lines: Iterator[str], sign: str) -> list[str]:
    """The lines up to the one that holds the sign; all of them if none does."""
    found = []
    for line in lines:
        found.append(line)
        if sign in line:
            break
    return found


def test_it_says_where_it_serves_begins_anew_what_dies_and_ends_as_a_whole() -> None:
    port = free_port()
    cluster = subprocess.Popen(
        [sys.executable, "-m", "scripts.cluster", "--empty"],
        cwd=ROOT,
        env=os.environ | {"PORT": str(port)},
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert cluster.stdout is not None
        lines = iter(cluster.stdout)
        begun = "".join(until(lines, "Serving on"))
        page = ask(port, "/")
        processes = dict(re.findall(r"^  (\S+) +(\d+)  /\S+$", begun, re.M))
        logs = [Path(path) for path in re.findall(r"^  \S+ +\d+  (/\S+)$", begun, re.M)]

        os.kill(int(processes["clock-1"]), signal.SIGKILL)
        told = until(lines, "clock-1 ended")[-1]
        cluster.send_signal(signal.SIGINT)
        rest = cluster.stdout.read()
    finally:
        if cluster.poll() is None:
            cluster.send_signal(signal.SIGINT)
        cluster.wait(timeout=120)
        assert cluster.stdout is not None
        cluster.stdout.close()

    assert f"Serving on http://localhost:{port}" in begun
    assert set(processes) == {
        *("postgres", "redis", "web-1", "web-2"),
        *("worker-1", "worker-2", "clock-1", "clock-2", "nginx"),
    }
    assert page.status == 200
    assert re.match(r"clock-1 ended by SIGKILL at [0-9:]+; it is started anew\n", told)
    assert rest.endswith("All of it has ended.\n")
    assert cluster.returncode == 0
    wait_for(lambda: not any(Path(f"/proc/{number}").exists() for number in processes.values()))
    assert [path for path in logs if path.exists()] == []
    assert ask(port, "/").status == 0
