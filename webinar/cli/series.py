"""flask series: recurring programmes, created from a rule and planned into sessions."""

import json
from datetime import UTC, date, datetime, time

import click
from flask import current_app

from webinar.db import open_db
from webinar.domain.series import PlannedSession, RuleRow, describe
from webinar.domain.timezone import to_local
from webinar.domain.wording import local_date, local_time_range, plural, zone_abbreviation
from webinar.services import series as series_service
from webinar.services import societies
from webinar.services.series import SeriesWords
from webinar.services.series_preview import PlannedDate
from webinar.tools import calendar_tool


class WallTime(click.ParamType[time]):
    """A time of day as clocks show it: 18:15."""

    name = "HH:MM"

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> time:
        """Return the time, or fail with a sentence."""
        if isinstance(value, time):
            return value
        try:
            return datetime.strptime(str(value), "%H:%M").time()  # noqa: DTZ007 -- wall time
        except ValueError:
            self.fail(f"{value!r} is not a time of day. Write it like 18:15.", param, ctx)


class Day(click.ParamType[date]):
    """A day: 2026-11-26."""

    name = "YYYY-MM-DD"

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> date:
        """Return the day, or fail with a sentence."""
        if isinstance(value, date):
            return value
        try:
            return datetime.strptime(str(value), "%Y-%m-%d").date()  # noqa: DTZ007 -- a day
        except ValueError:
            self.fail(f"{value!r} is not a day. Write it like 2026-11-26.", param, ctx)


@click.group()
def series() -> None:
    """Recurring programmes."""


@series.command()
@click.option("--slug", required=True, help="Its short name in addresses: e-grandrounds.")
@click.option("--name", required=True, help="What people call it.")
@click.option(
    "--rule",
    "rules",
    required=True,
    multiple=True,
    help='"FREQ=WEEKLY;BYDAY=TH", as in RFC 5545. Several times for several rules.',
)
@click.option(
    "--start",
    "starts",
    required=True,
    multiple=True,
    type=WallTime(),
    help="Wall time in the zone: 18:15. One for all rules, or one for each.",
)
@click.option("--minutes", required=True, type=int, help="How long a session lasts.")
@click.option("--zone", required=True, help="An IANA name: Europe/Zurich.")
@click.option("--from", "first_day", required=True, type=Day(), help="The first day.")
@click.option("--months", default=6, show_default=True, help="How long recordings stay open.")
@click.option("--society", "society_slug", help="Whose it is; without it the first society's.")
def create(
    slug: str,
    name: str,
    rules: tuple[str, ...],
    starts: tuple[time, ...],
    minutes: int,
    zone: str,
    first_day: date,
    months: int,
    society_slug: str | None,
) -> None:
    """Create a series. Plan its dates afterwards."""
    if len(starts) not in (1, len(rules)):
        raise click.UsageError("Give --start once, or once for each --rule.")
    now = datetime.now(UTC)
    rows = [
        RuleRow(rule, start, minutes, first_day)
        for rule, start in zip(
            rules, starts if len(starts) > 1 else starts * len(rules), strict=True
        )
    ]
    with open_db.begin() as db:
        if society_slug:
            society = societies.by_slug(db, society_slug)
        else:
            society = societies.house(db, site_name=current_app.config["SITE_NAME"], now=now)
        made = series_service.create(
            db,
            slug=slug,
            society_id=society.id,
            words=SeriesWords(name, recording_months=months),
            rules=rows,
            zone=zone,
            actor_id=None,
            now=now,
        )
        words = "; ".join(
            f"{describe(row.of_series(zone))}, {row.local_start:%H:%M}"
            for row in series_service.rows_of(made)
        )
    click.echo(f"Created {slug} of {society.slug}: {words}, {zone}.")
    click.echo(f"Next: series plan {slug} --until YYYY-MM-DD")


@series.command()
@click.argument("slug")
@click.option("--until", required=True, type=Day(), help="The last day to plan.")
@click.option("--dry-run", is_flag=True, help="Say what would be planned, and plan nothing.")
@click.option("--json", "as_json", is_flag=True, help="Print the dates as JSON.")
def plan(slug: str, until: date, dry_run: bool, as_json: bool) -> None:
    """Make a draft of every date that has none. Planning twice is planning once."""
    with open_db() as db:
        found = series_service.by_slug(db, slug)
        dates = series_service.plan(
            db,
            found.id,
            until=until,
            calendar=calendar_tool(current_app.extensions["config"]),
            now=datetime.now(UTC),
            dry_run=dry_run,
        )
        db.commit()
    if as_json:
        click.echo(json.dumps([_as_json(date_.planned) for date_ in dates], indent=2))
        return
    for date_ in dates:
        click.echo(_as_line(date_))
    new = plural(sum(date_.is_new for date_ in dates), "new date")
    click.echo(f"{new}, {'nothing was planned' if dry_run else 'planned as drafts'}.")


@series.command("list")
def list_() -> None:
    """Print every series and the rules it meets by."""
    now = datetime.now(UTC)
    with open_db() as db:
        for found in series_service.listed(db):
            today = to_local(now, found.zone).date()
            for words in series_service.rhythms_of(found, today=today):
                click.echo(f"{found.slug}\t{words}")


def _as_json(planned: PlannedSession) -> dict[str, str]:
    return {
        "starts_at": _instant(planned.starts_at),
        "ends_at": _instant(planned.ends_at),
        "local": planned.local_start.isoformat(),
        "zone": planned.zone,
    }


def _instant(at: datetime) -> str:
    return f"{at.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"


def _as_line(date_: PlannedDate) -> str:
    planned = date_.planned
    when = (
        f"{local_date(planned.starts_at, planned.zone)}, "
        f"{local_time_range(planned.starts_at, planned.ends_at, planned.zone)} "
        f"{zone_abbreviation(planned.starts_at, planned.zone)}"
    )
    overlaps = [f"At the same time: {title}." for title in date_.overlaps]
    state = "new" if date_.is_new else "planned"
    return "  ".join([when, state, *date_.notes, *date_.holidays, *overlaps, *date_.clashes])
