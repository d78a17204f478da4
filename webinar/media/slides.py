"""Slides as pictures: the pages of a PDF drawn, pictures drawn anew, the words kept."""

import secrets
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Lock

import pypdfium2

from webinar.domain.errors import DomainError
from webinar.media.faculty_files import PDF, photo_of, slides_type
from webinar.media.ffmpeg import FfmpegFailed, run

MOST_PAGES = 200
WIDTH, HEIGHT = 1280, 960
PAGE_SECONDS = 20
MOST_LETTERS = 5_000
# pdfium must not be entered by two threads of a process at once.
_ONE_AT_A_TIME = Lock()


class NotDrawn(DomainError):
    """Slides that cannot be turned into pictures."""


@dataclass(frozen=True)
class DrawnSlide:
    """A JPEG, and the words on it for those who read."""

    jpeg: bytes
    words: str = ""


def pages_of(data: bytes) -> Iterator[DrawnSlide]:
    """The pages of a PDF, one after the other, at most MOST_PAGES. Raises NotDrawn, NotSlides."""
    if slides_type(data) != PDF:
        raise NotDrawn("PowerPoint cannot be drawn here. Save the slides as PDF and choose that.")
    with _ONE_AT_A_TIME:
        try:
            document = pypdfium2.PdfDocument(data)
        except pypdfium2.PdfiumError as broken:
            raise NotDrawn(
                "The PDF cannot be opened: it is broken, or protected by a password."
            ) from broken
        try:
            count = len(document)
            if not 0 < count <= MOST_PAGES:
                raise NotDrawn(f"The PDF has {count} pages; 1 to {MOST_PAGES} are taken.")
            for number in range(count):
                yield _drawn(document, number)
        finally:
            document.close()


def picture_of(data: bytes) -> DrawnSlide:
    """A picture somebody chose, drawn anew. Raises NotAPhoto."""
    return DrawnSlide(photo_of(data, longest_side=WIDTH))


def slide_name(recording_id: str, number: int) -> str:
    """A name in the storage that nobody can guess."""
    return f"recordings/{recording_id}/slide-{number}-{secrets.token_hex(8)}.jpg"


def _drawn(document: pypdfium2.PdfDocument, number: int) -> DrawnSlide:
    try:
        page = document[number]
        width, height = page.get_size()
        if width <= 0 or height <= 0:
            raise NotDrawn(f"Page {number + 1} of the PDF has no size.")
        # A page may be said to be a wall: it is drawn into the same picture all the same.
        scale = min(WIDTH / width, HEIGHT / height)
        bitmap = page.render(
            scale=scale, rev_byteorder=True, prefer_bgrx=True, may_draw_forms=False
        )
        words = page.get_textpage().get_text_range()[:MOST_LETTERS]
    except pypdfium2.PdfiumError as broken:
        raise NotDrawn(f"Page {number + 1} of the PDF cannot be drawn.") from broken
    jpeg = _jpeg(bytes(bitmap.buffer), bitmap.width, bitmap.height, bitmap.mode)
    clean = " ".join(line.strip() + "\n" for line in words.splitlines() if line.strip())
    return DrawnSlide(jpeg, clean.replace("\n ", "\n").replace("\0", "").strip())


def _jpeg(pixels: bytes, width: int, height: int, mode: str) -> bytes:
    layout = {"RGB": "rgb24", "RGBX": "rgb0", "RGBA": "rgba", "L": "gray"}[mode]
    with TemporaryDirectory(prefix="slide-") as folder:
        source = Path(folder) / "page"
        source.write_bytes(pixels)
        try:
            return run(
                [
                    *["-f", "rawvideo", "-pixel_format", layout, "-video_size"],
                    *[f"{width}x{height}", "-i", str(source), "-frames:v", "1"],
                    *["-pix_fmt", "yuvj420p", "-q:v", "3", "-f", "mjpeg", "pipe:1"],
                ],
                timeout_seconds=PAGE_SECONDS,
            )
        except FfmpegFailed as failure:
            raise NotDrawn("A page of the PDF cannot be drawn.") from failure
