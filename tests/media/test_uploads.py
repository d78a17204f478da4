"""Bytes of an upload: counted when they are on the disk, never twice, never torn."""

import errno
import hashlib
import os
import secrets
from pathlib import Path

import pytest

from webinar.media import durable
from webinar.media.uploads import (
    MoreThanAnnounced,
    NoRoom,
    NoSuchUpload,
    OtherOffset,
    UploadStore,
)


@pytest.fixture
def store(tmp_path: Path) -> UploadStore:
    store = UploadStore(tmp_path)
    store.begin("u1")
    return store


def test_pieces_make_the_file(store: UploadStore) -> None:
    pieces = [secrets.token_bytes(size) for size in (1, 70_000, 1_000)]
    whole = b"".join(pieces)
    offset = 0
    for piece in pieces:
        offset = store.append("u1", offset, piece, length=len(whole))

    assert store.offset("u1") == len(whole)
    assert store.path("u1").read_bytes() == whole


def test_a_piece_that_begins_elsewhere_is_refused_with_what_is_expected(
    store: UploadStore,
) -> None:
    store.append("u1", 0, b"first", length=100)

    for offset in (0, 4, 6):
        with pytest.raises(OtherOffset) as refused:
            store.append("u1", offset, b"second", length=100)
        assert refused.value.expected == 5


def test_more_than_was_announced_is_refused(store: UploadStore) -> None:
    with pytest.raises(MoreThanAnnounced):
        store.append("u1", 0, b"12345", length=4)
    assert store.offset("u1") == 0


def test_what_was_written_but_not_counted_when_the_power_failed_never_came(
    store: UploadStore,
) -> None:
    store.append("u1", 0, b"counted", length=100)
    with store.path("u1").open("ab") as file:
        file.write(b"torn tail, longer than what comes")

    again = UploadStore(store.root.parent)
    again.append("u1", 7, b", then more", length=100)

    assert again.path("u1").read_bytes() == b"counted, then more"


def test_a_torn_count_begins_anew(store: UploadStore) -> None:
    store.append("u1", 0, b"bytes", length=100)
    (store.root / "u1" / "count").write_bytes(b"\0\0\0")

    assert store.offset("u1") == 0


def test_a_full_disk_keeps_what_was_counted(
    store: UploadStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    store.append("u1", 0, b"before", length=100)
    written = os.write

    def full_after_three_bytes(descriptor: int, data: memoryview) -> int:
        if len(data) > 3:
            return written(descriptor, data[:3])
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with monkeypatch.context() as patched:
        patched.setattr(durable.os, "write", full_after_three_bytes)
        with pytest.raises(NoRoom):
            store.append("u1", 6, b" after", length=100)

    assert store.offset("u1") == 6
    store.append("u1", 6, b" after", length=100)
    assert store.path("u1").read_bytes() == b"before after"


def test_a_piece_can_be_taken_back_unless_something_came_after(store: UploadStore) -> None:
    store.append("u1", 0, b"good", length=100)
    store.append("u1", 4, b"bad", length=100)

    store.cut("u1", since=9, to=4)
    assert store.offset("u1") == 7
    store.cut("u1", since=7, to=4)

    assert store.path("u1").read_bytes() == b"good"
    assert store.offset("u1") == 4


def test_a_withdrawn_upload_takes_nothing_more(store: UploadStore) -> None:
    store.delete("u1")
    store.delete("u1")

    assert store.names() == []
    with pytest.raises(NoSuchUpload):
        store.append("u1", 0, b"late", length=100)
    with pytest.raises(NoSuchUpload):
        store.offset("../u1")


def test_nobody_else_on_the_machine_reads_it(store: UploadStore) -> None:
    assert store.path("u1").stat().st_mode & 0o077 == 0
    assert hashlib.sha256(store.path("u1").read_bytes()).digest()
