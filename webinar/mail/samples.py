"""One invented letter of each kind, for previews and tests."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from webinar.domain.letter import (
    AppealFacts,
    CertificateFacts,
    DigestFacts,
    FacultyFacts,
    Letter,
    LinkFacts,
    MailKind,
    OwedFacts,
    PendingFacts,
    ReportFacts,
    RoleFacts,
    SeriesFacts,
    SessionFacts,
)

NOW = datetime(2026, 11, 26, 16, 15, tzinfo=UTC)
SESSION = SessionFacts(
    public_id="k7m2qx4p",
    title="Sentinel nodes after neoadjuvant therapy",
    starts_at=datetime(2026, 11, 26, 17, 15, tzinfo=UTC),
    ends_at=datetime(2026, 11, 26, 18, 0, tzinfo=UTC),
    zone="Europe/Zurich",
    society="Demo School of Oncology",
    series="e-grandrounds",
    faculty=("Prof Elena Marchetti", "Dr Jonas Weber"),
    moved_from=datetime(2026, 11, 19, 17, 15, tzinfo=UTC),
    cancellation_reason="The speaker is ill.",
    watch_until=datetime(2027, 5, 26, 17, 0, tzinfo=UTC),
)
LINKS = frozenset(
    {
        MailKind.VERIFY_EMAIL,
        MailKind.ALREADY_REGISTERED,
        MailKind.SIGN_IN_LINK,
        MailKind.ROLE_INVITED,
    }
)
ANSWERS = {
    MailKind.EXTENSION_DECLINED: (
        "Everybody had six months, and the slides stay on the page of the session."
    ),
    MailKind.APPEAL_ANSWERED: "The report of the meeting shows that you were there until 19:00.",
}
OF_SEVERAL = frozenset({MailKind.SERIES_REGISTERED, MailKind.WEEKLY_DIGEST})
FACULTY = frozenset({MailKind.FACULTY_INVITED, MailKind.FACULTY_REMINDER})


def sample_letter(kind: MailKind, *, zone: str = "America/New_York") -> Letter:
    """A letter of this kind to Dr Anna Keller, who reads it in this zone."""
    letters = "x7Lw0-a-secret-of-43-letters-stands-here-Kq4"
    link = LinkFacts(token=letters, expires_at=NOW + timedelta(minutes=15))
    return Letter(
        kind=kind,
        key=f"{kind}.1.1.0",
        email="anna.keller@example.net",
        name="Dr Anna Keller",
        zone=zone,
        link=link if kind in LINKS else None,
        session=None if kind in LINKS | OF_SEVERAL else _session_of(kind),
        series=SeriesFacts(
            slug="e-grandrounds", name="e-grandrounds", sessions=(SESSION, _a_week_later())
        )
        if kind is MailKind.SERIES_REGISTERED
        else None,
        certificate=CertificateFacts(number="GR-2026-7Q4M-81", credits=("CME 1", "ESMO-MORA 1"))
        if kind is MailKind.CERTIFICATE_READY
        else None,
        role=RoleFacts(
            role="Organiser",
            words="plans series and sessions, names the faculty, publishes recordings",
            society=SESSION.society,
            given_by="Prof Elena Marchetti",
        )
        if kind is MailKind.ROLE_INVITED
        else None,
        faculty=FacultyFacts(
            token=letters,
            parts=("presenter", "moderator"),
            missing=(
                OwedFacts(words="your disclosure", due="5 November 2026", is_late=True),
                OwedFacts(words="your slides", due="26 November 2026", is_late=False),
            ),
        )
        if kind in FACULTY
        else None,
        appeal=AppealFacts(body="CME", is_upheld=True)
        if kind is MailKind.APPEAL_ANSWERED
        else None,
        pending=(
            PendingFacts(body="CME", step="Take the test.", due_at=NOW + timedelta(days=3)),
            PendingFacts(body="ESMO-MORA", step="Fill in the evaluation."),
        )
        if kind is MailKind.CREDIT_PENDING
        else (),
        digest=DigestFacts(
            first_at=datetime(2026, 11, 22, 23, 0, tzinfo=UTC),
            sessions=(SESSION, _the_day_after()),
            taken=frozenset({SESSION.public_id}),
            topics=("Breast", "Urology"),
        )
        if kind is MailKind.WEEKLY_DIGEST
        else None,
        report=ReportFacts(bodies=("EACCME", "SGIM"), due="24 December 2026", is_last_day=False)
        if kind is MailKind.REPORT_DUE
        else None,
        answer=ANSWERS.get(kind, ""),
    )


def _session_of(kind: MailKind) -> SessionFacts:
    if kind is not MailKind.SESSION_TOMORROW:
        return SESSION
    day = timedelta(days=1)
    return replace(SESSION, starts_at=NOW + day, ends_at=NOW + day + timedelta(minutes=45))


def _the_day_after() -> SessionFacts:
    day = timedelta(days=1)
    return SessionFacts(
        public_id="t9w4bd2r",
        title="Active surveillance: whom, how often, until when",
        starts_at=SESSION.starts_at + day,
        ends_at=SESSION.ends_at + day,
        zone=SESSION.zone,
        society=SESSION.society,
        faculty=("Dr Ruth Baumann",),
    )


def _a_week_later() -> SessionFacts:
    week = timedelta(days=7)
    return SessionFacts(
        public_id="p3n8wz1c",
        title="Watchful waiting in prostate cancer",
        starts_at=SESSION.starts_at + week,
        ends_at=SESSION.ends_at + week,
        zone=SESSION.zone,
        society=SESSION.society,
        series=SESSION.series,
    )
