"""flask recordings extend, destroy, destroyed: longer windows, and ends for good."""

from datetime import UTC, datetime
from pathlib import Path

import click
from flask import current_app

from webinar.db import DbSession, open_db, read_db
from webinar.documents.destruction import destruction_pdf, facts_in_words
from webinar.domain.errors import DomainError, NotFound
from webinar.domain.timezone import to_utc
from webinar.domain.wording import deadline, plural
from webinar.jobs import destroying
from webinar.models import Recording, WebinarSession
from webinar.services import accounts, destruction, recordings, sessions, windows
from webinar.tools import media_shelf


@click.command()
@click.argument("session_public_id")
@click.option(
    "--until", required=True, help='Wall time in the session\'s zone, "2027-06-02 19:00".'
)
@click.option("--reason", required=True, help="Why; kept in the audit trail.")
@click.option("--person", default="", help="E-mail of one person; without it, for everybody.")
@click.option("--by", default="", help="E-mail of who grants it; needed with --person.")
def extend(session_public_id: str, until: str, reason: str, person: str, by: str) -> None:
    """Give one person, or everybody, a later end of the window."""
    try:
        wall = datetime.fromisoformat(until)
    except ValueError as error:
        raise DomainError(f'{until!r} is not a time like "2027-06-02 19:00".') from error
    if wall.tzinfo is not None:
        raise DomainError("Give the wall time without an offset; the session has a zone.")
    if person and not by:
        raise DomainError("Say with --by who grants it; their name stands beside the extension.")
    now = datetime.now(UTC)
    with open_db.begin() as db:
        session, recording = _found(db, session_public_id)
        closes_at = to_utc(wall, session.zone)
        actor_id = accounts.by_email(db, by).id if by else None
        if person and actor_id is not None:
            user = accounts.by_email(db, person)
            windows.extend(
                db,
                recording.id,
                user_id=user.id,
                closes_at=closes_at,
                reason=reason,
                actor_id=actor_id,
                now=now,
            )
            words = f"{user.name} can watch until {deadline(closes_at, session.zone)}."
        else:
            told = windows.extend_for_all(
                db,
                recording.id,
                closes_at=closes_at,
                reason=reason,
                actor_id=actor_id,
                now=now,
            )
            words = (
                f"Everybody can watch until {deadline(closes_at, session.zone)}; "
                f"{plural(told, 'person is', 'people are')} told."
            )
    click.echo(words)


@click.command()
@click.argument("session_public_id")
@click.option("--reason", required=True, help="Why; it stands in the record.")
@click.option("--yes", is_flag=True, help="Do not ask again.")
def destroy(session_public_id: str, reason: str, yes: bool) -> None:
    """Destroy a recording that is closed or was never published, for good and at once."""
    with read_db() as db:
        session, recording = _found(db, session_public_id)
    if not yes:
        click.confirm(
            f"Destroy the recording of “{session.title}”? It cannot be undone", abort=True
        )
    shelf = media_shelf(current_app.extensions["config"])
    destroying.destroy_by_hand(shelf, recording.id, reason=reason, now=datetime.now(UTC))
    with read_db() as db:
        number = destruction.of_recording(db, recording.id).number
    click.echo(f"Destroyed. The record is {number}.")


@click.command()
@click.argument("number", required=False)
@click.option(
    "--pdf", type=click.Path(dir_okay=False, path_type=Path), help="Write the record there."
)
def destroyed(number: str | None, pdf: Path | None) -> None:
    """List what was destroyed, or say all of the record with this NUMBER."""
    days = current_app.extensions["config"].DESTROY_AFTER_DAYS
    with read_db() as db:
        if number is None:
            for row in destruction.listed(db):
                click.echo(
                    f"{row.number}  {row.keys_destroyed_at:%Y-%m-%d}  {row.facts['session']}"
                )
            return
        recording = db.get_one(Recording, destruction.by_number(db, number).recording_id)
        record = destruction.record_of(
            db, recording, provider=recording.session.society.name, after_days=days
        )
    click.echo(f"Record: {record.number}")
    for label, words in facts_in_words(record):
        click.echo(f"{label}: {words}")
    if pdf is not None:
        pdf.write_bytes(destruction_pdf(record))


def _found(db: DbSession, session_public_id: str) -> tuple[WebinarSession, Recording]:
    session = sessions.by_public_id(db, session_public_id)
    recording = recordings.for_session(db, session.id)
    if recording is None:
        raise NotFound("This session has no recording.")
    return session, recording


COMMANDS = (extend, destroy, destroyed)
