"""The recording desk in the browser's terms: what it shows, takes, refuses."""

from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient

from tests.recorded import make_recorded
from webinar.db import DbSession
from webinar.models import Recording

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


@pytest.fixture
def recording(app: Flask, db: DbSession) -> Recording:
    data_dir: Path = app.extensions["config"].DATA_DIR
    return make_recorded(db, data_dir)[0]


def path_of(recording: Recording, rest: str = "") -> str:
    return f"/manage/sessions/{recording.session.public_id}/recording{rest}"


def test_the_desk_opens(organiser: FlaskClient, recording: Recording) -> None:
    answer = organiser.get(path_of(recording))

    assert answer.status_code == 200
