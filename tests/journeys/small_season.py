"""A season with one session in every state, as the pages show them; times count from now."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import select

from tests.builders import (
    make_faculty,
    make_registration,
    make_series,
    make_session,
    make_society,
    make_topic,
    make_user,
)
from tests.evidence import make_grant, make_recording, make_test, watch
from webinar.db import DbSession
from webinar.domain.access import Role
from webinar.domain.attendance import ViewingMode
from webinar.domain.disclosure import Relation, Typed
from webinar.domain.recording import RecordingState
from webinar.domain.session import FacultyPart, SessionStatus
from webinar.models import Broadcast, Certificate, Question, Recording, User, WebinarSession
from webinar.services import accounts, credits, evaluations, faculty, faculty_links

TITLE = "Sentinel nodes after neoadjuvant therapy: which margin, and for whom?"
EVALUATION = {
    "objective-1": "5",
    "objective-2": "4",
    "relevance": "5",
    "speaker-1": "5",
    "quality": "3",
    "bias": "no",
    "practice": "change",
    "practice_words": "I will ask for the nodes.",
}


@dataclass(frozen=True)
class People:
    """One of each kind; a visitor is nobody."""

    participant: User
    speaker: User
    organiser: User

    def named(self, kind: str) -> User | None:
        return None if kind == "visitor" else getattr(self, kind)


@dataclass(frozen=True)
class Season:
    """What can stand in an address."""

    society: str
    topic: str
    series: str
    upcoming: str
    on_air: str
    draft: str
    cancelled: str
    attended: str
    in_test: str
    closed: str
    grant: str
    question: str
    certificate: str
    link: str
    faculty_page: str
    faculty_page_of_draft: str


def make_people(db: DbSession) -> People:
    """Accounts alone: what they see is empty."""
    return People(
        participant=make_user(db, name="Dr Anna Keller", zone="America/New_York"),
        speaker=make_user(db, name="Prof Elena Marchetti"),
        # Whoever may do everything sees every page there is.
        organiser=make_user(db, name="Tom Weber", roles=tuple(Role)),
    )


def make_season(db: DbSession, people: People, *, now: datetime) -> Season:
    """Rows of every kind, with the participant in most of them."""
    now = now.replace(microsecond=0)
    society = make_society(db, "academy")
    topic = make_topic(db, "breast")
    series = make_series(db, "grandrounds", society=society)

    def session_at(hours: float, status: SessionStatus, title: str = TITLE) -> WebinarSession:
        session = make_session(
            db,
            starts_at=now + timedelta(hours=hours),
            status=status,
            title=title,
            series=series,
            topics=(topic,),
        )
        session.objectives = "Say when to dissect.\nKnow the trials."
        session.abstract = "What we know.\n\nWhat we do not."
        make_faculty(db, session, FacultyPart.PRESENTER, user=people.speaker)
        make_faculty(db, session, FacultyPart.MODERATOR, user=people.speaker)
        if status not in (SessionStatus.DRAFT, SessionStatus.PUBLISHED):
            session.actual_started_at = session.starts_at
        if status is SessionStatus.ENDED:
            session.actual_ended_at = session.ends_at
        return session

    upcoming = session_at(0.5, SessionStatus.PUBLISHED)
    make_grant(db, upcoming, "eaccme-3.0-live", "0.5", body="eaccme")
    make_registration(db, upcoming, people.participant)
    session_at(48, SessionStatus.PUBLISHED, "A second one")
    draft = session_at(96, SessionStatus.DRAFT)
    cancelled = session_at(72, SessionStatus.CANCELLED)
    make_registration(db, cancelled, people.participant)
    on_air = _on_air(db, session_at(-0.1, SessionStatus.LIVE), people, now=now)

    attended = session_at(-3, SessionStatus.ENDED)
    make_grant(db, attended, "eaccme-3.0-live", "0.5", body="eaccme")
    _attend(db, attended, people.participant)
    make_recording(db, attended, closes_at=now + timedelta(days=180))
    certificate = _certificate(db, attended, people.participant, now=now)

    in_test = session_at(-26, SessionStatus.ENDED)
    question = make_test(db, in_test)[0]
    grant = make_grant(db, in_test, "eaccme-3.0-live", "0.5", body="eaccme")
    _attend(db, in_test, people.participant)

    closed = session_at(-24 * 300, SessionStatus.ENDED)
    make_registration(db, closed, people.participant)
    recording = make_recording(db, closed, closes_at=now - timedelta(days=100))
    recording.state = RecordingState.CLOSED

    return Season(
        society=society.slug,
        topic=topic.slug,
        series=series.slug,
        upcoming=upcoming.public_id,
        on_air=on_air.public_id,
        draft=draft.public_id,
        cancelled=cancelled.public_id,
        attended=attended.public_id,
        in_test=in_test.public_id,
        closed=closed.public_id,
        grant=str(grant.id),
        question=str(question.id),
        certificate=certificate,
        link=accounts.sign_in_token(db, people.participant, now=now),
        faculty_page=faculty_links.issue(db, upcoming.faculty[0], now=now),
        faculty_page_of_draft=_asked(db, draft, now=now),
    )


def _asked(db: DbSession, session: WebinarSession, *, now: datetime) -> str:
    """The presenter has been invited, has named a company and refused to be recorded."""
    presenter = session.faculty[0]
    presenter.invited_at = now
    relation = Relation("A maker of tracers", "advisory", has_ended=True)
    statement = Typed(relations=(relation,), signed_by=presenter.name, is_complete=True)
    faculty.disclose(db, presenter.id, statement, now=now)
    faculty.answer_consent(db, presenter.id, agrees=False, now=now)
    return faculty_links.issue(db, presenter, now=now)


def _on_air(
    db: DbSession, session: WebinarSession, people: People, *, now: datetime
) -> WebinarSession:
    make_registration(db, session, people.participant)
    db.add_all(
        [
            Broadcast(public_id="onair", session_id=session.id, started_at=session.starts_at),
            Recording(
                public_id="onair",
                session_id=session.id,
                state=RecordingState.RECORDING,
                created_at=session.starts_at,
            ),
            Question(
                session_id=session.id,
                user_id=people.participant.id,
                client_key="k" * 32,
                text="Which margin do you accept?",
                asked_at=now,
            ),
        ]
    )
    db.flush()
    return session


def _attend(db: DbSession, session: WebinarSession, user: User) -> None:
    make_registration(db, session, user)
    watch(db, session, user, ViewingMode.LIVE, 0, 2700)


def _certificate(db: DbSession, session: WebinarSession, user: User, *, now: datetime) -> str:
    answers = evaluations.read(EVALUATION, evaluations.asked_of(session))
    evaluations.give(db, session, user.id, answers=answers, now=now)
    credits.decide_person(db, session.id, user.id, public_url="http://localhost", now=now)
    return db.scalars(select(Certificate.number)).one()
