"""flask backup: take one, list them, look into one; and a key to open them with."""

import hashlib
import os
from datetime import UTC, datetime
from pathlib import Path

import click
from flask import current_app

from config import Config
from webinar.backup.comparing import missing_since
from webinar.backup.opening import Opened, read_through
from webinar.backup.sealed import identities_in, new_identity
from webinar.db import read_db
from webinar.domain.backup import BackupKind
from webinar.domain.errors import DomainError
from webinar.jobs import backing_up
from webinar.models import BackupRun
from webinar.services import backups

LISTED = 60
FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


class NoFolder(DomainError):
    """It is not said where to write."""


@click.group("backup", invoke_without_command=True)
@click.option("--keys", "of_keys", is_flag=True, help="The key store, which is in no other backup.")
@click.option("--media", "with_media", is_flag=True, help="With segments and takes: large.")
@click.option(
    "--to",
    "folder",
    type=click.Path(file_okay=False, path_type=Path),
    help="Instead of WEBINAR_BACKUP_DIR or WEBINAR_KEYS_BACKUP_DIR.",
)
@click.pass_context
def backup(context: click.Context, of_keys: bool, with_media: bool, folder: Path | None) -> None:
    """Take a backup now, while everybody goes on working. Encrypted, always."""
    if context.invoked_subcommand is None:
        context.invoke(take, of_keys=of_keys, with_media=with_media, folder=folder)


@backup.command("take", hidden=True)
@click.option("--keys", "of_keys", is_flag=True)
@click.option("--media", "with_media", is_flag=True)
@click.option("--to", "folder", type=click.Path(file_okay=False, path_type=Path))
def take(of_keys: bool, with_media: bool, folder: Path | None) -> None:
    """The same as `flask backup`."""
    config = _config()
    kind = BackupKind.KEYS if of_keys else BackupKind.DATA
    where = folder or backing_up.folders(config).get(kind)
    if where is None:
        raise NoFolder(
            "Say where with --to, or set "
            + ("WEBINAR_KEYS_BACKUP_DIR." if of_keys else "WEBINAR_BACKUP_DIR.")
        )
    taken = backing_up.back_up(config, kind, where, with_media=with_media, now=datetime.now(UTC))
    click.echo(f"{taken.path}\n{_megabytes(taken.size)}, SHA-256 {taken.digest}")
    manifest = taken.manifest
    if of_keys:
        click.echo(
            f"Keep it no longer than {config.KEYS_BACKUP_KEEP_DAYS} days, nor any copy of it: so "
            "long can a destroyed key come back."
        )
        return
    click.echo(
        f"{manifest.counts['sessions']} sessions, {manifest.counts['accounts']} accounts, "
        f"{manifest.chains} chains of evidence, {manifest.counts['certificates']} certificates."
    )
    if not with_media:
        click.echo(
            f"{manifest.media_files} segments of recordings are listed in it and lie elsewhere."
        )
    if manifest.media_missing:
        click.echo(f"{manifest.media_missing} of them are not there: see `flask media check`.")
    for name in manifest.left_out:
        click.echo(f"gone before it was read: {name}")


@backup.command("list")
def list_taken() -> None:
    """The newest backups, and those that failed."""
    with read_db() as db:
        runs = backups.taken(db, most=LISTED)
    for run in runs:
        click.echo(f"{run.began_at:%Y-%m-%d %H:%M} UTC  {run.kind:4}  {_outcome(run)}")
    if not runs:
        click.echo("No backup was ever taken.")


@backup.command("check")
@click.argument("file", type=FILE)
@click.option("--identity", type=FILE, help="The file of the secret key: reads every byte.")
@click.option(
    "--here", is_flag=True, help="Also: does the evidence here go on from where it stood then?"
)
def check(file: Path, identity: Path | None, here: bool) -> None:
    """Is FILE whole? Without the secret key, by its sum alone, if this database knows it."""
    if identity is None:
        if here:
            raise click.UsageError("--here needs --identity: it looks into the backup.")
        _check_sum(file)
        return
    found = read_through(file, identities_in(identity))
    click.echo(words_of(found))
    if here:
        with read_db() as db:
            wrong = list(missing_since(db, found.heads, found.manifest.trail))
        for finding in wrong:
            click.echo(finding)
        if wrong:
            raise click.exceptions.Exit(1)
        click.echo("The evidence and the audit trail here go on from where they stood then.")


@backup.command("identity")
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
def identity(file: Path) -> None:
    """Make a key that opens backups: the secret one into FILE, the public one on the screen."""
    secret, public = new_identity()
    try:
        descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError as taken:
        raise click.ClickException(f"{file} is there already; it is not replaced.") from taken
    with os.fdopen(descriptor, "w") as to:
        to.write(f"# Opens the backups of webinars that were made for\n# {public}\n{secret}\n")
    click.echo(
        f"WEBINAR_BACKUP_RECIPIENT={public}\n"
        f"Keep {file} on another machine, and a copy on paper or in a safe: without it no backup "
        "can be opened by anybody. Then delete it here."
    )


def words_of(found: Opened) -> str:
    """What a backup is, for a person."""
    about, manifest = found.about, found.manifest
    first = f"Whole: {manifest.parts} parts, taken {about.taken_at:%d %B %Y, %H:%M} UTC"
    if about.kind is BackupKind.KEYS:
        return f"{first}, of the key store."
    return (
        f"{first}, {about.database} {about.server}, schema {about.schema}, "
        f"{'with' if about.has_media else 'without'} media.\n"
        + ", ".join(f"{number} {name}" for name, number in sorted(manifest.counts.items()))
        + f"; {manifest.chains} chains of evidence; {manifest.media_files} segments listed."
    )


def sum_of(file: Path) -> str:
    """Its SHA-256, hex."""
    with file.open("rb") as reading:
        return hashlib.file_digest(reading, "sha256").hexdigest()


def _check_sum(file: Path) -> None:
    digest = sum_of(file)
    with read_db() as db:
        run = backups.by_digest(db, digest)
    if run is None:
        raise click.ClickException(
            f"SHA-256 {digest} is of no backup this database knows: the file was "
            "changed, or another installation made it. With --identity it is read through."
        )
    click.echo(f"Unchanged since it was written on {run.began_at:%d %B %Y, %H:%M} UTC.")


def _outcome(run: BackupRun) -> str:
    if run.error:
        return f"failed: {run.error}"
    if run.ended_at is None:
        return "at work, or killed"
    if run.deleted_at is not None:
        return f"{_megabytes(run.bytes)}  deleted {run.deleted_at:%Y-%m-%d}: its time was over"
    is_here = "" if Path(run.file).exists() else "  (not on this machine)"
    return f"{_megabytes(run.bytes)}  {run.file}{is_here}"


def _megabytes(size: int) -> str:
    return f"{size / 1_000_000:.1f} MB"


def _config() -> Config:
    config: Config = current_app.extensions["config"]
    return config
