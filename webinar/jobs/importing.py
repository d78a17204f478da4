"""A video file as a session's recording: checked by content, packaged, published.

Commands and the worker of uploads both come here.
"""

import logging
import secrets
import shutil
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from config import Config
from webinar.db import DbSession, open_db, read_db
from webinar.domain.rendition import renditions_of
from webinar.jobs.segment_rows import segment_row
from webinar.media.packager import Packager
from webinar.media.poster import poster
from webinar.media.segments import PackagedSegment
from webinar.media.shelf import MediaShelf
from webinar.media.video_file import checked_video
from webinar.models import Recording, WebinarSession
from webinar.services import recordings, replacements
from webinar.services.feeds import refresh
from webinar.services.uploads import is_half_import
from webinar.tools import calendar_tool, media_shelf

log = logging.getLogger(__name__)

Guard = Callable[[DbSession], None]


def anybody(_db: DbSession) -> None:
    """The guard of a command: nobody else packages the same file."""


def nobody(_found: str) -> None:
    """Nobody wants to hear what the file holds."""


def import_video(
    config: Config,
    session_id: int,
    path: Path,
    *,
    progress: Callable[[float], None],
    now: datetime,
    again: bool = False,
    guard: Guard = anybody,
    found: Callable[[str], None] = nobody,
) -> Recording:
    """Package and publish the file; raises NotAVideo before anything is changed.

    `found` hears what the file holds, `progress` of 0 to 1; `again` begins anew what was broken
    off; `guard` is asked in every transaction, and stops the import by what it raises. The window
    counts from the session's end, not from the import.
    """
    found(checked_video(path).words)
    picture = poster(path)
    shelf = media_shelf(config)
    with open_db.begin() as db:
        guard(db)
        half = recordings.for_session(db, session_id)
        recording = recordings.begin_import(db, session_id, now=now, again=again)
        forgotten = half.public_id if again and half is not None and is_half_import(half) else None
    if forgotten is not None:
        _forget(shelf, forgotten)
    with read_db() as db:
        session = db.get_one(WebinarSession, session_id)

    def store(segment: PackagedSegment) -> None:
        with open_db.begin() as db:
            guard(db)
            recordings.add_segment(db, segment_row(recording.id, segment))

    is_whole = False
    try:
        _package(config, path, recording.public_id, store, session.starts_at, progress)
        shelf.storage.put(f"recordings/{recording.public_id}/poster.jpg", picture)
        with open_db.begin() as db:
            guard(db)
            ready = recordings.ready(db, recording.id, has_poster=True, now=datetime.now(UTC))
            refresh(db, ready.session, calendar=calendar_tool(config), now=datetime.now(UTC))
        is_whole = True
    finally:
        if not is_whole:
            # Half an import is none: the session is as it was.
            with open_db.begin() as db:
                recordings.abandon_import(db, recording.public_id)
            _forget(shelf, recording.public_id)
    log.info("video imported: session=%s", session_id)
    return ready


def replace_video(
    config: Config,
    recording_id: int,
    path: Path,
    *,
    progress: Callable[[float], None],
    actor_id: int,
    guard: Guard = anybody,
    found: Callable[[str], None] = nobody,
) -> Recording:
    """Package the file beside a recording, then show it instead; raises NotAVideo."""
    found(checked_video(path).words)
    picture = poster(path)
    shelf = media_shelf(config)
    with open_db.begin() as db:
        guard(db)
        replacement = replacements.begin(db, recording_id)

    def store(segment: PackagedSegment) -> None:
        numbered = replace(
            segment,
            sequence=replacement.first + segment.sequence,
            generation=replacement.generation,
        )
        with open_db.begin() as db:
            guard(db)
            recordings.add_segment(db, segment_row(recording_id, numbered))

    _package(config, path, replacement.public_id, store, replacement.started_at, progress)
    # Before the swap: a store that does not answer now must not leave a picture of the old one.
    shelf.storage.put(f"recordings/{replacement.public_id}/poster.jpg", picture)
    with open_db.begin() as db:
        guard(db)
        swapped = replacements.swap(
            db, replacement, has_poster=True, actor_id=actor_id, now=datetime.now(UTC)
        )
        refresh(db, swapped.session, calendar=calendar_tool(config), now=datetime.now(UTC))
    log.info("recording replaced: recording=%s", recording_id)
    return swapped


def sweep_replaced(config: Config, *, now: datetime) -> None:
    """Delete segments of generations that nobody watches any more: bytes, then rows."""
    with read_db() as db:
        found = replacements.leftovers(db, now=now)
    for recording_id in found:
        shelf = media_shelf(config)
        with read_db() as db:
            names = replacements.left_over(db, recording_id, now=now)
        for name in names:
            shelf.storage.delete(name)
        with open_db.begin() as db:
            replacements.forget(db, recording_id, names)
        log.info("replaced segments deleted: recording=%s count=%s", recording_id, len(names))


def _package(
    config: Config,
    path: Path,
    public_id: str,
    store: Callable[[PackagedSegment], None],
    started_at: datetime,
    progress: Callable[[float], None],
) -> None:
    shelf = media_shelf(config)
    # Of this process alone: one that is thought dead may still be cutting.
    work = shelf.work / f"import-{public_id}-{secrets.token_hex(4)}"
    try:
        packager = Packager(
            shelf.storage, shelf.keys, work, renditions=renditions_of(config.RENDITIONS)
        )
        packager.package_file(path, public_id, store, started_at=started_at, progress=progress)
    finally:
        shutil.rmtree(work, ignore_errors=True)


def _forget(shelf: MediaShelf, public_id: str) -> None:
    shelf.storage.delete_prefix(f"recordings/{public_id}")
    shelf.keys.destroy_all(public_id)
