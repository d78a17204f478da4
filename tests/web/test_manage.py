"""The organiser's pages, as a browser without scripts uses them. Dates lie in years to come."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from flask.testing import FlaskClient

from tests.builders import (
    make_session,
    make_user,
)
from tests.web.managing import STARTS_AT
from webinar.db import DbSession
from webinar.domain.recording import RecordingState
from webinar.domain.session import SessionStatus
from webinar.models import (
    Recording,
    User,
    WebinarSession,
)


@pytest.mark.parametrize("path", ["", "series/", "series/new", "sessions/", "recordings/"])
def test_an_empty_house_says_what_to_do_first(organiser: FlaskClient, path: str) -> None:
    answer = organiser.get(f"/manage/{path}")

    assert answer.status_code == 200
    assert ("Add your society" in answer.text) is (path == "")
    assert ("Create a series" in answer.text) is (path in ("series/", "series/new"))


def test_a_participant_is_kept_out(
    db: DbSession, signed_in_as: Callable[[User], FlaskClient]
) -> None:
    user = make_user(db)
    db.commit()

    answer = signed_in_as(user).get("/manage/")

    assert answer.status_code == 403
    assert "Your account may not accredit sessions" in answer.text


def test_the_first_page_says_what_waits(
    db: DbSession, organiser: FlaskClient, session: WebinarSession
) -> None:
    soon = datetime.now(UTC) + timedelta(days=3)
    make_session(db, starts_at=soon, status=SessionStatus.DRAFT, title="A draft soon")
    make_session(db, starts_at=soon - timedelta(days=3), status=SessionStatus.LIVE, title="On air")
    ended = make_session(db, starts_at=soon - timedelta(days=180), title="Long ago")
    ended.status = SessionStatus.ENDED
    db.add(
        Recording(
            public_id="r1",
            session_id=ended.id,
            state=RecordingState.PUBLISHED,
            opens_at=soon - timedelta(days=180),
            closes_at=soon,
            published_at=soon - timedelta(days=180),
            created_at=soon - timedelta(days=180),
        )
    )
    db.commit()

    page = organiser.get("/manage/").text

    assert "1 session live now" in page
    assert "1 draft in the next four weeks" in page
    assert "1 session without a presenter" in page
    assert "1 recording closing soon" in page
    assert "Closes in 2 days" in page


def test_the_picture_shows_the_weeks_asked_for(
    organiser: FlaskClient, session: WebinarSession
) -> None:
    shown = organiser.get("/manage/?from=2126-11-20").text
    elsewhere = organiser.get("/manage/?from=2125-01-01").text
    odd = organiser.get("/manage/?from=nonsense")

    assert session.title not in elsewhere
    assert "nonsense" not in odd.text
    assert odd.status_code == 200
    # Years beyond 2100 are a slip of the keyboard: today's weeks are shown.
    assert session.title not in shown


def test_an_unknown_series_or_session_is_not_found(organiser: FlaskClient) -> None:
    assert organiser.get("/manage/series/nothing").status_code == 404
    assert organiser.get("/manage/sessions/nothing").status_code == 404
    assert organiser.post("/manage/sessions/nothing/publish").status_code == 404
    assert organiser.get("/manage/sessions/?series=nothing").status_code == 404


def test_recordings_are_listed_with_their_window(
    db: DbSession, organiser: FlaskClient, session: WebinarSession
) -> None:
    session.status = SessionStatus.ENDED
    db.add(
        Recording(
            public_id="r1",
            session_id=session.id,
            state=RecordingState.PUBLISHED,
            duration_seconds=2650.0,
            opens_at=STARTS_AT,
            closes_at=datetime(2127, 5, 28, 17, 0, tzinfo=UTC),
            published_at=STARTS_AT,
            created_at=STARTS_AT,
        )
    )
    db.commit()

    page = organiser.get("/manage/recordings/").text

    assert "28 May 2127, 19:00 Zurich" in page
    assert "44:10" in page
