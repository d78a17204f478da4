"""From an owed mail to what it says, decided at the moment of sending and not when it was owed."""

from collections.abc import Callable, Sequence
from datetime import datetime

from webinar.db import DbSession
from webinar.domain.letter import Dropped, MailKind
from webinar.domain.mail_wishes import REMINDED_BEFORE, topic_of
from webinar.models import Delivery, WebinarSession
from webinar.services import mail_wishes, troubles
from webinar.services.writing import (
    by_calendar,
    credit,
    faculty,
    people,
    recordings,
    reminders,
    sessions,
)
from webinar.services.writing.facts import Outcome

Writer = Callable[[DbSession, Delivery, datetime], Outcome]

WRITERS: dict[MailKind, Writer] = {
    MailKind.VERIFY_EMAIL: people.one_time_link,
    MailKind.ALREADY_REGISTERED: people.one_time_link,
    MailKind.SIGN_IN_LINK: people.one_time_link,
    MailKind.REGISTRATION_CONFIRMED: sessions.registration_confirmed,
    MailKind.SESSION_TOMORROW: reminders.reminder,
    MailKind.SESSION_REMINDER: reminders.reminder,
    MailKind.SESSION_MOVED: sessions.session_moved,
    MailKind.SESSION_CANCELLED: sessions.session_cancelled,
    MailKind.SESSION_RESTORED: sessions.session_moved,
    MailKind.RECORDING_PUBLISHED: recordings.recording_published,
    MailKind.RECORDING_CLOSING: recordings.recording_closing,
    MailKind.EXTENSION_GRANTED: recordings.extension_granted,
    MailKind.EXTENSION_WITHDRAWN: recordings.extension_withdrawn,
    MailKind.EXTENSION_DECLINED: recordings.extension_declined,
    MailKind.SERIES_REGISTERED: sessions.series_registered,
    MailKind.CREDIT_PENDING: credit.credit_pending,
    MailKind.APPEAL_ANSWERED: credit.appeal_answered,
    MailKind.CERTIFICATE_READY: credit.certificate_ready,
    MailKind.ROLE_INVITED: people.role_invited,
    MailKind.FACULTY_INVITED: faculty.faculty_invited,
    MailKind.FACULTY_REMINDER: faculty.faculty_reminder,
    MailKind.WEEKLY_DIGEST: by_calendar.weekly_digest,
    MailKind.REPORT_DUE: by_calendar.report_due,
}


def written(db: DbSession, delivery: Delivery, *, now: datetime) -> Outcome:
    """What to send now, or why not, or when to ask again: to somebody who wants such mails."""
    return WRITERS[MailKind(delivery.kind)](db, delivery, now)


def written_together(
    db: DbSession, owed: Sequence[Delivery], *, now: datetime
) -> dict[int, Outcome]:
    """The same for many, by their ids; those that cannot be written together are left out."""
    groups: dict[tuple[MailKind, int], list[Delivery]] = {}
    for delivery in owed:
        kind = MailKind(delivery.kind)
        if kind in REMINDED_BEFORE:
            groups.setdefault((kind, delivery.subject_id), []).append(delivery)
    outcomes: dict[int, Outcome] = {}
    for (_kind, session_id), group in groups.items():
        session = db.get(WebinarSession, session_id)
        if session is not None:
            outcomes |= reminders.reminders(db, session, group, now)
    return outcomes


def unwanted(db: DbSession, owed: Sequence[Delivery]) -> dict[int, Dropped]:
    """Why some of them are not to be sent, whatever they would say."""
    refusing = {
        kind: mail_wishes.unwanted(db, kind, [one.user_id for one in owed if one.kind == kind])
        for kind in {MailKind(delivery.kind) for delivery in owed}
        if topic_of(kind) is not None
    }
    unreachable: set[int] = set()
    if refusing:
        unreachable = troubles.held_back(db, {delivery.user_id for delivery in owed})
    found: dict[int, Dropped] = {}
    for delivery in owed:
        if delivery.user.erased_at is not None:
            found[delivery.id] = Dropped("the account was erased")
        elif (refused_by := refusing.get(MailKind(delivery.kind))) is None:
            continue
        elif delivery.user_id in refused_by:
            found[delivery.id] = Dropped("they do not want it")
        elif delivery.user_id in unreachable:
            found[delivery.id] = Dropped("mail to this address comes back")
    return found
