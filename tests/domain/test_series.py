from datetime import UTC, date, datetime, time, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from webinar.domain.errors import DomainError
from webinar.domain.recurrence import UnknownRule, parse
from webinar.domain.series import (
    ImpossibleDuration,
    ImpossibleSpan,
    NoDates,
    PlannedSession,
    RuleRow,
    SeriesRule,
    TooManyDates,
    continued,
    describe,
    plan,
    plan_together,
    rhythm,
)
from webinar.domain.timezone import AmbiguousWallTime, NonexistentWallTime, UnknownZone

ZURICH = "Europe/Zurich"


def rule_of(
    text: str = "FREQ=WEEKLY;BYDAY=TH",
    *,
    local_start: time = time(18, 15),
    minutes: int = 45,
    zone: str = ZURICH,
    exceptions: frozenset[date] = frozenset(),
    starts_on: date | None = None,
) -> SeriesRule:
    return SeriesRule(text, local_start, minutes, zone, exceptions, starts_on)


def days_of(text: str, first: date, last: date, *, starts_on: date | None = None) -> list[str]:
    planned = plan(rule_of(text, starts_on=starts_on), first_day=first, last_day=last)
    return [session.local_start.date().isoformat() for session in planned]


def test_a_planned_session_knows_its_instants_and_its_wall_time():
    planned = plan(rule_of(), first_day=date(2026, 11, 26), last_day=date(2026, 11, 26))

    assert planned == [
        PlannedSession(
            starts_at=datetime(2026, 11, 26, 17, 15, tzinfo=UTC),
            ends_at=datetime(2026, 11, 26, 18, 0, tzinfo=UTC),
            local_start=datetime(2026, 11, 26, 18, 15),
            zone=ZURICH,
        )
    ]


@pytest.mark.parametrize(
    ("day", "instant"),
    [
        (date(2026, 3, 3), datetime(2026, 3, 3, 17, 15, tzinfo=UTC)),
        (date(2026, 4, 7), datetime(2026, 4, 7, 16, 15, tzinfo=UTC)),
        (date(2026, 10, 6), datetime(2026, 10, 6, 16, 15, tzinfo=UTC)),
        (date(2026, 11, 3), datetime(2026, 11, 3, 17, 15, tzinfo=UTC)),
    ],
)
def test_the_first_tuesday_keeps_its_wall_time_in_summer_and_winter(day, instant):
    month = {"first_day": day.replace(day=1), "last_day": day.replace(day=28)}

    planned = plan(rule_of("FREQ=MONTHLY;BYDAY=1TU"), **month)

    assert [session.starts_at for session in planned] == [instant]


def test_weekly_thursdays_cross_both_clock_changes():
    planned = plan(rule_of(), first_day=date(2026, 10, 15), last_day=date(2027, 4, 8))

    hours = [(s.starts_at.date().isoformat(), s.starts_at.hour) for s in planned]
    assert len(planned) == 26
    assert {s.local_start.time() for s in planned} == {time(18, 15)}
    assert hours[:3] == [("2026-10-15", 16), ("2026-10-22", 16), ("2026-10-29", 17)]
    assert hours[-3:] == [("2027-03-25", 17), ("2027-04-01", 16), ("2027-04-08", 16)]


@pytest.mark.parametrize(
    ("text", "first", "last", "days"),
    [
        (
            "RRULE:FREQ=WEEKLY;INTERVAL=2;BYDAY=MO",
            date(2026, 9, 7),
            date(2026, 10, 5),
            ["2026-09-07", "2026-09-21", "2026-10-05"],
        ),
        (
            "freq=monthly;byday=-1fr",
            date(2026, 9, 1),
            date(2026, 10, 31),
            ["2026-09-25", "2026-10-30"],
        ),
        (
            "FREQ=MONTHLY;BYDAY=TU;BYMONTHDAY=1,2,3,4,5,6,7",
            date(2026, 9, 1),
            date(2026, 10, 31),
            ["2026-09-01", "2026-10-06"],
        ),
        (
            "FREQ=MONTHLY;BYDAY=MO,TU,WE,TH,FR;BYSETPOS=-1",
            date(2026, 10, 1),
            date(2026, 11, 30),
            ["2026-10-30", "2026-11-30"],
        ),
        ("FREQ=DAILY;COUNT=2", date(2026, 9, 1), date(2026, 9, 30), ["2026-09-01", "2026-09-02"]),
        (
            "FREQ=WEEKLY;UNTIL=20260910T235959Z",
            date(2026, 9, 3),
            date(2026, 9, 30),
            ["2026-09-03", "2026-09-10"],
        ),
        ("FREQ=MONTHLY;BYMONTHDAY=-1", date(2027, 2, 1), date(2027, 2, 28), ["2027-02-28"]),
        ("FREQ=YEARLY;BYMONTH=3;BYDAY=1TU", date(2026, 1, 1), date(2026, 12, 31), ["2026-03-03"]),
    ],
)
def test_a_rule_names_these_days(text, first, last, days):
    assert days_of(text, first, last) == days


def test_every_second_week_is_counted_from_the_start_of_the_series():
    text, start = "FREQ=WEEKLY;INTERVAL=2;BYDAY=TH", date(2026, 9, 3)

    later = days_of(text, date(2026, 9, 8), date(2026, 9, 30), starts_on=start)

    assert later == ["2026-09-17"]


def test_exceptions_are_left_out():
    rule = rule_of(exceptions=frozenset({date(2026, 12, 24), date(2026, 12, 31)}))

    planned = plan(rule, first_day=date(2026, 12, 17), last_day=date(2027, 1, 7))

    assert [s.local_start.date() for s in planned] == [date(2026, 12, 17), date(2027, 1, 7)]


def test_a_span_in_which_every_date_is_an_exception_has_no_dates():
    rule = rule_of(exceptions=frozenset({date(2026, 12, 24)}))

    with pytest.raises(NoDates) as refusal:
        plan(rule, first_day=date(2026, 12, 18), last_day=date(2026, 12, 30))

    assert str(refusal.value) == (
        "The rule names no date from 18 December 2026 to 30 December 2026. "
        "Choose other days or another rule."
    )


@pytest.mark.parametrize(
    ("minutes", "sentence"),
    [
        (0, "A session has to end after it starts. Give it at least one minute."),
        (-45, "A session has to end after it starts. Give it at least one minute."),
        (721, "A session lasts 12 hours at most. Choose an earlier end."),
    ],
)
def test_a_session_that_ends_before_it_starts_or_after_half_a_day_is_refused(minutes, sentence):
    with pytest.raises(ImpossibleDuration) as refusal:
        plan(rule_of(minutes=minutes), first_day=date(2026, 9, 1), last_day=date(2026, 9, 30))

    assert str(refusal.value) == sentence


@pytest.mark.parametrize(
    ("rule", "first", "last", "refusal"),
    [
        (rule_of(zone="Europe/Bern"), date(2026, 9, 1), date(2026, 9, 30), UnknownZone),
        (rule_of(), date(2026, 9, 30), date(2026, 9, 1), ImpossibleSpan),
        (rule_of(), date(2026, 9, 30), date(2029, 10, 30), ImpossibleSpan),
        (
            rule_of(starts_on=date(1990, 1, 1)),
            date(2026, 9, 1),
            date(2026, 9, 30),
            ImpossibleSpan,
        ),
        (rule_of("FREQ=DAILY"), date(2026, 9, 1), date(2029, 8, 30), TooManyDates),
        (
            rule_of("FREQ=WEEKLY;BYDAY=SU", local_start=time(2, 30)),
            date(2027, 3, 1),
            date(2027, 3, 31),
            NonexistentWallTime,
        ),
        (
            rule_of("FREQ=WEEKLY;BYDAY=SU", local_start=time(2, 30)),
            date(2026, 10, 1),
            date(2026, 10, 31),
            AmbiguousWallTime,
        ),
    ],
)
def test_a_plan_that_cannot_be_made_is_refused(rule, first, last, refusal):
    with pytest.raises(refusal):
        plan(rule, first_day=first, last_day=last)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "every Thursday",
        "BYDAY=TH",
        "FREQ=HOURLY",
        "FREQ=WEEKLY;BYDAY=XX",
        "FREQ=WEEKLY;BYDAY=1TH",
        "FREQ=WEEKLY;BYDAY=TH;BYDAY=FR",
        "FREQ=WEEKLY;BYDAY=",
        "FREQ=WEEKLY;BYHOUR=1,2,3",
        "FREQ=WEEKLY;BYMINUTE=1",
        "FREQ=WEEKLY;BYSECOND=1",
        "FREQ=WEEKLY;INTERVAL=0",
        "FREQ=WEEKLY;INTERVAL=-1",
        "FREQ=WEEKLY;INTERVAL=1,2",
        "FREQ=WEEKLY;INTERVAL=99999999999",
        "FREQ=WEEKLY;INTERVAL=²",
        "FREQ=WEEKLY;COUNT=0",
        "FREQ=WEEKLY;COUNT=3;UNTIL=20270101",
        "FREQ=WEEKLY;UNTIL=20270230",
        "FREQ=WEEKLY;UNTIL=soon",
        "FREQ=WEEKLY;WKST=XX",
        "FREQ=MONTHLY;BYMONTHDAY=31",
        "FREQ=MONTHLY;BYMONTH=2",
        "FREQ=MONTHLY;BYMONTH=13;BYDAY=1TU",
        "FREQ=MONTHLY;INTERVAL=12;BYMONTH=2;BYDAY=1TU",
        "FREQ=MONTHLY;BYSETPOS=1",
        "FREQ=MONTHLY;BYDAY=1TU;BYSETPOS=2",
        "FREQ=MONTHLY;BYDAY=1TU;BYMONTHDAY=20",
        "FREQ=YEARLY;BYMONTHDAY=1",
        "FREQ=YEARLY;BYEASTER=1",
        "FREQ=DAILY;INTERVAL=7;BYDAY=MO",
        "FREQ=DAILY;BYMONTHDAY=1",
        "FREQ=WEEKLY;BYDAY=TH;" * 30,
        "RRULE:RRULE:FREQ=DAILY",
        "FREQ=WEEKLY\nRRULE:FREQ=DAILY",
    ],
)
def test_a_rule_that_is_not_understood_is_refused(text):
    with pytest.raises(UnknownRule):
        parse(text)


def test_the_refusal_of_a_rule_says_what_to_write():
    with pytest.raises(UnknownRule) as refusal:
        parse("FREQ=WEEKLY;BYDAY=Thursday")

    assert str(refusal.value) == (
        '"THURSDAY" is not a day. Write it like "FREQ=WEEKLY;BYDAY=TH" or "FREQ=MONTHLY;BYDAY=1TU".'
    )


RULE_WORDS = st.lists(
    st.one_of(
        st.sampled_from(["INTERVAL=2", "INTERVAL=12", "INTERVAL=48", "COUNT=3", "BYSETPOS=4"]),
        st.sampled_from(["BYDAY=TH", "BYDAY=5TH", "BYDAY=-5SU", "BYDAY=MO,WE", "BYSETPOS=-1"]),
        st.sampled_from(["BYMONTH=2", "BYMONTH=2,4", "BYMONTHDAY=28", "BYMONTHDAY=-28,1"]),
    ),
    max_size=5,
)


@given(
    frequency=st.sampled_from(["DAILY", "WEEKLY", "MONTHLY", "YEARLY"]),
    words=RULE_WORDS,
    first_day=st.dates(date(2024, 1, 1), date(2040, 1, 1)),
    span=st.integers(0, 400),
)
def test_a_rule_yields_ordered_days_inside_the_span_or_a_refusal(frequency, words, first_day, span):
    last_day = first_day + timedelta(days=span)
    rule = rule_of(";".join([f"FREQ={frequency}", *words]))
    try:
        planned = plan(rule, first_day=first_day, last_day=last_day)
    except DomainError:
        return

    days = [session.local_start.date() for session in planned]
    assert days == sorted(set(days))
    assert first_day <= days[0] <= days[-1] <= last_day
    assert {session.local_start.time() for session in planned} == {time(18, 15)}
    assert {session.ends_at - session.starts_at for session in planned} == {timedelta(minutes=45)}


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("FREQ=WEEKLY;BYDAY=TH", "every Thursday"),
        ("FREQ=WEEKLY;BYDAY=TH,TU", "every Tuesday and Thursday"),
        ("FREQ=WEEKLY;BYDAY=MO,TU,WE,TH,FR", "every weekday"),
        ("FREQ=WEEKLY;INTERVAL=2;BYDAY=MO", "every 2 weeks on Monday"),
        ("FREQ=WEEKLY", "every week"),
        ("FREQ=WEEKLY;BYDAY=TH;BYMONTH=10,1", "every Thursday in January and October"),
        ("FREQ=WEEKLY;BYDAY=TH;COUNT=10", "every Thursday, 10 times"),
        ("FREQ=WEEKLY;BYDAY=TH;UNTIL=20270430", "every Thursday, until 30 April 2027"),
        ("FREQ=MONTHLY;BYDAY=1TU", "first Tuesday of the month"),
        ("FREQ=MONTHLY;BYDAY=-1FR", "last Friday of the month"),
        ("FREQ=MONTHLY;BYDAY=1TU,3TU", "first Tuesday and third Tuesday of the month"),
        ("FREQ=MONTHLY;INTERVAL=2;BYDAY=1TU", "every 2 months on the first Tuesday"),
        ("FREQ=MONTHLY;BYDAY=MO,TU;BYSETPOS=-1", "last Monday or Tuesday of the month"),
        ("FREQ=MONTHLY;BYDAY=MO,TU,WE,TH,FR;BYSETPOS=1", "first weekday of the month"),
        ("FREQ=MONTHLY;BYMONTHDAY=15", "15th day of the month"),
        ("FREQ=MONTHLY;BYMONTHDAY=-1", "last day of the month"),
        ("FREQ=MONTHLY;BYMONTHDAY=1,2,3,11,22", "1st, 2nd, 3rd, 11th and 22nd day of the month"),
        ("FREQ=MONTHLY", "every month"),
        ("FREQ=DAILY", "every day"),
        ("FREQ=DAILY;INTERVAL=3", "every 3 days"),
        ("FREQ=YEARLY;BYMONTH=3;BYDAY=1TU", "first Tuesday of March"),
        (
            "FREQ=YEARLY;INTERVAL=2;BYMONTH=3;BYDAY=1TU",
            "every 2 years on the first Tuesday of March",
        ),
    ],
)
def test_a_rule_is_said_in_plain_words(text, words):
    assert describe(rule_of(text)) == words


def test_a_weekly_rule_without_a_day_is_said_with_the_day_it_starts_on():
    assert describe(rule_of("FREQ=WEEKLY", starts_on=date(2026, 11, 26))) == "every Thursday"


@pytest.mark.parametrize(
    ("text", "ends_on", "words"),
    [
        ("FREQ=WEEKLY;BYDAY=TH", None, "every Thursday, 18:15 Zurich time, 45 minutes"),
        (
            "FREQ=WEEKLY;INTERVAL=3;BYDAY=TH",
            None,
            "every 3 weeks on Thursday, 18:15 Zurich time, 45 minutes",
        ),
        (
            "FREQ=WEEKLY;BYDAY=TH;COUNT=10",
            None,
            "every Thursday, 18:15 Zurich time, 45 minutes, 10 times from 26 November 2026",
        ),
        (
            "FREQ=WEEKLY;BYDAY=TH;COUNT=1",
            None,
            "every Thursday, 18:15 Zurich time, 45 minutes, once from 26 November 2026",
        ),
        (
            "FREQ=WEEKLY;BYDAY=TH;UNTIL=20270430",
            None,
            "every Thursday, 18:15 Zurich time, 45 minutes, until 30 April 2027",
        ),
        (
            "FREQ=WEEKLY;BYDAY=TH;UNTIL=20270430",
            date(2027, 3, 31),
            "every Thursday, 18:15 Zurich time, 45 minutes, until 31 March 2027",
        ),
    ],
)
def test_a_rhythm_says_last_how_it_ends(text, ends_on, words):
    row = RuleRow(text, time(18, 15), 45, date(2026, 11, 26), ends_on)

    assert rhythm(row.of_series(ZURICH)) == words


def test_a_series_by_two_rules_meets_once_a_day_by_the_first_that_names_it():
    weekly = rule_of("FREQ=WEEKLY;BYDAY=TH")
    monthly = rule_of("FREQ=MONTHLY;BYDAY=TU,TH;BYSETPOS=1", local_start=time(12, 0))

    planned = plan_together(
        [weekly, monthly], first_day=date(2026, 12, 1), last_day=date(2027, 1, 10)
    )

    assert [f"{session.local_start:%m-%d %H:%M}" for session in planned] == [
        "12-01 12:00",
        "12-03 18:15",
        "12-10 18:15",
        "12-17 18:15",
        "12-24 18:15",
        "12-31 18:15",
        "01-05 12:00",
        "01-07 18:15",
    ]


def test_a_rule_that_ended_decades_ago_does_not_hinder_the_one_that_holds():
    old = RuleRow("FREQ=WEEKLY", time(18, 15), 45, date(1999, 1, 7), date(2001, 1, 4))
    new = RuleRow("FREQ=WEEKLY", time(18, 15), 45, date(2026, 11, 26))

    planned = plan_together(
        [old.of_series(ZURICH), new.of_series(ZURICH)],
        first_day=date(2026, 11, 26),
        last_day=date(2026, 12, 3),
    )

    assert [session.local_start.day for session in planned] == [26, 3]


@pytest.mark.parametrize(
    ("text", "day", "goes_on"),
    [
        ("FREQ=WEEKLY;INTERVAL=2;BYDAY=TH", date(2026, 12, 4), date(2026, 12, 10)),
        ("FREQ=MONTHLY;INTERVAL=2;BYDAY=1TU", date(2026, 12, 1), date(2027, 1, 5)),
        ("FREQ=WEEKLY", date(2026, 11, 1), date(2026, 11, 26)),
    ],
)
def test_a_rule_goes_on_in_the_same_weeks(text, day, goes_on):
    row = RuleRow(text, time(18, 15), 45, date(2026, 11, 26))

    assert continued(row, day) == RuleRow(text, time(18, 15), 45, goes_on)


def test_what_a_count_leaves_is_carried_over_and_a_rule_that_is_over_is_not():
    ten = RuleRow("FREQ=WEEKLY;BYDAY=TH;COUNT=10", time(18, 15), 45, date(2026, 11, 26))
    ended = RuleRow("FREQ=WEEKLY", time(18, 15), 45, date(2026, 11, 26), date(2026, 12, 31))

    assert continued(ten, date(2026, 12, 10)) == RuleRow(
        "FREQ=WEEKLY;BYDAY=TH;COUNT=8", time(18, 15), 45, date(2026, 12, 10)
    )
    assert continued(ten, date(2027, 6, 1)) is None
    assert continued(ended, date(2027, 1, 1)) is None
    assert continued(ended, date(2026, 12, 31)) == RuleRow(
        "FREQ=WEEKLY", time(18, 15), 45, date(2026, 12, 31), date(2026, 12, 31)
    )
