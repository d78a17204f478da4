"""Feeds that have not changed (304), over hello-world of the same server."""

import http.client
import sys
import tempfile
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

from benchmarks._load import CONNECTIONS, HEADING, Measured, Same, Talk, ask_until, get, measure
from benchmarks._servers import migrated, serving
from config import Config
from tests.builders import make_series, make_session
from tests.components.postgres import PostgresServer
from webinar.app import create_app
from webinar.db import open_db
from webinar.services import feeds
from webinar.tools import calendar_tool

ROUNDS = 3
SESSIONS = 200
PATH = "/calendar/all.ics"
SECRET = "a secret of the benchmarks, long enough"


def ask(data: bytes, status: bytes, port: int, _part: int, seconds: float) -> int:
    talks: list[Talk] = [Same(data, status) for _ in range(CONNECTIONS // 2)]
    return ask_until(port, talks, seconds)


def prepare(config: Config) -> None:
    """A season of sessions with their entries rendered."""
    migrated(config)
    app = create_app(config)
    now = datetime.now(UTC)
    tool = calendar_tool(config)
    with open_db() as db:
        series = make_series(db)
        for week in range(SESSIONS):
            session = make_session(db, series=series, starts_at=now + timedelta(weeks=week - 20))
            feeds.refresh(db, session, calendar=tool, now=now)
        db.commit()
    app.extensions["engine"].dispose()


def etag_of(port: int) -> str:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    connection.request("GET", PATH)
    answer = connection.getresponse()
    answer.read()
    connection.close()
    return answer.headers["ETag"]


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
        runs = []
        for number, (name, url) in enumerate(databases.items()):
            config = Config(SECRET_KEY=SECRET, DATABASE_URL=url, DATA_DIR=folder / f"data{number}")
            prepare(config)
            server = stack.enter_context(serving("wsgi:app", config.to_env()))
            unchanged = get(PATH, f"If-None-Match: {etag_of(server.port)}")
            measured = Measured(f"feed of {SESSIONS} sessions, unchanged (304), {name}")
            runs.append((measured, server, unchanged))
        for _ in range(ROUNDS):
            measure(hello, hello_server, partial(ask, get("/"), b"200"))
            for measured, server, unchanged in runs:
                measure(measured, server, partial(ask, unchanged, b"304"))
    sys.stdout.write("\n".join([HEADING, hello.line(hello)]) + "\n")
    sys.stdout.write("\n".join(measured.line(hello) for measured, *_ in runs) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
