"""The end of recordings: keys first, then what is plain, days later the ciphertext; then looks.

Every step may be the last one before the power fails. What was done is done again without harm, and
the rows say what is still to do.
"""

import logging
import shutil
from datetime import datetime
from pathlib import Path

from webinar.db import open_db, read_db
from webinar.domain.destruction import Held
from webinar.jobs.apart import apart
from webinar.jobs.orphans import sweep_orphans
from webinar.jobs.toolbox import Toolbox
from webinar.media.holdings import held_of
from webinar.media.shelf import MediaShelf
from webinar.media.uploads import UploadStore
from webinar.models import Recording
from webinar.services import destruction, parked
from webinar.services.destruction import Trace
from webinar.services.doomed import Doomed, doomed_of
from webinar.tools import media_shelf

log = logging.getLogger(__name__)

DESTROYING = "destroying a recording"
DELETING = "deleting the media of a recording"
LOOKING = "looking for a destroyed recording"


def destroy_ended(tools: Toolbox, now: datetime) -> None:
    """Begin with what is due, go on with what was interrupted, delete old ciphertext."""
    shelf = media_shelf(tools.config)
    with read_db() as db:
        due = parked.ready(db, DESTROYING, destruction.due(db, now=now), now=now)
    for recording_id in due:
        with apart(DESTROYING, recording_id, now=now):
            held = _held(shelf, recording_id)
            with open_db.begin() as db:
                destruction.begin(db, recording_id, held=held, now=now)
    with read_db() as db:
        begun = parked.ready(db, DESTROYING, destruction.begun(db), now=now)
    for recording_id in begun:
        with apart(DESTROYING, recording_id, now=now):
            carry_out(shelf, recording_id, now=now)
    with read_db() as db:
        old = destruction.media_due(db, after_days=tools.config.DESTROY_AFTER_DAYS, now=now)
        old = parked.ready(db, DELETING, old, now=now)
    for recording_id in old:
        with apart(DELETING, recording_id, now=now):
            delete_media(shelf, recording_id, now=now)


def carry_out(shelf: MediaShelf, recording_id: int, *, now: datetime) -> None:
    """Destroy the keys, then delete what is plain. Can be done again from any point."""
    with read_db() as db:
        doomed = doomed_of(db, recording_id)
    shelf.keys.destroy_all(doomed.public_id)
    with open_db.begin() as db:
        destruction.keys_gone(db, recording_id, now=now)
    _delete_plain(shelf, doomed)
    with open_db.begin() as db:
        destruction.finish(db, recording_id, now=now)
    log.info("recording is destroyed: recording=%s", doomed.public_id)


def delete_media(shelf: MediaShelf, recording_id: int, *, now: datetime) -> None:
    """Delete the ciphertext, which nobody can read any more."""
    with read_db() as db:
        doomed = doomed_of(db, recording_id)
    shelf.storage.delete_prefix(_folder(doomed))
    with open_db.begin() as db:
        destruction.media_deleted(db, recording_id, now=now)
    log.info("media of a destroyed recording is deleted: recording=%s", doomed.public_id)


def reconcile(tools: Toolbox, now: datetime) -> None:
    """Prove that nothing came back: from a backup, a slow writer, a half-finished step."""
    shelf = media_shelf(tools.config)
    with read_db() as db:
        ids = parked.ready(db, LOOKING, destruction.to_look_at(db, now=now), now=now)
    found = 0
    for recording_id in ids:
        with apart(LOOKING, recording_id, now=now):
            found += bool(look(shelf, recording_id, now=now))
    if ids:
        log.info("looked for %s destroyed recordings, found remains of %s", len(ids), found)
    sweep_orphans(shelf, now=now)


def look(shelf: MediaShelf, recording_id: int, *, now: datetime) -> Trace:
    """Look for anything of one destroyed recording, and delete it."""
    with read_db() as db:
        doomed = doomed_of(db, recording_id)
    held = held_of(shelf, doomed.public_id, doomed.broadcast)
    trace = Trace(
        keys=held.keys,
        takes=held.takes,
        files=len(_plain_names(shelf, doomed))
        + len(_work_of(shelf, doomed))
        + len(_uploads_of(shelf, doomed)),
    )
    shelf.keys.destroy_all(doomed.public_id)
    _delete_plain(shelf, doomed)
    if trace:
        log.error("remains of a destroyed recording: recording=%s %s", doomed.public_id, trace)
    with open_db.begin() as db:
        destruction.looked(db, recording_id, trace, now=now)
    return trace


def destroy_by_hand(
    shelf: MediaShelf, recording_id: int, *, reason: str, now: datetime
) -> Recording:
    """What a command does at once, and a page leaves to the clock; raises DestructionRefused."""
    held = _held(shelf, recording_id)
    with open_db.begin() as db:
        recording = destruction.begin_by_hand(
            db, recording_id, held=held, reason=reason, actor_id=None, now=now
        )
    carry_out(shelf, recording_id, now=now)
    return recording


def _held(shelf: MediaShelf, recording_id: int) -> Held:
    with read_db() as db:
        doomed = doomed_of(db, recording_id)
    return held_of(shelf, doomed.public_id, doomed.broadcast)


def _delete_plain(shelf: MediaShelf, doomed: Doomed) -> None:
    if doomed.broadcast:
        shelf.takes.delete_broadcast(doomed.broadcast)
    for folder in _work_of(shelf, doomed):
        shutil.rmtree(folder)
    for name in _plain_names(shelf, doomed):
        shelf.storage.delete(name)
    for upload in _uploads_of(shelf, doomed):
        UploadStore(shelf.takes.root).delete(upload)


def _plain_names(shelf: MediaShelf, doomed: Doomed) -> list[str]:
    """What is stored of it beside the ciphertext that stays: captions, slides, the poster."""
    return [name for name in shelf.storage.names(_folder(doomed)) if name not in doomed.segments]


def _work_of(shelf: MediaShelf, doomed: Doomed) -> list[Path]:
    """Folders a packager left behind when it was killed: plain segments may lie there."""
    patterns = [f"import-{doomed.public_id}*", f"{doomed.public_id}*"]
    if doomed.broadcast:
        patterns.append(f"{doomed.broadcast_id}-*")
    patterns += [f"room-{room}-*" for room in sorted(doomed.rooms)]
    return [folder for pattern in patterns for folder in shelf.work.glob(pattern)]


def _uploads_of(shelf: MediaShelf, doomed: Doomed) -> list[str]:
    """Videos that came, or were coming, for this recording."""
    return [name for name in UploadStore(shelf.takes.root).names() if name in doomed.uploads]


def _folder(doomed: Doomed) -> str:
    return f"recordings/{doomed.public_id}"
