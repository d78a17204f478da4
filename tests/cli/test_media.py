"""`flask media` as whoever keeps the server calls it."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from flask import Flask

from config import Config
from tests.builders import make_session
from webinar.db import DbSession
from webinar.domain.session import SessionStatus
from webinar.services import recordings
from webinar.tools import media_shelf

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


def test_a_check_says_what_is_wrong_and_ends_with_1(app: Flask, config: Config) -> None:
    run = app.test_cli_runner()

    whole = run.invoke(args=["media", "check"])
    media_shelf(config).storage.put("recordings/nobody/main-000000-ab.ts", b"left behind")
    wrong = run.invoke(args=["media", "check", "--all"])

    assert (whole.exit_code, whole.output) == (
        0,
        "0 recordings, 0 segments, 0 MB read: all is whole.\n",
    )
    assert (wrong.exit_code, wrong.output) == (
        1,
        "surplus: recordings/nobody/main-000000-ab.ts\n"
        "0 recordings, 0 segments, 0 MB read: 1 wrong.\n",
    )


def test_four_gigabytes_of_zeros_are_refused_before_anything_is_changed(
    app: Flask, db: DbSession, tmp_path: Path
) -> None:
    ended = datetime.now(UTC) - timedelta(days=1)
    session = make_session(db, starts_at=ended, status=SessionStatus.ENDED)
    db.commit()
    with (tmp_path / "talk.mp4").open("wb") as file:
        file.truncate(4 * 1024**3)

    refused = app.test_cli_runner().invoke(
        args=["recordings", "import", session.public_id, str(tmp_path / "talk.mp4")]
    )

    assert refused.exit_code == 1
    assert "the file is nothing but zeros" in refused.output
    assert recordings.for_session(db, session.id) is None
