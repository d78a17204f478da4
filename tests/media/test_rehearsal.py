"""A rehearsal's picture is made of what is sent, and all of it goes at the end."""

import re
from pathlib import Path

import pytest

from tests.media.films import film, pieces
from webinar.domain.errors import NotFound
from webinar.media import rehearsal
from webinar.media.rehearsal import PLAYLIST, RehearsalRooms, show

NAME = "0123456789abcdef"


def listed(playlist: bytes) -> list[str]:
    return re.findall(r"^\d{6}\.ts$", playlist.decode(), re.M)


def test_takes_with_picture_and_with_sound_alone_become_one_playlist_until_all_is_deleted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rehearsal, "STOP_SECONDS", 60.0)
    rooms = RehearsalRooms(tmp_path / "data")
    seen = film(tmp_path / "seen.webm", seconds=3).read_bytes()
    heard = film(tmp_path / "heard.webm", seconds=3, picture="").read_bytes()
    for number, media in enumerate((seen, b"\x1a\x45\xdf\xa3 broken", heard)):
        for seq, piece in enumerate(pieces(media, count=1 + len(media) // 20_000)):
            rooms.takes.append(NAME, number, seq, piece)
    asked = 0

    def is_over() -> bool:
        nonlocal asked
        asked += 1
        # Two seconds of picture, and of sound all but the last, which comes at the end.
        is_there = rooms.has_picture(NAME)
        return asked > 600 or (is_there and len(listed(rooms.picture(NAME, PLAYLIST))) >= 5)

    show(rooms, NAME, is_over=is_over)

    playlist = rooms.picture(NAME, PLAYLIST)
    segments = listed(playlist)
    first = rooms.picture(NAME, segments[0])
    rooms.delete(NAME)
    assert playlist.count(b"#EXT-X-DISCONTINUITY\n") >= 1
    assert len(segments) >= 5
    assert first[0] == 0x47
    assert [path for path in rooms.root.rglob("*") if path.is_file()] == []


@pytest.mark.parametrize("name", ["../live.m3u8", "ffmpeg.log", "1.ts", "000000.ts"])
def test_nothing_but_its_own_segments_can_be_had(tmp_path: Path, name: str) -> None:
    rooms = RehearsalRooms(tmp_path)

    with pytest.raises(NotFound):
        rooms.picture(NAME, name)


def test_a_rehearsal_never_begun_is_deleted_without_harm(tmp_path: Path) -> None:
    RehearsalRooms(tmp_path).delete(NAME)

    with pytest.raises(NotFound):
        RehearsalRooms(tmp_path).folder("../takes")
