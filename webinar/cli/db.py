"""flask db: the schema, upgraded and checked."""

import click
from alembic import command
from alembic.config import Config
from alembic.util.exc import CommandError
from flask import current_app

from webinar.cli import migrating
from webinar.cli.migrating import Schema


def alembic_config() -> Config:
    """Alembic's settings for the application's database."""
    return migrating.config_for(current_app.extensions["engine"])


@click.group()
def db() -> None:
    """The database schema."""


@db.command()
@click.argument("revision", default="head")
def upgrade(revision: str) -> None:
    """Bring the schema up to date, also while the program runs.

    On several nodes at once the first does it and the others wait for it. A database that a newer
    release has brought further is left as it is.
    """
    migrating.upgrade(current_app.extensions["engine"], revision, say=click.echo)


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
    engine = current_app.extensions["engine"]
    state = migrating.schema_of(engine)
    if state is Schema.AHEAD:
        click.echo(
            f"A newer release has brought the database to {migrating.revision_of(engine)}. "
            "This program works with it."
        )
        return
    if state is not Schema.CURRENT:
        raise click.ClickException(
            f"The schema is {state.value}. Run flask db upgrade; it does not stop the program."
        )
    try:
        command.check(alembic_config())
    except CommandError as error:
        raise click.ClickException(str(error)) from error
