"""Bring a schema up to date while the program runs: one at a time, and never in anybody's way.

Migrations wait a moment for a table and then let those pass who queue behind them; here is tried
again. How a migration has to be written: docs/upgrading.md.
"""

import fcntl
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from enum import Enum
from itertools import chain, repeat
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Engine, text
from sqlalchemy.exc import OperationalError

from webinar.domain.errors import DomainError

Say = Callable[[str], object]

MIGRATIONS = Path(__file__).resolve().parents[2] / "migrations"
# "webi" and a number of ours: one key of PostgreSQL's advisory locks.
LOCK = 0x77656269_0001
LONGEST_WAIT_SECONDS = 1800
LOOK_EVERY_SECONDS = 0.5
# Somebody held a table, or two waited for each other (PostgreSQL, appendix A).
IN_THE_WAY = ("55P03", "40P01")
TRIES = 40
PAUSES = (0.2, 0.5, 1.0, 2.0, 4.0)


class CannotUpgrade(DomainError):
    """The schema cannot be brought up to date now; what was there is as it was."""


class Schema(Enum):
    """How the database stands to this program."""

    EMPTY = "empty"
    BEHIND = "behind"
    CURRENT = "up to date"
    AHEAD = "ahead"


def config_for(engine: Engine) -> Config:
    """Alembic's settings, made here instead of in a file of its own."""
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    config.set_main_option("file_template", "%%(rev)s_%%(slug)s")
    config.attributes["engine"] = engine
    return config


def revision_of(engine: Engine) -> str:
    """The last migration this database has seen; "" if none."""
    with engine.connect() as connection:
        return MigrationContext.configure(connection).get_current_revision() or ""


def schema_of(engine: Engine) -> Schema:
    """Whether there is anything to do; a newer schema serves an older program as it is."""
    revision = revision_of(engine)
    known = ScriptDirectory.from_config(config_for(engine))
    if not revision:
        return Schema.EMPTY
    if revision == known.get_current_head():
        return Schema.CURRENT
    is_known = any(script.revision == revision for script in known.walk_revisions())
    return Schema.BEHIND if is_known else Schema.AHEAD


def upgrade(engine: Engine, revision: str, *, say: Say) -> None:
    """Run what is missing up to the revision. Raises CannotUpgrade.

    Several may call it at once: the first does it, the others wait and find it done.
    """
    with _one_at_a_time(engine, say):
        if schema_of(engine) is Schema.AHEAD:
            say(
                f"The database is newer ({revision_of(engine)}) than this program. "
                "It serves both; nothing was changed."
            )
            return
        for pause in chain(PAUSES, repeat(PAUSES[-1], TRIES - len(PAUSES))):
            try:
                command.upgrade(config_for(engine), revision)
            except OperationalError as error:
                if getattr(error.orig, "sqlstate", None) not in IN_THE_WAY:
                    raise
                say(f"Somebody is using a table; trying again in {pause:g} s.")
                time.sleep(pause)
            else:
                return
    raise CannotUpgrade(
        "A table was in use all the time, so the schema was not brought up to date. "
        "Look for a transaction that stays open (pg_stat_activity), end it, and try again."
    )


@contextmanager
def _one_at_a_time(engine: Engine, say: Say) -> Iterator[None]:
    if engine.dialect.name == "sqlite":
        with _file_lock(engine.url.database or ""):
            yield
        return
    # Asked again and again, each time in a moment: an index that is built beside the readers waits
    # for every statement that runs, so nobody may wait inside of one for the end of the upgrade.
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        end = time.monotonic() + LONGEST_WAIT_SECONDS
        is_told = False
        while not connection.scalar(text("SELECT pg_try_advisory_lock(:key)"), {"key": LOCK}):
            if time.monotonic() > end:
                raise CannotUpgrade(
                    "Another upgrade has not ended for half an hour. See what became of it."
                )
            if not is_told:
                say("Another upgrade is under way; waiting for it.")
                is_told = True
            time.sleep(LOOK_EVERY_SECONDS)
        try:
            yield
        finally:
            connection.execute(text("SELECT pg_advisory_unlock(:key)"), {"key": LOCK})


@contextmanager
def _file_lock(database: str) -> Iterator[None]:
    """Ends with its process, like the other."""
    if database in ("", ":memory:"):
        yield
        return
    with Path(f"{database}.upgrade-lock").open("ab") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
