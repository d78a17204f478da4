"""Where a person was in a recording: one place a person, the newest word wins."""

from datetime import timedelta

import pytest

from tests.builders import make_user
from tests.evidence import AFTER, ENDS_AT, make_ended_session, make_recording
from webinar.db import DbSession
from webinar.domain.errors import DomainError
from webinar.models import Recording, User
from webinar.services import watch_places


def recording_and_person(db: DbSession) -> tuple[Recording, User]:
    session = make_ended_session(db)
    recording = make_recording(db, session, closes_at=ENDS_AT + timedelta(days=180))
    return recording, make_user(db)


def kept(db: DbSession, recording: Recording, person: User) -> float | None:
    db.expire_all()
    place = watch_places.of_person(db, recording.id, person.id)
    return place.seconds if place else None


def test_a_place_is_kept_for_the_person(db: DbSession) -> None:
    recording, person = recording_and_person(db)

    watch_places.keep(db, recording, person.id, seconds=61.5, age_seconds=0, now=AFTER)

    assert kept(db, recording, person) == 61.5
    assert kept(db, recording, make_user(db)) is None


def test_what_another_device_said_later_wins(db: DbSession) -> None:
    recording, person = recording_and_person(db)
    later = AFTER + timedelta(minutes=10)

    watch_places.keep(db, recording, person.id, seconds=300, age_seconds=0, now=AFTER)
    watch_places.keep(db, recording, person.id, seconds=20, age_seconds=0, now=later)

    assert kept(db, recording, person) == 20


def test_what_was_said_late_of_an_earlier_hour_changes_nothing(db: DbSession) -> None:
    recording, person = recording_and_person(db)
    later = AFTER + timedelta(minutes=10)

    watch_places.keep(db, recording, person.id, seconds=300, age_seconds=0, now=AFTER)
    watch_places.keep(db, recording, person.id, seconds=20, age_seconds=3_600, now=later)

    assert kept(db, recording, person) == 300


@pytest.mark.parametrize(
    ("seconds", "age_seconds"), [(-1, 0), (2702, 0), (float("nan"), 0), (5, -1), (5, 1e9)]
)
def test_a_place_outside_the_recording_or_in_the_future_is_refused(
    db: DbSession, seconds: float, age_seconds: float
) -> None:
    recording, person = recording_and_person(db)

    with pytest.raises(DomainError):
        watch_places.keep(
            db, recording, person.id, seconds=seconds, age_seconds=age_seconds, now=AFTER
        )

    assert kept(db, recording, person) is None
