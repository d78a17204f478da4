"""The figures of attendance: the same from summaries and from rows, on both databases."""

from datetime import timedelta

import pytest

from tests.builders import make_registration, make_user
from tests.evidence import AFTER, make_attendee, make_ended_session, make_recording, watch
from webinar.db import DbSession
from webinar.domain.attendance import ViewingMode
from webinar.domain.review import MatchedBy
from webinar.models import AttendanceImport, AttendanceSummary, ImportedVisit, WebinarSession
from webinar.services import attendance
from webinar.services.reports.attendance_figures import (
    AttendanceFigures,
    report_from_rows,
    report_from_summaries,
)
from webinar.services.reports.summaries import keep, refresh

LIVE, RECORDED = ViewingMode.LIVE, ViewingMode.RECORDED


@pytest.fixture
def session(db: DbSession) -> WebinarSession:
    """Three people: one throughout, one from Greece on two devices at once, one for a moment."""
    session = make_ended_session(db)
    make_attendee(db, session)
    greek = make_user(db)
    greek.country = "GR"
    greek.profession = "nurse"
    make_registration(db, session, greek)
    watch(db, session, greek, LIVE, 0, 1200)
    watch(db, session, greek, LIVE, 600, 1800)
    make_attendee(db, session, start=2640, end=2760)
    return session


def figures_of(db: DbSession, session: WebinarSession) -> AttendanceFigures:
    refresh(db, session, now=AFTER)
    return report_from_summaries(db, session.id, LIVE)


def test_time_counts_once_whatever_the_number_of_devices(
    db: DbSession, session: WebinarSession
) -> None:
    figures = figures_of(db, session)

    assert figures == AttendanceFigures(
        people=3,
        seconds=2700 + 1800 + 60,
        minutes=((0, 1), (30, 1), (45, 1)),
        countries=(("CH", 2), ("GR", 1)),
        professions=(("physician", 2), ("nurse", 1)),
    )


def test_rows_and_summaries_come_to_the_same(db: DbSession, session: WebinarSession) -> None:
    figures = figures_of(db, session)

    assert report_from_rows(db, session, LIVE) == figures


def test_what_was_played_of_a_recording_counts_apart(
    db: DbSession, session: WebinarSession
) -> None:
    make_recording(db, session, closes_at=AFTER.replace(year=2027))
    viewer = make_attendee(db, session, start=0, end=60)
    watch(db, session, viewer, RECORDED, 0, 900, at=AFTER)
    watch(db, session, viewer, RECORDED, 300, 1200, at=AFTER.replace(hour=20))

    refresh(db, session, now=AFTER)

    recorded = report_from_summaries(db, session.id, RECORDED)
    assert (recorded.people, recorded.seconds) == (1, 1200)
    assert report_from_rows(db, session, RECORDED) == recorded


def test_a_session_that_was_never_on_air_was_seen_by_nobody(
    db: DbSession, session: WebinarSession
) -> None:
    session.actual_started_at = session.actual_ended_at = None
    db.flush()

    assert figures_of(db, session).seconds == 0
    assert report_from_rows(db, session, LIVE).seconds == 0


def test_counting_again_writes_nobody_twice(db: DbSession, session: WebinarSession) -> None:
    assert refresh(db, session, now=AFTER) == 3
    assert refresh(db, session, now=AFTER) == 3

    assert db.query(AttendanceSummary).count() == 3


def test_one_person_can_be_counted_alone(db: DbSession, session: WebinarSession) -> None:
    refresh(db, session, now=AFTER)
    late = make_attendee(db, session)

    assert refresh(db, session, [late.id], now=AFTER) == 1
    assert db.query(AttendanceSummary).count() == 4


def test_a_summary_says_from_when_to_when_somebody_was_there(
    db: DbSession, session: WebinarSession
) -> None:
    late = make_attendee(db, session, start=600, end=1500)

    refresh(db, session, [late.id], now=AFTER)

    kept = db.get_one(AttendanceSummary, (session.id, late.id, LIVE))
    start = session.starts_at.timestamp()
    assert (kept.first_at.timestamp() - start, kept.last_at.timestamp() - start) == (600, 1500)
    assert (kept.seconds, kept.window_seconds) == (900, 2700)


def test_a_visit_to_another_room_counts_beside_what_was_played(
    db: DbSession, session: WebinarSession
) -> None:
    guest = make_attendee(db, session, start=0, end=600)
    only_there = make_user(db)
    report = AttendanceImport(
        session_id=session.id,
        source="zoom",
        filename="report.csv",
        digest="d",
        rows=2,
        problems=[],
        made_by_id=guest.id,
        made_at=AFTER,
    )
    db.add(report)
    db.flush()
    for row, user in enumerate((guest, only_there), start=1):
        db.add(
            ImportedVisit(
                import_id=report.id,
                row=row,
                name=user.name,
                joined_at=session.starts_at + timedelta(minutes=5),
                left_at=session.starts_at + timedelta(minutes=20),
                user_id=user.id,
                matched_by=MatchedBy.HAND,
            )
        )
    db.flush()

    refresh(db, session, now=AFTER)

    kept = {
        user.id: db.get_one(AttendanceSummary, (session.id, user.id, LIVE)).seconds
        for user in (guest, only_there)
    }
    assert kept == {guest.id: 1200, only_there.id: 900}
    assert keep(db, session, LIVE, {}, user_ids=[only_there.id], now=AFTER) == 1


def test_who_has_read_the_evidence_can_keep_what_it_comes_to(
    db: DbSession, session: WebinarSession
) -> None:
    watched = dict(attendance.viewings(db, session.id, LIVE))

    assert keep(db, session, LIVE, watched, now=AFTER) == 3
    assert keep(db, session, LIVE, watched, now=AFTER) == 3
    assert report_from_summaries(db, session.id, LIVE).people == 3
