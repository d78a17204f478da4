"""When a recording is due to be destroyed, how far it is, and what holds it up."""

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select

from tests.builders import make_registration, make_user
from tests.evidence import make_ended_session, make_recording
from webinar.db import DbSession
from webinar.domain.destruction import REQUESTS_HOLD, Held
from webinar.domain.errors import NotFound
from webinar.domain.letter import MailKind
from webinar.domain.recording import RecordingState
from webinar.models import Delivery, Destruction, ExtensionRequest, Recording, User
from webinar.services import dashboard, destruction, more_time, recordings, windows
from webinar.services.destruction import DestructionRefused, Trace

CLOSES_AT = datetime(2027, 5, 26, 17, 0, tzinfo=UTC)
DAY = timedelta(days=1)
SECOND = timedelta(seconds=1)
HELD = Held(keys=9, takes=2)


@pytest.fixture
def recording(db: DbSession) -> Recording:
    return make_recording(db, make_ended_session(db), closes_at=CLOSES_AT)


@pytest.fixture
def person(db: DbSession, recording: Recording) -> User:
    user = make_user(db, name="Dr Anna Keller")
    make_registration(db, recording.session, user)
    return user


def more(db: DbSession, recording: Recording, person: User, closes_at: datetime) -> None:
    windows.extend(
        db,
        recording.id,
        user_id=person.id,
        closes_at=closes_at,
        reason="ill",
        actor_id=person.id,
        now=CLOSES_AT - DAY,
    )


def test_it_is_due_when_the_window_and_every_extension_are_over(
    db: DbSession, recording: Recording, person: User
) -> None:
    more(db, recording, person, CLOSES_AT + DAY)
    more(db, recording, person, CLOSES_AT + 2 * DAY)

    assert destruction.due(db, now=CLOSES_AT) == []
    assert destruction.due(db, now=CLOSES_AT + 2 * DAY - SECOND) == []
    assert destruction.due(db, now=CLOSES_AT + 2 * DAY) == [recording.id]


def test_whoever_is_given_time_between_the_look_and_the_deed_keeps_it(
    db: DbSession, recording: Recording, person: User
) -> None:
    due = destruction.due(db, now=CLOSES_AT)
    more(db, recording, person, CLOSES_AT + DAY)

    assert due == [recording.id]
    assert destruction.begin(db, recording.id, held=HELD, now=CLOSES_AT) is False
    assert recording.state is RecordingState.PUBLISHED


def test_from_the_decision_on_nobody_can_be_given_time(
    db: DbSession, recording: Recording, person: User
) -> None:
    assert destruction.begin(db, recording.id, held=HELD, now=CLOSES_AT)

    with pytest.raises(windows.WindowRefused):
        more(db, recording, person, CLOSES_AT + DAY)
    with pytest.raises(windows.WindowRefused):
        more_time.ask(db, recording, person.id, reason="please", now=CLOSES_AT)
    assert destruction.begin(db, recording.id, held=HELD, now=CLOSES_AT) is False


def test_each_step_leaves_what_is_still_to_do(db: DbSession, recording: Recording) -> None:
    def left(now: datetime) -> tuple[int, int, int]:
        db.flush()
        return (
            len(destruction.begun(db)),
            len(destruction.media_due(db, after_days=7, now=now)),
            len(destruction.to_look_at(db, now=now)),
        )

    destruction.begin(db, recording.id, held=HELD, now=CLOSES_AT)
    begun = left(CLOSES_AT + 30 * DAY)
    destruction.keys_gone(db, recording.id, now=CLOSES_AT + SECOND)
    without_keys = left(CLOSES_AT + 30 * DAY)
    destruction.finish(db, recording.id, now=CLOSES_AT + 2 * SECOND)
    finished = left(CLOSES_AT + DAY)
    week = left(CLOSES_AT + 7 * DAY + SECOND)
    destruction.media_deleted(db, recording.id, now=CLOSES_AT + 7 * DAY + SECOND)
    destruction.looked(db, recording.id, Trace(0, 0, 0), now=CLOSES_AT + 7 * DAY + SECOND)

    assert (begun, without_keys, finished, week) == ((1, 0, 0), (1, 0, 0), (0, 0, 1), (0, 1, 1))
    assert left(CLOSES_AT + 7 * DAY + 2 * SECOND) == (0, 0, 0)
    row = db.scalars(select(Destruction)).one()
    assert row.keys_destroyed_at == CLOSES_AT + SECOND == recording.destroyed_at


@pytest.mark.parametrize(
    ("age", "hours"), [(timedelta(days=1), 1), (timedelta(days=100), 23)], ids=["young", "old"]
)
def test_young_ones_are_looked_for_hourly_and_old_ones_daily(
    db: DbSession, recording: Recording, age: timedelta, hours: int
) -> None:
    destruction.begin(db, recording.id, held=HELD, now=CLOSES_AT)
    destruction.keys_gone(db, recording.id, now=CLOSES_AT)
    destruction.finish(db, recording.id, now=CLOSES_AT)
    looked_at = CLOSES_AT + age
    destruction.looked(db, recording.id, Trace(0, 0, 0), now=looked_at)
    db.flush()

    early = destruction.to_look_at(db, now=looked_at + timedelta(hours=hours, minutes=-6))
    then = destruction.to_look_at(db, now=looked_at + timedelta(hours=hours))

    assert (early, then) == ([], [recording.id])


def test_a_request_holds_the_end_up_for_a_week_and_is_answered_by_it(
    db: DbSession, recording: Recording, person: User
) -> None:
    more_time.ask(db, recording, person.id, reason="on leave", now=CLOSES_AT - DAY)
    last = CLOSES_AT + REQUESTS_HOLD

    held = destruction.due(db, now=last - SECOND)
    refused = destruction.begin(db, recording.id, held=HELD, now=last - SECOND)
    due = destruction.due(db, now=last)
    destruction.begin(db, recording.id, held=HELD, now=last)

    assert (held, refused, due) == ([], False, [recording.id])
    assert db.scalars(select(ExtensionRequest.granted)).all() == [False]
    assert db.scalars(select(Delivery.kind)).all() == [MailKind.EXTENSION_DECLINED.value]


def test_asking_again_changes_what_was_asked(
    db: DbSession, recording: Recording, person: User
) -> None:
    more_time.ask(db, recording, person.id, reason="a week", now=CLOSES_AT - DAY)
    more_time.ask(db, recording, person.id, reason="two weeks", now=CLOSES_AT - SECOND)

    (asked,) = more_time.waiting(db, recording.id)
    assert (asked.name, asked.reason) == ("Dr Anna Keller", "two weeks")


def test_who_asked_stands_on_the_first_page_until_the_answer(
    db: DbSession, recording: Recording, person: User
) -> None:
    def names(now: datetime) -> list[tuple[str, ...]]:
        found = dashboard.sessions_between(db, now, now + DAY, now=now)
        return [session.asked_time for session in found if session.asked_time]

    request = more_time.ask(db, recording, person.id, reason="a week", now=CLOSES_AT - DAY)
    waiting = names(CLOSES_AT + DAY)
    more_time.grant(
        db,
        request.id,
        recording_id=recording.id,
        closes_at=CLOSES_AT + 7 * DAY,
        actor_id=person.id,
        now=CLOSES_AT + DAY,
    )

    assert (waiting, names(CLOSES_AT + DAY)) == ([("Dr Anna Keller",)], [])
    until = recordings.closes_at_of(db, recording, person.id)
    assert until == CLOSES_AT + 7 * DAY


@pytest.mark.parametrize(
    ("state", "age", "is_refused"),
    [
        (RecordingState.RECORDING, 2 * DAY, True),
        (RecordingState.PROCESSING, DAY - SECOND, True),
        (RecordingState.PROCESSING, DAY, False),
        (RecordingState.READY, SECOND, False),
        (RecordingState.PUBLISHED, 2 * DAY, True),
        (RecordingState.CLOSED, 2 * DAY, False),
        (RecordingState.DESTROYED, 2 * DAY, True),
    ],
)
def test_a_person_destroys_what_is_closed_withheld_or_given_up(
    db: DbSession, recording: Recording, state: RecordingState, age: timedelta, is_refused: bool
) -> None:
    recording.state = state
    db.flush()
    refused = False
    try:
        destruction.begin_by_hand(
            db,
            recording.id,
            held=HELD,
            reason="consent",
            actor_id=None,
            now=recording.created_at + age,
        )
    except DestructionRefused:
        refused = True

    assert refused is is_refused


def test_there_is_nothing_to_certify_before_the_keys_are_gone(
    db: DbSession, recording: Recording
) -> None:
    destruction.begin(db, recording.id, held=HELD, now=CLOSES_AT)

    with pytest.raises(NotFound):
        destruction.record_of(db, recording, provider="ESO", after_days=7)
    destruction.keys_gone(db, recording.id, now=CLOSES_AT)
    destruction.finish(db, recording.id, now=CLOSES_AT)
    record = destruction.record_of(db, recording, provider="ESO", after_days=7)

    assert (record.keys, record.takes, record.media_due_at) == (9, 2, CLOSES_AT + 7 * DAY)
    assert [row.number for row in destruction.listed(db)] == [record.number]
