"""Going on in the middle of a take: every picture once, none decoded from the beginning."""

import errno
import os
import signal
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import pytest

from tests.media.counted import AS_FROM_OBS, counted_film, numbers_shown
from tests.media.films import AS_IT_COMES, STARTED, Cinema, pieces
from tests.media.test_packager import children_called_ffmpeg
from webinar.domain.rendition import Rendition
from webinar.media.ffmpeg import run
from webinar.media.keys import KeyStore
from webinar.media.packager import Damage, NoRoom, Packager, Positions, Take
from webinar.media.sealing import Position
from webinar.media.segments import PackagedSegment
from webinar.media.storage import FileStorage
from webinar.media.take_runs import TakeRuns
from webinar.media.takes import TakeStore

MAIN, LOW, AUDIO = Rendition
TAKE = Take(recording_id="rec1", broadcast_id="b1", number=0, started_at=STARTED)
SECONDS = 12
NUMBERS = list(range(25 * SECONDS))
PACKET = 188


class LeaseLost(Exception):
    pass


@pytest.fixture
def packager(tmp_path: Path, storage: FileStorage, keys: KeyStore) -> Packager:
    return Packager(
        storage, keys, tmp_path / "work", renditions=(MAIN, LOW, AUDIO), poll_seconds=0.02
    )


@pytest.fixture(scope="session")
def counted_webm(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return counted_film(tmp_path_factory.mktemp("films") / "counted.webm", seconds=SECONDS)


@pytest.fixture(scope="session")
def counted_ts(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """As a program such as OBS sends it; its time stamps come round again after six seconds."""
    folder = tmp_path_factory.mktemp("films")
    plain = counted_film(folder / "plain.ts", seconds=SECONDS, how=AS_FROM_OBS)
    turned = folder / "turned.ts"
    turned.write_bytes(shifted(plain.read_bytes(), by=(1 << 33) - 6 * 90_000))
    return turned


def shifted(stream: bytes, *, by: int) -> bytes:
    """Every time stamp of the MPEG-TS stream later by so many ticks, modulo 33 bits."""
    data = bytearray(stream)

    def shift(at: int) -> None:
        b = data[at : at + 5]
        ticks = (b[0] >> 1 & 7) << 30 | b[1] << 22 | (b[2] >> 1) << 15 | b[3] << 7 | b[4] >> 1
        ticks = (ticks + by) % (1 << 33)
        data[at] = b[0] & 0xF0 | (ticks >> 30 & 7) << 1 | 1
        data[at + 1] = ticks >> 22 & 0xFF
        data[at + 2] = (ticks >> 15 & 0x7F) << 1 | 1
        data[at + 3] = ticks >> 7 & 0xFF
        data[at + 4] = (ticks & 0x7F) << 1 | 1

    for start in range(0, len(data), PACKET):
        payload = start + 4
        if data[start + 3] & 0x20:
            field = data[start + 4]
            if field and data[start + 5] & 0x10:
                clock = int.from_bytes(data[start + 6 : start + 12])
                base = ((clock >> 15) + by) % (1 << 33)
                data[start + 6 : start + 12] = (base << 15 | clock & 0x7FFF).to_bytes(6)
            payload += 1 + field
        is_first = data[start + 1] & 0x40 and data[start + 3] & 0x10
        if is_first and data[payload : payload + 3] == b"\x00\x00\x01":
            if data[payload + 7] & 0x80:
                shift(payload + 9)
            if data[payload + 7] & 0x40:
                shift(payload + 14)
    return bytes(data)


def send(takes: TakeStore, data: bytes, *, count: int = 24) -> None:
    for seq, piece in enumerate(pieces(data, count=count)):
        takes.append("b1", 0, seq, piece)


def of(rendition: Rendition, segments: list[PackagedSegment]) -> list[PackagedSegment]:
    return [one for one in segments if one.rendition is rendition]


def positions(segments: list[PackagedSegment]) -> Positions:
    return {
        one.rendition: Position(one.take_offset_seconds + one.duration_seconds, one.sequence + 1)
        for one in segments
    }


def assert_gapless(segments: list[PackagedSegment], *, seconds: float) -> None:
    for rendition in Rendition:
        shown = of(rendition, segments)
        assert [one.sequence for one in shown] == list(range(len(shown)))
        for before, after in pairwise(shown):
            end = before.take_offset_seconds + before.duration_seconds
            assert after.take_offset_seconds == pytest.approx(end)
        end = shown[-1].take_offset_seconds + shown[-1].duration_seconds
        assert end == pytest.approx(seconds, abs=0.1)


@pytest.mark.parametrize("film", ["counted_webm", "counted_ts"])
@pytest.mark.parametrize("stops", [(13,), (5, 11, 26)], ids=["once", "three times"])
def test_workers_that_follow_one_another_show_every_picture_once(
    film: str,
    stops: tuple[int, ...],
    takes: TakeStore,
    packager: Packager,
    cinema: Cinema,
    request: pytest.FixtureRequest,
) -> None:
    send(takes, request.getfixturevalue(film).read_bytes())
    segments: list[PackagedSegment] = []

    def until(most: int) -> Callable[[PackagedSegment], None]:
        def store(segment: PackagedSegment) -> None:
            if len(segments) == most:
                raise LeaseLost
            segments.append(segment)

        return store

    for stop in stops:
        with pytest.raises(LeaseLost):
            packager.package_take(
                TAKE, takes, until(stop), start=positions(segments), is_finished=lambda: True
            )
    packager.package_take(
        TAKE, takes, segments.append, start=positions(segments), is_finished=lambda: True
    )

    assert numbers_shown(cinema, "rec1", of(MAIN, segments)) == NUMBERS
    assert numbers_shown(cinema, "rec1", of(LOW, segments)) == NUMBERS
    assert_gapless(segments, seconds=SECONDS)


def test_after_a_crash_only_the_last_keyframes_are_decoded_again(
    counted_webm: Path, takes: TakeStore, tmp_path: Path
) -> None:
    send(takes, counted_webm.read_bytes())
    runs = TakeRuns(takes, "b1", 0, tmp_path / "work", 0.02)

    run_ = runs.next({MAIN: Position(11.0, 11), LOW: Position(10.0, 10)}, lambda: True)

    assert run_ is not None
    passed_on = b"".join(run_.feed.more())
    whole = counted_webm.read_bytes()
    assert len(passed_on) < len(whole) // 2
    assert whole.endswith(passed_on[-1000:])


def test_a_killed_encoder_is_followed_by_one_that_knows_where_each_rendition_stands(
    counted_webm: Path, takes: TakeStore, packager: Packager, cinema: Cinema
) -> None:
    data = pieces(counted_webm.read_bytes(), count=4)
    for seq in (0, 1, 2):
        takes.append("b1", 0, seq, data[seq])
    segments: list[PackagedSegment] = []

    def kill_at_the_tenth(segment: PackagedSegment) -> None:
        segments.append(segment)
        if len(segments) == 10:
            (encoder,) = children_called_ffmpeg()
            os.kill(encoder, signal.SIGKILL)
            takes.append("b1", 0, 3, data[3])

    packager.package_take(
        TAKE,
        takes,
        kill_at_the_tenth,
        start={},
        is_finished=lambda: takes.next_seq("b1", 0) == 4,
    )

    assert numbers_shown(cinema, "rec1", of(MAIN, segments)) == NUMBERS
    assert numbers_shown(cinema, "rec1", of(LOW, segments)) == NUMBERS
    assert sum(one.discontinuity for one in of(AUDIO, segments)) == 1
    assert_gapless(segments, seconds=SECONDS)


def test_a_stream_that_is_met_in_its_middle_begins_with_its_first_keyframe(
    counted_ts: Path, takes: TakeStore, packager: Packager, cinema: Cinema
) -> None:
    stream = counted_ts.read_bytes()
    middle = len(stream) // PACKET // 3 * PACKET
    send(takes, stream[middle:])
    segments: list[PackagedSegment] = []

    packager.package_take(TAKE, takes, segments.append, start={}, is_finished=lambda: True)

    shown = numbers_shown(cinema, "rec1", of(MAIN, segments))
    assert shown == list(range(shown[0], len(NUMBERS)))
    assert shown[0] in (50, 100, 150)
    assert shown == numbers_shown(cinema, "rec1", of(LOW, segments))
    assert segments[0].programme_time == STARTED


def test_a_damaged_chunk_is_said_and_the_rest_goes_on(
    counted_webm: Path, takes: TakeStore, packager: Packager, cinema: Cinema
) -> None:
    send(takes, counted_webm.read_bytes())
    path = takes.path("b1", 0)
    damaged = bytearray(path.read_bytes())
    middle = len(damaged) // 2
    damaged[middle] ^= 0xFF
    path.write_bytes(damaged)
    segments: list[PackagedSegment] = []
    said: list[Damage] = []

    packager.package_take(
        TAKE, takes, segments.append, start={}, is_finished=lambda: True, on_damage=said.append
    )

    (damage,) = said
    shown = numbers_shown(cinema, "rec1", of(MAIN, segments))
    lost = sorted(set(NUMBERS) - set(shown))
    assert shown == sorted(set(shown))
    assert lost == list(range(lost[0], 25 * round(damage.to_seconds)))
    assert len(lost) <= 3 * 25
    (again,) = [one for one in of(MAIN, segments) if one.discontinuity]
    assert again.take_offset_seconds == damage.to_seconds
    assert (again.programme_time - STARTED).total_seconds() == damage.to_seconds


@pytest.mark.parametrize("until", [5, 0], ids=["a sound that stops", "a sound that never came"])
def test_pictures_go_on_without_the_sound_that_was_announced(
    until: int, takes: TakeStore, packager: Packager, cinema: Cinema, tmp_path: Path
) -> None:
    path = tmp_path / "half.webm"
    whole = counted_film(tmp_path / "whole.webm", seconds=SECONDS)
    parted = [
        "-map",
        "0:v",
        "-map",
        "0:a",
        "-c",
        "copy",
        "-bsf:a",
        f"noise=drop='gte(pts*tb,{until})'",
    ]
    run(["-y", "-i", str(whole), *parted, *AS_IT_COMES, str(path)], timeout_seconds=60)
    send(takes, path.read_bytes())
    segments: list[PackagedSegment] = []

    packager.package_take(TAKE, takes, segments.append, start={}, is_finished=lambda: True)

    assert numbers_shown(cinema, "rec1", of(MAIN, segments)) == NUMBERS
    assert_gapless(segments, seconds=SECONDS)


def test_a_sound_that_comes_late_is_heard(
    takes: TakeStore, packager: Packager, cinema: Cinema, tmp_path: Path
) -> None:
    path = tmp_path / "late.webm"
    whole = counted_film(tmp_path / "whole.webm", seconds=SECONDS)
    parted = ["-map", "0:v", "-map", "0:a", "-c", "copy", "-bsf:a", "noise=drop='lt(pts*tb,6)'"]
    run(["-y", "-i", str(whole), *parted, *AS_IT_COMES, str(path)], timeout_seconds=60)
    send(takes, path.read_bytes())
    segments: list[PackagedSegment] = []

    packager.package_take(TAKE, takes, segments.append, start={}, is_finished=lambda: True)

    assert numbers_shown(cinema, "rec1", of(MAIN, segments)) == NUMBERS
    assert_gapless(segments, seconds=SECONDS)


def test_a_window_that_is_resized_keeps_every_picture(
    takes: TakeStore, packager: Packager, cinema: Cinema, tmp_path: Path
) -> None:
    large = counted_film(tmp_path / "large.ts", seconds=4, how=AS_FROM_OBS)
    small = counted_film(tmp_path / "small.ts", seconds=4, width=128, how=AS_FROM_OBS)
    send(takes, large.read_bytes() + shifted(small.read_bytes(), by=4 * 90_000))
    segments: list[PackagedSegment] = []

    packager.package_take(TAKE, takes, segments.append, start={}, is_finished=lambda: True)

    assert numbers_shown(cinema, "rec1", of(MAIN, segments)) == [*range(100), *range(100)]


def test_other_codecs_from_the_middle_on_are_followed(
    takes: TakeStore, packager: Packager, cinema: Cinema, tmp_path: Path
) -> None:
    first = counted_film(tmp_path / "first.ts", seconds=4, how=AS_FROM_OBS)
    second = counted_film(
        tmp_path / "second.ts",
        seconds=4,
        how=["-c:v", "mpeg2video", "-b:v", "2M", "-g", "25", "-c:a", "mp2", "-f", "mpegts"],
    )
    later = shifted(second.read_bytes(), by=4 * 90_000)
    send(takes, first.read_bytes() + later)
    segments: list[PackagedSegment] = []

    packager.package_take(TAKE, takes, segments.append, start={}, is_finished=lambda: True)

    assert numbers_shown(cinema, "rec1", of(MAIN, segments)) == [*range(100), *range(100)]
    assert sum(one.discontinuity for one in of(MAIN, segments)) == 1


class FullDisk(FileStorage):
    """A disk that takes so many segments and then no more, until somebody makes room."""

    room = 5

    def put(self, name: str, data: bytes) -> None:
        if self.room == 0:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        self.room -= 1
        super().put(name, data)


def test_a_full_disk_costs_no_picture(
    counted_webm: Path, takes: TakeStore, keys: KeyStore, cinema: Cinema, tmp_path: Path
) -> None:
    send(takes, counted_webm.read_bytes())
    storage = FullDisk(tmp_path / "storage")
    packager = Packager(storage, keys, tmp_path / "work", renditions=(MAIN, LOW))
    segments: list[PackagedSegment] = []

    with pytest.raises(NoRoom, match="disk is full"):
        packager.package_take(TAKE, takes, segments.append, start={}, is_finished=lambda: True)
    storage.room = 1000
    packager.package_take(
        TAKE, takes, segments.append, start=positions(segments), is_finished=lambda: True
    )

    assert numbers_shown(cinema, "rec1", of(MAIN, segments)) == NUMBERS
    assert numbers_shown(cinema, "rec1", of(LOW, segments)) == NUMBERS
