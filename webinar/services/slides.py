"""Slides of a recording: pictures beside the video, each from a second of source time on."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import delete, select

from webinar.db import DbSession
from webinar.domain.edit import Kept, clock, to_ms
from webinar.domain.errors import DomainError
from webinar.models import RecordingSlide
from webinar.services import audit, recording_edits

MOST_SLIDES = 300
LONGEST_WORDS = 5_000


class BadSlides(DomainError):
    """Slides, or times of slides, that cannot be kept."""


@dataclass(frozen=True)
class NewSlide:
    """A picture that lies in the storage already, and the words on it."""

    name: str
    words: str = ""


def listed(db: DbSession, recording_id: int) -> list[RecordingSlide]:
    """The slides by number; `starts_seconds` is null while nobody said when."""
    return list(
        db.scalars(
            select(RecordingSlide)
            .where(RecordingSlide.recording_id == recording_id)
            .order_by(RecordingSlide.number)
        )
    )


def shown_at(slide: RecordingSlide, kept: Kept) -> int | None:
    """When it appears, in milliseconds of shown time; None if never."""
    if slide.starts_seconds is None:
        return None
    return kept.next_shown(to_ms(slide.starts_seconds))


def replace(
    db: DbSession, recording_id: int, new: Sequence[NewSlide], *, actor_id: int, now: datetime
) -> list[str]:
    """These are the slides from now on, without times; the names of the pictures before."""
    return _put(db, recording_id, new, keeps=False, actor_id=actor_id, now=now)


def append(
    db: DbSession, recording_id: int, new: Sequence[NewSlide], *, actor_id: int, now: datetime
) -> None:
    """These come after those there are."""
    _put(db, recording_id, new, keeps=True, actor_id=actor_id, now=now)


def set_times(
    db: DbSession,
    recording_id: int,
    shown_ms: Mapping[int, int | None],
    *,
    seen: Kept,
    actor_id: int,
    now: datetime,
) -> int:
    """When slides appear, by number, in shown time; None takes one away. How many changed.

    Raises BadSlides, KeptChanged.
    """
    recording = recording_edits.locked(db, recording_id)
    kept = recording_edits.ensure_seen(recording, seen)
    changed = 0
    number_at: dict[int, int] = {}
    for slide in listed(db, recording_id):
        was = shown_at(slide, kept)
        at = shown_ms.get(slide.number, was)
        if at is not None:
            if not 0 <= at < kept.total_ms:
                raise BadSlides(
                    f"Slide {slide.number} would appear at {clock(at)}, but the recording ends "
                    f"at {clock(kept.total_ms)}."
                )
            if at in number_at:
                raise BadSlides(
                    f"Slides {number_at[at]} and {slide.number} both appear at {clock(at)}."
                )
            number_at[at] = slide.number
        if at != was:
            slide.starts_seconds = None if at is None else kept.source_of(at) / 1000
            changed += 1
    if changed:
        audit.write(
            db,
            actor_id=actor_id,
            action="slides timed",
            subject=f"session {recording.session_id}",
            after={"slides": changed},
            now=now,
        )
    return changed


def remove_all(db: DbSession, recording_id: int, *, actor_id: int, now: datetime) -> list[str]:
    """Take the slides away; the names of their pictures, to delete."""
    return _put(db, recording_id, [], keeps=False, actor_id=actor_id, now=now)


def _put(
    db: DbSession,
    recording_id: int,
    new: Sequence[NewSlide],
    *,
    keeps: bool,
    actor_id: int,
    now: datetime,
) -> list[str]:
    recording = recording_edits.locked(db, recording_id)
    before = listed(db, recording_id)
    first = len(before) + 1 if keeps else 1
    if first - 1 + len(new) > MOST_SLIDES:
        raise BadSlides(f"A recording has at most {MOST_SLIDES} slides.")
    if not keeps:
        db.execute(delete(RecordingSlide).where(RecordingSlide.recording_id == recording_id))
    db.add_all(
        RecordingSlide(
            recording_id=recording_id,
            number=number,
            name=slide.name,
            words=slide.words[:LONGEST_WORDS],
        )
        for number, slide in enumerate(new, start=first)
    )
    db.flush()
    audit.write(
        db,
        actor_id=actor_id,
        action="slides changed",
        subject=f"session {recording.session_id}",
        before={"slides": len(before)},
        after={"slides": first - 1 + len(new)},
        now=now,
    )
    return [] if keeps else [slide.name for slide in before]
