"""Series: created from rules, edited, planned into sessions."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from sqlalchemy import func, select
from sqlalchemy.orm import joinedload, selectinload

from webinar.db import DbSession
from webinar.domain.errors import DomainError, NotFound
from webinar.domain.series import (
    LONGEST_SPAN_DAYS,
    NoDates,
    RuleRow,
    SeriesRule,
    rhythm,
)
from webinar.domain.series import plan as planned_by
from webinar.domain.series_notes import USUAL_READER_ZONES, ensure_reader_zones
from webinar.domain.session import SessionStatus
from webinar.domain.session_details import UNTITLED
from webinar.models import PlanningRule, Series, Society, WebinarSession
from webinar.services import audit, holidays
from webinar.services.feeds import CalendarTool
from webinar.services.series_preview import LONG_TEXTS, PlannedDate, preview
from webinar.services.session_rows import new_public_id
from webinar.services.societies import SlugTaken, ensure_name, ensure_slug

LOOK_AHEAD_DAYS = 400
LONGEST_WINDOW_MONTHS = 60
MOST_RULES = 6


class ImpossibleWindow(DomainError):
    """Recordings cannot stay open that long, or that short."""


class TooManyRules(DomainError):
    """More rules than a series that people understand has."""


@dataclass(frozen=True)
class SeriesWords:
    """What a series says and looks at, but for when it meets."""

    name: str
    about: str = ""
    recording_months: int = 6
    holiday_countries: tuple[str, ...] = ()  # ISO 3166-1 alpha-2
    reader_zones: tuple[str, ...] = USUAL_READER_ZONES  # IANA, three at most


def by_slug(db: DbSession, slug: str) -> Series:
    """The series of this short name; raises NotFound."""
    series = db.scalar(select(Series).where(Series.slug == slug))
    if series is None:
        raise NotFound(f"There is no series called {slug!r}.")
    return series


def listed(db: DbSession, *, society_ids: Collection[int] | None = None) -> list[Series]:
    """Every series, by name, with its society and rules; of these societies only, unless None."""
    found = (
        select(Series)
        .options(joinedload(Series.society), selectinload(Series.rules))
        .order_by(Series.name, Series.id)
    )
    if society_ids is not None:
        found = found.where(Series.society_id.in_(society_ids))
    return list(db.scalars(found))


def ahead_counts(db: DbSession, series_ids: list[int], *, now: datetime) -> dict[int, int]:
    """How many sessions are planned ahead, by series; cancelled ones do not take place."""
    counted = db.execute(
        select(WebinarSession.series_id, func.count())
        .where(
            WebinarSession.series_id.in_(series_ids),
            WebinarSession.ends_at > now,
            WebinarSession.status != SessionStatus.CANCELLED,
        )
        .group_by(WebinarSession.series_id)
    )
    return {row[0]: row[1] for row in counted if row[0] is not None}


def next_sessions(
    db: DbSession, series_id: int, *, now: datetime, limit: int
) -> list[WebinarSession]:
    """What is on air or to come, earliest first, drafts and cancelled ones too."""
    found = (
        select(WebinarSession)
        .where(WebinarSession.series_id == series_id, WebinarSession.ends_at > now)
        .options(*LONG_TEXTS)
        .order_by(WebinarSession.starts_at, WebinarSession.id)
        .limit(limit)
    )
    return list(db.scalars(found))


def rules_of(series: Series) -> tuple[SeriesRule, ...]:
    """The rules the series is planned by, the one that begins first first."""
    exceptions = frozenset(exception.day for exception in series.exceptions)
    return tuple(row.of_series(series.zone, exceptions) for row in rows_of(series))


def rows_of(series: Series) -> tuple[RuleRow, ...]:
    """The rules as they are kept, the one that begins first first."""
    return tuple(
        RuleRow(row.rule, row.local_start, row.duration_minutes, row.first_day, row.last_day)
        for row in series.rules
    )


def rhythms_of(series: Series, *, today: date) -> list[str]:
    """In words, each rule that still holds; the last one of all if none does any more.

    Of several, one that does not hold yet says from when.
    """
    rules = [row.of_series(series.zone) for row in rows_of(series)]
    holding = [rule for rule in rules if rule.ends_on is None or rule.ends_on >= today]
    several = len(rules) > 1
    return [_rhythm(rule, today=today, several=several) for rule in holding or rules[-1:]]


def create(
    db: DbSession,
    *,
    slug: str,
    society_id: int,
    words: SeriesWords,
    rules: Sequence[RuleRow],
    zone: str,
    actor_id: int | None,
    now: datetime,
) -> Series:
    """Add a series whose rules can be planned; nothing is planned yet.

    Raises BadSlug, SlugTaken, NameMissing, ImpossibleWindow, UnknownCountry, TooManyZones,
    TooManyRules, and every refusal of a rule.
    """
    ensure_slug(slug)
    words = sensible(words)
    if db.scalar(select(Series.id).where(Series.slug == slug)) is not None:
        raise SlugTaken(f"There is a series called {slug} already. Choose another short name.")
    db.get_one(Society, society_id)
    ensure_plannable([row.of_series(zone) for row in rules])
    series = Series(
        slug=slug,
        society_id=society_id,
        zone=zone,
        created_at=now,
        rules=[planning_rule(row) for row in rules],
    )
    _put_words(series, words)
    db.add(series)
    db.flush()
    first = rules[0]
    audit.write(
        db,
        actor_id=actor_id,
        action="series created",
        subject=f"series {series.id}",
        after={
            "slug": slug,
            "rule": "; ".join(row.rule for row in rules),
            "start": f"{first.local_start:%H:%M}",
            "zone": zone,
        },
        now=now,
    )
    return series


def edit(
    db: DbSession, series_id: int, words: SeriesWords, *, actor_id: int | None, now: datetime
) -> Series:
    """Let the series say this; sessions planned already keep how long their recordings stay open.

    Raises NameMissing, ImpossibleWindow, UnknownCountry, TooManyZones, UnknownZone.
    """
    series = db.get_one(Series, series_id, with_for_update=True, populate_existing=True)
    before = _facts(series)
    _put_words(series, sensible(words))
    after = _facts(series)
    changed = [name for name in after if after[name] != before[name]]
    if changed:
        db.flush()
        audit.write(
            db,
            actor_id=actor_id,
            action="series edited",
            subject=f"series {series.id}",
            before={name: before[name] for name in changed},
            after={name: after[name] for name in changed},
            now=now,
        )
    return series


def sensible(words: SeriesWords) -> SeriesWords:
    """The words as they are kept; raises NameMissing, ImpossibleWindow, UnknownCountry,
    TooManyZones, UnknownZone.
    """
    if not 1 <= words.recording_months <= LONGEST_WINDOW_MONTHS:
        raise ImpossibleWindow(
            f"Recordings stay open for 1 to {LONGEST_WINDOW_MONTHS} months; 6 is usual."
        )
    holidays.ensure_countries(words.holiday_countries)
    ensure_reader_zones(words.reader_zones)
    return SeriesWords(
        ensure_name(words.name),
        words.about.strip(),
        words.recording_months,
        tuple(dict.fromkeys(words.holiday_countries)),
        tuple(dict.fromkeys(words.reader_zones)),
    )


def ensure_plannable(rules: Sequence[SeriesRule]) -> None:
    """Raise the refusal of a rule that would fail later: look over its first year and a bit."""
    if not rules:
        raise NoDates("The series has no rule yet. Say when it meets.")
    if len(rules) > MOST_RULES:
        raise TooManyRules(f"A series meets by {MOST_RULES} rules at most. Make it two series.")
    for rule in rules:
        first_day = rule.starts_on or date.min
        planned_by(rule, first_day=first_day, last_day=first_day + timedelta(days=LOOK_AHEAD_DAYS))


def planning_rule(row: RuleRow) -> PlanningRule:
    """A rule as a row of its own."""
    return PlanningRule(
        rule=row.rule,
        local_start=row.local_start,
        duration_minutes=row.duration_minutes,
        first_day=row.first_day,
        last_day=row.last_day,
    )


def plan(
    db: DbSession,
    series_id: int,
    *,
    until: date,
    calendar: CalendarTool,
    now: datetime,
    dry_run: bool = False,
    actor_id: int | None = None,
) -> list[PlannedDate]:
    """Make a draft of every date up to and including `until` that has none; planning twice is once.

    A session that was moved stays the session of its planned day. Raises the refusals of the rule.
    """
    # Two people planning at the same time queue up here instead of colliding on a date.
    lock = not dry_run
    series = db.get_one(Series, series_id, with_for_update=lock, populate_existing=lock)
    dates = preview(
        db,
        rules_of(series),
        first_day=_first_day_to_plan(db, series, until),
        until=until,
        series_id=series.id,
        reader_zones=series.reader_zones,
        holiday_countries=series.holiday_countries,
        societies=frozenset({series.society_id}),
    )
    if dry_run:
        return dates
    made = [
        date_.made(draft(series, date_, calendar=calendar, now=now)) if date_.is_new else date_
        for date_ in dates
    ]
    new = [date_ for date_ in made if date_.is_new]
    db.add_all(date_.session for date_ in new)
    db.flush()
    if new:
        audit.write(
            db,
            actor_id=actor_id,
            action="series planned",
            subject=f"series {series.id}",
            after={"until": until.isoformat(), "sessions": len(new)},
            now=now,
        )
    return made


def draft(
    series: Series, date_: PlannedDate, *, calendar: CalendarTool, now: datetime
) -> WebinarSession:
    """A session nobody has said anything of, on a planned date; not added to the database yet."""
    public_id = new_public_id()
    return WebinarSession(
        public_id=public_id,
        series_id=series.id,
        planned_day=date_.day,
        society_id=series.society_id,
        title=UNTITLED,
        starts_at=date_.planned.starts_at,
        ends_at=date_.planned.ends_at,
        zone=series.zone,
        recording_months=series.recording_months,
        status=SessionStatus.DRAFT,
        ical_uid=f"session-{public_id}@{calendar.calendar_domain}",
        ical_changed_at=now,
        created_at=now,
    )


def last_planned_day(db: DbSession, series_id: int) -> date | None:
    """The last day for which the series has a session, if it has any."""
    return db.scalar(
        select(func.max(WebinarSession.planned_day)).where(WebinarSession.series_id == series_id)
    )


def _first_day_to_plan(db: DbSession, series: Series, until: date) -> date:
    """The first day; for a series planned for years already, as far back as a plan may reach."""
    earliest = until - timedelta(days=LONGEST_SPAN_DAYS)
    first_day = min((rule.first_day for rule in series.rules), default=until)
    if earliest > first_day and last_planned_day(db, series.id) is not None:
        return earliest
    return first_day


def _rhythm(rule: SeriesRule, *, today: date, several: bool) -> str:
    words = rhythm(rule)
    starts_on = rule.starts_on
    if not several or starts_on is None or starts_on <= today or " from " in words:
        return words
    return f"{words}, from {starts_on.day} {starts_on:%B %Y}"


def _put_words(series: Series, words: SeriesWords) -> None:
    series.name = words.name
    series.about = words.about
    series.recording_months = words.recording_months
    series.holiday_countries = list(words.holiday_countries)
    series.reader_zones = list(words.reader_zones)


def _facts(series: Series) -> dict[str, str]:
    return {
        "name": series.name,
        "about": series.about,
        "recording_months": str(series.recording_months),
        "holiday_countries": ", ".join(series.holiday_countries),
        "reader_zones": ", ".join(series.reader_zones),
    }
