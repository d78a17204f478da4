"""When a backup is due, and when its time is over."""

from datetime import UTC, datetime, timedelta

import pytest

from webinar.domain.backup import BackupKind, BackupName, last_appointed, name_read, over

NOW = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
ZURICH = "Europe/Zurich"


def named(kind: BackupKind, days_ago: int) -> BackupName:
    return BackupName(kind, NOW - timedelta(days=days_ago))


def test_a_name_says_kind_and_time_and_is_read_again() -> None:
    name = BackupName(BackupKind.KEYS, datetime(2026, 11, 20, 1, 30, 5, tzinfo=UTC))

    assert str(name) == "webinar-keys-20261120T013005Z.age"
    assert name_read(str(name)) == name
    assert name_read(f"{name}.unfinished") == name


@pytest.mark.parametrize("file", ["notes.txt", "webinar-keys-20261320T013005Z.age", "webinar-.age"])
def test_other_names_are_not_ours(file: str) -> None:
    assert name_read(file) is None


@pytest.mark.parametrize(
    ("now", "appointed"),
    [
        (datetime(2026, 11, 20, 1, 29, tzinfo=UTC), datetime(2026, 11, 19, 1, 30, tzinfo=UTC)),
        (datetime(2026, 11, 20, 1, 30, tzinfo=UTC), datetime(2026, 11, 20, 1, 30, tzinfo=UTC)),
        # In summer the same wall time is an hour earlier.
        (datetime(2026, 7, 1, 12, 0, tzinfo=UTC), datetime(2026, 7, 1, 0, 30, tzinfo=UTC)),
        # 29 March 2026: 02:30 is jumped over; 25 October 2026: it comes twice.
        (datetime(2026, 3, 29, 12, 0, tzinfo=UTC), datetime(2026, 3, 29, 1, 30, tzinfo=UTC)),
        (datetime(2026, 10, 25, 12, 0, tzinfo=UTC), datetime(2026, 10, 25, 0, 30, tzinfo=UTC)),
    ],
)
def test_it_is_appointed_by_the_clocks_of_the_zone(now: datetime, appointed: datetime) -> None:
    assert last_appointed("02:30", ZURICH, now=now) == appointed


def test_what_is_kept_long_enough_is_over() -> None:
    names = [named(BackupKind.DATA, days) for days in (31, 30, 29, 0)]

    assert over(names, keep_days=30, now=NOW) == names[:2]


def test_the_last_good_one_of_the_data_stays_whatever_its_age() -> None:
    names = [named(BackupKind.DATA, 200), named(BackupKind.DATA, 100)]

    assert over(names, keep_days=30, now=NOW) == names[:1]


def test_keys_go_without_exception() -> None:
    names = [named(BackupKind.KEYS, 100), named(BackupKind.KEYS, 35)]

    assert over(names, keep_days=35, now=NOW) == names
