"""Keys handed out a second, each after asking the database, over hello-world of the same server."""

import sys
import tempfile
from contextlib import ExitStack
from functools import partial
from pathlib import Path

from benchmarks._evening import SECRET, Evening, prepare
from benchmarks._load import CONNECTIONS, HEADING, Measured, Same, Talk, ask_until, get, measure
from benchmarks._servers import migrated, serving
from config import Config
from tests.components.postgres import PostgresServer

ROUNDS = 3
VIEWERS = 400
TARGET = 0.6


def ask_hello(port: int, _part: int, seconds: float) -> int:
    talks: list[Talk] = [Same(get("/"), b"200") for _ in range(CONNECTIONS // 2)]
    return ask_until(port, talks, seconds)


def ask_keys(evening: Evening, port: int, part: int, seconds: float) -> int:
    """Each connection is another person's player."""
    path = f"/recordings/{evening.public_id}/keys/0"
    people = evening.cookies[part::2][: CONNECTIONS // 2]
    talks: list[Talk] = [Same(get(path, cookie), b"200") for cookie in people]
    return ask_until(port, talks, seconds)


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
            migrated(config)
            evening = prepare(config, viewers=VIEWERS, segments=1, segment_bytes=16)
            server = stack.enter_context(serving("wsgi:app", config.to_env()))
            runs.append((Measured(f"key, {name}"), server, evening))
        for _ in range(ROUNDS):
            measure(hello, hello_server, ask_hello)
            for measured, server, evening in runs:
                measure(measured, server, partial(ask_keys, evening))
    sys.stdout.write("\n".join([HEADING, hello.line(hello)]) + "\n")
    sys.stdout.write("\n".join(measured.line(hello) for measured, *_ in runs) + "\n\n")
    sys.stdout.write(
        f"Every answer asks the database for sign-in, place and window. Target: {TARGET} of "
        "hello-world.\n"
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
