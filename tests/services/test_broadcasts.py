"""Going live, takes, stopping, and the worker's lease."""

from datetime import timedelta

import pytest

from tests.builders import STARTS_AT, make_faculty, make_moderated, make_session, make_user
from webinar.db import DbSession, open_db
from webinar.domain.access import Role
from webinar.domain.errors import DomainError, NotAllowed, NotYet
from webinar.domain.recording import RecordingState
from webinar.domain.session import FacultyPart, SessionStatus
from webinar.domain.session_details import NotReady
from webinar.models import BroadcastTake, MediaSegment
from webinar.services import broadcasts, recordings
from webinar.services.leases import LeaseLost

BEFORE = STARTS_AT - timedelta(minutes=10)


def test_going_live_puts_the_session_on_air_once(db: DbSession) -> None:
    session, user = make_moderated(db, make_session(db)), make_user(db)

    first = broadcasts.go_live(db, session.id, user_id=user.id, now=BEFORE)
    again = broadcasts.go_live(db, session.id, user_id=user.id, now=STARTS_AT)

    assert again.id == first.id
    assert session.status is SessionStatus.LIVE
    assert session.actual_started_at == BEFORE
    recording = recordings.for_session(db, session.id)
    assert recording is not None
    assert recording.state is RecordingState.RECORDING


def test_nobody_goes_live_more_than_an_hour_early(db: DbSession) -> None:
    session, user = make_moderated(db, make_session(db)), make_user(db)

    with pytest.raises(NotYet):
        broadcasts.go_live(db, session.id, user_id=user.id, now=STARTS_AT - timedelta(minutes=61))

    assert session.status is SessionStatus.PUBLISHED


def test_nobody_goes_live_without_a_moderator(db: DbSession) -> None:
    session, user = make_session(db), make_user(db)
    make_faculty(db, session, FacultyPart.PRESENTER, user=user)

    with pytest.raises(NotReady, match="has no moderator"):
        broadcasts.go_live(db, session.id, user_id=user.id, now=BEFORE)

    assert session.status is SessionStatus.PUBLISHED
    assert broadcasts.of_session(db, session) is None


@pytest.mark.parametrize("status", [SessionStatus.DRAFT, SessionStatus.CANCELLED])
def test_only_a_published_session_goes_live(db: DbSession, status: SessionStatus) -> None:
    session, user = make_session(db, status=status), make_user(db)

    with pytest.raises(DomainError):
        broadcasts.go_live(db, session.id, user_id=user.id, now=BEFORE)


def test_a_new_take_closes_the_one_before(db: DbSession) -> None:
    session, user = make_moderated(db, make_session(db)), make_user(db)
    broadcast = broadcasts.go_live(db, session.id, user_id=user.id, now=BEFORE)

    first = broadcasts.open_take(db, broadcast.id, user_id=user.id, now=BEFORE)
    second = broadcasts.open_take(
        db, broadcast.id, user_id=user.id, now=STARTS_AT, seconds_ago=3600.0
    )

    db.refresh(first)
    assert (first.number, second.number) == (0, 1)
    assert first.closed_at == STARTS_AT
    assert second.closed_at is None
    # However long ago the studio says it began: never before the take before it.
    assert second.started_at == first.started_at


def test_stopping_ends_the_session_and_no_take_can_follow(db: DbSession) -> None:
    session, user = make_moderated(db, make_session(db)), make_user(db)
    broadcast = broadcasts.go_live(db, session.id, user_id=user.id, now=BEFORE)
    ended_at = STARTS_AT + timedelta(minutes=47)

    broadcasts.stop(db, session.id, user_id=user.id, now=ended_at)
    broadcasts.stop(db, session.id, user_id=user.id, now=ended_at + timedelta(minutes=1))

    assert session.status is SessionStatus.ENDED
    assert session.actual_ended_at == ended_at
    with pytest.raises(broadcasts.NotOnAir):
        broadcasts.open_take(db, broadcast.id, user_id=user.id, now=ended_at)


def test_the_faculty_may_broadcast_and_others_may_not(db: DbSession) -> None:
    session = make_session(db)
    presenter, stranger = make_user(db), make_user(db, roles=(Role.PRESENTER, Role.MODERATOR))
    moderator, administrator = make_user(db), make_user(db, roles=(Role.ADMINISTRATOR,))
    make_faculty(db, session, FacultyPart.PRESENTER, user=presenter)
    make_faculty(db, session, FacultyPart.MODERATOR, user=moderator)

    may = [broadcasts.may_broadcast(db, session, u) for u in (presenter, moderator, administrator)]
    asks = [broadcasts.may_moderate(db, session, u) for u in (presenter, moderator, stranger)]

    assert may == [True, True, True]
    assert asks == [False, True, False]
    with pytest.raises(NotAllowed):
        broadcasts.ensure_may_broadcast(db, session, stranger)


def test_one_worker_holds_the_lease_until_it_runs_out(db: DbSession) -> None:
    session, user = make_moderated(db, make_session(db)), make_user(db)
    broadcast = broadcasts.go_live(db, session.id, user_id=user.id, now=BEFORE)
    now = STARTS_AT

    first = broadcasts.claim(db, broadcast.id, owner="one", now=now)
    refused = broadcasts.claim(db, broadcast.id, owner="two", now=now + timedelta(seconds=5))
    second = broadcasts.claim(db, broadcast.id, owner="two", now=now + timedelta(seconds=16))

    assert (first, refused, second) == (1, None, 2)
    with pytest.raises(LeaseLost):
        broadcasts.renew(db, broadcast.id, fence=1, now=now)


def test_a_worker_that_lost_its_lease_stores_nothing(db: DbSession) -> None:
    session, user = make_moderated(db, make_session(db)), make_user(db)
    broadcast = broadcasts.go_live(db, session.id, user_id=user.id, now=BEFORE)
    take = broadcasts.open_take(db, broadcast.id, user_id=user.id, now=BEFORE)
    recording = recordings.for_session(db, session.id)
    assert recording is not None
    broadcasts.claim(db, broadcast.id, owner="one", now=BEFORE)
    broadcasts.claim(db, broadcast.id, owner="two", now=BEFORE + timedelta(minutes=1))

    with pytest.raises(LeaseLost):
        broadcasts.add_segment(
            db, take, _segment(recording.id), fence=1, now=BEFORE + timedelta(minutes=1)
        )

    assert recording.duration_seconds == 0.0
    assert take.packaged_seconds == 0.0


def test_a_broadcast_nobody_stopped_is_found_when_its_hour_is_long_over(db: DbSession) -> None:
    session, user = make_moderated(db, make_session(db)), make_user(db)
    broadcast = broadcasts.go_live(db, session.id, user_id=user.id, now=BEFORE)
    take: BroadcastTake = broadcasts.open_take(db, broadcast.id, user_id=user.id, now=BEFORE)
    take.last_chunk_at = session.ends_at + timedelta(minutes=20)
    db.flush()

    still_sending = broadcasts.forgotten(db, now=session.ends_at + timedelta(minutes=24))
    silent = broadcasts.forgotten(db, now=session.ends_at + timedelta(minutes=31))

    assert still_sending == []
    assert silent == [session.id]


def _segment(recording_id: int) -> MediaSegment:
    return MediaSegment(
        recording_id=recording_id,
        sequence=0,
        take=0,
        key_number=0,
        iv="00" * 16,
        duration_seconds=2.0,
        take_offset_seconds=0.0,
        programme_time=BEFORE,
        size=100,
        name="recordings/x/000000-0.ts",
    )


def test_what_another_request_did_meanwhile_is_seen_once_the_row_is_locked(db: DbSession) -> None:
    session, user = make_moderated(db, make_session(db)), make_user(db)
    db.commit()
    with open_db.begin() as other:
        first = broadcasts.go_live(other, session.id, user_id=user.id, now=BEFORE)

    again = broadcasts.go_live(db, session.id, user_id=user.id, now=STARTS_AT)
    db.commit()
    with open_db.begin() as other:
        broadcasts.stop(other, session.id, user_id=user.id, now=STARTS_AT)

    assert again.id == first.id
    with pytest.raises(broadcasts.NotOnAir):
        broadcasts.open_take(db, first.id, user_id=user.id, now=STARTS_AT)


def test_a_broadcast_has_work_while_chunks_come_and_after_it_was_stopped(db: DbSession) -> None:
    session, user = make_moderated(db, make_session(db)), make_user(db)
    broadcast = broadcasts.go_live(db, session.id, user_id=user.id, now=BEFORE)
    nothing_sent = broadcasts.without_worker(db, now=BEFORE)
    take = broadcasts.open_take(db, broadcast.id, user_id=user.id, now=BEFORE)
    silent_at = BEFORE + timedelta(seconds=broadcasts.IDLE_SECONDS + 1)

    sending = broadcasts.without_worker(db, now=BEFORE + timedelta(seconds=5))
    silent = broadcasts.without_worker(db, now=silent_at)
    idle = broadcasts.is_idle(take, now=silent_at)
    broadcasts.stop(db, session.id, user_id=user.id, now=silent_at)
    stopped = broadcasts.without_worker(db, now=silent_at)

    assert (nothing_sent, sending, silent, stopped) == ([], [broadcast.id], [], [broadcast.id])
    assert idle
