"""flask evidence: does what is decided still follow from what was watched?"""

import click
from sqlalchemy import select

from webinar.db import read_db
from webinar.models import CreditDecision, WebinarSession
from webinar.services import credits, sessions


@click.group("evidence")
def evidence() -> None:
    """Presence as stored, and what was decided from it."""


@evidence.command("verify")
@click.argument("session", required=False)
def verify(session: str | None) -> None:
    """Work coverage and credit out again from the stored segments, for SESSION or for all.

    Prints each standing decision that today's evidence does not give; status 1 if there is one.
    """
    checked = 0
    differences = 0
    with read_db() as db:
        if session is None:
            found = db.scalars(
                select(WebinarSession)
                .where(WebinarSession.id.in_(select(CreditDecision.session_id)))
                .order_by(WebinarSession.starts_at)
            ).all()
        else:
            found = [sessions.by_public_id(db, session)]
        for one in found:
            checked += 1
            for difference in credits.unsupported(db, one.id):
                differences += 1
                click.echo(f"{one.public_id}: {difference.words}")
    click.echo(f"{checked} sessions checked, {differences} decisions differ.")
    if differences:
        raise click.exceptions.Exit(1)
