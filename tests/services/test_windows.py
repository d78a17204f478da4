"""The window after it has opened: more time for one or for all, and the end."""

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select

from tests.builders import STARTS_AT, make_faculty, make_registration, make_session, make_user
from webinar.db import DbSession
from webinar.domain.errors import DomainError, NotFound
from webinar.domain.letter import MailKind
from webinar.domain.recording import RecordingClosed, RecordingState
from webinar.domain.session import SessionStatus
from webinar.models import AuditEvent, Delivery, Recording, User, WebinarSession, WindowExtension
from webinar.services import deliveries, recordings, windows

ENDED_AT = datetime(2026, 11, 26, 18, 0, tzinfo=UTC)  # 19:00 in Zurich
LATE = timedelta(seconds=5)
CLOSES_AT = datetime(2027, 5, 26, 17, 0, tzinfo=UTC)  # 19:00 in Zurich, in summer
WEEK = timedelta(days=7)
SECOND = timedelta(seconds=1)


def published(db: DbSession) -> tuple[WebinarSession, Recording]:
    session = make_session(db, status=SessionStatus.ENDED)
    session.actual_ended_at = ENDED_AT
    recording = Recording(
        public_id=f"r{session.id}",
        session=session,
        state=RecordingState.PUBLISHED,
        duration_seconds=2700.0,
        created_at=STARTS_AT,
        opens_at=ENDED_AT,
        closes_at=CLOSES_AT,
        published_at=ENDED_AT,
    )
    db.add(recording)
    db.flush()
    return session, recording


def registered(db: DbSession, session: WebinarSession, email: str = "") -> User:
    person = make_user(db, email) if email else make_user(db)
    make_registration(db, session, person)
    return person


def more_time(
    db: DbSession,
    recording: Recording,
    person: User,
    *,
    closes_at: datetime = CLOSES_AT + WEEK,
    now: datetime = ENDED_AT,
) -> WindowExtension:
    return windows.extend(
        db,
        recording.id,
        user_id=person.id,
        closes_at=closes_at,
        reason="ill in May",
        actor_id=person.id,
        now=now,
    )


def owed(db: DbSession, kind: MailKind) -> list[int]:
    query = select(Delivery.user_id).where(Delivery.kind == kind.value)
    return sorted(db.scalars(query.where(Delivery.due_at.is_not(None))))


def test_an_extension_is_for_one_person_alone(db: DbSession) -> None:
    session, recording = published(db)
    ill, well, organiser = make_user(db), make_user(db), make_user(db)
    make_registration(db, session, ill)
    make_registration(db, session, well)
    later = CLOSES_AT + timedelta(days=14)
    windows.extend(
        db,
        recording.id,
        user_id=ill.id,
        closes_at=later,
        reason="ill in May",
        actor_id=organiser.id,
        now=ENDED_AT,
    )

    watch = recordings.access(db, recording, ill.id, now=CLOSES_AT)

    assert (watch.until, watch.extended) == (later, True)
    with pytest.raises(RecordingClosed):
        recordings.access(db, recording, well.id, now=CLOSES_AT)


@pytest.mark.parametrize(
    ("closes_at", "reason"),
    [(CLOSES_AT + timedelta(days=1), "  "), (CLOSES_AT, "ill"), (CLOSES_AT, "")],
    ids=["no reason", "not later", "neither"],
)
def test_an_extension_needs_a_reason_and_a_later_end(
    db: DbSession, closes_at: datetime, reason: str
) -> None:
    _, recording = published(db)
    person = make_user(db)

    with pytest.raises(DomainError):
        windows.extend(
            db,
            recording.id,
            user_id=person.id,
            closes_at=closes_at,
            reason=reason,
            actor_id=person.id,
            now=ENDED_AT,
        )


def test_recordings_whose_window_is_over_are_due_to_close(db: DbSession) -> None:
    _, recording = published(db)

    before = windows.due_to_close(db, now=CLOSES_AT - timedelta(seconds=1))
    after = windows.due_to_close(db, now=CLOSES_AT)
    windows.close(db, recording.id, now=CLOSES_AT)

    assert (before, after) == ([], [recording.id])
    assert recording.state is RecordingState.CLOSED


def test_closing_early_takes_effect_at_once(db: DbSession) -> None:
    session, recording = published(db)
    person = make_user(db)
    make_registration(db, session, person)
    now = ENDED_AT + timedelta(days=3)

    windows.close_now(db, session.id, actor_id=None, reason="a patient can be seen", now=now)

    with pytest.raises(RecordingClosed):
        recordings.access(db, recording, person.id, now=now)


def test_closing_early_never_prolongs(db: DbSession) -> None:
    session, recording = published(db)

    windows.close_now(db, session.id, actor_id=None, reason="late", now=CLOSES_AT + LATE)

    assert recording.closes_at == CLOSES_AT


def test_closing_in_the_second_of_publication_leaves_an_empty_window(db: DbSession) -> None:
    session, recording = published(db)
    recording.opens_at = ENDED_AT + timedelta(seconds=1, microseconds=500_000)
    db.flush()

    windows.close_now(
        db,
        session.id,
        actor_id=None,
        reason="the wrong file",
        now=ENDED_AT + timedelta(seconds=1, microseconds=900_000),
    )

    assert recording.closes_at == recording.opens_at
    assert recording.window is not None


def test_more_time_is_for_who_is_registered_or_speaks(db: DbSession) -> None:
    session, recording = published(db)
    speaker, stranger = make_user(db), make_user(db)
    make_faculty(db, session, user=speaker)

    more_time(db, recording, speaker)

    assert recordings.closes_at_of(db, recording, speaker.id) == CLOSES_AT + WEEK
    with pytest.raises(windows.WindowRefused) as refused:
        more_time(db, recording, stranger)
    assert refused.value.field == "person"


def test_a_second_extension_is_later_than_the_first(db: DbSession) -> None:
    session, recording = published(db)
    person = registered(db, session)
    more_time(db, recording, person)

    with pytest.raises(windows.WindowRefused) as refused:
        more_time(db, recording, person, closes_at=CLOSES_AT + timedelta(days=2))

    assert refused.value.field == "day"
    assert str(refused.value) == (
        "Choose a later end: the present one is 2 Jun 2027, 19:00 Zurich."
    )


def test_an_extension_of_a_closed_recording_ends_in_time_to_come(db: DbSession) -> None:
    session, recording = published(db)
    person = registered(db, session)
    recording.state = RecordingState.CLOSED

    with pytest.raises(windows.WindowRefused):
        more_time(db, recording, person, now=CLOSES_AT + 2 * WEEK)
    more_time(db, recording, person, closes_at=CLOSES_AT + 3 * WEEK, now=CLOSES_AT + 2 * WEEK)

    assert recordings.access(db, recording, person.id, now=CLOSES_AT + 3 * WEEK - SECOND).extended


@pytest.mark.parametrize("state", [RecordingState.DESTROYED, RecordingState.READY])
def test_what_has_no_window_is_not_extended(db: DbSession, state: RecordingState) -> None:
    session, recording = published(db)
    person = registered(db, session)
    recording.state = state
    if state is RecordingState.READY:
        recording.opens_at = recording.closes_at = None

    with pytest.raises(windows.WindowRefused):
        more_time(db, recording, person)
    with pytest.raises(windows.WindowRefused):
        windows.extend_for_all(
            db,
            recording.id,
            closes_at=CLOSES_AT + WEEK,
            reason="strike",
            actor_id=person.id,
            now=ENDED_AT,
        )


def test_more_time_for_one_is_told_once_and_written_down(db: DbSession) -> None:
    session, recording = published(db)
    person = registered(db, session)

    more_time(db, recording, person)
    more_time(db, recording, person, closes_at=CLOSES_AT + 2 * WEEK)

    assert owed(db, MailKind.EXTENSION_GRANTED) == [person.id]
    events = db.scalars(select(AuditEvent).where(AuditEvent.action == "window extended")).all()
    assert [event.reason for event in events] == ["ill in May", "ill in May"]


def test_more_time_for_all_opens_a_closed_recording_and_tells_who_was_warned(
    db: DbSession,
) -> None:
    session, recording = published(db)
    warned, unwarned = registered(db, session), registered(db, session)
    deliveries.queue(
        db,
        MailKind.RECORDING_CLOSING,
        user_id=warned.id,
        subject_id=session.id,
        due_at=CLOSES_AT - WEEK,
        now=CLOSES_AT - WEEK,
    ).sent_at = CLOSES_AT - WEEK
    windows.close(db, recording.id, now=CLOSES_AT)
    db.flush()

    told = windows.extend_for_all(
        db,
        recording.id,
        closes_at=CLOSES_AT + WEEK,
        reason="the server stood still",
        actor_id=warned.id,
        now=CLOSES_AT + SECOND,
    )
    windows.extend_for_all(
        db,
        recording.id,
        closes_at=CLOSES_AT + 2 * WEEK,
        reason="and again",
        actor_id=warned.id,
        now=CLOSES_AT + 2 * SECOND,
    )

    assert told == 1
    assert owed(db, MailKind.EXTENSION_GRANTED) == [warned.id]
    assert recording.state is RecordingState.PUBLISHED
    now = CLOSES_AT + WEEK
    assert recordings.access(db, recording, unwarned.id, now=now).until == CLOSES_AT + 2 * WEEK


def test_an_extension_that_has_not_begun_is_withdrawn_without_a_trace(db: DbSession) -> None:
    session, recording = published(db)
    person = registered(db, session)
    extension = more_time(db, recording, person)

    windows.withdraw(
        db,
        extension.id,
        recording_id=recording.id,
        reason="a mistake",
        actor_id=person.id,
        now=ENDED_AT,
    )

    assert windows.extensions_of(db, recording.id) == []
    assert recordings.closes_at_of(db, recording, person.id) == CLOSES_AT
    assert owed(db, MailKind.EXTENSION_WITHDRAWN) == [person.id]


def test_an_extension_in_use_ends_at_once_and_what_was_seen_in_it_stays(db: DbSession) -> None:
    session, recording = published(db)
    person = registered(db, session)
    extension = more_time(db, recording, person)
    now = CLOSES_AT + timedelta(days=1)

    windows.withdraw(
        db,
        extension.id,
        recording_id=recording.id,
        reason="shared",
        actor_id=person.id,
        now=now,
    )

    assert recordings.closes_at_of(db, recording, person.id) == now
    with pytest.raises(RecordingClosed):
        recordings.access(db, recording, person.id, now=now)
    with pytest.raises(windows.WindowRefused):
        windows.withdraw(
            db,
            extension.id,
            recording_id=recording.id,
            reason="again",
            actor_id=person.id,
            now=now,
        )


def test_an_extension_of_another_recording_is_not_withdrawn(db: DbSession) -> None:
    session, recording = published(db)
    _, other = published(db)
    extension = more_time(db, recording, registered(db, session))

    with pytest.raises(NotFound):
        windows.withdraw(
            db, extension.id, recording_id=other.id, reason="x", actor_id=1, now=ENDED_AT
        )


def test_the_last_end_is_that_of_the_longest_extension(db: DbSession) -> None:
    session, recording = published(db)
    alone = windows.last_end(db, recording)
    more_time(db, recording, registered(db, session), closes_at=CLOSES_AT + 2 * WEEK)
    more_time(db, recording, registered(db, session))

    assert (alone, windows.last_end(db, recording)) == (CLOSES_AT, CLOSES_AT + 2 * WEEK)


def test_people_are_found_by_name_or_mail_among_those_registered(db: DbSession) -> None:
    session, _ = published(db)
    keller = registered(db, session, "anna.keller@example.net")
    other = registered(db, session, "jonas@example.net")
    other.name = "Dr Jonas Weber"
    make_user(db, "keller@example.net")
    db.flush()

    def found(words: str) -> list[int]:
        return [user.id for user in windows.registered_like(db, session.id, words)]

    assert found("KELLER@") == [keller.id]
    assert found("weber") == [other.id]
    assert found("%") == []
    assert found(" ") == []


def test_a_recording_whose_window_was_made_longer_meanwhile_does_not_close(db: DbSession) -> None:
    _, recording = published(db)
    recording.closes_at = CLOSES_AT + WEEK
    db.flush()

    windows.close(db, recording.id, now=CLOSES_AT)

    assert recording.state is RecordingState.PUBLISHED
