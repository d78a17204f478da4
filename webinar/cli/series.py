"""flask series: recurring programmes, created from a rule and planned into sessions."""

import json
from datetime import UTC, date, datetime, time

import click
from flask import current_app

from webinar.db import open_db
from webinar.domain.series import PlannedSession, describe, rhythm
from webinar.domain.wording import local_date, local_time_range, plural, zone_abbreviation
from webinar.services import series as series_service
from webinar.services import societies
from webinar.services.series import PlannedDate
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
@click.option("--rule", required=True, help='"FREQ=WEEKLY;BYDAY=TH", as in RFC 5545.')
@click.option("--start", required=True, type=WallTime(), help="Wall time in the zone: 18:15.")
@click.option("--minutes", required=True, type=int, help="How long a session lasts.")
@click.option("--zone", required=True, help="An IANA name: Europe/Zurich.")
@click.option("--from", "first_day", required=True, type=Day(), help="The first day.")
@click.option("--months", default=6, show_default=True, help="How long recordings stay open.")
@click.option("--society", "society_slug", help="Whose it is; without it the first society's.")
def create(
    slug: str,
    name: str,
    rule: str,
    start: time,
    minutes: int,
    zone: str,
    first_day: date,
    months: int,
    society_slug: str | None,
) -> None:
    """Create a series. Plan its dates afterwards."""
    now = datetime.now(UTC)
    with open_db.begin() as db:
        if society_slug:
            society = societies.by_slug(db, society_slug)
        else:
            society = societies.house(db, site_name=current_app.config["SITE_NAME"], now=now)
        made = series_service.create(
            db,
            slug=slug,
            society_id=society.id,
            name=name,
            rule=rule,
            local_start=start,
            duration_minutes=minutes,
            zone=zone,
            first_day=first_day,
            recording_months=months,
            actor_id=None,
            now=now,
        )
        words = describe(series_service.rules_of(made)[0])
    click.echo(f"Created {slug} of {society.slug}: {words}, {start:%H:%M}, {zone}.")
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
    """Print every series and its rule."""
    with open_db() as db:
        for found in series_service.listed(db):
            for rule in series_service.rules_of(found):
                click.echo(f"{found.slug}\t{rhythm(rule)}")


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
    return "  ".join([when, "new" if date_.is_new else "planned", *date_.notes, *overlaps])
