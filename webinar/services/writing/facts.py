"""What several kinds of mail say: of the session, of the reader."""

from webinar.db import DbSession
from webinar.domain.letter import (
    CertificateFacts,
    Dropped,
    FacultyFacts,
    Letter,
    LinkFacts,
    MailKind,
    Postponed,
    RoleFacts,
    SeriesFacts,
    SessionFacts,
)
from webinar.domain.session import SessionStatus
from webinar.models import Delivery, User, WebinarSession
from webinar.services import announcements, registrations

Outcome = Letter | Dropped | Postponed


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


def given_up(delivery: Delivery) -> Dropped | None:
    """Why it is not owed any more, if it was given up after it was claimed."""
    if delivery.due_at is not None:
        return None
    return Dropped(delivery.dropped_because or "it is not owed any more")


def not_coming(db: DbSession, session: WebinarSession, user_id: int) -> Dropped | None:
    """Why nothing is said of the session to this person, if so."""
    if session.status is SessionStatus.CANCELLED:
        return Dropped(announcements.CANCELLED)
    if session.status is SessionStatus.DRAFT:
        return Dropped("the session is not announced any more")
    if not registrations.is_registered(db, session.id, user_id):
        return Dropped("unregistered")
    return None


def letter_to(
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
    """The letter to the person of this delivery; what it does not speak of is left out."""
    user: User = delivery.user
    return Letter(
        kind=MailKind(delivery.kind),
        key=f"{delivery.kind}.{user.id}.{delivery.subject_id}.{delivery.revision}",
        email=user.email,
        name=user.name,
        zone=user.zone,
        user_id=user.id,
        delivery_id=delivery.id,
        created_at=delivery.created_at,
        session=session,
        link=link,
        certificate=certificate,
        series=series,
        role=role,
        faculty=faculty,
        answer=answer,
    )
