"""The database, and what it tells of the clock, the workers, mails and backups."""

from datetime import UTC, datetime

from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

from config import Config
from webinar.db import DbSession, read_db
from webinar.domain import service_health
from webinar.domain.checkup import Finding, advice, clocks_apart, of_remark, wrong
from webinar.domain.service_health import SKEW_SECONDS, Part
from webinar.services import service_state
from webinar.tools import newest_schema, service_settings

OLDEST_POSTGRESQL = 150000
# Told by the check of the machine, with its folder.
TOLD_ELSEWHERE = frozenset({Part.DISK})


def check(config: Config, *, now: datetime) -> list[Finding]:
    """All that needs the database; a single finding if it is away."""
    try:
        with read_db() as db:
            return _asked(db, config, now)
    except SQLAlchemyError as error:
        gone = of_remark(service_health.database_gone())
        reason = str(getattr(error, "orig", error)).strip().splitlines()
        return [
            wrong(gone.check, f"{gone.words} It said: {reason[0] if reason else ''}", gone.mend)
        ]


def _asked(db: DbSession, config: Config, now: datetime) -> list[Finding]:
    schema = service_health.schema_remark(service_state.schema_revision(db), newest_schema())
    if schema is not None:
        return [of_remark(schema)]
    found = [*_server(db, config), *_clocks(db)]
    facts = service_state.facts(service_state.read(db, now=now), service_settings(config), now=now)
    return found + [
        of_remark(remark)
        for remark in service_health.remarks(facts)
        if remark.part not in TOLD_ELSEWHERE
    ]


def _server(db: DbSession, config: Config) -> list[Finding]:
    if db.get_bind().dialect.name != "postgresql":
        if config.is_https:
            return [
                advice(
                    "database",
                    "The database is SQLite, one file on one machine.",
                    "That is enough for one server of some hundred people at a time; for more, or "
                    "a second machine, take PostgreSQL.",
                )
            ]
        return []
    found = []
    if int(db.execute(text("SHOW server_version_num")).scalar_one()) < OLDEST_POSTGRESQL:
        found.append(
            wrong("database", "PostgreSQL is older than 15.", "Bring it to version 15 or newer.")
        )
    if db.execute(text("SELECT pg_is_in_recovery()")).scalar_one() and not config.READ_ONLY:
        found.append(
            wrong(
                "database",
                "The database is a replica: it takes no changes.",
                "Point DATABASE_URL to the primary, or say so with WEBINAR_READ_ONLY=1.",
            )
        )
    return found


def _clocks(db: DbSession) -> list[Finding]:
    theirs = service_state.database_time(db)
    if theirs is None:
        return []
    said = clocks_apart(theirs - datetime.now(UTC), most_seconds=SKEW_SECONDS)
    return [] if said is None else [said]
