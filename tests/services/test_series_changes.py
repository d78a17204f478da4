"""Another rule from a day on: shown before it happens, done in one piece, taken back in one."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime, time

import pytest
from sqlalchemy import select

from tests.builders import NOW, make_registration, make_series, make_user
from webinar.db import DbSession
from webinar.domain.errors import DomainError
from webinar.domain.series import ImpossibleSpan, NoDates, RuleRow
from webinar.domain.session import SessionStatus
from webinar.models import AuditEvent, Delivery, Series, WebinarSession
from webinar.services import season_changes, series, series_breaks, series_changes
from webinar.services.feeds import CalendarTool
from webinar.services.series_changes import NothingChanges, RuleChange

THURSDAYS = RuleRow("FREQ=WEEKLY;BYDAY=TH", time(18, 15), 45, date(2026, 11, 26))
FROM, UNTIL = date(2026, 12, 7), date(2026, 12, 31)

Do = Callable[..., RuleChange]


@pytest.fixture
def made(db: DbSession) -> Series:
    """Thursdays from 26 November 2026, 18:15 in Zurich."""
    return make_series(db, "rounds")


@pytest.fixture
def sessions(db: DbSession, made: Series, calendar: CalendarTool) -> list[WebinarSession]:
    """Drafts of 26 November, 3, 10, 17, 24 and 31 December."""
    dates = series.plan(db, made.id, until=UNTIL, calendar=calendar, now=NOW)
    return [date_.session for date_ in dates if date_.session is not None]


@pytest.fixture
def look(db: DbSession, made: Series) -> Do:
    def preview(*rules: RuleRow, from_day: date = FROM, until: date = UNTIL) -> RuleChange:
        return series_changes.preview(db, made.id, rules, from_day=from_day, until=until, now=NOW)

    return preview


@pytest.fixture
def do(db: DbSession, made: Series, calendar: CalendarTool) -> Do:
    def apply(*rules: RuleRow, from_day: date = FROM, until: date = UNTIL) -> RuleChange:
        return series_changes.apply(
            db,
            made.id,
            rules,
            from_day=from_day,
            until=until,
            actor_id=None,
            calendar=calendar,
            now=NOW,
        )

    return apply


def season(db: DbSession) -> list[tuple[str, str]]:
    """Each session's day and hour in Zurich's winter time, with its state."""
    found = db.scalars(select(WebinarSession).order_by(WebinarSession.starts_at))
    return [(f"{session.starts_at:%m-%d %H:%M}", session.status) for session in found]


def rules(made: Series) -> list[tuple[str, str, date, date | None]]:
    return [
        (row.rule, f"{row.local_start:%H:%M}", row.first_day, row.last_day) for row in made.rules
    ]


def announce(
    db: DbSession, session: WebinarSession, calendar: CalendarTool, *, people: int
) -> None:
    """As if it had been published, with so many people who have a place."""
    session.title, session.status = "Sentinel nodes", SessionStatus.PUBLISHED
    for _ in range(people):
        make_registration(db, session, make_user(db))
    db.flush()


def test_another_weekday_adds_dates_drops_untouched_drafts_and_keeps_the_rest(
    db: DbSession, sessions: list[WebinarSession], look: Do, calendar: CalendarTool
) -> None:
    _, _, edited, announced, *untouched = sessions
    edited.title = "Margins"
    announce(db, announced, calendar, people=3)
    before = season(db)

    change = look(RuleRow("FREQ=WEEKLY;BYDAY=TU", time(18, 15), 45, FROM))

    assert [date_.day for date_ in change.added] == [
        date(2026, 12, 8),
        date(2026, 12, 15),
        date(2026, 12, 22),
        date(2026, 12, 29),
    ]
    assert [(kept.session, kept.why) for kept in change.kept] == [
        (edited, "edited"),
        (announced, "announced, 3 registered"),
    ]
    assert list(change.dropped) == untouched
    assert (change.moved, change.unchanged) == ((), 0)
    assert season(db) == before


def test_another_hour_moves_what_followed_the_rule_and_tells_the_people_once(
    db: DbSession,
    made: Series,
    sessions: list[WebinarSession],
    look: Do,
    do: Do,
    calendar: CalendarTool,
) -> None:
    _, _, by_hand, announced, *_ = sessions
    by_hand.starts_at = datetime(2026, 12, 11, 17, 15, tzinfo=UTC)
    by_hand.ends_at = datetime(2026, 12, 11, 18, 0, tzinfo=UTC)
    announce(db, announced, calendar, people=2)
    noon = RuleRow("FREQ=WEEKLY;BYDAY=TH", time(12, 30), 60, FROM)

    shown = look(noon)
    done = do(noon)

    assert [moved.session.planned_day for moved in shown.moved] == [
        date(2026, 12, 17),
        date(2026, 12, 24),
        date(2026, 12, 31),
    ]
    assert [(one, at.hour) for one, at in shown.announced_moves] == [(announced, 11)]
    assert [(kept.session, kept.why) for kept in shown.kept] == [(by_hand, "moved by hand")]
    assert (shown.moved, shown.kept, shown.added) == (done.moved, done.kept, ())
    assert season(db) == [
        ("11-26 17:15", "draft"),
        ("12-03 17:15", "draft"),
        ("12-11 17:15", "draft"),
        ("12-17 11:30", "published"),
        ("12-24 11:30", "draft"),
        ("12-31 11:30", "draft"),
    ]
    assert announced.ends_at == datetime(2026, 12, 17, 12, 30, tzinfo=UTC)
    told = db.scalars(select(Delivery.user_id).where(Delivery.kind == "session_moved")).all()
    assert len(set(told)) == len(told) == 2
    assert rules(made) == [
        ("FREQ=WEEKLY;BYDAY=TH", "18:15", date(2026, 11, 26), date(2026, 12, 6)),
        ("FREQ=WEEKLY;BYDAY=TH", "12:30", FROM, None),
    ]


def test_a_second_rule_beside_the_first_leaves_it_as_it_is(
    db: DbSession, made: Series, sessions: list[WebinarSession], do: Do
) -> None:
    row = made.rules[0].id

    done = do(THURSDAYS, RuleRow("FREQ=MONTHLY;BYDAY=2TU", time(12, 0), 60, FROM))

    assert [date_.day for date_ in done.added] == [date(2026, 12, 8)]
    assert done.unchanged == 4
    assert rules(made) == [
        ("FREQ=WEEKLY;BYDAY=TH", "18:15", date(2026, 11, 26), None),
        ("FREQ=MONTHLY;BYDAY=2TU", "12:00", FROM, None),
    ]
    assert made.rules[0].id == row
    assert len(season(db)) == 7


def test_a_rule_given_an_end_drops_what_lies_behind_it(
    db: DbSession, made: Series, sessions: list[WebinarSession], do: Do
) -> None:
    ended = replace(THURSDAYS, last_day=date(2026, 12, 20))

    done = do(ended)

    assert [session.planned_day for session in done.dropped] == [
        date(2026, 12, 24),
        date(2026, 12, 31),
    ]
    assert rules(made) == [
        ("FREQ=WEEKLY;BYDAY=TH", "18:15", date(2026, 11, 26), date(2026, 12, 20))
    ]


def test_every_second_week_goes_on_in_the_weeks_it_had(
    db: DbSession, made: Series, calendar: CalendarTool, do: Do
) -> None:
    made.rules[0].rule = "FREQ=WEEKLY;INTERVAL=2;BYDAY=TH"
    db.flush()
    series.plan(db, made.id, until=UNTIL, calendar=calendar, now=NOW)

    done = do(RuleRow("FREQ=WEEKLY;INTERVAL=2;BYDAY=TH", time(19, 0), 45, date(2026, 11, 26)))

    assert [moved.session.planned_day for moved in done.moved] == [
        date(2026, 12, 10),
        date(2026, 12, 24),
    ]
    assert done.dropped == ()


def test_a_new_rule_respects_the_breaks(
    db: DbSession, made: Series, sessions: list[WebinarSession], look: Do
) -> None:
    series_breaks.add(
        db, made.id, date(2026, 12, 21), date(2026, 12, 23), reason="Rest", actor_id=None, now=NOW
    )

    change = look(THURSDAYS, RuleRow("FREQ=WEEKLY;BYDAY=TU", time(18, 15), 45, FROM))

    assert [date_.day.day for date_ in change.added] == [8, 15, 29]


def test_a_change_that_is_taken_back_leaves_the_season_as_it_was(
    db: DbSession,
    made: Series,
    sessions: list[WebinarSession],
    do: Do,
    calendar: CalendarTool,
) -> None:
    announced = sessions[3]
    announce(db, announced, calendar, people=1)
    before, names = season(db), sorted(session.ical_uid for session in sessions)
    do(
        RuleRow("FREQ=WEEKLY;BYDAY=TU", time(18, 15), 45, FROM),
        RuleRow("FREQ=MONTHLY;BYDAY=3TH", time(12, 0), 45, FROM),
    )
    between = season(db)

    [change] = season_changes.open_for(db, None, now=NOW)
    season_changes.undo(db, change.id, actor_id=None, calendar=calendar, now=NOW)

    assert change.summary == "e-grandrounds: another rule from 7 December 2026."
    assert between == [
        ("11-26 17:15", "draft"),
        ("12-03 17:15", "draft"),
        ("12-08 17:15", "draft"),
        ("12-15 17:15", "draft"),
        ("12-17 11:00", "published"),
        ("12-22 17:15", "draft"),
        ("12-29 17:15", "draft"),
    ]
    assert season(db) == before
    assert sorted(db.scalars(select(WebinarSession.ical_uid))) == names
    assert rules(made) == [("FREQ=WEEKLY;BYDAY=TH", "18:15", date(2026, 11, 26), None)]


def test_a_change_is_written_down_with_the_rules_before_and_after(
    db: DbSession, sessions: list[WebinarSession], do: Do
) -> None:
    do(RuleRow("FREQ=WEEKLY;BYDAY=TU", time(18, 15), 45, FROM))

    event = db.scalars(select(AuditEvent).where(AuditEvent.action == "series rule changed")).one()
    assert event.before == {"rules": ["FREQ=WEEKLY;BYDAY=TH 18:15"]}
    assert event.after == {
        "from": "2026-12-07",
        "rules": ["FREQ=WEEKLY;BYDAY=TH 18:15", "FREQ=WEEKLY;BYDAY=TU 18:15"],
        "added": 4,
        "moved": 0,
        "kept": 0,
        "dropped": 4,
    }


def test_a_series_that_is_not_planned_yet_may_get_another_rule_from_its_first_day(
    made: Series, do: Do
) -> None:
    first = date(2026, 11, 26)

    done = do(RuleRow("FREQ=WEEKLY;BYDAY=FR", time(12, 0), 45, first), from_day=first)

    assert [date_.day.day for date_ in done.added] == [27, 4, 11, 18, 25]
    assert rules(made) == [("FREQ=WEEKLY;BYDAY=FR", "12:00", date(2026, 11, 26), None)]


@pytest.mark.parametrize(
    ("wanted", "from_day", "refusal", "sentence"),
    [
        ([THURSDAYS], FROM, NothingChanges, "by these rules already"),
        ([], FROM, NoDates, "no rule yet"),
        ([THURSDAYS], date(2026, 11, 19), ImpossibleSpan, "What is over stays as it was"),
        ([THURSDAYS], date(2099, 1, 1), ImpossibleSpan, "3 years at most"),
        (
            [RuleRow("FREQ=WEEKLY", time(18, 15), 45, date(2026, 11, 1), date(2026, 12, 1))],
            FROM,
            NoDates,
            "names no date from 7 December 2026 on",
        ),
    ],
)
def test_a_change_that_makes_no_sense_is_refused(
    made: Series,
    sessions: list[WebinarSession],
    look: Do,
    wanted: list[RuleRow],
    from_day: date,
    refusal: type[DomainError],
    sentence: str,
) -> None:
    with pytest.raises(refusal, match=sentence):
        look(*wanted, from_day=from_day)
