"""The demonstration season, played through the services in the order in which it happened."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, time, timedelta

from sqlalchemy import update

from webinar.db import DbSession
from webinar.demo.accreditation import accreditors
from webinar.demo.days import DRAFT_DAYS_AHEAD, MONTHLY, WEEKLY, Days, days_around
from webinar.demo.desk import FACULTY_CREDIT
from webinar.demo.evenings import (
    Act,
    Evening,
    Stage,
    announcement,
    broadcast,
    close_what_is_over,
)
from webinar.demo.hosts import (
    ABOUT_REVIEWS,
    ABOUT_ROUNDS,
    ACADEMY,
    societies_of_season,
    topics_of_season,
)
from webinar.demo.lectures import Film, Reel, Wanted
from webinar.demo.people import FACULTY, Cast, invite_everybody, lose_mails, settle_mail
from webinar.demo.programme import Programme, Talk
from webinar.domain.series import PlannedSession, RuleRow, SeriesRule
from webinar.domain.session import FacultyPart
from webinar.domain.session_details import FacultyDetails
from webinar.domain.timezone import to_local
from webinar.models import Series, Society, WebinarSession
from webinar.services import registrations, series, series_breaks, sessions
from webinar.services.feeds import CalendarTool
from webinar.services.series import SeriesWords

ROUNDS = "e-grandrounds"
REVIEWS = "e-oncoreviews"
ARCHIVE = Film(
    "From the archive of the demonstration season",
    "Oncology",
    ACADEMY,
    ("Everybody named in this season is invented",),
)
FOUNDED_BEFORE = timedelta(weeks=14)


@dataclass(frozen=True)
class Scale:
    """How much of everything; the quick one is for tests."""

    rounds: int
    reviews: int
    own_lectures: int
    lecture_seconds: int
    days_ahead: int


WHOLE = Scale(rounds=28, reviews=7, own_lectures=6, lecture_seconds=90, days_ahead=DRAFT_DAYS_AHEAD)
# Seven weeks hold four rounds at any time of the year, breaks and all: one is moved, one cancelled.
QUICK = Scale(rounds=3, reviews=1, own_lectures=1, lecture_seconds=6, days_ahead=49)


@dataclass(frozen=True)
class Calendar:
    """The days of both series and what is said on each, before anything is in a database."""

    rounds: Days
    reviews: Days
    past_rounds: tuple[Talk, ...]
    past_reviews: tuple[Talk, ...]

    def evenings(self) -> list[tuple[PlannedSession, Talk, str]]:
        """Past evenings with talk and series, the latest first."""
        both = [
            *((date, talk, ROUNDS) for date, talk in _paired(self.rounds, self.past_rounds)),
            *((date, talk, REVIEWS) for date, talk in _paired(self.reviews, self.past_reviews)),
        ]
        return sorted(both, key=lambda one: one[0].starts_at, reverse=True)


def _paired(days: Days, talks: Sequence[Talk]) -> list[tuple[PlannedSession, Talk]]:
    return list(zip(reversed(days.past), talks, strict=False))


def calendar_around(programme: Programme, scale: Scale, *, now: datetime) -> Calendar:
    """Which talk falls on which day."""
    return Calendar(
        rounds=days_around(now, WEEKLY, past=scale.rounds, days_ahead=scale.days_ahead),
        reviews=days_around(now, MONTHLY, past=scale.reviews, days_ahead=scale.days_ahead),
        past_rounds=programme.rounds_past[: scale.rounds],
        past_reviews=programme.reviews_past[: scale.reviews],
    )


def wanted_recordings(calendar: Calendar, programme: Programme, scale: Scale) -> list[Wanted]:
    """A recording of every past evening; the latest have slides of their own."""
    wanted = []
    for number, (date, talk, _) in enumerate(calendar.evenings()):
        faculty = programme.faculty_of(talk, number)
        own = Film(
            talk.title,
            talk.topic,
            ACADEMY,
            tuple(f"{member.name}, {member.affiliation}" for member in faculty[:2]),
        )
        wanted.append(Wanted(own if number < scale.own_lectures else ARCHIVE, date.starts_at))
    return wanted


@dataclass(frozen=True)
class Season:
    """What was made, for whoever goes on with it."""

    cast: Cast
    past: tuple[Evening, ...]
    """The latest first."""
    stage: Stage
    acts: tuple[Act, ...]


def play(
    db: DbSession,
    calendar: Calendar,
    programme: Programme,
    scale: Scale,
    reels: Sequence[Reel],
    *,
    tool: CalendarTool,
    now: datetime,
) -> Season:
    """Found everything and prepare what happens; `perform` lets it happen."""
    founded = calendar.evenings()[-1][0].starts_at - FOUNDED_BEFORE
    cast = invite_everybody(db, programme, now=founded)
    stage = Stage(
        db=db,
        cast=cast,
        bodies=accreditors(db, now=founded),
        calendar=tool,
        now=now,
    )
    academy, surgeons, hellenic = societies_of_season(db, now=founded)
    topics_of_season(db, programme.topics, now=founded)
    planned = {}
    for slug, about, rule, days in (
        (ROUNDS, ABOUT_ROUNDS, WEEKLY, calendar.rounds),
        (REVIEWS, ABOUT_REVIEWS, MONTHLY, calendar.reviews),
    ):
        made = _series(db, stage, slug, about, academy, rule, days, now=founded)
        planned[slug] = _plan(db, stage, made, days, now=founded)
        _register(stage, made, now=founded + timedelta(days=2))

    past = []
    lent = {
        "Breast cancer": surgeons,
        "Gastrointestinal cancers": surgeons,
        "Gynaecological cancers": hellenic,
    }
    for number, ((date, talk, slug), reel) in enumerate(
        zip(calendar.evenings(), reels, strict=True)
    ):
        past.append(
            Evening(
                session=planned[slug][date.starts_at],
                talk=talk,
                faculty=_presented_with_account(programme.faculty_of(talk, number), cast)
                if number == min(FACULTY_CREDIT, len(reels) - 1)
                else programme.faculty_of(talk, number),
                auspices=lent.get(talk.topic),
                reel=reel,
                overrun=timedelta(minutes=number * 7 % 5, seconds=number * 13 % 60),
            )
        )
    ahead = [
        Evening(
            session=planned[slug][date.starts_at],
            talk=talk,
            faculty=_with_account(programme.faculty_of(talk, number + 1), cast, number),
            auspices=lent.get(talk.topic),
        )
        for slug, days, talks in (
            (ROUNDS, calendar.rounds, programme.rounds_ahead),
            (REVIEWS, calendar.reviews, programme.reviews_ahead),
        )
        for number, (date, talk) in enumerate(zip(days.ahead, talks, strict=False))
    ]
    acts = [announcement(stage, evening) for evening in [*past, *ahead]]
    for evening in past:
        if evening.reel is not None:
            acts.extend(broadcast(stage, evening, evening.reel))
    acts.extend(_changes(stage, ahead))
    return Season(cast, tuple(past), stage, tuple(acts))


def perform(db: DbSession, season: Season, acts: Sequence[Act], *, now: datetime) -> None:
    """Let everything happen, each act at its time, up to now."""
    for act in sorted((*season.acts, *acts), key=lambda act: act.at):
        act.do(min(act.at, now))
    close_what_is_over(season.stage)
    settle_mail(db, now=now)
    lose_mails(db, season.cast.audience, now=now)
    db.execute(update(WebinarSession).values(is_demo=True))


def _series(
    db: DbSession,
    stage: Stage,
    slug: str,
    about: str,
    society: Society,
    rule: SeriesRule,
    days: Days,
    *,
    now: datetime,
) -> Series:
    made = series.create(
        db,
        slug=slug,
        society_id=society.id,
        words=SeriesWords(slug, about, holiday_countries=("CH",)),
        rules=[RuleRow(rule.rule, rule.local_start, rule.duration_minutes, days.first_day)],
        zone=rule.zone,
        actor_id=stage.cast.organiser.id,
        now=now,
    )
    for off in days.breaks:
        series_breaks.add(
            db, made.id, off.day, reason=off.reason, actor_id=stage.cast.organiser.id, now=now
        )
    return made


def _plan(
    db: DbSession, stage: Stage, made: Series, days: Days, *, now: datetime
) -> dict[datetime, WebinarSession]:
    """The sessions by their start."""
    dates = series.plan(
        db,
        made.id,
        until=days.last_day,
        calendar=stage.calendar,
        actor_id=stage.cast.organiser.id,
        now=now,
    )
    return {date.session.starts_at: date.session for date in dates if date.session is not None}


def _register(stage: Stage, made: Series, *, now: datetime) -> None:
    """The participant and two thirds of the audience want every session."""
    people = [stage.cast.participant, *stage.cast.audience[: len(stage.cast.audience) * 2 // 3]]
    for user in people:
        registrations.register_for_series(stage.db, made.id, user.id, now=now)


def _with_account(
    faculty: tuple[FacultyDetails, ...], cast: Cast, number: int
) -> tuple[FacultyDetails, ...]:
    """The person to try as a moderator has a part in the next two sessions."""
    if number >= 2:
        return faculty
    moderator = FacultyDetails(
        FacultyPart.MODERATOR,
        FACULTY.name,
        "Comprehensive Cancer Centre, Olomouc, Czechia",
        "Nothing to disclose.",
        cast.faculty.id,
    )
    return (*faculty[:2], moderator)


def _presented_with_account(
    faculty: tuple[FacultyDetails, ...], cast: Cast
) -> tuple[FacultyDetails, ...]:
    """The person to try as a presenter has spoken once; her recording shows no names."""
    presenter = FacultyDetails(
        FacultyPart.PRESENTER,
        FACULTY.name,
        "Comprehensive Cancer Centre, Olomouc, Czechia",
        "Nothing to disclose.",
        cast.faculty.id,
    )
    return (presenter, *faculty[1:])


def _changes(stage: Stage, ahead: Sequence[Evening]) -> list[Act]:
    """One session to come is moved, another cancelled."""
    organiser = stage.cast.organiser.id

    def move(now: datetime) -> None:
        session = ahead[1].session
        day = to_local(session.starts_at, session.zone).date() - timedelta(days=1)
        sessions.move(
            stage.db,
            session.id,
            datetime.combine(day, time(17, 0)),
            actor_id=organiser,
            calendar=stage.calendar,
            now=now,
        )

    def cancel(now: datetime) -> None:
        sessions.cancel(
            stage.db,
            ahead[3].session.id,
            reason="The presenter is ill. The talk will be given in spring.",
            actor_id=organiser,
            calendar=stage.calendar,
            now=now,
        )

    changes = []
    if len(ahead) > 1:
        changes.append(Act(stage.now - timedelta(hours=20), move))
    if len(ahead) > 3:
        changes.append(Act(stage.now - timedelta(hours=18), cancel))
    return changes
