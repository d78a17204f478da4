from datetime import timedelta

import pytest
from sqlalchemy import select

from tests.builders import NOW, STARTS_AT, make_series, make_session, make_user
from webinar.db import DbSession
from webinar.domain.registration import NotOpenYet, RegistrationClosed, SessionCancelled
from webinar.domain.session import SessionStatus
from webinar.models import Delivery, Registration
from webinar.services import registrations

DAY_BEFORE, HOUR_BEFORE = STARTS_AT - timedelta(days=1), STARTS_AT - timedelta(hours=1)


def owed(db: DbSession) -> list[tuple[str, object]]:
    rows = db.scalars(select(Delivery).where(Delivery.due_at.is_not(None)).order_by(Delivery.id))
    return [(row.kind, row.due_at) for row in rows]


def test_registering_owes_a_confirmation_now_and_two_reminders(db: DbSession) -> None:
    session, user = make_session(db), make_user(db)

    registration = registrations.register(db, session.id, user.id, now=NOW)

    assert registration.source == "web"
    assert registrations.is_registered(db, session.id, user.id)
    assert owed(db) == [
        ("registration_confirmed", NOW),
        ("session_tomorrow", DAY_BEFORE),
        ("session_reminder", HOUR_BEFORE),
    ]


def test_registering_twice_is_registering_once(db: DbSession) -> None:
    session, user = make_session(db), make_user(db)

    first = registrations.register(db, session.id, user.id, now=NOW)
    second = registrations.register(db, session.id, user.id, now=NOW + timedelta(days=1))

    assert second.id == first.id
    assert registrations.registered_count(db, session.id) == 1
    assert len(owed(db)) == 3


def test_who_registers_in_the_last_hour_gets_no_reminder(db: DbSession) -> None:
    session, user = make_session(db), make_user(db)
    now = STARTS_AT - timedelta(minutes=20)

    registrations.register(db, session.id, user.id, now=now)

    assert owed(db) == [("registration_confirmed", now)]


def test_unregistering_drops_the_mails_that_are_not_sent(db: DbSession) -> None:
    session, user = make_session(db), make_user(db)
    registrations.register(db, session.id, user.id, now=NOW)

    registrations.unregister(db, session.id, user.id, now=NOW)
    registrations.unregister(db, session.id, user.id, now=NOW)

    assert not registrations.is_registered(db, session.id, user.id)
    assert registrations.registered_count(db, session.id) == 0
    assert owed(db) == []
    assert set(db.scalars(select(Delivery.dropped_because))) == {"unregistered"}


def test_coming_back_is_confirmed_and_reminded_anew(db: DbSession) -> None:
    session, user = make_session(db), make_user(db)
    registrations.register(db, session.id, user.id, now=NOW)
    registrations.unregister(db, session.id, user.id, now=NOW)

    registrations.register(db, session.id, user.id, now=NOW)

    assert registrations.is_registered(db, session.id, user.id)
    assert owed(db) == [
        ("registration_confirmed", NOW),
        ("session_tomorrow", DAY_BEFORE),
        ("session_reminder", HOUR_BEFORE),
    ]
    assert db.scalars(select(Registration)).one().cancelled_at is None


@pytest.mark.parametrize(
    ("status", "refusal"),
    [
        (SessionStatus.DRAFT, NotOpenYet),
        (SessionStatus.CANCELLED, SessionCancelled),
        (SessionStatus.ENDED, RegistrationClosed),
    ],
)
def test_nobody_gets_a_place_in_a_session_that_does_not_take_any(
    db: DbSession, status: SessionStatus, refusal: type[Exception]
) -> None:
    session, user = make_session(db, status=status), make_user(db)

    with pytest.raises(refusal):
        registrations.register(db, session.id, user.id, now=NOW)

    assert registrations.registered_count(db, session.id) == 0
    assert owed(db) == []


def test_a_series_gives_a_place_in_each_coming_session_and_one_mail(db: DbSession) -> None:
    series, user = make_series(db), make_user(db)
    week = timedelta(days=7)
    first = make_session(db, series=series)
    second = make_session(db, series=series, starts_at=STARTS_AT + week)
    past = make_session(db, series=series, starts_at=STARTS_AT - 4 * week)
    draft = make_session(
        db, series=series, starts_at=STARTS_AT + 2 * week, status=SessionStatus.DRAFT
    )

    registrations.register_for_series(db, series.id, user.id, now=NOW)
    registrations.register_for_series(db, series.id, user.id, now=NOW)

    places = {s.id: registrations.is_registered(db, s.id, user.id) for s in (past, draft)}
    assert registrations.is_registered(db, first.id, user.id)
    assert registrations.is_registered(db, second.id, user.id)
    assert places == {past.id: False, draft.id: False}
    assert owed(db) == [
        ("session_tomorrow", DAY_BEFORE),
        ("session_reminder", HOUR_BEFORE),
        ("session_tomorrow", DAY_BEFORE + week),
        ("session_reminder", HOUR_BEFORE + week),
        ("series_registered", NOW),
    ]
    assert registrations.series_of_person(db, user.id) == [series]


def test_a_session_published_later_is_carried_to_who_wants_the_series(db: DbSession) -> None:
    series, user, other = make_series(db), make_user(db), make_user(db)
    registrations.register_for_series(db, series.id, user.id, now=NOW)
    registrations.register_for_series(db, series.id, other.id, now=NOW)
    session = make_session(db, series=series)
    registrations.register(db, session.id, other.id, now=NOW)
    registrations.unregister(db, session.id, other.id, now=NOW)

    carried = registrations.carry_series_registrations(db, session, now=NOW)
    again = registrations.carry_series_registrations(db, session, now=NOW)

    assert (carried, again) == (1, 0)
    assert registrations.is_registered(db, session.id, user.id)
    assert not registrations.is_registered(db, session.id, other.id)


def test_giving_up_a_series_keeps_places_taken_one_by_one(db: DbSession) -> None:
    series, user = make_series(db), make_user(db)
    chosen = make_session(db, series=series)
    registrations.register(db, chosen.id, user.id, now=NOW)
    brought = make_session(db, series=series, starts_at=STARTS_AT + timedelta(days=7))
    registrations.register_for_series(db, series.id, user.id, now=NOW)

    registrations.unregister_from_series(db, series.id, user.id, now=NOW)

    assert registrations.is_registered(db, chosen.id, user.id)
    assert not registrations.is_registered(db, brought.id, user.id)
    assert not registrations.is_registered_for_series(db, series.id, user.id)
    assert owed(db) == [
        ("registration_confirmed", NOW),
        ("session_tomorrow", DAY_BEFORE),
        ("session_reminder", HOUR_BEFORE),
    ]
