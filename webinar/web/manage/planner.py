"""The season planner: which body wants what until when, and what happened, said once for many."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from flask import flash, g, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user

from webinar.domain.access import Action
from webinar.domain.attendance import ViewingMode
from webinar.domain.credit import GrantStatus
from webinar.domain.errors import DomainError
from webinar.domain.planner import Line, Standing
from webinar.models import AccreditationGrant, Accreditor, Series
from webinar.services import accreditation_seasons as applications
from webinar.services import accreditors, planner, series
from webinar.services.accreditation import (
    ImpossibleApplicationDay,
    ImpossibleDecisionDay,
    ReferenceTooLong,
)
from webinar.services.accreditation_seasons import EarnsNothing, Happened, NothingChosen
from webinar.services.planner import Season
from webinar.services.policy_versions import Rule, rules_offered
from webinar.web.access import requires
from webinar.web.manage.blueprint import bp
from webinar.web.manage.calendars import calendar
from webinar.web.manage.grant_form import STATES
from webinar.web.manage.scope import society_ids
from webinar.web.manage.series_form import day
from webinar.web.manage.states import Mark

STANDINGS = {
    Standing.TOO_LATE: Mark("cancelled", "Overdue"),
    Standing.LATE_FEE: Mark("closing", "Late fee"),
    Standing.DUE: Mark("opens", "To apply for"),
    Standing.NO_DEADLINE: Mark("draft", "No deadline known"),
    Standing.DONE: Mark("credit", "All applied for"),
}
MARKS = {
    GrantStatus.NONE: Mark("draft", "Not applied for"),
    GrantStatus.APPLIED: Mark("opens", "Applied for"),
    GrantStatus.GRANTED: Mark("credit", "Granted"),
    GrantStatus.REFUSED: Mark("cancelled", "Refused"),
    GrantStatus.WITHDRAWN: Mark("closed", "Withdrawn"),
}
HAPPENED = [
    (GrantStatus.APPLIED, "We have applied"),
    (GrantStatus.GRANTED, "The body has granted it"),
    (GrantStatus.REFUSED, "The body has refused it"),
]
FIELD_OF: dict[type[DomainError], str] = {
    EarnsNothing: "sessions",
    ImpossibleApplicationDay: "on",
    ImpossibleDecisionDay: "on",
    NothingChosen: "sessions",
    ReferenceTooLong: "reference",
}


@dataclass(frozen=True)
class Row:
    """A session of the season with its mark, its grant if there is one, and if it is ticked."""

    line: Line
    mark: Mark
    grant: AccreditationGrant | None
    ticked: bool


@dataclass(frozen=True)
class Typed:
    """What stands in the form of what happened."""

    status: str = GrantStatus.APPLIED.value
    on: str = ""
    reference: str = ""
    rule: str = ""
    sessions: Sequence[str] | None = None


@bp.get("/planner/")
@requires(Action.ACCREDIT_SESSIONS)
def planner_index() -> ResponseReturnValue:
    """Every series with every body it ever asked, most urgent first; or one that is chosen."""
    chosen, asked = request.args.get("series", ""), request.args.get("body", "")
    if chosen and asked:
        found = series.by_slug(g.db, chosen)
        return redirect(url_for("manage.planner_show", slug=found.slug, body=asked))
    ids = society_ids()
    seasons = planner.seasons(g.db, society_ids=ids, now=g.now)
    offered = [one for one in series.listed(g.db) if ids is None or one.society_id in ids]
    return render_template(
        "manage/planner_index.html",
        rows=[(season, STANDINGS[season.plan.standing]) for season in seasons],
        series=[(one.slug, one.name) for one in offered],
        bodies=[(body.slug, body.name) for body in accreditors.listed(g.db)],
    )


@bp.get("/series/<slug>/planner/<body>")
@requires(Action.ACCREDIT_SESSIONS)
def planner_show(slug: str, body: str) -> ResponseReturnValue:
    """The sessions of a series under one body's terms."""
    return _show(series.by_slug(g.db, slug), accreditors.by_slug(g.db, body), Typed(), {})


@bp.post("/series/<slug>/planner/<body>")
@requires(Action.ACCREDIT_SESSIONS)
def planner_record(slug: str, body: str) -> ResponseReturnValue:
    """Say of the ticked sessions that the body was asked, or what it decided."""
    typed = Typed(
        status=request.form.get("status", ""),
        on=request.form.get("on", "").strip(),
        reference=request.form.get("reference", "").strip(),
        rule=request.form.get("rule", ""),
        sessions=request.form.getlist("session"),
    )
    found, accreditor = series.by_slug(g.db, slug), accreditors.by_slug(g.db, body)
    rule = next((one for one in _rules(accreditor) if one.key == typed.rule), None)
    status = next((one for one, _ in HAPPENED if one.value == typed.status), None)
    on = day(typed.on) if typed.on else None
    errors: dict[str, str] = {}
    if typed.on and on is None:
        errors["on"] = "Give the day as a date: 2026-09-03."
    if status is None:
        errors["status"] = "Say what happened."
    if rule is None:
        errors["rule"] = "Choose the rule that credit is decided by."
    if status is None or rule is None or errors:
        return _show(found, accreditor, typed, errors), 422
    try:
        changed = applications.record(
            g.db,
            found.id,
            typed.sessions or [],
            body=accreditor,
            rule=rule,
            happened=Happened(status=status, on=on, reference=typed.reference),
            actor_id=current_user.id,
            calendar=calendar(),
            now=g.now,
        )
    except DomainError as refusal:
        g.db.rollback()
        found, accreditor = series.by_slug(g.db, slug), accreditors.by_slug(g.db, body)
        wrong = {FIELD_OF.get(type(refusal), ""): str(refusal)}
        return _show(found, accreditor, typed, wrong), refusal.status
    g.db.commit()
    words = STATES[status].lower()
    flash(
        f"{accreditor.short_name}: {words} for {changed} of the sessions.",
        "success",
    )
    return redirect(url_for("manage.planner_show", slug=slug, body=body))


def _rules(body: Accreditor) -> list[Rule]:
    """The approved live rules, those written for the body first."""
    bodies = accreditors.listed(g.db)
    live = [rule for rule in rules_offered(g.db) if rule.rules.mode is ViewingMode.LIVE]
    return sorted(live, key=lambda rule: accreditors.body_of(rule, bodies) is not body)


def _show(found: Series, body: Accreditor, typed: Typed, errors: Mapping[str, str]) -> str:
    from_typed = request.args.get("from", "").strip()
    from_day = day(from_typed) if from_typed else None
    season = planner.season_of(g.db, found, body, from_day=from_day, now=g.now)
    plan = season.plan
    rules = _rules(body)
    return render_template(
        "manage/planner.html",
        series=found,
        body=body,
        plan=plan,
        mark=STANDINGS[plan.standing],
        counts=[(MARKS[state].words, plan.count(state)) for state in MARKS if plan.count(state)],
        rows=[_row(season, line, typed) for line in plan.lines],
        typed=typed,
        from_typed=from_typed,
        errors=errors,
        happened=[(status.value, words) for status, words in HAPPENED],
        rules=[(rule.key, f"{rule.rules.body}, version {rule.policy.version}") for rule in rules],
    )


def _row(season: Season, line: Line, typed: Typed) -> Row:
    key = line.session.key
    usual = line.session.is_open and not line.faults
    return Row(
        line,
        MARKS[line.session.status],
        season.grants.get(key),
        usual if typed.sessions is None else key in typed.sessions,
    )
