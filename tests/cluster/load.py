"""People at a cluster while parts of it die: they read, register, watch, and note what they get."""

import http.client
import json
import re
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass, field
from threading import Event, Lock, Thread
from typing import Self

PAUSE_SECONDS = 0.05
PATIENCE_TRIES = 600


@dataclass(frozen=True)
class Answer:
    """What came back; status 0 if the line broke before an answer."""

    path: str
    status: int
    body: str = ""
    retry_after: str = ""
    cookie: str = ""


def ask(
    port: int, path: str, method: str = "GET", *, body: str = "", cookie: str = "", kind: str = ""
) -> Answer:
    """One request on a connection of its own."""
    headers = {"Cookie": f"webinar={cookie}"} if cookie else {}
    if kind:
        headers["Content-Type"] = kind
    # The name that people type: what is kept by host is kept for all of them.
    connection = http.client.HTTPConnection("localhost", port, timeout=120)
    with closing(connection):
        try:
            connection.request(method, path, body or None, headers)
            response = connection.getresponse()
            content = response.read().decode(errors="replace")
        except (OSError, http.client.HTTPException):
            return Answer(path, 0)
    said = "; ".join(response.headers.get_all("Set-Cookie") or [])
    found = re.search(r"\bwebinar=([^;]+)", said)
    again = response.headers.get("Retry-After", "")
    return Answer(path, response.status, content, again, found[1] if found else "")


def press(port: int, page: str, action: str, *, cookie: str) -> Answer:
    """Open the page, press its button: with the token against forged forms that it holds."""
    opened = ask(port, page, cookie=cookie)
    token = re.search(r'name="csrf-token" content="([^"]+)"', opened.body)
    if opened.status != 200 or token is None:
        return opened
    return ask(
        port,
        action,
        "POST",
        body=f"csrf_token={token[1]}",
        cookie=opened.cookie or cookie,
        kind="application/x-www-form-urlencoded",
    )


@dataclass
class Viewer:
    """Watches a recording as the player does: each beat tells all that is not yet durable.

    A segment for each beat, one second long, so that each must be found again.
    """

    token: str
    pass_id: str
    durable: int = -1
    seq: int = 0

    def watch(self, port: int) -> Answer:
        """One beat, a second further."""
        waiting = [[seq, seq, seq + 1] for seq in range(self.durable + 1, self.seq + 1)]
        beat = json.dumps({"pass": self.token, "seq": self.seq, "segments": waiting})
        answer = ask(port, "/beats", "POST", body=beat, kind="application/json")
        self.seq += 1
        if answer.status == 200:
            self.durable = max(self.durable, json.loads(answer.body)["durable"])
        return answer


@dataclass
class Load:
    """`with Load(port, ...) as load:` people come and go until the end of the block.

    `comers` are the cookies of those who register one after the other, `session` for what;
    `registered` are those who were told that they have a place.
    """

    port: int
    pages: Sequence[str]
    comers: Sequence[str]
    session: str
    viewers: Sequence[Viewer]
    reader: str = ""
    answers: list[Answer] = field(default_factory=list)
    beats: list[Answer] = field(default_factory=list)
    presses: list[Answer] = field(default_factory=list)
    registered: list[str] = field(default_factory=list)

    def __enter__(self) -> Self:
        self._end = Event()
        self._lock = Lock()
        self._threads = [
            Thread(target=self._read, args=("",)),
            Thread(target=self._read, args=(self.reader,)),
            Thread(target=self._register),
            *(Thread(target=self._watch, args=(viewer,)) for viewer in self.viewers),
        ]
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._end.set()
        for thread in self._threads:
            thread.join()

    def lasts(self, seconds: float) -> None:
        """Let it go on for so long."""
        self._end.wait(seconds)

    def is_served(self, times: int) -> bool:
        """Let so many more pages come; False if they take far too long."""
        wanted = len(self.answers) + times
        for _ in range(PATIENCE_TRIES):
            if len(self.answers) >= wanted:
                return True
            self._end.wait(0.1)
        return False

    def _read(self, cookie: str) -> None:
        while not self._end.is_set():
            for page in self.pages:
                answer = ask(self.port, page, cookie=cookie)
                with self._lock:
                    self.answers.append(Answer(page, answer.status, "", answer.retry_after))
                if self._end.wait(PAUSE_SECONDS):
                    return

    def _register(self) -> None:
        page = f"/sessions/{self.session}"
        for cookie in self.comers:
            # Who is not told that it worked tries again, as the page says.
            while not self._end.is_set():
                answer = press(self.port, page, f"{page}/register", cookie=cookie)
                self.presses.append(answer)
                if answer.status == 303:
                    self.registered.append(cookie)
                    break
                self._end.wait(0.3)
            if self._end.wait(PAUSE_SECONDS * 4):
                return

    def _watch(self, viewer: Viewer) -> None:
        while not self._end.wait(PAUSE_SECONDS * 4):
            self.beats.append(viewer.watch(self.port))


def unclean(answers: Sequence[Answer], *, allowed: frozenset[int]) -> list[Answer]:
    """Those that are neither allowed nor a 503 that says when to come again, if 503 is."""
    return [
        answer
        for answer in answers
        if answer.status not in allowed or (answer.status == 503 and not answer.retry_after)
    ]
