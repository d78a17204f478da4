import os
import signal
from collections.abc import Callable
from datetime import timedelta
from itertools import pairwise
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.ciphers.modes import CBC

from tests.media.films import FRAMES_PER_SECOND, STARTED, TONE, Cinema, film, pieces
from webinar.domain.errors import Gone
from webinar.domain.rendition import Rendition
from webinar.media.ffmpeg import AudioStream, NotAVideo, probe, run
from webinar.media.keys import KeyStore
from webinar.media.packager import Packager, Take
from webinar.media.sealing import Position
from webinar.media.segments import PackagedSegment
from webinar.media.storage import FileStorage
from webinar.media.takes import TakeStore

MAIN = Rendition.MAIN
TAKE = Take(recording_id="rec1", broadcast_id="b1", number=0, started_at=STARTED)
FRAMES = 9 * FRAMES_PER_SECOND


class LeaseLost(Exception):
    pass


def send(takes: TakeStore, path: Path, *, take: int = 0) -> None:
    for seq, data in enumerate(pieces(path.read_bytes(), count=9)):
        takes.append("b1", take, seq, data)


def decrypt(storage: FileStorage, keys: KeyStore, segment: PackagedSegment) -> bytes:
    key, iv = keys.read("rec2", segment.key_number), bytes.fromhex(segment.iv)
    decryptor = Cipher(AES(key), CBC(iv)).decryptor()
    return decryptor.update(storage.read(segment.name)) + decryptor.finalize()


def no_progress(share: float) -> None:
    assert 0 <= share <= 1


def children_called_ffmpeg() -> list[int]:
    """Processes of this test's own that run ffmpeg now."""
    found = []
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            fields = (entry / "stat").read_text().rsplit(")", 1)
            program = fields[0].partition("(")[2]
            parent = int(fields[1].split()[1])
        except (FileNotFoundError, ProcessLookupError):
            continue
        if parent == os.getpid() and program.startswith("ffmpeg"):
            found.append(int(entry.name))
    return found


def assert_without_a_gap(segments: list[PackagedSegment]) -> None:
    assert [segment.sequence for segment in segments] == list(range(len(segments)))
    for before, after in pairwise(segments):
        end = before.take_offset_seconds + before.duration_seconds
        assert after.take_offset_seconds == pytest.approx(end)


def test_a_take_becomes_segments_that_play_to_the_last_frame(
    webm: Path, takes: TakeStore, packager: Packager, cinema: Cinema
) -> None:
    send(takes, webm)
    segments: list[PackagedSegment] = []

    end = packager.package_take(TAKE, takes, segments.append, start={}, is_finished=lambda: True)

    assert [round(segment.duration_seconds) for segment in segments] == [1] * 9
    assert cinema.frames("rec1", segments) == FRAMES
    assert end == {MAIN: Position(pytest.approx(9.0, abs=0.05), 9)}
    assert_without_a_gap(segments)


def test_segments_say_when_they_were_filmed_and_which_key_opens_them(
    webm: Path, takes: TakeStore, packager: Packager, storage: FileStorage, keys: KeyStore
) -> None:
    send(takes, webm)
    segments: list[PackagedSegment] = []

    packager.package_take(TAKE, takes, segments.append, start={}, is_finished=lambda: True)

    filmed = [round((one.programme_time - STARTED).total_seconds()) for one in segments]
    assert filmed == list(range(9))
    assert [segment.key_number for segment in segments] == [0, 0, 0, 0, 1, 1, 1, 1, 2]
    assert keys.numbers("rec1") == [0, 1, 2]
    assert len({segment.iv for segment in segments}) == 9
    assert [segment.discontinuity for segment in segments] == [False] * 9
    assert [len(storage.read(one.name)) for one in segments] == [one.size for one in segments]


def test_nothing_plain_stays_behind(
    webm: Path, takes: TakeStore, packager: Packager, storage: FileStorage, tmp_path: Path
) -> None:
    send(takes, webm)
    segments: list[PackagedSegment] = []

    packager.package_take(TAKE, takes, segments.append, start={}, is_finished=lambda: True)

    assert list((tmp_path / "work").iterdir()) == []
    # Each packet of a plain transport stream begins with G, and one is 188 bytes long.
    starts = [set(storage.read(one.name)[::188]) for one in segments]
    assert len(starts) == 9
    assert [one for one in starts if one == {0x47}] == []


def test_a_take_that_grows_is_followed_until_it_is_finished(
    webm: Path, takes: TakeStore, packager: Packager, cinema: Cinema
) -> None:
    waiting = list(enumerate(pieces(webm.read_bytes(), count=30)))
    segments: list[PackagedSegment] = []

    def one_more_piece() -> bool:
        if waiting:
            seq, data = waiting.pop(0)
            takes.append("b1", 0, seq, data)
        return not waiting

    packager.package_take(TAKE, takes, segments.append, start={}, is_finished=one_more_piece)

    assert cinema.frames("rec1", segments) == FRAMES


def test_an_encoder_that_is_killed_is_started_again_and_nothing_is_lost(
    webm: Path, takes: TakeStore, packager: Packager, cinema: Cinema
) -> None:
    data = pieces(webm.read_bytes(), count=3)
    for seq in (0, 1):
        takes.append("b1", 0, seq, data[seq])
    segments: list[PackagedSegment] = []

    def kill_at_the_second(segment: PackagedSegment) -> None:
        segments.append(segment)
        if len(segments) == 2:
            (encoder,) = children_called_ffmpeg()
            os.kill(encoder, signal.SIGKILL)
            takes.append("b1", 0, 2, data[2])

    end = packager.package_take(
        TAKE,
        takes,
        kill_at_the_second,
        start={},
        is_finished=lambda: takes.next_seq("b1", 0) == 3,
    )

    assert_without_a_gap(segments)
    assert sum(segment.discontinuity for segment in segments) == 1
    assert end[MAIN].packaged_seconds == pytest.approx(9.0, abs=0.05)
    assert cinema.frames("rec1", segments) == pytest.approx(FRAMES, abs=1)


def test_a_worker_goes_on_where_another_was_stopped(
    webm: Path, takes: TakeStore, packager: Packager, cinema: Cinema
) -> None:
    send(takes, webm)
    segments: list[PackagedSegment] = []

    def lose_the_lease_at_the_third(segment: PackagedSegment) -> None:
        if len(segments) == 2:
            raise LeaseLost
        segments.append(segment)

    with pytest.raises(LeaseLost):
        packager.package_take(
            TAKE, takes, lose_the_lease_at_the_third, start={}, is_finished=lambda: True
        )
    last = segments[-1]
    packager.package_take(
        TAKE,
        takes,
        segments.append,
        start={MAIN: Position(last.take_offset_seconds + last.duration_seconds, last.sequence + 1)},
        is_finished=lambda: True,
    )

    assert children_called_ffmpeg() == []
    assert_without_a_gap(segments)
    assert [segment.discontinuity for segment in segments] == [False, False, True] + [False] * 6
    assert segments[2].key_number > segments[1].key_number
    assert cinema.frames("rec1", segments) == FRAMES


def test_going_on_at_the_very_end_adds_nothing(
    webm: Path, takes: TakeStore, packager: Packager
) -> None:
    send(takes, webm)
    segments: list[PackagedSegment] = []
    end = packager.package_take(TAKE, takes, segments.append, start={}, is_finished=lambda: True)

    again = packager.package_take(TAKE, takes, segments.append, start=end, is_finished=lambda: True)

    assert again == end
    assert len(segments) == 9


def test_a_second_take_follows_with_a_discontinuity(
    webm: Path, takes: TakeStore, packager: Packager, cinema: Cinema, tmp_path: Path
) -> None:
    send(takes, webm)
    send(takes, film(tmp_path / "other.webm", seconds=3, picture="testsrc=s=240x180:r=10"), take=1)
    second = Take("rec1", "b1", 1, STARTED + timedelta(minutes=1))
    segments: list[PackagedSegment] = []

    end = packager.package_take(TAKE, takes, segments.append, start={}, is_finished=lambda: True)
    packager.package_take(
        second,
        takes,
        segments.append,
        start={MAIN: Position(0.0, end[MAIN].next_sequence)},
        is_finished=lambda: True,
    )

    fresh = segments[9:]
    assert [(one.take, one.sequence, one.discontinuity) for one in fresh] == [
        (1, 9, True),
        (1, 10, False),
        (1, 11, False),
    ]
    assert fresh[0].programme_time == STARTED + timedelta(minutes=1)
    assert cinema.frames("rec1", fresh) == 30


@pytest.mark.parametrize(
    ("make", "frames"),
    [
        (lambda path: film(path, seconds=3, tone=""), 75),
        (
            lambda path: film(
                path,
                seconds=3,
                picture="",
                how=["-c:a", "libopus", "-live", "1", "-f", "matroska"],
            ),
            15,
        ),
    ],
    ids=["picture without sound", "sound without picture"],
)
def test_what_a_take_lacks_is_added(
    make: Callable[[Path], Path],
    frames: int,
    takes: TakeStore,
    packager: Packager,
    cinema: Cinema,
    tmp_path: Path,
) -> None:
    send(takes, make(tmp_path / "half.webm"))
    segments: list[PackagedSegment] = []

    packager.package_take(TAKE, takes, segments.append, start={}, is_finished=lambda: True)

    assert cinema.frames("rec1", segments) == pytest.approx(frames, abs=1)
    # The muxer does not count how long the very last picture is shown: 0.2 s at 5 a second.
    assert sum(one.duration_seconds for one in segments) == pytest.approx(3, abs=0.21)


def test_a_take_that_never_began_adds_nothing(takes: TakeStore, packager: Packager) -> None:
    segments: list[PackagedSegment] = []

    end = packager.package_take(
        TAKE, takes, segments.append, start={MAIN: Position(4.0, 7)}, is_finished=lambda: True
    )

    assert end == {MAIN: Position(4.0, 7)}
    assert segments == []


def test_a_take_that_is_no_video_is_refused(takes: TakeStore, packager: Packager) -> None:
    takes.append("b1", 0, 0, b"\x1a\x45\xdf\xa3 and then nothing of use")

    with pytest.raises(NotAVideo):
        packager.package_take(TAKE, takes, lambda segment: None, start={}, is_finished=lambda: True)


def test_without_its_keys_a_recording_is_noise(
    webm: Path, takes: TakeStore, packager: Packager, keys: KeyStore, cinema: Cinema
) -> None:
    send(takes, webm)
    segments: list[PackagedSegment] = []
    packager.package_take(TAKE, takes, segments.append, start={}, is_finished=lambda: True)
    played = cinema.frames("rec1", segments)

    keys.destroy_all("rec1")
    for number in range(3):
        (cinema.folder / f"{number}.key").write_bytes(bytes(16))

    assert played == FRAMES
    assert cinema.decodable_frames(segments) == 0
    with pytest.raises(Gone):
        keys.read("rec1", 0)


def test_an_uploaded_video_is_cut_without_encoding(
    mp4: Path, packager: Packager, cinema: Cinema
) -> None:
    segments: list[PackagedSegment] = []
    shares: list[float] = []

    end = packager.package_file(
        mp4, "rec2", segments.append, started_at=STARTED, progress=shares.append
    )

    assert cinema.frames("rec2", segments) == FRAMES
    assert end[MAIN].packaged_seconds == pytest.approx(9.0, abs=0.05)
    assert shares == sorted(shares)
    assert shares[-1] == 1.0
    assert [round(segment.duration_seconds) for segment in segments] == [4, 4, 1]


def test_an_uploaded_video_without_sound_gets_silence(
    mp4: Path, packager: Packager, storage: FileStorage, keys: KeyStore, tmp_path: Path
) -> None:
    silent = tmp_path / "silent.mp4"
    run(["-i", str(mp4), "-an", "-c", "copy", str(silent)], timeout_seconds=60)
    segments: list[PackagedSegment] = []

    packager.package_file(silent, "rec2", segments.append, started_at=STARTED, progress=no_progress)

    plain = tmp_path / "first.ts"
    plain.write_bytes(decrypt(storage, keys, segments[0]))
    found = probe(plain)
    assert found.audio == AudioStream("aac", 48000)
    assert [round(segment.duration_seconds) for segment in segments] == [4, 4, 1]


def test_an_uploaded_video_with_rare_keyframes_is_encoded(
    packager: Packager, cinema: Cinema, storage: FileStorage, tmp_path: Path
) -> None:
    how = ["-c:v", "libx264", "-preset", "ultrafast", "-pix_fmt", "yuv420p", "-g", "999"]
    path = film(tmp_path / "rare.mp4", seconds=12, tone="", how=how)
    segments: list[PackagedSegment] = []

    packager.package_file(path, "rec2", segments.append, started_at=STARTED, progress=no_progress)

    assert [round(segment.duration_seconds) for segment in segments] == [4] * 3
    assert {path.name for path in (storage.root / "recordings" / "rec2").iterdir()} == {
        Path(segment.name).name for segment in segments
    }
    assert cinema.frames("rec2", segments) == 12 * FRAMES_PER_SECOND


def test_an_uploaded_video_of_another_kind_is_encoded(
    packager: Packager, cinema: Cinema, tmp_path: Path
) -> None:
    path = film(tmp_path / "old.avi", seconds=3, how=["-c:v", "mpeg4", "-c:a", "mp2"])
    segments: list[PackagedSegment] = []

    packager.package_file(path, "rec2", segments.append, started_at=STARTED, progress=no_progress)

    assert cinema.frames("rec2", segments) == 75


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"", "The file is empty. Please choose the video again."),
        (
            b"%PDF-1.7 the slides, not the talk",
            "The file is broken or not a video: no picture and no sound was found in it. "
            "Please export it again as MP4 or WebM.",
        ),
        (
            b"#EXTM3U\n#EXTINF:2,\nfile:///etc/hostname\n#EXT-X-ENDLIST\n",
            "The file is broken or not a video: no picture and no sound was found in it. "
            "Please export it again as MP4 or WebM.",
        ),
    ],
    ids=["empty", "slides", "a playlist that points elsewhere"],
)
def test_what_is_no_video_is_refused_with_what_was_found(
    content: bytes, sentence: str, packager: Packager, tmp_path: Path
) -> None:
    path = tmp_path / "upload.mp4"
    path.write_bytes(content)

    with pytest.raises(NotAVideo) as refusal:
        packager.package_file(
            path, "rec2", lambda segment: None, started_at=STARTED, progress=no_progress
        )

    assert str(refusal.value) == sentence


def test_sound_alone_is_no_upload(packager: Packager, tmp_path: Path) -> None:
    path = film(tmp_path / "talk.mp4", seconds=2, picture="", tone=TONE, how=["-c:a", "aac"])

    with pytest.raises(NotAVideo) as refusal:
        probe(path)

    assert str(refusal.value) == (
        "The file holds sound only (aac), no picture. Please choose a video."
    )


def test_a_video_cut_off_in_its_header_is_refused(packager: Packager, webm: Path) -> None:
    path = webm.with_name("cut.webm")
    path.write_bytes(webm.read_bytes()[:900])

    with pytest.raises(NotAVideo):
        packager.package_file(
            path, "rec2", lambda segment: None, started_at=STARTED, progress=no_progress
        )
