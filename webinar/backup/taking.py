"""A backup taken while everybody goes on working."""

import os
from collections.abc import Generator
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from sqlalchemy import Engine

from webinar.backup import manifest as notes
from webinar.backup.archive import ABOUT, Part, Writer
from webinar.backup.manifest import About, Manifest, Trail, secret_mark
from webinar.backup.media_index import PLAIN, TAKE, MediaIndex, files_below, fill
from webinar.backup.sealed import Sealed, recipient_of, write_sealed
from webinar.backup.snapshot import Snapshot, snapshot_of
from webinar.domain.backup import UNFINISHED, BackupKind, BackupName
from webinar.domain.errors import Conflict
from webinar.media.durable import make_folder, sync_folder
from webinar.media.shelf import MediaShelf
from webinar.media.storage import NoSuchFile

DATABASE, HEADS, MEDIA_INDEX = "database", "evidence-heads.jsonl", "media.jsonl"
SMALL_FOLDERS = ("signing", "faculty")
PIECE = 1024 * 1024


@dataclass(frozen=True)
class Places:
    """Where an installation keeps what a backup is taken of, and its SECRET_KEY."""

    data_dir: Path
    shelf: MediaShelf
    secret: str


@dataclass(frozen=True)
class Taken:
    """A backup that lies there whole."""

    path: Path
    size: int
    digest: str
    manifest: Manifest


@dataclass
class _Noted:
    """What is learnt on the way and stands in the manifest."""

    trail: Trail = Trail(0, "")  # noqa: RUF009 - frozen
    chains: int = 0
    counts: dict[str, int] = field(default_factory=dict)
    media_files: int = 0
    media_missing: int = 0
    left_out: list[str] = field(default_factory=list)


def take_data(
    engine: Engine,
    places: Places,
    folder: Path,
    *,
    recipient: str,
    with_media: bool = False,
    now: datetime,
) -> Taken:
    """Everything but keys; segments and takes only `with_media`, else their list.

    Raises NoRecipient, ToolMissing, ToolFailed, StorageUnreachable, OSError (no room).
    """
    noted = _Noted()
    parts = _data_parts(engine, places, noted, with_media=with_media, now=now)
    return _write(folder, BackupName(BackupKind.DATA, now), parts, noted, recipient)


def take_keys(places: Places, folder: Path, *, recipient: str, now: datetime) -> Taken:
    """The key store, as wrapped as it lies there. Raises NoRecipient, OSError."""
    parts = _key_parts(places, now=now)
    return _write(folder, BackupName(BackupKind.KEYS, now), parts, _Noted(), recipient)


def _write(
    folder: Path,
    name: BackupName,
    parts: Generator[Part, None, None],
    noted: _Noted,
    recipient: str,
) -> Taken:
    whom = recipient_of(recipient)
    make_folder(folder, mode=0o700)
    path = folder / str(name)
    unfinished = folder / f"{name}{UNFINISHED}"
    if path.exists():
        raise Conflict(f"{path} is there already. Try again in a second.")
    writer = Writer()
    manifests: list[Manifest] = []

    def manifest() -> bytes:
        manifests.append(
            Manifest(
                parts=writer.parts,
                size=writer.size,
                digest=writer.digest,
                trail=noted.trail,
                chains=noted.chains,
                counts=noted.counts,
                media_files=noted.media_files,
                media_missing=noted.media_missing,
                left_out=tuple(noted.left_out),
            )
        )
        return manifests[0].to_json()

    stream = writer.stream(parts, manifest)
    try:
        with os.fdopen(
            os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb"
        ) as to:
            sealed: Sealed = write_sealed(stream, to, whom)
            to.flush()
            os.fsync(to.fileno())
        unfinished.rename(path)
    except BaseException:
        unfinished.unlink(missing_ok=True)
        raise
    finally:
        # Ends the look at the database too, if it did not come to its end.
        stream.close()
        parts.close()
    sync_folder(folder)
    return Taken(path, sealed.size, sealed.digest, manifests[0])


def _data_parts(
    engine: Engine, places: Places, noted: _Noted, *, with_media: bool, now: datetime
) -> Generator[Part, None, None]:
    with MediaIndex() as index:
        with snapshot_of(engine, places.shelf.work) as snapshot:
            yield from _of_snapshot(snapshot, places, noted, with_media=with_media, now=now)
            fill(index, snapshot.db, places.shelf.storage, places.data_dir)
        # Files come after the database: what it names was there before it was named.
        for folder in SMALL_FOLDERS:
            for path in files_below(places.data_dir / folder):
                yield from _of_file(path, places.data_dir, noted)
        for listed in index.listed():
            if listed.what == TAKE and with_media:
                yield from _of_file(places.data_dir / listed.name, places.data_dir, noted)
            elif listed.what == PLAIN or (listed.what != TAKE and listed.is_here and with_media):
                yield from _of_storage(listed.name, places, noted)
        noted.media_files, noted.media_missing = index.files, index.missing
        yield Part(MEDIA_INDEX, index.size, index.lines())


def _of_snapshot(
    snapshot: Snapshot, places: Places, noted: _Noted, *, with_media: bool, now: datetime
) -> Generator[Part, None, None]:
    about = About(
        kind=BackupKind.DATA,
        taken_at=now,
        secret_mark=secret_mark(places.secret),
        database=snapshot.kind,
        server=snapshot.server,
        tool=snapshot.tool,
        schema=snapshot.schema,
        has_media=with_media,
    )
    yield Part.of(ABOUT, about.to_json())
    heads = list(notes.heads_in(snapshot.db))
    noted.chains = len(heads)
    noted.trail = notes.trail_in(snapshot.db)
    noted.counts = notes.counts_in(snapshot.db)
    # How long the copy gets is known at its end only, and a part says its size first.
    for number, piece in enumerate(snapshot.pieces):
        yield Part.of(f"{DATABASE}/{number:08d}", piece)
    yield Part.of(HEADS, notes.heads_written(heads))


def _key_parts(places: Places, *, now: datetime) -> Generator[Part, None, None]:
    about = About(BackupKind.KEYS, now, secret_mark(places.secret))
    yield Part.of(ABOUT, about.to_json())
    root = places.shelf.keys.root
    for path in files_below(root):
        try:
            data = path.read_bytes()
        except FileNotFoundError:
            continue  # destroyed this moment
        yield Part.of(f"keys/{path.relative_to(root)}", data)


def _of_file(path: Path, root: Path, noted: _Noted) -> Generator[Part, None, None]:
    """As long as it is now: takes grow meanwhile, and their index, which comes first, says less."""
    name = str(path.relative_to(root))
    try:
        file = path.open("rb")
    except FileNotFoundError:
        noted.left_out.append(name)
        return
    with file:
        size = os.fstat(file.fileno()).st_size
        pieces = (file.read(min(PIECE, size - first)) for first in range(0, size, PIECE))
        yield Part(name, size, pieces)


def _of_storage(name: str, places: Places, noted: _Noted) -> Generator[Part, None, None]:
    try:
        data = places.shelf.storage.read(name)
    except NoSuchFile:
        noted.left_out.append(name)
        return
    yield Part.of(f"media/{name}", data)
