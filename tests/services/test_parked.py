"""What cannot be done: waits grow, then it is parked and shown, and a person may try it again."""

from datetime import timedelta

from sqlalchemy import select

from tests.builders import NOW
from webinar.db import DbSession
from webinar.models import ParkedWork
from webinar.services import parked

CLOSING = "closing a recording"
SECOND = timedelta(seconds=1)


def fail(db: DbSession, times: int) -> ParkedWork:
    row = parked.failed(db, CLOSING, 7, error="no room", now=NOW)
    for _ in range(times - 1):
        row = parked.failed(db, CLOSING, 7, error="no room", now=row.next_try_at)
    return row


def test_what_failed_waits_and_the_others_do_not(db: DbSession) -> None:
    fail(db, 1)

    assert parked.waiting(db, CLOSING, now=NOW) == {7}
    assert parked.ready(db, CLOSING, [6, 7, 8], now=NOW) == [6, 8]
    assert parked.ready(db, "ending a session", [7], now=NOW) == [7]


def test_each_wait_is_twice_the_last(db: DbSession) -> None:
    row = fail(db, 1)
    first = row.next_try_at - NOW

    parked.failed(db, CLOSING, 7, error="still no room", now=row.next_try_at)

    assert row.next_try_at - row.last_failed_at == 2 * first
    assert row.last_error == "still no room"
    assert row.first_failed_at == NOW


def test_after_the_last_try_it_is_parked_and_tried_once_a_day(db: DbSession) -> None:
    row = fail(db, parked.TRIES - 1)
    assert parked.parked(db) == []
    assert parked.failing(db) == [row]

    parked.failed(db, CLOSING, 7, error="no room", now=row.next_try_at)

    assert parked.parked(db) == [row]
    assert parked.failing(db) == []
    assert row.parked_at == row.last_failed_at
    next_day = row.last_failed_at + parked.PARKED_WAIT
    assert parked.waiting(db, CLOSING, now=next_day - SECOND) == {7}
    assert parked.waiting(db, CLOSING, now=next_day) == set()


def test_a_person_lets_it_begin_anew(db: DbSession) -> None:
    row = fail(db, parked.TRIES)
    later = row.last_failed_at + timedelta(hours=1)

    parked.try_again(db, row.id, now=later)

    assert parked.parked(db) == []
    assert parked.ready(db, CLOSING, [7], now=later) == [7]
    assert row.tries == 0


def test_what_is_done_after_all_is_forgotten(db: DbSession) -> None:
    fail(db, parked.TRIES)

    parked.settled(db, CLOSING, 7)

    assert not parked.is_known(db, CLOSING, 7)
    assert db.scalars(select(ParkedWork)).all() == []


def test_a_long_error_and_a_long_name_fit(db: DbSession) -> None:
    parked.failed(db, "x" * 200, 1, error="y" * 10_000, now=NOW)
    db.commit()

    assert parked.waiting(db, "x" * 200, now=NOW) == {1}


def test_what_nobody_tries_any_more_is_forgotten_after_some_days(db: DbSession) -> None:
    row = fail(db, 1)

    assert parked.forget_stale(db, now=row.next_try_at + parked.STALE_AFTER) == 0
    assert parked.forget_stale(db, now=row.next_try_at + parked.STALE_AFTER + SECOND) == 1


def test_what_failed_under_a_family_of_names_is_found_when_it_may_be_tried(db: DbSession) -> None:
    row = parked.failed(db, "deciding credit of session 12", 7, error="no", now=NOW)

    beginning = "deciding credit of session "
    assert parked.failed_before(db, beginning, now=NOW) == []
    assert parked.failed_before(db, beginning, now=row.next_try_at) == [row]
