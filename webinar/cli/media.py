"""flask media: the worker that turns a broadcast into encrypted segments."""

import logging

import click
from flask import current_app

from webinar.jobs import encoding


@click.group()
def media() -> None:
    """Broadcasts on their way to recordings."""


@media.command()
@click.argument("broadcast_id", type=int)
def work(broadcast_id: int) -> None:
    """Package one broadcast until it is done. The clock starts this by itself."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(name)s %(message)s")
    if not encoding.work(current_app.extensions["config"], broadcast_id):
        click.echo("Another worker is at it.")
