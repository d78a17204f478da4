"""Only the holder of the key opens a backup, and only as it was written."""

import io
import os
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.backup.conftest import BackupKey, make_key
from webinar.backup.sealed import (
    DamagedBackup,
    NoIdentity,
    NoRecipient,
    WrongIdentity,
    identities_in,
    opened,
    recipient_of,
    write_sealed,
)

TEXT = os.urandom(300_000)


def pieces(text: bytes = TEXT) -> Iterator[bytes]:
    yield from (text[at : at + 70_001] for at in range(0, len(text), 70_001))


@pytest.fixture
def sealed(key: BackupKey, tmp_path: Path) -> Path:
    path = tmp_path / "some.age"
    with path.open("wb") as to:
        write_sealed(pieces(), to, recipient_of(key.public))
    return path


def read(path: Path, key: BackupKey) -> bytes:
    with opened(path, key.opening) as stream:
        return stream.read()


def test_it_comes_out_as_it_went_in(sealed: Path, key: BackupKey) -> None:
    assert read(sealed, key) == TEXT
    assert TEXT[:64] not in sealed.read_bytes()


def test_size_and_sum_are_those_of_the_file(key: BackupKey) -> None:
    to = io.BytesIO()

    said = write_sealed(pieces(), to, recipient_of(key.public))

    assert said.size == len(to.getvalue())


def test_another_key_is_told_so(sealed: Path, tmp_path: Path) -> None:
    with pytest.raises(WrongIdentity, match="another key than the one you gave"):
        read(sealed, make_key(tmp_path / "another.key"))


def test_a_byte_flipped_anywhere_is_noticed(sealed: Path, key: BackupKey) -> None:
    whole = sealed.read_bytes()
    for at in [*range(0, 240, 7), 5_000, 70_000, 150_000, len(whole) - 1]:
        changed = bytearray(whole)
        changed[at] ^= 0x20
        sealed.write_bytes(changed)

        with pytest.raises((DamagedBackup, WrongIdentity)):
            read(sealed, key)


def test_an_end_cut_off_anywhere_is_noticed(sealed: Path, key: BackupKey) -> None:
    whole = sealed.read_bytes()
    # Whole parts of 64 kB and their sums as well: where a cut would show least.
    header = whole.index(b"\n---") + 1
    start = whole.index(b"\n", header) + 1 + 16
    cuts = [0, 10, 150, start, start + 65_552, start + 2 * 65_552, len(whole) - 1]
    for cut in cuts:
        sealed.write_bytes(whole[:cut])

        with pytest.raises(DamagedBackup):
            read(sealed, key)


def test_something_added_is_noticed(sealed: Path, key: BackupKey) -> None:
    sealed.write_bytes(sealed.read_bytes() + b"more")

    with pytest.raises(DamagedBackup):
        read(sealed, key)


def test_what_goes_wrong_while_it_is_written_stays_what_it_is(key: BackupKey) -> None:
    def failing() -> Iterator[bytes]:
        yield b"some"
        raise NoRecipient("for instance")

    with pytest.raises(NoRecipient, match="for instance"):
        write_sealed(failing(), io.BytesIO(), recipient_of(key.public))


def test_whoever_leaves_early_leaves_no_thread(sealed: Path, key: BackupKey) -> None:
    def leave() -> None:
        with opened(sealed, key.opening) as stream:
            stream.read(10)
            raise NoIdentity("enough")

    with pytest.raises(NoIdentity, match="enough"):
        leave()

    assert [one.name for one in threading.enumerate() if one.name == "decrypting"] == []


@pytest.mark.parametrize("text", ["", "  ", "age1abc", "somebody@example.net"])
def test_without_a_recipient_nothing_is_encrypted(text: str) -> None:
    with pytest.raises(NoRecipient, match="flask backup identity"):
        recipient_of(text)


@pytest.mark.parametrize("text", ["", "# only a comment\n", "AGE-SECRET-KEY-1ABC\n", "\x00\xff"])
def test_a_file_without_secret_key_opens_nothing(text: str, tmp_path: Path) -> None:
    file = tmp_path / "key"
    file.write_bytes(text.encode("latin-1"))

    with pytest.raises(NoIdentity):
        identities_in(file)
