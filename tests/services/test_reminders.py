"""The reminders of a session: owed with the place, moving with the session."""

from datetime import datetime, timedelta

from sqlalchemy import select

from tests import sending
from tests.builders import (
    NOW,
    STARTS_AT,
    make_registration,
    make_series,
    make_session,
    make_user,
)
from webinar.db import DbSession
from webinar.domain.letter import Dropped, Letter
from webinar.domain.session import SessionStatus
from webinar.models import Delivery
from webinar.services import deliveries, registrations, reminders

DAY, HOUR = timedelta(days=1), timedelta(hours=1)


def waiting(db: DbSession) -> list[tuple[str, datetime | None]]:
    """(kind, when) of the reminders that are still to leave, the next one first."""
    rows = db.execute(
        select(Delivery.kind, Delivery.due_at)
        .where(Delivery.kind.in_(["session_tomorrow", "session_reminder"]))
        .where(Delivery.due_at.is_not(None))
        .order_by(Delivery.due_at, Delivery.user_id)
    )
    return [(kind, due_at) for kind, due_at in rows]


def test_a_place_owes_a_mail_a_day_and_an_hour_before(db: DbSession) -> None:
    session, user = make_session(db), make_user(db)

    registrations.register(db, session.id, user.id, now=NOW)

    assert waiting(db) == [
        ("session_tomorrow", STARTS_AT - DAY),
        ("session_reminder", STARTS_AT - HOUR),
    ]


def test_who_registers_shortly_before_the_day_ahead_has_just_read_it(db: DbSession) -> None:
    session, user = make_session(db), make_user(db)

    registrations.register(db, session.id, user.id, now=STARTS_AT - DAY - 5 * HOUR)

    assert waiting(db) == [("session_reminder", STARTS_AT - HOUR)]


def test_within_the_last_hour_nobody_is_reminded(db: DbSession) -> None:
    session, user = make_session(db), make_user(db)

    registrations.register(db, session.id, user.id, now=STARTS_AT - HOUR)

    assert waiting(db) == []


def test_giving_up_the_place_gives_up_both_reminders(db: DbSession) -> None:
    session, user = make_session(db), make_user(db)
    registrations.register(db, session.id, user.id, now=NOW)

    registrations.unregister(db, session.id, user.id, now=NOW)

    assert waiting(db) == []


def test_a_second_registration_owes_them_anew(db: DbSession) -> None:
    session, user = make_session(db), make_user(db)
    for _ in range(2):
        registrations.register(db, session.id, user.id, now=NOW)
        registrations.unregister(db, session.id, user.id, now=NOW)

    registrations.register(db, session.id, user.id, now=NOW)

    assert waiting(db) == [
        ("session_tomorrow", STARTS_AT - DAY),
        ("session_reminder", STARTS_AT - HOUR),
    ]


def test_everybody_of_a_series_is_reminded_of_a_session_published_later(db: DbSession) -> None:
    series = make_series(db)
    for _ in range(3):
        registrations.register_for_series(db, series.id, make_user(db).id, now=NOW)
    session = make_session(db, series=series, status=SessionStatus.PUBLISHED)

    registrations.carry_series_registrations(db, session, now=NOW)

    assert waiting(db) == [
        *[("session_tomorrow", STARTS_AT - DAY)] * 3,
        *[("session_reminder", STARTS_AT - HOUR)] * 3,
    ]


def test_owing_the_same_reminders_twice_at_once_owes_them_once(db: DbSession) -> None:
    session, user = make_session(db), make_user(db)

    reminders.queue_reminders(db, session, [user.id, user.id], now=NOW)

    assert [kind for kind, _ in waiting(db)] == ["session_tomorrow", "session_reminder"]


def test_a_reminder_follows_a_session_that_is_moved(db: DbSession) -> None:
    session, user = make_session(db), make_user(db)
    registrations.register(db, session.id, user.id, now=NOW)
    session.starts_at += timedelta(days=1)

    reminders.follow_session(db, session, now=NOW)
    db.expire_all()

    reminder = db.scalars(select(Delivery).where(Delivery.kind == "session_reminder")).one()
    assert reminder.due_at == STARTS_AT + timedelta(hours=23)


def test_who_was_reminded_of_the_old_time_is_reminded_of_the_new(db: DbSession) -> None:
    session, user = make_session(db), make_user(db)
    registrations.register(db, session.id, user.id, now=NOW)
    reminded_at = STARTS_AT - timedelta(hours=1)
    first = db.scalars(select(Delivery).where(Delivery.kind == "session_reminder")).one()
    claimed_first = sending.claim(db, first.id, now=reminded_at)
    assert claimed_first is not None
    sending.mark_sent(db, claimed_first, now=reminded_at)
    session.starts_at += timedelta(days=7)

    reminders.follow_session(db, session, now=reminded_at)

    due = db.scalars(
        select(Delivery.due_at).where(Delivery.kind == "session_reminder", Delivery.revision == 1)
    ).one()
    assert due == STARTS_AT + timedelta(days=7) - timedelta(hours=1)


def claimed_reminder(db: DbSession) -> Delivery:
    """The one an hour ahead, taken to be sent when it was due."""
    reminder = db.scalars(select(Delivery).where(Delivery.kind == "session_reminder")).one()
    claimed = sending.claim(db, reminder.id, now=STARTS_AT - HOUR)
    assert claimed is not None
    db.expunge(claimed)
    return claimed


def test_who_is_being_reminded_while_it_moves_is_reminded_of_the_new_time(db: DbSession) -> None:
    session, user = make_session(db), make_user(db)
    registrations.register(db, session.id, user.id, now=NOW)
    held = claimed_reminder(db)
    session.starts_at += DAY

    reminders.follow_session(db, session, now=STARTS_AT - HOUR)
    assert held.lease_until is not None
    deliveries.mark_all_sent(
        db.connection(), [held.id], leased_until=held.lease_until, now=STARTS_AT - HOUR
    )

    reminder = db.get_one(Delivery, held.id, populate_existing=True)
    assert (reminder.sent_at, reminder.dropped_because) == (STARTS_AT - HOUR, None)
    assert ("session_reminder", STARTS_AT + DAY - HOUR) in waiting(db)


def test_a_reminder_that_was_claimed_but_did_not_leave_gives_way_to_the_new_one(
    db: DbSession,
) -> None:
    session, user = make_session(db), make_user(db)
    registrations.register(db, session.id, user.id, now=NOW)
    held = claimed_reminder(db)
    session.starts_at += DAY
    db.flush()

    reminders.follow_session(db, session, now=STARTS_AT - HOUR)

    read_anew = db.get_one(Delivery, held.id, populate_existing=True)
    outcome = sending.letter_for(db, read_anew, now=session.starts_at - HOUR)
    assert isinstance(outcome, Dropped)
    assert [kind for kind, _ in waiting(db)].count("session_reminder") == 1


def test_a_reminder_given_up_before_a_move_is_written_down_does_not_undo_the_move(
    db: DbSession,
) -> None:
    session, user = make_session(db), make_user(db)
    registrations.register(db, session.id, user.id, now=NOW)
    held = claimed_reminder(db)
    session.starts_at += DAY

    reminders.follow_session(db, session, now=STARTS_AT - HOUR)
    deliveries.mark_dropped(db, held, because="the session is cancelled")

    assert ("session_reminder", STARTS_AT + DAY - HOUR) in waiting(db)


def test_what_was_decided_before_a_move_leaves_a_reminder_where_the_move_put_it(
    db: DbSession,
) -> None:
    session, user = make_session(db), make_user(db)
    registrations.register(db, session.id, user.id, now=NOW)
    held = claimed_reminder(db)
    # A little earlier: too late for a new reminder.
    session.starts_at -= timedelta(minutes=10)
    db.flush()

    reminders.follow_session(db, session, now=STARTS_AT - HOUR)
    deliveries.mark_postponed(db, held, until=STARTS_AT + 7 * DAY)

    reminder = db.get_one(Delivery, held.id, populate_existing=True)
    earlier = STARTS_AT - HOUR - timedelta(minutes=10)
    assert (reminder.due_at, reminder.lease_until) == (earlier, None)
    assert isinstance(sending.letter_for(db, reminder, now=STARTS_AT - HOUR), Letter)


def test_a_place_from_before_there_were_such_reminders_gets_them_once(db: DbSession) -> None:
    session = make_session(db)
    make_registration(db, session, make_user(db))
    day_ahead = STARTS_AT - DAY - 8 * HOUR

    owed = [reminders.owe_missing(db, now=day_ahead + hour * HOUR) for hour in range(31)]

    assert (owed[0], sum(owed)) == (1, 2)
    assert waiting(db) == [
        ("session_tomorrow", STARTS_AT - DAY),
        ("session_reminder", STARTS_AT - HOUR),
    ]


def test_no_place_gets_a_second_reminder_for_having_one(db: DbSession) -> None:
    session, user = make_session(db), make_user(db)
    registrations.register(db, session.id, user.id, now=NOW)
    make_registration(db, make_session(db, status=SessionStatus.DRAFT), user)

    assert [reminders.owe_missing(db, now=NOW + hour * HOUR) for hour in range(200)] == [0] * 200
    assert len(waiting(db)) == 2
