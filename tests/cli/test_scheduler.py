"""The clock and its workers as commands."""

import pytest
from flask import Flask

from webinar.jobs import clock


def test_everything_is_done_once(app: Flask) -> None:
    result = app.test_cli_runner().invoke(args=["scheduler", "once"])

    assert result.exit_code == 0, result.output
    assert result.output.splitlines() == [f"done: {tick.name}" for tick in clock.TICKS]


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_a_worker_without_a_queue_says_what_to_do(app: Flask) -> None:
    result = app.test_cli_runner().invoke(args=["worker", "run"])

    assert result.exit_code == 1
    assert "Set WEBINAR_ENGINE=procrastinate" in result.output


def test_every_tick_has_a_name_of_its_own_that_fits(app: Flask) -> None:
    names = [tick.name for tick in clock.TICKS]

    assert len(set(names)) == len(names)
    assert max(len(name) for name in names) <= 80
