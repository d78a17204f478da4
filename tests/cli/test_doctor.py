"""`flask doctor` on a deployment that is well, and on ones with a fault planted in each."""

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import text

from config import Config
from tests.builders import make_user
from tests.components.bucket import BucketServer
from tests.components.redis import RedisServer
from tests.components.servers import free_port
from tests.components.smtp import SmtpSink
from webinar.app import create_app
from webinar.db import DbSession
from webinar.domain.letter import MailKind
from webinar.models import BackupRun, TickRun
from webinar.services import deliveries, parked, processes
from webinar.tools import media_shelf, newest_schema

ROOT = Path(__file__).resolve().parents[2]
TICK = "end sessions whose hour is over"


@dataclass(frozen=True)
class Answer:
    """What the doctor said."""

    exit_code: int
    wrong: list[tuple[str, str]]
    advice: list[tuple[str, str]]

    def checks(self) -> list[str]:
        return [check for check, _ in self.wrong]


@pytest.fixture(scope="module")
def sink() -> Iterator[SmtpSink]:
    with SmtpSink() as sink:
        yield sink


@pytest.fixture
def config(config: Config, sink: SmtpSink) -> Config:
    config.DATA_DIR.mkdir(mode=0o700)
    return replace(
        config,
        SMTP_URL=sink.url,
        MAIL_FROM="Webinars <webinars@uni.example>",
        LOW_DISK_MEGABYTES=1,
        DEVELOPMENT=False,
    )


@pytest.fixture
def well(app: Flask, db: DbSession) -> DbSession:
    """The database of a service whose clock runs."""
    keep_the_clock(db)
    return db


def keep_the_clock(db: DbSession, *, ago: timedelta = timedelta(seconds=1)) -> None:
    moment = datetime.now(UTC) - ago
    db.merge(
        TickRun(
            name=TICK,
            owner="here:1:x",
            began_at=moment,
            ended_at=moment,
            succeeded_at=moment,
            failures=0,
            milliseconds=1,
        )
    )
    db.commit()


def ask(config: Config) -> Answer:
    app = create_app(config)
    result = app.test_cli_runner().invoke(args=["doctor", "--json"])
    app.extensions["engine"].dispose()
    assert result.exception is None or isinstance(result.exception, SystemExit), result.output
    said = json.loads(result.stdout)
    told = [(f["severity"], (f["check"], f["words"])) for f in said["findings"]]
    answer = Answer(
        exit_code=result.exit_code,
        wrong=[what for severity, what in told if severity == "wrong"],
        advice=[what for severity, what in told if severity == "advice"],
    )
    assert said["wrong"] == len(answer.wrong)
    assert all(finding["mend"].endswith((".", ")")) for finding in said["findings"])
    return answer


def test_nothing_is_wrong_with_a_deployment_that_is_well(
    well: DbSession, config: Config, sink: SmtpSink
) -> None:
    media_shelf(config).keys.create("R" * 12, 0)
    before = len(sink.messages)

    answer = ask(config)

    assert (answer.wrong, answer.exit_code) == ([], 0)
    assert {check for check, _ in answer.advice} == {"backup", "keys backup"}
    assert len(sink.messages) == before
    assert not (config.DATA_DIR / "doctor.probe").exists()


FAULTS_OF_SETTINGS: list[tuple[dict[str, object], str, str]] = [
    ({"PUBLIC_URL": "http://webinars.uni.example"}, "settings", "travel unencrypted"),
    ({"NGINX": True}, "settings", "WEBINAR_NGINX=1 without https://"),
    ({"DEMO": True}, "settings", "WEBINAR_DEMO=1"),
    ({"SECRET_KEY": "abcabcabc" * 5}, "settings", "SECRET_KEY can be guessed"),
    ({"MAIL_FROM": "Webinars <webinars@localhost>"}, "mail", "sent from webinars@localhost"),
    ({"SMTP_URL": "smtp.uni.example:587"}, "mail", "SMTP_URL looks like"),
    ({"LOW_DISK_MEGABYTES": 2**40}, "disk", "MB are free"),
    ({"BACKUP_DIR": "/backups"}, "backup", "WEBINAR_BACKUP_RECIPIENT is empty"),
    ({"BACKUP_DIR": "/b", "KEYS_BACKUP_DIR": "/c/../b"}, "backup", "Backups of keys"),
    ({"BACKUP_DIR": "/b", "KEYS_BACKUP_DIR": "/b/keys"}, "backup", "Backups of keys"),
    ({"BACKUP_DIR": "/b/data", "KEYS_BACKUP_DIR": "/b"}, "backup", "Backups of keys"),
    ({"REDIS_URL": "redis://127.0.0.1:1/0"}, "redis", "Redis does not answer"),
    ({"DATA_DIR": Path("/proc/sys")}, "data folder", "/proc/sys cannot be written"),
    ({"SIGNING_KEY": "/none.pem", "SIGNING_CERTIFICATE": "/none.pem"}, "certificates", "signed"),
]


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
@pytest.mark.parametrize(("change", "check", "words"), FAULTS_OF_SETTINGS)
def test_it_finds_what_is_wrong_with_settings_and_machine(
    well: DbSession, config: Config, change: dict[str, object], check: str, words: str
) -> None:
    answer = ask(replace(config, **change))  # type: ignore[arg-type]

    assert answer.exit_code == 1
    assert [said for named, said in answer.wrong if named == check and words in said] != []


def no_clock(db: DbSession) -> None:
    db.delete(db.get_one(TickRun, TICK))


def stopped_clock(db: DbSession) -> None:
    keep_the_clock(db, ago=timedelta(hours=3))


def older_schema(db: DbSession) -> None:
    db.execute(text("UPDATE alembic_version SET version_num = '0001'"))


def parked_work(db: DbSession) -> None:
    for _ in range(parked.TRIES):
        parked.failed(db, "closing a recording", 1, error="broken", now=datetime.now(UTC))


def waiting_mails(db: DbSession) -> None:
    now = datetime.now(UTC) - timedelta(hours=1)
    kind = MailKind.VERIFY_EMAIL
    deliveries.queue(db, kind, user_id=make_user(db).id, subject_id=1, due_at=now, now=now)


def two_releases(db: DbSession) -> None:
    now = datetime.now(UTC)
    for release in ("1.0", "1.1"):
        processes.seen(
            db, owner=release, role="clock", host="x", release=release, started_at=now, now=now
        )


@pytest.mark.parametrize(
    ("plant", "check", "words"),
    [
        (no_clock, "clock", "has never run"),
        (stopped_clock, "clock", "stands still for 3 h"),
        (older_schema, "schema", "is older than the program"),
        (parked_work, "work", "could not be done after many tries"),
        (waiting_mails, "mail", "1 mail should have left"),
        (two_releases, "releases", "1.0, 1.1"),
    ],
)
def test_it_finds_what_the_database_tells(
    well: DbSession, config: Config, plant: Callable[[DbSession], None], check: str, words: str
) -> None:
    plant(well)
    well.commit()

    answer = ask(config)
    well.execute(text("UPDATE alembic_version SET version_num = :it"), {"it": newest_schema()})
    well.commit()

    assert answer.exit_code == 1
    assert answer.checks() == [check]
    assert words in answer.wrong[0][1]


@pytest.mark.parametrize(
    ("age", "words"), [(None, "was taken yet"), (timedelta(days=3), "is 3 days old")]
)
def test_it_finds_backups_that_are_missing_or_old(
    well: DbSession, config: Config, age: timedelta | None, words: str
) -> None:
    if age is not None:
        taken = datetime.now(UTC) - age
        well.add(BackupRun(kind="data", began_at=taken, ended_at=taken, bytes=1, digest="x"))
        well.commit()

    answer = ask(replace(config, BACKUP_DIR="/backups", BACKUP_RECIPIENT="age1x"))

    assert answer.checks() == ["backup"]
    assert words in answer.wrong[0][1]


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_it_finds_a_secret_that_is_not_that_of_the_keys(well: DbSession, config: Config) -> None:
    media_shelf(config).keys.create("R" * 12, 0)

    answer = ask(replace(config, SECRET_KEY="another secret of the tests, long enough"))

    assert answer.checks() == ["secret"]


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_it_finds_what_everybody_on_the_machine_can_read(well: DbSession, config: Config) -> None:
    (config.DATA_DIR / "takes").mkdir(mode=0o755)
    shut = ask(config)

    config.DATA_DIR.chmod(0o755)
    opened = ask(config)

    assert shut.wrong == []
    assert opened.checks() == ["data folder"]
    assert "can read takes in" in opened.wrong[0][1]


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_it_finds_a_mail_server_that_is_away_or_refuses_the_password(
    well: DbSession, config: Config, sink: SmtpSink
) -> None:
    away = ask(replace(config, SMTP_URL=f"smtp://127.0.0.1:{free_port()}"))
    refused = ask(replace(config, SMTP_URL=f"smtp://user:sesame-open@127.0.0.1:{sink.port}"))

    assert (away.checks(), refused.checks()) == (["mail"], ["mail"])
    assert "Connection refused" in away.wrong[0][1]
    assert "sesame-open" not in refused.wrong[0][1]


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_it_finds_an_ffmpeg_that_is_missing(
    well: DbSession, config: Config, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FFMPEG", "/nowhere/ffmpeg")

    answer = ask(config)

    assert answer.wrong == [
        (
            "ffmpeg",
            "/nowhere/ffmpeg does not run: nothing can be broadcast, recorded or uploaded.",
        )
    ]


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
def test_it_finds_an_engine_of_workers_without_any(well: DbSession, config: Config) -> None:
    answer = ask(replace(config, ENGINE="procrastinate"))

    assert answer.checks() == ["workers"]


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_it_asks_redis_and_the_bucket_and_leaves_nothing_there(
    well: DbSession, config: Config
) -> None:
    with RedisServer() as redis, BucketServer() as bucket:
        there = ask(replace(config, REDIS_URL=redis.url(), STORAGE_URL=bucket.url))
        left = list(media_shelf(replace(config, STORAGE_URL=bucket.url)).storage.names("doctor"))
        locked = ask(replace(config, REDIS_URL=redis.url().replace("redis://:", "redis://:x")))
    gone = ask(replace(config, STORAGE_URL=bucket.url))

    assert there.wrong == []
    assert left == []
    assert locked.checks() == ["redis"]
    assert gone.checks() == ["store"]


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_a_database_that_is_away_is_one_finding_among_the_others(config: Config) -> None:
    answer = ask(
        replace(
            config,
            DATABASE_URL=f"postgresql+psycopg://x:sesame@127.0.0.1:{free_port()}/x",
            MAIL_FROM="webinars@localhost",
        )
    )

    assert answer.checks() == ["mail", "database"]
    assert "sesame" not in answer.wrong[1][1]


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_it_speaks_to_people_from_the_command_line(
    well: DbSession, config: Config, tmp_path: Path
) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "flask", "--app", "wsgi", "doctor"],
        cwd=ROOT,
        env=os.environ | replace(config, DEMO=True).to_env(),
        capture_output=True,
        text=True,
        timeout=120,
    )

    assert done.returncode == 1
    assert done.stdout.startswith("WRONG   settings: WEBINAR_DEMO=1")
    assert done.stdout.endswith("\n1 thing is wrong.\n")
