"""The attendance report of 1,000,000 rows of evidence, over one SQL scan of them."""

import resource
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import ExitStack
from datetime import timedelta
from pathlib import Path

from sqlalchemy import func, insert, select, text

from benchmarks._servers import migrated
from config import Config
from tests.builders import NOW
from tests.components.postgres import PostgresServer
from tests.evidence import make_ended_session
from webinar.app import create_app
from webinar.db import DbSession, open_db
from webinar.domain.attendance import ViewingMode
from webinar.models import AttendanceSummary, User, ViewingPass, WatchSegment, WebinarSession
from webinar.services.reports.attendance_figures import report_from_rows, report_from_summaries

SECRET = "a secret of the benchmarks, long enough"
PEOPLE = 10_000
SEGMENTS = 100
ROUNDS = 3
PEOPLE_AT_ONCE = 500


def prepare(db: DbSession) -> int:
    """An ended session with a million stretches of 20 seconds; returns its number."""
    session = make_ended_session(db)
    people = [
        {
            "email": f"attendee{number}@example.net",
            "name": f"Dr Attendee {number}",
            "country": ("CH", "DE", "FR", "IT")[number % 4],
            "profession": "physician",
            "zone": "Europe/Zurich",
            "verified_at": NOW,
            "created_at": NOW,
        }
        for number in range(PEOPLE)
    ]
    user_ids = sorted(db.scalars(insert(User).returning(User.id), people))
    start_ms = int(session.starts_at.timestamp()) * 1000
    for first in range(0, PEOPLE, PEOPLE_AT_ONCE):
        some = user_ids[first : first + PEOPLE_AT_ONCE]
        _watch(db, session, some, start_ms)
    db.commit()
    db.execute(text("ANALYZE"))
    db.commit()
    return session.id


def _watch(db: DbSession, session: WebinarSession, user_ids: list[int], start_ms: int) -> None:
    passes = [
        {
            "id": f"benchmark-pass-{user_id}",
            "session_id": session.id,
            "user_id": user_id,
            "mode": ViewingMode.LIVE,
            "issued_at": session.starts_at,
            "expires_at": session.ends_at + timedelta(days=1),
        }
        for user_id in user_ids
    ]
    segments = [
        {
            "pass_id": f"benchmark-pass-{user_id}",
            "number": number,
            "from_ms": start_ms + number * 25_000,
            "to_ms": start_ms + number * 25_000 + 20_000,
            "seq": number,
            "first_at": session.starts_at,
            "last_at": session.ends_at,
        }
        for user_id in user_ids
        for number in range(SEGMENTS)
    ]
    counted = [
        {
            "session_id": session.id,
            "user_id": user_id,
            "mode": ViewingMode.LIVE,
            "seconds": SEGMENTS * 20,
            "window_seconds": 2700,
            "first_at": session.starts_at,
            "last_at": session.ends_at,
            "updated_at": NOW,
        }
        for user_id in user_ids
    ]
    db.execute(insert(ViewingPass), passes)
    db.execute(insert(WatchSegment), segments)
    db.execute(insert(AttendanceSummary), counted)


def seconds_of(work: Callable[[], object]) -> float:
    """How long it took; most of it is the database's, which is another process."""
    began = time.monotonic()
    work()
    return time.monotonic() - began


def rounds_of(session_id: int) -> tuple[list[float], list[float], list[float]]:
    """Scan, report from summaries, report from the rows: seconds, one figure a round."""
    scans, kept, anew = [], [], []
    whole = select(func.count(), func.sum(WatchSegment.to_ms - WatchSegment.from_ms))
    live = ViewingMode.LIVE
    for _ in range(ROUNDS):
        with open_db() as db:
            session = db.get_one(WebinarSession, session_id)
            scans.append(seconds_of(lambda: db.execute(whole).one()))
            kept.append(seconds_of(lambda: report_from_summaries(db, session_id, live)))
            anew.append(
                seconds_of(lambda: report_from_rows(db, session, live))  # noqa: B023
            )
    return scans, kept, anew


def line(name: str, own: list[float], scans: list[float]) -> str:
    """A row of the table; the ratio is taken within each round."""
    ratios = [mine / scan for mine, scan in zip(own, scans, strict=True)]
    return (
        f"| {name} | **{statistics.median(ratios):.2f}** ({min(ratios):.2f} to {max(ratios):.2f}) "
        f"| {statistics.median(own) * 1000:,.0f} |"
    )


def main() -> int:
    lines = [f"| path | over one scan, median of {ROUNDS} (lowest to highest) | ms |"]
    lines.append("| --- | --- | --- |")
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        postgres = stack.enter_context(PostgresServer(durable=True))
        databases = {
            "SQLite": f"sqlite:///{folder / 'bench.sqlite3'}",
            "PostgreSQL": postgres.create_database(),
        }
        memory = 0
        for name, url in databases.items():
            config = Config(SECRET_KEY=SECRET, DATABASE_URL=url, DATA_DIR=folder / "data")
            migrated(config)
            app = create_app(config)
            with open_db() as db:
                session_id = prepare(db)
            before = peak_mb()
            scans, kept, anew = rounds_of(session_id)
            memory = max(memory, peak_mb() - before)
            app.extensions["engine"].dispose()
            lines += [
                line(f"one scan, {name}", scans, scans),
                line(f"report from summaries, {name}", kept, scans),
                line(f"report from the rows, {name}", anew, scans),
            ]
    sys.stdout.write("\n".join(lines) + "\n\n")
    sys.stdout.write(
        f"{PEOPLE * SEGMENTS:,} rows of {PEOPLE:,} people; the program's memory grew by at most "
        f"{memory} MB meanwhile. Targets: 1 from summaries, 20 from the rows.\n"
    )
    return 0


def peak_mb() -> int:
    """The most memory this process has held so far."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024


if __name__ == "__main__":
    sys.exit(main())
