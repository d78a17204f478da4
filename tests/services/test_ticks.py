"""What is kept of the clock's ticks, and how late each is."""

from collections.abc import Iterator
from datetime import timedelta

import pytest

from tests.builders import NOW
from webinar.db import DbSession
from webinar.services import ticks
from webinar.services.ticks import Lateness

SECOND = timedelta(seconds=1)
NAME = "close recordings whose window is over"


@pytest.fixture(autouse=True)
def _plan() -> Iterator[None]:
    before = ticks.plan()
    ticks.bind({NAME: 10, "mix evaluations": 3600})
    yield
    ticks.bind(before)


def test_a_run_that_went_well_is_kept_with_what_it_took(db: DbSession) -> None:
    ticks.ended(db, NAME, owner="a:1", began_at=NOW, now=NOW + 2 * SECOND)

    run = ticks.last(db, NAME)
    assert run is not None
    assert (run.owner, run.milliseconds, run.failures) == ("a:1", 2000, 0)
    assert run.succeeded_at == NOW + 2 * SECOND


def test_failures_are_counted_until_one_goes_well(db: DbSession) -> None:
    for _ in range(3):
        ticks.ended(db, NAME, owner="a:1", began_at=NOW, error="it broke", now=NOW)
    run = ticks.last(db, NAME)
    assert run is not None
    assert (run.failures, run.last_error, run.succeeded_at) == (3, "it broke", None)

    ticks.ended(db, NAME, owner="b:2", began_at=NOW, now=NOW + SECOND)

    assert (run.failures, run.last_error, run.succeeded_at) == (0, None, NOW + SECOND)


def test_one_that_is_at_work_has_no_end(db: DbSession) -> None:
    ticks.began(db, NAME, owner="a:1", now=NOW)

    assert [(run.name, run.ended_at) for run in ticks.runs(db)] == [(NAME, None)]


def test_a_tick_that_ran_lately_is_not_late(db: DbSession) -> None:
    ticks.ended(db, NAME, owner="a:1", began_at=NOW, now=NOW)

    assert ticks.lateness(db, now=NOW + 30 * SECOND)[0] == Lateness(NAME, 10, NOW, 0.0, 0)


def test_a_clock_that_stands_still_makes_it_later_and_later(db: DbSession) -> None:
    ticks.ended(db, NAME, owner="a:1", began_at=NOW, now=NOW)

    assert ticks.lateness(db, now=NOW + 90 * SECOND)[0].seconds == 60


def test_one_whose_last_success_lies_in_the_future_is_late_until_it_runs_again(
    db: DbSession,
) -> None:
    ticks.ended(db, NAME, owner="a:1", began_at=NOW, now=NOW)
    set_back = NOW - 90 * SECOND

    before = ticks.lateness(db, now=set_back)[0].seconds
    ticks.ended(db, NAME, owner="a:1", began_at=set_back, now=set_back)
    after = ticks.lateness(db, now=set_back)[0].seconds

    assert (before, after) == (60, 0)


def test_one_that_never_ran_says_so(db: DbSession) -> None:
    assert ticks.lateness(db, now=NOW)[1] == Lateness("mix evaluations", 3600, None, None, 0)


def test_one_that_only_fails_stays_late(db: DbSession) -> None:
    ticks.ended(db, NAME, owner="a:1", began_at=NOW, now=NOW)
    ticks.ended(db, NAME, owner="a:1", began_at=NOW, error="no", now=NOW + 90 * SECOND)

    late = ticks.lateness(db, now=NOW + 90 * SECOND)[0]
    assert (late.seconds, late.failures) == (60, 1)
