"""Photos are drawn anew and slides looked at: by what they hold, never by their name."""

import io
import struct
import subprocess
import zipfile
from pathlib import Path

import pytest

from webinar.media.faculty_files import (
    JPEG,
    LARGEST_PHOTO,
    LARGEST_SLIDES,
    PDF,
    PPTX,
    NotAPhoto,
    NotSlides,
    faculty_files,
    photo_of,
    slides_type,
)
from webinar.media.ffmpeg import command, find_ffmpeg

PDF_FILE = b"%PDF-1.7\n1 0 obj\n<<>>\nendobj\ntrailer\n<<>>\n%%EOF\n"
TYPES = (
    '<Types><Override PartName="/ppt/presentation.xml" ContentType="application/vnd.'
    'openxmlformats-officedocument.presentationml.presentation.main+xml"/></Types>'
)


def picture(suffix: str, *, size: str = "1600x900", extra: tuple[str, ...] = ()) -> bytes:
    source = ["-f", "lavfi", "-i", f"color=red:size={size}", "-frames:v", "1", *extra]
    codec = {"jpg": "mjpeg", "png": "png", "webp": "libwebp"}[suffix]
    done = subprocess.run(
        command(["-loglevel", "error", *source, "-c:v", codec, "-f", "image2pipe", "pipe:1"]),
        check=True,
        capture_output=True,
    )
    return done.stdout


def size_of(jpeg: bytes) -> str:
    """Width and height as ffmpeg reads them."""
    done = subprocess.run(
        [find_ffmpeg(), "-hide_banner", "-f", "jpeg_pipe", "-i", "pipe:0"],
        input=jpeg,
        capture_output=True,
        check=False,
    )
    said = done.stderr.decode()
    return next(
        word for word in said.replace(",", " ").split() if word[:1].isdigit() and "x" in word
    )


def package(**files: str) -> bytes:
    written = io.BytesIO()
    with zipfile.ZipFile(written, "w") as archive:
        for name, text in files.items():
            archive.writestr(name, text)
    return written.getvalue()


def slides(**more: str) -> bytes:
    return package(**{"[Content_Types].xml": TYPES, "ppt/presentation.xml": "<p/>"}, **more)


@pytest.mark.parametrize("suffix", ["jpg", "png", "webp"])
def test_a_photo_becomes_a_small_jpeg(suffix: str) -> None:
    jpeg = photo_of(picture(suffix))

    assert jpeg.startswith(b"\xff\xd8\xff")
    assert size_of(jpeg) == "800x450"


def test_a_small_photo_stays_its_size() -> None:
    assert size_of(photo_of(picture("png", size="120x160"))) == "120x160"


def test_what_was_hidden_behind_the_picture_is_gone() -> None:
    jpeg = photo_of(picture("jpg") + b"<script>alert(1)</script>")

    assert b"<script>" not in jpeg


def with_exif(jpeg: bytes) -> bytes:
    """The picture as a telephone held upright writes it: to be turned, and with a place."""
    place = b"Bahnhofstrasse 1\0"
    turned = struct.pack("<HHIHH", 0x0112, 3, 1, 6, 0)
    told = struct.pack("<HHII", 0x010E, 2, len(place), 8 + 2 + 24 + 4)
    tiff = b"II*\0" + struct.pack("<IH", 8, 2) + told + turned + bytes(4) + place
    block = b"Exif\0\0" + tiff
    return jpeg[:2] + b"\xff\xe1" + struct.pack(">H", len(block) + 2) + block + jpeg[2:]


def test_a_telephones_photo_is_turned_upright_and_tells_no_place() -> None:
    jpeg = photo_of(with_exif(picture("jpg", size="400x300")))

    assert b"Bahnhofstrasse" not in jpeg
    assert size_of(jpeg) == "300x400"


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"<svg xmlns='http://www.w3.org/2000/svg'/>",
        b"GIF89a" + bytes(50),
        b"#EXTM3U\nfile:///etc/passwd\n",
        b"\xff\xd8\xff" + b"broken" * 20,
        b"\x89PNG\r\n\x1a\n" + bytes(40),
        b"RIFF\x00\x00\x00\x00WEBP",
        b"\xff\xd8\xff" + bytes(LARGEST_PHOTO),
    ],
    ids=["empty", "svg", "gif", "playlist", "broken", "half a png", "half a webp", "too large"],
)
def test_what_is_no_photo_is_refused_with_a_sentence(data: bytes) -> None:
    with pytest.raises(NotAPhoto) as refusal:
        photo_of(data)

    assert str(refusal.value).endswith(".")


def test_a_picture_that_unpacks_to_more_than_any_camera_takes_is_refused() -> None:
    with pytest.raises(NotAPhoto):
        photo_of(picture("png", size="12000x6000"))


def test_slides_are_known_by_what_they_hold() -> None:
    assert slides_type(PDF_FILE) == PDF
    assert slides_type(slides()) == PPTX


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"MZ\x90\x00",
        b"%PDF-1.7 and no end",
        b"PK\x03\x04 broken",
        package(**{"word/document.xml": "<w/>", "[Content_Types].xml": "<Types/>"}),
        package(**{"ppt/presentation.xml": "<p/>", "[Content_Types].xml": "<Types/>"}),
        slides(**{"ppt/vbaProject.bin": "macro"}),
        PDF_FILE + bytes(LARGEST_SLIDES),
    ],
    ids=["empty", "program", "half", "broken", "word", "wrong types", "macros", "too large"],
)
def test_what_are_no_slides_is_refused_with_a_sentence(data: bytes) -> None:
    with pytest.raises(NotSlides) as refusal:
        slides_type(data)

    assert str(refusal.value).endswith(".")


def test_files_lie_below_the_data_folder(tmp_path: Path) -> None:
    files = faculty_files(tmp_path)

    files.put("ab12.jpg", b"photo")

    assert (tmp_path / "faculty" / "ab12.jpg").read_bytes() == b"photo"
    assert JPEG == "image/jpeg"
