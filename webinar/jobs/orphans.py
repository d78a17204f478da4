"""Files of recordings and broadcasts that no row knows: looked at twice, a day apart, then deleted.

A database that was restored from yesterday does not know this morning's broadcast. So nothing goes
at the first look, and nothing at all where most of what lies there is unknown.
"""

import logging
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import select

from webinar.db import DbSession, read_db
from webinar.media.shelf import MediaShelf
from webinar.media.storage import NoSuchFile, Storage
from webinar.models import Broadcast, Recording, Rehearsal

log = logging.getLogger(__name__)

OURS = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_-]{0,63}")
PATIENCE = timedelta(days=1)
MARKS = "orphans"
# Listing every segment in a bucket costs; once a day is enough.
LIST_EVERY = timedelta(hours=23)
LISTED = f"{MARKS}/listed"


@dataclass(frozen=True)
class _Store:
    kind: str
    ids: set[str]
    delete: Callable[[str], None]


def sweep_orphans(shelf: MediaShelf, *, now: datetime) -> int:
    """Delete what has been nobody's for a day; how many folders went."""
    with read_db() as db:
        known = _known(db)
    stores = [
        _Store("keys", {one for one in shelf.keys.ids() if shelf.keys.numbers(one)}, _keys(shelf)),
        _Store("takes", _take_ids(shelf), shelf.takes.delete_broadcast),
    ]
    if (listed_at := _marked_at(shelf.storage, LISTED)) is None or listed_at <= now - LIST_EVERY:
        stores.append(_Store("media", _stored_ids(shelf.storage), _media(shelf)))
        _mark(shelf.storage, LISTED, now)
    return sum(_sweep(shelf.storage, store, known, now) for store in stores)


def _sweep(storage: Storage, store: _Store, known: frozenset[str], now: datetime) -> int:
    # What has another name than ours was put there by somebody else.
    orphans = {one for one in store.ids - known if OURS.fullmatch(one)}
    marks = {name.rpartition("/")[2] for name in storage.names(f"{MARKS}/{store.kind}")}
    for cleared in marks - orphans:
        storage.delete(_name(store.kind, cleared))
    if len(orphans) > len(store.ids & known):
        log.error(
            "%s folders of %s are unknown to this database, more than are known: nothing is "
            "deleted. Is it the right database?",
            len(orphans),
            store.kind,
        )
        return 0
    gone = 0
    for orphan in sorted(orphans):
        name = _name(store.kind, orphan)
        seen_at = _marked_at(storage, name)
        if seen_at is None:
            _mark(storage, name, now)
            log.warning("nobody's %s, deleted in a day: %s", store.kind, orphan)
        elif seen_at <= now - PATIENCE:
            store.delete(orphan)
            storage.delete(name)
            log.warning("nobody's %s are deleted: %s", store.kind, orphan)
            gone += 1
    return gone


def _known(db: DbSession) -> frozenset[str]:
    return frozenset(
        public_id
        for table in (Recording, Broadcast, Rehearsal)
        for public_id in db.scalars(select(table.public_id))
    )


def _take_ids(shelf: MediaShelf) -> set[str]:
    folder = shelf.takes.root / "takes"
    return {path.name for path in folder.iterdir()} if folder.is_dir() else set()


def _keys(shelf: MediaShelf) -> Callable[[str], None]:
    return shelf.keys.destroy_all


def _media(shelf: MediaShelf) -> Callable[[str], None]:
    return lambda public_id: shelf.storage.delete_prefix(f"recordings/{public_id}")


def _stored_ids(storage: Storage) -> set[str]:
    return {name.split("/")[1] for name in storage.names("recordings")}


def _name(kind: str, public_id: str) -> str:
    return f"{MARKS}/{kind}/{public_id}"


def _mark(storage: Storage, name: str, now: datetime) -> None:
    storage.put(name, now.isoformat().encode())


def _marked_at(storage: Storage, name: str) -> datetime | None:
    try:
        return datetime.fromisoformat(storage.read(name).decode())
    except (NoSuchFile, ValueError):
        return None
