"""A season against the terms of a body: what fails and why, and which day comes next."""

from datetime import UTC, date, datetime, timedelta

import pytest

from webinar.domain.application_terms import ApplicationTerms, Covers
from webinar.domain.credit import GrantStatus
from webinar.domain.planner import PlannedSession, Standing, distance, plan

ZURICH = "Europe/Zurich"
ONCOLOGY = frozenset({"Oncology"})
WEBPACK = ApplicationTerms(
    covers=Covers.SEASON,
    weeks_before=12,
    recommended_weeks=14,
    late_weeks=10,
    within_months=12,
    shortest_minutes=30,
    longest_minutes=120,
    fewest_sessions=2,
    same_specialty=True,
)
SINGLE = ApplicationTerms(weeks_before=4)


def session(
    starts_at: datetime,
    minutes: int = 45,
    *,
    status: GrantStatus = GrantStatus.NONE,
    specialties: frozenset[str] = ONCOLOGY,
) -> PlannedSession:
    return PlannedSession(
        key=starts_at.isoformat(),
        title="Nodes",
        starts_at=starts_at,
        ends_at=starts_at + timedelta(minutes=minutes),
        zone=ZURICH,
        specialties=specialties,
        status=status,
    )


def at(year: int, month: int, day: int, hour: int = 17, minute: int = 15) -> datetime:
    return datetime(year, month, day, hour, minute, tzinfo=UTC)


FIRST, SECOND = session(at(2027, 3, 4)), session(at(2027, 3, 11))


@pytest.mark.parametrize(
    ("today", "standing", "next_day", "words"),
    [
        (date(2026, 11, 22), Standing.DUE, date(2026, 11, 26), "in 4 days"),
        (date(2026, 11, 26), Standing.DUE, date(2026, 11, 26), "today"),
        (date(2026, 11, 27), Standing.DUE, date(2026, 12, 10), "in 13 days"),
        (date(2026, 12, 10), Standing.DUE, date(2026, 12, 10), "today"),
        (date(2026, 12, 11), Standing.LATE_FEE, date(2026, 12, 24), "in 13 days"),
        (date(2026, 12, 24), Standing.LATE_FEE, date(2026, 12, 24), "today"),
        (date(2026, 12, 25), Standing.TOO_LATE, date(2026, 12, 24), "overdue by 1 day"),
        (date(2027, 1, 2), Standing.TOO_LATE, date(2026, 12, 24), "overdue by 9 days"),
    ],
)
def test_the_next_day_comes_first_and_an_overdue_one_is_called_so(
    today: date, standing: Standing, next_day: date, words: str
) -> None:
    planned = plan(WEBPACK, [SECOND, FIRST], today=today)

    assert planned.standing is standing
    assert planned.next_deadline is not None
    assert (planned.next_deadline.day, planned.next_deadline.words) == (next_day, words)


def test_a_whole_season_that_holds_says_why() -> None:
    planned = plan(WEBPACK, [FIRST, SECOND], today=date(2026, 11, 22))

    assert [(check.what, check.holds, check.why) for check in planned.checks] == [
        ("At least 2 sessions", True, "2 sessions are not applied for yet."),
        (
            "All within 12 months of the first",
            True,
            "The first is on 4 Mar 2027, so the last may be on 4 Mar 2028.",
        ),
        ("Each from 30 to 120 minutes", True, "All of them are."),
        ("One specialty", True, "Oncology."),
    ]
    assert [line.faults for line in planned.lines] == [(), ()]
    assert len(planned.applicable) == 2


@pytest.mark.parametrize(
    ("other", "fault"),
    [
        (session(at(2027, 4, 1), 29), "29 minutes: the least is 30."),
        (session(at(2027, 4, 1), 121), "121 minutes: the most is 120."),
        (
            session(at(2028, 3, 5)),
            "After 4 Mar 2028, the last day within 12 months of the first.",
        ),
        (
            session(at(2027, 4, 1), specialties=frozenset({"Cardiology"})),
            "Another specialty: Cardiology, not Oncology.",
        ),
        (session(at(2027, 4, 1), specialties=frozenset()), "No topic yet, so no specialty."),
    ],
)
def test_each_session_says_what_the_body_would_not_take(other: PlannedSession, fault: str) -> None:
    planned = plan(WEBPACK, [FIRST, SECOND, other], today=date(2026, 11, 22))

    assert planned.lines[2].faults == (fault,)
    assert [check.holds for check in planned.checks].count(False) == 1
    assert len(planned.applicable) == 2


@pytest.mark.parametrize("minutes", [30, 120])
def test_the_limits_themselves_hold(minutes: int) -> None:
    planned = plan(WEBPACK, [FIRST, session(at(2028, 3, 4), minutes)], today=date(2026, 11, 22))

    assert [line.faults for line in planned.lines] == [(), ()]


def test_days_are_those_of_the_sessions_zone_and_minutes_are_real() -> None:
    # Half past midnight in Zurich on the day the clocks go forward; 01:30 to 03:15 is 45 minutes.
    early = session(at(2027, 3, 27, 23, 30))
    over_the_gap = session(at(2027, 3, 28, 0, 30))
    # The second half past two of the day they go back.
    twice = session(at(2027, 10, 31, 1, 30))

    planned = plan(WEBPACK, [early, over_the_gap, twice], today=date(2026, 12, 1))

    assert [line.session.day for line in planned.lines] == [
        date(2027, 3, 28),
        date(2027, 3, 28),
        date(2027, 10, 31),
    ]
    assert [line.session.minutes for line in planned.lines] == [45, 45, 45]
    assert planned.next_deadline is not None
    assert planned.next_deadline.day == date(2026, 12, 20)


def test_a_season_that_begins_on_a_leap_day_ends_with_february() -> None:
    first = session(at(2028, 2, 29))
    inside, outside = session(at(2029, 2, 28)), session(at(2029, 3, 1))

    planned = plan(WEBPACK, [first, inside, outside], today=date(2027, 11, 1))

    assert [bool(line.faults) for line in planned.lines] == [False, False, True]


def test_what_was_applied_for_no_longer_waits_and_the_next_one_counts() -> None:
    applied = session(at(2026, 11, 26), status=GrantStatus.APPLIED)
    granted = session(at(2026, 12, 3), status=GrantStatus.GRANTED)

    planned = plan(WEBPACK, [applied, granted, FIRST, SECOND], today=date(2026, 11, 22))
    done = plan(WEBPACK, [applied, granted], today=date(2026, 11, 22))

    assert (planned.standing, len(planned.open)) == (Standing.DUE, 2)
    assert planned.next_deadline is not None
    assert planned.next_deadline.day == date(2026, 11, 26)
    assert (planned.count(GrantStatus.APPLIED), planned.count(GrantStatus.GRANTED)) == (1, 1)
    assert (done.standing, done.deadlines, done.next_deadline) == (Standing.DONE, (), None)


def test_where_the_first_is_too_late_the_first_in_time_is_named() -> None:
    soon = session(at(2026, 12, 3))

    planned = plan(WEBPACK, [soon, FIRST, SECOND], today=date(2026, 11, 22))

    assert planned.standing is Standing.TOO_LATE
    assert planned.in_time_from == date(2027, 3, 4)


def test_single_applications_have_a_day_each() -> None:
    soon = session(at(2026, 12, 3))

    planned = plan(SINGLE, [soon, FIRST, SECOND], today=date(2026, 11, 22))

    assert planned.standing is Standing.DUE
    assert [(one.day, one.is_over) for one in planned.deadlines] == [
        (date(2027, 2, 4), False),
        (date(2027, 2, 11), False),
        (date(2026, 11, 5), True),
    ]
    assert planned.deadlines[2].what == "Last day to apply for the session of 3 Dec 2026"
    assert planned.lines[0].deadline == planned.deadlines[2]
    assert planned.checks == ()


def test_a_body_that_only_advises_has_no_last_day() -> None:
    planned = plan(ApplicationTerms(recommended_weeks=6), [FIRST], today=date(2026, 11, 22))
    silent = plan(ApplicationTerms(), [FIRST], today=date(2026, 11, 22))

    assert planned.standing is Standing.NO_DEADLINE
    assert planned.deadlines[0].what == "Recommended day to apply for the session of 4 Mar 2027"
    assert (silent.standing, silent.deadlines) == (Standing.NO_DEADLINE, ())


def test_without_topics_the_specialty_is_not_known() -> None:
    bare = [session(at(2027, 3, 4), specialties=frozenset()) for _ in range(2)]

    planned = plan(WEBPACK, bare, today=date(2026, 11, 22))

    assert planned.specialty == ""
    assert planned.checks[-1].holds is False
    assert planned.checks[-1].why.startswith("No session has a topic, so the specialty is not")


def test_what_the_body_has_in_its_hands_is_no_longer_held_against_its_specialty() -> None:
    cardiology = frozenset({"Cardiology"})
    granted = session(at(2027, 2, 4), 20, status=GrantStatus.GRANTED, specialties=cardiology)

    planned = plan(WEBPACK, [granted, FIRST, SECOND], today=date(2026, 11, 22))

    assert planned.lines[0].faults == ("20 minutes: the least is 30.",)
    assert (planned.specialty, planned.checks[-1].holds) == ("Oncology", True)


def test_an_empty_season_fails_nothing() -> None:
    planned = plan(WEBPACK, [], today=date(2026, 11, 22))

    assert (planned.standing, planned.checks, planned.lines) == (Standing.DONE, (), ())


def test_a_bound_that_is_said_alone_is_checked_alone() -> None:
    least = plan(ApplicationTerms(shortest_minutes=60), [FIRST], today=date(2026, 11, 22))
    most = plan(ApplicationTerms(longest_minutes=60), [FIRST], today=date(2026, 11, 22))

    assert [(c.what, c.holds) for c in least.checks] == [("Each 60 minutes or more", False)]
    assert [(c.what, c.holds) for c in most.checks] == [("Each 60 minutes or less", True)]
    assert least.checks[0].why == "1 session does not hold: 4 Mar 2027."


@pytest.mark.parametrize(
    ("days", "words"),
    [(1, "in 1 day"), (20, "in 20 days"), (21, "in 3 weeks"), (-30, "overdue by 4 weeks")],
)
def test_how_far_a_day_is(days: int, words: str) -> None:
    today = date(2026, 11, 22)

    assert distance(today + timedelta(days=days), today) == words
