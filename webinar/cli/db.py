"""flask db: the schema, upgraded and checked."""

from pathlib import Path

import click
from alembic import command
from alembic.config import Config
from alembic.util.exc import CommandError
from flask import current_app

MIGRATIONS = Path(__file__).resolve().parents[2] / "migrations"


def alembic_config() -> Config:
    """Alembic's settings, made here instead of in a file of its own."""
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    config.set_main_option("file_template", "%%(rev)s_%%(slug)s")
    config.attributes["engine"] = current_app.extensions["engine"]
    return config


@click.group()
def db() -> None:
    """The database schema."""


@db.command()
@click.argument("revision", default="head")
def upgrade(revision: str) -> None:
    """Bring the schema up to date."""
    command.upgrade(alembic_config(), revision)


@db.command()
@click.argument("revision")
def downgrade(revision: str) -> None:
    """Take the schema back to a revision."""
    command.downgrade(alembic_config(), revision)


@db.command()
@click.argument("number")
@click.argument("message")
def revision(number: str, message: str) -> None:
    """Write a migration for what the models have and the database has not."""
    command.revision(alembic_config(), message=message, rev_id=number, autogenerate=True)


@db.command()
def check() -> None:
    """Say whether the models and the database agree."""
    try:
        command.check(alembic_config())
    except CommandError as error:
        raise click.ClickException(str(error)) from error
