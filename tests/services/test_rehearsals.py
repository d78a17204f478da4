"""A rehearsal: one at a time, only before going live, over by itself."""

from datetime import timedelta

import pytest

from tests.builders import STARTS_AT, make_session, make_user
from webinar.db import DbSession
from webinar.domain.errors import Conflict, NotFound
from webinar.domain.session import SessionStatus
from webinar.services import rehearsals

BEFORE = STARTS_AT - timedelta(days=2)


def test_another_of_the_faculty_waits_until_the_first_is_silent(db: DbSession) -> None:
    session = make_session(db)
    first, second = make_user(db, name="Prof Elena Marchetti"), make_user(db)
    rehearsals.start(db, session, user_id=first.id, now=BEFORE)

    with pytest.raises(Conflict, match="Prof Elena Marchetti rehearses right now"):
        rehearsals.start(db, session, user_id=second.id, now=BEFORE + timedelta(seconds=3))
    with pytest.raises(rehearsals.NotRehearsing):
        rehearsals.sending(db, session.id, user_id=second.id)
    later = rehearsals.start(db, session, user_id=second.id, now=BEFORE + timedelta(seconds=9))

    assert rehearsals.current(db, session.id) == later
    assert rehearsals.sending(db, session.id, user_id=second.id) == later


@pytest.mark.parametrize("status", [s for s in SessionStatus if s != SessionStatus.PUBLISHED])
def test_only_an_announced_session_is_rehearsed(db: DbSession, status: SessionStatus) -> None:
    session, user = make_session(db, status=status), make_user(db)

    with pytest.raises(Conflict):
        rehearsals.start(db, session, user_id=user.id, now=BEFORE)


@pytest.mark.parametrize(
    ("minutes", "silent_seconds", "status", "ended"),
    [
        (59, 5, SessionStatus.PUBLISHED, 0),
        (60, 5, SessionStatus.PUBLISHED, 1),
        (10, 119, SessionStatus.PUBLISHED, 0),
        (10, 120, SessionStatus.PUBLISHED, 1),
        (10, 5, SessionStatus.LIVE, 1),
    ],
    ids=["going on", "an hour", "quiet", "idle", "on air"],
)
def test_a_rehearsal_ends_by_itself(
    db: DbSession, minutes: int, silent_seconds: int, status: SessionStatus, ended: int
) -> None:
    session, user = make_session(db), make_user(db)
    rehearsal = rehearsals.start(db, session, user_id=user.id, now=BEFORE)
    now = BEFORE + timedelta(minutes=minutes)
    rehearsal.last_chunk_at = now - timedelta(seconds=silent_seconds)
    session.status = status
    db.flush()

    assert rehearsals.stop_due(db, now=now) == ended


def test_its_bytes_are_swept_when_its_worker_is_gone(db: DbSession) -> None:
    session, user = make_session(db), make_user(db)
    rehearsal = rehearsals.start(db, session, user_id=user.id, now=BEFORE)

    waiting = rehearsals.without_worker(db, now=BEFORE)
    claimed = rehearsals.claim(db, rehearsal.id, owner="one", now=BEFORE)
    refused = rehearsals.claim(db, rehearsal.id, owner="two", now=BEFORE)
    rehearsals.stop(db, session.id, now=BEFORE)
    kept = rehearsals.renew(db, rehearsal.id, owner="one", now=BEFORE)
    too_early = rehearsals.to_sweep(db, now=BEFORE)
    rehearsals.release(db, rehearsal.id, owner="one")

    assert waiting == [rehearsal.id]
    assert (claimed, refused, kept) == (rehearsal.public_id, None, False)
    assert (too_early, rehearsals.to_sweep(db, now=BEFORE)) == ([], [rehearsal])
    with pytest.raises(NotFound):
        rehearsals.with_public_id(db, session.id, rehearsal.public_id)
