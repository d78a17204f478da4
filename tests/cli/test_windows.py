"""flask recordings extend, destroy, destroyed."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from click.testing import Result
from flask import Flask
from sqlalchemy import select

from tests.builders import make_registration, make_user
from tests.evidence import make_ended_session, make_recording
from webinar.db import DbSession
from webinar.domain.recording import RecordingState
from webinar.models import Recording, WebinarSession, WindowExtension
from webinar.tools import media_shelf

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


def run(app: Flask, *args: str) -> Result:
    return app.test_cli_runner().invoke(args=["recordings", *args])


@pytest.fixture
def recording(db: DbSession) -> Recording:
    """Open for some months from whenever the test runs."""
    session = make_ended_session(db)
    closes_at = datetime.now(UTC).replace(microsecond=0) + timedelta(days=90)
    recording = make_recording(db, session, closes_at=closes_at)
    db.commit()
    return recording


@pytest.fixture
def session(recording: Recording, db: DbSession) -> WebinarSession:
    session = recording.session
    db.commit()
    return session


def a_day(days: int) -> str:
    return f"{datetime.now(UTC) + timedelta(days=days):%Y-%m-%d} 12:00"


def test_everybody_gets_a_later_end(
    app: Flask, db: DbSession, recording: Recording, session: WebinarSession
) -> None:
    before = recording.closes_at

    result = run(app, "extend", session.public_id, "--until", a_day(120), "--reason", "a strike")

    assert result.exit_code == 0, result.output
    assert result.output.endswith("0 people are told.\n")
    db.refresh(recording)
    assert before is not None
    assert recording.closes_at is not None
    assert recording.closes_at > before


def test_one_person_gets_a_later_end_from_somebody_with_a_name(
    app: Flask, db: DbSession, session: WebinarSession
) -> None:
    person, organiser = make_user(db, "ill@example.net"), make_user(db, "org@example.net")
    make_registration(db, session, person)
    db.commit()
    asked = ["extend", session.public_id, "--until", a_day(120), "--reason", "ill"]

    nameless = run(app, *asked, "--person", "ill@example.net")
    done = run(app, *asked, "--person", "ill@example.net", "--by", "org@example.net")

    assert (nameless.exit_code, done.exit_code) == (1, 0)
    rows = db.execute(select(WindowExtension.user_id, WindowExtension.granted_by_id)).all()
    assert [tuple(row) for row in rows] == [(person.id, organiser.id)]


def test_an_end_that_is_no_time_is_refused(app: Flask, session: WebinarSession) -> None:
    result = run(app, "extend", session.public_id, "--until", "soon", "--reason", "x")

    assert result.exit_code == 1
    assert "is not a time like" in result.output


def test_an_open_recording_is_not_destroyed(app: Flask, session: WebinarSession) -> None:
    result = run(app, "destroy", session.public_id, "--reason", "x", "--yes")

    assert result.exit_code == 1
    assert "Close it first" in result.output


def test_what_was_never_published_is_destroyed_and_recorded(
    app: Flask, db: DbSession, recording: Recording, session: WebinarSession, tmp_path: Path
) -> None:
    recording.state = RecordingState.READY
    recording.opens_at = recording.closes_at = None
    db.commit()
    keys = media_shelf(app.extensions["config"]).keys
    keys.create(recording.public_id, 0)

    done = run(app, "destroy", session.public_id, "--reason", "no consent", "--yes")
    number = done.output.split()[-1].rstrip(".")
    listed = run(app, "destroyed")
    record = run(app, "destroyed", number.lower(), "--pdf", str(tmp_path / "record.pdf"))

    assert done.exit_code == 0, done.output
    assert keys.numbers(recording.public_id) == []
    assert listed.output.startswith(number)
    assert f"Record: {number}\n" in record.output
    assert "Published: never\n" in record.output
    assert "Keys destroyed: 1 key;" in record.output
    assert "Reason: no consent\n" in record.output
    assert (tmp_path / "record.pdf").read_bytes()[:5] == b"%PDF-"
