"""Creating a series, with its next dates shown while it is typed, and editing what it says."""

from dataclasses import replace
from datetime import timedelta

from flask import current_app, flash, g, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user

from webinar.domain.access import Action
from webinar.domain.errors import DomainError, NotAllowed
from webinar.domain.series import NoDates, rhythm
from webinar.domain.timezone import to_local, zone_names
from webinar.models import Series
from webinar.services import holidays, societies
from webinar.services import series as series_service
from webinar.services.series import LOOK_AHEAD_DAYS, SeriesWords
from webinar.services.series_preview import PlannedDate, preview
from webinar.services.societies import NameMissing, SlugTaken
from webinar.web.access import requires
from webinar.web.manage import scope
from webinar.web.manage.blueprint import bp
from webinar.web.manage.series import end_of_season, hours_of
from webinar.web.manage.series_form import Typed, Values, field_of, read_rules, read_words
from webinar.web.manage.series_rule_form import (
    ENDS_CHOICES,
    PATTERN_CHOICES,
    WEEKDAY_CHOICES,
    TypedRule,
)

PREVIEWED = 12
ANOTHER = "new"


@bp.get("/series/new")
@requires(Action.PLAN_SESSIONS)
def series_new() -> ResponseReturnValue:
    """The empty form, with the usual values."""
    today = to_local(g.now, g.home_zone).date()
    found = scope.societies_offered()
    typed = Typed(
        zone=g.home_zone,
        society=found[0].slug if found else ANOTHER,
        society_name="" if found else current_app.config["SITE_NAME"],
        rules=(TypedRule(first_day=today.isoformat()),),
    )
    return _new_page(typed, {})


@bp.post("/series/new")
@requires(Action.PLAN_SESSIONS)
def series_create() -> ResponseReturnValue:
    """Show the next dates, take another rule, or create the series."""
    typed = Typed.from_form(request.form)
    do = request.form.get("do", "create")
    if do == "add-rule":
        return _new_page(typed.with_another_rule(to_local(g.now, g.home_zone).date()), {})
    values, errors = read_rules(typed)
    words, wrong = read_words(typed)
    if do == "preview":
        return _new_page(typed, errors)
    errors = {**wrong, **errors}
    if typed.society == ANOTHER and not societies.slug_for(typed.society_name):
        errors = {**errors, "society_name": _nameless(typed.society_name)}
    if values is None or words is None or errors:
        return _new_page(typed, errors), 422
    try:
        society_id = _society_id(typed)
    except (SlugTaken, NameMissing) as refusal:
        g.db.rollback()
        return _new_page(typed, {"society_name": str(refusal)}), refusal.status
    except DomainError as refusal:
        return _new_page(typed, {"society": str(refusal)}), refusal.status
    try:
        made = series_service.create(
            g.db,
            slug=typed.slug or societies.slug_for(typed.name),
            society_id=society_id,
            words=words,
            rules=values.rules,
            zone=typed.zone,
            actor_id=current_user.id,
            now=g.now,
        )
    except DomainError as refusal:
        g.db.rollback()
        return _new_page(typed, {field_of(refusal): str(refusal)}), refusal.status
    g.db.commit()
    flash(f"{made.name} is created. Now add its breaks and plan its dates.", "success")
    until = end_of_season(made).isoformat()
    return redirect(url_for("manage.series_show", slug=made.slug, until=until))


@bp.get("/series/<slug>/edit")
@requires(Action.PLAN_SESSIONS)
def series_edit(slug: str) -> ResponseReturnValue:
    """What the series says, to be changed."""
    found = series_service.by_slug(g.db, slug)
    return _edit_page(found, Typed.of_series(found), {})


@bp.post("/series/<slug>/edit")
@requires(Action.PLAN_SESSIONS)
def series_save(slug: str) -> ResponseReturnValue:
    """Let the series say what was typed."""
    found = series_service.by_slug(g.db, slug)
    typed = Typed.from_form(request.form)
    words, errors = read_words(typed)
    if words is None:
        return _edit_page(found, typed, errors), 422
    try:
        series_service.edit(g.db, found.id, words, actor_id=current_user.id, now=g.now)
    except DomainError as refusal:
        g.db.rollback()
        return _edit_page(found, typed, {field_of(refusal): str(refusal)}), refusal.status
    g.db.commit()
    flash("Saved.", "success")
    return redirect(url_for("manage.series_show", slug=slug))


def choices() -> dict[str, list[tuple[str, str]]]:
    """What the fields of rules, zones and countries offer."""
    return {
        "patterns": PATTERN_CHOICES,
        "weekdays": WEEKDAY_CHOICES,
        "ends": ENDS_CHOICES,
        "zones": [(name, name.replace("_", " ")) for name in zone_names()],
        "countries": list(holidays.countries().items()),
    }


def _edit_page(found: Series, typed: Typed, errors: dict[str, str]) -> str:
    return render_template(
        "manage/series_edit.html", series=found, typed=typed, errors=errors, **choices()
    )


def _new_page(typed: Typed, errors: dict[str, str]) -> str:
    values, wrong = read_rules(typed)
    # The name may still be missing while the dates are looked at.
    words, _ = read_words(replace(typed, name="-", months="6"))
    looking_at = words or SeriesWords("-")
    dates: list[PlannedDate] = []
    refused, rhythms = next(iter(wrong.values()), ""), []
    if values is not None:
        rhythms = [rhythm(row.of_series(values.zone)) for row in values.rules]
        try:
            dates = _next_dates(values, looking_at)
        except DomainError as refusal:
            refused = str(refusal)
    offered = [(society.slug, society.name) for society in scope.societies_offered()]
    if _may_create_societies():
        offered.append((ANOTHER, "Another society"))
    return render_template(
        "manage/series_new.html",
        typed=typed,
        errors=errors,
        dates=dates,
        hours=hours_of(dates, looking_at.reader_zones),
        rhythms=rhythms,
        refused=refused,
        societies=offered,
        **choices(),
    )


def _next_dates(values: Values, words: SeriesWords) -> list[PlannedDate]:
    rules = [row.of_series(values.zone) for row in values.rules]
    dates = preview(
        g.db,
        rules,
        first_day=values.first_day,
        until=values.first_day + timedelta(days=LOOK_AHEAD_DAYS),
        reader_zones=words.reader_zones,
        holiday_countries=words.holiday_countries,
        societies=scope.society_ids(),
    )
    if not dates:
        raise NoDates("The rules name no date in the next year.")
    return dates[:PREVIEWED]


def _nameless(name: str) -> str:
    if not name:
        return "Give the name of the society."
    return "Write the name with some Latin letters: its short name in addresses is made of them."


def _society_id(typed: Typed) -> int:
    if typed.society != ANOTHER:
        found = societies.by_slug(g.db, typed.society)
        scope.ensure_society(found.id)
        return found.id
    if not _may_create_societies():
        raise NotAllowed("Your account may not create societies. Choose one from the list.")
    made = societies.create(
        g.db,
        slug=societies.slug_for(typed.society_name),
        name=typed.society_name,
        actor_id=current_user.id,
        now=g.now,
    )
    return made.id


def _may_create_societies() -> bool:
    return current_user.societies_where(Action.CREATE_SOCIETIES) is None
