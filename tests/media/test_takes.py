import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from webinar.domain.errors import Conflict, NotFound
from webinar.media import takes as takes_module
from webinar.media.ffmpeg import NotAVideo
from webinar.media.takes import (
    Appended,
    ChunkDiffers,
    ChunkEmpty,
    ChunkOutOfOrder,
    ChunkTooLarge,
    Duplicate,
    TakeStore,
)

FIRST = b"\x1a\x45\xdf\xa3 first piece"
SECOND = b"second piece"
THIRD = b"third piece, longer than the others"

ROOT = Path(__file__).parents[2]

WRITER = """
import sys
from pathlib import Path
from webinar.media.takes import TakeStore
store = TakeStore(Path(sys.argv[1]))
seq = store.next_seq("b1", 0)
while True:
    piece = (b"\\x1a\\x45\\xdf\\xa3" + seq.to_bytes(4, "big")) * 4096
    store.append("b1", 0, seq, piece)
    sys.stdout.write(f"{seq}\\n")
    sys.stdout.flush()
    seq += 1
"""

RIVAL = """
import sys
from pathlib import Path
from webinar.media.takes import ChunkOutOfOrder, TakeStore
store = TakeStore(Path(sys.argv[1]))
seq = 0
while seq < 60:
    store.append("b1", 0, seq, b"\\x1a\\x45\\xdf\\xa3" + seq.to_bytes(4, "big") * 500)
    seq += 1
"""


def content(takes: TakeStore) -> bytes:
    return b"".join(takes.follow("b1", 0, 0))


def tear(path: Path, *, keep: int) -> None:
    with path.open("r+b") as file:
        file.truncate(keep)


def test_pieces_are_stored_in_order_and_counted(takes: TakeStore) -> None:
    answers = [takes.append("b1", 0, seq, data) for seq, data in enumerate([FIRST, SECOND])]

    assert answers == [
        Appended(0, len(FIRST), len(FIRST)),
        Appended(1, len(SECOND), len(FIRST) + len(SECOND)),
    ]
    assert content(takes) == FIRST + SECOND
    assert takes.path("b1", 0).read_bytes() == FIRST + SECOND
    assert takes.next_seq("b1", 0) == 2


def test_a_piece_sent_again_does_no_harm(takes: TakeStore) -> None:
    takes.append("b1", 0, 0, FIRST)
    takes.append("b1", 0, 1, SECOND)

    again = takes.append("b1", 0, 0, FIRST)

    assert again == Duplicate(0, len(FIRST), len(FIRST) + len(SECOND))
    assert content(takes) == FIRST + SECOND


def test_other_bytes_under_the_same_number_are_refused(takes: TakeStore) -> None:
    takes.append("b1", 0, 0, FIRST)
    takes.append("b1", 0, 1, SECOND)

    with pytest.raises(ChunkDiffers) as refusal:
        takes.append("b1", 0, 1, THIRD)

    assert str(refusal.value) == (
        "Piece 1 of this take was stored before with other content. Start a new take."
    )
    assert isinstance(refusal.value, Conflict)
    assert content(takes) == FIRST + SECOND


def test_a_piece_that_comes_too_early_is_told_which_is_expected(takes: TakeStore) -> None:
    takes.append("b1", 0, 0, FIRST)

    with pytest.raises(ChunkOutOfOrder) as refusal:
        takes.append("b1", 0, 2, THIRD)

    assert refusal.value.expected == 1
    assert refusal.value.status == 409
    assert str(refusal.value) == "Piece 2 came before piece 1. Send 1 first."


def test_a_take_cannot_begin_in_the_middle(takes: TakeStore) -> None:
    with pytest.raises(ChunkOutOfOrder) as refusal:
        takes.append("b1", 0, 5, SECOND)

    assert refusal.value.expected == 0
    assert takes.takes("b1") == []


def test_an_empty_piece_is_refused(takes: TakeStore) -> None:
    with pytest.raises(ChunkEmpty):
        takes.append("b1", 0, 0, b"")


def test_a_piece_over_the_limit_is_refused(
    takes: TakeStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(takes_module, "LARGEST_CHUNK", len(FIRST))
    takes.append("b1", 0, 0, FIRST)

    with pytest.raises(ChunkTooLarge) as refusal:
        takes.append("b1", 0, 1, FIRST + b"!")

    assert refusal.value.status == 413


@pytest.mark.parametrize(
    "beginning",
    [b"\x00\x00\x00\x18ftypiso5", (b"\x47" + bytes(187)) * 4],
    ids=["fragmented MP4", "MPEG-TS"],
)
def test_other_containers_that_can_be_streamed_are_taken(
    beginning: bytes, takes: TakeStore
) -> None:
    assert takes.append("b1", 0, 0, beginning) == Appended(0, len(beginning), len(beginning))


@pytest.mark.parametrize("beginning", [b"%PDF-1.7", b"\x47", b"\x1a\x45"])
def test_a_take_that_begins_like_no_video_is_refused(beginning: bytes, takes: TakeStore) -> None:
    with pytest.raises(NotAVideo):
        takes.append("b1", 0, 0, beginning)

    assert takes.takes("b1") == []


@pytest.mark.parametrize("broadcast_id", ["../b1", "", "a/b", ".", "b" * 65])
def test_a_name_that_leads_elsewhere_is_no_broadcast(broadcast_id: str, takes: TakeStore) -> None:
    with pytest.raises(NotFound):
        takes.append(broadcast_id, 0, 0, FIRST)


def test_media_without_its_entry_never_happened(takes: TakeStore) -> None:
    takes.append("b1", 0, 0, FIRST)
    with takes.path("b1", 0).open("ab") as file:
        file.write(b"half of the second pie")
    before = content(takes)

    takes.append("b1", 0, 1, SECOND)

    assert before == FIRST
    assert takes.path("b1", 0).read_bytes() == FIRST + SECOND


def test_half_an_entry_never_happened(takes: TakeStore) -> None:
    takes.append("b1", 0, 0, FIRST)
    takes.append("b1", 0, 1, SECOND)
    index = takes.path("b1", 0).with_suffix(".index")
    tear(index, keep=index.stat().st_size - 7)
    expected = takes.next_seq("b1", 0)

    takes.append("b1", 0, 1, THIRD)

    assert expected == 1
    assert takes.path("b1", 0).read_bytes() == FIRST + THIRD


def test_an_entry_whose_media_was_lost_is_taken_back(takes: TakeStore) -> None:
    takes.append("b1", 0, 0, FIRST)
    takes.append("b1", 0, 1, SECOND)
    tear(takes.path("b1", 0), keep=len(FIRST) + 3)

    with pytest.raises(ChunkOutOfOrder) as refusal:
        takes.append("b1", 0, 2, THIRD)
    takes.append("b1", 0, 1, SECOND)

    assert refusal.value.expected == 1
    assert content(takes) == FIRST + SECOND


def test_a_last_piece_that_was_damaged_is_asked_for_again(takes: TakeStore) -> None:
    takes.append("b1", 0, 0, FIRST)
    takes.append("b1", 0, 1, SECOND)
    takes.path("b1", 0).write_bytes(FIRST + b"?" * len(SECOND))

    answer = takes.append("b1", 0, 1, SECOND)

    assert answer == Appended(1, len(SECOND), len(FIRST) + len(SECOND))
    assert content(takes) == FIRST + SECOND


def test_a_reader_goes_on_where_it_was(takes: TakeStore) -> None:
    takes.append("b1", 0, 0, FIRST)
    seen = list(takes.follow("b1", 0, 0))
    nothing_new = list(takes.follow("b1", 0, len(FIRST)))
    takes.append("b1", 0, 1, SECOND)

    assert seen == [FIRST]
    assert nothing_new == []
    assert list(takes.follow("b1", 0, len(FIRST))) == [SECOND]
    assert list(takes.follow("b1", 9, 0)) == []


def test_takes_are_counted_apart_and_deleted_together(takes: TakeStore) -> None:
    takes.append("b1", 0, 0, FIRST)
    takes.append("b1", 1, 0, FIRST)
    takes.append("b2", 0, 0, FIRST)
    begun = takes.takes("b1")

    takes.delete_broadcast("b1")
    takes.delete_broadcast("b1")

    assert begun == [0, 1]
    assert (takes.takes("b1"), takes.takes("b2")) == ([], [0])


def test_what_was_acknowledged_before_a_kill_is_there_and_the_next_writer_goes_on(
    takes: TakeStore,
) -> None:
    acknowledged = -1
    for _ in range(3):
        with subprocess.Popen(
            [sys.executable, "-c", WRITER, str(takes.root)],
            stdout=subprocess.PIPE,
            text=True,
            cwd=ROOT,
        ) as writer:
            assert writer.stdout is not None
            for _ in range(15):
                acknowledged = int(writer.stdout.readline())
            os.kill(writer.pid, signal.SIGKILL)
            for line in writer.stdout:
                acknowledged = int(line)

    durable = takes.next_seq("b1", 0)
    data = content(takes)

    assert durable in (acknowledged + 1, acknowledged + 2)
    assert data == b"".join(
        (b"\x1a\x45\xdf\xa3" + seq.to_bytes(4, "big")) * 4096 for seq in range(durable)
    )


def test_two_processes_that_send_the_same_take_do_not_interleave(takes: TakeStore) -> None:
    rivals = [
        subprocess.Popen([sys.executable, "-c", RIVAL, str(takes.root)], cwd=ROOT) for _ in range(2)
    ]

    ends = [rival.wait(60) for rival in rivals]

    assert ends == [0, 0]
    assert content(takes) == b"".join(
        b"\x1a\x45\xdf\xa3" + seq.to_bytes(4, "big") * 500 for seq in range(60)
    )
