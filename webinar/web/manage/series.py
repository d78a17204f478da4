"""Series: listed, and each on a page of its own: its rules, breaks, sessions, and what to plan."""

from dataclasses import dataclass
from datetime import date

from flask import flash, g, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user

from webinar.domain.access import Action
from webinar.domain.errors import DomainError
from webinar.domain.series import rhythm
from webinar.domain.series_notes import reader_hours
from webinar.domain.timezone import to_local
from webinar.domain.wording import plural
from webinar.models import Series
from webinar.services import series as series_service
from webinar.services import series_breaks
from webinar.services.series_preview import PlannedDate
from webinar.web.access import requires
from webinar.web.manage import scope
from webinar.web.manage.blueprint import bp
from webinar.web.manage.calendars import calendar
from webinar.web.manage.series_form import day
from webinar.web.manage.states import mark_of

SHOWN = 12
BREAK_ROWS = 2


@dataclass(frozen=True)
class Row:
    """A series with its rules in words, and how many sessions are planned ahead."""

    series: Series
    rhythms: list[str]
    ahead: int


@dataclass(frozen=True)
class RuleLine:
    """A rule in words, and whether it holds no longer."""

    words: str
    is_over: bool


@dataclass(frozen=True)
class TypedBreak:
    """What stands in the fields of a break, as text."""

    first_day: str = ""
    last_day: str = ""
    reason: str = ""


@bp.get("/series/")
@requires(Action.PLAN_SESSIONS)
def series() -> ResponseReturnValue:
    """Every series of the person's societies."""
    found = series_service.listed(g.db, society_ids=scope.society_ids())
    ahead = series_service.ahead_counts(g.db, [one.id for one in found], now=g.now)
    rows = [
        Row(one, series_service.rhythms_of(one, today=today_of(one)), ahead.get(one.id, 0))
        for one in found
    ]
    return render_template("manage/series.html", rows=rows)


@bp.get("/series/<slug>")
@requires(Action.PLAN_SESSIONS)
def series_show(slug: str) -> ResponseReturnValue:
    """One series; with `until` in the address, what planning up to that day would make."""
    return page_of(series_service.by_slug(g.db, slug), until=request.args.get("until", ""))


@bp.post("/series/<slug>/plan")
@requires(Action.PLAN_SESSIONS)
def series_plan(slug: str) -> ResponseReturnValue:
    """Make the drafts that were shown."""
    found = series_service.by_slug(g.db, slug)
    until = day(request.form.get("until", ""))
    if until is None:
        return page_of(found, until=request.form.get("until", "")), 422
    dates = series_service.plan(
        g.db,
        found.id,
        until=until,
        calendar=calendar(),
        now=g.now,
        actor_id=current_user.id,
    )
    g.db.commit()
    new = sum(date_.is_new for date_ in dates)
    flash(f"{plural(new, 'draft')} planned. Nobody sees a draft until you publish it.", "success")
    return redirect(url_for("manage.sessions", series=slug, status="draft"))


def page_of(
    found: Series,
    *,
    until: str = "",
    errors: dict[str, str] | None = None,
    typed_breaks: tuple[TypedBreak, ...] = (),
) -> str:
    """The page of a series, with what was typed into its forms and the sentences beside them."""
    errors = dict(errors or {})
    dates: list[PlannedDate] = []
    if until:
        try:
            dates = _planned(found, day(until))
        except DomainError as refusal:
            errors["until"] = str(refusal)
    today = today_of(found)
    sessions = series_service.next_sessions(g.db, found.id, now=g.now, limit=SHOWN)
    empty = [TypedBreak()] * max(0, BREAK_ROWS - len(typed_breaks))
    return render_template(
        "manage/series_show.html",
        series=found,
        rules=[
            RuleLine(
                rhythm(row.of_series(found.zone)),
                row.last_day is not None and row.last_day < today,
            )
            for row in series_service.rows_of(found)
        ],
        until=until or end_of_season(found).isoformat(),
        dates=dates,
        hours=hours_of(dates, found.reader_zones),
        new=sum(date_.is_new for date_ in dates),
        errors=errors,
        breaks=series_breaks.of_series(found),
        typed_breaks=[*typed_breaks, *empty],
        sessions=[(session, mark_of(session)) for session in sessions],
    )


def hours_of(dates: list[PlannedDate], reader_zones: list[str] | tuple[str, ...]) -> list[str]:
    """What the hour of the first date is for readers elsewhere: "12:15 in New York"."""
    return reader_hours(dates[0].planned, reader_zones) if dates else []


def end_of_season(found: Series) -> date:
    """Seasons end with June, unless that is near."""
    today = today_of(found)
    start = max(min((rule.first_day for rule in found.rules), default=today), today)
    june = date(start.year + (1 if start.month > 6 else 0), 6, 30)
    return june if (june - start).days > 60 else june.replace(year=june.year + 1)


def today_of(found: Series) -> date:
    """The day it is where the series takes place."""
    return to_local(g.now, found.zone).date()


def _planned(found: Series, last_day: date | None) -> list[PlannedDate]:
    if last_day is None:
        raise DomainError("Give the last day as a date: 2027-06-30.")
    return series_service.plan(
        g.db,
        found.id,
        until=last_day,
        calendar=calendar(),
        now=g.now,
        dry_run=True,
    )
