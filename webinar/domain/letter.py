"""A mail before it has words: which kind, to whom, about what."""

from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum

# When the letter of nobody was queued: an invented one.
NOBODYS = datetime(1970, 1, 1, tzinfo=UTC)


class MailKind(StrEnum):
    """Each kind is a folder of templates/mail, and names what its `subject_id` counts."""

    # The one-time link.
    VERIFY_EMAIL = "verify_email"
    ALREADY_REGISTERED = "already_registered"
    SIGN_IN_LINK = "sign_in_link"
    # The session.
    REGISTRATION_CONFIRMED = "registration_confirmed"
    SESSION_TOMORROW = "session_tomorrow"
    SESSION_REMINDER = "session_reminder"
    SESSION_MOVED = "session_moved"
    SESSION_CANCELLED = "session_cancelled"
    SESSION_RESTORED = "session_restored"
    RECORDING_PUBLISHED = "recording_published"
    RECORDING_CLOSING = "recording_closing"
    EXTENSION_GRANTED = "extension_granted"
    EXTENSION_WITHDRAWN = "extension_withdrawn"
    EXTENSION_DECLINED = "extension_declined"
    # The series.
    SERIES_REGISTERED = "series_registered"
    CREDIT_PENDING = "credit_pending"
    # The appeal.
    APPEAL_ANSWERED = "appeal_answered"
    # The certificate.
    CERTIFICATE_READY = "certificate_ready"
    # The role given (its row).
    ROLE_INVITED = "role_invited"
    # The member of the faculty.
    FACULTY_INVITED = "faculty_invited"
    FACULTY_REMINDER = "faculty_reminder"
    # The ISO week, as year * 100 + week.
    WEEKLY_DIGEST = "weekly_digest"
    # The session whose reports accreditors wait for.
    REPORT_DUE = "report_due"


@dataclass(frozen=True, kw_only=True)
class SessionFacts:
    """What a mail says of a session; instants in UTC."""

    public_id: str
    title: str
    starts_at: datetime
    ends_at: datetime
    zone: str
    society: str
    series: str = ""
    faculty: tuple[str, ...] = ()
    moved_from: datetime | None = None
    cancellation_reason: str = ""
    watch_until: datetime | None = None


@dataclass(frozen=True, kw_only=True)
class LinkFacts:
    """A one-time link: the secret itself, which is nowhere else."""

    token: str
    expires_at: datetime


@dataclass(frozen=True, kw_only=True)
class CertificateFacts:
    """What a mail says of a certificate."""

    number: str
    credits: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class AppealFacts:
    """What a mail says of an appeal that was answered; the words are the letter's `answer`."""

    body: str
    is_upheld: bool


@dataclass(frozen=True, kw_only=True)
class PendingFacts:
    """Credit that waits for the person: what is still to do, and until when."""

    body: str
    step: str
    due_at: datetime | None = None


@dataclass(frozen=True, kw_only=True)
class RoleFacts:
    """What a mail says of a role somebody was given."""

    role: str
    """As people say it: Organiser."""
    words: str
    """What it lets them do, after "you": plans series and sessions."""
    society: str = ""
    """Its name; "" if the role holds everywhere."""
    given_by: str = ""


@dataclass(frozen=True, kw_only=True)
class OwedFacts:
    """One thing a member of the faculty is asked for."""

    words: str
    due: str
    """The day, in words, in the zone of the session."""
    is_late: bool


@dataclass(frozen=True, kw_only=True)
class FacultyFacts:
    """What a mail says to a member of the faculty: their parts, address and what is missing."""

    token: str
    parts: tuple[str, ...]
    missing: tuple[OwedFacts, ...]


@dataclass(frozen=True, kw_only=True)
class SeriesFacts:
    """What a mail says of a series; the sessions are the next ones."""

    slug: str
    name: str
    sessions: tuple[SessionFacts, ...]


@dataclass(frozen=True, kw_only=True)
class DigestFacts:
    """The sessions of a week, the next one first."""

    first_at: datetime
    """Monday, 00:00 in the reader's zone."""
    sessions: tuple[SessionFacts, ...]
    taken: frozenset[str] = frozenset()
    """Public ids of those the reader has a place in."""
    topics: tuple[str, ...] = ()
    """Names of those the reader chose; () means all."""


@dataclass(frozen=True, kw_only=True)
class ReportFacts:
    """Reports on a session that accreditors wait for."""

    bodies: tuple[str, ...]
    due: str
    """The last day, in words, in the zone of the session."""
    is_last_day: bool
    """True on the last day and after it."""


@dataclass(frozen=True, kw_only=True)
class Letter:
    """All that the templates of its kind may use. What a kind does not speak of is None."""

    kind: MailKind
    key: str
    """The same for every try to send it, so that two copies are known for one."""
    email: str
    name: str
    zone: str
    """The reader's, an IANA name."""
    session: SessionFacts | None = None
    link: LinkFacts | None = None
    certificate: CertificateFacts | None = None
    series: SeriesFacts | None = None
    role: RoleFacts | None = None
    faculty: FacultyFacts | None = None
    appeal: AppealFacts | None = None
    digest: DigestFacts | None = None
    report: ReportFacts | None = None
    pending: tuple[PendingFacts, ...] = ()
    answer: str = ""
    """What the organisers wrote to the person."""
    user_id: int = 0
    delivery_id: int = 0
    created_at: datetime = NOBODYS
    """When the delivery was queued."""


@dataclass(frozen=True)
class Dropped:
    """The mail is not sent any more, and why."""

    because: str


@dataclass(frozen=True)
class Postponed:
    """The mail is decided again at this instant."""

    until: datetime
