"""Beats stored a second, over hello-world of the same server; 100,000 viewers at their own pace."""

import os
import pickle
import secrets
import statistics
import sys
import tempfile
from concurrent.futures import ProcessPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

from sqlalchemy import insert, select

from benchmarks._load import HEADING, Measured, measure
from benchmarks._open_loop import Viewers, busy, greet, ride
from benchmarks._servers import (
    Server,
    cpu_seconds_below,
    migrated,
    serving,
    serving_beats,
    serving_on_granian,
)
from config import Config
from tests.builders import make_registration, make_user
from tests.components.postgres import PostgresServer
from tests.evidence import make_ended_session, make_recording
from webinar.app import create_app
from webinar.db import open_db
from webinar.domain.attendance import PassFacts, ViewingMode, pass_id_from, sign_pass
from webinar.domain.span import Span
from webinar.models import ViewingPass, WatchSegment

ROUNDS = 3
VIEWERS = 100_000
BEATS_A_SECOND = 5_000
OPEN_SECONDS = 20.0
PEOPLE = 100
LASTS = timedelta(days=1)
SECRET = "a secret of the benchmarks, long enough"
OPEN_HEADING = (
    f"Open loop: {BEATS_A_SECOND:,} beats a second for {OPEN_SECONDS:.0f} seconds, each sent when "
    f"its time has come, under {VIEWERS:,} passes.\n\n"
    "| server | answered | p50 | p99 | longest | server, of one core | PostgreSQL, of one core "
    "| memory of the server before, after | closed loop: CPU of hello-world over that of a beat |\n"
    "| --- | --- | --- | --- | --- | --- | --- | --- | --- |"
)


@dataclass(frozen=True)
class Place:
    """A database with its viewers, whose state is kept in files between rounds."""

    name: str
    config: Config
    people: Path


def prepare(place: Place) -> None:
    """A recording, people in it, and a thousand page loads of each."""
    place.people.mkdir()
    migrated(place.config)
    app = create_app(place.config)
    now = datetime.now(UTC)
    passes, rows = [], []
    with open_db() as db:
        session = make_ended_session(db)
        make_recording(db, session, closes_at=now + LASTS).opens_at = now
        users = [make_user(db) for _ in range(PEOPLE)]
        for user in users:
            make_registration(db, session, user)
        db.flush()
        for number in range(VIEWERS):
            facts = PassFacts(
                pass_id=pass_id_from(secrets.token_bytes(16)),
                user_id=users[number % PEOPLE].id,
                session_id=session.id,
                mode=ViewingMode.RECORDED,
                issued_at=now,
                expires_at=now + LASTS,
                window=Span(0, 3600),
            )
            passes.append((sign_pass(SECRET.encode(), facts), facts.pass_id))
            rows.append(
                {
                    "id": facts.pass_id,
                    "session_id": facts.session_id,
                    "user_id": facts.user_id,
                    "mode": facts.mode,
                    "issued_at": facts.issued_at,
                    "expires_at": facts.expires_at,
                }
            )
        db.execute(insert(ViewingPass), rows)
        db.commit()
    app.extensions["engine"].dispose()
    for part in range(2):
        (place.people / f"viewers-{part}").write_bytes(pickle.dumps(Viewers.of(passes[part::2])))


def lost(place: Place) -> tuple[int, int]:
    """(beats called durable, of these not in the database)."""
    app = create_app(place.config)
    with open_db() as db:
        rows = db.execute(select(WatchSegment.pass_id, WatchSegment.to_ms)).all()
    app.extensions["engine"].dispose()
    stored: dict[str, int] = dict(rows)
    promised = missing = 0
    for part in range(2):
        viewers: Viewers = pickle.loads((place.people / f"viewers-{part}").read_bytes())  # noqa: S301
        for pass_id, durable in zip(viewers.pass_ids, viewers.durable, strict=True):
            promised += durable + 1
            missing += max(durable + 1 - stored.get(pass_id, 0), 0)
    return promised, missing


def at_their_own_pace(name: str, server: Server, place: Place) -> str:
    """A row of the second table."""
    memory, cpu = server.megabytes(), server.cpu_seconds()
    postgres = cpu_seconds_below(os.getpid(), "postgres")
    with ProcessPoolExecutor(2) as pool:
        rides = [
            pool.submit(
                ride, str(place.people), server.port, part, BEATS_A_SECOND / 2, OPEN_SECONDS
            )
            for part in range(2)
        ]
        done = [one.result() for one in rides]
    cores = (server.cpu_seconds() - cpu) / OPEN_SECONDS
    postgres_cores = (cpu_seconds_below(os.getpid(), "postgres") - postgres) / OPEN_SECONDS
    waits = sorted(1000 * seconds for one in done for seconds in one.latencies)
    due = sum(one.due for one in done)
    return (
        f"| {name} | {len(waits) / due:.2%} | {waits[len(waits) // 2]:.1f} ms "
        f"| {waits[len(waits) * 99 // 100]:.0f} ms | {waits[-1]:.0f} ms | {cores:.2f} "
        f"| {postgres_cores:.2f} | {memory:.0f} MB, {server.megabytes():.0f} MB |"
    )


def on_one_server(kind: str, places: list[Place]) -> tuple[list[str], list[str]]:
    """The rows of both tables, for gunicorn or granian."""
    alone = kind == "granian"
    with ExitStack() as stack:
        hello = Measured(f"{kind}: hello-world")
        greeting = stack.enter_context(
            serving_on_granian("benchmarks._hello:app")
            if alone
            else serving("benchmarks._hello:app", {})
        )
        runs = [
            (
                Measured(f"{kind}: beats, {place.name}"),
                stack.enter_context(
                    serving_beats(place.config.to_env())
                    if alone
                    else serving("wsgi:app", place.config.to_env())
                ),
                place,
            )
            for place in places
        ]
        for _ in range(ROUNDS):
            measure(hello, greeting, greet)
            for measured, server, place in runs:
                measure(measured, server, partial(busy, str(place.people)))
        paced = [
            at_their_own_pace(f"{kind}, {place.name}", server, place) for _, server, place in runs
        ]
    closed = [hello.line(hello), *(measured.line(hello) for measured, *_ in runs)]
    return closed, [
        row + f" {by_cpu(hello, run[0]):.2f} |" for row, run in zip(paced, runs, strict=True)
    ]


def by_cpu(hello: Measured, measured: Measured) -> float:
    """The CPU of the server for hello-world over that for a beat: no client distorts it."""
    spent = zip(hello.cpu_microseconds, measured.cpu_microseconds, strict=True)
    return statistics.median(own / beat for own, beat in spent)


def main() -> int:
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        postgres = stack.enter_context(PostgresServer(durable=True))
        databases = {
            "SQLite, synchronous=FULL": f"sqlite:///{folder / 'bench.sqlite3'}",
            "PostgreSQL": postgres.create_database(),
        }
        places = []
        for number, (name, url) in enumerate(databases.items()):
            config = Config(SECRET_KEY=SECRET, DATABASE_URL=url, DATA_DIR=folder / f"data{number}")
            places.append(Place(name, config, folder / f"people{number}"))
            prepare(places[-1])
        tables = [on_one_server(kind, places) for kind in ("gunicorn", "granian")]
        checks = [(place.name, *lost(place)) for place in places]
    lines = [
        "gunicorn: the program, 2 x 16 threads. granian: deploy/beats_server.py, 2 x 2 threads.",
        "",
        HEADING,
        *(line for closed, _ in tables for line in closed),
        "",
        OPEN_HEADING,
        *(line for _, paced in tables for line in paced),
        "",
        *(
            f"{name}: {promised:,} beats were called durable, {missing:,} of them are missing."
            for name, promised, missing in checks
        ),
    ]
    sys.stdout.write("\n".join(lines) + "\n")
    return 1 if any(missing for _, _, missing in checks) else 0


if __name__ == "__main__":
    sys.exit(main())
