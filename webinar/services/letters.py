"""From an owed mail to what it says, decided at the moment of sending and not when it was owed."""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta

from sqlalchemy import or_, select

from webinar.db import DbSession
from webinar.domain.access import ROLE_NAMES, ROLE_WORDS
from webinar.domain.announcement import Standing, what_to_say
from webinar.domain.disclosure import day_in_words
from webinar.domain.letter import (
    CertificateFacts,
    Dropped,
    FacultyFacts,
    Letter,
    LinkFacts,
    MailKind,
    OwedFacts,
    Postponed,
    RoleFacts,
    SeriesFacts,
    SessionFacts,
)
from webinar.domain.recording import WARNED_BEFORE, RecordingState
from webinar.domain.session import SessionStatus
from webinar.domain.timezone import to_local
from webinar.domain.wording import credit_amount
from webinar.models import (
    Certificate,
    CreditDecision,
    Delivery,
    FacultyMember,
    Recording,
    Series,
    SignInLink,
    Society,
    User,
    UserRole,
    WebinarSession,
)
from webinar.services import (
    announcements,
    closing_warnings,
    credit_letters,
    deliveries,
    faculty,
    links,
    recordings,
    registrations,
)

SESSIONS_IN_A_MAIL = 5
A_MOMENT = timedelta(seconds=30)
HAS_WINDOW = (RecordingState.PUBLISHED, RecordingState.CLOSED)

Outcome = Letter | Dropped | Postponed
Writer = Callable[[DbSession, Delivery, datetime], Outcome]


def letter_for(db: DbSession, delivery: Delivery, *, now: datetime) -> Outcome:
    """What to send now, or why not, or when to ask again."""
    if delivery.user.erased_at is not None:
        return Dropped("the account was erased")
    return WRITERS[MailKind(delivery.kind)](db, delivery, now)


def session_facts(session: WebinarSession) -> SessionFacts:
    """What a mail says of a session."""
    return SessionFacts(
        public_id=session.public_id,
        title=session.title,
        starts_at=session.starts_at,
        ends_at=session.ends_at,
        zone=session.zone,
        society=session.society.name,
        series=session.series.name if session.series else "",
        faculty=tuple(member.name for member in session.faculty),
        moved_from=session.moved_from,
        cancellation_reason=session.cancellation_reason,
    )


def _one_time_link(db: DbSession, delivery: Delivery, now: datetime) -> Outcome:
    link = db.get(SignInLink, delivery.subject_id)
    token = delivery.details.get("token", "")
    if link is None or not token or link.used_at is not None or link.expires_at <= now:
        return Dropped("the link is used or too old")
    return _letter(delivery, link=LinkFacts(token=str(token), expires_at=link.expires_at))


def _registration_confirmed(db: DbSession, delivery: Delivery, now: datetime) -> Outcome:
    session = db.get_one(WebinarSession, delivery.subject_id)
    if (no := _not_coming(db, session, delivery.user_id)) is not None:
        return no
    if session.ends_at <= now and session.status is not SessionStatus.LIVE:
        return Dropped("the session is over")
    if (until := announcements.unsaid_until(db, delivery.user_id, [session.id])) is not None:
        return Postponed(max(until, now + A_MOMENT))
    return _letter(delivery, session=session_facts(session))


def _session_reminder(db: DbSession, delivery: Delivery, now: datetime) -> Outcome:
    session = db.get_one(WebinarSession, delivery.subject_id)
    if (no := _not_coming(db, session, delivery.user_id)) is not None:
        return no
    due_at = session.starts_at - deliveries.REMINDER_BEFORE
    if due_at > now:
        # The session was moved to a later hour after the reminder was queued.
        return Postponed(due_at)
    if session.ends_at <= now or session.status is SessionStatus.ENDED:
        return Dropped("the session is over")
    if (until := announcements.unsaid_until(db, delivery.user_id, [session.id])) is not None:
        return Postponed(max(until, now + A_MOMENT))
    return _letter(delivery, session=session_facts(session))


def _session_moved(db: DbSession, delivery: Delivery, now: datetime) -> Outcome:
    session = db.get_one(WebinarSession, delivery.subject_id)
    if (no := _not_coming(db, session, delivery.user_id)) is not None:
        return no
    if session.ends_at <= now:
        return Dropped("the session is over")
    return _notice(db, delivery, session)


def _session_cancelled(db: DbSession, delivery: Delivery, now: datetime) -> Outcome:
    session = db.get_one(WebinarSession, delivery.subject_id)
    if session.status is not SessionStatus.CANCELLED:
        return Dropped("the session takes place again")
    if not registrations.is_registered(db, session.id, delivery.user_id):
        return Dropped("unregistered")
    return _notice(db, delivery, session)


def _notice(db: DbSession, delivery: Delivery, session: WebinarSession) -> Outcome:
    """What is new to somebody who knows what the delivery keeps."""
    newer = db.scalar(
        select(Delivery.id)
        .where(Delivery.kind.in_([kind.value for kind in announcements.NOTICES]))
        .where(Delivery.user_id == delivery.user_id)
        .where(Delivery.subject_id == delivery.subject_id)
        .where(Delivery.id > delivery.id)
        .where(or_(Delivery.due_at.is_not(None), Delivery.sent_at.is_not(None)))
        .limit(1)
    )
    if newer is not None:
        return Dropped("something newer is said")
    facts = session_facts(session)
    known = Standing.from_details(delivery.details)
    if known is None:
        return _letter(delivery, session=facts)
    if what_to_say(known, announcements.standing_of(session)) != delivery.kind:
        return Dropped("nothing is new")
    if session.status is SessionStatus.CANCELLED:
        # They look for it at the hour they know.
        facts = replace(facts, starts_at=known.starts_at, ends_at=known.ends_at, moved_from=None)
    else:
        moved = known.starts_at != session.starts_at
        facts = replace(facts, moved_from=known.starts_at if moved else None)
    return _letter(delivery, session=facts)


def _recording_published(db: DbSession, delivery: Delivery, now: datetime) -> Outcome:
    session = db.get_one(WebinarSession, delivery.subject_id)
    recording = db.scalar(select(Recording).where(Recording.session_id == session.id))
    if not registrations.is_registered(db, session.id, delivery.user_id):
        return Dropped("unregistered")
    if (
        recording is None
        or recording.closes_at is None
        or recording.state is not RecordingState.PUBLISHED
    ):
        return Dropped("the recording is not published")
    watch_until = recordings.closes_at_of(db, recording, delivery.user_id)
    if watch_until <= now:
        return Dropped("the recording is closed")
    facts = replace(session_facts(session), watch_until=watch_until)
    return _letter(delivery, session=facts)


def _recording_closing(db: DbSession, delivery: Delivery, now: datetime) -> Outcome:
    session = db.get_one(WebinarSession, delivery.subject_id)
    outcome = _window(db, delivery, session, now)
    if isinstance(outcome, Dropped):
        return outcome
    if not registrations.is_registered(db, session.id, delivery.user_id):
        return Dropped("unregistered")
    if outcome - WARNED_BEFORE > now:
        # The clock owes another mail a week before the new end.
        return Dropped("there is more time now")
    if closing_warnings.has_finished(db, session, delivery.user_id):
        return Dropped("they have watched it")
    return _letter(delivery, session=replace(session_facts(session), watch_until=outcome))


def _extension_granted(db: DbSession, delivery: Delivery, now: datetime) -> Outcome:
    session = db.get_one(WebinarSession, delivery.subject_id)
    outcome = _window(db, delivery, session, now)
    if isinstance(outcome, Dropped):
        return outcome
    return _letter(delivery, session=replace(session_facts(session), watch_until=outcome))


def _extension_withdrawn(db: DbSession, delivery: Delivery, _now: datetime) -> Outcome:
    session = db.get_one(WebinarSession, delivery.subject_id)
    recording = recordings.for_session(db, session.id)
    if recording is None or recording.closes_at is None:
        return Dropped("there is no recording")
    until = recordings.closes_at_of(db, recording, delivery.user_id)
    return _letter(delivery, session=replace(session_facts(session), watch_until=until))


def _extension_declined(db: DbSession, delivery: Delivery, _now: datetime) -> Outcome:
    session = db.get_one(WebinarSession, delivery.subject_id)
    answer = str(delivery.details.get("answer", ""))
    return _letter(delivery, session=session_facts(session), answer=answer)


def _window(
    db: DbSession, delivery: Delivery, session: WebinarSession, now: datetime
) -> datetime | Dropped:
    """Until when the person may watch, with their extension, or why nothing is said of it."""
    recording = recordings.for_session(db, session.id)
    if recording is None or recording.closes_at is None or recording.state not in HAS_WINDOW:
        return Dropped("the recording is not published")
    until = recordings.closes_at_of(db, recording, delivery.user_id)
    if until <= now:
        return Dropped("the recording is closed")
    return until


def _series_registered(db: DbSession, delivery: Delivery, now: datetime) -> Outcome:
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
    return _letter(delivery, series=facts)


def _appeal_answered(db: DbSession, delivery: Delivery, _now: datetime) -> Outcome:
    appeal, facts = credit_letters.appeal_answered(db, delivery)
    letter = _letter(delivery, session=session_facts(appeal.session), answer=appeal.answer)
    return replace(letter, appeal=facts)


def _credit_pending(db: DbSession, delivery: Delivery, now: datetime) -> Outcome:
    pending = credit_letters.pending_of(db, delivery.subject_id, delivery.user_id, now=now)
    if not pending:
        return Dropped("nothing is missing any more")
    session = db.get_one(WebinarSession, delivery.subject_id)
    return replace(_letter(delivery, session=session_facts(session)), pending=pending)


def _certificate_ready(db: DbSession, delivery: Delivery, now: datetime) -> Outcome:
    certificate = db.get_one(Certificate, delivery.subject_id)
    if certificate.revoked_at is not None or certificate.superseded_by is not None:
        return Dropped("the certificate is not valid any more")
    session = db.get_one(WebinarSession, certificate.session_id)
    decisions = db.scalars(
        select(CreditDecision)
        .where(CreditDecision.id.in_(certificate.decision_ids))
        .where(CreditDecision.credit > 0)
        .order_by(CreditDecision.id)
    ).all()
    lines = tuple(
        f"{decision.grant.accreditor.short_name} {credit_amount(decision.credit)}"
        for decision in decisions
    )
    return _letter(
        delivery,
        session=session_facts(session),
        certificate=CertificateFacts(number=certificate.number, credits=lines),
    )


def _role_invited(db: DbSession, delivery: Delivery, now: datetime) -> Outcome:
    grant = db.get(UserRole, delivery.subject_id)
    if grant is None or grant.user_id != delivery.user_id:
        return Dropped("the role was taken back")
    token, link = str(delivery.details.get("token", "")), None
    if token:
        found = links.find(db, token)
        if found is None or found.used_at is not None or found.expires_at <= now:
            return Dropped("the link is used or too old")
        link = LinkFacts(token=token, expires_at=found.expires_at)
    society = db.get_one(Society, grant.society_id) if grant.society_id is not None else None
    facts = RoleFacts(
        role=ROLE_NAMES[grant.role],
        words=ROLE_WORDS[grant.role],
        society=society.name if society else "",
        given_by=str(delivery.details.get("given_by", "")),
    )
    return _letter(delivery, link=link, role=facts)


def _faculty_invited(db: DbSession, delivery: Delivery, now: datetime) -> Outcome:
    member = db.get(FacultyMember, delivery.subject_id)
    token = str(delivery.details.get("token", ""))
    if member is None or member.user_id != delivery.user_id:
        return Dropped("the person is not of the faculty any more")
    session = member.session
    if session.status is SessionStatus.CANCELLED:
        return Dropped(announcements.CANCELLED)
    if session.ends_at <= now or session.status is SessionStatus.ENDED:
        return Dropped("the session is over")
    if not token:
        return Dropped("a newer address was made")
    rows = faculty.rows_of(member)
    today = to_local(now, session.zone).date()
    facts = FacultyFacts(
        token=token,
        parts=tuple(dict.fromkeys(row.part.value for row in rows)),
        missing=tuple(
            OwedFacts(words=one.words, due=day_in_words(one.due_on), is_late=one.due_on < today)
            for one in faculty.missing_of(rows, now=now)
        ),
    )
    return _letter(delivery, session=session_facts(session), faculty=facts)


def _faculty_reminder(db: DbSession, delivery: Delivery, now: datetime) -> Outcome:
    outcome = _faculty_invited(db, delivery, now)
    if isinstance(outcome, Letter) and outcome.faculty is not None and not outcome.faculty.missing:
        return Dropped("nothing is missing any more")
    return outcome


WRITERS: dict[MailKind, Writer] = {
    MailKind.VERIFY_EMAIL: _one_time_link,
    MailKind.ALREADY_REGISTERED: _one_time_link,
    MailKind.SIGN_IN_LINK: _one_time_link,
    MailKind.REGISTRATION_CONFIRMED: _registration_confirmed,
    MailKind.SESSION_REMINDER: _session_reminder,
    MailKind.SESSION_MOVED: _session_moved,
    MailKind.SESSION_CANCELLED: _session_cancelled,
    MailKind.SESSION_RESTORED: _session_moved,
    MailKind.RECORDING_PUBLISHED: _recording_published,
    MailKind.RECORDING_CLOSING: _recording_closing,
    MailKind.EXTENSION_GRANTED: _extension_granted,
    MailKind.EXTENSION_WITHDRAWN: _extension_withdrawn,
    MailKind.EXTENSION_DECLINED: _extension_declined,
    MailKind.SERIES_REGISTERED: _series_registered,
    MailKind.CREDIT_PENDING: _credit_pending,
    MailKind.APPEAL_ANSWERED: _appeal_answered,
    MailKind.CERTIFICATE_READY: _certificate_ready,
    MailKind.ROLE_INVITED: _role_invited,
    MailKind.FACULTY_INVITED: _faculty_invited,
    MailKind.FACULTY_REMINDER: _faculty_reminder,
}


def _not_coming(db: DbSession, session: WebinarSession, user_id: int) -> Dropped | None:
    if session.status is SessionStatus.CANCELLED:
        return Dropped(announcements.CANCELLED)
    if session.status is SessionStatus.DRAFT:
        return Dropped("the session is not announced any more")
    if not registrations.is_registered(db, session.id, user_id):
        return Dropped("unregistered")
    return None


def _letter(
    delivery: Delivery,
    *,
    session: SessionFacts | None = None,
    link: LinkFacts | None = None,
    certificate: CertificateFacts | None = None,
    series: SeriesFacts | None = None,
    role: RoleFacts | None = None,
    faculty: FacultyFacts | None = None,
    answer: str = "",
) -> Letter:
    user: User = delivery.user
    return Letter(
        kind=MailKind(delivery.kind),
        key=f"{delivery.kind}.{user.id}.{delivery.subject_id}.{delivery.revision}",
        email=user.email,
        name=user.name,
        zone=user.zone,
        session=session,
        link=link,
        certificate=certificate,
        series=series,
        role=role,
        faculty=faculty,
        answer=answer,
    )
