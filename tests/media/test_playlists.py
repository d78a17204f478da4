from datetime import UTC, datetime, timedelta, timezone

import pytest

from webinar.media.playlists import NoPictureYet, live_playlist, recording_playlist
from webinar.media.segments import PackagedSegment

STARTED = datetime(2026, 11, 26, 17, 15, 0, 250_000, tzinfo=UTC)


def segment(sequence: int, *, seconds: float = 2.0, discontinuity: bool = False) -> PackagedSegment:
    return PackagedSegment(
        sequence=sequence,
        take=0,
        key_number=sequence // 3,
        iv=f"{sequence:032x}",
        duration_seconds=seconds,
        take_offset_seconds=sequence * 2.0,
        programme_time=STARTED + timedelta(seconds=sequence * 2),
        discontinuity=discontinuity,
        size=1000,
        name=f"recordings/rec1/{sequence:06d}.ts",
    )


def key_uri(number: int) -> str:
    return f"/keys/{number}"


def segment_uri(one: PackagedSegment) -> str:
    return f"/media/{one.name}"


def live(segments: list[PackagedSegment], *, window: int = 8, ended: bool = False) -> list[str]:
    text = live_playlist(
        segments, key_uri=key_uri, segment_uri=segment_uri, window=window, ended=ended
    )
    assert text.endswith("\n")
    return text.splitlines()


def test_a_live_list_says_everything_of_each_segment() -> None:
    assert live([segment(0), segment(1, seconds=1.96)]) == [
        "#EXTM3U",
        "#EXT-X-VERSION:3",
        "#EXT-X-INDEPENDENT-SEGMENTS",
        "#EXT-X-TARGETDURATION:2",
        "#EXT-X-MEDIA-SEQUENCE:0",
        "#EXT-X-DISCONTINUITY-SEQUENCE:0",
        '#EXT-X-KEY:METHOD=AES-128,URI="/keys/0",IV=0x00000000000000000000000000000000',
        "#EXT-X-PROGRAM-DATE-TIME:2026-11-26T17:15:00.250Z",
        "#EXTINF:2.000000,",
        "/media/recordings/rec1/000000.ts",
        '#EXT-X-KEY:METHOD=AES-128,URI="/keys/0",IV=0x00000000000000000000000000000001',
        "#EXT-X-PROGRAM-DATE-TIME:2026-11-26T17:15:02.250Z",
        "#EXTINF:1.960000,",
        "/media/recordings/rec1/000001.ts",
    ]


def test_a_live_list_slides() -> None:
    lines = live([segment(number) for number in range(20)], window=3)

    assert lines[4:6] == ["#EXT-X-MEDIA-SEQUENCE:17", "#EXT-X-DISCONTINUITY-SEQUENCE:0"]
    assert [line for line in lines if line.startswith("/media")] == [
        "/media/recordings/rec1/000017.ts",
        "/media/recordings/rec1/000018.ts",
        "/media/recordings/rec1/000019.ts",
    ]
    assert [line.split('"')[1] for line in lines if "EXT-X-KEY" in line] == [
        "/keys/5",
        "/keys/6",
        "/keys/6",
    ]


def test_a_discontinuity_is_counted_once_it_has_left_the_list() -> None:
    segments = [segment(number, discontinuity=number in (2, 4)) for number in range(6)]

    at_the_head = live(segments, window=4)
    passed = live(segments, window=3)

    assert at_the_head[5:7] == ["#EXT-X-DISCONTINUITY-SEQUENCE:0", "#EXT-X-DISCONTINUITY"]
    assert passed[5] == "#EXT-X-DISCONTINUITY-SEQUENCE:1"
    assert passed.count("#EXT-X-DISCONTINUITY") == 1


def test_the_latest_segments_are_enough_when_what_went_before_is_counted() -> None:
    segments = [segment(number, discontinuity=number in (2, 9)) for number in range(12)]

    whole = live_playlist(segments, key_uri=key_uri, segment_uri=segment_uri, window=2)
    tail = live_playlist(
        segments[-2:],
        key_uri=key_uri,
        segment_uri=segment_uri,
        window=2,
        discontinuities_before=2,
    )

    assert tail == whole


def test_a_live_list_ends_when_the_session_has() -> None:
    assert live([segment(0)], ended=True)[-1] == "#EXT-X-ENDLIST"


def test_the_target_is_no_shorter_than_any_rounded_duration() -> None:
    targets = [
        live([segment(0, seconds=seconds), segment(1)])[3] for seconds in (0.4, 2.49, 2.5, 8.33)
    ]

    assert targets == [
        "#EXT-X-TARGETDURATION:2",
        "#EXT-X-TARGETDURATION:2",
        "#EXT-X-TARGETDURATION:3",
        "#EXT-X-TARGETDURATION:8",
    ]


def test_times_of_another_zone_are_written_in_utc() -> None:
    local = STARTED.astimezone(timezone(timedelta(hours=1)))
    one = PackagedSegment(**{**segment(0).__dict__, "programme_time": local})

    assert live([one])[7] == "#EXT-X-PROGRAM-DATE-TIME:2026-11-26T17:15:00.250Z"


def test_a_recording_is_listed_whole() -> None:
    segments = [segment(number, discontinuity=number == 5) for number in range(12)]

    lines = recording_playlist(segments, key_uri=key_uri, segment_uri=segment_uri).splitlines()

    assert lines[:6] == [
        "#EXTM3U",
        "#EXT-X-VERSION:3",
        "#EXT-X-INDEPENDENT-SEGMENTS",
        "#EXT-X-TARGETDURATION:2",
        "#EXT-X-PLAYLIST-TYPE:VOD",
        "#EXT-X-MEDIA-SEQUENCE:0",
    ]
    assert lines[-1] == "#EXT-X-ENDLIST"
    assert len([line for line in lines if line.startswith("/media")]) == 12
    assert lines.count("#EXT-X-DISCONTINUITY") == 1


def test_a_list_of_nothing_is_no_list() -> None:
    with pytest.raises(NoPictureYet):
        live([])
    with pytest.raises(NoPictureYet):
        recording_playlist([], key_uri=key_uri, segment_uri=segment_uri)
