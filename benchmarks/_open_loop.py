"""An open loop: beats are sent when their time has come, whether or not others are answered."""

import pickle
import select
import socket
import time
from array import array
from collections import deque
from dataclasses import dataclass
from pathlib import Path

MARK = b'"durable":'
GIVE_UP_SECONDS = 20.0
# Of each of the processes that ask.
CLOSED_CONNECTIONS = 32
OPEN_CONNECTIONS = 200


@dataclass
class Viewers:
    """Many passes, the next beat of each, and the highest that was called durable."""

    tokens: list[str]
    pass_ids: list[str]
    seqs: "array[int]"
    durable: "array[int]"

    @classmethod
    def of(cls, passes: list[tuple[str, str]]) -> "Viewers":
        """Of (token, pass id), before their first beat."""
        count = len(passes)
        tokens, pass_ids = [token for token, _ in passes], [pass_id for _, pass_id in passes]
        return cls(tokens, pass_ids, array("i", [0]) * count, array("i", [-1]) * count)

    def __len__(self) -> int:
        return len(self.tokens)

    def request(self, viewer: int) -> bytes:
        """The next beat of this one, which makes its segment 1 ms longer."""
        seq = self.seqs[viewer]
        self.seqs[viewer] = seq + 1
        body = (
            f'{{"pass":"{self.tokens[viewer]}","seq":{seq},"wait":0,"segments":[[0,0,{seq + 1}]]}}'
        )
        return (
            "POST /beats HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
            f"Content-Length: {len(body)}\r\n\r\n{body}"
        ).encode()

    def heard(self, viewer: int, answer: bytes) -> bool:
        """Take in what has come of an answer; False while there is more to come."""
        at = answer.find(MARK)
        if at < 0 or answer[-1] != 125:  # }
            if len(answer) > 12 and not answer.startswith(b"HTTP/1.1 200"):
                raise RuntimeError(answer[:300])
            return False
        durable = int(answer[at + len(MARK) :].partition(b",")[0])
        self.durable[viewer] = max(self.durable[viewer], durable)
        return True


@dataclass
class Ride:
    """What came of one open loop: seconds from the time a beat was due until its answer."""

    due: int
    latencies: "array[float]"


def ride(folder: str, port: int, part: int, per_second: float, seconds: float) -> Ride:
    """Send the beats of the viewers of this part in turn, so many a second."""
    file = Path(folder) / f"viewers-{part}"
    viewers: Viewers = pickle.loads(file.read_bytes())  # noqa: S301 - written by us
    sockets = {}
    poll = select.epoll()
    for _ in range(OPEN_CONNECTIONS):
        connection = socket.create_connection(("127.0.0.1", port), timeout=30)
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        connection.setblocking(False)
        sockets[connection.fileno()] = connection
        poll.register(connection, select.EPOLLIN)
    idle = deque(sockets)
    talking: dict[int, tuple[int, float, bytes]] = {}
    total, sent = int(per_second * seconds), 0
    latencies = array("d")
    began = time.perf_counter()
    while len(latencies) < total:
        now = time.perf_counter() - began
        while idle and sent < total and sent <= now * per_second:
            handle, viewer = idle.popleft(), sent % len(viewers)
            sockets[handle].send(viewers.request(viewer))
            talking[handle] = (viewer, sent / per_second, b"")
            sent += 1
        if now > seconds + GIVE_UP_SECONDS:
            break
        for handle, _ in poll.poll(max(sent / per_second - now, 0.0) if idle else 1.0):
            viewer, due, before = talking[handle]
            received = sockets[handle].recv(4096)
            if not received:
                raise RuntimeError("The server closed a connection.")
            if viewers.heard(viewer, answer := before + received):
                latencies.append(time.perf_counter() - began - due)
                del talking[handle]
                idle.append(handle)
            else:
                talking[handle] = (viewer, due, answer)
    poll.close()
    for connection in sockets.values():
        connection.close()
    file.write_bytes(pickle.dumps(viewers))
    return Ride(total, latencies)


class Greetings:
    """GET / of hello-world, asked as beats are."""

    def __len__(self) -> int:
        return 1

    def request(self, _turn: int) -> bytes:
        return b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"

    def heard(self, _turn: int, answer: bytes) -> bool:
        return answer.endswith(b"hello, world")


def greet(port: int, _part: int, seconds: float) -> int:
    """A closed loop over hello-world."""
    return _busy(Greetings(), port, seconds)


def busy(folder: str, port: int, part: int, seconds: float) -> int:
    """A closed loop over the viewers of this part: each connection asks again once answered."""
    file = Path(folder) / f"viewers-{part}"
    viewers: Viewers = pickle.loads(file.read_bytes())  # noqa: S301 - written by us
    answers = _busy(viewers, port, seconds)
    file.write_bytes(pickle.dumps(viewers))
    return answers


def _busy(viewers: Viewers | Greetings, port: int, seconds: float) -> int:
    poll = select.epoll()
    talking: dict[int, tuple[socket.socket, int, bytes]] = {}
    turn = answers = 0
    for _ in range(CLOSED_CONNECTIONS):
        connection = socket.create_connection(("127.0.0.1", port), timeout=30)
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        poll.register(connection, select.EPOLLIN)
        connection.sendall(viewers.request(turn))
        talking[connection.fileno()] = (connection, turn, b"")
        turn = (turn + 1) % len(viewers)
    end = time.monotonic() + seconds
    while talking:
        for handle, _ in poll.poll(30):
            connection, viewer, before = talking[handle]
            received = connection.recv(4096)
            if not received:
                raise RuntimeError("The server closed a connection.")
            if not viewers.heard(viewer, answer := before + received):
                talking[handle] = (connection, viewer, answer)
                continue
            answers += 1
            if time.monotonic() < end:
                connection.sendall(viewers.request(turn))
                talking[handle] = (connection, turn, b"")
                turn = (turn + 1) % len(viewers)
            else:
                poll.unregister(connection)
                connection.close()
                del talking[handle]
    poll.close()
    return answers
