"""flask evidence import: attendance reports of other programs, from files."""

import hashlib
from datetime import UTC, datetime
from pathlib import Path

import click

from webinar.db import open_db
from webinar.documents.attendance_reports.reading import read_report
from webinar.domain.attendance_report import SOURCE_NAMES
from webinar.domain.timezone import to_local
from webinar.domain.wording import plural
from webinar.services import accounts, sessions
from webinar.services.evidence import imports, reviews


@click.command("import")
@click.argument("session")
@click.argument(
    "files",
    nargs=-1,
    required=True,
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
)
@click.option("--by", "email", required=True, help="E-mail of the person who answers for it.")
@click.option("--zone", help="Time zone of hours that do not say theirs: Europe/Zurich.")
def import_reports(session: str, files: tuple[Path, ...], email: str, zone: str | None) -> None:
    """Take in join and leave reports of Zoom, Teams or BigBlueButton about SESSION.

    All of the files or none. Who is not known for certain waits for a look at the desk.
    """
    now = datetime.now(UTC)
    with open_db.begin() as db:
        found = sessions.by_public_id(db, session)
        user = accounts.by_email(db, email)
        around = to_local(found.starts_at, found.zone).date()
        for path in files:
            content = path.read_bytes()
            report = read_report(content, zone=zone, around=around)
            file = imports.take_in(
                db,
                found.id,
                report,
                filename=path.name,
                digest=hashlib.sha256(content).hexdigest(),
                actor_id=user.id,
                now=now,
            )
            count = reviews.figures(db, [file.id])[file.id]
            click.echo(
                f"{path.name}: {SOURCE_NAMES[report.source]}, "
                f"{plural(len(report.visits), 'visit')}, {count.known} known, "
                f"{count.waiting} to look at."
            )
            for problem in report.problems:
                click.echo(f"  {problem}")


COMMANDS = (import_reports,)
