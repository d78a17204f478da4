"""Mails about a place: confirmed, reminded, moved, cancelled."""

from dataclasses import replace
from datetime import datetime, timedelta

from sqlalchemy import or_, select

from webinar.db import DbSession
from webinar.domain.announcement import what_to_say
from webinar.domain.letter import Dropped, Postponed, SeriesFacts
from webinar.domain.session import SessionStatus
from webinar.models import Delivery, Series, WebinarSession
from webinar.services import announcements, registrations
from webinar.services.writing.facts import Outcome, given_up, letter_to, not_coming, session_facts

SESSIONS_IN_A_MAIL = 5
A_MOMENT = timedelta(seconds=30)


def registration_confirmed(db: DbSession, delivery: Delivery, now: datetime) -> Outcome:
    """You have a place."""
    session = db.get_one(WebinarSession, delivery.subject_id)
    if (no := given_up(delivery) or not_coming(db, session, delivery.user_id)) is not None:
        return no
    if session.ends_at <= now and session.status is not SessionStatus.LIVE:
        return Dropped("the session is over")
    if (until := announcements.unsaid_until(db, delivery.user_id, [session.id])) is not None:
        return Postponed(max(until, now + A_MOMENT))
    return letter_to(delivery, session=session_facts(session))


def series_registered(db: DbSession, delivery: Delivery, now: datetime) -> Outcome:
    """You have a place in all sessions of a series."""
    if (no := given_up(delivery)) is not None:
        return no
    series = db.get_one(Series, delivery.subject_id)
    if not registrations.is_registered_for_series(db, series.id, delivery.user_id):
        return Dropped("unregistered")
    upcoming = registrations.upcoming_of_series(db, series.id, now=now)
    ids = [session.id for session in upcoming]
    if (until := announcements.unsaid_until(db, delivery.user_id, ids)) is not None:
        return Postponed(max(until, now + A_MOMENT))
    facts = SeriesFacts(
        slug=series.slug,
        name=series.name,
        sessions=tuple(session_facts(session) for session in upcoming[:SESSIONS_IN_A_MAIL]),
    )
    return letter_to(delivery, series=facts)


def session_moved(db: DbSession, delivery: Delivery, now: datetime) -> Outcome:
    """Another hour, or it takes place after all."""
    session = db.get_one(WebinarSession, delivery.subject_id)
    if (no := given_up(delivery) or not_coming(db, session, delivery.user_id)) is not None:
        return no
    if session.ends_at <= now:
        return Dropped("the session is over")
    return _notice(db, delivery, session, now)


def session_cancelled(db: DbSession, delivery: Delivery, now: datetime) -> Outcome:
    """It does not take place."""
    if (no := given_up(delivery)) is not None:
        return no
    session = db.get_one(WebinarSession, delivery.subject_id)
    if session.status is not SessionStatus.CANCELLED:
        return Dropped("the session takes place again")
    if not registrations.is_registered(db, session.id, delivery.user_id):
        return Dropped("unregistered")
    return _notice(db, delivery, session, now)


def _notice(db: DbSession, delivery: Delivery, session: WebinarSession, now: datetime) -> Outcome:
    """What is new to somebody who knows what the delivery keeps, and what was sent since."""
    newer = db.scalar(
        select(Delivery.id)
        .where(Delivery.kind.in_([kind.value for kind in announcements.NOTICES]))
        .where(Delivery.user_id == delivery.user_id)
        .where(Delivery.subject_id == delivery.subject_id)
        # Of one revision there may be two kinds: what was sent before decides which is true.
        .where(Delivery.revision > delivery.revision)
        .where(or_(Delivery.due_at.is_not(None), Delivery.sent_at.is_not(None)))
        .limit(1)
    )
    if newer is not None:
        return Dropped("something newer is said")
    facts = session_facts(session)
    knows = announcements.Knowledge.from_details(delivery.details)
    if knows is None:
        return letter_to(delivery, session=facts)
    knows = announcements.settled(db, {delivery.id: knows}, now=now)[delivery.id]
    if knows.unless:
        # Whoever holds the older notice has not written down yet whether it was sent.
        return Postponed(now + A_MOMENT)
    known = knows.known
    if what_to_say(known, announcements.standing_of(session)) != delivery.kind:
        return Dropped("nothing is new")
    if session.status is SessionStatus.CANCELLED:
        # They look for it at the hour they know.
        facts = replace(facts, starts_at=known.starts_at, ends_at=known.ends_at, moved_from=None)
    else:
        moved = known.starts_at != session.starts_at
        facts = replace(facts, moved_from=known.starts_at if moved else None)
    return letter_to(delivery, session=facts)
