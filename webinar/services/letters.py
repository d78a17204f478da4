"""From an owed mail to what it says, decided at the moment of sending and not when it was owed."""

from collections.abc import Callable
from datetime import datetime

from webinar.db import DbSession
from webinar.domain.letter import Dropped, MailKind
from webinar.models import Delivery
from webinar.services.writing import by_calendar, credit, faculty, people, recordings, sessions
from webinar.services.writing.facts import Outcome

Writer = Callable[[DbSession, Delivery, datetime], Outcome]

WRITERS: dict[MailKind, Writer] = {
    MailKind.VERIFY_EMAIL: people.one_time_link,
    MailKind.ALREADY_REGISTERED: people.one_time_link,
    MailKind.SIGN_IN_LINK: people.one_time_link,
    MailKind.REGISTRATION_CONFIRMED: sessions.registration_confirmed,
    MailKind.SESSION_TOMORROW: by_calendar.session_tomorrow,
    MailKind.SESSION_REMINDER: sessions.session_reminder,
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


def letter_for(db: DbSession, delivery: Delivery, *, now: datetime) -> Outcome:
    """What to send now, or why not, or when to ask again."""
    if delivery.user.erased_at is not None:
        return Dropped("the account was erased")
    return WRITERS[MailKind(delivery.kind)](db, delivery, now)
