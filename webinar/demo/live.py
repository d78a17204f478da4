"""What is on air in the demonstration: an open round at any time, and a studio to try."""

from datetime import datetime, timedelta

from sqlalchemy import select

from webinar.db import DbSession
from webinar.demo.accreditation import accreditors, apply_for
from webinar.demo.days import MINUTES, ZONE
from webinar.demo.hosts import ACADEMY
from webinar.demo.people import FACULTY, MAIL_DOMAIN, person, settle_mail
from webinar.demo.programme import Talk
from webinar.domain.recording import RecordingState
from webinar.domain.session import FacultyPart, SessionStatus
from webinar.domain.session_details import FacultyDetails, SessionDetails
from webinar.domain.timezone import to_local
from webinar.media.holdings import held_of
from webinar.media.shelf import MediaShelf
from webinar.models import Recording, Society, User, WebinarSession
from webinar.services import broadcasts, destruction, questions, registrations, sessions, windows
from webinar.services.doomed import doomed_of
from webinar.services.feeds import CalendarTool, refresh
from webinar.services.session_rows import new_public_id

HOSPITAL = "Comprehensive Cancer Centre, Olomouc, Czechia"
NOTHING = "Nothing to disclose."
REHEARSAL_IN = timedelta(minutes=30)
# A rehearsal that ends sooner than this is no use to somebody who has just come.
REHEARSAL_LEFT = timedelta(minutes=20)
# Each open round fills the disk with its recording; the demonstration keeps the latest.
ROUNDS_KEPT = 3

ASKED = (
    "Would you decide the same for a patient of 82?",
    "How long do you wait before the plan goes back to the board?",
    "Which of these numbers do you tell the patient first?",
)
OPEN_ROUND = Talk(
    title="Open demonstration round: from the case to the plan",
    topic="Breast cancer",
    abstract=(
        "This round is on air at any time, so that you can see what being live is like. The "
        "speaker is a program: its slides are invented, its clock is real, and what you see is "
        "encoded, encrypted and sent as any speaker's picture would be. Ask a question, leave, "
        "come back: what you watched is counted. After 45 minutes the round ends, its recording "
        "opens by itself and the next round begins."
    ),
    objectives=(
        "Follow a session live, unseen by others",
        "Put a question that only the moderator reads",
        "Find out how attendance becomes credit",
    ),
)
REHEARSAL = Talk(
    title="Rehearsal studio: broadcast it yourself",
    topic="",
    abstract=(
        "An empty room for the demonstration's presenter: open the studio, choose camera, "
        "microphone or screen, and go live. Watch yourself in a second window. When you stop, "
        "the recording makes itself ready."
    ),
    objectives=("Choose camera, microphone and screen", "Go live and stop", "Find the recording"),
)


def open_round(db: DbSession, *, calendar: CalendarTool, now: datetime) -> WebinarSession:
    """The round that is on air now, put there if there is none; one that is over is ended."""
    speaker = person(db, FACULTY)
    for session in _titled(db, OPEN_ROUND.title, SessionStatus.LIVE):
        if now < session.ends_at:
            return session
        end_round(db, session.id, calendar=calendar, now=now)
    session = _announce(
        db,
        OPEN_ROUND,
        _faculty_of_round(db, speaker),
        starts_at=_at_five(now),
        calendar=calendar,
        now=now,
    )
    everybody = select(User.id).where(User.email.endswith(f"@{MAIL_DOMAIN}")).order_by(User.id)
    people = db.scalars(everybody).all()
    for user_id in people:
        registrations.register(db, session.id, user_id, now=now)
    settle_mail(db, now=now)
    broadcasts.go_live(db, session.id, user_id=speaker.id, now=now)
    # The last who came are the audience: the people to try ask for themselves.
    for user_id, text in zip(people[::-1], ASKED, strict=False):
        questions.ask(
            db,
            session,
            user_id,
            text=text,
            client_key=f"demonstration-{session.public_id}-{user_id}",
            now=now,
        )
    return session


def end_round(
    db: DbSession, session_id: int, *, calendar: CalendarTool, now: datetime
) -> WebinarSession:
    """The hour is over; the recording makes itself ready."""
    speaker = person(db, FACULTY)
    session = broadcasts.stop(db, session_id, user_id=speaker.id, now=now)
    refresh(db, session, calendar=calendar, now=now)
    return session


def rehearsal(db: DbSession, *, calendar: CalendarTool, now: datetime) -> WebinarSession:
    """A session whose studio the demonstration's presenter can open now."""
    for session in _titled(db, REHEARSAL.title, SessionStatus.PUBLISHED, SessionStatus.LIVE):
        if session.status is SessionStatus.LIVE or session.ends_at > now + REHEARSAL_LEFT:
            return session
    presenter = person(db, FACULTY)
    starts_at = _at_five(now + REHEARSAL_IN)
    # Whoever tries the studio alone also reads the questions: one presenter, one moderator.
    faculty = tuple(
        FacultyDetails(part, presenter.name, HOSPITAL, NOTHING, presenter.id)
        for part in (FacultyPart.PRESENTER, FacultyPart.MODERATOR)
    )
    return _announce(db, REHEARSAL, faculty, starts_at=starts_at, calendar=calendar, now=now)


def retire_rounds(db: DbSession, shelf: MediaShelf, *, now: datetime) -> int:
    """Close and destroy the recordings of all but the latest open rounds; how many."""
    over = (
        select(Recording)
        .join(WebinarSession)
        .where(
            WebinarSession.title == OPEN_ROUND.title,
            WebinarSession.is_demo,
            Recording.state == RecordingState.PUBLISHED,
        )
        .order_by(WebinarSession.starts_at.desc(), WebinarSession.id.desc())
        .offset(ROUNDS_KEPT)
    )
    retired = db.scalars(over).all()
    for recording in retired:
        windows.close_now(
            db,
            recording.session_id,
            actor_id=None,
            reason="The demonstration keeps its latest rounds only.",
            now=now,
        )
        doomed = doomed_of(db, recording.id)
        held = held_of(shelf, doomed.public_id, doomed.broadcast)
        if not destruction.begin(db, recording.id, held=held, now=now):
            continue  # somebody was given more time: the clock destroys it
        # Not as the clock does it: rounds follow one another too fast to keep a week of them.
        shelf.keys.destroy_all(doomed.public_id)
        shelf.storage.delete_prefix(f"recordings/{doomed.public_id}")
        if doomed.broadcast:
            shelf.takes.delete_broadcast(doomed.broadcast)
        destruction.keys_gone(db, recording.id, now=now)
        destruction.finish(db, recording.id, now=now)
        destruction.media_deleted(db, recording.id, now=now)
    return len(retired)


def _at_five(at: datetime) -> datetime:
    """The five minutes before, as people set times; a round begins where the last one ended."""
    return at.replace(minute=at.minute - at.minute % 5, second=0, microsecond=0)


def _titled(db: DbSession, title: str, *statuses: SessionStatus) -> list[WebinarSession]:
    return list(
        db.scalars(
            select(WebinarSession)
            .where(
                WebinarSession.title == title,
                WebinarSession.is_demo,
                WebinarSession.status.in_(statuses),
            )
            .order_by(WebinarSession.starts_at.desc())
        )
    )


def _faculty_of_round(db: DbSession, moderator: User) -> tuple[FacultyDetails, ...]:
    return (
        FacultyDetails(
            FacultyPart.PRESENTER,
            "The demonstration speaker",
            "A program that broadcasts invented slides",
            NOTHING,
        ),
        FacultyDetails(FacultyPart.MODERATOR, moderator.name, HOSPITAL, NOTHING, moderator.id),
    )


def _announce(
    db: DbSession,
    talk: Talk,
    faculty: tuple[FacultyDetails, ...],
    *,
    starts_at: datetime,
    calendar: CalendarTool,
    now: datetime,
) -> WebinarSession:
    """A session of no series, announced."""
    society = db.scalars(select(Society).where(Society.name == ACADEMY)).one()
    public_id = new_public_id()
    ends_at = starts_at + timedelta(minutes=MINUTES)
    # In the night the clocks go back, an hour of our zone can end before it begins.
    zone = ZONE if _wall(starts_at, ZONE) < _wall(ends_at, ZONE) else "UTC"
    session = WebinarSession(
        public_id=public_id,
        society_id=society.id,
        title=talk.title,
        starts_at=starts_at,
        ends_at=ends_at,
        zone=zone,
        recording_months=6,
        status=SessionStatus.DRAFT,
        is_demo=True,
        ical_uid=f"session-{public_id}@{calendar.calendar_domain}",
        ical_changed_at=now,
        created_at=now,
    )
    db.add(session)
    db.flush()
    details = SessionDetails(
        title=talk.title,
        starts=_wall(starts_at, zone),
        ends=_wall(ends_at, zone),
        zone=zone,
        abstract=talk.abstract,
        objectives="\n".join(talk.objectives),
        topics=(talk.topic,) if talk.topic else (),
        faculty=faculty,
    )
    sessions.edit(db, session.id, details, actor_id=None, calendar=calendar, now=now)
    if talk is OPEN_ROUND:
        apply_for(db, accreditors(db, now=now), session, talk, is_decided=True, now=now)
    return sessions.publish(db, session.id, actor_id=None, calendar=calendar, now=now)


def _wall(at: datetime, zone: str) -> datetime:
    return to_local(at, zone).replace(tzinfo=None, fold=0)
