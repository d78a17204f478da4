"""Decisions for 5,000 attendees of one session, over one SQL scan of the evidence they rest on."""

import resource
import statistics
import sys
import tempfile
import time
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from random import Random

from sqlalchemy import insert, select

from benchmarks._servers import migrated
from config import Config
from tests.builders import NOW
from tests.components.postgres import PostgresServer
from tests.evidence import AFTER, make_ended_session, make_grant
from webinar.app import create_app
from webinar.db import DbSession, open_db
from webinar.domain.attendance import ViewingMode, pass_id_from
from webinar.models import (
    EvaluationGiven,
    Registration,
    User,
    ViewingPass,
    WatchSegment,
    WebinarSession,
)
from webinar.services import credits, judging

SECRET = "a secret of the benchmarks, long enough"
ATTENDEES = 5_000
PASSES = 2
SEGMENTS = 4
ROUNDS = 3
AT_ONCE = 500
WRITTEN = 250
# One is content with presence; the other also wants an evaluation, which half have given.
POLICIES = (("ama-pra-live", "0.75"), ("esmo-mora-live", "1"))
TARGET = 10


@dataclass
class Times:
    """Seconds, one figure a round."""

    scan: list[float] = field(default_factory=list)
    deciding: list[float] = field(default_factory=list)
    writing: list[float] = field(default_factory=list)

    def line(self, name: str) -> str:
        """A row of the table; the ratio is taken within each round."""
        ratios = [own / scanned for own, scanned in zip(self.deciding, self.scan, strict=True)]
        return (
            f"| {name} | **{statistics.median(ratios):.1f}** ({min(ratios):.1f} to "
            f"{max(ratios):.1f}) | {statistics.median(self.scan):.2f} "
            f"| {statistics.median(self.deciding):.2f} "
            f"| {statistics.median(self.writing) * 1000:.1f} |"
        )


def prepare(db: DbSession) -> tuple[int, list[int]]:
    """An ended session and everybody who was there; returns their numbers."""
    random = Random(5_000)  # noqa: S311 - the same people each time
    session = make_ended_session(db)
    for policy, granted in POLICIES:
        make_grant(db, session, policy, granted)
    people = [
        {
            "email": f"attendee{number}@example.net",
            "name": f"Dr Attendee {number}",
            "country": "CH",
            "profession": "physician",
            "zone": "Europe/Zurich",
            "verified_at": NOW,
            "created_at": NOW,
        }
        for number in range(ATTENDEES)
    ]
    user_ids = sorted(db.scalars(insert(User).returning(User.id), people))
    places = [
        {"session_id": session.id, "user_id": user_id, "created_at": NOW} for user_id in user_ids
    ]
    db.execute(insert(Registration), places)
    passes, segments = [], []
    length = int((session.ends_at - session.starts_at).total_seconds())
    for user_id in user_ids:
        at = random.randrange(0, 300)
        for _ in range(PASSES):
            pass_id = pass_id_from(random.randbytes(16))
            issued_at = session.starts_at + timedelta(seconds=at)
            passes.append(
                {
                    "id": pass_id,
                    "session_id": session.id,
                    "user_id": user_id,
                    "mode": ViewingMode.LIVE,
                    "issued_at": issued_at,
                    "expires_at": session.ends_at + timedelta(days=1),
                }
            )
            for number in range(SEGMENTS):
                end = min(at + random.randrange(200, 400), length)
                start_ms = int((session.starts_at.timestamp() + at) * 1000)
                segments.append(
                    {
                        "pass_id": pass_id,
                        "number": number,
                        "from_ms": start_ms,
                        "to_ms": start_ms + (end - at) * 1000,
                        "seq": number * 20,
                        "first_at": session.starts_at + timedelta(seconds=at),
                        "last_at": session.starts_at + timedelta(seconds=end + 1),
                    }
                )
                at = min(end + random.randrange(0, 20), length - 1)
    db.execute(insert(ViewingPass), passes)
    db.execute(insert(WatchSegment), segments)
    given = [
        {"session_id": session.id, "user_id": user_id, "given_at": AFTER}
        for user_id in user_ids[::2]
    ]
    db.execute(insert(EvaluationGiven), given)
    db.commit()
    return session.id, user_ids


def scan(db: DbSession, session_id: int) -> int:
    """Fetch all evidence of the session in one statement; returns the number of rows."""
    rows = db.execute(
        select(ViewingPass.__table__, WatchSegment.__table__)
        .join_from(ViewingPass.__table__, WatchSegment.__table__)
        .where(ViewingPass.session_id == session_id)
        .order_by(ViewingPass.user_id, ViewingPass.id, WatchSegment.number)
    )
    return len(rows.all())


def round_of(session_id: int, user_ids: list[int], times: Times) -> None:
    """Scan, decide, write and throw away, then decide with nothing new to write."""
    now = AFTER + timedelta(hours=1)
    with open_db() as db:
        began = time.process_time()
        scan(db, session_id)
        times.scan.append(time.process_time() - began)
    with open_db() as db:
        session = db.get_one(WebinarSession, session_id)
        began = time.process_time()
        for first in range(0, len(user_ids), AT_ONCE):
            judging.judge(db, session, user_ids[first : first + AT_ONCE], now=now)
        times.deciding.append(time.process_time() - began)
    with open_db() as db:
        began = time.process_time()
        some = user_ids[:WRITTEN]
        credits.decide_people(db, session_id, some, public_url="https://example.net", now=now)
        spent = time.process_time() - began
        share = times.deciding[-1] * WRITTEN / ATTENDEES
        times.writing.append((spent - share) / WRITTEN)
        db.rollback()


def main() -> int:
    lines = [
        f"| database | deciding over the scan, median of {ROUNDS} (lowest to highest) | scan, s "
        "| deciding, s | writing, ms a person |\n| --- | --- | --- | --- | --- |"
    ]
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        postgres = stack.enter_context(PostgresServer(durable=True))
        databases = {
            "SQLite": f"sqlite:///{folder / 'bench.sqlite3'}",
            "PostgreSQL": postgres.create_database(),
        }
        for name, url in databases.items():
            config = Config(SECRET_KEY=SECRET, DATABASE_URL=url, DATA_DIR=folder / "data")
            migrated(config)
            app = create_app(config)
            with open_db() as db:
                session_id, user_ids = prepare(db)
            times = Times()
            for _ in range(ROUNDS):
                round_of(session_id, user_ids, times)
            app.extensions["engine"].dispose()
            lines.append(times.line(name))
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    sys.stdout.write("\n".join(lines) + "\n\n")
    sys.stdout.write(
        f"{ATTENDEES:,} attendees under {len(POLICIES)} grants, "
        f"{ATTENDEES * PASSES * SEGMENTS:,} rows of evidence; CPU seconds of the program. The scan "
        "fetches these rows in one statement. Writing: revisions, summaries, certificates, "
        f"links of the chain. Memory at most {peak} MB. Target: {TARGET}.\n"
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
