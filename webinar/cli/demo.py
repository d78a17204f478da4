"""flask demo: a whole season to look at, and a speaker who is always on air."""

import logging
import signal
import sys

import click
from flask import current_app

from webinar.demo import speaker
from webinar.demo.load import Loaded
from webinar.demo.load import load as load_demo


@click.group()
def demo() -> None:
    """The demonstration season. Everything in it is invented."""


@demo.command()
@click.option("--quick", is_flag=True, help="A few sessions with short recordings, for tests.")
def load(quick: bool) -> None:
    """Load the season into an empty database, or find it there; print ways in."""
    loaded = load_demo(current_app.extensions["config"], quick=quick, say=click.echo)
    for line in _lines(loaded):
        click.echo(line)


@demo.command()
def speak() -> None:
    """Broadcast into the open round for ever; ends with the process that started it."""
    # So that the encoder is stopped, too, and does not complain of a broken pipe.
    signal.signal(signal.SIGTERM, lambda _number, _frame: sys.exit(0))
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(name)s %(message)s")
    speaker.speak(current_app.extensions["config"], is_wanted=speaker.while_parent_lives())


def _lines(loaded: Loaded) -> list[str]:
    titles = [*(row.title for row in loaded.sign_ins), *(row.title for row in loaded.addresses)]
    width = max(len(title) for title in titles)
    return [
        "",
        "Look at",
        *(f"  {address.title:<{width}}  {address.url}" for address in loaded.addresses),
        "",
        "Sign in as (each link works once, until this time tomorrow)",
        *(f"  {row.title:<{width}}  {row.url}" for row in loaded.sign_ins),
        "",
    ]
