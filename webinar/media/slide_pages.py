"""Slides of the faculty as pictures, page by page, for the studio to show.

A PDF is opened by a process of its own: what is wrong with it ends that process and no other.
"""

import re
import shutil
import struct
import subprocess
import sys
import zlib
from datetime import UTC, datetime
from pathlib import Path

import pypdfium2

from webinar.domain.errors import DomainError, NotFound
from webinar.media.durable import make_folder

LARGEST_WIDTH, LARGEST_HEIGHT = 1280, 720
MOST_PAGES = 300
SECONDS = 120
FOLDER = re.compile(r"[a-f0-9]{64}")


class NoPages(DomainError):
    """No pictures can be made of these slides."""


class SlidePages:
    """Pictures of slides under one folder, by the hash of what they were made of."""

    def __init__(self, data_dir: Path) -> None:
        self.root = data_dir / "slide-pages"

    def make(self, pdf: Path, sha256: str) -> int:
        """Make the pictures unless they are there, and return how many. Raises NoPages."""
        folder = self._folder(sha256)
        if not (pages := _count(folder)):
            unfinished = folder.with_suffix(".part")
            shutil.rmtree(unfinished, ignore_errors=True)
            make_folder(unfinished, mode=0o700)
            _run(pdf, unfinished)
            shutil.rmtree(folder, ignore_errors=True)
            unfinished.rename(folder)
            pages = _count(folder)
        folder.touch()
        return pages

    def page(self, sha256: str, number: int) -> bytes:
        """Page `number` (from 1) as PNG; raises NotFound."""
        try:
            return (self._folder(sha256) / f"{number:04d}.png").read_bytes()
        except FileNotFoundError as missing:
            raise NotFound("There is no such slide. Choose the slides again.") from missing

    def forget(self, *, older_than: datetime) -> None:
        """Delete what nobody has asked for since then."""
        if not self.root.is_dir():
            return
        for folder in self.root.iterdir():
            if datetime.fromtimestamp(folder.stat().st_mtime, UTC) < older_than:
                shutil.rmtree(folder, ignore_errors=True)

    def _folder(self, sha256: str) -> Path:
        if FOLDER.fullmatch(sha256) is None:
            raise NotFound("There are no such slides.")
        return self.root / sha256


def draw_pages(pdf: Path, folder: Path) -> None:
    """Draw every page into the folder; raises pypdfium2.PdfiumError for what is no PDF."""
    document = pypdfium2.PdfDocument(pdf)
    for index in range(min(len(document), MOST_PAGES)):
        page = document[index]
        width, height = page.get_size()
        scale = min(LARGEST_WIDTH / width, LARGEST_HEIGHT / height)
        bitmap = page.render(scale=scale, rev_byteorder=True)
        picture = _png(
            bytes(bitmap.buffer), bitmap.width, bitmap.height, bitmap.stride, bitmap.n_channels
        )
        (folder / f"{index + 1:04d}.png").write_bytes(picture)
        page.close()


def _run(pdf: Path, folder: Path) -> None:
    command = [sys.executable, "-m", "webinar.media.slide_pages", str(pdf), str(folder)]
    try:
        done = subprocess.run(command, capture_output=True, timeout=SECONDS, check=False)
    except subprocess.TimeoutExpired as late:
        raise NoPages(
            "These slides take too long to draw. Export them as pictures and choose those."
        ) from late
    if done.returncode != 0 or not _count(folder):
        raise NoPages("This PDF cannot be drawn. Save it anew, or export the slides as pictures.")


def _count(folder: Path) -> int:
    return sum(1 for _ in folder.glob("*.png")) if folder.is_dir() else 0


def _png(pixels: bytes, width: int, height: int, stride: int, channels: int) -> bytes:
    """PNG (ISO/IEC 15948) of rows of grey, RGB or RGBA bytes; the fourth byte may be unused."""
    kind = {1: 0, 3: 2, 4: 6}[channels]
    rows = b"".join(
        b"\0" + pixels[row * stride : row * stride + width * channels] for row in range(height)
    )
    header = struct.pack(">IIBBBBB", width, height, 8, kind, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))
        for name, data in ((b"IHDR", header), (b"IDAT", zlib.compress(rows, 1)), (b"IEND", b""))
    )


if __name__ == "__main__":
    draw_pages(Path(sys.argv[1]), Path(sys.argv[2]))
