"""What lies inside a backup: a tar archive that is written and read as a stream, with its sums.

First `about.json`, then the parts, then `SHA256SUMS` of all of them as `sha256sum -c` reads it,
last `manifest.json` with the sum of that. So anybody can open a backup without this program:
`age -d -i KEYFILE BACKUP | tar x`.
"""

import hashlib
import re
import tarfile
from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass
from tempfile import TemporaryFile
from typing import BinaryIO

from webinar.backup.sealed import DamagedBackup

PIECE = 1024 * 1024
ABOUT, SUMS, MANIFEST = "about.json", "SHA256SUMS", "manifest.json"
LARGEST_NOTE = 16 * 1024 * 1024
NAME = re.compile(r"(?:[A-Za-z0-9_][A-Za-z0-9._-]*/)*[A-Za-z0-9_][A-Za-z0-9._-]*")
_BLOCK = tarfile.BLOCKSIZE


@dataclass(frozen=True)
class Part:
    """One file of the archive: its name, its size in bytes, and what is in it."""

    name: str
    size: int
    content: Iterator[bytes]

    @classmethod
    def of(cls, name: str, data: bytes) -> "Part":
        """One whose bytes are at hand."""
        return cls(name, len(data), iter([data]))


class Writer:
    """Parts into a stream of bytes; counts and sums them."""

    def __init__(self) -> None:
        self.parts = 0
        self.size = 0
        self._sums = TemporaryFile()  # noqa: SIM115 - closed with the stream
        self._running = hashlib.sha256()

    @property
    def digest(self) -> str:
        """SHA-256 of all sums so far, hex."""
        return self._running.hexdigest()

    def stream(
        self, parts: Iterator[Part], manifest: Callable[[], bytes]
    ) -> Generator[bytes, None, None]:
        """The whole archive; `manifest` is asked when everything else was written."""
        with self._sums:
            for part in parts:
                yield from self._summed(part)
            size = self._sums.tell()
            self._sums.seek(0)
            yield from _framed(Part(SUMS, size, iter(lambda: self._sums.read(PIECE), b"")))
            yield from _framed(Part.of(MANIFEST, manifest()))
            yield b"\0" * (2 * _BLOCK)

    def _summed(self, part: Part) -> Iterator[bytes]:
        digest = hashlib.sha256()

        def seen() -> Iterator[bytes]:
            for piece in part.content:
                digest.update(piece)
                yield piece

        yield from _framed(Part(part.name, part.size, seen()))
        line = _sum_line(digest.hexdigest(), part.name)
        self._sums.write(line)
        self._running.update(line)
        self.parts += 1
        self.size += part.size


class Member:
    """One file of an archive that is read: take its bytes before the next is asked for."""

    def __init__(self, name: str, size: int, file: BinaryIO) -> None:
        self.name, self.size = name, size
        self.digest = hashlib.sha256()
        self._file = file
        self._left = size

    def pieces(self) -> Iterator[bytes]:
        """What is left of it; raises DamagedBackup if it breaks off."""
        while self._left:
            piece = self._file.read(min(PIECE, self._left))
            if not piece:
                raise DamagedBackup(f"The backup breaks off in {self.name}.")
            self._left -= len(piece)
            self.digest.update(piece)
            yield piece

    def whole(self) -> bytes:
        """All of it, for what is small; raises DamagedBackup if it is not."""
        if self.size > LARGEST_NOTE:
            raise DamagedBackup(f"{self.name} in the backup is larger than it can be.")
        return b"".join(self.pieces())


@dataclass(frozen=True)
class Ending:
    """How an archive ended: its manifest, and that of what was really read."""

    manifest: bytes
    parts: int
    size: int
    digest: str


class Reader:
    """The parts of a stream, in their order; `ending` is known when they are over."""

    def __init__(self, stream: BinaryIO) -> None:
        self.ending: Ending | None = None
        self._stream = stream

    def members(self) -> Iterator[Member]:
        """Each part but the sums and the manifest. Raises DamagedBackup, tarfile.TarError."""
        running = hashlib.sha256()
        parts = size = 0
        seen_sums = False
        with tarfile.open(fileobj=self._stream, mode="r|") as tar:
            while (info := tar.next()) is not None:
                # It would remember every one.
                tar.members.clear()  # type: ignore[attr-defined]
                file = tar.extractfile(info) if info.isreg() else None
                if file is None or NAME.fullmatch(info.name) is None:
                    raise DamagedBackup(
                        f"The backup holds what no backup of ours does: {info.name!r}."
                    )
                member = Member(info.name, info.size, file)  # type: ignore[arg-type]
                if info.name == MANIFEST and seen_sums:
                    self.ending = Ending(member.whole(), parts, size, running.hexdigest())
                    continue
                if self.ending is not None:
                    raise DamagedBackup("Something follows the end of the backup.")
                if info.name == SUMS:
                    for _ in member.pieces():
                        pass
                    if member.digest.hexdigest() != running.hexdigest():
                        raise DamagedBackup("The parts of the backup are not those it was made of.")
                    seen_sums = True
                    continue
                yield member
                for _ in member.pieces():
                    pass
                running.update(_sum_line(member.digest.hexdigest(), member.name))
                parts += 1
                size += member.size
        if self.ending is None:
            raise DamagedBackup("The backup has no end: it was cut off.")


def _sum_line(digest: str, name: str) -> bytes:
    return f"{digest}  {name}\n".encode()


def _framed(part: Part) -> Iterator[bytes]:
    if NAME.fullmatch(part.name) is None:
        raise ValueError(f"no name for a part of a backup: {part.name!r}")
    info = tarfile.TarInfo(part.name)
    info.size, info.mode = part.size, 0o600
    yield info.tobuf(tarfile.PAX_FORMAT)
    written = 0
    for piece in part.content:
        written += len(piece)
        yield piece
    if written != part.size:
        raise OSError(f"{part.name} changed its size while it was read.")
    yield b"\0" * (-written % _BLOCK)
