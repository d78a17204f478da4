"""Migrations: numbered without gaps, equal to the models, and reversible, on both databases."""

import re
from pathlib import Path

from alembic import command
from alembic.script import ScriptDirectory
from flask import Flask
from sqlalchemy import inspect, text

from webinar.cli.db import alembic_config

VERSIONS = Path(__file__).resolve().parent.parent / "migrations" / "versions"
# As the first release wrote them.
OLD_SEASON = (
    "INSERT INTO society (id, slug, name, short_name, about, country)"
    " VALUES (5, 'eso', 'School', 'ESO', '', 'CH')",
    'INSERT INTO "user" (id, email, name, country, profession, zone, created_at,'
    " sign_in_generation) VALUES (3, 'a@example.org', 'Anna', 'CH', 'physician',"
    " 'Europe/Zurich', '2026-11-01 10:00:00', 0)",
    "INSERT INTO user_role (user_id, role) VALUES (3, 'organiser'), (3, 'administrator')",
    "INSERT INTO series (id, slug, society_id, name, about, rule, local_start, duration_minutes,"
    " zone, recording_months, first_day, created_at) VALUES (7, 'weekly', 5, 'Weekly', '',"
    " 'FREQ=WEEKLY;BYDAY=TH', '18:15:00.000000', 45, 'Europe/Zurich', 6, '2026-11-26',"
    " '2026-11-01 10:00:00')",
    "INSERT INTO session (id, public_id, series_id, society_id, title, abstract, objectives,"
    " language, starts_at, ends_at, zone, recording_months, status, cancellation_reason, is_demo,"
    " ical_uid, ical_sequence, ical_changed_at, ical_digest, ical_public, ical_personal,"
    " created_at) VALUES (9, 'abcdefgh', 7, 5, 'T', '', '', 'en', '2026-11-26 17:15:00',"
    " '2026-11-26 18:00:00', 'Europe/Zurich', 6, 'draft', '', FALSE, 'u', 0,"
    " '2026-11-01 10:00:00', '', '', '', '2026-11-01 10:00:00')",
)


def test_migrations_are_numbered_without_gaps() -> None:
    numbers = sorted(int(re.match(r"\d{4}", p.name).group()) for p in VERSIONS.glob("*.py"))

    assert numbers == list(range(1, len(numbers) + 1))


def test_there_is_one_head(app: Flask) -> None:
    with app.app_context():
        heads = ScriptDirectory.from_config(alembic_config()).get_heads()

    assert len(heads) == 1


def test_the_migrated_database_equals_the_models(app: Flask) -> None:
    with app.app_context():
        command.check(alembic_config())  # raises where they differ


def test_downgrading_leaves_nothing_behind_and_upgrading_again_works(app: Flask) -> None:
    with app.app_context():
        command.downgrade(alembic_config(), "base")
        left = set(inspect(app.extensions["engine"]).get_table_names()) - {"alembic_version"}
        command.upgrade(alembic_config(), "head")
        command.check(alembic_config())

    assert left == set()


def test_a_season_planned_before_rules_were_rows_keeps_its_rule_and_its_people(app: Flask) -> None:
    engine = app.extensions["engine"]
    with app.app_context():
        command.downgrade(alembic_config(), "0001")
        with engine.begin() as connection:
            for statement in OLD_SEASON:
                connection.execute(text(statement))
        command.upgrade(alembic_config(), "head")
        with engine.begin() as connection:
            rules = connection.execute(
                text("SELECT series_id, rule, duration_minutes, last_day FROM planning_rule")
            ).all()
            roles = connection.execute(
                text("SELECT user_id, role, society_id FROM user_role ORDER BY role")
            ).all()
            sessions = connection.execute(text("SELECT id, revision, level FROM session")).all()
        command.downgrade(alembic_config(), "0001")
        with engine.begin() as connection:
            again = connection.execute(text("SELECT rule, first_day FROM series")).all()
            people = connection.execute(text("SELECT count(*) FROM user_role")).scalar_one()
        command.upgrade(alembic_config(), "head")

    assert rules == [(7, "FREQ=WEEKLY;BYDAY=TH", 45, None)]
    assert roles == [(3, "administrator", None), (3, "organiser", None)]
    assert sessions == [(9, 0, "")]
    assert [(rule, str(day)) for rule, day in again] == [("FREQ=WEEKLY;BYDAY=TH", "2026-11-26")]
    assert people == 2
