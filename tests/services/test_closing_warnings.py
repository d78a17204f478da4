"""Who is warned that a recording closes, when, and who is not."""

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select

from tests import sending
from tests.builders import make_registration, make_user
from tests.evidence import make_ended_session, make_recording, watch
from webinar.db import DbSession
from webinar.domain.attendance import ViewingMode
from webinar.domain.letter import Dropped, Letter, MailKind
from webinar.models import Delivery, Recording, User, WebinarSession
from webinar.services import closing_warnings, deliveries, windows

CLOSES_AT = datetime(2027, 5, 26, 17, 0, tzinfo=UTC)
WEEK = timedelta(days=7)
DAY = timedelta(days=1)
SECOND = timedelta(seconds=1)


@pytest.fixture
def session(db: DbSession) -> WebinarSession:
    return make_ended_session(db)


@pytest.fixture
def recording(db: DbSession, session: WebinarSession) -> Recording:
    return make_recording(db, session, closes_at=CLOSES_AT)


def person(db: DbSession, session: WebinarSession) -> User:
    user = make_user(db)
    make_registration(db, session, user)
    return user


def extend(db: DbSession, recording: Recording, user: User, *, by: timedelta) -> None:
    windows.extend(
        db,
        recording.id,
        user_id=user.id,
        closes_at=CLOSES_AT + by,
        reason="ill",
        actor_id=user.id,
        now=CLOSES_AT - 3 * WEEK,
    )


def send_all(db: DbSession, *, now: datetime) -> list[Letter | Dropped | object]:
    """What becomes of everything that is due, as the mail job does it."""
    found: list[Letter | Dropped | object] = []
    for delivery_id in deliveries.due(db, now=now, limit=100):
        delivery = sending.claim(db, delivery_id, now=now)
        assert delivery is not None
        outcome = sending.letter_for(db, delivery, now=now)
        if isinstance(outcome, Dropped):
            deliveries.mark_dropped(db, delivery, because=outcome.because)
        else:
            sending.mark_sent(db, delivery, now=now)
        found.append(outcome)
        db.expire_all()
    return found


def test_everybody_registered_is_owed_one_warning_a_week_before_the_end(
    db: DbSession, session: WebinarSession, recording: Recording
) -> None:
    people = [person(db, session) for _ in range(3)]

    early = closing_warnings.warn_due(db, now=CLOSES_AT - WEEK - SECOND)
    first = closing_warnings.warn_due(db, now=CLOSES_AT - WEEK, limit=2)
    second = closing_warnings.warn_due(db, now=CLOSES_AT - WEEK + SECOND)
    third = closing_warnings.warn_due(db, now=CLOSES_AT - SECOND)
    late = closing_warnings.warn_due(db, now=CLOSES_AT)

    assert (early, first, second, third, late) == (0, 2, 1, 0, 0)
    kinds = db.execute(select(Delivery.kind, Delivery.user_id)).all()
    assert sorted(kinds) == sorted((MailKind.RECORDING_CLOSING.value, one.id) for one in people)


def test_the_warning_names_the_end_in_the_sessions_zone(
    db: DbSession, session: WebinarSession, recording: Recording
) -> None:
    person(db, session)
    closing_warnings.warn_due(db, now=CLOSES_AT - WEEK)

    (letter,) = send_all(db, now=CLOSES_AT - WEEK)

    assert isinstance(letter, Letter)
    assert letter.session is not None
    assert letter.session.watch_until == CLOSES_AT


def test_who_gave_up_the_place_or_took_it_in_the_last_week_is_not_warned(
    db: DbSession, session: WebinarSession, recording: Recording
) -> None:
    make_registration(db, session, make_user(db)).cancelled_at = CLOSES_AT - 2 * WEEK
    make_registration(db, session, make_user(db)).created_at = CLOSES_AT - DAY
    db.flush()

    assert closing_warnings.warn_due(db, now=CLOSES_AT - DAY) == 0


def test_an_extension_moves_the_warning(
    db: DbSession, session: WebinarSession, recording: Recording
) -> None:
    ill, well = person(db, session), person(db, session)
    extend(db, recording, ill, by=3 * WEEK)
    send_all(db, now=CLOSES_AT - 3 * WEEK)
    windows.close(db, recording.id, now=CLOSES_AT)

    def warned(now: datetime) -> int:
        return closing_warnings.warn_due(db, now=now)

    assert warned(CLOSES_AT - WEEK) == 1
    assert warned(CLOSES_AT + 2 * WEEK - SECOND) == 0
    assert warned(CLOSES_AT + 2 * WEEK) == 1
    latest = db.scalars(select(Delivery).order_by(Delivery.id.desc())).first()
    assert latest is not None
    assert (latest.kind, latest.user_id) == (MailKind.RECORDING_CLOSING.value, ill.id)
    assert well.id != ill.id


def test_a_warning_that_waits_is_dropped_when_there_is_more_time_and_comes_again(
    db: DbSession, session: WebinarSession, recording: Recording
) -> None:
    user = person(db, session)
    closing_warnings.warn_due(db, now=CLOSES_AT - WEEK)
    windows.extend_for_all(
        db,
        recording.id,
        closes_at=CLOSES_AT + 2 * WEEK,
        reason="a strike",
        actor_id=user.id,
        now=CLOSES_AT - WEEK + SECOND,
    )

    sent = send_all(db, now=CLOSES_AT - WEEK + 2 * SECOND)

    assert sent == [Dropped("there is more time now")]
    assert closing_warnings.warn_due(db, now=CLOSES_AT) == 0
    assert closing_warnings.warn_due(db, now=CLOSES_AT + WEEK) == 1


def test_who_was_told_of_the_new_end_in_its_last_week_is_not_warned_as_well(
    db: DbSession, session: WebinarSession, recording: Recording
) -> None:
    user = person(db, session)
    windows.extend(
        db,
        recording.id,
        user_id=user.id,
        closes_at=CLOSES_AT + DAY,
        reason="a day more",
        actor_id=user.id,
        now=CLOSES_AT - DAY,
    )

    assert closing_warnings.warn_due(db, now=CLOSES_AT - DAY + SECOND) == 0


def test_who_has_watched_it_or_was_there_is_not_warned(
    db: DbSession, session: WebinarSession, recording: Recording
) -> None:
    for mode in (ViewingMode.RECORDED, ViewingMode.LIVE):
        watch(db, session, person(db, session), mode, 0, 2700)
    closing_warnings.warn_due(db, now=CLOSES_AT - WEEK)

    sent = send_all(db, now=CLOSES_AT - WEEK)

    assert sent == [Dropped("they have watched it")] * 2


def test_no_warning_leaves_after_the_end(
    db: DbSession, session: WebinarSession, recording: Recording
) -> None:
    person(db, session)
    closing_warnings.warn_due(db, now=CLOSES_AT - WEEK)

    sent = send_all(db, now=CLOSES_AT)

    assert sent == [Dropped("the recording is closed")]
