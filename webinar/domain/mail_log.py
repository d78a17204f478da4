"""What became of a mail, and what it was about: the words of the log."""

from datetime import datetime
from enum import StrEnum

from webinar.domain.letter import MailKind

NOT_SENT = "not sent after"
REFUSED = "refused by the mail server"


class MailState(StrEnum):
    """How a mail stands."""

    WAITING = "waiting"
    SENT = "sent"
    RETURNED = "returned"
    """The mail server had it, and it came back."""
    GIVEN_UP = "given up"
    """No mail server took it."""
    DROPPED = "dropped"
    """It was not wanted any more when its moment came."""


class About(StrEnum):
    """What `subject_id` of a mail counts."""

    LINK = "link"
    SESSION = "session"
    SERIES = "series"
    APPEAL = "appeal"
    CERTIFICATE = "certificate"
    ROLE = "role"
    FACULTY = "faculty"
    WEEK = "week"


_ABOUT: dict[MailKind, About] = {
    MailKind.VERIFY_EMAIL: About.LINK,
    MailKind.ALREADY_REGISTERED: About.LINK,
    MailKind.SIGN_IN_LINK: About.LINK,
    MailKind.SERIES_REGISTERED: About.SERIES,
    MailKind.APPEAL_ANSWERED: About.APPEAL,
    MailKind.CERTIFICATE_READY: About.CERTIFICATE,
    MailKind.ROLE_INVITED: About.ROLE,
    MailKind.FACULTY_INVITED: About.FACULTY,
    MailKind.FACULTY_REMINDER: About.FACULTY,
    MailKind.WEEKLY_DIGEST: About.WEEK,
}

KIND_NAMES: dict[MailKind, str] = {
    MailKind.VERIFY_EMAIL: "Prove your e-mail",
    MailKind.ALREADY_REGISTERED: "You have an account already",
    MailKind.SIGN_IN_LINK: "Link to sign in",
    MailKind.REGISTRATION_CONFIRMED: "You have a place",
    MailKind.SESSION_TOMORROW: "Reminder, a day before",
    MailKind.SESSION_REMINDER: "Reminder, an hour before",
    MailKind.SESSION_MOVED: "Moved",
    MailKind.SESSION_CANCELLED: "Cancelled",
    MailKind.SESSION_RESTORED: "Takes place after all",
    MailKind.RECORDING_PUBLISHED: "Recording is ready",
    MailKind.RECORDING_CLOSING: "Recording closes soon",
    MailKind.EXTENSION_GRANTED: "More time to watch",
    MailKind.EXTENSION_WITHDRAWN: "Time to watch taken back",
    MailKind.EXTENSION_DECLINED: "No more time to watch",
    MailKind.SERIES_REGISTERED: "You have a place in the series",
    MailKind.CREDIT_PENDING: "Credit waits",
    MailKind.APPEAL_ANSWERED: "Appeal answered",
    MailKind.CERTIFICATE_READY: "Certificate is ready",
    MailKind.ROLE_INVITED: "Given a role",
    MailKind.FACULTY_INVITED: "Faculty invited",
    MailKind.FACULTY_REMINDER: "Faculty reminded",
    MailKind.WEEKLY_DIGEST: "The week's sessions",
    MailKind.REPORT_DUE: "Report is due",
}

# Their words or their secret were forgotten with the first try that ended: a new one is asked for.
CANNOT_BE_SENT_AGAIN = frozenset(
    {
        MailKind.VERIFY_EMAIL,
        MailKind.ALREADY_REGISTERED,
        MailKind.SIGN_IN_LINK,
        MailKind.ROLE_INVITED,
        MailKind.FACULTY_INVITED,
        MailKind.FACULTY_REMINDER,
        MailKind.EXTENSION_DECLINED,
    }
)


def about(kind: MailKind) -> About:
    """What the mail is about; most are about a session."""
    return _ABOUT.get(kind, About.SESSION)


def kinds_about(what: About) -> tuple[MailKind, ...]:
    """The kinds of mail that are about such a thing."""
    return tuple(kind for kind in MailKind if about(kind) is what)


def state_of(
    *,
    due_at: datetime | None,
    sent_at: datetime | None,
    returned_at: datetime | None,
    dropped_because: str | None,
) -> MailState:
    """How the mail stands, by what was written down of it."""
    if due_at is not None:
        return MailState.WAITING
    if returned_at is not None:
        return MailState.RETURNED
    if sent_at is not None:
        return MailState.SENT
    if dropped_because == REFUSED or (dropped_because or "").startswith(NOT_SENT):
        return MailState.GIVEN_UP
    return MailState.DROPPED


def can_be_sent_again(kind: MailKind, state: MailState) -> bool:
    """True if an organiser may have it tried anew."""
    lost = state in (MailState.GIVEN_UP, MailState.RETURNED)
    return lost and kind not in CANNOT_BE_SENT_AGAIN
