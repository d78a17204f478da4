import stat
import struct
from pathlib import Path

import pytest

from tests.media.films import film
from webinar.media.ffmpeg import (
    AudioStream,
    FfmpegFailed,
    NotAVideo,
    VideoStream,
    find_ffmpeg,
    probe,
    run,
    streams_of,
)


def test_a_finished_video_is_measured(mp4: Path) -> None:
    found = probe(mp4)

    assert found.duration_seconds == pytest.approx(9.0, abs=0.1)
    assert found.video == VideoStream("h264", "yuv420p", 320, 180, 25.0, False)
    assert found.audio == AudioStream("aac", 48000)


def test_a_take_without_a_stated_length_is_measured_by_reading_it(webm: Path) -> None:
    stated, measured = streams_of(webm), probe(webm)

    assert stated.duration_seconds == 0.0
    assert measured.duration_seconds == pytest.approx(9.0, abs=0.1)
    assert stated.audio == AudioStream("opus", 48000)


def test_a_telephone_held_upright_is_noticed(mp4: Path, tmp_path: Path) -> None:
    turned = tmp_path / "turned.mp4"
    data = bytearray(mp4.read_bytes())
    # The matrix in the header of the first track, the picture (ISO/IEC 14496-12, 8.3.2.2).
    matrix = data.index(b"tkhd") + 44
    data[matrix : matrix + 36] = struct.pack(
        ">9i", 0, 0x10000, 0, -0x10000, 0, 0, 180 << 16, 0, 0x40000000
    )
    turned.write_bytes(data)

    video = streams_of(turned).video

    assert video == VideoStream("h264", "yuv420p", 320, 180, 25.0, True)


def test_the_cover_of_a_song_is_no_video(tmp_path: Path) -> None:
    cover = film(tmp_path / "cover.png", seconds=1, tone="", how=["-frames:v", "1", "-update", "1"])
    song = tmp_path / "song.m4a"
    both = ["-f", "lavfi", "-i", "sine=d=1", "-i", str(cover), "-map", "0", "-map", "1"]
    run(
        [*both, "-c:a", "aac", "-c:v", "copy", "-disposition:v:0", "attached_pic", str(song)],
        timeout_seconds=60,
    )

    found = streams_of(song)

    assert (found.video, found.audio) == (None, AudioStream("aac", 44100))


@pytest.mark.parametrize("size", [0, 40, 900])
def test_the_beginning_of_a_video_is_no_video(size: int, webm: Path, tmp_path: Path) -> None:
    path = tmp_path / "cut.webm"
    path.write_bytes(webm.read_bytes()[:size])

    with pytest.raises(NotAVideo):
        probe(path)


def test_a_file_that_is_not_there_is_no_video(tmp_path: Path) -> None:
    with pytest.raises(NotAVideo):
        probe(tmp_path / "nothing.mp4")


def test_a_run_that_takes_too_long_is_ended() -> None:
    with pytest.raises(FfmpegFailed, match="no end after 0 s"):
        run(
            ["-f", "lavfi", "-i", "testsrc2", "-t", "100000", "-f", "null", "-"],
            timeout_seconds=0.3,
        )


def test_a_run_that_fails_says_why() -> None:
    with pytest.raises(FfmpegFailed, match="No such file"):
        run(["-i", "/nowhere/at/all.mp4", "-f", "null", "-"], timeout_seconds=10)


def test_the_ffmpeg_named_in_the_environment_comes_first(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    on_path = tmp_path / "ffmpeg"
    on_path.write_text("#!/bin/sh\n")
    on_path.chmod(on_path.stat().st_mode | stat.S_IXUSR)
    monkeypatch.setenv("PATH", str(tmp_path))

    monkeypatch.setenv("FFMPEG", "/opt/chosen/ffmpeg")
    chosen = find_ffmpeg()
    monkeypatch.delenv("FFMPEG")
    found = find_ffmpeg()
    on_path.unlink()
    bundled = Path(find_ffmpeg())

    assert (chosen, found) == ("/opt/chosen/ffmpeg", str(on_path))
    assert bundled.name.startswith("ffmpeg-")
