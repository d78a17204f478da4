"""flask scheduler: the clock as a process of its own."""

import logging
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
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(name)s %(message)s")
    logging.getLogger("apscheduler").setLevel(logging.WARNING)
    clock.run_for_ever(Toolbox.from_config(current_app.extensions["config"]))


@scheduler.command()
def once() -> None:
    """Do everything that is due now, once."""
    tools = Toolbox.from_config(current_app.extensions["config"])
    clock.run_once(tools, now=datetime.now(UTC))
    for tick in clock.TICKS:
        click.echo(f"done: {tick.name}")
