from pathlib import Path

import pytest

from tests.media.films import STARTED, Cinema, pieces
from webinar.media.demo_video import make_lecture
from webinar.media.ffmpeg import AudioStream, VideoStream, probe
from webinar.media.packager import Packager, Take
from webinar.media.segments import PackagedSegment
from webinar.media.takes import TakeStore


def lecture(path: Path, *, seconds: int = 14, title: str = "When less is enough") -> Path:
    make_lecture(
        path,
        title=title,
        faculty=["Dr Elena Marchetti, Lugano", "Dr Αθηνά Παπαδοπούλου, Athens"],
        society="European School of Oncology",
        topic="Breast cancer",
        seconds=seconds,
    )
    return path


@pytest.mark.parametrize("name", ["lecture.mp4", "lecture.webm"])
def test_a_lecture_has_picture_and_sound_and_the_length_asked_for(
    name: str, tmp_path: Path
) -> None:
    found = probe(lecture(tmp_path / name))

    assert found.video == VideoStream("h264", "yuv420p", 1280, 720, 5.0, False)
    assert found.audio == AudioStream("aac", 48000)
    assert found.duration_seconds == pytest.approx(14, abs=0.25)


def test_a_title_of_any_length_fits(tmp_path: Path) -> None:
    title = "Axillary surgery after neoadjuvant systemic treatment & “less”: <i>#what</i> $5\\ " * 3

    found = probe(lecture(tmp_path / "lecture.mp4", seconds=7, title=title))

    assert found.duration_seconds == pytest.approx(7, abs=0.25)


def test_a_lecture_is_packaged_without_encoding(
    packager: Packager, cinema: Cinema, tmp_path: Path
) -> None:
    segments: list[PackagedSegment] = []

    packager.package_file(
        lecture(tmp_path / "lecture.mp4"),
        "rec1",
        segments.append,
        started_at=STARTED,
        progress=lambda share: None,
    )

    assert [round(one.duration_seconds) for one in segments] == [4, 4, 4, 2]
    assert cinema.frames("rec1", segments) == 14 * 5


def test_a_lecture_can_be_sent_like_a_broadcast(
    packager: Packager, cinema: Cinema, takes: TakeStore, tmp_path: Path
) -> None:
    data = lecture(tmp_path / "lecture.webm", seconds=7).read_bytes()
    for seq, piece in enumerate(pieces(data, count=7)):
        takes.append("b1", 0, seq, piece)
    segments: list[PackagedSegment] = []

    packager.package_take(
        Take("rec1", "b1", 0, STARTED),
        takes,
        segments.append,
        start={},
        is_finished=lambda: True,
    )

    assert cinema.frames("rec1", segments) == 7 * 5
