"""flask restore: a backup back into an empty place, and the proof that it is all there."""

from datetime import UTC, datetime
from pathlib import Path

import click
from alembic import command
from alembic.script import ScriptDirectory
from alembic.util.exc import CommandError
from flask import current_app
from sqlalchemy import exists, select

from config import Config
from webinar.backup.comparing import missing_since
from webinar.backup.media_index import MediaIndex, fill
from webinar.backup.restoring import Restored, restore_data, restore_keys
from webinar.backup.sealed import Identities, identities_in
from webinar.cli.backup import FILE, sum_of, words_of
from webinar.cli.certificates import check as check_certificates
from webinar.cli.db import alembic_config
from webinar.cli.evidence import verify as verify_evidence
from webinar.db import open_db, read_db
from webinar.domain.errors import DomainError
from webinar.domain.recording import RecordingState
from webinar.jobs import backing_up
from webinar.models import MediaSegment, Recording
from webinar.services import backlog, backups


class NothingToRestore(DomainError):
    """Neither a backup nor keys were given."""


@click.command("restore")
@click.argument("file", type=FILE, required=False)
@click.option("--identity", type=FILE, required=True, help="The file of the secret key.")
@click.option("--keys", type=FILE, help="A backup of the key store as well, or alone.")
@click.pass_context
def restore(context: click.Context, file: Path | None, identity: Path, keys: Path | None) -> None:
    """Put FILE back, as the settings say: into an empty database and an empty data folder.

    Every byte is checked before the first is written. Afterwards the schema is brought up to
    date, evidence and certificates are verified, and what is missing is named; status 1 if
    anything is.
    """
    if file is None and keys is None:
        raise NothingToRestore("Give the file of a backup, or --keys, or both.")
    config: Config = current_app.extensions["config"]
    opening = identities_in(identity)
    places = backing_up.places_of(config)
    wrong = False
    if file is not None:
        # Whoever is connected to a database file would go on with the one that is replaced.
        current_app.extensions["engine"].dispose()
        restored = restore_data(
            file, opening, places, config.DATABASE_URL, is_known_schema=_is_known
        )
        command.upgrade(alembic_config(), "head")
        _note(file, restored)
        click.echo(words_of(restored.opened))
        click.echo(f"Written: the database, {restored.files} files, {restored.media} of media.")
        if restored.media_there:
            click.echo(f"{restored.media_there} files of media lay there already, and stay.")
        wrong |= _say_of_secret(restored)
    if keys is not None:
        wrong |= _restore_keys(config, keys, opening)
    if file is not None:
        wrong |= _compare(restored)
        wrong |= _fails(context, verify_evidence) | _fails(context, check_certificates)
        wrong |= _say_what_is_missing(config)
        _say_what_is_next(restored)
    if wrong:
        raise click.exceptions.Exit(1)


def _note(file: Path, restored: Restored) -> None:
    with open_db.begin() as db:
        backups.restored(
            db,
            taken_at=restored.opened.about.taken_at,
            file=str(file.resolve()),
            size=file.stat().st_size,
            digest=sum_of(file),
            now=datetime.now(UTC),
        )


def _restore_keys(config: Config, keys: Path, opening: Identities) -> bool:
    with read_db() as db:
        destroyed = set(
            db.scalars(
                select(Recording.public_id).where(Recording.state == RecordingState.DESTROYED)
            )
        )
    restored = restore_keys(
        keys,
        opening,
        backing_up.places_of(config),
        destroyed=destroyed,
        keep_days=config.KEYS_BACKUP_KEEP_DAYS,
        now=datetime.now(UTC),
    )
    click.echo(f"Written: {restored.keys} keys.")
    if restored.keys_withheld:
        click.echo(
            f"{restored.keys_withheld} keys were left out: their recordings have been destroyed."
        )
    return _say_of_secret(restored)


def _compare(restored: Restored) -> bool:
    found = restored.opened
    with read_db() as db:
        findings = list(missing_since(db, found.heads, found.manifest.trail))
    for finding in findings:
        click.echo(finding)
    if not findings:
        click.echo(f"{len(found.heads)} chains of evidence end where the backup says.")
    return bool(findings)


def _say_of_secret(restored: Restored) -> bool:
    if restored.other_secret:
        click.echo(
            "SECRET_KEY is another than when the backup was taken: no key of a recording can be "
            "opened, and links that were mailed do not work. Set the former one."
        )
    return restored.other_secret


def _say_what_is_missing(config: Config) -> bool:
    places = backing_up.places_of(config)
    with read_db() as db, MediaIndex() as index:
        fill(index, db, places.shelf.storage, places.data_dir)
        shown = db.scalars(
            select(Recording.public_id).where(
                Recording.state == RecordingState.PUBLISHED,
                exists().where(MediaSegment.recording_id == Recording.id),
            )
        )
        without_keys = [one for one in shown if not places.shelf.keys.numbers(one)]
    if index.missing:
        click.echo(
            f"{index.missing} of {index.files} segments of recordings are not here: copy them "
            "from where they are kept, then `flask media check`."
        )
    if without_keys:
        click.echo(
            f"{len(without_keys)} recordings have no keys and cannot be watched: restore the key "
            "store with --keys."
        )
    return bool(index.missing or without_keys)


def _say_what_is_next(restored: Restored) -> None:
    now = datetime.now(UTC)
    with read_db() as db:
        due = backlog.mails(db, now=now).due
    click.echo(
        f"What was done after {restored.opened.about.taken_at:%d %B %Y, %H:%M} UTC is not here."
    )
    if due:
        click.echo(
            f"{due} mails are due and leave when the clock starts; some may have left before."
        )


def _fails(context: click.Context, check: click.Command) -> bool:
    try:
        context.invoke(check)
    except click.exceptions.Exit as ended:
        return ended.exit_code != 0
    return False


def _is_known(schema: str) -> bool:
    try:
        ScriptDirectory.from_config(alembic_config()).get_revision(schema)
    except CommandError:
        return False
    return True
