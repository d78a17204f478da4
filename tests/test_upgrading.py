"""From the last release to this one, on both databases, while that release's program goes on."""

import re
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from alembic import command
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from flask import Flask
from sqlalchemy import Engine, MetaData, Table, event, inspect, select, text

from config import Config
from tests import previous_release
from tests.components.postgres import PostgresServer
from tests.conftest import SECRET
from tests.patience import wait_for
from webinar.app import create_app
from webinar.cli import migrating
from webinar.cli.db import alembic_config
from webinar.db import open_db, read_db
from webinar.models import Certificate
from webinar.services import audit, certificates
from webinar.services.certificates import Standing
from webinar.services.evidence import verifying

WRITERS, READERS = 3, 3
# Before, while and after: so many rounds of each at least.
ROUNDS = 5


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """A database of each kind in which there is nothing."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'upgraded.sqlite3'}"
        return
    postgres: PostgresServer = request.getfixturevalue("postgres")
    url = postgres.create_database()
    yield url
    postgres.drop_database(url)


@pytest.fixture
def upgraded(url: str, tmp_path: Path) -> Iterator[Flask]:
    """The program on that database, at the last migration of the last release."""
    app = create_app(Config(SECRET_KEY=SECRET, DATABASE_URL=url, DATA_DIR=tmp_path / "data"))
    with app.app_context():
        command.upgrade(alembic_config(), previous_release.revision())
    yield app
    app.extensions["engine"].dispose()


@dataclass
class OldProgram:
    """What the last release says to its tables, by hand: its columns and no others."""

    engine: Engine
    tables: dict[str, Table]
    stop: threading.Event = field(default_factory=threading.Event)
    errors: list[str] = field(default_factory=list)
    rounds: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock)

    @classmethod
    def of(cls, engine: Engine) -> "OldProgram":
        """As the schema is now."""
        known = MetaData()
        known.reflect(engine, only=sorted(previous_release.tables()))
        return cls(engine, dict(known.tables))

    def start(self, stack: ExitStack) -> None:
        """Readers and writers until the stack ends."""
        work = [self._write] * WRITERS + [self._read] * READERS
        threads = [threading.Thread(target=self._go_on, args=(do, n)) for n, do in enumerate(work)]
        for thread in threads:
            thread.start()
        stack.callback(lambda: [thread.join() for thread in threads])
        stack.callback(self.stop.set)

    def await_rounds(self) -> None:
        """Some more of them."""
        enough = self.rounds + ROUNDS * (WRITERS + READERS)
        wait_for(lambda: self.rounds >= enough or bool(self.errors))

    def _go_on(self, do: Callable[[int], None], number: int) -> None:
        while not self.stop.is_set() and not self.errors:
            try:
                do(number)
            except Exception as error:  # the test says what it was
                self.errors.append(f"{do.__name__}: {error}")
            with self._lock:
                self.rounds += 1
            time.sleep(0.005)

    def _read(self, _number: int) -> None:
        with self.engine.execution_options(read_only=True).connect() as connection:
            for table in self.tables.values():
                connection.execute(select(table).limit(20)).all()

    def _write(self, number: int) -> None:
        """Somebody opens an account, takes a place and is mailed; somebody else watches on."""
        user, delivery = self.tables["user"], self.tables["delivery"]
        place, watched = self.tables["registration"], self.tables["watch_segment"]
        with self.engine.begin() as connection:
            rows = {table: connection.execute(select(table).limit(1)).mappings().one()
                    for table in (user, delivery, place)}  # fmt: skip
            mark = f"{number}-{time.monotonic_ns()}"
            new = {**rows[user], "email": f"{mark}@example.net", "feed_token_hash": None}
            del new["id"]
            person = connection.execute(user.insert().values(new)).inserted_primary_key[0]
            for table in (delivery, place):
                own = {**rows[table], "user_id": person}
                del own["id"]
                connection.execute(table.insert().values(own))
            connection.execute(
                watched.update().values(last_at=watched.c.last_at).where(watched.c.number == 0)
            )


def load(app: Flask) -> int:
    with app.extensions["engine"].connect().execution_options(unwatched=True) as connection:
        number = previous_release.load(connection)
        connection.commit()
    return number


def findings() -> list[str]:
    """What the evidence, the decisions and the trail of changes do not bear out."""
    with read_db() as db:
        found = [
            f"{session_id}: {finding.words}"
            for session_id in verifying.sessions_with_evidence(db)
            for finding in verifying.verify(db, session_id)
        ]
        broken = audit.first_broken(db)
    return found + ([f"audit trail at {broken}"] if broken is not None else [])


def upgrade(app: Flask) -> str:
    result = app.test_cli_runner().invoke(args=["db", "upgrade"])
    assert result.exit_code == 0, result.output
    return result.output


def test_the_last_release_is_upgraded_while_its_program_reads_and_writes(upgraded: Flask) -> None:
    load(upgraded)
    old = OldProgram.of(upgraded.extensions["engine"])

    with ExitStack() as stack:
        old.start(stack)
        old.await_rounds()
        upgrade(upgraded)
        old.await_rounds()
    with upgraded.app_context():
        command.check(alembic_config())  # raises where models and database differ
    with read_db() as db:
        numbers = db.scalars(
            select(Certificate.number).where(
                Certificate.revoked_at.is_(None), Certificate.superseded_by.is_(None)
            )
        ).all()
        verified = [certificates.verify(db, number) for number in numbers]

    assert old.errors == []
    assert findings() == []
    assert {(one.standing, one.is_untouched) for one in verified} == {(Standing.GENUINE, True)}
    assert len(verified) > 30


def test_a_page_of_each_kind_is_shown_from_what_was_there_before(upgraded: Flask) -> None:
    load(upgraded)
    upgrade(upgraded)
    with read_db() as db:
        number = db.scalar(select(Certificate.number).limit(1))
    client = upgraded.test_client()

    statuses = [
        client.get(where).status_code
        for where in ("/", "/sessions/", "/series/e-grandrounds", f"/verify/{number}")
    ]

    assert statuses == [200] * 4


def test_every_row_the_last_release_writes_fits_into_the_schema_of_this_one(
    upgraded: Flask,
) -> None:
    old = OldProgram.of(upgraded.extensions["engine"])
    upgrade(upgraded)

    number = load(upgraded)  # its own INSERTs, column by column
    with upgraded.extensions["engine"].begin() as connection:
        for table in old.tables.values():
            changed = {column.name: column for column in table.columns}
            connection.execute(table.update().values(changed))
            connection.execute(select(table)).all()
            with connection.begin_nested() as tried:
                keyless = table.delete().where(text("1 = 0"))
                connection.execute(keyless)
                tried.rollback()

    assert number == len(list(previous_release.rows()))
    assert findings() == []


def test_who_upgrades_at_the_same_time_waits_and_finds_it_done(upgraded: Flask) -> None:
    outputs: list[str] = []
    threads = [threading.Thread(target=lambda: outputs.append(upgrade(upgraded))) for _ in "123"]

    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(outputs) == 3
    assert migrating.schema_of(upgraded.extensions["engine"]) is migrating.Schema.CURRENT


@pytest.mark.parametrize("url", ["postgresql"], indirect=True)
def test_a_table_in_use_is_waited_for_in_short_moments_that_let_others_pass(
    upgraded: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    said: list[str] = []
    engine = upgraded.extensions["engine"]
    held = engine.connect()
    held.execute(text('LOCK TABLE "user" IN ACCESS EXCLUSIVE MODE'))

    def let_go(words: str) -> None:
        said.append(words)
        held.rollback()

    migrating.upgrade(engine, "head", say=let_go)
    held.close()

    assert said == ["Somebody is using a table; trying again in 0.2 s."]
    assert migrating.schema_of(engine) is migrating.Schema.CURRENT


def test_an_older_program_leaves_a_newer_database_as_it_is(upgraded: Flask) -> None:
    upgrade(upgraded)
    with open_db.begin() as db:
        db.execute(text("UPDATE alembic_version SET version_num = '9999'"))

    said = upgrade(upgraded)
    checked = upgraded.test_cli_runner().invoke(args=["db", "check"])

    assert said == (
        "The database is newer (9999) than this program. It serves both; nothing was changed.\n"
    )
    assert (checked.exit_code, checked.output) == (
        0,
        "A newer release has brought the database to 9999. This program works with it.\n",
    )


def test_a_check_of_an_old_schema_says_what_to_do(upgraded: Flask) -> None:
    checked = upgraded.test_cli_runner().invoke(args=["db", "check"])

    assert (checked.exit_code, checked.output) == (
        1,
        "Error: The schema is behind. Run flask db upgrade; it does not stop the program.\n",
    )


@dataclass(frozen=True)
class Rule:
    """A kind of statement that must wait for a later release, and why."""

    pattern: str
    why: str


NAME = r'"?(?P<table>\w+)"?'
RULES = (
    Rule(rf"DROP TABLE (IF EXISTS )?{NAME}", "the last release still reads it"),
    Rule(rf"ALTER TABLE {NAME} DROP COLUMN", "the last release still names it"),
    Rule(rf"ALTER TABLE {NAME} RENAME", "the last release knows the old name"),
    Rule(
        rf"ALTER TABLE {NAME} ADD COLUMN (?!.*DEFAULT).*NOT NULL",
        "the last release inserts rows without it",
    ),
    Rule(rf"ALTER TABLE {NAME} ALTER COLUMN \S+ SET NOT NULL", "the last release may leave it out"),
    Rule(rf"ALTER TABLE {NAME} ALTER COLUMN \S+ TYPE", "the whole table is written anew"),
    Rule(
        rf"ALTER TABLE {NAME} ADD CONSTRAINT (?!.*NOT VALID)",
        "every row is looked at under a lock: NOT VALID first, then VALIDATE",
    ),
    Rule(
        rf"CREATE (UNIQUE )?INDEX (?!CONCURRENTLY)\S+ ON {NAME}", "nobody can write: CONCURRENTLY"
    ),
    Rule(rf"(LOCK|TRUNCATE)( TABLE)? {NAME}", "nobody can write"),
)


def broken_rules(statements: list[str], old_tables: set[str]) -> list[str]:
    """What among the statements would hurt the last release's program while it goes on."""
    found = []
    for statement in statements:
        words = " ".join(statement.split())
        for rule in RULES:
            match = re.match(rule.pattern, words, re.IGNORECASE)
            if match and match["table"] in old_tables:
                found.append(f"{words[:90]}: {rule.why}")
    return found


@pytest.mark.parametrize("url", ["postgresql"], indirect=True)
def test_no_migration_since_the_last_release_hurts_its_program(upgraded: Flask) -> None:
    engine = upgraded.extensions["engine"]
    old_tables = set(inspect(engine).get_table_names()) - {"alembic_version"}
    statements: list[str] = []
    event.listen(
        engine, "before_cursor_execute", lambda *about: statements.append(about[2]), named=False
    )

    upgrade(upgraded)

    assert any("CREATE TABLE tick_run" in each for each in statements)
    assert broken_rules(statements, old_tables) == []


def test_the_rules_know_a_bad_migration_and_leave_a_good_one() -> None:
    bad = [
        "DROP TABLE question",
        'ALTER TABLE "user" DROP COLUMN zone',
        "ALTER TABLE delivery RENAME TO letter",
        "ALTER TABLE delivery RENAME due_at TO due",
        "\nALTER TABLE delivery ADD COLUMN lane VARCHAR(20) NOT NULL",
        "ALTER TABLE delivery ALTER COLUMN sent_at SET NOT NULL",
        "ALTER TABLE delivery ALTER COLUMN kind TYPE VARCHAR(40)",
        "ALTER TABLE delivery ADD CONSTRAINT fk_x FOREIGN KEY(x) REFERENCES topic (id)",
        "CREATE INDEX ix_delivery_created_at ON delivery (created_at)",
        "LOCK TABLE delivery",
    ]
    good = [
        "CREATE TABLE tick_run (name TEXT NOT NULL)",
        "CREATE INDEX ix_tick_run ON tick_run (name)",
        "CREATE INDEX CONCURRENTLY ix_delivery_created_at ON delivery (created_at)",
        "ALTER TABLE delivery ADD COLUMN lane VARCHAR(20)",
        "ALTER TABLE delivery ADD COLUMN lane VARCHAR(20) DEFAULT '' NOT NULL",
        "ALTER TABLE delivery ADD CONSTRAINT c CHECK (x > 0) NOT VALID",
        "ALTER TABLE delivery VALIDATE CONSTRAINT c",
        "DROP INDEX CONCURRENTLY IF EXISTS ix_delivery_created_at",
    ]

    found = broken_rules([*bad, *good], {"question", "user", "delivery"})

    assert len(found) == len(bad)


def test_what_was_kept_is_of_a_release_that_comes_before(upgraded: Flask) -> None:
    with upgraded.app_context():
        scripts = ScriptDirectory.from_config(alembic_config())
        known = [script.revision for script in scripts.walk_revisions()]
    with upgraded.extensions["engine"].connect() as connection:
        now_at = MigrationContext.configure(connection).get_current_revision()

    assert now_at == previous_release.revision()
    assert previous_release.revision() in known
