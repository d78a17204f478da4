"""Providers of our own, the settings that lead to them, and an evening with people in it."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

import pytest
import time_machine

from config import Config
from tests.builders import STARTS_AT, make_faculty, make_registration, make_session, make_user
from tests.conftest import SECRET
from tests.rooms.fake_bigbluebutton import SECRET as BBB_SECRET
from tests.rooms.fake_bigbluebutton import FakeBigBlueButton
from tests.rooms.fake_zoom import ACCOUNT, CLIENT, WEBHOOK_SECRET, FakeZoom
from webinar.db import DbSession
from webinar.domain.session import FacultyPart
from webinar.jobs.toolbox import Toolbox
from webinar.models import User, WebinarSession

EARLY = STARTS_AT - timedelta(minutes=20)  # the room is open


@pytest.fixture(autouse=True)
def the_day_before() -> Iterator[None]:
    """Who signs in does so before the evening: a cookie from a time to come is not believed."""
    with time_machine.travel(EARLY - timedelta(days=1), tick=True):
        yield


@pytest.fixture
def bbb() -> Iterator[FakeBigBlueButton]:
    with FakeBigBlueButton() as server:
        yield server


@pytest.fixture
def zoom_server() -> Iterator[FakeZoom]:
    with FakeZoom() as server:
        yield server


@pytest.fixture
def config(
    database_url: str, tmp_path: Path, bbb: FakeBigBlueButton, zoom_server: FakeZoom
) -> Config:
    return Config(
        SECRET_KEY=SECRET,
        DATABASE_URL=database_url,
        DATA_DIR=tmp_path / "data",
        PUBLIC_URL="http://localhost",
        DEVELOPMENT=True,
        BBB_URL=bbb.api,
        BBB_SECRET=BBB_SECRET,
        ZOOM_URL=zoom_server.url,
        ZOOM_ACCOUNT_ID=ACCOUNT,
        ZOOM_CLIENT_ID=CLIENT[0],
        ZOOM_CLIENT_SECRET=CLIENT[1],
        ZOOM_WEBHOOK_SECRET=WEBHOOK_SECRET,
        RENDITIONS="main",
    )


@pytest.fixture
def tools(config: Config) -> Toolbox:
    return Toolbox.from_config(config)


@dataclass(frozen=True)
class Evening:
    """A session that is announced, somebody with a place, and its faculty."""

    session: WebinarSession
    viewer: User
    presenter: User
    moderator: User
    organiser: User


@pytest.fixture
def evening(db: DbSession) -> Evening:
    session = make_session(db)
    viewer = make_user(db, "anna@example.net", name="Dr Anna Keller")
    make_registration(db, session, viewer)
    presenter = make_user(db, name="Prof Elena Marchetti")
    make_faculty(db, session, user=presenter)
    moderator = make_user(db, name="Dr Jonas Weber")
    make_faculty(db, session, FacultyPart.MODERATOR, user=moderator, name="Dr Jonas Weber")
    organiser = make_user(db)
    db.commit()
    return Evening(session, viewer, presenter, moderator, organiser)


def at(base: datetime, *, minutes: float = 0) -> datetime:
    return base + timedelta(minutes=minutes)
