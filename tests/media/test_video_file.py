"""What is a video, by content; everything else is named for what it is."""

from pathlib import Path

import pytest

from tests.media.films import H264, OPUS, film
from webinar.media.ffmpeg import NotAVideo, run
from webinar.media.video_file import checked_video

AAC = ["-c:a", "aac"]


@pytest.mark.parametrize(
    ("name", "how", "words"),
    [
        ("a.mp4", [*H264, *AAC], "MP4, 320 × 180, h264 and aac, 2 s"),
        ("a.mov", [*H264, *AAC], "MOV, 320 × 180, h264 and aac, 2 s"),
        ("a.mkv", [*H264, *OPUS], "MKV, 320 × 180, h264 and opus, 2 s"),
        (
            "a.webm",
            ["-c:v", "libvpx", "-deadline", "realtime", *OPUS],
            "WebM, 320 × 180, vp8 and opus, 2 s",
        ),
    ],
)
def test_the_four_kinds_are_taken_whatever_they_are_called(
    name: str, how: list[str], words: str, tmp_path: Path
) -> None:
    video = film(tmp_path / name, seconds=2, how=how).rename(tmp_path / "upload")

    assert checked_video(video).words == words


@pytest.mark.parametrize(
    ("head", "words"),
    [
        (b"", "The file is empty"),
        (b"\0" * 5000, "nothing but zeros"),
        (b"%PDF-1.7\n%\xe2\xe3", "a PDF document"),
        (b"#EXTM3U\n#EXTINF:2,\nhttp://127.0.0.1/secret\n", "a playlist"),
        (b"Dear organiser, here is my talk.", "the file is text"),
        (b"PK\x03\x04" + b"\0" * 100, "a ZIP archive"),
        (b"ID3\x04" + b"\0" * 100, "sound only (MP3)"),
        (b"RIFF\x24\0\0\0WAVEfmt ", "sound only (WAV)"),
        (b"RIFF\x24\0\0\0AVI LIST", "an AVI video"),
        (b"\xff\xd8\xff\xe0", "a picture (JPEG)"),
        (b"\0\0\0\x18ftypheic", "a picture (HEIC or AVIF)"),
        (b"\x9c\x81\xf0" * 50, "of no kind that is known here"),
        (b"\0\0\0\x18ftypisom" + b"\0" * 5000, "It begins like MP4. The file is broken"),
        (b"\x1a\x45\xdf\xa3" + b"\x42" * 500, "It begins like MKV. The file is broken"),
    ],
)
def test_what_is_no_video_is_refused_by_its_name(head: bytes, words: str, tmp_path: Path) -> None:
    (tmp_path / "talk.mp4").write_bytes(head)

    with pytest.raises(NotAVideo) as refused:
        checked_video(tmp_path / "talk.mp4")

    assert words in str(refused.value)


def test_sound_in_the_container_of_a_video_is_refused(tmp_path: Path) -> None:
    talk = film(tmp_path / "talk.mp4", seconds=1, picture="", how=["-c:a", "aac"])

    with pytest.raises(NotAVideo, match="holds sound only"):
        checked_video(talk)


def test_sound_with_a_cover_is_refused(tmp_path: Path) -> None:
    run(
        [
            *["-f", "lavfi", "-i", "sine=d=1", "-f", "lavfi", "-i", "color=s=64x64:d=0.04:r=25"],
            *["-map", "0:a", "-map", "1:v", "-c:a", "aac", "-c:v", "mjpeg", "-pix_fmt", "yuvj420p"],
            *["-disposition:v:0", "attached_pic", "-f", "ipod", str(tmp_path / "talk.mp4")],
        ],
        timeout_seconds=30,
    )

    with pytest.raises(NotAVideo, match="holds sound only"):
        checked_video(tmp_path / "talk.mp4")


@pytest.mark.parametrize("name", ["cut.mp4", "cut.mkv"])
def test_a_video_that_was_cut_off_on_its_way_is_refused(name: str, tmp_path: Path) -> None:
    faststart = ["-movflags", "+faststart"] if name.endswith("mp4") else []
    video = film(tmp_path / name, seconds=8, how=[*H264, *AAC, *faststart])
    with video.open("r+b") as file:
        file.truncate(video.stat().st_size // 3)

    with pytest.raises(NotAVideo, match=r"broken: it says it lasts 8 s, but ends after \d s"):
        checked_video(video)


def test_four_gigabytes_of_zeros_are_refused_without_reading_them(tmp_path: Path) -> None:
    for name, head in (("zeros.mp4", b""), ("almost.mp4", b"\0\0\0\x18ftypisom\0\0\0\0isomisom")):
        with (tmp_path / name).open("wb") as file:
            file.write(head)
            file.truncate(4 * 1024**3)

        with pytest.raises(NotAVideo):
            checked_video(tmp_path / name)
