"""flask sessions: list, publish, move, cancel, restore, discard, undo."""

import json
from datetime import UTC, date, datetime, time

import click
from flask import current_app

from webinar.cli.series import Day
from webinar.db import open_db
from webinar.domain.session import SessionStatus
from webinar.domain.wording import local_moment, plural
from webinar.models import WebinarSession
from webinar.services import season, season_changes, series, sessions
from webinar.services.feeds import CalendarTool
from webinar.tools import calendar_tool


class WallMoment(click.ParamType[datetime]):
    """A day and a time of day as clocks show them: "2026-12-03 18:15"."""

    name = "YYYY-MM-DD HH:MM"

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> datetime:
        """Return the naive wall time, or fail with a sentence."""
        if isinstance(value, datetime):
            return value
        text = str(value).replace("T", " ")
        try:
            return datetime.strptime(text, "%Y-%m-%d %H:%M")  # noqa: DTZ007 -- wall time
        except ValueError:
            self.fail(
                f'{value!r} is not a day and a time. Write it like "2026-12-03 18:15".', param, ctx
            )


@click.group("sessions")
def group() -> None:
    """Dated sessions."""


@group.command("list")
@click.option("--series", "series_slug", help="Only of this series.")
@click.option("--status", type=click.Choice([status.value for status in SessionStatus]))
@click.option("--from", "first_day", type=Day(), help="Only from this day on (UTC).")
@click.option("--json", "as_json", is_flag=True, help="Print them as JSON.")
def list_(
    series_slug: str | None, status: str | None, first_day: date | None, as_json: bool
) -> None:
    """Print sessions, earliest first."""
    with open_db() as db:
        found = season.listed(
            db,
            series_id=series.by_slug(db, series_slug).id if series_slug else None,
            status=SessionStatus(status) if status else None,
            starting=datetime.combine(first_day, time.min, UTC) if first_day else None,
        )
        if as_json:
            click.echo(json.dumps([_as_json(session) for session in found], indent=2))
            return
        for session in found:
            moment = local_moment(session.starts_at, session.zone)
            click.echo(f"{session.public_id}  {moment}  {session.status:<9}  {session.title}")


@group.command()
@click.argument("public_id")
@click.option("--override", default="", help="Why it is announced although something is missing.")
def publish(public_id: str, override: str) -> None:
    """Announce a draft."""
    with open_db() as db:
        session = sessions.by_public_id(db, public_id)
        sessions.publish(
            db,
            session.id,
            actor_id=None,
            calendar=_calendar(),
            now=datetime.now(UTC),
            override_reason=override,
        )
        db.commit()
        click.echo(f"Published: {session.title}, {local_moment(session.starts_at, session.zone)}.")


@group.command()
@click.argument("public_id")
@click.argument("starts", type=WallMoment())
@click.option("--minutes", type=int, help="How long it lasts, if not as long as before.")
def move(public_id: str, starts: datetime, minutes: int | None) -> None:
    """Let it start at another wall time of its zone; everybody with a place is told once."""
    with open_db() as db:
        session = sessions.by_public_id(db, public_id)
        change = sessions.move(
            db,
            session.id,
            starts,
            minutes=minutes,
            actor_id=None,
            calendar=_calendar(),
            now=datetime.now(UTC),
        )
        db.commit()
        moment = local_moment(session.starts_at, session.zone)
        moved = "Moved to" if change.fields else "It is already planned for"
        click.echo(f"{moved} {moment}. {_told(change.told)}")


@group.command()
@click.argument("public_id")
@click.option("--reason", required=True, help="Why, as the people registered are told.")
def cancel(public_id: str, reason: str) -> None:
    """Cancel an announced session; everybody with a place is told once."""
    with open_db() as db:
        session = sessions.by_public_id(db, public_id)
        change = sessions.cancel(
            db,
            session.id,
            reason=reason,
            actor_id=None,
            calendar=_calendar(),
            now=datetime.now(UTC),
        )
        db.commit()
        click.echo(f"Cancelled: {session.title}. {_told(change.told)}")


@group.command()
@click.argument("public_id")
def restore(public_id: str) -> None:
    """Let a cancelled session take place after all; everybody with a place is told once."""
    with open_db() as db:
        session = sessions.by_public_id(db, public_id)
        change = sessions.restore(
            db, session.id, actor_id=None, calendar=_calendar(), now=datetime.now(UTC)
        )
        db.commit()
        click.echo(f"It takes place after all: {session.title}. {_told(change.told)}")


@group.command()
def undo() -> None:
    """Take back the last change made from the command line, as long as no mail has left."""
    now = datetime.now(UTC)
    with open_db() as db:
        changes = season_changes.open_for(db, None, now=now)
        if not changes:
            minutes = season_changes.GRACE.seconds // 60
            raise click.ClickException(
                f"There is nothing to take back: mails leave after {minutes} minutes."
            )
        undone = season_changes.undo(
            db, changes[0].id, actor_id=None, calendar=_calendar(), now=now
        )
        db.commit()
        click.echo(f"Taken back: {changes[0].summary}. {_told(undone.told)}")


@group.command()
@click.argument("public_id")
@click.option("--reason", required=True, help="Why the series does not meet on that day.")
def discard(public_id: str, reason: str) -> None:
    """Take a draft out of the season; its day is not planned again."""
    with open_db() as db:
        session = sessions.by_public_id(db, public_id)
        sessions.discard(db, session.id, reason=reason, actor_id=None, now=datetime.now(UTC))
        db.commit()
        click.echo("Discarded. Nobody had been told of it.")


def _calendar() -> CalendarTool:
    return calendar_tool(current_app.extensions["config"])


def _told(people: int) -> str:
    return f"{plural(people, 'person is', 'people are')} told by mail."


def _as_json(session: WebinarSession) -> dict[str, str]:
    return {
        "id": session.public_id,
        "title": session.title,
        "status": session.status.value,
        "starts_at": f"{session.starts_at:%Y-%m-%dT%H:%M:%SZ}",
        "ends_at": f"{session.ends_at:%Y-%m-%dT%H:%M:%SZ}",
        "zone": session.zone,
    }
