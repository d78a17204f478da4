"""flask mail: see what goes out."""

from pathlib import Path

import click
from flask import current_app

from webinar.domain.letter import MailKind
from webinar.jobs.toolbox import Toolbox
from webinar.mail.samples import NOW, sample_letter


@click.group()
def mail() -> None:
    """Mails."""


@mail.command()
@click.argument("kind", type=click.Choice([kind.value for kind in MailKind]))
@click.option("--zone", default="America/New_York", help="Time zone of the reader.")
@click.option("--html", type=click.Path(path_type=Path), help="Write the HTML part to this file.")
def preview(kind: str, zone: str, html: Path | None) -> None:
    """Print the three parts of a mail, filled with invented data."""
    composer = Toolbox.from_config(current_app.extensions["config"]).composer
    parts = composer.parts(sample_letter(MailKind(kind), zone=zone), now=NOW)
    if html is not None:
        html.write_text(parts.html)
        click.echo(f"Wrote {html}.")
        return
    click.echo(f"Subject: {parts.subject}\n")
    click.echo(parts.text)
    click.echo(f"--- HTML ---\n\n{parts.html}")
