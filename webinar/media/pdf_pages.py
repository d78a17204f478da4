"""Pages of a PDF as pictures and words, drawn by a process of its own within bounds.

A hostile or broken PDF ends that process, by its time, its memory or its fault, and no other.
usage: python -m webinar.media.pdf_pages PDF FOLDER WIDTH HEIGHT
"""

import resource
import struct
import subprocess
import sys
import zlib
from dataclasses import dataclass
from pathlib import Path

import pypdfium2

from webinar.domain.errors import DomainError

MOST_PAGES = 200
MOST_LETTERS = 5_000
SECONDS = 120
MEMORY_BYTES = 2 * 1024**3
CANNOT_OPEN, TOO_MANY, CANNOT_DRAW = 3, 4, 5


class NotDrawn(DomainError):
    """Slides that cannot be turned into pictures."""


@dataclass(frozen=True)
class DrawnPage:
    """A PNG, and the words on it for those who read."""

    png: Path
    words: str


def draw_pages(pdf: Path, folder: Path, *, width: int, height: int) -> list[DrawnPage]:
    """Every page, within the box, as `0001.png` and so on in the folder. Raises NotDrawn."""
    command = [sys.executable, "-m", "webinar.media.pdf_pages", str(pdf), str(folder)]
    try:
        done = subprocess.run(
            [*command, str(width), str(height)], capture_output=True, timeout=SECONDS, check=False
        )
    except subprocess.TimeoutExpired as late:
        raise NotDrawn(
            "These slides take too long to draw. Export them as pictures and choose those."
        ) from late
    if done.returncode == CANNOT_OPEN:
        raise NotDrawn("The PDF cannot be opened: it is broken, or protected by a password.")
    if done.returncode == TOO_MANY:
        raise NotDrawn(f"The PDF has no pages, or too many; 1 to {MOST_PAGES} are taken.")
    if done.returncode != 0:
        raise NotDrawn("This PDF cannot be drawn. Save it anew, or export the slides as pictures.")
    return [
        DrawnPage(png, png.with_suffix(".txt").read_text()) for png in sorted(folder.glob("*.png"))
    ]


def _main(pdf: Path, folder: Path, width: int, height: int) -> int:
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
    resource.setrlimit(resource.RLIMIT_CPU, (SECONDS, SECONDS))
    try:
        document = pypdfium2.PdfDocument(pdf)
    except pypdfium2.PdfiumError:
        return CANNOT_OPEN
    if not 0 < len(document) <= MOST_PAGES:
        return TOO_MANY
    for index in range(len(document)):
        try:
            _draw(document, index, folder / f"{index + 1:04d}.png", width, height)
        except pypdfium2.PdfiumError:
            return CANNOT_DRAW
    return 0


def _draw(document: pypdfium2.PdfDocument, index: int, to: Path, width: int, height: int) -> None:
    page = document[index]
    # A page may be said to be a wall: it is drawn into the same picture all the same.
    scale = min(width / page.get_width(), height / page.get_height())
    bitmap = page.render(scale=scale, rev_byteorder=True, may_draw_forms=False)
    to.write_bytes(
        _png(bytes(bitmap.buffer), bitmap.width, bitmap.height, bitmap.stride, bitmap.n_channels)
    )
    words = page.get_textpage().get_text_range()[:MOST_LETTERS]
    lines = (line.strip().replace("\0", "") for line in words.splitlines())
    to.with_suffix(".txt").write_text("\n".join(line for line in lines if line))
    page.close()


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
    sys.exit(_main(Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3]), int(sys.argv[4])))
