"""flask mail: see what goes out, take in what comes back."""

import sys
from datetime import UTC, datetime
from pathlib import Path

import click
from flask import current_app
from sqlalchemy.exc import SQLAlchemyError

from webinar.db import open_db
from webinar.domain.letter import MailKind
from webinar.jobs.toolbox import Toolbox
from webinar.mail.bounces import (
    LARGEST_REPORT,
    NoReport,
    NotOurs,
    ReturnReport,
    What,
    read_report,
)
from webinar.mail.samples import NOW, sample_letter
from webinar.services import troubles

# sysexits.h, as mail servers understand them from a pipe.
DATA_IS_WRONG = 65
NOBODY_HERE = 67
TRY_AGAIN = 75


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


@mail.command()
@click.option("--to", "sent_to", default="", help="The address it was sent to, of the envelope.")
def receive(sent_to: str) -> None:
    """Take in one mail that came back, from standard input: let your mail server pipe it here.

    Reports that a mail could not be delivered (RFC 3464) and complaints (RFC 5965). Exit status
    65: it is no report that can be read (1 MB at most), 67: it is about no mail of ours, 75: try
    again later.
    """
    # One more than is read: what is cut is no report any more.
    content = sys.stdin.buffer.read(LARGEST_REPORT + 1)
    settings = current_app.extensions["config"]
    try:
        report = read_report(
            content,
            secret=settings.SECRET_KEY,
            sent_to=sent_to,
            has_return_address=bool(settings.MAIL_RETURN),
        )
    except NoReport as error:
        click.echo(f"Nothing was changed. {error}", err=True)
        sys.exit(DATA_IS_WRONG)
    except NotOurs as error:
        click.echo(f"Nothing was changed. {error}", err=True)
        sys.exit(NOBODY_HERE)
    try:
        said = _taken_in(report, now=datetime.now(UTC))
    except SQLAlchemyError as error:
        click.echo(f"The database is away: {type(error).__name__}. Try again later.", err=True)
        sys.exit(TRY_AGAIN)
    if said is None:
        click.echo("Nothing was changed. The mail is so old that it is forgotten.", err=True)
        sys.exit(NOBODY_HERE)
    click.echo(said)


def _taken_in(report: ReturnReport, *, now: datetime) -> str | None:
    """What was done, in words without the person; None if the mail is not known any more."""
    with open_db.begin() as db:
        delivery = troubles.mail_of(db, report.mail)
        if delivery is None:
            return None
        if report.what is What.COMPLAINT and report.is_proved:
            troubles.complained(db, delivery, because=report.words, now=now)
            return f"Mail {delivery.id} is called spam: they get only what is necessary."
        if report.what in (What.FAILED, What.COMPLAINT):
            # A complaint that anybody may have sent is one more mail that was not wanted.
            trouble = troubles.came_back(
                db, delivery, is_lasting=report.is_lasting, because=report.words, now=now
            )
            return f"Mail {delivery.id} came back; their address is {trouble.value} now."
        return f"Nothing was changed: mail {delivery.id} is only {report.what.value}."
