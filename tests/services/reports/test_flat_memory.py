"""However many people were there, a report holds none of their rows in memory."""

import tracemalloc
from collections.abc import Callable
from datetime import timedelta

import pytest
from sqlalchemy import insert

from tests.builders import NOW
from tests.evidence import AFTER, make_ended_session, make_grant
from webinar.db import DbSession
from webinar.domain.attendance import ViewingMode
from webinar.models import User, ViewingPass, WatchSegment, WebinarSession
from webinar.services.reports import post_event
from webinar.services.reports.attendance_figures import report_from_rows, report_from_summaries
from webinar.services.reports.summaries import refresh

SEGMENTS = 6
MEGABYTE = 1_000_000


def crowd(db: DbSession, people: int) -> WebinarSession:
    """A session with so many people, each there for half an hour in six stretches."""
    session = make_ended_session(db)
    numbers = range(1000 * people, 1001 * people)
    db.execute(
        insert(User),
        [
            {
                "id": number,
                "email": f"crowd{number}@example.net",
                "name": "Dr Anna Keller",
                "country": ("CH", "DE", "IT")[number % 3],
                "profession": "physician",
                "created_at": NOW,
            }
            for number in numbers
        ],
    )
    db.execute(
        insert(ViewingPass),
        [
            {
                "id": f"p{number}",
                "session_id": session.id,
                "user_id": number,
                "mode": ViewingMode.LIVE,
                "issued_at": session.starts_at,
                "expires_at": session.ends_at + timedelta(days=1),
            }
            for number in numbers
        ],
    )
    start = round(session.starts_at.timestamp() * 1000)
    db.execute(
        insert(WatchSegment),
        [
            {
                "pass_id": f"p{number}",
                "number": part,
                "from_ms": start + part * 300_000,
                "to_ms": start + (part + 1) * 300_000,
                "seq": 1,
                "first_at": session.starts_at + timedelta(seconds=part * 300 + 15),
                "last_at": session.starts_at + timedelta(seconds=(part + 1) * 300),
            }
            for number in numbers
            for part in range(SEGMENTS)
        ],
    )
    db.flush()
    db.expire_all()
    return session


def peak_of(work: Callable[[], object]) -> int:
    tracemalloc.start()
    try:
        work()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


@pytest.fixture
def small(db: DbSession) -> WebinarSession:
    return crowd(db, 20)


@pytest.fixture
def large(db: DbSession) -> WebinarSession:
    return crowd(db, 1000)


def test_memory_does_not_grow_with_the_evidence(
    db: DbSession, small: WebinarSession, large: WebinarSession
) -> None:
    live = ViewingMode.LIVE

    refresh(db, small, now=AFTER)
    counted = peak_of(lambda: refresh(db, large, now=AFTER))
    rows = peak_of(lambda: report_from_rows(db, large, live))
    kept = peak_of(lambda: report_from_summaries(db, large.id, live))

    # 6,000 rows as objects would be some 10 MB.
    assert counted < 4 * MEGABYTE
    assert rows < MEGABYTE
    assert kept < MEGABYTE


def test_a_whole_report_reads_summaries_alone(db: DbSession, large: WebinarSession) -> None:
    grant = make_grant(db, large, "ama-pra-live", "1")
    refresh(db, large, now=AFTER)

    report = post_event.report_of(db, large, grant, now=AFTER)
    peak = peak_of(lambda: post_event.report_of(db, large, grant, now=AFTER))

    assert dict(report.figures)["attended"] == 1000
    assert peak < 2 * MEGABYTE
    assert report_from_rows(db, large, ViewingMode.LIVE) == report_from_summaries(
        db, large.id, ViewingMode.LIVE
    )
