"""flask scheduler: the clock as a process of its own."""

from datetime import UTC, datetime

import click
from flask import current_app

from webinar.jobs import clock
from webinar.jobs.toolbox import Toolbox


@click.group()
def scheduler() -> None:
    """What the program does by itself, every few seconds."""


@scheduler.command()
def run() -> None:
    """Keep the clock until interrupted."""
    clock.run_for_ever(Toolbox.from_config(current_app.extensions["config"]))


@scheduler.command()
def once() -> None:
    """Do everything that is due now, once."""
    tools = Toolbox.from_config(current_app.extensions["config"])
    elsewhere = clock.run_once(tools, now=datetime.now(UTC))
    for tick in clock.TICKS:
        click.echo(f"{'left to another' if tick.name in elsewhere else 'done'}: {tick.name}")
