"""The mails before a session, a day and an hour ahead: for many people with few questions."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from webinar.db import DbSession
from webinar.domain.letter import Dropped, MailKind, Postponed
from webinar.domain.mail_wishes import REMINDED_BEFORE
from webinar.domain.session import SessionStatus
from webinar.models import Delivery, WebinarSession
from webinar.services import announcements, registrations
from webinar.services.writing.facts import Outcome, given_up, letter_to, session_facts

A_MOMENT = timedelta(seconds=30)
# Less than that before the start, the reminder an hour ahead says it all.
STILL_A_DAY = timedelta(hours=6)


def reminder(db: DbSession, delivery: Delivery, now: datetime) -> Outcome:
    """It begins in a day, or soon."""
    session = db.get_one(WebinarSession, delivery.subject_id)
    return reminders(db, session, [delivery], now)[delivery.id]


def reminders(
    db: DbSession, session: WebinarSession, owed: Sequence[Delivery], now: datetime
) -> dict[int, Outcome]:
    """The same for deliveries of one kind, by their ids."""
    if (no := _for_nobody(session)) is not None:
        return {delivery.id: no for delivery in owed}
    readers = [delivery.user_id for delivery in owed]
    placed = registrations.registered_among(db, session.id, readers)
    unsaid = announcements.unsaid_of(db, readers, [session.id])
    not_now = _not_now(session, MailKind(owed[0].kind), now)
    facts = session_facts(session)
    outcomes: dict[int, Outcome] = {}
    for delivery in owed:
        if (gone := given_up(delivery)) is not None:
            outcomes[delivery.id] = gone
        elif delivery.user_id not in placed:
            outcomes[delivery.id] = Dropped("unregistered")
        elif not_now is not None:
            outcomes[delivery.id] = not_now
        elif (until := unsaid.get(delivery.user_id)) is not None:
            outcomes[delivery.id] = Postponed(max(until, now + A_MOMENT))
        else:
            outcomes[delivery.id] = letter_to(delivery, session=facts)
    return outcomes


def _for_nobody(session: WebinarSession) -> Dropped | None:
    if session.status is SessionStatus.CANCELLED:
        return Dropped(announcements.CANCELLED)
    if session.status is SessionStatus.DRAFT:
        return Dropped("the session is not announced any more")
    return None


def _not_now(session: WebinarSession, kind: MailKind, now: datetime) -> Dropped | Postponed | None:
    due_at = session.starts_at - REMINDED_BEFORE[kind]
    if due_at > now:
        # The session was moved to a later hour after the reminder was queued.
        return Postponed(due_at)
    if session.ends_at <= now or session.status is SessionStatus.ENDED:
        return Dropped("the session is over")
    if kind is MailKind.SESSION_TOMORROW and (
        session.starts_at - now < STILL_A_DAY or session.status is not SessionStatus.PUBLISHED
    ):
        return Dropped("the session begins in a few hours")
    return None
