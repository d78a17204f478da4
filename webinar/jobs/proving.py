"""Once a day: are recordings that ended really gone, in the rows and in every store?

The hourly look takes away what it finds (see `destroying.reconcile`); this one only counts, and
keeps what it found, so that somebody can be shown that it is done.
"""

import logging
from datetime import datetime, timedelta

from webinar.db import open_db, read_db
from webinar.domain.retention import RetentionKind
from webinar.jobs.apart import apart
from webinar.jobs.destroying import DESTROYING
from webinar.jobs.toolbox import Toolbox
from webinar.media.shelf import MediaShelf
from webinar.models import RetentionRun
from webinar.services import destruction, parked, proof_of_ends, retention
from webinar.tools import media_shelf

log = logging.getLogger(__name__)

EVERY = timedelta(hours=23)
# So long a slow writer, a backup or a half-finished copy may bring files back.
LISTED_FOR = timedelta(days=60)


def prove_ends(tools: Toolbox, now: datetime) -> None:
    """Count what is left of recordings that ended; once a day, at each look while there is some.

    A clock that just began, after weeks perhaps, is let do its work before it is looked at.
    """
    with read_db() as db:
        last = {run.kind: run for run in retention.last_runs(db)}
        due = parked.ready(db, DESTROYING, destruction.due(db, now=now), now=now)
    if due and RetentionKind.KEYS.value not in last:
        return
    shelf = media_shelf(tools.config)
    for position, kind in enumerate((RetentionKind.KEYS, RetentionKind.MEDIA)):
        run = last.get(kind.value)
        if run is not None and run.ran_at > now - EVERY and not run.left_over:
            continue
        since = run.ran_at if run is not None else None
        with apart(f"proving that {kind.value} are gone", position):
            if kind is RetentionKind.KEYS:
                prove_keys(shelf, since=since, now=now)
            else:
                days = tools.config.DESTROY_AFTER_DAYS
                prove_media(shelf, after_days=days, since=since, now=now)


def prove_keys(shelf: MediaShelf, *, since: datetime | None, now: datetime) -> RetentionRun:
    """No key of a destroyed recording is there, and no row says that one can be watched."""
    stored = shelf.keys.ids()
    with read_db() as db:
        left = {
            "not ended": proof_of_ends.overdue(db, now=now),
            "said to be there": len(proof_of_ends.said_to_be_there(db)),
            "keys found": sum(
                bool(shelf.keys.numbers(one)) for one in stored & proof_of_ends.destroyed_ids(db)
            ),
            "without keys": sum(
                not shelf.keys.numbers(one) for one in stored & proof_of_ends.open_ids(db)
            ),
        }
        destroyed = proof_of_ends.keys_destroyed_since(db, since)
    return _note(RetentionKind.KEYS, left, older_than=now, deleted=destroyed, now=now)


def prove_media(
    shelf: MediaShelf, *, after_days: int, since: datetime | None, now: datetime
) -> RetentionRun:
    """The files of recordings that were destroyed long enough ago are in no store."""
    older_than = now - timedelta(days=after_days)
    with read_db() as db:
        late = destruction.media_due(db, after_days=after_days, now=now - proof_of_ends.GRACE)
        emptied = proof_of_ends.emptied_ids(db, since=now - LISTED_FOR)
        deleted = proof_of_ends.media_deleted_since(db, since)
    left = {
        "not deleted": len(late),
        "files found": sum(
            any(True for _ in shelf.storage.names(f"recordings/{one}")) for one in emptied
        ),
    }
    return _note(RetentionKind.MEDIA, left, older_than=older_than, deleted=deleted, now=now)


def _note(
    kind: RetentionKind,
    left: dict[str, int],
    *,
    older_than: datetime,
    deleted: int,
    now: datetime,
) -> RetentionRun:
    left_over = sum(left.values())
    if left_over:
        log.error("left of recordings that ended: kind=%s %s", kind.value, left)
    with open_db.begin() as db:
        return retention.note(
            db, kind, older_than=older_than, deleted=deleted, left_over=left_over, now=now
        )
