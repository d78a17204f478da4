"""A web process that is killed has given a small answer whole, or not at all."""

import random
import re
import socket
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Event

import psutil
import pytest

from deploy.whole_answers import SMALL_BYTES, HeadKept
from tests.components.servers import GuardedServer, ServerFolder, free_port
from tests.patience import wait_for

ROOT = Path(__file__).parents[2]
# That of the web processes: without it, this is what breaks.
WORKER = re.search(
    r'^worker_class = "(.+)"', (ROOT / "deploy/gunicorn_server.py").read_text(), re.M
)
HEAD = b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n"
END = b"said all\n"
PROGRAM = f"""
def answer(environ, start_response):
    start_response("200 OK", [("Content-Length", "{len(END)}")])
    return [{END!r}]
"""
READERS = 4
KILLS = 15


class Line:
    """One end of a connection that notes every piece it is given."""

    def __init__(self, line: socket.socket) -> None:
        self.pieces: list[bytes] = []
        self._line = line

    def sendall(self, data: bytes) -> None:
        self.pieces.append(data)

    def sendfile(self, file: object, offset: int, count: int) -> int:
        self.pieces.append(b"a file")
        return count

    def fileno(self) -> int:
        return self._line.fileno()


@pytest.fixture
def line() -> Iterator[Line]:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        yield Line(ours)


def test_the_head_leaves_with_what_comes_next(line: Line) -> None:
    kept = HeadKept(line)  # type: ignore[arg-type]

    kept.sendall(HEAD)
    before = list(line.pieces)
    kept.sendall(b"said ")
    kept.sendall(b"all\n")
    kept.let_go()

    assert (before, line.pieces) == ([], [HEAD + b"said ", b"all\n"])


def test_a_head_without_a_body_leaves_at_the_end(line: Line) -> None:
    kept = HeadKept(line)  # type: ignore[arg-type]

    kept.sendall(HEAD)
    kept.let_go()

    assert line.pieces == [HEAD]


def test_what_is_large_is_not_copied(line: Line) -> None:
    kept, large = HeadKept(line), b"x" * SMALL_BYTES  # type: ignore[arg-type]

    kept.sendall(HEAD)
    kept.sendall(large)

    assert [piece is large for piece in line.pieces] == [False, True]


def test_a_head_stands_before_its_file(line: Line) -> None:
    kept = HeadKept(line)  # type: ignore[arg-type]

    kept.sendall(HEAD)
    sent = kept.sendfile(sys.stdin, offset=0, count=9)  # type: ignore[arg-type]

    assert (sent, line.pieces) == (9, [HEAD, b"a file"])
    assert kept.fileno() == line.fileno()


@pytest.fixture
def answering() -> Iterator[tuple[GuardedServer, int]]:
    """A program that answers at once, in two processes like those of a node."""
    assert WORKER is not None
    port, folder = free_port(), ServerFolder("whole-answers")
    (folder.path / "answering.py").write_text(PROGRAM)
    server = GuardedServer(
        [
            *(sys.executable, "-m", "gunicorn", "answering:answer", "--no-control-socket"),
            *("--chdir", str(ROOT), "--pythonpath", str(folder.path)),
            *("--bind", f"127.0.0.1:{port}", "--workers", "2", "--threads", "4"),
            *("--worker-class", WORKER[1], "--keep-alive", "75"),
        ],
        folder,
    )
    server.wait_until(lambda: is_whole(asked(port)))
    yield server, port
    server.stop()


def test_no_answer_is_cut_off_behind_its_head(answering: tuple[GuardedServer, int]) -> None:
    server, port = answering
    chance, end = random.Random(7), Event()  # noqa: S311 -- who dies is no secret

    with ThreadPoolExecutor(READERS) as pool:
        readers = [pool.submit(read, port, end) for _ in range(READERS)]
        for _ in range(KILLS):
            time.sleep(chance.uniform(0.1, 0.3))
            chance.choice(two_of(server)).kill()
        end.set()
    answers = [answer for reader in readers for answer in reader.result()]

    assert [answer for answer in answers if answer and not is_whole(answer)] == []
    assert answers.count(b"") > 0
    assert len(answers) > 10 * KILLS


def two_of(server: GuardedServer) -> list[psutil.Process]:
    """The processes that answer, as soon as there are two again."""
    leader = psutil.Process(server.pid)
    wait_for(lambda: len(leader.children()) == 2)
    return leader.children()


def read(port: int, end: Event) -> list[bytes]:
    """Ask again and again; what came, and nothing where the line broke before."""
    answers = []
    while not end.is_set():
        try:
            with socket.create_connection(("127.0.0.1", port), timeout=30) as line:
                while not end.is_set():
                    answers.append(asked_over(line))
                    if not is_whole(answers[-1]):
                        break
        except ConnectionRefusedError:
            continue
    return answers


def asked(port: int) -> bytes:
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=30) as line:
            return asked_over(line)
    except ConnectionRefusedError:  # it does not listen yet
        return b""


def asked_over(line: socket.socket) -> bytes:
    """All that comes until the answer is whole or the line breaks."""
    got = b""
    try:
        line.sendall(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
        while not is_whole(got) and (more := line.recv(8192)):
            got += more
    except ConnectionError:
        pass
    return got


def is_whole(answer: bytes) -> bool:
    return answer.endswith(END)
