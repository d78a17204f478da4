"""The organiser's first page: what needs me today, the season in numbers and as a picture."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from flask import g, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user

from webinar.domain.access import Action, may
from webinar.domain.attendance import ViewingMode
from webinar.domain.session import SessionStatus
from webinar.domain.timezone import to_local
from webinar.domain.waiting import Wait, waits
from webinar.domain.wording import month_year
from webinar.services import credit_desk, dashboard, planner
from webinar.services.credit_desk import Wanted
from webinar.services.dashboard import Beginnings
from webinar.services.planner import Season
from webinar.services.season_numbers import SeasonNumbers, season_numbers
from webinar.web.access import requires
from webinar.web.manage.bars import Bar, country_bars
from webinar.web.manage.blueprint import bp
from webinar.web.manage.scope import society_ids
from webinar.web.manage.season_picture import (
    DAYS,
    WEEKS_SHOWN,
    first_monday,
    instants_of,
    monday_of,
    season_of,
    season_picture,
    weeks_picture,
)
from webinar.web.manage.waits import groups_of

WEEK = timedelta(days=DAYS)
DEADLINES_WITHIN = timedelta(weeks=12)


@dataclass(frozen=True)
class Task:
    """One of the first things a new organisation does."""

    done: bool
    title: str
    words: str
    step: str
    href: str


@dataclass(frozen=True)
class Figure:
    """A number with its name; `key` names it for those who check it."""

    key: str
    value: int
    label: str


@bp.get("/")
@requires(Action.ACCREDIT_SESSIONS)
def index() -> ResponseReturnValue:
    """What waits, then the season; an accreditation officer begins at the credit desk."""
    if not may(current_user.roles, Action.PLAN_SESSIONS):
        return redirect(url_for("manage.credit_desk"))
    ids = society_ids(Action.PLAN_SESSIONS)
    zone, now = g.home_zone, g.now
    asked = _day_asked_for()
    as_season = request.args.get("view") == "season"
    season = season_of(asked or to_local(now, zone).date())
    monday = monday_of(asked) if asked else first_monday(now, zone)
    drawn = season if as_season else (monday, monday + WEEK * WEEKS_SHOWN)
    # The numbers are of a whole season, whatever is drawn; its weeks reach over its ends.
    reach = min(drawn[0], season[0]) - WEEK, max(drawn[1], season[1]) + WEEK
    sessions = dashboard.sessions_between(
        g.db, *instants_of(*reach, zone), society_ids=ids, now=now
    )
    breaks = dashboard.breaks_between(g.db, *reach, society_ids=ids)
    waiting = waits(sessions, now=now)
    numbers = season_numbers(
        g.db, sessions, *instants_of(*season, zone), zone=zone, society_ids=ids
    )
    draw = season_picture if as_season else weeks_picture
    deadlines = _deadlines(planner.seasons(g.db, society_ids=ids, now=now), now=now)
    desk = _at_the_desk(now)
    has_begun = any(session.status is not SessionStatus.DRAFT for session in sessions)
    return render_template(
        "manage/index.html",
        groups=groups_of(waiting),
        is_quiet=not (set(waiting) - {Wait.CREDIT} or deadlines or desk),
        desk=desk,
        deadlines=deadlines,
        tasks=[] if has_begun else _tasks(dashboard.beginnings(g.db, society_ids=ids)),
        as_season=as_season,
        picture=draw(sessions, breaks, drawn[0], zone=zone, now=now),
        season=f"{month_year(season[0])} to {month_year(season[1] - timedelta(days=1))}",
        figures=_figures(numbers),
        session_bars=[
            Bar(month_year(month.first), month.sessions, f"sessions {month.first:%Y-%m}")
            for month in numbers.months
        ],
        place_bars=[
            Bar(month_year(month.first), month.registrations, f"places {month.first:%Y-%m}")
            for month in numbers.months
        ],
        country_bars=country_bars(numbers.countries),
    )


def _at_the_desk(now: datetime) -> int:
    """Sessions that wait for an officer at the credit desk; 0 for who is none."""
    if not may(current_user.roles, Action.DECIDE_CREDIT):
        return 0
    ids = society_ids(Action.DECIDE_CREDIT)
    return credit_desk.count_sessions(g.db, society_ids=ids, now=now)[Wanted.TO_DO]


def _deadlines(seasons: Sequence[Season], *, now: datetime) -> list[Season]:
    """Those with something to apply for within twelve weeks, or too late already."""
    found = []
    for season in seasons:
        deadline = season.plan.next_deadline
        today = to_local(now, season.series.zone).date()
        if deadline is not None and deadline.day < today + DEADLINES_WITHIN:
            found.append(season)
    return found


def _day_asked_for() -> date | None:
    """The day asked for in the address, if it is a sensible one."""
    try:
        asked = date.fromisoformat(request.args.get("from", ""))
    except ValueError:
        return None
    return asked if 2000 <= asked.year <= 2100 else None


def _figures(numbers: SeasonNumbers) -> list[Figure]:
    states = numbers.by_status
    countries = sum(1 for code, _ in numbers.countries if code)
    return [
        Figure("sessions", numbers.sessions, "sessions planned"),
        Figure("held", states.get(SessionStatus.ENDED, 0), "held"),
        Figure("published", states.get(SessionStatus.PUBLISHED, 0), "published, to come"),
        Figure("drafts", states.get(SessionStatus.DRAFT, 0), "drafts"),
        Figure("cancelled", states.get(SessionStatus.CANCELLED, 0), "cancelled"),
        Figure("registrations", numbers.registrations, "places taken"),
        Figure("people", numbers.people, "people"),
        Figure("countries", countries, "countries"),
        Figure("attended live", numbers.attended.get(ViewingMode.LIVE, 0), "attended live"),
        Figure(
            "attended recorded",
            numbers.attended.get(ViewingMode.RECORDED, 0),
            "watched the recording",
        ),
    ]


def _tasks(begun: Beginnings) -> list[Task]:
    series = url_for("manage.series")
    return [
        Task(
            begun.society,
            "Name your society",
            "The body that offers the sessions; others can lend their auspices later.",
            "Add your society",
            url_for("manage.society_new"),
        ),
        Task(
            begun.series,
            "Say when you meet",
            "A series is a recurring programme, such as every Thursday at 18:15.",
            "Create a series",
            url_for("manage.series_new"),
        ),
        Task(
            begun.planned,
            "Plan its dates",
            "Look at the dates of the season, leave out the holidays, and plan them into drafts.",
            "Plan the series",
            series,
        ),
        Task(
            begun.filled,
            "Fill a draft",
            "Title, abstract, what people take home, and who speaks.",
            "Choose a draft",
            url_for("manage.sessions", status="draft"),
        ),
        Task(
            begun.published,
            "Publish it",
            "It then stands in the schedule and in calendars, and people can register.",
            "Choose a draft",
            url_for("manage.sessions", status="draft"),
        ),
    ]
