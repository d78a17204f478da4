"""A worker sends what the clock laid into the queue, runs its ticks, and ends as it is told."""

import os
import signal
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from sqlalchemy import func, make_url, select, text

from config import Config
from tests.components.smtp import SmtpSink
from tests.crash.processes import TIMINGS, Crew, run_a_worker
from tests.jobs.test_engines import jobs, owe
from tests.patience import wait_for
from webinar.db import DbSession, connect
from webinar.jobs import clock
from webinar.jobs.engine import Timings
from webinar.jobs.engine_queue import QueueEngine
from webinar.jobs.ticking import Place, Tick
from webinar.jobs.toolbox import Toolbox
from webinar.jobs.working import run_worker
from webinar.models import Delivery
from webinar.services import processes, ticks

pytestmark = pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)


def take_long(tools: Toolbox, _now: datetime) -> None:
    """Says that it began, and goes on until it may end."""
    (tools.config.DATA_DIR / "at it").touch()
    wait_for((tools.config.DATA_DIR / "may end").exists)


def take_no_time(_tools: Toolbox, _now: datetime) -> None:
    """A tick with nothing to do."""


BREAKING = "a worker whose connections end"
LONG = Tick("take long", 60, take_long, Place.ENGINE)
SHORT = Tick("take no time", 60, take_no_time, Place.ENGINE)


def run_with_long(config: Config, _port: int) -> None:
    """A worker with a tick that takes long."""
    connect(config.DATABASE_URL)
    run_worker(Toolbox.from_config(config), (LONG, SHORT), concurrency=1, timings=TIMINGS)


@pytest.fixture
def sink() -> Iterator[SmtpSink]:
    with SmtpSink() as sink:
        yield sink


@pytest.fixture
def worker(bound: None, config: Config, sink: SmtpSink) -> Iterator[Crew]:
    crew = Crew(
        replace(config, ENGINE="procrastinate", SMTP_URL=sink.url), 0, {"worker": run_a_worker}
    )
    crew.start()
    yield crew
    crew.stop()


def test_a_worker_sends_what_is_in_the_queue_and_leaves_it_empty(
    db: DbSession, config: Config, sink: SmtpSink, worker: Crew
) -> None:
    owe(db, 12)

    QueueEngine(config, Timings()).offer_mails(now=datetime.now(UTC))

    assert len(sink.wait_for(12, seconds=60)) == 12
    wait_for(lambda: jobs() == [])
    assert db.scalar(select(func.count(Delivery.id)).where(Delivery.sent_at.is_not(None))) == 12


def test_a_worker_runs_a_tick_and_writes_it_down(
    db: DbSession, config: Config, worker: Crew
) -> None:
    [tick] = [tick for tick in clock.TICKS if tick.name == "decide credit"]

    QueueEngine(config, Timings()).hand_out(tick, now=datetime.now(UTC))

    wait_for(lambda: jobs() == [])
    run = ticks.last(db, "decide credit")
    assert run is not None
    assert (run.failures, run.succeeded_at is not None) == (0, True)


def test_a_tick_runs_though_the_end_of_its_last_job_was_never_written_down(
    db: DbSession, config: Config, worker: Crew
) -> None:
    [tick] = [tick for tick in clock.TICKS if tick.name == "decide credit"]
    queue = QueueEngine(config, Timings())
    wait_for(lambda: _lines(db) > 0)
    # Whoever has it lives, and never ends it.
    _leave_undone(db, tick.name)

    queue.hand_out(tick, now=datetime.now(UTC))

    wait_for(lambda: _last_success(db, tick.name) is not None)
    # The job goes after the run is written down.
    wait_for(lambda: jobs() == [("run_tick", "doing", [])])


def test_a_line_that_broke_does_not_wait_for_the_longest_job_of_another(
    db: DbSession, config: Config, sink: SmtpSink, bound: None
) -> None:
    url = make_url(config.DATABASE_URL).update_query_dict({"application_name": BREAKING})
    theirs = replace(
        config,
        DATABASE_URL=url.render_as_string(hide_password=False),
        ENGINE="procrastinate",
        SMTP_URL=sink.url,
    )
    crew = Crew(theirs, 0, {"worker": run_with_long})
    crew.start()
    queue = QueueEngine(config, Timings())
    try:
        queue.hand_out(LONG, now=datetime.now(UTC))
        wait_for((config.DATA_DIR / "at it").exists)
        _end_connections(db)
        owe(db, 3)
        queue.offer_mails(now=datetime.now(UTC))
        queue.hand_out(SHORT, now=datetime.now(UTC))

        assert len(sink.wait_for(3, seconds=60)) == 3
        wait_for(lambda: _last_success(db, SHORT.name) is not None)
        assert _last_success(db, LONG.name) is None
        (config.DATA_DIR / "may end").touch()
        wait_for(lambda: _last_success(db, LONG.name) is not None)
    finally:
        crew.stop()


def test_a_worker_says_that_it_lives_and_goodbye_when_it_is_told_to_end(
    db: DbSession, worker: Crew
) -> None:
    def living() -> list[str]:
        db.rollback()
        return [row.role for row in processes.living(db, now=datetime.now(UTC))]

    wait_for(lambda: living() == ["worker"])

    os.kill(worker.pid("worker"), signal.SIGTERM)

    wait_for(lambda: living() == [])
    wait_for(lambda: worker.has_ended("worker"))


def _lines(db: DbSession) -> int:
    db.rollback()
    return db.scalar(text("SELECT count(*) FROM procrastinate_workers")) or 0


def _leave_undone(db: DbSession, name: str) -> None:
    """A job of the tick that a living worker has, and does not do."""
    db.execute(
        text(
            "INSERT INTO procrastinate_jobs"
            " (queue_name, task_name, queueing_lock, lock, args, status, worker_id)"
            " SELECT 'ticks', 'run_tick', name, name, json_build_object('name', name), 'doing',"
            " (SELECT min(id) FROM procrastinate_workers)"
            " FROM (SELECT CAST(:name AS varchar) AS name) AS tick"
        ),
        {"name": name},
    )
    db.commit()


def _last_success(db: DbSession, name: str) -> datetime | None:
    db.rollback()
    db.expire_all()
    run = ticks.last(db, name)
    return None if run is None else run.succeeded_at


def _end_connections(db: DbSession) -> None:
    """Those of the worker, as a restart of PostgreSQL does."""
    db.execute(
        text(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE datname = current_database() AND application_name = :name"
        ),
        {"name": BREAKING},
    )
    db.commit()
