"""flask sessions export, import and reindex: a season as a table, and the words it is found by."""

from datetime import UTC, date, datetime, time
from pathlib import Path

import click
from flask import current_app

from webinar.cli.series import Day
from webinar.db import open_db, read_db
from webinar.documents.sheets import as_csv, as_xlsx, read_sheet
from webinar.domain.errors import Conflict
from webinar.domain.wording import plural
from webinar.services import search, season_sheet, session_lists
from webinar.services import series as series_service
from webinar.services.season_sheet import Deed
from webinar.services.session_lists import Wanted
from webinar.tools import calendar_tool

MOST_EXPORTED = 10_000


class BadRows(Conflict):
    """An import is all or nothing."""


@click.command("export")
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
@click.option("--series", "series_slug", help="Only of this series.")
@click.option("--from", "first_day", type=Day(), help="Only from this day on (UTC).")
def export_season(file: Path, series_slug: str | None, first_day: date | None) -> None:
    """Write sessions to a table: XLSX if the FILE is called so, else CSV."""
    with read_db() as db:
        wanted = Wanted(
            series_id=series_service.by_slug(db, series_slug).id if series_slug else None,
            starting=datetime.combine(first_day, time.min, UTC) if first_day else None,
        )
        found = session_lists.found(db, wanted, limit=MOST_EXPORTED)
        table = season_sheet.given_out(db, [session.id for session in found])
    file.write_bytes(as_xlsx(table) if file.suffix.casefold() == ".xlsx" else as_csv(table))
    click.echo(f"Wrote {plural(len(table) - 1, 'session')} to {file}.")


@click.command("import")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--dry-run", is_flag=True, help="Say what would happen, and change nothing.")
def import_season(file: Path, dry_run: bool) -> None:
    """Make and change sessions as the rows of the FILE say: all of them or none."""
    rows = read_sheet(file.read_bytes())
    with open_db() as db:
        taken = season_sheet.take_in(
            db,
            rows,
            society_ids=None,
            home_zone=current_app.config["HOME_ZONE"],
            actor_id=None,
            calendar=calendar_tool(current_app.extensions["config"]),
            now=datetime.now(UTC),
        )
        if taken.is_clean and not dry_run:
            db.commit()
    for problem in taken.problems:
        click.echo(f"Column {problem.column}: {problem.words}")
    for outcome in taken.outcomes:
        click.echo(f"Row {outcome.row}  {outcome.when}  {outcome.deed:<20}  {outcome.title}")
        for problem in outcome.problems:
            click.echo(f"  {problem.column or 'row'}: {problem.words}")
    if not taken.is_clean:
        wrong = plural(taken.number(Deed.REFUSED), "row is", "rows are")
        raise BadRows(f"{wrong} wrong; nothing was imported. Put them right and import again.")
    if dry_run:
        click.echo("Nothing was changed: this was a dry run.")
    elif taken.told:
        click.echo(f"{plural(taken.told, 'person is', 'people are')} told by mail.")


@click.command()
def reindex() -> None:
    """Write the words by which sessions are found anew, where they are missing or old."""
    with open_db() as db:
        written = search.reindex(db)
        db.commit()
    click.echo(f"{plural(written, 'session')} indexed anew.")


COMMANDS = (export_season, import_season, reindex)
