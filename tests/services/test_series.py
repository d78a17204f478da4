"""A series: created by rule, previewed, planned."""

from collections.abc import Callable
from datetime import UTC, date, datetime, time

import pytest
from sqlalchemy import func, select

from tests.builders import NOW, make_faculty, make_series, make_session, make_society
from webinar.db import DbSession
from webinar.domain.errors import DomainError
from webinar.domain.recurrence import UnknownRule
from webinar.domain.series import ImpossibleDuration, ImpossibleSpan, NoDates, RuleRow
from webinar.domain.series_notes import TooManyZones
from webinar.domain.session import FacultyPart, SessionStatus
from webinar.domain.timezone import AmbiguousWallTime, NonexistentWallTime, UnknownZone
from webinar.models import AuditEvent, Series, Society, WebinarSession
from webinar.services import series
from webinar.services.feeds import CalendarTool
from webinar.services.holidays import UnknownCountry
from webinar.services.series import ImpossibleWindow, SeriesWords, TooManyRules
from webinar.services.series_preview import preview
from webinar.services.societies import SlugTaken

Create = Callable[..., Series]
WORDS = {"name", "recording_months", "holiday_countries", "reader_zones"}


@pytest.fixture
def create(db: DbSession) -> Create:
    society: Society = make_society(db)

    def with_values(**values: object) -> Series:
        rule: dict[str, object] = {
            "rule": "FREQ=WEEKLY;BYDAY=TH",
            "local_start": time(18, 15),
            "duration_minutes": 45,
            "first_day": date(2026, 11, 26),
        }
        rule |= {name: values.pop(name) for name in tuple(values) if name in rule}
        words = {name: values.pop(name) for name in tuple(values) if name in WORDS}
        usual: dict[str, object] = {
            "slug": "e-grandrounds",
            "society_id": society.id,
            "words": SeriesWords(**{"name": "e-grandrounds", **words}),
            "rules": [RuleRow(**rule)],
            "zone": "Europe/Zurich",
            "actor_id": None,
            "now": NOW,
        }
        return series.create(db, **{**usual, **values})

    return with_values


def sessions_stored(db: DbSession) -> int:
    return db.scalar(select(func.count()).select_from(WebinarSession)) or 0


def test_a_series_is_created_and_written_down(db: DbSession, create: Create) -> None:
    made = create()

    assert series.by_slug(db, "e-grandrounds") is made
    assert (made.recording_months, made.rules[0].duration_minutes) == (6, 45)
    assert db.scalars(select(AuditEvent.action)).all() == ["series created"]
    assert sessions_stored(db) == 0


def test_a_taken_short_name_is_a_conflict(db: DbSession, create: Create) -> None:
    create()

    with pytest.raises(SlugTaken, match="There is a series called e-grandrounds already"):
        create(name="Another")

    assert len(series.listed(db)) == 1


@pytest.mark.parametrize(
    ("values", "refusal", "sentence"),
    [
        ({"rule": "FREQ=WEEKLY;UNTIL=20200101"}, NoDates, "names no date"),
        ({"rule": "every Thursday"}, UnknownRule, "FREQ=WEEKLY;BYDAY=TH"),
        ({"duration_minutes": 0}, ImpossibleDuration, "has to end after it starts"),
        ({"duration_minutes": 721}, ImpossibleDuration, "12 hours at most"),
        ({"zone": "Europe/Zuerich"}, UnknownZone, "no time zone called 'Europe/Zuerich'"),
        (
            {"rule": "FREQ=WEEKLY;BYDAY=SU", "local_start": time(2, 30)},
            NonexistentWallTime,
            "02:30 on 28 March 2027 does not exist in Europe/Zurich",
        ),
        (
            {
                "rule": "FREQ=WEEKLY;BYDAY=SU",
                "local_start": time(2, 30),
                "first_day": date(2026, 10, 1),
            },
            AmbiguousWallTime,
            "02:30 on 25 October 2026 happens twice",
        ),
        ({"recording_months": 0}, ImpossibleWindow, "1 to 60 months"),
        ({"holiday_countries": ("XX",)}, UnknownCountry, "holidays of “XX” are not known"),
        ({"reader_zones": ("Europe/Bern",)}, UnknownZone, "no time zone called 'Europe/Bern'"),
        ({"reader_zones": ("UTC",) * 4}, TooManyZones, "3 zones of readers at most"),
        ({"rules": []}, NoDates, "no rule yet"),
        (
            {"rules": [RuleRow("FREQ=WEEKLY", time(18, 15), 45, date(2026, 11, 26))] * 7},
            TooManyRules,
            "6 rules at most",
        ),
    ],
)
def test_what_cannot_be_planned_is_refused_and_nothing_is_stored(
    db: DbSession,
    create: Create,
    values: dict[str, object],
    refusal: type[DomainError],
    sentence: str,
) -> None:
    with pytest.raises(refusal, match=sentence):
        create(**values)

    assert series.listed(db) == []


def test_planning_makes_a_draft_of_every_date(
    db: DbSession, create: Create, calendar: CalendarTool
) -> None:
    made = create()

    dates = series.plan(db, made.id, until=date(2026, 12, 10), calendar=calendar, now=NOW)

    stored = db.scalars(select(WebinarSession).order_by(WebinarSession.starts_at)).all()
    assert [(date_.day, date_.is_new, date_.session) for date_ in dates] == [
        (date(2026, 11, 26), True, stored[0]),
        (date(2026, 12, 3), True, stored[1]),
        (date(2026, 12, 10), True, stored[2]),
    ]
    first = stored[0]
    assert (first.title, first.status) == ("To be announced", SessionStatus.DRAFT)
    assert first.starts_at == datetime(2026, 11, 26, 17, 15, tzinfo=UTC)
    assert first.ends_at == datetime(2026, 11, 26, 18, 0, tzinfo=UTC)
    assert first.ical_uid == f"session-{first.public_id}@webinar.example"


def test_planning_twice_is_once_and_goes_on_where_it_stopped(
    db: DbSession, create: Create, calendar: CalendarTool
) -> None:
    made = create()
    series.plan(db, made.id, until=date(2026, 12, 3), calendar=calendar, now=NOW)

    again = series.plan(db, made.id, until=date(2026, 12, 10), calendar=calendar, now=NOW)

    assert [date_.is_new for date_ in again] == [False, False, True]
    assert sessions_stored(db) == 3


def test_a_moved_session_stays_the_session_of_its_day(
    db: DbSession, create: Create, calendar: CalendarTool
) -> None:
    made = create()
    [date_] = series.plan(db, made.id, until=date(2026, 11, 26), calendar=calendar, now=NOW)
    assert date_.session is not None
    date_.session.starts_at = datetime(2026, 11, 27, 17, 15, tzinfo=UTC)

    series.plan(db, made.id, until=date(2026, 11, 26), calendar=calendar, now=NOW)

    assert sessions_stored(db) == 1


def test_a_dry_run_stores_nothing(db: DbSession, create: Create, calendar: CalendarTool) -> None:
    made = create()

    dates = series.plan(
        db, made.id, until=date(2026, 12, 10), calendar=calendar, now=NOW, dry_run=True
    )

    assert [(date_.is_new, date_.session) for date_ in dates] == [(True, None)] * 3
    assert sessions_stored(db) == 0


def test_a_last_day_before_the_first_is_refused(
    db: DbSession, create: Create, calendar: CalendarTool
) -> None:
    made = create()

    with pytest.raises(ImpossibleSpan, match="is before the first"):
        series.plan(db, made.id, until=date(2026, 11, 1), calendar=calendar, now=NOW)


def test_a_series_planned_for_years_can_be_planned_on(
    db: DbSession, create: Create, calendar: CalendarTool
) -> None:
    made = create(rule="FREQ=MONTHLY;BYDAY=1TU", first_day=date(2020, 1, 1))
    series.plan(db, made.id, until=date(2022, 12, 31), calendar=calendar, now=NOW)

    dates = series.plan(db, made.id, until=date(2025, 12, 31), calendar=calendar, now=NOW)

    assert sum(date_.is_new for date_ in dates) == 36
    assert sessions_stored(db) == 72


def test_a_preview_marks_clock_changes_and_overlaps(db: DbSession) -> None:
    weekly = make_series(db)
    make_session(db, starts_at=datetime(2027, 4, 1, 16, 0, tzinfo=UTC), title="Another evening")

    dates = preview(
        db,
        series.rules_of(weekly),
        first_day=date(2027, 3, 25),
        until=date(2027, 4, 1),
        series_id=weekly.id,
    )

    assert dates[0].overlaps == ()
    assert dates[1].overlaps == ("Another evening",)
    assert dates[1].notes == (
        "The clocks in Zurich went forward on 28 March: 18:15 is now 16:15 UTC.",
        "In New York it starts at 12:15 again.",
    )


def test_a_preview_names_holidays_and_parts_elsewhere_at_the_same_time(
    db: DbSession, create: Create, calendar: CalendarTool
) -> None:
    made = create(
        rule="FREQ=WEEKLY;BYDAY=TU", first_day=date(2026, 12, 1), holiday_countries=("IT", "CH")
    )
    [first] = series.plan(db, made.id, until=date(2026, 12, 1), calendar=calendar, now=NOW)
    assert first.session is not None
    make_faculty(db, first.session, FacultyPart.MODERATOR, name="Prof Elena Marchetti")
    db.expire(first.session, ["faculty"])
    elsewhere = make_session(
        db, starts_at=datetime(2026, 12, 8, 17, 0, tzinfo=UTC), title="Another evening"
    )
    make_faculty(db, elsewhere, name="prof  elena Marchetti")
    make_faculty(db, elsewhere, FacultyPart.DISCUSSANT, name="Dr Jan Novak")

    dates = series.plan(
        db, made.id, until=date(2026, 12, 15), calendar=calendar, now=NOW, dry_run=True
    )

    assert [(date_.holidays, date_.overlaps, date_.clashes) for date_ in dates] == [
        ((), (), ()),
        (
            ("Public holiday in Italy: Immacolata Concezione.",),
            ("Another evening",),
            ("prof  elena Marchetti presents “Another evening” at the same time.",),
        ),
        ((), (), ()),
    ]


def test_the_faculty_of_a_planned_session_counts_for_its_date_alone(
    db: DbSession, create: Create, calendar: CalendarTool
) -> None:
    made = create()
    planned = series.plan(db, made.id, until=date(2026, 12, 3), calendar=calendar, now=NOW)
    for date_, name in zip(planned, ("Dr Anna Keller", "Dr Jan Novak"), strict=True):
        assert date_.session is not None
        make_faculty(db, date_.session, name=name)
        db.expire(date_.session, ["faculty"])
    for at in (date_.planned.starts_at for date_ in planned):
        make_faculty(db, make_session(db, starts_at=at, title="Other"), name="Dr Anna Keller")

    dates = series.plan(
        db, made.id, until=date(2026, 12, 3), calendar=calendar, now=NOW, dry_run=True
    )

    assert [date_.clashes for date_ in dates] == [
        ("Dr Anna Keller presents “Other” at the same time.",),
        (),
    ]


def test_a_draft_of_another_society_has_no_name_in_a_preview(db: DbSession) -> None:
    weekly = make_series(db)
    evening = datetime(2026, 11, 26, 17, 30, tzinfo=UTC)
    for status, title in ((SessionStatus.DRAFT, "Secret"), (SessionStatus.PUBLISHED, "Announced")):
        make_session(db, starts_at=evening, status=status, title=title)
    make_session(
        db,
        starts_at=evening,
        status=SessionStatus.DRAFT,
        title="Ours",
        society=weekly.society,
    )

    dates = preview(
        db,
        series.rules_of(weekly),
        first_day=date(2026, 11, 26),
        until=date(2026, 11, 26),
        series_id=weekly.id,
        societies=frozenset({weekly.society_id}),
    )

    assert sorted(dates[0].overlaps) == ["A session of another society", "Announced", "Ours"]


def test_a_moved_session_of_the_series_itself_is_an_overlap(
    db: DbSession, create: Create, calendar: CalendarTool
) -> None:
    made = create()
    planned = series.plan(db, made.id, until=date(2026, 12, 3), calendar=calendar, now=NOW)
    first, second = [date_.session for date_ in planned]
    assert first is not None
    assert second is not None
    first.title = "Moved"
    first.starts_at, first.ends_at = second.starts_at, second.ends_at

    dates = series.plan(
        db, made.id, until=date(2026, 12, 3), calendar=calendar, now=NOW, dry_run=True
    )

    assert dates[1].overlaps == ("Moved",)


def test_editing_a_series_changes_its_words_and_is_written_down(
    db: DbSession, create: Create
) -> None:
    made = create()
    words = SeriesWords("Grand rounds", "Every week.", 12, ("IT",), ("Asia/Tokyo", "Asia/Tokyo"))

    series.edit(db, made.id, words, actor_id=None, now=NOW)
    series.edit(db, made.id, words, actor_id=None, now=NOW)

    assert (made.name, made.about, made.recording_months) == ("Grand rounds", "Every week.", 12)
    assert (made.holiday_countries, made.reader_zones) == (["IT"], ["Asia/Tokyo"])
    event = db.scalars(select(AuditEvent).where(AuditEvent.action == "series edited")).one()
    assert event.before == {
        "name": "e-grandrounds",
        "about": "",
        "recording_months": "6",
        "holiday_countries": "",
        "reader_zones": "America/New_York",
    }


def test_a_series_says_each_rule_that_holds_and_from_when(create: Create) -> None:
    made = create(
        rules=[
            RuleRow("FREQ=WEEKLY", time(18, 15), 45, date(2026, 1, 1), date(2026, 6, 30)),
            RuleRow("FREQ=WEEKLY", time(18, 15), 45, date(2026, 9, 3), date(2027, 1, 28)),
            RuleRow("FREQ=MONTHLY;BYDAY=1TU", time(12, 0), 60, date(2027, 2, 2)),
        ]
    )

    assert series.rhythms_of(made, today=date(2026, 11, 20)) == [
        "every Thursday, 18:15 Zurich time, 45 minutes, until 28 January 2027",
        "first Tuesday of the month, 12:00 Zurich time, 60 minutes, from 2 February 2027",
    ]
