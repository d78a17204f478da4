"""Another rule from a day on: typed, looked at, and confirmed exactly as it was shown."""

import hashlib
from dataclasses import dataclass, replace
from datetime import date

from flask import flash, g, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user

from webinar.domain.access import Action
from webinar.domain.errors import DomainError
from webinar.domain.series import ImpossibleSpan, RuleRow, rhythm
from webinar.domain.wording import plural
from webinar.models import Series
from webinar.services import series as series_service
from webinar.services import series_changes, session_audience
from webinar.services.series_changes import RuleChange
from webinar.web.access import requires
from webinar.web.manage.blueprint import bp
from webinar.web.manage.calendars import calendar
from webinar.web.manage.series import end_of_season, today_of
from webinar.web.manage.series_edit import choices
from webinar.web.manage.series_form import Typed, read_rules, rules_from
from webinar.web.manage.series_rule_form import TypedRule, day


@dataclass(frozen=True)
class Asked:
    """The page as it was typed: the rules, from when, and as far as it is looked."""

    typed: Typed
    from_day: str
    until: str


@dataclass(frozen=True)
class Shown:
    """A change as it is shown, and the mark by which the same change is known again."""

    change: RuleChange
    rhythms: list[str]
    told: int
    new_hour: int
    mark: str


@bp.get("/series/<slug>/rule")
@requires(Action.PLAN_SESSIONS)
def series_change(slug: str) -> ResponseReturnValue:
    """The rules that hold, to be changed from a day on."""
    found = series_service.by_slug(g.db, slug)
    today = today_of(found)
    first = min((row.first_day for row in series_service.rows_of(found)), default=today)
    from_day = max(first, today)
    rules = tuple(
        TypedRule.of_row(row)
        for row in series_service.rows_of(found)
        if row.last_day is None or row.last_day >= from_day
    )
    asked = Asked(
        Typed(zone=found.zone, rules=rules or (TypedRule(first_day=from_day.isoformat()),)),
        from_day.isoformat(),
        end_of_season(found).isoformat(),
    )
    return _page(found, asked, {})


@bp.post("/series/<slug>/rule")
@requires(Action.PLAN_SESSIONS)
def series_change_apply(slug: str) -> ResponseReturnValue:
    """Show what would change, or change it if it is what was shown."""
    found = series_service.by_slug(g.db, slug)
    asked = Asked(
        Typed(zone=found.zone, rules=rules_from(request.form)),
        request.form.get("from_day", "").strip(),
        request.form.get("until", "").strip(),
    )
    do = request.form.get("do", "preview")
    if do == "add-rule":
        first_day = day(asked.from_day) or today_of(found)
        return _page(found, replace(asked, typed=asked.typed.with_another_rule(first_day)), {})
    rules, days, errors = _read(asked)
    if errors or days is None:
        return _page(found, asked, errors), 422
    try:
        shown = _look(found, rules, days)
    except DomainError as refusal:
        return _page(found, asked, {_field_of(refusal): str(refusal)}), refusal.status
    if do != "apply":
        return _page(found, asked, {}, shown)
    if shown.mark != request.form.get("seen", ""):
        flash("The season has changed since you looked. Look at the change again.", "warning")
        return _page(found, asked, {}, shown), 409
    done = series_changes.apply(
        g.db,
        found.id,
        rules,
        from_day=days[0],
        until=days[1],
        actor_id=current_user.id,
        calendar=calendar(),
        now=g.now,
    )
    g.db.commit()
    flash(_done(done, shown.told), "success")
    return redirect(url_for("manage.series_show", slug=slug))


def _read(asked: Asked) -> tuple[tuple[RuleRow, ...], tuple[date, date] | None, dict[str, str]]:
    values, errors = read_rules(asked.typed)
    from_day, until = day(asked.from_day), day(asked.until)
    if from_day is None:
        errors["from_day"] = "Give the day as a date: 2027-01-07."
    if until is None:
        errors["until"] = "Give the day as a date: 2027-06-30."
    if values is None or from_day is None or until is None:
        return (), None, errors
    return values.rules, (from_day, until), errors


def _look(found: Series, rules: tuple[RuleRow, ...], days: tuple[date, date]) -> Shown:
    change = series_changes.preview(
        g.db, found.id, rules, from_day=days[0], until=days[1], now=g.now
    )
    audience = session_audience.of_moves(g.db, change.announced_moves)
    return Shown(
        change=change,
        rhythms=[
            rhythm(row.of_series(found.zone))
            for row in change.rules
            if row.last_day is None or row.last_day >= days[0]
        ],
        told=audience.told,
        new_hour=audience.new_hour,
        mark=_mark(change),
    )


def _mark(change: RuleChange) -> str:
    """The same for the same change, another one as soon as any of it differs."""
    said = [
        *(f"rule {row}" for row in change.rules),
        *(f"added {date_.planned}" for date_ in change.added),
        *(f"moved {moved.session.id} {moved.planned} {moved.why}" for moved in change.moved),
        *(f"kept {kept.session.id} {kept.why}" for kept in change.kept),
        *(f"dropped {session.id}" for session in change.dropped),
    ]
    return hashlib.sha256("\n".join(said).encode()).hexdigest()


def _page(found: Series, asked: Asked, errors: dict[str, str], shown: Shown | None = None) -> str:
    return render_template(
        "manage/series_change.html",
        series=found,
        asked=asked,
        typed=asked.typed,
        errors=errors,
        shown=shown,
        **choices(),
    )


def _field_of(refusal: DomainError) -> str:
    return "from_day" if isinstance(refusal, ImpossibleSpan) else "rule-0-pattern"


def _done(change: RuleChange, told: int) -> str:
    said = [
        f"{plural(len(change.added), 'date')} added",
        f"{len(change.moved)} moved",
        f"{len(change.kept)} kept",
        f"{len(change.dropped)} dropped",
    ]
    people = f" {plural(told, 'person is', 'people are')} told by mail." if told else ""
    return f"The rule is changed: {', '.join(said)}.{people}"
