"""Processes that serve say that they live, and that they end."""

import threading

import pytest

from tests.patience import wait_for
from webinar.db import DbSession, read_db
from webinar.jobs.living import SignOfLife, release
from webinar.models import WorkingProcess


def rows() -> list[tuple[str, str]]:
    with read_db() as db:
        return [(row.role, row.release) for row in db.query(WorkingProcess)]


def test_a_process_that_serves_is_known_until_it_ends(db: DbSession) -> None:
    db.commit()
    sign = SignOfLife("web")

    sign.start()
    wait_for(lambda: rows() == [("web", release())])
    sign.stop()

    assert rows() == []
    assert [one for one in threading.enumerate() if one.name == "sign-of-life"] == []


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_a_database_that_is_away_ends_no_process(
    db: DbSession, caplog: pytest.LogCaptureFixture
) -> None:
    db.connection().exec_driver_sql("DROP TABLE working_process")
    db.commit()
    sign = SignOfLife("web")

    sign.start()
    wait_for(lambda: "does not hear that this process lives" in caplog.text)
    sign.stop()

    assert "does not hear that this process ends" in caplog.text
