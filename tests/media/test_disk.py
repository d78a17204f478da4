from pathlib import Path

import pytest

from webinar.media.disk import DiskLow, ensure_room, free_megabytes


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
