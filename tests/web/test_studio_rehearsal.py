"""Rehearsal and slides over HTTP: for the faculty of the session and nobody else."""

import hashlib
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from flask import Flask
from flask.testing import FlaskClient

from config import Config
from tests.builders import make_faculty, make_registration, make_session, make_user
from tests.media.test_slide_pages import pdf, size_of
from webinar.db import DbSession
from webinar.domain.faculty import FileKind
from webinar.domain.session import FacultyPart
from webinar.media.faculty_files import faculty_files, new_key
from webinar.media.rehearsal import PLAYLIST
from webinar.models import FacultyFile, User, WebinarSession
from webinar.web.studio_rehearsal import rooms

SignIn = Callable[[User], FlaskClient]
HEADER = b"\x1a\x45\xdf\xa3" + b"first piece of a webm"

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


@pytest.fixture
def session(db: DbSession) -> WebinarSession:
    session = make_session(db, starts_at=datetime.now(UTC) + timedelta(days=2))
    db.commit()
    return session


@pytest.fixture
def base(session: WebinarSession) -> str:
    return f"/studio/{session.public_id}"


@pytest.fixture
def presenter(db: DbSession, session: WebinarSession) -> User:
    user = make_user(db, name="Prof Elena Marchetti")
    make_faculty(db, session, FacultyPart.PRESENTER, user=user)
    db.commit()
    return user


@pytest.fixture
def studio(signed_in_as: SignIn, presenter: User) -> FlaskClient:
    return signed_in_as(presenter)


@pytest.fixture
def moderator(db: DbSession, session: WebinarSession, signed_in_as: SignIn) -> FlaskClient:
    user = make_user(db)
    make_faculty(db, session, FacultyPart.MODERATOR, user=user)
    db.commit()
    return signed_in_as(user)


@pytest.fixture
def stranger(db: DbSession, session: WebinarSession, signed_in_as: SignIn) -> FlaskClient:
    """A participant, with a place in the session."""
    user = make_user(db)
    make_registration(db, session, user)
    db.commit()
    return signed_in_as(user)


def test_the_presenter_sends_and_the_moderator_sees_until_it_is_over(
    app: Flask, studio: FlaskClient, moderator: FlaskClient, stranger: FlaskClient, base: str
) -> None:
    begun = studio.post(f"{base}/rehearsal", json={}).get_json()
    take = studio.post(f"{base}/rehearsal/takes", json={}).get_json()
    stored = studio.put(f"{base}/rehearsal/takes/0/chunks/0", data=HEADER).get_json()
    gap = studio.put(f"{base}/rehearsal/takes/0/chunks/5", data=b"more")
    foreign = moderator.put(f"{base}/rehearsal/takes/0/chunks/1", data=b"more")
    with app.test_request_context():
        folder = rooms().folder(begun["rehearsal"])
    folder.mkdir(parents=True)
    (folder / PLAYLIST).write_text("#EXTM3U\n")

    state = moderator.get(f"{base}/state").get_json()["rehearsal"]
    seen = moderator.get(state["playlist"])
    refused = stranger.get(state["playlist"])
    moderator.post(f"{base}/rehearsal/stop", json={})
    after = moderator.get(state["playlist"])
    late = studio.put(f"{base}/rehearsal/takes/0/chunks/1", data=b"more")

    assert take == {"take": 0, "open": True, "next": 0}
    assert stored == {"stored": 0, "next": 1}
    assert (gap.status_code, foreign.status_code, late.status_code) == (409, 409, 409)
    assert state["by"] == "Prof Elena Marchetti"
    assert (seen.text, seen.headers["Cache-Control"]) == ("#EXTM3U\n", "no-store")
    assert (refused.status_code, after.status_code) == (403, 404)


def test_a_participant_neither_rehearses_nor_sees_slides(stranger: FlaskClient, base: str) -> None:
    answers = [
        stranger.post(f"{base}/rehearsal", json={}),
        stranger.post(f"{base}/rehearsal/takes", json={}),
        stranger.put(f"{base}/rehearsal/takes/0/chunks/0", data=HEADER),
        stranger.post(f"{base}/rehearsal/stop", json={}),
        stranger.post(f"{base}/slides/1", json={}),
        stranger.get(f"{base}/slides/1/1.png"),
        stranger.get(f"{base}/passed-on"),
        stranger.post(f"{base}/questions/1/pass-on"),
    ]

    assert [answer.status_code for answer in answers] == [403] * 8


def test_slides_that_were_sent_in_are_shown_page_by_page(
    db: DbSession,
    config: Config,
    session: WebinarSession,
    presenter: User,
    studio: FlaskClient,
    base: str,
) -> None:
    data = pdf((960, 540), (960, 540))
    key = new_key("application/pdf")
    faculty_files(config.DATA_DIR).put(key, data)
    deck = FacultyFile(
        kind=FileKind.SLIDES.value,
        filename="Margins.pdf",
        media_type="application/pdf",
        size=len(data),
        sha256=hashlib.sha256(data).hexdigest(),
        storage_key=key,
        uploaded_at=datetime.now(UTC),
    )
    session.faculty[0].files.append(deck)
    other = make_session(db)
    make_faculty(db, other, FacultyPart.PRESENTER, user=presenter)
    db.commit()

    offered = studio.get(base).text
    pages = studio.post(f"{base}/slides/{deck.id}", json={}).get_json()["pages"]
    first = studio.get(pages[0])
    elsewhere = studio.post(f"/studio/{other.public_id}/slides/{deck.id}", json={})

    assert offered.count(f"Margins.pdf, {session.faculty[0].name}") == 1
    assert len(pages) == 2
    assert (first.content_type, size_of(first.data)) == ("image/png", (1280, 720))
    assert elsewhere.status_code == 404


def test_a_rehearsal_takes_nothing_more_when_the_disk_is_nearly_full(
    app: Flask, studio: FlaskClient, base: str
) -> None:
    studio.post(f"{base}/rehearsal", json={})
    app.extensions["config"] = replace(app.extensions["config"], LOW_DISK_MEGABYTES=10**9)

    sent = studio.put(f"{base}/rehearsal/takes/0/chunks/0", data=HEADER)
    another = studio.post(f"{base}/rehearsal", json={})

    assert (sent.status_code, another.status_code) == (507, 507)
