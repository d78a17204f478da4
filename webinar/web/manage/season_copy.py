"""Last season once more: the address says which; what it would make is shown before it is made."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import date, timedelta

from flask import flash, g, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user
from sqlalchemy import func, select

from webinar.domain.access import Action
from webinar.domain.errors import DomainError
from webinar.domain.timezone import to_local
from webinar.domain.wording import plural
from webinar.models import Series, WebinarSession
from webinar.services import season_copy
from webinar.services import series as series_service
from webinar.services.season_copy import Keep, Span
from webinar.web.access import requires
from webinar.web.manage import scope
from webinar.web.manage.blueprint import bp
from webinar.web.manage.calendars import calendar
from webinar.web.manage.series_form import day

# No short name of a series can be this.
EVERY_SERIES = "*"
# 52 weeks: a Thursday stays a Thursday.
YEAR = timedelta(weeks=52)


@dataclass(frozen=True)
class Typed:
    """What stands in the form, as text."""

    series: str = EVERY_SERIES
    old_from: str = ""
    old_to: str = ""
    new_from: str = ""
    titles: str = ""
    topics: str = ""
    faculty: str = ""

    @classmethod
    def of(cls, values: Mapping[str, str]) -> "Typed":
        """What was sent."""
        return cls(**{name: values.get(name, old).strip() for name, old in asdict(cls()).items()})

    @property
    def keep(self) -> Keep:
        """What comes along."""
        return Keep(bool(self.titles), bool(self.topics), bool(self.faculty))


@bp.get("/copy")
@requires(Action.PLAN_SESSIONS)
def season_copy_page() -> ResponseReturnValue:
    """Which season and what of it; with `show`, the dates that would be made."""
    mine = series_service.listed(g.db, society_ids=scope.society_ids())
    if "show" not in request.args:
        is_back = "old_from" in request.args
        usual = _usual(request.args.get("series", EVERY_SERIES), mine)
        return _page(Typed.of(request.args) if is_back else usual, mine)
    typed = Typed.of(request.args)
    span, errors = _span(typed)
    chosen = _chosen(typed, mine)
    if not chosen:
        errors["series"] = "Choose a series from the list."
    if span is None or errors:
        return _page(typed, mine, errors), 422
    try:
        found = season_copy.outlook(g.db, chosen, span)
    except DomainError as refusal:
        return _page(typed, mine, {"new_from": str(refusal)}), 422
    return render_template(
        "manage/season_copy_check.html",
        typed=typed,
        span=span,
        keep=typed.keep,
        found=[one for one in found if one.dates or one.left or one.note],
        usual=sum(date_.is_usual for one in found for date_ in one.dates),
        fields=asdict(typed),
        back=url_for("manage.season_copy_page", **asdict(typed)),
    )


@bp.post("/copy")
@requires(Action.PLAN_SESSIONS)
def season_copy_make() -> ResponseReturnValue:
    """Make the dates that are ticked."""
    typed = Typed.of(request.form)
    mine = series_service.listed(g.db, society_ids=scope.society_ids())
    span, errors = _span(typed)
    if span is None:
        return _page(typed, mine, errors), 422
    try:
        copied = season_copy.copy(
            g.db,
            _chosen(typed, mine),
            span,
            typed.keep,
            chosen=_ticked(request.form.getlist("date")),
            actor_id=current_user.id,
            calendar=calendar(),
            now=g.now,
        )
    except DomainError as refusal:
        g.db.rollback()
        return _page(typed, mine, {"new_from": str(refusal)}), refusal.status
    if not copied.made:
        g.db.rollback()
        flash("Nothing was made: no date was chosen, or every one has a session already.")
        return redirect(url_for("manage.season_copy_page", **asdict(typed), show="y"))
    g.db.commit()
    flash(
        f"Made {plural(copied.made, 'draft')} for the new season. "
        "Organisers alone see them until you publish them.",
        "success",
    )
    only = typed.series if typed.series != EVERY_SERIES else None
    return redirect(url_for("manage.sessions", when="all", series=only))


def _page(typed: Typed, mine: Sequence[Series], errors: Mapping[str, str] | None = None) -> str:
    return render_template(
        "manage/season_copy.html",
        typed=typed,
        series=[(EVERY_SERIES, "Every series"), *((one.slug, one.name) for one in mine)],
        errors=errors or {},
    )


def _usual(slug: str, mine: Sequence[Series]) -> Typed:
    """The year up to the last session there is, and the same days of the week in the next."""
    ids = [one.id for one in mine if slug in (EVERY_SERIES, one.slug)]
    last = g.db.scalar(
        select(func.max(WebinarSession.starts_at)).where(WebinarSession.series_id.in_(ids))
    )
    old_to = to_local(last or g.now, g.home_zone).date()
    old_from = old_to - YEAR + timedelta(days=1)
    return Typed(
        series=slug,
        old_from=old_from.isoformat(),
        old_to=old_to.isoformat(),
        new_from=(old_from + YEAR).isoformat(),
        topics="y",
    )


def _span(typed: Typed) -> tuple[Span | None, dict[str, str]]:
    days = {name: day(asdict(typed)[name]) for name in ("old_from", "old_to", "new_from")}
    errors = {
        name: "Give the day as a date: 2026-11-26." for name, found in days.items() if not found
    }
    first, last, new = days["old_from"], days["old_to"], days["new_from"]
    if first is None or last is None or new is None:
        return None, errors
    return Span(first, last, new), errors


def _chosen(typed: Typed, mine: Sequence[Series]) -> list[Series]:
    return [one for one in mine if typed.series in (EVERY_SERIES, one.slug)]


def _ticked(values: Sequence[str]) -> set[tuple[int, date]]:
    """Series and day of each date that is ticked; what is neither was not sent by our page."""
    ticked = set()
    for value in values:
        number, _, text = value.partition(" ")
        found = day(text)
        if number.isascii() and number.isdigit() and found is not None:
            ticked.add((int(number), found))
    return ticked
