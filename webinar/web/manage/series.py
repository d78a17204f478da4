"""Series: listed, created with a preview, planned, with days left out."""

from dataclasses import dataclass
from datetime import date, timedelta

from flask import current_app, flash, g, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user

from webinar.domain.access import Action
from webinar.domain.errors import DomainError
from webinar.domain.series import RuleRow, describe
from webinar.domain.timezone import to_local, zone_names
from webinar.domain.wording import plural
from webinar.models import Series
from webinar.services import season, series_breaks, societies
from webinar.services import series as series_service
from webinar.services.series import SeriesWords
from webinar.services.series_preview import PlannedDate, preview
from webinar.services.societies import NameMissing, SlugTaken
from webinar.tools import calendar_tool
from webinar.web.access import requires
from webinar.web.manage.blueprint import bp
from webinar.web.manage.series_form import (
    PATTERN_CHOICES,
    WEEKDAY_CHOICES,
    Typed,
    Values,
    day,
    field_of,
    read,
)
from webinar.web.manage.states import mark_of

PREVIEWED = 12
ANOTHER = "new"
SEASON_DAYS = 240


@dataclass(frozen=True)
class Row:
    """A series with its rule in words, and what is planned of it."""

    series: Series
    words: str
    ahead: int


@bp.get("/series/")
@requires(Action.PLAN_SESSIONS)
def series() -> ResponseReturnValue:
    """Every series."""
    rows = [
        Row(
            found,
            "; ".join(series_service.rhythms_of(found, today=_today(found))),
            len(season.listed(g.db, series_id=found.id, starting=g.now)),
        )
        for found in series_service.listed(g.db)
    ]
    return render_template("manage/series.html", rows=rows)


@bp.get("/series/new")
@requires(Action.PLAN_SESSIONS)
def series_new() -> ResponseReturnValue:
    """The empty form, with the usual values."""
    today = to_local(g.now, g.home_zone).date()
    found = societies.listed(g.db)
    typed = Typed(
        zone=g.home_zone,
        first_day=today.isoformat(),
        society=found[0].slug if found else ANOTHER,
        society_name="" if found else current_app.config["SITE_NAME"],
    )
    return _form(typed, {})


@bp.post("/series/new")
@requires(Action.PLAN_SESSIONS)
def series_create() -> ResponseReturnValue:
    """Show the next dates, or create the series."""
    typed = Typed.from_form(request.form)
    values, errors = read(typed)
    if request.form.get("do") == "preview":
        return _form(typed, errors)
    slug = typed.slug or societies.slug_for(typed.name)
    if not typed.name:
        errors = {"name": "Give the series a name.", **errors}
    if typed.society == ANOTHER and not societies.slug_for(typed.society_name):
        errors = {**errors, "society_name": _nameless(typed.society_name)}
    if values is None or errors:
        return _form(typed, errors), 422
    try:
        society_id = _society_id(typed)
    except (SlugTaken, NameMissing) as refusal:
        g.db.rollback()
        return _form(typed, {"society_name": str(refusal)}), refusal.status
    except DomainError as refusal:
        return _form(typed, {"society": str(refusal)}), refusal.status
    try:
        made = series_service.create(
            g.db,
            slug=slug,
            society_id=society_id,
            words=SeriesWords(typed.name, typed.about, values.recording_months),
            rules=[
                RuleRow(
                    values.rule.rule,
                    values.rule.local_start,
                    values.rule.duration_minutes,
                    values.first_day,
                )
            ],
            zone=typed.zone,
            actor_id=current_user.id,
            now=g.now,
        )
    except DomainError as refusal:
        g.db.rollback()
        return _form(typed, {field_of(refusal): str(refusal)}), refusal.status
    g.db.commit()
    flash(f"{made.name} is created. Now plan its dates.", "success")
    until = max(values.first_day, g.now.date()) + timedelta(days=SEASON_DAYS)
    return redirect(url_for("manage.series_show", slug=made.slug, until=until.isoformat()))


@bp.get("/series/<slug>")
@requires(Action.PLAN_SESSIONS)
def series_show(slug: str) -> ResponseReturnValue:
    """One series; with `until` in the address, what planning up to that day would make."""
    return _show(series_service.by_slug(g.db, slug), until=request.args.get("until", ""))


@bp.post("/series/<slug>/plan")
@requires(Action.PLAN_SESSIONS)
def series_plan(slug: str) -> ResponseReturnValue:
    """Make the drafts that were shown."""
    found = series_service.by_slug(g.db, slug)
    until = day(request.form.get("until", ""))
    if until is None:
        return _show(found, until=request.form.get("until", "")), 422
    dates = series_service.plan(
        g.db,
        found.id,
        until=until,
        calendar=calendar_tool(current_app.extensions["config"]),
        now=g.now,
        actor_id=current_user.id,
    )
    g.db.commit()
    new = sum(date_.is_new for date_ in dates)
    flash(f"{plural(new, 'draft')} planned. Nobody sees a draft until you publish it.", "success")
    return redirect(url_for("manage.sessions", series=slug, status="draft"))


@bp.post("/series/<slug>/exceptions")
@requires(Action.PLAN_SESSIONS)
def series_except(slug: str) -> ResponseReturnValue:
    """Leave a day out."""
    found = series_service.by_slug(g.db, slug)
    typed_day, reason = request.form.get("day", ""), request.form.get("reason", "")
    left_out = day(typed_day)
    errors = {}
    if left_out is None:
        errors["day"] = "Give the day as a date: 2026-12-24."
    if not reason.strip():
        errors["reason"] = "Say why the series does not meet on that day."
    if left_out is None or errors:
        return _show(found, errors=errors, typed_day=typed_day, reason=reason), 422
    try:
        series_breaks.add(
            g.db, found.id, left_out, reason=reason, actor_id=current_user.id, now=g.now
        )
    except DomainError as refusal:
        g.db.rollback()
        errors = {"day": str(refusal)}
        return _show(found, errors=errors, typed_day=typed_day, reason=reason), refusal.status
    g.db.commit()
    flash("That day is left out from now on.", "success")
    return redirect(url_for("manage.series_show", slug=slug))


def _nameless(name: str) -> str:
    if not name:
        return "Give the name of the other society."
    return "Write the name with some Latin letters: its short name in addresses is made of them."


def _society_id(typed: Typed) -> int:
    if typed.society != ANOTHER:
        return societies.by_slug(g.db, typed.society).id
    made = societies.create(
        g.db,
        slug=societies.slug_for(typed.society_name),
        name=typed.society_name,
        actor_id=current_user.id,
        now=g.now,
    )
    return made.id


def _form(typed: Typed, errors: dict[str, str]) -> str:
    values, wrong = read(typed)
    dates: list[PlannedDate] = []
    refused, words = "", ""
    if values is not None and not wrong:
        try:
            words = describe(values.rule)
            dates = _next_dates(values)
        except DomainError as refusal:
            refused = str(refusal)
    offered = [(society.slug, society.name) for society in societies.listed(g.db)]
    return render_template(
        "manage/series_new.html",
        typed=typed,
        errors=errors,
        dates=dates,
        words=words,
        refused=refused,
        societies=[*offered, (ANOTHER, "Another society")],
        patterns=PATTERN_CHOICES,
        weekdays=WEEKDAY_CHOICES,
        zones=[(name, name.replace("_", " ")) for name in zone_names()],
    )


def _next_dates(values: Values) -> list[PlannedDate]:
    series_service.ensure_plannable([values.rule])
    until = values.first_day + timedelta(days=series_service.LOOK_AHEAD_DAYS)
    return preview(g.db, [values.rule], first_day=values.first_day, until=until)[:PREVIEWED]


def _show(
    found: Series,
    *,
    until: str = "",
    errors: dict[str, str] | None = None,
    typed_day: str = "",
    reason: str = "",
) -> str:
    errors = dict(errors or {})
    dates: list[PlannedDate] = []
    if until:
        last_day = day(until)
        try:
            dates = _planned(found, last_day)
        except DomainError as refusal:
            errors["until"] = str(refusal)
    sessions = season.listed(g.db, series_id=found.id, starting=g.now, limit=PREVIEWED)
    return render_template(
        "manage/series_show.html",
        series=found,
        words="; ".join(series_service.rhythms_of(found, today=_today(found))),
        until=until or _end_of_season(found).isoformat(),
        dates=dates,
        new=sum(date_.is_new for date_ in dates),
        errors=errors,
        typed_day=typed_day,
        reason=reason,
        exceptions=sorted(found.exceptions, key=lambda exception: exception.day),
        sessions=[(session, mark_of(session)) for session in sessions],
    )


def _planned(found: Series, last_day: date | None) -> list[PlannedDate]:
    if last_day is None:
        raise DomainError("Give the last day as a date: 2027-06-30.")
    return series_service.plan(
        g.db,
        found.id,
        until=last_day,
        calendar=calendar_tool(current_app.extensions["config"]),
        now=g.now,
        dry_run=True,
    )


def _end_of_season(found: Series) -> date:
    """Seasons end with June, unless that is near."""
    start = max(min(rule.first_day for rule in found.rules), _today(found))
    june = _thirtieth_of_june(start)
    return june if (june - start).days > 60 else june.replace(year=june.year + 1)


def _today(found: Series) -> date:
    return to_local(g.now, found.zone).date()


def _thirtieth_of_june(start: date) -> date:
    """30 June of the year in which the season that runs on this day ends."""
    return date(start.year + (1 if start.month > 6 else 0), 6, 30)
