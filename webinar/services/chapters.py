"""Chapters of a recording: places with a name, in source time."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import delete, select

from webinar.db import DbSession
from webinar.domain.edit import Kept, clock, to_ms
from webinar.domain.errors import Conflict, DomainError
from webinar.domain.person import one_line
from webinar.models import Recording, RecordingChapter
from webinar.services import audit, recording_edits, slides

MOST_CHAPTERS = 100
LONGEST_TITLE = 200


class BadChapter(DomainError):
    """A chapter that cannot be kept."""


@dataclass(frozen=True)
class Mark:
    """A chapter as it is typed: milliseconds of shown time, and a title."""

    shown_ms: int
    title: str


def listed(db: DbSession, recording_id: int) -> list[RecordingChapter]:
    """The chapters in their order; seconds are of the whole recording, before cuts."""
    return list(
        db.scalars(
            select(RecordingChapter)
            .where(RecordingChapter.recording_id == recording_id)
            .order_by(RecordingChapter.starts_seconds)
        )
    )


def shown(chapters: Sequence[RecordingChapter], kept: Kept) -> list[Mark]:
    """The chapters in shown time; one that begins in a cut begins after it, if nothing else does.

    Of several at one moment the last one stays: it is what is seen.
    """
    marks: dict[int, Mark] = {}
    for chapter in chapters:
        at = kept.next_shown(to_ms(chapter.starts_seconds))
        if at is not None:
            marks[at] = Mark(at, chapter.title)
    return list(marks.values())


def replace(
    db: DbSession,
    recording_id: int,
    marks: Sequence[Mark],
    *,
    seen: Kept,
    seen_chapters: Sequence[Mark],
    actor_id: int,
    now: datetime,
) -> list[RecordingChapter]:
    """The chapters are these from now on; those that lie in a cut stay with it.

    `seen_chapters`: what was shown when somebody began to type. Raises BadChapter, KeptChanged,
    Conflict.
    """
    recording = recording_edits.locked(db, recording_id)
    kept = recording_edits.ensure_seen(recording, seen)
    before = listed(db, recording_id)
    if shown(before, kept) != list(seen_chapters):
        raise Conflict("Somebody changed the chapters meanwhile. Look at them again.")
    checked = _checked(marks, kept)
    hidden = [one for one in before if kept.shown_of(to_ms(one.starts_seconds)) is None]
    # What begins in a cut is typed as if it began after it: it is the same chapter.
    moved = {kept.next_shown(to_ms(one.starts_seconds)): one for one in hidden}
    new: dict[float, str] = {}
    for mark in checked:
        same = moved.get(mark.shown_ms)
        if same is not None and mark.title == same.title:
            continue
        new[kept.source_of(mark.shown_ms) / 1000] = mark.title
    stays = {}
    for one in hidden:
        seen_as = Mark(kept.next_shown(to_ms(one.starts_seconds)) or 0, one.title)
        if seen_as in checked or seen_as not in seen_chapters:
            stays[one.starts_seconds] = one.title
    return _store(db, recording, before, stays | new, actor_id=actor_id, now=now)


def from_slides(
    db: DbSession, recording_id: int, *, actor_id: int, now: datetime
) -> list[RecordingChapter]:
    """A chapter where each slide appears, beside those there are; raises BadChapter."""
    recording = recording_edits.locked(db, recording_id)
    before = listed(db, recording_id)
    new: dict[float, str] = {}
    for slide in slides.listed(db, recording_id):
        if slide.starts_seconds is not None:
            title = one_line(slide.words.strip().split("\n")[0])[:80]
            new[slide.starts_seconds] = title or f"Slide {slide.number}"
    if not new:
        raise BadChapter("No slide has a time yet. Say first when each slide is shown.")
    known = {one.starts_seconds: one.title for one in before}
    after = new | known
    if len(after) > MOST_CHAPTERS:
        raise BadChapter(f"A recording has at most {MOST_CHAPTERS} chapters; these would be more.")
    return _store(db, recording, before, after, actor_id=actor_id, now=now)


def _checked(marks: Sequence[Mark], kept: Kept) -> list[Mark]:
    if len(marks) > MOST_CHAPTERS:
        raise BadChapter(f"A recording has at most {MOST_CHAPTERS} chapters.")
    checked: dict[int, Mark] = {}
    for mark in marks:
        title = one_line(mark.title)
        if not title:
            raise BadChapter(f"Give the chapter at {clock(mark.shown_ms)} a title.")
        if len(title) > LONGEST_TITLE:
            raise BadChapter(f"A title has at most {LONGEST_TITLE} letters: “{title[:40]} …”.")
        if not 0 <= mark.shown_ms < kept.total_ms:
            raise BadChapter(
                f"“{title[:40]}” would begin at {clock(mark.shown_ms)}, but the recording ends at "
                f"{clock(kept.total_ms)}."
            )
        if mark.shown_ms in checked:
            raise BadChapter(f"Two chapters begin at {clock(mark.shown_ms)}.")
        checked[mark.shown_ms] = Mark(mark.shown_ms, title)
    return sorted(checked.values(), key=lambda mark: mark.shown_ms)


def _store(
    db: DbSession,
    recording: Recording,
    before: Sequence[RecordingChapter],
    titles: dict[float, str],
    *,
    actor_id: int,
    now: datetime,
) -> list[RecordingChapter]:
    was = {one.starts_seconds: one.title for one in before}
    if was == titles:
        return list(before)
    db.execute(delete(RecordingChapter).where(RecordingChapter.recording_id == recording.id))
    for starts_seconds, title in titles.items():
        db.add(
            RecordingChapter(recording_id=recording.id, starts_seconds=starts_seconds, title=title)
        )
    db.flush()
    audit.write(
        db,
        actor_id=actor_id,
        action="chapters changed",
        subject=f"session {recording.session_id}",
        before={"chapters": len(was)},
        after={"chapters": len(titles)},
        now=now,
    )
    return listed(db, recording.id)
