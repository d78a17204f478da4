"""Which encrypted segments and takes there should be, and which there were: one line for each.

They are too many and too large to be in every backup. With their names, sizes and sums in it, a
copy made by other means can be held against it.
"""

import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from tempfile import TemporaryFile
from typing import Self

from sqlalchemy import select

from webinar.db import DbSession
from webinar.domain.recording import RecordingState
from webinar.media.storage import Storage
from webinar.models import MediaSegment, Recording

FOLDER = "recordings"
SEGMENT, PLAIN, TAKE = "segment", "plain", "take"
ROWS_AT_ONCE = 1000


@dataclass(frozen=True)
class Listed:
    """One file: its name in the storage (of a take, in the data folder), what it is, and whether
    it was there. `sha256` is empty where nobody has summed it up."""

    name: str
    what: str
    size: int = 0
    sha256: str = ""
    is_here: bool = True


class MediaIndex:
    """The lines, on the disk meanwhile: there may be hundreds of thousands."""

    def __init__(self) -> None:
        self.files = 0
        self.missing = 0
        self._file = TemporaryFile()  # noqa: SIM115 - closed by __exit__

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()

    @property
    def size(self) -> int:
        """Bytes of all lines."""
        return self._file.seek(0, 2)

    def add(self, listed: Listed) -> None:
        """One more line, at the end."""
        self._file.seek(0, 2)
        self._file.write(json.dumps(asdict(listed)).encode() + b"\n")
        if listed.what == SEGMENT:
            self.files += 1
            self.missing += not listed.is_here

    def lines(self) -> Iterator[bytes]:
        """As they are written."""
        self._file.seek(0)
        yield from self._file

    def listed(self) -> Iterator[Listed]:
        """The lines read again. Nothing may be added meanwhile."""
        for line in self.lines():
            yield Listed(**json.loads(line))


def fill(index: MediaIndex, db: DbSession, storage: Storage, data_dir: Path) -> None:
    """List what belongs to recordings that are not destroyed, and the takes that lie there."""
    recordings = db.execute(
        select(Recording.id, Recording.public_id)
        .where(Recording.state != RecordingState.DESTROYED, Recording.media_deleted_at.is_(None))
        .order_by(Recording.id)
    ).all()
    for recording_id, public_id in recordings:
        here = set(storage.names(f"{FOLDER}/{public_id}"))
        with db.execute(
            select(MediaSegment.name, MediaSegment.size, MediaSegment.sha256)
            .where(MediaSegment.recording_id == recording_id)
            .execution_options(yield_per=ROWS_AT_ONCE)
        ) as segments:
            for name, size, sha256 in segments:
                index.add(Listed(name, SEGMENT, size, sha256 or "", name in here))
                here.discard(name)
        for name in sorted(here):
            # What is packaged at this moment has segments without rows: they come another time.
            if not name.endswith(".ts"):
                index.add(Listed(name, PLAIN))
    for path in files_below(data_dir / "takes"):
        index.add(Listed(str(path.relative_to(data_dir)), TAKE, path.stat().st_size))


def files_below(folder: Path) -> list[Path]:
    """Its files in order, without those that are being written."""
    return sorted(
        path for path in folder.rglob("*") if path.is_file() and not path.name.startswith(".")
    )
