"""flask media: the workers that make encrypted segments, and whether these are still whole."""

import click
from flask import current_app

from webinar.jobs import encoding, receiving, rehearsing, uploading
from webinar.jobs.checking import check as check_stored


@click.group()
def media() -> None:
    """Broadcasts on their way to recordings."""


@media.command()
@click.argument("broadcast_id", type=int)
def work(broadcast_id: int) -> None:
    """Package one broadcast until it is done. The clock starts this by itself."""
    if not encoding.work(current_app.extensions["config"], broadcast_id):
        click.echo("Another worker is at it.")


@media.command()
@click.argument("key_id", type=int)
def receive(key_id: int) -> None:
    """Take what a program such as OBS sends by one way in. The clock starts this by itself."""
    if not receiving.receive(current_app.extensions["config"], key_id):
        click.echo("Another receiver is at it.")


@media.command("take-in")
@click.argument("upload_id", type=int)
def take_in(upload_id: int) -> None:
    """Make a recording of one uploaded video. The clock starts this by itself."""
    if not uploading.work(current_app.extensions["config"], upload_id):
        click.echo("Another worker is at it, or nothing is left to do.")


@media.command()
@click.option("--all", "everything", is_flag=True, help="Closed and unpublished ones as well.")
def check(everything: bool) -> None:
    """Read the published recordings and compare each byte with what was packaged."""
    checked = check_stored(current_app.extensions["config"], everything=everything)
    for found in checked.findings:
        click.echo(f"{found.fault}: {found.name}")
    megabytes, wrong = checked.bytes / 1024 / 1024, len(checked.findings)
    click.echo(
        f"{checked.recordings} recordings, {checked.files} segments, {megabytes:.0f} MB read: "
        + (f"{wrong} wrong." if wrong else "all is whole.")
    )
    if wrong:
        raise SystemExit(1)


@media.command()
@click.argument("rehearsal_id", type=int)
def rehearse(rehearsal_id: int) -> None:
    """Make the picture of one rehearsal until it is over. The clock starts this by itself."""
    if not rehearsing.work(current_app.extensions["config"], rehearsal_id):
        click.echo("It is over, or another worker is at it.")
