"""The door rush: people sign in and join at the pace of 5,000 in five minutes.

And a join over hello-world of the same server in the same run.
"""

import http.client
import os
import re
import statistics
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from urllib.parse import urlencode

from flask.sessions import SecureCookieSessionInterface
from itsdangerous import URLSafeTimedSerializer

from benchmarks._load import CONNECTIONS, HEADING, Measured, Same, Talk, ask_until, get, measure
from benchmarks._servers import Server, migrated, serving
from config import Config
from tests.builders import make_registration, make_session, make_user
from tests.components.postgres import PostgresServer
from webinar.app import create_app
from webinar.db import open_db
from webinar.domain.session import SessionStatus
from webinar.models import SignInLink
from webinar.services import links, passwords

ROUNDS = 3
# 5,000 in 300 seconds; a tenth of them in a tenth of the time is the same pace.
PEOPLE, SECONDS = 500, 30.0
PASSWORD_EVERY = 10
AT_ONCE = 64
JOINERS = 400
TARGET, TARGET_P99 = 0.35, 100
SECRET = "a secret of the benchmarks, long enough"
PASSWORD = "a password of eighteen"
CSRF = "0" * 40
TOKEN = re.compile(rb'name="csrf-token" content="([^"]+)"')
FORM = {"Content-Type": "application/x-www-form-urlencoded"}


@dataclass(frozen=True)
class Person:
    """Who comes, and with what they sign in."""

    number: int
    email: str
    link: str

    @property
    def place(self) -> str:
        """An address of the loopback network: limits count each for itself."""
        return f"127.1.{self.number // 250}.{self.number % 250 + 1}"


@dataclass(frozen=True)
class House:
    """The session they come for, they themselves, and cookies of those who are in already."""

    public_id: str
    people: list[Person]
    cookies: list[str]
    form_token: str


@dataclass
class Rush:
    """What became of it: milliseconds of each request by what it was, and what went wrong."""

    milliseconds: dict[str, list[float]] = field(default_factory=dict)
    errors: list[str] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def add(self, what: str, seconds: float) -> None:
        """One request."""
        with self.lock:
            self.milliseconds.setdefault(what, []).append(seconds * 1000)

    def line(self, name: str) -> str:
        """A row of the table."""
        everything = sorted(one for many in self.milliseconds.values() for one in many)
        joins = sorted(self.milliseconds.get("join", [0.0]))
        return (
            f"| {name} | {len(everything):,} | {len(self.errors)} "
            f"| {at(everything, 0.5):.0f} ms | {at(everything, 0.99):.0f} ms "
            f"| {everything[-1]:.0f} ms | {at(joins, 0.99):.0f} ms |"
        )


def at(ordered: list[float], share: float) -> float:
    """So much of them are not above it."""
    return ordered[min(int(len(ordered) * share), len(ordered) - 1)]


class Visit:
    """One person's browser: a connection, a cookie, the token of the last page."""

    def __init__(self, port: int, person: Person, rush: Rush, *, due: float) -> None:
        self._connection = http.client.HTTPConnection(
            "127.0.0.1", port, timeout=30, source_address=(person.place, 0)
        )
        self._rush, self._began = rush, due
        self._cookie, self._token = "", ""

    def ask(
        self, what: str, method: str, path: str, wanted: int, form: dict[str, str] | None = None
    ) -> None:
        """Send it, with cookie and token, and take in what comes."""
        headers = {"Host": "localhost", "Cookie": self._cookie, "X-CSRFToken": self._token}
        body = None
        if form is not None:
            body, headers = urlencode(form | {"csrf_token": self._token}), headers | FORM
        elif method == "POST":
            body, headers = '{"mode": "live"}', headers | {"Content-Type": "application/json"}
        self._connection.request(method, path, body, headers)
        answer = self._connection.getresponse()
        page = answer.read()
        self._rush.add(what, time.perf_counter() - self._began)
        if answer.status != wanted:
            raise RuntimeError(f"{what}: {answer.status} {page[:100]!r}")
        for value in answer.headers.get_all("Set-Cookie") or ():
            self._cookie = value.partition(";")[0]
        if found := TOKEN.search(page):
            self._token = found[1].decode()
        self._began = time.perf_counter()

    def close(self) -> None:
        """Leave."""
        self._connection.close()


def come(house: House, port: int, rush: Rush, person: Person, due: float) -> None:
    """Sign in, open the live page, and get the pass that lets one watch."""
    visit = Visit(port, person, rush, due=due)
    live = f"/sessions/{house.public_id}/live"
    try:
        if person.number % PASSWORD_EVERY:
            visit.ask("link", "GET", f"/sign-in/{person.link}", 200)
            visit.ask("sign in by link", "POST", f"/sign-in/{person.link}", 303, {})
        else:
            visit.ask("form", "GET", "/sign-in", 200)
            typed = {"email": person.email, "password": PASSWORD}
            visit.ask("sign in by password", "POST", "/sign-in", 303, typed)
        visit.ask("live page", "GET", live, 200)
        visit.ask("join", "POST", f"/sessions/{house.public_id}/pass", 200)
    except (RuntimeError, OSError) as problem:
        rush.errors.append(str(problem))
    finally:
        visit.close()


def rush_to(house: House, server: Server) -> Rush:
    """An open loop: each comes when the time has come, whether or not others are in."""
    rush, began = Rush(), time.perf_counter()
    with ThreadPoolExecutor(AT_ONCE) as pool:
        for person in house.people:
            due = began + person.number * SECONDS / PEOPLE
            time.sleep(max(due - time.perf_counter(), 0))
            pool.submit(come, house, server.port, rush, person, due)
    return rush


def warm_up(house: House, server: Server) -> None:
    """Each worker reads its templates once; a server has done so long before the evening."""
    live = f"/sessions/{house.public_id}/live"
    for path in ("/sign-in", "/sign-in/nobodys-link", live):
        with ThreadPoolExecutor(16) as pool:
            for cookie in house.cookies[:32]:
                pool.submit(look, server.port, path, cookie)


def look(port: int, path: str, cookie: str) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    connection.request("GET", path, headers={"Cookie": cookie.partition(": ")[2]})
    connection.getresponse().read()
    connection.close()


def greet_at_pace(server: Server) -> Rush:
    """As many requests of hello-world, at the same pace and in the same way."""
    rush, began = Rush(), time.perf_counter()

    def greet(number: int, due: float) -> None:
        person = Person(number, "", "")
        visit = Visit(server.port, person, rush, due=due)
        for what in ("link", "sign in", "live page", "join"):
            visit.ask(what, "GET", "/", 200)
        visit.close()

    with ThreadPoolExecutor(AT_ONCE) as pool:
        for number in range(PEOPLE):
            due = began + number * SECONDS / PEOPLE
            time.sleep(max(due - time.perf_counter(), 0))
            pool.submit(greet, number, due)
    return rush


@dataclass
class Join:
    """Passes for one after the other of those who are signed in."""

    path: str
    token: str
    cookies: Iterator[str]

    def request(self) -> bytes:
        body = '{"mode": "live"}'
        return (
            f"POST {self.path} HTTP/1.1\r\nHost: localhost\r\n{next(self.cookies)}\r\n"
            f"X-CSRFToken: {self.token}\r\nContent-Type: application/json\r\n"
            f"Content-Length: {len(body)}\r\n\r\n{body}"
        ).encode()

    def answered(self, head: bytes, body: bytes) -> None:
        # The limit of one person's passes a minute is no error of the server.
        if not head.startswith((b"HTTP/1.1 200", b"HTTP/1.1 429")):
            raise RuntimeError(head[:200] + body[:200])


def in_turn(cookies: list[str]) -> Iterator[str]:
    while True:
        yield from cookies


def ask_hello(port: int, _part: int, seconds: float) -> int:
    talks: list[Talk] = [Same(get("/"), b"200") for _ in range(CONNECTIONS // 2)]
    return ask_until(port, talks, seconds)


def ask_joins(house: House, port: int, part: int, seconds: float) -> int:
    cookies = in_turn(house.cookies[part::2])
    path = f"/sessions/{house.public_id}/pass"
    talks: list[Talk] = [Join(path, house.form_token, cookies) for _ in range(CONNECTIONS // 2)]
    return ask_until(port, talks, seconds)


def prepare(config: Config) -> House:
    """A session that is live now, and all who have a place in it."""
    migrated(config)
    app = create_app(config)
    signer = SecureCookieSessionInterface().get_signing_serializer(app)
    assert signer is not None
    now = datetime.now(UTC)
    hashed = passwords.hash_of(PASSWORD)
    people, cookies = [], []
    with open_db() as db:
        starts_at = now - timedelta(minutes=5)
        session = make_session(db, starts_at=starts_at, status=SessionStatus.LIVE)
        for number in range(PEOPLE + JOINERS):
            user = make_user(db, f"rush{number}@example.net")
            make_registration(db, session, user)
            if number >= PEOPLE:
                signed = signer.dumps(
                    {"_user_id": user.get_id(), "_fresh": True, "csrf_token": CSRF}
                )
                cookies.append(f"Cookie: {app.config['SESSION_COOKIE_NAME']}={signed}")
                continue
            token = links.new_token()
            user.password_hash = hashed if number % PASSWORD_EVERY == 0 else None
            db.add(
                SignInLink(
                    user_id=user.id,
                    token_hash=links.hash_of(token),
                    purpose="sign-in",
                    created_at=now,
                    expires_at=now + timedelta(hours=1),
                )
            )
            people.append(Person(number, user.email, token))
        db.commit()
        form_token = URLSafeTimedSerializer(SECRET, salt="wtf-csrf-token").dumps(CSRF)
        house = House(session.public_id, people, cookies, str(form_token))
    app.extensions["engine"].dispose()
    return house


def main() -> int:
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        postgres = stack.enter_context(PostgresServer(durable=True))
        databases = {
            "SQLite": f"sqlite:///{folder / 'bench.sqlite3'}",
            "PostgreSQL": postgres.create_database(),
        }
        hello = Measured("hello-world")
        hello_server = stack.enter_context(serving("benchmarks._hello:app", {}))
        rushes = [("hello-world", greet_at_pace(hello_server))]
        runs = []
        for number, (name, url) in enumerate(databases.items()):
            config = Config(SECRET_KEY=SECRET, DATABASE_URL=url, DATA_DIR=folder / f"data{number}")
            house = prepare(config)
            server = stack.enter_context(serving("wsgi:app", config.to_env()))
            warm_up(house, server)
            rushes.append((name, rush_to(house, server)))
            runs.append((Measured(f"join, {name}"), server, house))
        for _ in range(ROUNDS):
            measure(hello, hello_server, ask_hello)
            for measured, server, house in runs:
                measure(measured, server, partial(ask_joins, house))
    say = sys.stdout.write
    say(f"Load of the machine over the last five minutes: {os.getloadavg()[1]:.1f}.\n\n")
    say(
        f"{PEOPLE} people in {SECONDS:.0f} seconds, the pace of 5,000 in five minutes at a tenth "
        f"of its length, on this one machine with everybody who asks. Each signs in (one in "
        f"{PASSWORD_EVERY} by password, the others by a one-time link), opens the live page and "
        "gets the pass to watch: four requests, timed from when they were due. Target: errors 0, "
        f"p99 of a join at most {TARGET_P99} ms.\n\n"
        "| server | requests | errors | p50 | p99 | longest | p99 of joins |\n"
        "| --- | --- | --- | --- | --- | --- | --- |\n"
    )
    say("\n".join(rush.line(name) for name, rush in rushes) + "\n\n")
    for name, rush in rushes[1:]:
        parts = ", ".join(
            f"{what} {statistics.median(many):.0f} / {at(sorted(many), 0.99):.0f} ms"
            for what, many in rush.milliseconds.items()
        )
        say(f"{name}, median and p99: {parts}.\n\n")
    say("\n".join([HEADING, hello.line(hello)]) + "\n")
    say("\n".join(measured.line(hello) for measured, *_ in runs) + "\n\n")
    say(f"A join is a row of its own for each page load. Target: {TARGET} of hello-world.\n")
    for name, rush in rushes:
        for problem in rush.errors[:3]:
            sys.stderr.write(f"{name}: {problem}\n")
    return 1 if any(rush.errors for _, rush in rushes) else 0


if __name__ == "__main__":
    sys.exit(main())
