"""Videos on their way here: bytes that come in pieces, on the disk before they are counted.

An upload is two files: the bytes, and how many of them are durable. The count is written after the
bytes are on the disk, so what it does not cover never came, whatever the power did.
"""

import fcntl
import os
import re
import shutil
import struct
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from webinar.domain.errors import Conflict, DomainError, Gone
from webinar.media.disk import FULL
from webinar.media.durable import make_folder, sync_folder, write_all, write_whole

NAME = re.compile(r"[A-Za-z0-9_-]{1,64}")
BYTES = "video"
COUNT = "count"
FIELD = struct.Struct(">Q")


class NoSuchUpload(Gone):
    """The bytes are not here: never begun, packaged meanwhile, or withdrawn."""


class OtherOffset(Conflict):
    """The piece does not begin where the last one ended."""

    def __init__(self, *, expected: int) -> None:
        super().__init__(f"The next piece begins at byte {expected}.")
        self.expected = expected


class MoreThanAnnounced(DomainError):
    """More bytes than were announced."""

    status = 413


class NoRoom(DomainError):
    """The disk took no more; everything counted before is still there."""

    status = 507


class UploadStore:
    """All uploads under one folder. Holds no state: any process may write at any time.

    Two that write to one upload do no harm: whoever comes second finds another offset.
    """

    def __init__(self, data_dir: Path) -> None:
        self.root = data_dir / "uploads"

    def begin(self, name: str) -> None:
        """Make room for an upload; durable when this returns."""
        folder = self._folder(name)
        make_folder(folder, mode=0o700)
        write_whole(folder / BYTES, b"", mode=0o600)
        write_whole(folder / COUNT, _packed(0), mode=0o600)

    def offset(self, name: str) -> int:
        """How many bytes are durable; raises NoSuchUpload."""
        with self._locked(name) as (_, count):
            return _counted(count)

    def append(self, name: str, offset: int, data: bytes, *, length: int) -> int:
        """Add a piece at this offset; the new offset, durable when this returns.

        `length` is what was announced for the whole. Raises OtherOffset, MoreThanAnnounced,
        NoSuchUpload, NoRoom.
        """
        with self._locked(name) as (video, count):
            counted = _counted(count)
            if offset != counted:
                raise OtherOffset(expected=counted)
            if offset + len(data) > length:
                raise MoreThanAnnounced("More came than was announced; this piece was not kept.")
            try:
                os.ftruncate(video, counted)  # what a crash left behind the count
                os.lseek(video, counted, os.SEEK_SET)
                write_all(video, data)
                os.fsync(video)
                _count(count, counted + len(data))
            except OSError as failure:
                if failure.errno not in FULL:
                    raise
                raise NoRoom(
                    "The server's disk is full. What has come so far is kept: go on when there "
                    "is room again."
                ) from failure
            return counted + len(data)

    def cut(self, name: str, *, since: int, to: int) -> None:
        """Take back what was appended from `to` on, if nothing was added after `since`."""
        with self._locked(name) as (video, count):
            if _counted(count) == since:
                _count(count, to)
                os.ftruncate(video, to)

    def path(self, name: str) -> Path:
        """Where the bytes lie."""
        return self._folder(name) / BYTES

    def delete(self, name: str) -> None:
        """Forget the upload; not there is fine."""
        folder = self._folder(name)
        if folder.is_dir():
            # The count first: from here on nobody goes on with it.
            (folder / COUNT).unlink(missing_ok=True)
            shutil.rmtree(folder)
            sync_folder(folder.parent)

    def names(self) -> list[str]:
        """Every upload that has bytes here."""
        if not self.root.is_dir():
            return []
        return sorted(path.name for path in self.root.iterdir() if path.is_dir())

    def _folder(self, name: str) -> Path:
        if NAME.fullmatch(name) is None:
            raise NoSuchUpload("There is no such upload.")
        return self.root / name

    @contextmanager
    def _locked(self, name: str) -> Iterator[tuple[int, int]]:
        """Descriptors of bytes and count, locked until left; killed writers let go."""
        folder = self._folder(name)
        try:
            count = os.open(folder / COUNT, os.O_RDWR)
        except (FileNotFoundError, NotADirectoryError) as missing:
            raise NoSuchUpload("This upload is no longer here. Choose the file again.") from missing
        try:
            fcntl.flock(count, fcntl.LOCK_EX)
            video = os.open(folder / BYTES, os.O_RDWR)
            try:
                yield video, count
            finally:
                os.close(video)
        except FileNotFoundError as missing:
            raise NoSuchUpload("This upload is no longer here. Choose the file again.") from missing
        finally:
            os.close(count)


def _packed(number: int) -> bytes:
    field = FIELD.pack(number)
    return field + struct.pack(">I", zlib.crc32(field))


def _counted(count: int) -> int:
    """What the file says; nothing, if a crash tore it."""
    packed = os.pread(count, FIELD.size + 4, 0)
    field = packed[: FIELD.size]
    if len(field) < FIELD.size or packed != _packed(FIELD.unpack(field)[0]):
        return 0
    number: int = FIELD.unpack(field)[0]
    return number


def _count(count: int, number: int) -> None:
    # Twelve bytes within one sector: written as one.
    os.lseek(count, 0, os.SEEK_SET)
    write_all(count, _packed(number))
    os.fsync(count)
