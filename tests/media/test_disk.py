import errno
import os
from pathlib import Path

import pytest

from webinar.media import durable
from webinar.media.disk import DiskLow, ensure_room, free_megabytes
from webinar.media.takes import StorageFull, TakeStore

FIRST = b"\x1a\x45\xdf\xa3 first piece"


def test_a_folder_that_is_not_made_yet_has_the_room_of_its_parent(tmp_path: Path) -> None:
    assert free_megabytes(tmp_path / "not" / "yet") == pytest.approx(
        free_megabytes(tmp_path), abs=200
    )


def test_what_fits_is_let_in(tmp_path: Path) -> None:
    ensure_room(tmp_path, size=1, low_megabytes=0)


def test_below_what_is_kept_for_broadcasts_nothing_new_begins(tmp_path: Path) -> None:
    with pytest.raises(DiskLow, match="nearly full"):
        ensure_room(tmp_path, size=1, low_megabytes=free_megabytes(tmp_path) + 1_000_000)


def test_a_file_larger_than_the_room_is_refused_before_it_is_sent(tmp_path: Path) -> None:
    with pytest.raises(DiskLow, match="no room for this file"):
        ensure_room(tmp_path, size=2**60, low_megabytes=0)


def test_a_full_disk_takes_nothing_of_a_chunk_and_keeps_what_was_acknowledged(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    takes = TakeStore(tmp_path)
    takes.append("b1", 0, 0, FIRST)
    written = os.write

    def full_after_three_bytes(descriptor: int, data: memoryview) -> int:
        if len(data) > 3:
            return written(descriptor, data[:3])
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with monkeypatch.context() as patched:
        patched.setattr(durable.os, "write", full_after_three_bytes)
        with pytest.raises(StorageFull, match="Nothing is lost as long as the studio stays open"):
            takes.append("b1", 0, 1, b"second")

    assert takes.path("b1", 0).read_bytes() == FIRST
    takes.append("b1", 0, 1, b"second")
    assert takes.path("b1", 0).read_bytes() == FIRST + b"second"
