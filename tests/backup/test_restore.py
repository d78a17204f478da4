"""A backup taken while everybody works, all data lost, and everything there again."""

import shutil
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import func, select

from config import Config
from tests.backup.conftest import BackupKey, make_key
from tests.backup.recordings import published
from tests.backup.working import make_place, working
from tests.builders import make_user
from tests.components.postgres import PostgresServer
from tests.evidence import AFTER, make_attendee, make_ended_session, make_grant
from webinar.app import create_app
from webinar.db import DbSession, read_db
from webinar.media.faculty_files import faculty_files
from webinar.models import (
    AuditEvent,
    Certificate,
    Delivery,
    EvidenceChain,
    EvidenceLink,
    Registration,
    User,
)
from webinar.services import credits
from webinar.tools import media_shelf


def run(app: Flask, *args: object) -> tuple[int, str]:
    result = app.test_cli_runner().invoke(args=[str(arg) for arg in args])
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result.exit_code, result.output


def taken(app: Flask, *options: str) -> Path:
    status, said = run(app, "backup", *options)
    assert status == 0, said
    return Path(said.splitlines()[0])


@pytest.fixture
def elsewhere(config: Config, request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Config]:
    """Settings of another, empty machine: no database yet, no data folder, the same secret."""
    if config.DATABASE_URL.startswith("sqlite"):
        url = f"sqlite:///{tmp_path / 'elsewhere' / 'webinar.sqlite3'}"
        yield replace(config, DATABASE_URL=url, DATA_DIR=tmp_path / "elsewhere")
        return
    server: PostgresServer = request.getfixturevalue("postgres")
    url = server.create_database()
    yield replace(config, DATABASE_URL=url, DATA_DIR=tmp_path / "elsewhere")
    server.drop_database(url)


@pytest.fixture
def lose_everything(
    app: Flask, config: Config, request: pytest.FixtureRequest
) -> Callable[[], None]:
    """The database and the data folder are gone for good."""

    def lose() -> None:
        app.extensions["engine"].dispose()
        shutil.rmtree(config.DATA_DIR)
        if config.DATABASE_URL.startswith("sqlite"):
            for file in Path(config.DATABASE_URL.removeprefix("sqlite:///")).parent.glob(
                "*sqlite*"
            ):
                file.unlink()
        else:
            request.getfixturevalue("postgres").empty_database(config.DATABASE_URL)

    return lose


def decided(db: DbSession) -> None:
    session = make_ended_session(db)
    make_grant(db, session, "ama-pra-live", "0.75")
    make_attendee(db, session)
    credits.decide_session(db, session.id, public_url="https://webinar.example", now=AFTER)
    db.commit()


def numbers(db: DbSession) -> dict[str, int]:
    tables = (User, Registration, Delivery, EvidenceLink, Certificate, AuditEvent)
    return {
        table.__tablename__: db.scalar(select(func.count()).select_from(table)) or 0
        for table in tables
    }


def test_backups_taken_under_load_restore_to_evidence_and_certificates_that_pass(
    app: Flask,
    db: DbSession,
    config: Config,
    key: BackupKey,
    elsewhere: Config,
    lose_everything: Callable[[], None],
    tmp_path: Path,
) -> None:
    place = make_place(db)
    with working(config, place) as work:
        work.settle(4)
        known = list(work.registered)
        first = taken(app)
        early = numbers(db)
        db.rollback()
        work.settle(4)
        second = taken(app, "--to", str(tmp_path / "second"))
    db.rollback()
    with read_db() as reading:
        at_the_end = numbers(reading)
    lose_everything()

    restored = create_app(elsewhere)
    status, said = run(restored, "restore", second, "--identity", key.file)

    assert status == 0, said
    assert "2 chains of evidence end where the backup says." in said
    assert "sessions checked, findings: 0." in said
    assert "papers checked, findings: 0." in said
    with read_db() as reading:
        found = numbers(reading)
        there = {
            (row.session_id, row.user_id)
            for row in reading.execute(select(Registration.session_id, Registration.user_id))
        }
        without_mail = reading.scalars(
            select(Registration.user_id).where(
                Registration.session_id == place.to_come,
                ~select(Delivery.id).where(Delivery.user_id == Registration.user_id).exists(),
            )
        ).all()
    restored.extensions["engine"].dispose()
    assert set(known) <= there
    assert without_mail == []
    assert all(early[name] <= found[name] <= at_the_end[name] for name in found)
    assert found["certificate"] > 0
    assert run(create_app(elsewhere), "backup", "check", first, "--identity", key.file)[0] == 0


def test_everything_comes_back_but_keys_and_segments(
    app: Flask,
    db: DbSession,
    config: Config,
    key: BackupKey,
    elsewhere: Config,
    lose_everything: Callable[[], None],
) -> None:
    decided(db)
    recording = published(db, config)
    faculty_files(config.DATA_DIR).put("ab12.jpg", b"a photo")
    run(app, "certificates", "keys")
    signing = (config.DATA_DIR / "signing" / "current.pem").read_bytes()
    backup = taken(app)
    lose_everything()

    restored = create_app(elsewhere)
    status, said = run(restored, "restore", backup, "--identity", key.file)

    shelf = media_shelf(elsewhere)
    assert status == 1
    assert "2 of 2 segments of recordings are not here" in said
    assert "1 recordings have no keys and cannot be watched" in said
    assert shelf.keys.ids() == set()
    assert sorted(shelf.storage.names("recordings")) == [
        f"recordings/{recording}/captions/en.vtt",
        f"recordings/{recording}/poster.jpg",
    ]
    assert faculty_files(elsewhere.DATA_DIR).read("ab12.jpg") == b"a photo"
    assert (elsewhere.DATA_DIR / "signing" / "current.pem").read_bytes() == signing
    assert (elsewhere.DATA_DIR / "signing" / "current.pem").stat().st_mode & 0o777 == 0o600
    restored.extensions["engine"].dispose()


def test_with_keys_and_a_copy_of_the_media_nothing_is_missing(
    app: Flask,
    db: DbSession,
    config: Config,
    key: BackupKey,
    elsewhere: Config,
    lose_everything: Callable[[], None],
    tmp_path: Path,
) -> None:
    recording = published(db, config)
    data, keys = taken(app), taken(app, "--keys")
    shutil.copytree(config.DATA_DIR / "media", tmp_path / "operators-copy")
    secret = media_shelf(config).keys.read(recording, 0)
    lose_everything()
    shutil.copytree(tmp_path / "operators-copy", elsewhere.DATA_DIR / "media")

    restored = create_app(elsewhere)
    status, said = run(restored, "restore", data, "--identity", key.file, "--keys", keys)

    assert status == 0, said
    assert "2 files of media lay there already, and stay." in said
    assert media_shelf(elsewhere).keys.read(recording, 0) == secret
    assert run(restored, "media", "check")[0] == 0
    restored.extensions["engine"].dispose()


def test_with_media_segments_and_takes_come_back_too(
    app: Flask,
    db: DbSession,
    config: Config,
    key: BackupKey,
    elsewhere: Config,
    lose_everything: Callable[[], None],
) -> None:
    recording = published(db, config)
    media_shelf(config).takes.append("air1", 0, 0, b"\x1a\x45\xdf\xa3 a take")
    data, keys = taken(app, "--media"), taken(app, "--keys")
    lose_everything()

    restored = create_app(elsewhere)
    status, said = run(restored, "restore", data, "--identity", key.file, "--keys", keys)

    shelf = media_shelf(elsewhere)
    assert status == 0, said
    assert shelf.storage.read(f"recordings/{recording}/main-000001-aa.ts") == b"noise" * 10
    assert shelf.takes.takes("air1") == [0]
    restored.extensions["engine"].dispose()


@pytest.mark.parametrize("harm", ["flipped", "cut off", "another key"])
def test_what_is_not_whole_is_refused_and_nothing_is_written(
    app: Flask,
    db: DbSession,
    key: BackupKey,
    elsewhere: Config,
    tmp_path: Path,
    harm: str,
) -> None:
    decided(db)
    backup, opening = taken(app), key
    app.extensions["engine"].dispose()
    data = bytearray(backup.read_bytes())
    if harm == "flipped":
        data[len(data) // 2] ^= 1
    elif harm == "cut off":
        del data[-20_000:]
    else:
        opening = make_key(tmp_path / "another.key")
    backup.write_bytes(data)

    restored = create_app(elsewhere)
    status, said = run(restored, "restore", backup, "--identity", opening.file)

    expected = "encrypted for another key" if harm == "another key" else "it is cut off, or a byte"
    assert status == 1
    assert expected in said
    assert list(elsewhere.DATA_DIR.rglob("*")) == []
    if not elsewhere.DATABASE_URL.startswith("sqlite"):
        assert "alembic_version" not in tables(restored)
    restored.extensions["engine"].dispose()


def tables(app: Flask) -> str:
    with app.extensions["engine"].connect() as connection:
        return str(connection.exec_driver_sql("SELECT tablename FROM pg_tables").all())


def test_a_place_that_is_not_empty_is_refused(
    app: Flask, db: DbSession, key: BackupKey, elsewhere: Config
) -> None:
    decided(db)
    backup = taken(app)
    before = numbers(db)
    db.rollback()

    here = run(app, "restore", backup, "--identity", key.file)
    app.extensions["engine"].dispose()
    (elsewhere.DATA_DIR / "faculty").mkdir(parents=True)
    (elsewhere.DATA_DIR / "faculty" / "a.pdf").write_bytes(b"slides")
    restored = create_app(elsewhere)
    there = run(restored, "restore", backup, "--identity", key.file)
    restored.extensions["engine"].dispose()

    assert here[0] == there[0] == 1
    assert "The database at DATABASE_URL is not empty." in here[1]
    assert "A backup is restored into an empty data folder only." in there[1]
    assert (elsewhere.DATA_DIR / "faculty" / "a.pdf").read_bytes() == b"slides"
    create_app(replace(elsewhere, DATABASE_URL=app.extensions["config"].DATABASE_URL))
    with read_db() as reading:
        assert numbers(reading) == before


def test_where_something_cannot_be_written_nothing_is_left_behind(
    app: Flask,
    db: DbSession,
    config: Config,
    key: BackupKey,
    elsewhere: Config,
    tmp_path: Path,
) -> None:
    decided(db)
    run(app, "certificates", "keys")
    backup = taken(app)
    app.extensions["engine"].dispose()
    # A file where a folder has to be: refused when the database has come already.
    elsewhere.DATA_DIR.mkdir()
    (elsewhere.DATA_DIR / "signing").write_bytes(b"")
    restored = create_app(elsewhere)

    with pytest.raises(OSError, match="signing"):
        run(restored, "restore", backup, "--identity", key.file)
    (elsewhere.DATA_DIR / "signing").unlink()
    status, said = run(restored, "restore", backup, "--identity", key.file)

    assert status == 0, said
    restored.extensions["engine"].dispose()


def test_another_secret_is_told(
    app: Flask, db: DbSession, key: BackupKey, elsewhere: Config
) -> None:
    decided(db)
    backup = taken(app)
    app.extensions["engine"].dispose()
    restored = create_app(replace(elsewhere, SECRET_KEY="quite another secret, long enough"))

    status, said = run(restored, "restore", backup, "--identity", key.file)

    assert status == 1
    assert "SECRET_KEY is another than when the backup was taken" in said
    restored.extensions["engine"].dispose()


def test_evidence_cut_off_since_shows_against_a_backup(
    app: Flask, db: DbSession, key: BackupKey
) -> None:
    decided(db)
    backup = taken(app)
    whole = run(app, "backup", "check", backup, "--identity", key.file, "--here")
    chain = db.scalars(select(EvidenceChain)).one()
    last = db.scalars(select(EvidenceLink).order_by(EvidenceLink.number.desc())).first()
    assert last is not None
    chain.length, chain.head = last.number - 1, last.previous_hash
    db.delete(last)
    db.commit()

    status, said = run(app, "backup", "check", backup, "--identity", key.file, "--here")

    assert whole[0] == 0
    assert status == 1
    assert "its chain is shorter than the 2 links of the backup" in said


def test_a_backup_of_the_other_kind_of_database_is_refused(
    app: Flask, db: DbSession, config: Config, key: BackupKey, tmp_path: Path
) -> None:
    make_user(db)
    db.commit()
    backup = taken(app)
    app.extensions["engine"].dispose()
    is_sqlite = config.DATABASE_URL.startswith("sqlite")
    other = (
        "postgresql+psycopg://nobody@127.0.0.1:1/none"
        if is_sqlite
        else f"sqlite:///{tmp_path / 'other.sqlite3'}"
    )
    elsewhere = create_app(
        replace(config, DATABASE_URL=other, DATA_DIR=tmp_path / "other"),
    )

    status, said = run(elsewhere, "restore", backup, "--identity", key.file)

    assert status == 1
    assert "Give it a database of the same kind." in said
    elsewhere.extensions["engine"].dispose()
