"""What a backup can bring back of a recording that was destroyed, and for how long."""

import shutil
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select

from config import Config
from tests.backup.conftest import BackupKey
from tests.evidence import make_ended_session, make_recording
from webinar.backup.opening import read_through
from webinar.backup.restoring import CannotRestore, NotEmpty, restore_data, restore_keys
from webinar.backup.taking import Taken
from webinar.db import DbSession, read_db
from webinar.domain.backup import BackupKind
from webinar.jobs import destroying
from webinar.jobs.backing_up import back_up, delete_old, folders, places_of
from webinar.jobs.toolbox import Toolbox
from webinar.media.keys import KeysDestroyed, NoSuchKey
from webinar.models import Recording
from webinar.tools import media_shelf

CLOSES_AT = datetime(2027, 5, 26, 17, 0, tzinfo=UTC)
TAKEN_AT = CLOSES_AT - timedelta(hours=12)
DAY = timedelta(days=1)

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


@pytest.fixture
def recording(db: DbSession, config: Config) -> str:
    """One with two keys, that is destroyed when its window closes."""
    session = make_ended_session(db)
    recording = make_recording(db, session, closes_at=CLOSES_AT)
    db.commit()
    for number in range(2):
        media_shelf(config).keys.create(recording.public_id, number)
    return recording.public_id


def take(config: Config, kind: BackupKind, *, now: datetime = TAKEN_AT) -> Taken:
    return back_up(config, kind, folders(config)[kind], now=now)


def destroy(config: Config) -> None:
    destroying.destroy_ended(Toolbox.from_config(config), CLOSES_AT)


def lose_keys(config: Config) -> None:
    shutil.rmtree(config.DATA_DIR / "keys")


def destroyed_here() -> set[str]:
    with read_db() as reading:
        return set(
            reading.scalars(select(Recording.public_id).where(Recording.destroyed_at.is_not(None)))
        )


def test_keys_are_in_no_backup_of_the_data(recording: str, config: Config, key: BackupKey) -> None:
    media_shelf(config).takes.append("air", 0, 0, b"\x1a\x45\xdf\xa3")
    shelf = media_shelf(config)
    wrapped = (shelf.keys.root / recording / "000000.key").read_bytes()
    taken = back_up(
        config,
        BackupKind.DATA,
        folders(config)[BackupKind.DATA],
        with_media=True,
        now=TAKEN_AT,
    )
    held = bytearray()
    names: list[str] = []

    read_through(
        taken.path,
        key.opening,
        lambda one: (names.append(one.name), held.extend(one.whole()), None)[-1],
    )

    assert [name for name in names if "key" in name] == []
    assert "takes/air/0000.webm" in names
    assert wrapped not in held


def test_a_destroyed_key_does_not_come_back_with_the_data(
    recording: str, config: Config, key: BackupKey
) -> None:
    taken = take(config, BackupKind.DATA)
    destroy(config)
    new = config.DATA_DIR.parent / "new"

    elsewhere = Config(
        SECRET_KEY=config.SECRET_KEY, DATABASE_URL=f"sqlite:///{new}/db", DATA_DIR=new
    )
    restore_data(
        taken.path,
        key.opening,
        places_of(elsewhere),
        elsewhere.DATABASE_URL,
        is_known_schema=lambda _: True,
    )

    with pytest.raises(NoSuchKey):
        media_shelf(elsewhere).keys.read(recording, 0)


def test_where_the_database_knows_of_its_end_a_key_stays_away(
    recording: str, config: Config, key: BackupKey
) -> None:
    taken = take(config, BackupKind.KEYS)
    destroy(config)
    lose_keys(config)

    restored = restore_keys(
        taken.path,
        key.opening,
        places_of(config),
        destroyed=destroyed_here(),
        keep_days=35,
        now=CLOSES_AT + DAY,
    )

    assert (restored.keys, restored.keys_withheld) == (0, 2)
    with pytest.raises(KeysDestroyed):
        media_shelf(config).keys.read(recording, 0)
    with pytest.raises(KeysDestroyed):
        media_shelf(config).keys.create(recording, 0)


def test_where_it_does_not_a_key_comes_back_until_the_next_look(
    recording: str, config: Config, key: BackupKey
) -> None:
    taken = take(config, BackupKind.KEYS)
    lose_keys(config)

    # The database is one of before the end as well: nobody is said to be destroyed.
    restore_keys(
        taken.path,
        key.opening,
        places_of(config),
        destroyed=destroyed_here(),
        keep_days=35,
        now=CLOSES_AT + 10 * DAY,
    )
    back = len(media_shelf(config).keys.read(recording, 1))
    destroying.destroy_ended(Toolbox.from_config(config), CLOSES_AT + 10 * DAY)

    assert back == 16
    with pytest.raises(KeysDestroyed):
        media_shelf(config).keys.read(recording, 1)
    assert destroyed_here() == {recording}


def test_what_came_back_by_hand_is_destroyed_again_within_the_hour(
    recording: str,
    config: Config,
    key: BackupKey,
    caplog: pytest.LogCaptureFixture,
) -> None:
    taken = take(config, BackupKind.KEYS)
    destroy(config)
    lose_keys(config)
    # As if somebody did not ask the database.
    restore_keys(
        taken.path,
        key.opening,
        places_of(config),
        destroyed=set(),
        keep_days=35,
        now=CLOSES_AT + DAY,
    )

    with caplog.at_level("CRITICAL"):
        destroying.reconcile(Toolbox.from_config(config), CLOSES_AT + DAY)

    assert media_shelf(config).keys.numbers(recording) == []
    with pytest.raises(KeysDestroyed):
        media_shelf(config).keys.read(recording, 0)


@pytest.mark.parametrize(
    ("later", "is_back"), [(35 * DAY - timedelta(seconds=1), True), (35 * DAY, False)]
)
def test_keys_come_back_within_their_time_only(
    recording: str, config: Config, key: BackupKey, later: timedelta, is_back: bool
) -> None:
    taken = take(config, BackupKind.KEYS)
    lose_keys(config)

    def back() -> None:
        restore_keys(
            taken.path,
            key.opening,
            places_of(config),
            destroyed=set(),
            keep_days=35,
            now=TAKEN_AT + later,
        )

    if is_back:
        back()
    else:
        with pytest.raises(CannotRestore, match="should not exist any more"):
            back()

    assert media_shelf(config).keys.numbers(recording) == ([0, 1] if is_back else [])


def test_after_their_time_the_files_are_gone_as_well(
    recording: str, config: Config, key: BackupKey
) -> None:
    taken = take(config, BackupKind.KEYS)
    tools = Toolbox.from_config(config)

    delete_old(tools, TAKEN_AT + 35 * DAY - timedelta(seconds=1))
    before = taken.path.exists()
    delete_old(tools, TAKEN_AT + 35 * DAY)

    assert (before, taken.path.exists()) == (True, False)


def test_what_was_destroyed_before_the_backup_stays_destroyed(
    recording: str, config: Config, key: BackupKey
) -> None:
    destroy(config)
    taken = take(config, BackupKind.KEYS, now=CLOSES_AT + DAY)
    lose_keys(config)

    restore_keys(
        taken.path,
        key.opening,
        places_of(config),
        destroyed=set(),
        keep_days=35,
        now=CLOSES_AT + 2 * DAY,
    )

    with pytest.raises(KeysDestroyed):
        media_shelf(config).keys.create(recording, 7)


def test_keys_are_not_mixed_with_others(recording: str, config: Config, key: BackupKey) -> None:
    taken = take(config, BackupKind.KEYS)

    with pytest.raises(NotEmpty, match="into an empty folder only"):
        restore_keys(
            taken.path,
            key.opening,
            places_of(config),
            destroyed=set(),
            keep_days=35,
            now=TAKEN_AT,
        )
