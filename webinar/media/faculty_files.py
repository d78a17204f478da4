"""What the faculty send in: photos are drawn anew, slides are looked at, neither is believed."""

import io
import secrets
import zipfile
from datetime import datetime
from pathlib import Path
from tempfile import TemporaryDirectory

from webinar.domain.errors import DomainError
from webinar.media.ffmpeg import FfmpegFailed, run
from webinar.media.storage import FileStorage

LARGEST_PHOTO = 10 * 1024 * 1024
LARGEST_SLIDES = 50 * 1024 * 1024
LONGEST_SIDE = 800
MOST_PIXELS = 60_000_000  # a camera's; more is a bomb
PHOTO_SECONDS = 20
LONGEST_TYPES_PART = 1024 * 1024

JPEG = "image/jpeg"
PDF = "application/pdf"
PPTX = "application/vnd.openxmlformats-officedocument.presentationml.presentation"
EXTENSIONS = {JPEG: "jpg", PDF: "pdf", PPTX: "pptx"}


class NotAPhoto(DomainError):
    """The bytes are no picture that is taken."""


class NotSlides(DomainError):
    """The bytes are neither PDF nor PowerPoint."""


class FacultyFiles(FileStorage):
    """Files of the faculty in one folder, under names of ours."""

    def older_than(self, instant: datetime) -> set[str]:
        """Names of the files that were stored before."""
        if not self.root.is_dir():
            return set()
        return {
            path.name
            for path in self.root.iterdir()
            if not path.name.startswith(".")
            and path.is_file()
            and path.stat().st_mtime < instant.timestamp()
        }


def faculty_files(data_dir: Path) -> FacultyFiles:
    """Where they lie: apart from everything that is served by its address."""
    return FacultyFiles(data_dir.resolve() / "faculty")


def new_key(media_type: str) -> str:
    """A name that nobody can guess, for a file of this type."""
    return f"{secrets.token_hex(16)}.{EXTENSIONS[media_type]}"


def photo_of(data: bytes, *, longest_side: int = LONGEST_SIDE) -> bytes:
    """The picture drawn anew as a JPEG: upright, small, and nothing hidden in it.

    Place, camera and whatever else was in the file are gone. Raises NotAPhoto.
    """
    if len(data) > LARGEST_PHOTO:
        raise NotAPhoto(
            f"The photo is larger than {_megabytes(LARGEST_PHOTO)}. Choose a smaller one."
        )
    kind = _picture_format(data)
    side = f"min({longest_side}\\,{{}})"
    scale = (
        f"scale=w='{side.format('iw')}':h='{side.format('ih')}'"
        ":force_original_aspect_ratio=decrease"
    )
    # What is transparent becomes paper, not black.
    onto_white = (
        f"[0:v]{scale},format=rgba,split[over][under];"
        "[under]drawbox=c=white:t=fill:replace=1[white];[white][over]overlay,format=yuvj420p"
    )
    with TemporaryDirectory(prefix="photo-") as folder:
        # Named by us: whatever the file was called reaches no command line.
        source = Path(folder) / "photo"
        source.write_bytes(data)
        try:
            jpeg = run(
                [
                    *["-protocol_whitelist", "file,pipe", "-max_pixels", str(MOST_PIXELS)],
                    *["-f", kind, "-i", str(source), "-filter_complex", onto_white],
                    *["-frames:v", "1", "-map_metadata", "-1", "-q:v", "3"],
                    *["-f", "mjpeg", "pipe:1"],
                ],
                timeout_seconds=PHOTO_SECONDS,
            )
        except FfmpegFailed as failure:
            raise NotAPhoto(
                "The photo cannot be read. Save it again as JPEG, or choose another."
            ) from failure
    if not jpeg.startswith(b"\xff\xd8\xff"):
        raise NotAPhoto("The photo cannot be read. Save it again as JPEG, or choose another.")
    return jpeg


def slides_type(data: bytes) -> str:
    """The media type by content; raises NotSlides. Files with macros are refused."""
    if len(data) > LARGEST_SLIDES:
        raise NotSlides(
            f"The slides are larger than {_megabytes(LARGEST_SLIDES)}. "
            "Save them with smaller pictures, or as PDF."
        )
    if data.startswith(b"%PDF-") and b"%%EOF" in data[-2048:]:
        return PDF
    if data.startswith(b"PK\x03\x04"):
        return _presentation_type(data)
    raise NotSlides("Slides are taken as PDF or PowerPoint (.pptx). Save them as one of these.")


def _picture_format(data: bytes) -> str:
    """How ffmpeg is told to read it: by what the file begins with, never by guessing."""
    if data.startswith(b"\xff\xd8\xff"):
        return "jpeg_pipe"
    if data.startswith(b"\x89PNG\r\n\x1a\n"):
        return "png_pipe"
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return "webp_pipe"
    raise NotAPhoto("A photo is taken as JPEG, PNG or WebP. Save it as one of these.")


def _presentation_type(data: bytes) -> str:
    refusal = NotSlides("This is no PowerPoint file (.pptx) that can be read. Save it as PDF.")
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as package:
            names = set(package.namelist())
            if any(name.lower().endswith("vbaproject.bin") for name in names):
                raise NotSlides("The slides hold macros. Save them without, as .pptx or PDF.")
            if not {"[Content_Types].xml", "ppt/presentation.xml"} <= names:
                raise refusal
            with package.open("[Content_Types].xml") as types:
                said = types.read(LONGEST_TYPES_PART)
    except (zipfile.BadZipFile, OSError, RuntimeError, NotImplementedError) as broken:
        raise refusal from broken
    if b"presentationml.presentation.main+xml" not in said:
        raise refusal
    return PPTX


def _megabytes(size: int) -> str:
    return f"{size // (1024 * 1024)} MB"
