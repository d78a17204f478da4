"""Backups by the clock: each day, each kind, kept as long as it is said."""

import os
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import select

from config import Config
from tests.components.programs import find_postgres_folder
from webinar.backup.sealed import NoRecipient, new_identity
from webinar.db import open_db, read_db
from webinar.domain.backup import BackupKind, BackupName
from webinar.jobs.backing_up import KeysApart, back_up, back_up_due, delete_old
from webinar.jobs.toolbox import Toolbox
from webinar.media.keys import KeyStore
from webinar.models import BackupRun
from webinar.services import backups

# 02:30 in Zurich is 01:30 UTC in winter.
DUE_AT = datetime(2026, 11, 20, 1, 30, tzinfo=UTC)
DAY, SECOND, MINUTE = timedelta(days=1), timedelta(seconds=1), timedelta(minutes=1)
DATA, KEYS = BackupKind.DATA, BackupKind.KEYS


@pytest.fixture
def config(config: Config, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Config:
    monkeypatch.setenv("PATH", f"{find_postgres_folder()}{os.pathsep}{os.environ['PATH']}")
    return replace(
        config,
        BACKUP_RECIPIENT=new_identity()[1],
        BACKUP_DIR=str(tmp_path / "backups"),
        KEYS_BACKUP_DIR=str(tmp_path / "key-backups"),
    )


@pytest.fixture
def tools(config: Config, bound: None) -> Toolbox:
    return Toolbox.from_config(config)


def files(folder: str) -> list[str]:
    return sorted(path.name for path in Path(folder).glob("*"))


def runs() -> list[BackupRun]:
    with read_db() as reading:
        return list(reading.scalars(select(BackupRun).order_by(BackupRun.id)))


def test_one_of_each_kind_is_taken_a_day(tools: Toolbox) -> None:
    for now in (DUE_AT, DUE_AT + MINUTE, DUE_AT + DAY - SECOND, DUE_AT + DAY):
        back_up_due(tools, now)

    assert files(tools.config.BACKUP_DIR) == [
        "webinar-data-20261120T013000Z.age",
        "webinar-data-20261121T013000Z.age",
    ]
    assert files(tools.config.KEYS_BACKUP_DIR) == [
        "webinar-keys-20261120T013000Z.age",
        "webinar-keys-20261121T013000Z.age",
    ]
    assert [(run.kind, run.error) for run in runs()] == [
        (DATA, None),
        (KEYS, None),
        (DATA, None),
        (KEYS, None),
    ]


def test_what_is_written_down_is_what_lies_there(tools: Toolbox) -> None:
    back_up_due(tools, DUE_AT)

    with read_db() as reading:
        run = backups.last(reading, DATA)

    assert run is not None
    assert Path(run.file).stat().st_size == run.bytes
    assert Path(run.file).stat().st_mode & 0o777 == 0o600
    assert len(run.digest) == 64


def test_a_missed_one_is_taken_as_soon_as_the_clock_runs_again(tools: Toolbox) -> None:
    back_up_due(tools, DUE_AT)

    back_up_due(tools, DUE_AT + 3 * DAY + timedelta(hours=5))

    assert files(tools.config.BACKUP_DIR)[-1] == "webinar-data-20261123T063000Z.age"


def test_without_a_folder_nothing_is_taken(tools: Toolbox) -> None:
    none = replace(tools, config=replace(tools.config, BACKUP_DIR="", KEYS_BACKUP_DIR=""))

    back_up_due(none, DUE_AT)

    assert runs() == []


def test_a_failure_is_written_down_and_tried_again_after_a_while(tools: Toolbox) -> None:
    broken = replace(tools, config=replace(tools.config, BACKUP_RECIPIENT="", KEYS_BACKUP_DIR=""))

    with pytest.raises(NoRecipient):
        back_up_due(broken, DUE_AT)
    ended_at = runs()[0].ended_at
    assert ended_at is not None
    noted = [run.error or "" for run in runs()]
    back_up_due(broken, ended_at + MINUTE)
    too_early = len(runs())
    back_up_due(replace(tools, config=replace(tools.config, KEYS_BACKUP_DIR="")), ended_at + DAY)

    assert [words.split(".")[0] for words in noted] == ["No backup is taken unencrypted"]
    assert too_early == 1
    assert [run.error for run in runs()][1:] == [None]


def test_a_kind_that_fails_does_not_keep_the_other_from_its_turn(tools: Toolbox) -> None:
    Path(tools.config.BACKUP_DIR).write_bytes(b"a file where the folder should be")

    with pytest.raises(OSError, match="backups"):
        back_up_due(tools, DUE_AT)

    assert files(tools.config.KEYS_BACKUP_DIR) == ["webinar-keys-20261120T013000Z.age"]


def test_one_that_was_killed_is_noticed_and_taken_again(tools: Toolbox) -> None:
    with open_db.begin() as db:
        backups.begin(db, DATA, now=DUE_AT)

    back_up_due(tools, DUE_AT + MINUTE)
    too_early = files(tools.config.BACKUP_DIR)
    back_up_due(tools, DUE_AT + timedelta(hours=2))

    assert too_early == []
    assert len(files(tools.config.BACKUP_DIR)) == 1
    assert [run.error for run in runs() if run.kind == DATA] == [backups.KILLED, None]


def test_keys_beside_the_data_are_refused(tools: Toolbox) -> None:
    together = replace(tools.config, KEYS_BACKUP_DIR=tools.config.BACKUP_DIR)

    with pytest.raises(KeysApart):
        back_up(together, KEYS, Path(together.BACKUP_DIR), now=DUE_AT)


@pytest.mark.parametrize(
    ("data", "keys"),
    [
        ("backups", "backups/keys"),
        ("backups/data", "backups"),
        ("backups", "elsewhere/../backups/a/b"),
        ("backups", "link/keys"),
    ],
)
def test_keys_in_a_folder_within_that_of_the_data_or_around_it_are_refused(
    tools: Toolbox, tmp_path: Path, data: str, keys: str
) -> None:
    (tmp_path / "backups").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "backups")
    nested = replace(
        tools.config, BACKUP_DIR=str(tmp_path / data), KEYS_BACKUP_DIR=str(tmp_path / keys)
    )

    with pytest.raises(KeysApart):
        back_up_due(replace(tools, config=nested), DUE_AT)

    assert list(tmp_path.rglob("webinar-keys-*")) == []
    assert files(nested.BACKUP_DIR)[-1] == "webinar-data-20261120T013000Z.age"


def test_old_ones_go_and_the_last_good_one_of_the_data_stays(tools: Toolbox) -> None:
    for days in (0, 1):
        back_up_due(tools, DUE_AT + days * DAY)

    delete_old(tools, DUE_AT + 29 * DAY)
    early = files(tools.config.BACKUP_DIR)
    delete_old(tools, DUE_AT + 30 * DAY)
    on_time = files(tools.config.BACKUP_DIR)
    delete_old(tools, DUE_AT + 400 * DAY)

    assert len(early) == 2
    assert on_time == ["webinar-data-20261121T013000Z.age"]
    assert files(tools.config.BACKUP_DIR) == on_time
    assert files(tools.config.KEYS_BACKUP_DIR) == []
    assert [run.deleted_at is None for run in runs() if run.kind == DATA] == [False, True]
    assert [run.deleted_at is None for run in runs() if run.kind == KEYS] == [False, False]


def test_keys_written_elsewhere_by_hand_go_as_well(tools: Toolbox, tmp_path: Path) -> None:
    taken = back_up(tools.config, KEYS, tmp_path / "by-hand", now=DUE_AT)

    delete_old(tools, DUE_AT + 35 * DAY)

    assert not taken.path.exists()


def test_files_no_row_knows_go_by_their_names_and_others_stay(tools: Toolbox) -> None:
    folder = Path(tools.config.KEYS_BACKUP_DIR)
    folder.mkdir()
    (folder / str(BackupName(KEYS, DUE_AT))).write_bytes(b"of another database")
    (folder / f"{BackupName(KEYS, DUE_AT)}.unfinished").write_bytes(b"killed")
    (folder / "notes.txt").write_bytes(b"somebody's")

    delete_old(tools, DUE_AT + 36 * DAY)

    assert files(tools.config.KEYS_BACKUP_DIR) == ["notes.txt"]


def test_leftovers_of_a_killed_backup_are_no_backup(tools: Toolbox) -> None:
    """A database copy, plain, that a killed process left on the disk goes with the next one."""
    left = tools.config.DATA_DIR / "work" / "backup-left"
    left.mkdir(parents=True)
    (left / "copy.sqlite3").write_bytes(b"plain")
    os.utime(left, (1, 1))

    back_up_due(tools, DUE_AT)

    is_sqlite = tools.config.DATABASE_URL.startswith("sqlite")
    assert left.exists() is not is_sqlite


def test_keys_that_are_destroyed_while_they_are_read_do_no_harm(tools: Toolbox) -> None:
    store = KeyStore(tools.config.DATA_DIR.resolve() / "keys", tools.config.SECRET_KEY)
    store.create("rec", 0)
    store.destroy_all("rec")

    taken = back_up(tools.config, KEYS, Path(tools.config.KEYS_BACKUP_DIR), now=DUE_AT)

    assert taken.manifest.parts == 2  # what it is, and the tombstone
