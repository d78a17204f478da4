"""flask recordings: windows, imports, closing."""

from datetime import UTC, datetime
from pathlib import Path

import click
from flask import current_app

from webinar.db import open_db, read_db
from webinar.domain.errors import DomainError
from webinar.domain.recording import WINDOW_MONTHS, closes_at_for
from webinar.domain.timezone import to_utc
from webinar.jobs.importing import import_video
from webinar.services import sessions, windows


@click.group()
def recordings() -> None:
    """Recordings and their windows."""


@recordings.command()
@click.option("--ended", required=True, help='Wall time of the end, "2026-08-31 19:00".')
@click.option("--zone", required=True, help="IANA name, Europe/Zurich.")
@click.option("--months", default=WINDOW_MONTHS, show_default=True, type=click.IntRange(1, 120))
def window(ended: str, zone: str, months: int) -> None:
    """Print when a recording closes whose session ended then (UTC)."""
    try:
        wall = datetime.fromisoformat(ended)
    except ValueError as error:
        raise DomainError(f'{ended!r} is not a time like "2026-08-31 19:00".') from error
    if wall.tzinfo is not None:
        raise DomainError("Give the wall time without an offset; --zone says where.")
    closes_at = closes_at_for(to_utc(wall, zone), zone, months=months)
    click.echo(_utc(closes_at))


@recordings.command("import")
@click.argument("session_public_id")
@click.argument("video", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--again", is_flag=True, help="Throw away what a broken-off import left behind.")
def import_(session_public_id: str, video: Path, again: bool) -> None:
    """Make a video file the recording of a past session and publish it."""
    with read_db() as db:
        session = sessions.by_public_id(db, session_public_id)
    with click.progressbar(length=100, label="Packaging") as bar:
        recording = import_video(
            current_app.extensions["config"],
            session.id,
            video,
            progress=lambda done: bar.update(int(done * 100) - bar.pos),
            now=datetime.now(UTC),
            again=again,
        )
    click.echo(f"Published, to be watched until {_utc(recording.closes_at)}.")


@recordings.command()
@click.argument("session_public_id")
@click.option("--reason", required=True, help="Why now; kept in the audit trail.")
def close(session_public_id: str, reason: str) -> None:
    """End a recording's window now, for everybody without an extension."""
    with open_db.begin() as db:
        session = sessions.by_public_id(db, session_public_id)
        closed = windows.close_now(
            db, session.id, actor_id=None, reason=reason, now=datetime.now(UTC)
        )
    click.echo(f"Closed at {_utc(closed.closes_at)}.")


def _utc(instant: datetime | None) -> str:
    return "(no end)" if instant is None else instant.strftime("%Y-%m-%dT%H:%M:%SZ")
