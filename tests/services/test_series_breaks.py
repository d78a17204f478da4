"""Breaks of a series: a day or a whole August, over what is planned already or not."""

from collections.abc import Callable
from dataclasses import replace
from datetime import date

import pytest
from sqlalchemy import select

from tests.builders import NOW, make_registration, make_series, make_user
from webinar.db import DbSession, open_db
from webinar.domain.errors import DomainError
from webinar.domain.session import ChangedMeanwhile, SessionStatus
from webinar.models import AuditEvent, Series, WebinarSession
from webinar.services import season_changes, series, series_breaks, sessions
from webinar.services.feeds import CalendarTool
from webinar.services.series_breaks import AlreadyPlanned, Break, DraftsInTheWay, ImpossibleBreak
from webinar.services.series_drafts import discard_all
from webinar.services.session_facts import details_of
from webinar.services.societies import NameMissing

Plan = Callable[[date], list[WebinarSession]]


@pytest.fixture
def made(db: DbSession) -> Series:
    """Thursdays from 26 November 2026, 18:15 in Zurich."""
    return make_series(db, "rounds")


@pytest.fixture
def plan(db: DbSession, made: Series, calendar: CalendarTool) -> Plan:
    def until(day: date) -> list[WebinarSession]:
        dates = series.plan(db, made.id, until=day, calendar=calendar, now=NOW)
        return [date_.session for date_ in dates if date_.session is not None]

    return until


def days_of(db: DbSession, made: Series) -> list[date | None]:
    return list(
        db.scalars(
            select(WebinarSession.planned_day)
            .where(WebinarSession.series_id == made.id)
            .order_by(WebinarSession.planned_day)
        )
    )


def test_days_of_a_break_are_not_planned(db: DbSession, made: Series, plan: Plan) -> None:
    series_breaks.add(
        db, made.id, date(2026, 12, 20), date(2027, 1, 5), reason="Holidays", actor_id=None, now=NOW
    )
    series_breaks.add(db, made.id, date(2026, 12, 3), reason="Congress", actor_id=None, now=NOW)

    plan(date(2027, 1, 14))

    assert days_of(db, made) == [
        date(2026, 11, 26),
        date(2026, 12, 10),
        date(2026, 12, 17),
        date(2027, 1, 7),
        date(2027, 1, 14),
    ]
    assert series_breaks.of_series(made) == [
        Break(date(2026, 12, 3), date(2026, 12, 3), "Congress"),
        Break(date(2026, 12, 20), date(2027, 1, 5), "Holidays"),
    ]


def test_a_break_that_is_removed_is_planned_again(db: DbSession, made: Series, plan: Plan) -> None:
    series_breaks.add(
        db, made.id, date(2026, 12, 1), date(2026, 12, 31), reason="Rest", actor_id=None, now=NOW
    )

    gone = series_breaks.remove(
        db, made.id, date(2026, 12, 1), date(2026, 12, 9), actor_id=None, now=NOW
    )
    none = series_breaks.remove(
        db, made.id, date(2026, 12, 1), date(2026, 12, 9), actor_id=None, now=NOW
    )

    assert (gone, none) == (9, 0)
    plan(date(2026, 12, 31))
    assert days_of(db, made) == [date(2026, 11, 26), date(2026, 12, 3)]
    assert db.scalars(select(AuditEvent.action)).all() == [
        "series break added",
        "series break removed",
        "series planned",
    ]


def test_a_break_over_untouched_drafts_asks_before_it_discards_them(
    db: DbSession, made: Series, plan: Plan
) -> None:
    plan(date(2026, 12, 31))
    days = (date(2026, 12, 20), date(2027, 1, 3))

    with pytest.raises(DraftsInTheWay, match="2 drafts are planned in these days"):
        series_breaks.add(db, made.id, *days, reason="Holidays", actor_id=None, now=NOW)
    before = days_of(db, made)
    series_breaks.add(
        db, made.id, *days, reason="Holidays", discard_drafts=True, actor_id=None, now=NOW
    )

    assert len(before) == 6
    assert days_of(db, made) == [
        date(2026, 11, 26),
        date(2026, 12, 3),
        date(2026, 12, 10),
        date(2026, 12, 17),
    ]


def test_what_somebody_worked_on_stays_and_its_day_is_no_break(
    db: DbSession, made: Series, plan: Plan
) -> None:
    _, edited, announced, untouched = plan(date(2026, 12, 17))
    edited.title = "Sentinel nodes"
    announced.status = SessionStatus.PUBLISHED
    make_registration(db, announced, make_user(db))

    met = series_breaks.outlook(db, made, date(2026, 12, 1), date(2026, 12, 31), now=NOW)
    days = series_breaks.add(
        db,
        made.id,
        date(2026, 12, 1),
        date(2026, 12, 31),
        reason="Rest",
        discard_drafts=True,
        actor_id=None,
        now=NOW,
    )

    assert met.drafts == (untouched,)
    assert [(kept.session, kept.why) for kept in met.kept] == [
        (edited, "edited"),
        (announced, "announced, 1 registered"),
    ]
    assert len(days) == 29
    assert days_of(db, made) == [date(2026, 11, 26), date(2026, 12, 3), date(2026, 12, 10)]


def test_a_day_with_an_announced_session_alone_is_no_break(
    db: DbSession, made: Series, plan: Plan
) -> None:
    [session] = plan(date(2026, 11, 26))
    session.status = SessionStatus.PUBLISHED

    with pytest.raises(AlreadyPlanned, match="The session of 26 November 2026 is announced"):
        series_breaks.add(
            db, made.id, date(2026, 11, 26), reason="Congress", actor_id=None, now=NOW
        )


@pytest.mark.parametrize(
    ("first", "last", "reason", "refusal"),
    [
        (date(2026, 12, 2), date(2026, 12, 1), "Rest", ImpossibleBreak),
        (date(2026, 12, 2), date(2027, 12, 3), "Rest", ImpossibleBreak),
        (date(2026, 12, 2), date(2026, 12, 3), " ", NameMissing),
        (date(2026, 12, 2), date(2026, 12, 3), "x" * 201, NameMissing),
    ],
)
def test_a_break_that_makes_no_sense_is_refused(
    db: DbSession,
    made: Series,
    first: date,
    last: date,
    reason: str,
    refusal: type[DomainError],
) -> None:
    with pytest.raises(refusal):
        series_breaks.add(db, made.id, first, last, reason=reason, actor_id=None, now=NOW)

    assert made.exceptions == []


def test_a_break_that_is_taken_back_brings_its_drafts_back_as_they_were(
    db: DbSession, made: Series, plan: Plan, calendar: CalendarTool
) -> None:
    first, second = plan(date(2026, 12, 3))
    names = [(one.public_id, one.ical_uid, one.starts_at) for one in (first, second)]
    change = season_changes.begin(db, actor_id=None, summary="A break.", now=NOW)
    series_breaks.add(
        db,
        made.id,
        date(2026, 11, 20),
        date(2026, 12, 10),
        reason="Rest",
        discard_drafts=True,
        change=change,
        actor_id=None,
        now=NOW,
    )
    emptied = days_of(db, made)

    season_changes.undo(db, change.id, actor_id=None, calendar=calendar, now=NOW)

    again = db.scalars(select(WebinarSession).order_by(WebinarSession.starts_at)).all()
    assert emptied == []
    assert [(one.public_id, one.ical_uid, one.starts_at) for one in again] == names
    assert made.exceptions == []
    assert [row.rule for row in made.rules] == ["FREQ=WEEKLY;BYDAY=TH"]


def test_a_break_is_not_taken_back_over_another_one(
    db: DbSession, made: Series, calendar: CalendarTool
) -> None:
    changes = []
    for day in (date(2026, 12, 24), date(2027, 2, 11)):
        changes.append(season_changes.begin(db, actor_id=None, summary="A break.", now=NOW))
        series_breaks.add(
            db, made.id, day, reason="Rest", change=changes[-1], actor_id=None, now=NOW
        )
    first, second = (change.id for change in changes)

    with pytest.raises(ChangedMeanwhile):
        season_changes.undo(db, first, actor_id=None, calendar=calendar, now=NOW)
    there = len(made.exceptions)
    season_changes.undo(db, second, actor_id=None, calendar=calendar, now=NOW)
    season_changes.undo(db, first, actor_id=None, calendar=calendar, now=NOW)

    assert there == 2
    assert made.exceptions == []


def test_a_draft_that_somebody_fills_in_meanwhile_is_not_discarded(
    db: DbSession, made: Series, plan: Plan, calendar: CalendarTool
) -> None:
    (first,) = plan(date(2026, 11, 26))
    db.commit()
    with open_db.begin() as colleagues:
        theirs = colleagues.get_one(WebinarSession, first.id)
        filled = replace(details_of(theirs), title="Sentinel nodes")
        sessions.edit(colleagues, first.id, filled, actor_id=None, calendar=calendar, now=NOW)

    with pytest.raises(ChangedMeanwhile):
        discard_all(db, [first], reason="Rest", change=None, actor_id=None, now=NOW)

    assert first.title == "Sentinel nodes"
