"""After destruction: what everything a former viewer can have kept still shows, in pictures."""

import shutil
from pathlib import Path

import pytest

from tests.media.films import FRAMES_PER_SECOND, STARTED, Cinema, film
from webinar.domain.errors import Gone
from webinar.media.keys import KeyStore
from webinar.media.packager import Packager
from webinar.media.segments import PackagedSegment
from webinar.media.storage import FileStorage

SECONDS = 20
KEPT_KEY = 1  # of three: what a viewer's program fetched and wrote down


@pytest.fixture
def segments(tmp_path: Path, storage: FileStorage, keys: KeyStore) -> list[PackagedSegment]:
    """A recording of some seconds, with a new key every eight of them."""
    how = ["-c:v", "libx264", "-preset", "ultrafast", "-pix_fmt", "yuv420p", "-g", "50"]
    video = film(tmp_path / "talk.mp4", seconds=SECONDS, tone="", how=how)
    packaged: list[PackagedSegment] = []
    packager = Packager(storage, keys, tmp_path / "work", key_seconds=8, poll_seconds=0.02)
    packager.package_file(
        video, "rec9", packaged.append, started_at=STARTED, progress=lambda _share: None
    )
    return packaged


def test_only_the_minutes_of_a_key_that_was_kept_can_be_seen(
    tmp_path: Path,
    storage: FileStorage,
    keys: KeyStore,
    cinema: Cinema,
    segments: list[PackagedSegment],
) -> None:
    whole = cinema.frames("rec9", segments)
    # The viewer keeps the playlist, every segment there is, and one key.
    kept = tmp_path / "kept"
    shutil.copytree(storage.root, kept)
    for number in keys.numbers("rec9"):
        if number != KEPT_KEY:
            (cinema.folder / f"{number}.key").unlink()
    keys.destroy_all("rec9")

    with_one_key = Cinema(FileStorage(kept), keys, cinema.folder)
    seen = {
        number: with_one_key.decodable_frames(
            [segment for segment in segments if segment.key_number == number]
        )
        for number in {segment.key_number for segment in segments}
    }
    from_the_store = _what_the_store_gives(keys)

    of_the_key = [segment for segment in segments if segment.key_number == KEPT_KEY]
    readable = round(sum(segment.duration_seconds for segment in of_the_key) * FRAMES_PER_SECOND)
    assert whole == SECONDS * FRAMES_PER_SECOND
    assert len(seen) == 3
    assert seen == {0: 0, KEPT_KEY: readable, 2: 0}
    assert 0 < readable < whole
    assert from_the_store == []


def test_the_kept_key_opens_no_other_minutes(
    cinema: Cinema, keys: KeyStore, segments: list[PackagedSegment]
) -> None:
    cinema.frames("rec9", segments)
    key = (cinema.folder / f"{KEPT_KEY}.key").read_bytes()
    keys.destroy_all("rec9")
    for number in (0, 2):
        (cinema.folder / f"{number}.key").write_bytes(key)

    others = [segment for segment in segments if segment.key_number != KEPT_KEY]

    assert cinema.decodable_frames(others) == 0


def test_whoever_has_the_data_folder_but_no_backup_of_keys_has_noise(
    tmp_path: Path, storage: FileStorage, keys: KeyStore, segments: list[PackagedSegment]
) -> None:
    keys.destroy_all("rec9")

    left = [path for path in keys.root.rglob("*") if path.is_file()]

    assert [path.name for path in left] == ["destroyed"]
    assert [path.read_bytes() for path in left] == [b""]
    assert len(list(storage.names("recordings/rec9"))) == len(segments)
    assert Cinema(storage, keys, tmp_path / "empty").folder.exists() is False


def _what_the_store_gives(keys: KeyStore) -> list[bytes]:
    given = []
    for number in range(4):
        try:
            given.append(keys.read("rec9", number))
        except Gone:
            continue
    return given
