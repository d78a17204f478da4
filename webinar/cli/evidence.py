"""flask evidence: is everything stored as it was vouched for, and does credit follow from it?"""

import click

from webinar.db import read_db
from webinar.models import WebinarSession
from webinar.services import audit, sessions
from webinar.services.evidence import verifying


@click.group("evidence")
def evidence() -> None:
    """Presence as stored, and what was decided from it."""


@evidence.command("verify")
@click.argument("session", required=False)
def verify(session: str | None) -> None:
    """Check the chain and every row it vouches for, and decide again, for SESSION or for all.

    Prints each thing that is not as it should be; status 1 if there is one.
    """
    wrong = 0
    with read_db() as db:
        if session is None:
            found = verifying.sessions_with_evidence(db)
        else:
            found = [sessions.by_public_id(db, session).id]
        for session_id in found:
            public_id = db.get_one(WebinarSession, session_id).public_id
            for finding in verifying.verify(db, session_id):
                wrong += 1
                click.echo(f"{public_id}: {finding.words}")
        broken = audit.first_broken(db)
        if broken is not None:
            wrong += 1
            click.echo(f"audit trail: event {broken} was changed, or the one before it is gone")
    click.echo(f"{len(found)} sessions checked, findings: {wrong}.")
    if wrong:
        raise click.exceptions.Exit(1)
