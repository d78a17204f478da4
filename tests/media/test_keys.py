from pathlib import Path

import pytest

from webinar.domain.errors import Gone
from webinar.media.keys import (
    KeyExists,
    KeysDestroyed,
    KeyStore,
    KeyUnreadable,
    NoSuchKey,
)


def files_of(keys: KeyStore) -> list[Path]:
    return sorted(path for path in keys.root.rglob("*") if path.is_file())


def test_a_key_is_read_as_it_was_made(keys: KeyStore) -> None:
    first, second = keys.create("rec1", 0), keys.create("rec1", 1)

    assert (keys.read("rec1", 0), keys.read("rec1", 1)) == (first, second)
    assert (len(first), first != second) == (16, True)
    assert keys.numbers("rec1") == [0, 1]


def test_a_key_file_does_not_show_the_key_and_is_the_programs_alone(keys: KeyStore) -> None:
    key = keys.create("rec1", 0)

    (path,) = files_of(keys)

    assert path.read_bytes().find(key) == -1
    assert path.stat().st_mode & 0o777 == 0o600
    assert path.parent.stat().st_mode & 0o777 == 0o700


def test_a_number_is_given_once(keys: KeyStore) -> None:
    key = keys.create("rec1", 0)

    with pytest.raises(KeyExists):
        keys.create("rec1", 0)

    assert keys.read("rec1", 0) == key
    assert len(files_of(keys)) == 1


def test_a_key_outlives_a_restart_with_the_same_secret(keys: KeyStore) -> None:
    key = keys.create("rec1", 0)

    assert KeyStore(keys.root, "a secret of the tests").read("rec1", 0) == key


def test_another_secret_opens_nothing(keys: KeyStore) -> None:
    keys.create("rec1", 0)

    with pytest.raises(KeyUnreadable):
        KeyStore(keys.root, "another secret").read("rec1", 0)


def test_a_key_moved_to_another_recording_does_not_open(keys: KeyStore) -> None:
    keys.create("rec1", 0)
    keys.create("rec2", 0)
    moved = keys.root / "rec1" / "000000.key"
    moved.replace(keys.root / "rec2" / "000000.key")

    with pytest.raises(KeyUnreadable):
        keys.read("rec2", 0)


@pytest.mark.parametrize(("recording", "number"), [("rec1", 3), ("rec9", 0), ("../rec1", 0)])
def test_a_key_that_never_was_is_not_found(recording: str, number: int, keys: KeyStore) -> None:
    keys.create("rec1", 0)

    with pytest.raises(NoSuchKey):
        keys.read(recording, number)


def test_destroyed_keys_are_gone_for_ever(keys: KeyStore) -> None:
    keys.create("rec1", 0)
    keys.create("rec1", 1)
    other = keys.create("rec2", 0)

    keys.destroy_all("rec1")
    keys.destroy_all("rec1")

    assert keys.numbers("rec1") == []
    assert keys.read("rec2", 0) == other
    with pytest.raises(KeysDestroyed) as refusal:
        keys.read("rec1", 0)
    assert isinstance(refusal.value, Gone)
    with pytest.raises(KeysDestroyed):
        keys.create("rec1", 2)


def test_a_key_is_overwritten_before_its_file_is_removed(keys: KeyStore, tmp_path: Path) -> None:
    keys.create("rec1", 0)
    (path,) = files_of(keys)
    wrapped = path.read_bytes()
    still_there = tmp_path / "the same bytes on the disk"
    still_there.hardlink_to(path)

    keys.destroy_all("rec1")

    assert len(still_there.read_bytes()) == len(wrapped)
    assert still_there.read_bytes() != wrapped


def test_a_key_half_overwritten_when_the_power_failed_is_gone_too(keys: KeyStore) -> None:
    keys.create("rec1", 0)
    (path,) = files_of(keys)
    path.write_bytes(bytes(44))
    (path.parent / "destroyed").touch()

    with pytest.raises(KeysDestroyed):
        keys.read("rec1", 0)
