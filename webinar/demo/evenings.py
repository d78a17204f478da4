"""What happens around one session of the demonstration, each act with its own time."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from webinar.db import DbSession
from webinar.demo.accreditation import Bodies, apply_for, ask_for_test
from webinar.demo.guests import send_in
from webinar.demo.lectures import Reel
from webinar.demo.people import Cast
from webinar.demo.programme import Talk
from webinar.domain.session_details import FacultyDetails
from webinar.jobs.segment_rows import segment_row
from webinar.models import Auspices, Recording, Society, WebinarSession
from webinar.services import broadcasts, captions, chapters, recordings, sessions, slides, windows
from webinar.services.feeds import CalendarTool, refresh
from webinar.services.session_facts import details_of
from webinar.services.slides import NewSlide

ANNOUNCED_BEFORE = timedelta(weeks=12)
# What an accreditor has decided so long before the evening; later ones are applied for.
DECIDED_BEFORE = timedelta(weeks=5)
LATE_START = timedelta(seconds=20)
PACKAGING_TAKES = timedelta(minutes=2)


@dataclass(frozen=True)
class Act:
    """Something somebody did at a time."""

    at: datetime
    do: Callable[[datetime], None]


@dataclass(frozen=True, kw_only=True)
class Stage:
    """What every act needs."""

    db: DbSession
    cast: Cast
    bodies: Bodies
    calendar: CalendarTool
    now: datetime


@dataclass(frozen=True, kw_only=True)
class Evening:
    """A planned session and what becomes of it. `reel` is None for what is still to come."""

    session: WebinarSession
    talk: Talk
    faculty: tuple[FacultyDetails, ...]
    auspices: Society | None = None
    reel: Reel | None = None
    overrun: timedelta = timedelta(0)


def announcement(stage: Stage, evening: Evening) -> Act:
    """The organiser fills the draft in and publishes it."""
    at = min(evening.session.starts_at - ANNOUNCED_BEFORE, stage.now - timedelta(days=1))
    at = max(at, evening.session.created_at + timedelta(days=3))

    def announce(now: datetime) -> None:
        session, talk = evening.session, evening.talk
        details = replace(
            details_of(session),
            title=talk.title,
            abstract=talk.abstract,
            objectives="\n".join(talk.objectives),
            topics=(talk.topic,),
            faculty=evening.faculty,
        )
        organiser = stage.cast.organiser.id
        sessions.edit(
            stage.db,
            session.id,
            details,
            actor_id=organiser,
            calendar=stage.calendar,
            now=now,
        )
        if evening.auspices is not None:
            session.auspices.append(
                Auspices(
                    society=evening.auspices,
                    decided_on=now.date() - timedelta(days=9),
                    reference=f"Board decision {now.year}/{session.id} (demonstration)",
                )
            )
        decided = session.starts_at - stage.now < DECIDED_BEFORE
        apply_for(stage.db, stage.bodies, session, talk, is_decided=decided, now=now)
        ask_for_test(stage.db, session, talk, actor_id=organiser, now=now)
        send_in(session, session.id, is_over=evening.reel is not None, now=now)
        sessions.publish(stage.db, session.id, actor_id=organiser, calendar=stage.calendar, now=now)

    return Act(at, announce)


def broadcast(stage: Stage, evening: Evening, reel: Reel) -> list[Act]:
    """On air, off air, the recording opens, and closes if its time has come."""
    db, session = stage.db, evening.session
    speaker = stage.cast.faculty.id
    ends_at = session.ends_at + evening.overrun

    def begin(now: datetime) -> None:
        broadcasts.go_live(db, session.id, user_id=speaker, now=now)
        # The media was packaged under this name before the database knew of it.
        _recording(db, session).public_id = reel.public_id

    def end(now: datetime) -> None:
        broadcasts.stop(db, session.id, user_id=speaker, now=now)
        refresh(db, session, calendar=stage.calendar, now=now)

    def open_recording(now: datetime) -> None:
        recording = _recording(db, session)
        db.add_all(segment_row(recording.id, segment) for segment in reel.segments)
        recording.duration_seconds = sum(segment.duration_seconds for segment in reel.segments)
        on_air = broadcasts.of_session(db, session)
        if on_air is not None:
            on_air.packaged_at = now
        recordings.ready(db, recording.id, has_poster=True, now=now)
        lay_beside(db, recording, reel, actor_id=stage.cast.organiser.id, now=now)
        refresh(db, session, calendar=stage.calendar, now=now)

    return [
        Act(session.starts_at + LATE_START, begin),
        Act(ends_at, end),
        Act(ends_at + PACKAGING_TAKES, open_recording),
    ]


def lay_beside(
    db: DbSession, recording: Recording, reel: Reel, *, actor_id: int, now: datetime
) -> None:
    """Slides, chapters and captions, as somebody at the recording desk would."""
    pictures = [NewSlide(slide.name, slide.words) for slide in reel.slides]
    slides.replace(db, recording.id, pictures, actor_id=actor_id, now=now)
    for shown, slide in zip(slides.listed(db, recording.id), reel.slides, strict=True):
        shown.starts_seconds = slide.starts_seconds
    db.flush()
    chapters.from_slides(db, recording.id, actor_id=actor_id, now=now)
    row = captions.put(
        db,
        recording.id,
        language="en",
        label="English",
        cues=reel.cues,
        actor_id=actor_id,
        now=now,
    )
    # The words were stored before there was a row to name them.
    row.name = reel.captions


def close_what_is_over(stage: Stage) -> None:
    """Close the recordings whose window has ended, each at its own time."""
    for recording_id in windows.due_to_close(stage.db, now=stage.now):
        closes_at = stage.db.get_one(Recording, recording_id).closes_at
        windows.close(stage.db, recording_id, now=closes_at or stage.now)


def _recording(db: DbSession, session: WebinarSession) -> Recording:
    recording = recordings.for_session(db, session.id)
    if recording is None:
        raise LookupError(f"session {session.id} was never on air")
    return recording
