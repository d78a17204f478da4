"""Beats stored a second, over hello-world of the same server, and none of the promised lost."""

import json
import pickle
import sys
import tempfile
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

from sqlalchemy import select

from benchmarks._load import CONNECTIONS, HEADING, Measured, Same, Talk, ask_until, get, measure
from benchmarks._servers import migrated, serving
from config import Config
from tests.builders import make_registration, make_user
from tests.components.postgres import PostgresServer
from tests.evidence import make_ended_session, make_recording
from webinar.app import create_app
from webinar.db import open_db
from webinar.domain.attendance import ViewingMode
from webinar.models import WatchSegment
from webinar.services import attendance

ROUNDS = 3
VIEWERS = 1_000
SECRET = "a secret of the benchmarks, long enough"


@dataclass
class Viewer:
    """A pass, the next beat, and the highest that was called durable."""

    token: str
    pass_id: str
    seq: int = 0
    durable: int = -1


@dataclass
class Viewers:
    """The viewers behind one connection, in turn: each beat makes the segment 1 ms longer."""

    viewers: list[Viewer]
    turn: int = 0
    current: Viewer = field(init=False)

    def request(self) -> bytes:
        self.turn = (self.turn + 1) % len(self.viewers)
        viewer = self.current = self.viewers[self.turn]
        body = (
            f'{{"pass":"{viewer.token}","seq":{viewer.seq},"wait":0,'
            f'"segments":[[0,0,{viewer.seq + 1}]]}}'
        )
        viewer.seq += 1
        return (
            "POST /beats HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
            f"Content-Length: {len(body)}\r\n\r\n{body}"
        ).encode()

    def answered(self, head: bytes, body: bytes) -> None:
        if not head.startswith(b"HTTP/1.1 200"):
            raise RuntimeError(head[:200] + body[:200])
        self.current.durable = max(self.current.durable, int(json.loads(body)["durable"]))


def ask_hello(port: int, _part: int, seconds: float) -> int:
    talks: list[Talk] = [Same(get("/"), b"200") for _ in range(CONNECTIONS // 2)]
    return ask_until(port, talks, seconds)


def beat(folder: str, port: int, part: int, seconds: float) -> int:
    """Beat for the viewers of this part, whose state is kept in a file between rounds."""
    state = Path(folder) / f"viewers-{part}"
    viewers: list[Viewer] = pickle.loads(state.read_bytes())  # noqa: S301 - written by us
    per_connection = CONNECTIONS // 2
    talks: list[Talk] = [Viewers(viewers[n::per_connection]) for n in range(per_connection)]
    answers = ask_until(port, talks, seconds)
    state.write_bytes(pickle.dumps(viewers))
    return answers


def prepare(config: Config, folder: Path) -> None:
    """A recording, people in it, and a pass for each."""
    folder.mkdir()
    migrated(config)
    app = create_app(config)
    now = datetime.now(UTC)
    viewers = []
    with open_db() as db:
        session = make_ended_session(db)
        recording = make_recording(db, session, closes_at=now + timedelta(days=1))
        recording.opens_at = now
        for _ in range(VIEWERS):
            user = make_user(db)
            make_registration(db, session, user)
            issued = attendance.issue_pass(
                db,
                session,
                user.id,
                mode=ViewingMode.RECORDED,
                secret=SECRET.encode(),
                now=now,
            )
            viewers.append(Viewer(issued.token, issued.pass_id))
        db.commit()
    app.extensions["engine"].dispose()
    for part in range(2):
        (folder / f"viewers-{part}").write_bytes(pickle.dumps(viewers[part::2]))


def lost(config: Config, folder: Path) -> tuple[int, int]:
    """(beats called durable, of these not in the database)."""
    app = create_app(config)
    with open_db() as db:
        rows = db.execute(select(WatchSegment.pass_id, WatchSegment.to_ms)).all()
    app.extensions["engine"].dispose()
    stored: dict[str, int] = dict(rows)
    promised = missing = 0
    for part in range(2):
        viewers: list[Viewer] = pickle.loads((folder / f"viewers-{part}").read_bytes())  # noqa: S301
        for viewer in viewers:
            promised += viewer.durable + 1
            missing += max(viewer.durable + 1 - stored.get(viewer.pass_id, 0), 0)
    return promised, missing


def main() -> int:
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        postgres = stack.enter_context(PostgresServer(durable=True))
        databases = {
            "SQLite, synchronous=FULL": f"sqlite:///{folder / 'bench.sqlite3'}",
            "PostgreSQL": postgres.create_database(),
        }
        hello = Measured("hello-world")
        hello_server = stack.enter_context(serving("benchmarks._hello:app", {}))
        runs = []
        for number, (name, url) in enumerate(databases.items()):
            config = Config(SECRET_KEY=SECRET, DATABASE_URL=url, DATA_DIR=folder / f"data{number}")
            people = folder / f"people{number}"
            prepare(config, people)
            server = stack.enter_context(serving("wsgi:app", config.to_env()))
            runs.append((Measured(f"beats, {name}"), server, config, people))
        for _ in range(ROUNDS):
            measure(hello, hello_server, ask_hello)
            for measured, server, _config, people in runs:
                measure(measured, server, partial(beat, str(people)))
        checks = [(measured.name, *lost(config, people)) for measured, _, config, people in runs]
    sys.stdout.write("\n".join([HEADING, hello.line(hello)]) + "\n")
    sys.stdout.write("\n".join(measured.line(hello) for measured, *_ in runs) + "\n\n")
    for name, promised, missing in checks:
        sys.stdout.write(
            f"{name}: {promised:,} beats were called durable, {missing:,} of them are missing.\n"
        )
    return 1 if any(missing for _, _, missing in checks) else 0


if __name__ == "__main__":
    sys.exit(main())
