"""Places in sessions and in series: taken, given up, carried along."""

from collections.abc import Collection
from datetime import datetime

from sqlalchemy import Select, func, select
from sqlalchemy.exc import IntegrityError

from webinar.db import DbSession
from webinar.domain.letter import MailKind
from webinar.domain.registration import ensure_may_register
from webinar.domain.session import SessionStatus
from webinar.models import (
    Recording,
    Registration,
    Series,
    SeriesRegistration,
    User,
    WebinarSession,
)
from webinar.services import deliveries, reminders

UPCOMING = (SessionStatus.PUBLISHED, SessionStatus.LIVE)
OWED_FOR_A_PLACE = (
    MailKind.REGISTRATION_CONFIRMED,
    MailKind.SESSION_TOMORROW,
    MailKind.SESSION_REMINDER,
    MailKind.SESSION_MOVED,
    MailKind.SESSION_CANCELLED,
    MailKind.SESSION_RESTORED,
)


def register(
    db: DbSession, session_id: int, user_id: int, *, now: datetime, source: str = "web"
) -> Registration:
    """Give a person a place and owe them the confirmation and the reminders; twice is once.

    Raises NotOpenYet, SessionCancelled, RegistrationClosed.
    """
    # Shared, so that registrations go side by side while a cancellation waits for them.
    session = db.get_one(
        WebinarSession, session_id, with_for_update={"read": True}, populate_existing=True
    )
    db.get_one(User, user_id)
    closes_at = db.scalar(select(Recording.closes_at).where(Recording.session_id == session.id))
    ensure_may_register(session.status, session.ends_at, recording_closes_at=closes_at, now=now)
    registration, is_new = _take_place(db, session, user_id, source=source, now=now)
    if is_new and session.status in UPCOMING and now < session.ends_at:
        _confirm(db, session, user_id, now=now)
        reminders.queue_reminders(db, session, [user_id], now=now)
    return registration


def unregister(db: DbSession, session_id: int, user_id: int, *, now: datetime) -> None:
    """Give the place up; what was about to be mailed for it is dropped. Twice is once."""
    registration = db.scalar(_place_query(session_id, user_id))
    if registration is None or registration.cancelled_at is not None:
        return
    registration.cancelled_at = now
    for kind in OWED_FOR_A_PLACE:
        deliveries.drop(db, kind, subject_id=session_id, user_id=user_id, because="unregistered")
    db.flush()


def register_for_series(
    db: DbSession, series_id: int, user_id: int, *, now: datetime
) -> SeriesRegistration:
    """A place in every session of the series, now and as they are published; one mail says so."""
    series = db.get_one(Series, series_id)
    db.get_one(User, user_id)
    registration = db.get(SeriesRegistration, (series.id, user_id))
    if registration is not None:
        return registration
    registration = SeriesRegistration(series=series, user_id=user_id, created_at=now)
    try:
        with db.begin_nested():
            db.add(registration)
    except IntegrityError:
        return db.get_one(SeriesRegistration, (series_id, user_id))
    for session in upcoming_of_series(db, series.id, now=now):
        _, is_new = _take_place(db, session, user_id, source="series", now=now)
        if is_new:
            reminders.queue_reminders(db, session, [user_id], now=now)
    kind = MailKind.SERIES_REGISTERED
    deliveries.queue(
        db,
        kind,
        user_id=user_id,
        subject_id=series.id,
        due_at=now,
        revision=deliveries.next_revision(db, kind, user_id=user_id, subject_id=series.id),
        now=now,
    )
    return registration


def unregister_from_series(db: DbSession, series_id: int, user_id: int, *, now: datetime) -> None:
    """Give up the series and the coming places it brought; those taken one by one stay."""
    registration = db.get(SeriesRegistration, (series_id, user_id))
    if registration is None:
        return
    db.delete(registration)
    deliveries.drop(
        db,
        MailKind.SERIES_REGISTERED,
        subject_id=series_id,
        user_id=user_id,
        because="unregistered",
    )
    for session in upcoming_of_series(db, series_id, now=now):
        place = db.scalar(_place_query(session.id, user_id))
        if place is not None and place.source == "series":
            unregister(db, session.id, user_id, now=now)
    db.flush()


def carry_series_registrations(db: DbSession, session: WebinarSession, *, now: datetime) -> int:
    """Give everyone of the series a place in a session that was just published; how many.

    Who gave up this very session before is left alone.
    """
    if session.series_id is None:
        return 0
    known = select(Registration.user_id).where(Registration.session_id == session.id)
    missing = db.scalars(
        select(SeriesRegistration.user_id)
        .where(SeriesRegistration.series_id == session.series_id)
        .where(SeriesRegistration.user_id.not_in(known))
        .order_by(SeriesRegistration.user_id)
    ).all()
    for user_id in missing:
        _take_place(db, session, user_id, source="series", now=now)
    reminders.queue_reminders(db, session, missing, now=now)
    return len(missing)


def is_registered(db: DbSession, session_id: int, user_id: int) -> bool:
    """True while the person has a place in the session."""
    place = db.scalar(_place_query(session_id, user_id))
    return place is not None and place.cancelled_at is None


def registered_among(db: DbSession, session_id: int, user_ids: Collection[int]) -> set[int]:
    """Those of them who have a place in the session."""
    return set(
        db.scalars(
            select(Registration.user_id)
            .where(Registration.session_id == session_id)
            .where(Registration.user_id.in_(list(user_ids)))
            .where(Registration.cancelled_at.is_(None))
        )
    )


def is_registered_for_series(db: DbSession, series_id: int, user_id: int) -> bool:
    """True while the person wants every session of the series."""
    return db.get(SeriesRegistration, (series_id, user_id)) is not None


def series_of_person(db: DbSession, user_id: int) -> list[Series]:
    """The series of which the person wants every session, by name."""
    return list(
        db.scalars(
            select(Series)
            .join(SeriesRegistration, SeriesRegistration.series_id == Series.id)
            .where(SeriesRegistration.user_id == user_id)
            .order_by(Series.name, Series.id)
        )
    )


def registered_count(db: DbSession, session_id: int) -> int:
    """How many people have a place in the session."""
    return (
        db.scalar(
            select(func.count())
            .select_from(Registration)
            .where(Registration.session_id == session_id)
            .where(Registration.cancelled_at.is_(None))
        )
        or 0
    )


def upcoming_of_series(db: DbSession, series_id: int, *, now: datetime) -> list[WebinarSession]:
    """Announced sessions of the series that are not over, the next one first."""
    return list(
        db.scalars(
            select(WebinarSession)
            .where(WebinarSession.series_id == series_id)
            .where(WebinarSession.status.in_(UPCOMING))
            .where(WebinarSession.ends_at > now)
            .order_by(WebinarSession.starts_at, WebinarSession.id)
        )
    )


def _place_query(session_id: int, user_id: int) -> Select[Registration]:
    return (
        select(Registration)
        .where(Registration.session_id == session_id)
        .where(Registration.user_id == user_id)
    )


def _take_place(
    db: DbSession, session: WebinarSession, user_id: int, *, source: str, now: datetime
) -> tuple[Registration, bool]:
    """The person's place, and whether they had none until now."""
    place = db.scalar(_place_query(session.id, user_id))
    if place is None:
        place = Registration(session_id=session.id, user_id=user_id, source=source, created_at=now)
        try:
            with db.begin_nested():
                db.add(place)
        except IntegrityError:
            # Two presses of the button at once: the other one was first.
            return db.scalars(_place_query(session.id, user_id)).one(), False
        return place, True
    if place.cancelled_at is None:
        return place, False
    place.cancelled_at = None
    place.source = source
    db.flush()
    return place, True


def _confirm(db: DbSession, session: WebinarSession, user_id: int, *, now: datetime) -> None:
    kind = MailKind.REGISTRATION_CONFIRMED
    deliveries.queue(
        db,
        kind,
        user_id=user_id,
        subject_id=session.id,
        due_at=now,
        revision=deliveries.next_revision(db, kind, user_id=user_id, subject_id=session.id),
        now=now,
    )
