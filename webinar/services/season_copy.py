"""Last season once more: its talks on the dates that the rules of its series name in a new one."""

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from itertools import groupby

from sqlalchemy import select
from sqlalchemy.orm import defer, selectinload

from webinar.db import DbSession
from webinar.domain.errors import DomainError
from webinar.domain.series import LONGEST_SPAN_DAYS, NoDates, SeriesRule
from webinar.domain.session import SessionStatus
from webinar.domain.session_details import UNTITLED, FacultyDetails, SessionDetails
from webinar.domain.timezone import to_local
from webinar.models import SeasonChange, Series, WebinarSession
from webinar.services import audit, season_changes, season_drafts, series_breaks
from webinar.services.feeds import CalendarTool
from webinar.services.series import rules_of
from webinar.services.series_breaks import Break
from webinar.services.series_preview import PlannedDate, preview
from webinar.services.session_facts import details_of

DAYS_A_YEAR = 365.25


class ImpossibleSeason(DomainError):
    """The days of the old season and the first one of the new do not fit together."""


@dataclass(frozen=True)
class Keep:
    """What comes along from the old season; language and level of a talk go with its title."""

    titles: bool = False
    topics: bool = False
    faculty: bool = False


@dataclass(frozen=True)
class Span:
    """The old season, both ends included, and the first day of the new one, which lasts as long."""

    first_day: date
    last_day: date
    new_first_day: date

    @property
    def new_last_day(self) -> date:
        """The last day of the new season, itself included."""
        return self.new_first_day + (self.last_day - self.first_day)

    @property
    def years(self) -> int:
        """By how many years what falls on a fixed date moves: Christmas, August."""
        return round((self.new_first_day - self.first_day).days / DAYS_A_YEAR)


@dataclass(frozen=True)
class CopiedDate:
    """A date of the new season, the talk that would come back on it, and the break it is in."""

    planned: PlannedDate
    source: WebinarSession | None
    in_break: str = ""

    @property
    def is_made(self) -> bool:
        """True if there is a session already; it is left alone."""
        return self.planned.session is not None

    @property
    def is_usual(self) -> bool:
        """True if it is made unless somebody says otherwise."""
        return not (self.is_made or self.in_break)


@dataclass(frozen=True)
class SeriesCopy:
    """A series in the new season. `note` says what is odd, `left` has no date any more."""

    series: Series
    dates: tuple[CopiedDate, ...]
    left: tuple[WebinarSession, ...]
    breaks: tuple[Break, ...]
    note: str = ""


@dataclass(frozen=True)
class Copied:
    """What copying did."""

    made: int
    change: SeasonChange


def ensure_sensible(span: Span) -> None:
    """Raise ImpossibleSeason with what to do."""
    if span.last_day < span.first_day:
        raise ImpossibleSeason("The old season ends before it begins. Exchange the two days.")
    if (span.last_day - span.first_day).days > LONGEST_SPAN_DAYS:
        raise ImpossibleSeason("You can copy 3 years at a time. Choose a later first day.")
    if span.new_first_day <= span.last_day:
        raise ImpossibleSeason(
            "The new season would begin before the old one is over. Choose a later day."
        )


def outlook(db: DbSession, series: Sequence[Series], span: Span) -> list[SeriesCopy]:
    """What copying these series would make; raises ImpossibleSeason."""
    ensure_sensible(span)
    return [_outlook_of(db, one, span) for one in series]


def copy(
    db: DbSession,
    series: Sequence[Series],
    span: Span,
    keep: Keep,
    *,
    chosen: Collection[tuple[int, date]] | None = None,
    actor_id: int | None,
    calendar: CalendarTool,
    now: datetime,
) -> Copied:
    """Make a draft of each date that has none, and the breaks of the old season anew.

    `chosen` names dates by series and day; without it those that are usual are made. All of it is
    one change that can be taken back; copying twice is once. Raises ImpossibleSeason.
    """
    change = season_changes.begin(db, actor_id=actor_id, summary="Copied last season.", now=now)
    made = 0
    for one in series:
        # Two people copying at the same time queue up here.
        locked = db.get_one(Series, one.id, with_for_update=True, populate_existing=True)
        (found,) = outlook(db, [locked], span)
        wanted = [
            copied
            for copied in found.dates
            if not copied.is_made
            and (copied.is_usual if chosen is None else (locked.id, copied.planned.day) in chosen)
        ]
        taken = {copied.planned.day for copied in found.dates if copied.is_made}
        _take_breaks(
            db,
            found,
            taken | {copied.planned.day for copied in wanted},
            change,
            actor_id=actor_id,
            now=now,
        )
        for copied in wanted:
            draft = season_drafts.add(
                db,
                _details(copied, keep),
                series=locked,
                society_id=locked.society_id,
                change=change,
                actor_id=actor_id,
                calendar=calendar,
                now=now,
            )
            # However much of the words is kept: who looks before publishing goes on doing so.
            draft.reviews_recording = copied.source is not None and copied.source.reviews_recording
        made += len(wanted)
    audit.write(
        db,
        actor_id=actor_id,
        action="season copied",
        subject=f"season change {change.id}",
        after={
            "series": [one.slug for one in series],
            "from": span.first_day.isoformat(),
            "to": span.last_day.isoformat(),
            "new_from": span.new_first_day.isoformat(),
            "sessions": made,
        },
        now=now,
    )
    return Copied(made, change)


def _outlook_of(db: DbSession, series: Series, span: Span) -> SeriesCopy:
    sources = _talks(db, series, span)
    breaks = tuple(_moved(series, span))
    try:
        planned, note = _dates(db, series, span)
    except DomainError as refusal:
        return SeriesCopy(series, (), tuple(sources), breaks, str(refusal))
    dates = [CopiedDate(one, None, _reason(one.day, breaks)) for one in planned]
    # The first talk on the first date and so on; dates in a break take none.
    talks = iter(sources)
    paired = tuple(one if one.in_break else replace(one, source=next(talks, None)) for one in dates)
    return SeriesCopy(series, paired, tuple(talks), breaks, note)


def _dates(db: DbSession, series: Series, span: Span) -> tuple[list[PlannedDate], str]:
    """By the rules that hold then; by those of the old season if none does any more."""

    def dates(rules: Sequence[SeriesRule]) -> list[PlannedDate]:
        return preview(
            db,
            rules,
            first_day=span.new_first_day,
            until=span.new_last_day,
            series_id=series.id,
            reader_zones=series.reader_zones,
            holiday_countries=series.holiday_countries,
            societies=frozenset({series.society_id}),
        )

    rules = rules_of(series)
    try:
        return dates(rules), ""
    except NoDates:
        held = [
            rule
            for rule in rules
            if (rule.starts_on is None or rule.starts_on <= span.last_day)
            and (rule.ends_on is None or rule.ends_on >= span.first_day)
        ]
        if not held:
            raise
        note = "No rule of this series holds in the new season; its dates go on as they were."
        return dates([_without_end(rule) for rule in held]), note


def _without_end(rule: SeriesRule) -> SeriesRule:
    parts = [
        part for part in rule.rule.split(";") if not part.upper().startswith(("UNTIL=", "COUNT="))
    ]
    return replace(rule, rule=";".join(parts), ends_on=None)


def _talks(db: DbSession, series: Series, span: Span) -> list[WebinarSession]:
    """The sessions of the old season that were not cancelled, earliest first."""
    margin = timedelta(days=1)
    found = db.scalars(
        select(WebinarSession)
        .where(
            WebinarSession.series_id == series.id,
            WebinarSession.status != SessionStatus.CANCELLED,
            WebinarSession.starts_at >= _midnight(span.first_day - margin),
            WebinarSession.starts_at < _midnight(span.last_day + 2 * margin),
        )
        .options(
            selectinload(WebinarSession.topics),
            selectinload(WebinarSession.audience),
            selectinload(WebinarSession.faculty),
            # Read into feeds only, and far longer than all the rest.
            defer(WebinarSession.ical_public),
            defer(WebinarSession.ical_personal),
        )
        .order_by(WebinarSession.starts_at, WebinarSession.id)
    )
    return [
        session
        for session in found
        if span.first_day <= to_local(session.starts_at, session.zone).date() <= span.last_day
    ]


def _moved(series: Series, span: Span) -> Iterator[Break]:
    """The breaks of the old season on the same days of the year in the new one."""
    if span.years == 0:
        return
    for one in series_breaks.of_series(series):
        if one.last_day < span.first_day or one.first_day > span.last_day:
            continue
        first_day = _years_later(one.first_day, span.years)
        last_day = first_day + (one.last_day - one.first_day)
        if last_day >= span.new_first_day and first_day <= span.new_last_day:
            yield Break(first_day, last_day, one.reason)


def _take_breaks(
    db: DbSession,
    found: SeriesCopy,
    met: Collection[date],
    change: SeasonChange,
    *,
    actor_id: int | None,
    now: datetime,
) -> None:
    """Days on which the series meets all the same are no break."""
    there = {exception.day for exception in found.series.exceptions}
    for one in found.breaks:
        days = [one.first_day + timedelta(days=number) for number in range(one.days)]
        for first_day, last_day in _in_a_row(day for day in days if day not in {*there, *met}):
            series_breaks.add(
                db,
                found.series.id,
                first_day,
                last_day,
                reason=one.reason,
                change=change,
                actor_id=actor_id,
                now=now,
            )


def _details(copied: CopiedDate, keep: Keep) -> SessionDetails:
    planned = copied.planned.planned
    ends = to_local(planned.ends_at, planned.zone).replace(tzinfo=None, fold=0)
    blank = SessionDetails(UNTITLED, planned.local_start, ends, planned.zone)
    if copied.source is None:
        return blank
    old = details_of(copied.source)
    details = replace(blank, language=old.language)
    if keep.titles:
        details = replace(
            details,
            title=old.title or UNTITLED,
            abstract=old.abstract,
            objectives=old.objectives,
            level=old.level,
        )
    if keep.topics:
        details = replace(details, topics=old.topics, audience=old.audience)
    if keep.faculty:
        # Disclosures are of their day: they are asked for again.
        details = replace(
            details,
            faculty=tuple(
                FacultyDetails(member.part, member.name, member.affiliation, user_id=member.user_id)
                for member in old.faculty
            ),
        )
    return details


def _reason(day: date, breaks: Iterable[Break]) -> str:
    return next((one.reason for one in breaks if one.first_day <= day <= one.last_day), "")


def _in_a_row(days: Iterable[date]) -> Iterator[tuple[date, date]]:
    """First and last of each stretch of days without a gap."""
    for _, run in groupby(enumerate(days), key=lambda pair: pair[1].toordinal() - pair[0]):
        stretch = [day for _, day in run]
        yield stretch[0], stretch[-1]


def _years_later(day: date, years: int) -> date:
    try:
        return day.replace(year=day.year + years)
    except ValueError:  # 29 February
        return day.replace(year=day.year + years, day=28)


def _midnight(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=UTC)
