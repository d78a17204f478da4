"""Migrations: numbered without gaps, equal to the models, and reversible, on both databases."""

import re
from pathlib import Path

from alembic import command
from alembic.script import ScriptDirectory
from flask import Flask
from sqlalchemy import inspect

from webinar.cli.db import alembic_config

VERSIONS = Path(__file__).resolve().parent.parent / "migrations" / "versions"


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
