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
from tests.journeys.small_desk import Desk, make_desk
from webinar.db import DbSession
from webinar.domain.access import Role
from webinar.domain.attendance import ViewingMode
from webinar.domain.captions import Cue, as_webvtt
from webinar.domain.disclosure import Relation, Typed
from webinar.domain.recording import RecordingState
from webinar.domain.rooms import RoomProvider, RoomState
from webinar.domain.session import FacultyPart, SessionStatus
from webinar.domain.upload import UploadPurpose, UploadState
from webinar.media.storage import Storage
from webinar.models import (
    Broadcast,
    Certificate,
    ExternalRoom,
    Question,
    Recording,
    RecordingCaption,
    RecordingChapter,
    RecordingSlide,
    Upload,
    User,
    WebinarSession,
)
from webinar.services import accounts, appeals, credits, evaluations, faculty, faculty_links

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
    in_room: str
    draft: str
    cancelled: str
    attended: str
    in_test: str
    closed: str
    grant: str
    earned: str
    question: str
    certificate: str
    link: str
    faculty_page: str
    faculty_page_of_draft: str
    desk: Desk


def make_people(db: DbSession) -> People:
    """Accounts alone: what they see is empty."""
    return People(
        participant=make_user(db, name="Dr Anna Keller", zone="America/New_York"),
        speaker=make_user(db, name="Prof Elena Marchetti"),
        # Whoever may do everything sees every page there is.
        organiser=make_user(db, name="Tom Weber", roles=tuple(Role)),
    )


def make_season(db: DbSession, people: People, storage: Storage, *, now: datetime) -> Season:
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

    in_room = _in_room(db, session_at(-0.2, SessionStatus.LIVE), people, now=now)
    _send_in(db, upcoming, people, now=now)

    attended = session_at(-3, SessionStatus.ENDED)
    earned = make_grant(db, attended, "eaccme-3.0-live", "0.5", body="eaccme")
    _attend(db, attended, people.participant)
    appeals.raise_appeal(
        db, attended, people.participant.id, earned.id, words="I was there.", now=now
    )
    recording = make_recording(db, attended, closes_at=now + timedelta(days=180))
    _dress(db, recording, people, storage, now=now)
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
        in_room=in_room.public_id,
        draft=draft.public_id,
        cancelled=cancelled.public_id,
        attended=attended.public_id,
        in_test=in_test.public_id,
        closed=closed.public_id,
        grant=str(grant.id),
        earned=str(earned.id),
        question=str(question.id),
        certificate=certificate,
        link=accounts.sign_in_token(db, people.participant, now=now),
        faculty_page=faculty_links.issue(db, upcoming.faculty[0], now=now),
        faculty_page_of_draft=_asked(db, draft, now=now),
        desk=make_desk(
            db, attended, officer=people.organiser, participant=people.participant, now=now
        ),
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


def _dress(
    db: DbSession, recording: Recording, people: People, storage: Storage, *, now: datetime
) -> None:
    """Captions, chapters, slides with a cut between them; the pictures are none a browser draws."""
    recording.kept = [[0, 900_000], [1_000_000, 2_700_000]]
    recording.has_poster = True
    folder = f"recordings/{recording.public_id}"
    storage.put(f"{folder}/poster.jpg", b"picture")
    cues = (Cue(1_000, 4_000, "Good evening."), Cue(950_000, 990_000, "Cut out."))
    storage.put(f"{folder}/captions-en-1.vtt", as_webvtt(cues).encode())
    db.add(
        RecordingCaption(
            recording_id=recording.id,
            language="en",
            label="English",
            name=f"{folder}/captions-en-1.vtt",
            cues=len(cues),
            made_by_id=people.organiser.id,
            made_at=now,
            changed_at=now,
        )
    )
    for number, (seconds, words) in enumerate(((0, "Welcome"), (1200, "The trials")), start=1):
        name = f"{folder}/slides/{number}.jpg"
        storage.put(name, b"picture")
        db.add_all(
            [
                RecordingChapter(recording_id=recording.id, starts_seconds=seconds, title=words),
                RecordingSlide(
                    recording_id=recording.id,
                    number=number,
                    starts_seconds=seconds,
                    name=name,
                    words=words,
                ),
            ]
        )
    db.flush()


def _in_room(
    db: DbSession, session: WebinarSession, people: People, *, now: datetime
) -> WebinarSession:
    """It takes place somewhere else, and people are sent there."""
    make_registration(db, session, people.participant)
    db.add(
        ExternalRoom(
            public_id="room",
            session_id=session.id,
            provider=RoomProvider.ADDRESS,
            state=RoomState.OPEN,
            address="https://rooms.example.org/sentinel-nodes",
            facts={},
            made_by_id=people.organiser.id,
            made_at=now,
            opened_at=now,
        )
    )
    db.flush()
    return session


def _send_in(db: DbSession, session: WebinarSession, people: People, *, now: datetime) -> None:
    """Half of a film came in, and one that could not be read."""
    for number, (state, problem) in enumerate(
        ((UploadState.FAILED, "There is no picture in this file."), (UploadState.UPLOADING, None))
    ):
        db.add(
            Upload(
                public_id=f"upload{number}",
                session_id=session.id,
                user_id=people.organiser.id,
                purpose=UploadPurpose.IMPORT,
                state=state,
                file_name="sentinel-nodes.mp4",
                length=700_000_000,
                problem=problem,
                created_at=now,
                updated_at=now,
            )
        )
    db.flush()


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
