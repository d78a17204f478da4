"""Is what is stored what was packaged: each byte against the sums in the database."""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from sqlalchemy import select

from config import Config
from webinar.db import DbSession, read_db
from webinar.domain.recording import RecordingState
from webinar.media.storage import DamagedFile, NoSuchFile, Storage
from webinar.models import MediaSegment, Recording, RecordingCaption, RecordingSlide
from webinar.tools import media_shelf

FOLDER = "recordings"
WATCHED = frozenset({RecordingState.PUBLISHED})
# What is being made has files without rows for a moment; what is destroyed is looked at elsewhere.
FINISHED = frozenset({RecordingState.READY, RecordingState.PUBLISHED, RecordingState.CLOSED})


class Fault(StrEnum):
    """What can be wrong with a stored file."""

    MISSING = "missing"
    CHANGED = "changed"
    SURPLUS = "surplus"


@dataclass(frozen=True)
class Finding:
    """One file that is not as it should be; `recording` is empty where nobody knows it."""

    fault: Fault
    name: str
    recording: str = ""


@dataclass(frozen=True)
class Checked:
    """What a check has looked at and found."""

    recordings: int
    files: int
    bytes: int
    findings: list[Finding]


def check(config: Config, *, everything: bool) -> Checked:
    """Read what is stored and compare it: the published recordings, or all that are finished.

    With `everything`, what belongs to no recording at all is found as well.
    """
    storage = media_shelf(config).storage
    wanted = FINISHED if everything else WATCHED
    findings: list[Finding] = []
    recordings = files = size = 0
    with read_db() as db:
        rows = db.execute(
            select(Recording.id, Recording.public_id).where(
                Recording.state.in_(wanted), Recording.media_deleted_at.is_(None)
            )
        ).all()
    for recording_id, public_id in rows:
        recordings += 1
        with read_db() as db:
            segments = list(
                db.scalars(select(MediaSegment).where(MediaSegment.recording_id == recording_id))
            )
            known = _names_beside(db, recording_id, public_id)
        for segment in segments:
            files += 1
            known.add(segment.name)
            data, fault = _looked_at(storage, segment)
            size += data
            if fault is not None:
                findings.append(Finding(fault, segment.name, public_id))
        for name in sorted(set(storage.names(f"{FOLDER}/{public_id}")) - known):
            findings.append(Finding(Fault.SURPLUS, name, public_id))
    if everything:
        findings.extend(_of_nobody(storage))
    return Checked(recordings, files, size, findings)


def _looked_at(storage: Storage, segment: MediaSegment) -> tuple[int, Fault | None]:
    try:
        data = storage.read(segment.name)
    except NoSuchFile:
        return 0, Fault.MISSING
    except DamagedFile:
        return 0, Fault.CHANGED
    # Recordings of earlier versions have no sum; their length has to do.
    is_same = (
        hashlib.sha256(data).hexdigest() == segment.sha256
        if segment.sha256
        else len(data) == segment.size
    )
    return len(data), None if is_same else Fault.CHANGED


def _names_beside(db: DbSession, recording_id: int, public_id: str) -> set[str]:
    """What else belongs to a recording: poster, captions, slides."""
    captions = select(RecordingCaption.name).where(RecordingCaption.recording_id == recording_id)
    slides = select(RecordingSlide.name).where(RecordingSlide.recording_id == recording_id)
    poster = f"{FOLDER}/{public_id}/poster.jpg"
    return {poster, *db.scalars(captions), *db.scalars(slides)}


def _of_nobody(storage: Storage) -> Iterator[Finding]:
    """Files in folders of recordings that are in no row."""
    names = sorted(storage.names(FOLDER))
    with read_db() as db:
        known = set(db.scalars(select(Recording.public_id)))
    for name in names:
        if name.split("/")[1] not in known:
            yield Finding(Fault.SURPLUS, name)
