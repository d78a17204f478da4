"""A video file as a session's recording: checked by content, packaged, published."""

import logging
import shutil
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from config import Config
from webinar.db import open_db, read_db
from webinar.jobs.segment_rows import segment_row
from webinar.media.packager import Packager
from webinar.media.poster import poster
from webinar.media.segments import PackagedSegment
from webinar.models import Recording, WebinarSession
from webinar.services import recordings
from webinar.services.feeds import refresh
from webinar.tools import calendar_tool, media_shelf

log = logging.getLogger(__name__)


def import_video(
    config: Config,
    session_id: int,
    path: Path,
    *,
    progress: Callable[[float], None],
    now: datetime,
    again: bool = False,
) -> Recording:
    """Package and publish the file; raises NotAVideo before anything is changed.

    `progress` hears of 0 to 1; `again` begins anew what was broken off. The window
    counts from the session's end, not from the import.
    """
    picture = poster(path)  # the first look inside: refuses what is no video
    with open_db.begin() as db:
        recording = recordings.begin_import(db, session_id, now=now, again=again)
    with read_db() as db:
        session = db.get_one(WebinarSession, session_id)
    shelf = media_shelf(config)
    work = shelf.work / f"import-{recording.public_id}"
    try:
        Packager(shelf.storage, shelf.keys, work).package_file(
            path,
            recording.public_id,
            lambda segment: _store(recording.id, segment),
            started_at=session.starts_at,
            progress=progress,
        )
        shelf.storage.put(f"recordings/{recording.public_id}/poster.jpg", picture)
    except BaseException:
        # Half an import is none: the session is as it was.
        with open_db.begin() as db:
            recordings.abandon_import(db, recording.id)
        shelf.storage.delete_prefix(f"recordings/{recording.public_id}")
        shelf.keys.destroy_all(recording.public_id)
        raise
    finally:
        shutil.rmtree(work, ignore_errors=True)
    with open_db.begin() as db:
        ready = recordings.ready(db, recording.id, has_poster=True, now=datetime.now(UTC))
        refresh(db, ready.session, calendar=calendar_tool(config), now=datetime.now(UTC))
    log.info("video imported: session=%s", session_id)
    return ready


def _store(recording_id: int, segment: PackagedSegment) -> None:
    with open_db.begin() as db:
        recordings.add_segment(db, segment_row(recording_id, segment))
