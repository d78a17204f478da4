"""Last season once more, by the rules, once, and not for ever."""

from datetime import UTC, date, datetime, timedelta

import pytest
from sqlalchemy import select

from tests.builders import (
    NOW,
    make_faculty,
    make_series,
    make_session,
    make_topic,
    make_user,
)
from webinar.db import DbSession
from webinar.domain.session import FacultyPart, SessionStatus
from webinar.domain.session_details import UNTITLED
from webinar.models import PlanningRule, Series, SeriesException, WebinarSession
from webinar.services import season_changes, season_copy
from webinar.services.feeds import CalendarTool
from webinar.services.season_copy import ImpossibleSeason, Keep, Span

# Nine Thursdays from 26 November 2026; the new season begins on Thursday 25 November 2027.
SPAN = Span(date(2026, 11, 26), date(2027, 1, 21), date(2027, 11, 25))
EVERYTHING = Keep(titles=True, topics=True, faculty=True)


@pytest.fixture
def series(db: DbSession) -> Series:
    """A season of Thursdays at 18:15 with a talk each, one cancelled, none at Christmas."""
    series = make_series(db, "rounds")
    for days in range(24, 32):
        series.exceptions.append(
            SeriesException(day=date(2026, 12, days), reason="Christmas and New Year")
        )
    topic = make_topic(db)
    for week in range(9):
        day = date(2026, 11, 26) + timedelta(weeks=week)
        if date(2026, 12, 24) <= day <= date(2026, 12, 31):
            continue
        session = make_session(
            db,
            series=series,
            title=f"Talk {week}",
            starts_at=datetime(2026, 11, 26, 17, 15, tzinfo=UTC) + timedelta(weeks=week),
            status=SessionStatus.CANCELLED if week == 2 else SessionStatus.ENDED,
            topics=(topic,),
        )
        session.planned_day = day
        session.abstract, session.level, session.language = f"About {week}", "advanced", "fr"
        make_faculty(db, session, name=f"Speaker {week}").disclosure = "Advises a company."
        make_faculty(db, session, FacultyPart.MODERATOR, user=make_user(db), name="Dr Keller")
    db.commit()
    return series


def made(db: DbSession) -> list[WebinarSession]:
    found = select(WebinarSession).where(
        WebinarSession.starts_at > datetime(2027, 6, 1, tzinfo=UTC)
    )
    return list(db.scalars(found.order_by(WebinarSession.starts_at)))


def copy(db: DbSession, series: Series, calendar: CalendarTool, keep: Keep = EVERYTHING) -> int:
    copied = season_copy.copy(db, [series], SPAN, keep, actor_id=None, calendar=calendar, now=NOW)
    db.commit()
    return copied.made


def test_talks_come_back_in_order_on_the_dates_of_the_rule_but_not_in_the_break(
    db: DbSession, series: Series
) -> None:
    (found,) = season_copy.outlook(db, [series], SPAN)

    assert [
        (str(one.planned.day), one.source and one.source.title, one.in_break) for one in found.dates
    ] == [
        ("2027-11-25", "Talk 0", ""),
        ("2027-12-02", "Talk 1", ""),
        ("2027-12-09", "Talk 3", ""),  # the cancelled one does not come back
        ("2027-12-16", "Talk 6", ""),
        ("2027-12-23", "Talk 7", ""),
        ("2027-12-30", None, "Christmas and New Year"),
        ("2028-01-06", "Talk 8", ""),
        ("2028-01-13", None, ""),
        ("2028-01-20", None, ""),
    ]
    assert found.left == ()


def test_drafts_say_what_is_kept_and_nothing_that_was_of_its_day(
    db: DbSession, series: Series, calendar: CalendarTool
) -> None:
    count = copy(db, series, calendar)

    drafts = made(db)
    first = drafts[0]
    assert (count, len(drafts)) == (8, 8)
    assert (first.title, first.abstract, first.level, first.language) == (
        "Talk 0",
        "About 0",
        "advanced",
        "fr",
    )
    assert (first.status, first.planned_day, first.series_id) == (
        SessionStatus.DRAFT,
        date(2027, 11, 25),
        series.id,
    )
    assert (first.starts_at, first.ends_at) == (
        datetime(2027, 11, 25, 17, 15, tzinfo=UTC),
        datetime(2027, 11, 25, 18, 0, tzinfo=UTC),
    )
    assert [len(draft.topics) for draft in drafts] == [1] * 6 + [0] * 2
    assert [(m.part, m.name, m.disclosure, bool(m.user_id)) for m in first.faculty] == [
        (FacultyPart.PRESENTER, "Speaker 0", "", False),
        (FacultyPart.MODERATOR, "Dr Keller", "", True),
    ]
    assert drafts[-1].title == UNTITLED


def test_a_recording_that_is_looked_at_first_is_so_again_and_others_are_not(
    db: DbSession, series: Series, calendar: CalendarTool
) -> None:
    talk = select(WebinarSession).where(WebinarSession.title == "Talk 1")
    db.scalars(talk).one().reviews_recording = True

    copy(db, series, calendar, Keep())

    assert [draft.reviews_recording for draft in made(db)] == [False, True, *[False] * 6]


def test_what_is_not_kept_is_to_be_announced(
    db: DbSession, series: Series, calendar: CalendarTool
) -> None:
    copy(db, series, calendar, Keep(topics=True))

    first = made(db)[0]
    assert (first.title, first.abstract, len(first.topics), first.faculty) == (UNTITLED, "", 1, [])


def test_copying_twice_is_copying_once(
    db: DbSession, series: Series, calendar: CalendarTool
) -> None:
    counts = [copy(db, series, calendar), copy(db, series, calendar)]

    assert counts == [8, 0]
    assert len(made(db)) == 8


def test_breaks_come_along_and_all_of_it_can_be_taken_back(
    db: DbSession, series: Series, calendar: CalendarTool
) -> None:
    days = {exception.day for exception in series.exceptions}
    copy(db, series, calendar)
    carried = {exception.day for exception in series.exceptions} - days
    (change,) = season_changes.open_for(db, None, now=NOW)

    season_changes.undo(db, change.id, actor_id=None, calendar=calendar, now=NOW)
    db.commit()
    db.refresh(series)

    assert carried == {date(2027, 12, day) for day in range(24, 32)}
    assert made(db) == []
    assert {exception.day for exception in series.exceptions} == days


def test_only_the_dates_chosen_are_made_also_one_in_a_break(
    db: DbSession, series: Series, calendar: CalendarTool
) -> None:
    chosen = {(series.id, date(2027, 12, 9)), (series.id, date(2027, 12, 30))}

    season_copy.copy(
        db,
        [series],
        SPAN,
        EVERYTHING,
        chosen=chosen,
        actor_id=None,
        calendar=calendar,
        now=NOW,
    )
    db.commit()

    assert [(str(draft.planned_day), draft.title) for draft in made(db)] == [
        ("2027-12-09", "Talk 3"),
        ("2027-12-30", UNTITLED),
    ]
    assert date(2027, 12, 30) not in {exception.day for exception in series.exceptions}


def test_a_series_whose_rule_has_ended_goes_on_as_it_was(db: DbSession, series: Series) -> None:
    series.rules[0].last_day = date(2027, 6, 30)
    series.rules.append(
        PlanningRule(
            rule="FREQ=WEEKLY;BYDAY=MO;UNTIL=20261231",
            local_start=series.rules[0].local_start,
            duration_minutes=30,
            first_day=date(2026, 12, 28),
        )
    )
    db.commit()

    (found,) = season_copy.outlook(db, [series], SPAN)

    assert found.note.startswith("No rule of this series holds in the new season")
    assert len(found.dates) == 17


def test_talks_without_a_date_are_named(db: DbSession, series: Series) -> None:
    series.rules[0].rule = "FREQ=MONTHLY;BYDAY=1TH"
    db.commit()

    (found,) = season_copy.outlook(db, [series], SPAN)

    assert [len(found.dates), len(found.left)] == [2, 4]


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
@pytest.mark.parametrize(
    ("span", "words"),
    [
        (Span(SPAN.last_day, SPAN.first_day, SPAN.new_first_day), "Exchange the two days"),
        (Span(date(2020, 1, 1), SPAN.last_day, SPAN.new_first_day), "3 years at a time"),
        (Span(SPAN.first_day, SPAN.last_day, SPAN.last_day), "Choose a later day"),
    ],
)
def test_days_that_make_no_season_are_refused(
    db: DbSession, series: Series, span: Span, words: str
) -> None:
    with pytest.raises(ImpossibleSeason) as refusal:
        season_copy.outlook(db, [series], span)

    assert words in str(refusal.value)
