"""Ticks: one at a time among all clocks, written down, and none stops another."""

import subprocess
import sys
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from threading import Event, Thread

import psycopg
import pytest
from sqlalchemy import text

from config import Config
from tests.builders import NOW
from tests.patience import wait_for
from webinar.db import DbSession
from webinar.jobs.tick_locks import DatabaseLocks, TickLocks, locks_for
from webinar.jobs.ticking import Place, Tick, TickRunner
from webinar.jobs.toolbox import Toolbox
from webinar.models import TickRun
from webinar.services import ticks

ROOT = Path(__file__).resolve().parents[2]
SECOND = timedelta(seconds=1)
HOLDER = """
import os, sys, time
from config import Config
from webinar.jobs.tick_locks import locks_for
config = Config.from_env(os.environ)
with locks_for(config).held("decide credit") as is_ours:
    print(is_ours, flush=True)
    time.sleep(600)
"""


@pytest.fixture
def tools(bound: None, config: Config) -> Toolbox:
    return Toolbox.from_config(config)


@pytest.fixture
def locks(config: Config) -> Iterator[TickLocks]:
    locks = locks_for(config)
    yield locks
    locks.close()


@pytest.fixture
def others(config: Config) -> Iterator[TickLocks]:
    """Those of another clock."""
    locks = locks_for(config)
    yield locks
    locks.close()


def nothing(_tools: Toolbox, _now: datetime) -> None:
    """A tick that finds nothing due."""


def broken(_tools: Toolbox, _now: datetime) -> None:
    raise RuntimeError("it broke")


def last(db: DbSession, name: str) -> TickRun:
    db.expire_all()
    run = ticks.last(db, name)
    assert run is not None
    return run


def test_two_clocks_never_hold_the_same_tick(
    bound: None, locks: TickLocks, others: TickLocks
) -> None:
    with locks.held("decide credit") as first, others.held("decide credit") as second:
        assert (first, second) == (True, False)
        with others.held("close recordings") as another:
            assert another is True
    with others.held("decide credit") as afterwards:
        assert afterwards is True


def test_one_clock_does_not_hold_it_twice(bound: None, locks: TickLocks) -> None:
    with locks.held("decide credit") as first, locks.held("decide credit") as second:
        assert (first, second) == (True, False)


def test_a_lock_ends_with_the_process_that_held_it(
    bound: None, config: Config, locks: TickLocks
) -> None:
    holder = subprocess.Popen(
        [sys.executable, "-c", HOLDER],
        cwd=ROOT,
        env=config.to_env(),
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert holder.stdout is not None
        assert holder.stdout.readline().strip() == "True"
        with locks.held("decide credit") as is_ours:
            assert is_ours is False
    finally:
        holder.kill()
        holder.communicate()

    def is_free() -> bool:
        with locks.held("decide credit") as is_ours:
            return is_ours

    wait_for(is_free)


def test_a_tick_that_another_clock_is_at_does_not_run_here(
    tools: Toolbox, locks: TickLocks, others: TickLocks
) -> None:
    is_at_it, may_end = Event(), Event()
    runs: list[str] = []

    def long(_tools: Toolbox, _now: datetime) -> None:
        runs.append("there")
        is_at_it.set()
        may_end.wait(30)

    def short(_tools: Toolbox, _now: datetime) -> None:
        runs.append("here")

    there = TickRunner(tools, others, owner="there")
    thread = Thread(target=there.run, args=(Tick("decide", 5, long),), kwargs={"now": NOW})
    thread.start()
    assert is_at_it.wait(30)

    ran = TickRunner(tools, locks, owner="here").run(Tick("decide", 5, short), now=NOW)

    may_end.set()
    thread.join(30)
    assert (ran, runs) == (False, ["there"])


def test_what_breaks_is_written_down_and_the_next_run_goes_on(
    tools: Toolbox, locks: TickLocks, db: DbSession
) -> None:
    runner = TickRunner(tools, locks, owner="here")

    assert runner.run(Tick("decide", 60, broken), now=NOW) is True
    assert (last(db, "decide").failures, last(db, "decide").last_error) == (
        1,
        "RuntimeError('it broke')",
    )
    db.rollback()
    runner.run(Tick("decide", 60, nothing), now=NOW)

    assert (last(db, "decide").failures, last(db, "decide").owner) == (0, "here")


def test_a_tick_of_every_second_is_not_written_every_second(
    tools: Toolbox, locks: TickLocks, db: DbSession
) -> None:
    runner = TickRunner(tools, locks, owner="here")
    for second in range(3):
        runner.run(Tick("look", 1, nothing), now=NOW + second * SECOND)
    assert last(db, "look").began_at == NOW
    db.rollback()

    runner.run(Tick("look", 1, broken), now=NOW + 3 * SECOND)

    assert (last(db, "look").began_at, last(db, "look").failures) == (NOW + 3 * SECOND, 1)


def test_what_another_clock_did_just_now_is_left_out_here(
    tools: Toolbox, locks: TickLocks, others: TickLocks, db: DbSession
) -> None:
    tick = Tick("mix evaluations", 3600, nothing)
    here, there = (
        TickRunner(tools, own, owner=name) for own, name in ((locks, "a"), (others, "b"))
    )
    here.run(tick, now=NOW)

    assert there.run(tick, now=NOW + timedelta(minutes=29)) is False
    assert there.run(tick, now=NOW + timedelta(minutes=30)) is True
    assert here.run(tick, now=NOW + timedelta(minutes=31), even_if_just_done=True) is True


def test_what_another_clock_did_before_the_time_was_set_back_is_done_here(
    tools: Toolbox, locks: TickLocks, others: TickLocks
) -> None:
    tick = Tick("mix evaluations", 3600, nothing)
    TickRunner(tools, others, owner="there").run(tick, now=NOW + timedelta(hours=1))

    assert TickRunner(tools, locks, owner="here").run(tick, now=NOW) is True


def test_what_failed_elsewhere_is_done_here_at_once(
    tools: Toolbox, locks: TickLocks, others: TickLocks
) -> None:
    TickRunner(tools, others, owner="there").run(Tick("decide", 60, broken), now=NOW)

    here = TickRunner(tools, locks, owner="here")

    assert here.run(Tick("decide", 60, nothing, Place.ENGINE), now=NOW + SECOND) is True


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
def test_a_lock_whose_connection_broke_is_taken_anew(db: DbSession, locks: TickLocks) -> None:
    with locks.held("decide credit"):
        db.execute(
            text(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE application_name = 'webinar: locks of the clock'"
            )
        )
    db.rollback()

    def is_free() -> bool:
        with locks.held("decide credit") as is_ours:
            return is_ours

    # PostgreSQL lets go of it a moment after the connection broke.
    wait_for(is_free)


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
def test_the_locks_notice_a_database_that_vanished_as_soon_as_requests_do(
    db: DbSession, config: Config
) -> None:
    locks = DatabaseLocks(config.DATABASE_URL)
    with locks.held("decide credit"):
        assert locks._connection is not None
        theirs = locks._connection.connection.driver_connection
        assert isinstance(theirs, psycopg.Connection)
        said = theirs.info.get_parameters()
    locks.close()

    ours = db.connection().connection.driver_connection
    assert isinstance(ours, psycopg.Connection)
    assert said["tcp_user_timeout"] == ours.info.get_parameters()["tcp_user_timeout"] == "20000"
