"""What is due and not done: counted by kind, with the oldest."""

from datetime import datetime, timedelta

from tests.builders import NOW, STARTS_AT, make_session, make_user
from webinar.db import DbSession
from webinar.domain.letter import MailKind
from webinar.services import backlog, deliveries, parked
from webinar.services.backlog import Backlog

MINUTE = timedelta(minutes=1)


def found(db: DbSession, name: str, *, now: datetime) -> Backlog:
    [one] = [row for row in backlog.backlog(db, now=now) if row.name == name]
    return one


def test_of_nothing_nothing_is_due(db: DbSession) -> None:
    rows = backlog.backlog(db, now=NOW)

    assert {(row.due, row.oldest_due_at) for row in rows} == {(0, None)}
    assert [row.name for row in rows] == [
        "mails",
        "decisions",
        "certificates",
        "sessions to end",
        "recordings to close",
        "recordings to destroy",
        "evidence to freeze",
        "broadcasts to package",
        "videos to package",
        "parked",
    ]


def test_mails_count_from_when_they_are_due(db: DbSession) -> None:
    session = make_session(db)
    for minutes in (3, 1, -1):
        deliveries.queue(
            db,
            MailKind.SESSION_REMINDER,
            user_id=make_user(db).id,
            subject_id=session.id,
            due_at=NOW - minutes * MINUTE,
            now=NOW,
        )

    assert found(db, "mails", now=NOW) == Backlog("mails", 2, NOW - 3 * MINUTE)


def test_a_session_whose_hour_is_long_over_waits_for_its_end(db: DbSession) -> None:
    session = make_session(db)
    db.flush()

    later = session.ends_at + 31 * MINUTE
    assert found(db, "sessions to end", now=later) == Backlog("sessions to end", 1, session.ends_at)
    assert found(db, "sessions to end", now=STARTS_AT).due == 0


def test_what_is_parked_is_counted(db: DbSession) -> None:
    row = parked.failed(db, "closing a recording", 7, error="no", now=NOW)
    while row.parked_at is None:
        parked.failed(db, "closing a recording", 7, error="no", now=row.next_try_at)
    db.flush()

    assert found(db, "parked", now=NOW) == Backlog("parked", 1, row.parked_at)
