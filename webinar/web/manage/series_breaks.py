"""The breaks of a series: added, several at once, also over untouched drafts; and removed."""

from dataclasses import dataclass
from datetime import date

from flask import flash, g, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user

from webinar.domain.access import Action
from webinar.domain.errors import DomainError, NotFound
from webinar.domain.wording import plural
from webinar.models import Series, WebinarSession
from webinar.services import season_changes, series_breaks
from webinar.services import series as series_service
from webinar.services.series_breaks import DraftsInTheWay
from webinar.services.series_drafts import Standing
from webinar.services.societies import NameMissing
from webinar.web.access import requires
from webinar.web.manage.blueprint import bp
from webinar.web.manage.series import BREAK_ROWS, TypedBreak, page_of
from webinar.web.manage.series_form import day


@dataclass(frozen=True)
class Wanted:
    """A break as it was understood, and its row in the form."""

    row: int
    first_day: date
    last_day: date
    reason: str


@bp.post("/series/<slug>/breaks")
@requires(Action.PLAN_SESSIONS)
def series_break(slug: str) -> ResponseReturnValue:
    """Leave days out; drafts that nobody has touched are asked about first."""
    found = series_service.by_slug(g.db, slug)
    typed = tuple(_typed(number) for number in range(BREAK_ROWS))
    wanted, errors = _read(typed)
    if errors:
        return page_of(found, errors=errors, typed_breaks=typed), 422
    discard = request.form.get("do") == "discard"
    change = season_changes.begin(
        g.db, actor_id=current_user.id, summary=f"{found.name}: breaks added.", now=g.now
    )
    days = 0
    for each in wanted:
        try:
            days += len(
                series_breaks.add(
                    g.db,
                    found.id,
                    each.first_day,
                    each.last_day,
                    reason=each.reason,
                    discard_drafts=discard,
                    change=change,
                    actor_id=current_user.id,
                    now=g.now,
                )
            )
        except DraftsInTheWay:
            g.db.rollback()
            return _asked(series_service.by_slug(g.db, slug), wanted)
        except DomainError as refusal:
            g.db.rollback()
            field = "reason" if isinstance(refusal, NameMissing) else "first_day"
            errors = {f"break-{each.row}-{field}": str(refusal)}
            return page_of(found, errors=errors, typed_breaks=typed), refusal.status
    g.db.commit()
    flash(f"{plural(days, 'day is', 'days are')} left out from now on.", "success")
    return redirect(url_for("manage.series_show", slug=slug))


@bp.post("/series/<slug>/breaks/remove")
@requires(Action.PLAN_SESSIONS)
def series_break_remove(slug: str) -> ResponseReturnValue:
    """Let the series meet on these days again."""
    found = series_service.by_slug(g.db, slug)
    first_day, last_day = (day(request.form.get(name, "")) for name in ("first_day", "last_day"))
    if first_day is None or last_day is None:
        raise NotFound("There is no such break. Look at the series again.")
    gone = series_breaks.remove(
        g.db, found.id, first_day, last_day, actor_id=current_user.id, now=g.now
    )
    g.db.commit()
    if gone:
        flash("The break is gone. Plan the dates of the series to fill its days.", "success")
    else:
        flash("That break was gone already.", "notice")
    return redirect(url_for("manage.series_show", slug=slug))


def _typed(number: int) -> TypedBreak:
    names = ("first_day", "last_day", "reason")
    return TypedBreak(*(request.form.get(f"break-{number}-{name}", "").strip() for name in names))


def _read(typed: tuple[TypedBreak, ...]) -> tuple[list[Wanted], dict[str, str]]:
    """The breaks, rows without anything left aside, or a sentence beside each wrong field."""
    wanted, errors = [], {}
    for number, each in enumerate(typed):
        if each == TypedBreak() and (number or any(other != each for other in typed)):
            continue
        first_day = day(each.first_day)
        last_day = day(each.last_day) if each.last_day else first_day
        if first_day is None:
            errors[f"break-{number}-first_day"] = "Give the day as a date: 2026-12-24."
        elif last_day is None:
            errors[f"break-{number}-last_day"] = "Give the day as a date: 2026-12-31."
        if not each.reason:
            errors[f"break-{number}-reason"] = "Say why the series does not meet then."
        if first_day is not None and last_day is not None:
            wanted.append(Wanted(number, first_day, last_day, each.reason))
    return wanted, errors


def _asked(found: Series, wanted: list[Wanted]) -> str:
    """What the breaks would discard and what they would leave alone, before they are made."""
    drafts: list[WebinarSession] = []
    kept: list[Standing] = []
    for each in wanted:
        met = series_breaks.outlook(g.db, found, each.first_day, each.last_day, now=g.now)
        drafts += met.drafts
        kept += met.kept
    return render_template(
        "manage/series_break.html", series=found, wanted=wanted, drafts=drafts, kept=kept
    )
