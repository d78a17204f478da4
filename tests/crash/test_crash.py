"""A thousand reminders while every process is killed again and again: none is lost."""

import logging
import shutil
import tempfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from flask import Flask

from config import Config
from tests.components.servers import free_port
from tests.crash import evening
from tests.crash.processes import Begin, Crew, run_a_worker, run_clock, run_laptop, run_web
from tests.crash.reckoning import reckon
from tests.crash.sink import WatchfulSink

log = logging.getLogger(__name__)

REMINDERS = 1000
VISITORS = 60
# Of a thousand. Each process that sends with two threads has two mails at most that are not written
# down (webinar/jobs/marking.py), and the tests kill such processes twice.
MOST_DOUBLED = 5
SEED = 20261122
IN_MEMORY = Path("/dev/shm")  # noqa: S108 - a private folder in it

CLUSTER: dict[str, Begin] = {
    "clock 1": run_clock,
    "clock 2": run_clock,
    "clock 3": run_clock,
    "worker 1": run_a_worker,
    "worker 2": run_a_worker,
    "web": run_web,
}


@pytest.fixture
def tmp_path(tmp_path: Path) -> Iterator[Path]:
    """In memory where there is such a place: a busy disk is not what this is about."""
    if not IN_MEMORY.is_dir():
        yield tmp_path
        return
    folder = Path(tempfile.mkdtemp(prefix="webinar-crash-", dir=IN_MEMORY))
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def sink() -> Iterator[WatchfulSink]:
    with WatchfulSink() as sink:
        yield sink


def killed_all_evening(
    app: Flask,
    config: Config,
    sink: WatchfulSink,
    roles: dict[str, Begin],
    *,
    rounds: int,
    pause: float,
) -> None:
    """The evening, and that nothing of it was lost."""
    crew = Crew(config, free_port(), roles)
    plan = evening.prepare(app, reminders=REMINDERS, visitors=VISITORS, seconds=10)
    try:
        evening.run(crew, plan, sink, rounds=rounds, pause=pause, seed=SEED)
    finally:
        crew.stop()

    found = reckon(plan.due, sink.accepted, crew.kills)
    log.info(found.words)
    assert found.lost == []
    assert found.unexplained == []
    assert len(found.doubled) <= MOST_DOUBLED
    confirmations = {mail.recipient for mail in sink.accepted} - set(plan.due)
    assert evening.confirmed(plan) == evening.registered(plan)
    assert len(confirmations) == len(evening.registered(plan))
    assert plan.answers.count(303) <= len(confirmations)
    assert len(confirmations) >= VISITORS / 2


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
def test_three_clocks_two_workers_and_the_web_are_killed_and_nothing_is_lost(
    app: Flask, config: Config, sink: WatchfulSink
) -> None:
    cluster = replace(config, ENGINE="procrastinate", SMTP_URL=sink.url)

    killed_all_evening(app, cluster, sink, CLUSTER, rounds=1, pause=0.4)


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_the_one_process_of_a_laptop_is_killed_and_nothing_is_lost(
    app: Flask, config: Config, sink: WatchfulSink
) -> None:
    laptop = replace(config, SMTP_URL=sink.url)

    killed_all_evening(app, laptop, sink, {"laptop": run_laptop}, rounds=2, pause=0.6)
