"""Slides as pictures: the pages of a PDF drawn, pictures drawn anew, the words kept."""

import secrets
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from webinar.media.faculty_files import PDF, photo_of, slides_type
from webinar.media.ffmpeg import FfmpegFailed, run
from webinar.media.pdf_pages import NotDrawn, draw_pages

WIDTH, HEIGHT = 1280, 960
PAGE_SECONDS = 20


@dataclass(frozen=True)
class DrawnSlide:
    """A JPEG, and the words on it for those who read."""

    jpeg: bytes
    words: str = ""


def pages_of(data: bytes) -> Iterator[DrawnSlide]:
    """The pages of a PDF, one after the other. Raises NotDrawn, NotSlides."""
    if slides_type(data) != PDF:
        raise NotDrawn("PowerPoint cannot be drawn here. Save the slides as PDF and choose that.")
    with TemporaryDirectory(prefix="slides-") as name:
        folder = Path(name)
        (folder / "slides.pdf").write_bytes(data)
        pages = draw_pages(folder / "slides.pdf", folder, width=WIDTH, height=HEIGHT)
        for page in pages:
            yield DrawnSlide(_jpeg(page.png), page.words)


def picture_of(data: bytes) -> DrawnSlide:
    """A picture somebody chose, drawn anew. Raises NotAPhoto."""
    return DrawnSlide(photo_of(data, longest_side=WIDTH))


def slide_name(recording_id: str, number: int) -> str:
    """A name in the storage that nobody can guess."""
    return f"recordings/{recording_id}/slide-{number}-{secrets.token_hex(8)}.jpg"


def _jpeg(png: Path) -> bytes:
    try:
        return run(
            [
                *["-i", str(png), "-frames:v", "1", "-pix_fmt", "yuvj420p", "-q:v", "3"],
                *["-f", "mjpeg", "pipe:1"],
            ],
            timeout_seconds=PAGE_SECONDS,
        )
    except FfmpegFailed as failure:
        raise NotDrawn("A page of the PDF cannot be drawn.") from failure
