"""Takes: what the speaker's recorder sent, byte for byte, on the disk before it is acknowledged.

A take is two files: the raw media, and an index with one fixed-size entry per chunk. The media is
synced first and the entry second, so whatever the index does not name never happened, and a tail
torn by a crash is cut off by the next writer. A lock on the index keeps two processes apart.
"""

import errno
import fcntl
import hashlib
import os
import re
import shutil
import struct
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from webinar.domain.errors import Conflict, DomainError, NotFound
from webinar.media.durable import make_folder, sync_folder, write_all
from webinar.media.ffmpeg import NotAVideo

LARGEST_CHUNK = 64 * 1024 * 1024
READ_BYTES = 256 * 1024
BROADCAST_ID = re.compile(r"[A-Za-z0-9_-]{1,64}")

# seq, end of the chunk in the media file, its length, its CRC-32, its SHA-256; CRC-32 of all that.
FIELDS = struct.Struct(">QQII32s")
ENTRY_BYTES = FIELDS.size + 4

EBML = b"\x1a\x45\xdf\xa3"  # WebM and Matroska (RFC 8794, 11.2.1)
TRANSPORT_PACKET = 188
SYNC_BYTE = 0x47  # MPEG-TS (ISO/IEC 13818-1, 2.4.3.2)


class ChunkOutOfOrder(Conflict):
    """A chunk before this one is missing."""

    def __init__(self, message: str, *, expected: int) -> None:
        super().__init__(message)
        self.expected = expected


class ChunkDiffers(Conflict):
    """Other bytes were stored under this number before."""


class ChunkTooLarge(DomainError):
    """More bytes than one chunk may have."""

    status = 413


class ChunkEmpty(DomainError):
    """A chunk without bytes."""


class ChunkDamaged(Exception):
    """What is on the disk is not what was acknowledged; the bytes [start, end) are lost."""

    def __init__(self, start: int, end: int) -> None:
        super().__init__(f"bytes {start} to {end} of the take are damaged on the disk")
        self.start = start
        self.end = end


class StorageFull(DomainError):
    """The disk took no more; nothing of the chunk was kept."""

    status = 507


@dataclass(frozen=True)
class Appended:
    """The chunk is durable now."""

    seq: int
    size: int
    take_bytes: int


@dataclass(frozen=True)
class Duplicate:
    """The chunk was durable before; sending it again did no harm."""

    seq: int
    size: int
    take_bytes: int


@dataclass(frozen=True)
class _Entry:
    seq: int
    end: int
    length: int
    crc: int
    digest: bytes

    def packed(self) -> bytes:
        fields = FIELDS.pack(self.seq, self.end, self.length, self.crc, self.digest)
        return fields + struct.pack(">I", zlib.crc32(fields))


class TakeStore:
    """All takes under one folder. Holds no state: any process may append or read at any time."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def append(self, broadcast_id: str, take: int, seq: int, data: bytes) -> Appended | Duplicate:
        """Add chunk `seq` (from 0) to the take; durable when this returns.

        Raises ChunkOutOfOrder with the number that is expected, ChunkDiffers, ChunkEmpty,
        ChunkTooLarge, StorageFull, and NotAVideo for a first chunk that starts no video.
        """
        if not data:
            raise ChunkEmpty("This piece of the broadcast is empty.")
        if len(data) > LARGEST_CHUNK:
            raise ChunkTooLarge("This piece of the broadcast is larger than 64 MB.")
        if seq == 0 and not _starts_a_video(data):
            raise NotAVideo("This does not begin like a WebM, MP4 or MPEG-TS video.")
        if seq > 0 and not self.path(broadcast_id, take).exists():
            raise _out_of_order(seq, expected=0)
        try:
            with self._locked(broadcast_id, take) as (media, index):
                return _append(media, index, seq, data)
        except OSError as failure:
            if failure.errno not in (errno.ENOSPC, errno.EDQUOT):
                raise
            raise StorageFull(
                "The server's disk is full. Nothing is lost as long as the studio stays open: "
                "it keeps trying."
            ) from failure

    def next_seq(self, broadcast_id: str, take: int) -> int:
        """The chunk number that is expected next; 0 if the take has not begun."""
        last = self._last(broadcast_id, take)
        return last.seq + 1 if last else 0

    def length(self, broadcast_id: str, take: int) -> int:
        """Durable bytes of the take; 0 if it has not begun."""
        last = self._last(broadcast_id, take)
        return last.end if last else 0

    def follow(self, broadcast_id: str, take: int, from_byte: int) -> Iterator[bytes]:
        """The durable bytes from there on, in pieces; ends where the take ends at this moment.

        Call again from the new position for what came meanwhile. Every chunk is compared with
        its checksum before any of it is passed on; raises ChunkDamaged.
        """
        for start, end, is_whole in self.checked(broadcast_id, take, from_byte):
            if not is_whole:
                raise ChunkDamaged(start, end)
            with self.path(broadcast_id, take).open("rb") as media:
                at = max(start, from_byte)
                media.seek(at)
                while at < end and (piece := media.read(min(READ_BYTES, end - at))):
                    at += len(piece)
                    yield piece

    def checked(
        self, broadcast_id: str, take: int, from_byte: int
    ) -> Iterator[tuple[int, int, bool]]:
        """Start and end of the chunks from the one on that holds this byte; False: damaged."""
        path = self.path(broadcast_id, take)
        if from_byte >= self.length(broadcast_id, take):
            return
        with path.open("rb") as media, path.with_suffix(".index").open("rb") as index:
            first, reached = _entry_holding(index.fileno(), from_byte), 0
            for number in range(first, os.fstat(index.fileno()).st_size // ENTRY_BYTES):
                if (entry := _entry(index.fileno(), number)) is None:
                    continue  # being written, or damaged: then the next one leaves a hole
                start = entry.end - entry.length
                if reached and start > reached:
                    yield reached, start, False
                reached = entry.end
                yield start, entry.end, _is_whole(media, entry)

    def read(self, broadcast_id: str, take: int, at: int, count: int) -> bytes:
        """At most `count` bytes from there, as they lie on the disk."""
        with self.path(broadcast_id, take).open("rb") as media:
            media.seek(at)
            return media.read(count)

    def takes(self, broadcast_id: str) -> list[int]:
        """The numbers of the takes that have begun, in order."""
        return sorted(int(path.stem) for path in self._folder(broadcast_id).glob("*.webm"))

    def delete_broadcast(self, broadcast_id: str) -> None:
        """Delete every take of the broadcast: they are plain, and end with the recording."""
        folder = self._folder(broadcast_id)
        if folder.is_dir():
            shutil.rmtree(folder)
            sync_folder(folder.parent)

    def path(self, broadcast_id: str, take: int) -> Path:
        """The raw media of a take (whatever its container, the name ends in .webm)."""
        return self._folder(broadcast_id) / f"{take:04d}.webm"

    def _folder(self, broadcast_id: str) -> Path:
        if BROADCAST_ID.fullmatch(broadcast_id) is None:
            raise NotFound("There is no such broadcast.")
        return self.root / "takes" / broadcast_id

    @contextmanager
    def _locked(self, broadcast_id: str, take: int) -> Iterator[tuple[int, int]]:
        """Descriptors of the media and the index, locked until left; killed writers let go."""
        path = self.path(broadcast_id, take)
        make_folder(path.parent, mode=0o700)
        is_new = not path.exists()
        index = os.open(path.with_suffix(".index"), os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(index, fcntl.LOCK_EX)
            media = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
            try:
                if is_new:
                    sync_folder(path.parent)
                yield media, index
            finally:
                os.close(media)
        finally:
            os.close(index)

    def _last(self, broadcast_id: str, take: int) -> _Entry | None:
        try:
            index = os.open(self.path(broadcast_id, take).with_suffix(".index"), os.O_RDONLY)
        except FileNotFoundError:
            return None
        try:
            return _last_whole_entry(index)
        finally:
            os.close(index)


def _append(media: int, index: int, seq: int, data: bytes) -> Appended | Duplicate:
    last = _recovered(media, index)
    expected, end = (last.seq + 1, last.end) if last else (0, 0)
    digest = hashlib.sha256(data).digest()
    if seq < expected:
        stored = _entry(index, seq)
        if stored is None or stored.digest != digest:
            raise ChunkDiffers(
                f"Piece {seq} of this take was stored before with other content. Start a new take."
            )
        return Duplicate(seq, len(data), end)
    if seq > expected:
        raise _out_of_order(seq, expected=expected)
    try:
        os.lseek(media, end, os.SEEK_SET)
        write_all(media, data)
        os.fsync(media)
        os.lseek(index, seq * ENTRY_BYTES, os.SEEK_SET)
        entry = _Entry(seq, end + len(data), len(data), zlib.crc32(data), digest)
        write_all(index, entry.packed())
        os.fsync(index)
    except OSError:
        os.ftruncate(index, seq * ENTRY_BYTES)
        os.ftruncate(media, end)
        raise
    return Appended(seq, len(data), entry.end)


def _recovered(media: int, index: int) -> _Entry | None:
    """Cut off what a crash left behind; the last chunk that is whole in both files."""
    last = _last_whole_entry(index)
    while last is not None and not _holds(media, last):
        last = _entry(index, last.seq - 1)
    entries, end = (last.seq + 1, last.end) if last else (0, 0)
    if os.fstat(index).st_size != entries * ENTRY_BYTES:
        os.ftruncate(index, entries * ENTRY_BYTES)
    if os.fstat(media).st_size != end:
        os.ftruncate(media, end)
    return last


def _last_whole_entry(index: int) -> _Entry | None:
    number = os.fstat(index).st_size // ENTRY_BYTES - 1
    while number >= 0:
        if (entry := _entry(index, number)) is not None:
            return entry
        number -= 1
    return None


def _entry(index: int, number: int) -> _Entry | None:
    """Entry `number` of the index, if it is there and whole."""
    if number < 0:
        return None
    packed = os.pread(index, ENTRY_BYTES, number * ENTRY_BYTES)
    if len(packed) < ENTRY_BYTES:
        return None
    fields = packed[: FIELDS.size]
    if struct.unpack(">I", packed[FIELDS.size :])[0] != zlib.crc32(fields):
        return None
    seq, end, length, crc, digest = FIELDS.unpack(fields)
    return _Entry(seq, end, length, crc, digest)


def _holds(media: int, entry: _Entry) -> bool:
    """True if the chunk's bytes are in the media file as they were acknowledged."""
    if os.fstat(media).st_size < entry.end:
        return False
    data = os.pread(media, entry.length, entry.end - entry.length)
    return zlib.crc32(data) == entry.crc


def _out_of_order(seq: int, *, expected: int) -> ChunkOutOfOrder:
    return ChunkOutOfOrder(
        f"Piece {seq} came before piece {expected}. Send {expected} first.", expected=expected
    )


def _starts_a_video(data: bytes) -> bool:
    if data.startswith(EBML) or data[4:8] == b"ftyp":
        return True
    packets = data[: 3 * TRANSPORT_PACKET : TRANSPORT_PACKET]
    return len(packets) == 3 and set(packets) == {SYNC_BYTE}


def _entry_holding(index: int, byte: int) -> int:
    """The number of the chunk in which this byte lies, which must be there."""
    low, high = 0, os.fstat(index).st_size // ENTRY_BYTES - 1
    while low < high:
        middle = (low + high) // 2
        entry = _entry(index, middle)
        if entry is not None and entry.end <= byte:
            low = middle + 1
        else:
            high = middle
    return low


def _is_whole(media: BinaryIO, entry: _Entry) -> bool:
    """True if the bytes on the disk are the ones that were acknowledged."""
    media.seek(entry.end - entry.length)
    crc, left = 0, entry.length
    while left and (piece := media.read(min(READ_BYTES, left))):
        crc = zlib.crc32(piece, crc)
        left -= len(piece)
    return left == 0 and crc == entry.crc
