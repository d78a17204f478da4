"""flask worker: a process that does what the clock hands out."""

import click
from flask import current_app

from webinar.domain.errors import DomainError
from webinar.jobs import clock
from webinar.jobs.toolbox import Toolbox
from webinar.jobs.working import run_worker


@click.group()
def worker() -> None:
    """What takes time, done beside the clock."""


@worker.command()
@click.option("--concurrency", default=4, type=click.IntRange(1, 64), show_default=True)
def run(concurrency: int) -> None:
    """Send mails and run long ticks until interrupted; CONCURRENCY batches of mails at once."""
    config = current_app.extensions["config"]
    if not clock.uses_queue(config):
        raise DomainError(
            "There is nothing for a worker to do: the clock does everything itself. "
            "Set WEBINAR_ENGINE=procrastinate for the clock and here, with PostgreSQL."
        )
    run_worker(Toolbox.from_config(config), clock.TICKS, concurrency=concurrency)
