"""The clock as a whole: begun, at work, and at rest beside a replica."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from apscheduler.events import EVENT_JOB_EXECUTED
from sqlalchemy import func, select

from config import Config
from tests.patience import wait_for
from webinar.db import DbSession, connect, read_db
from webinar.jobs import clock as clock_module
from webinar.jobs.clock import Clock, EverySoOften, start_in_background
from webinar.jobs.toolbox import Toolbox
from webinar.models import TickRun


@pytest.fixture
def clock(db: DbSession, config: Config) -> Iterator[Clock]:
    db.commit()
    clock = start_in_background(Toolbox.from_config(config))
    yield clock
    clock.shutdown()


def runs() -> int:
    with read_db() as db:
        return db.scalar(select(func.count()).select_from(TickRun)) or 0


@pytest.mark.usefixtures("clock")
def test_a_clock_writes_down_what_it_did() -> None:
    wait_for(lambda: runs() > 10)


def test_ticks_go_on_when_the_systems_clock_was_set_back(
    clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    an_hour = timedelta(hours=1)
    wait_for(lambda: runs() > 10)
    for job in clock._scheduler.get_jobs():
        job.modify(next_run_time=datetime.now(UTC) + an_hour)

    shown = clock_module._ahead()
    monkeypatch.setattr(clock_module, "_ahead", lambda: shown - an_hour.total_seconds())

    def far_off() -> list[str]:
        soon = datetime.now(UTC) + an_hour / 2
        return [
            job.id
            for job in clock._scheduler.get_jobs()
            if job.next_run_time > soon and job.trigger.interval < an_hour
        ]

    wait_for(lambda: far_off() == [])


def test_after_a_leap_of_the_systems_clock_the_next_time_is_the_next_one() -> None:
    trigger = EverySoOften(seconds=10, timezone=UTC)
    before = datetime(2026, 11, 26, 17, 15, tzinfo=UTC)

    times = [
        trigger.get_next_fire_time(before, before + ahead)
        for ahead in (timedelta(0), timedelta(seconds=10), timedelta(days=180, seconds=25))
    ]

    assert times == [
        before + timedelta(seconds=10),
        before + timedelta(seconds=20),
        before + timedelta(days=180, seconds=30),
    ]


def test_a_leap_of_half_a_year_is_one_run_to_the_scheduler(clock: Clock) -> None:
    ahead = datetime.now(UTC) + timedelta(days=180)

    missed = [len(job._get_run_times(ahead)) for job in clock._scheduler.get_jobs()]

    assert set(missed) == {1}


def test_beside_a_replica_the_clock_rests(
    config: Config, bound: None, caplog: pytest.LogCaptureFixture
) -> None:
    engine = connect(config.DATABASE_URL, read_only=True)
    ticked: list[str] = []
    clock = start_in_background(Toolbox.from_config(config))
    clock._scheduler.add_listener(lambda event: ticked.append(event.job_id), EVENT_JOB_EXECUTED)
    try:
        wait_for(lambda: "send mails that are due" in ticked and "decide credit" in ticked)
    finally:
        clock.shutdown()
    found = runs()
    engine.dispose()

    assert found == 0
    assert [record.message for record in caplog.records if record.levelname == "ERROR"] == []
