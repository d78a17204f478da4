import struct
from pathlib import Path

import pytest

from tests.media.films import film
from webinar.media.ffmpeg import NotAVideo
from webinar.media.poster import poster

START_OF_FRAME = b"\xff\xc0\x00\x11\x08"


def size_of(jpeg: bytes) -> tuple[int, int]:
    """Width and height, from the frame header (ITU-T T.81, B.2.2)."""
    assert jpeg.startswith(b"\xff\xd8\xff")
    at = jpeg.index(START_OF_FRAME) + len(START_OF_FRAME)
    height, width = struct.unpack(">HH", jpeg[at : at + 4])
    return width, height


def test_a_poster_is_a_jpeg_no_wider_than_the_page_needs(tmp_path: Path) -> None:
    wide = film(tmp_path / "wide.webm", seconds=2, picture="testsrc2=s=1920x1080:r=5")

    assert size_of(poster(wide)) == (1280, 720)


def test_a_small_video_is_not_enlarged(webm: Path) -> None:
    assert size_of(poster(webm)) == (320, 180)


def test_there_is_no_poster_of_a_broken_video(tmp_path: Path) -> None:
    broken = tmp_path / "broken.mp4"
    broken.write_bytes(b"no video")

    with pytest.raises(NotAVideo):
        poster(broken)
