"""What is done to a session by one button. Dates lie in years to come."""

from collections.abc import Callable
from datetime import UTC, datetime

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select

from tests.builders import make_faculty, make_registration, make_series, make_session, make_user
from webinar.db import DbSession
from webinar.domain.access import Role
from webinar.domain.session import SessionStatus
from webinar.models import Registration, User, WebinarSession

STARTS_AT = datetime(2126, 11, 28, 17, 15, tzinfo=UTC)  # a Thursday

SESSION = {
    "title": "Sentinel nodes after neoadjuvant therapy",
    "abstract": "What to do with the node.",
    "objectives": "Know when to stop.",
    "language": "en",
    "more_topics": "",
    "day": "2126-11-28",
    "starts": "18:15",
    "ends": "19:00",
    "zone": "Europe/Zurich",
    "faculty-0-part": "presenter",
    "faculty-0-name": "Prof Elena Marchetti",
    "faculty-0-affiliation": "",
    "faculty-0-disclosure": "Nothing to disclose.",
    "faculty-0-email": "",
}


@pytest.fixture
def organiser(db: DbSession, signed_in_as: Callable[[User], FlaskClient]) -> FlaskClient:
    user = make_user(db, "organiser@example.net", roles=(Role.ORGANISER,))
    db.commit()
    return signed_in_as(user)


@pytest.fixture
def session(db: DbSession) -> WebinarSession:
    """A session that says what SESSION says."""
    session = make_session(
        db, starts_at=STARTS_AT, status=SessionStatus.DRAFT, series=make_series(db, "rounds")
    )
    session.abstract, session.objectives = SESSION["abstract"], SESSION["objectives"]
    make_faculty(db, session)
    db.commit()
    return session


@pytest.fixture
def published(db: DbSession, organiser: FlaskClient, session: WebinarSession) -> WebinarSession:
    organiser.post(f"/manage/sessions/{session.public_id}/publish")
    return again(db, session)


def again(db: DbSession, session: WebinarSession) -> WebinarSession:
    db.refresh(session)
    db.commit()
    return session


def with_a_place(db: DbSession, session: WebinarSession) -> User:
    user = make_user(db)
    make_registration(db, session, user)
    db.commit()
    return user


def test_publishing_says_what_is_missing(
    db: DbSession, organiser: FlaskClient, session: WebinarSession
) -> None:
    session.abstract = ""
    db.commit()

    answer = organiser.post(f"/manage/sessions/{session.public_id}/publish")

    assert answer.status_code == 422
    assert "The session still needs an abstract before people can see it." in answer.text
    assert again(db, session).status is SessionStatus.DRAFT


def test_a_published_session_becomes_a_draft_while_nobody_is_registered(
    db: DbSession, organiser: FlaskClient, published: WebinarSession
) -> None:
    path = f"/manage/sessions/{published.public_id}"
    user = with_a_place(db, published)

    refused = organiser.post(f"{path}/unpublish")
    place = db.scalars(select(Registration).where(Registration.user_id == user.id)).one()
    place.cancelled_at = STARTS_AT
    db.commit()
    organiser.post(f"{path}/unpublish")

    assert refused.status_code == 409
    assert "1 person has registered already." in refused.text
    assert again(db, published).status is SessionStatus.DRAFT


def test_cancelling_says_how_many_are_told_and_needs_a_reason(
    db: DbSession, organiser: FlaskClient, published: WebinarSession
) -> None:
    path = f"/manage/sessions/{published.public_id}"
    with_a_place(db, published)

    page = organiser.get(path).text
    refused = organiser.post(f"{path}/cancel", data={"reason": " "})
    still = again(db, published).status
    done = organiser.post(
        f"{path}/cancel", data={"reason": "The speaker is ill."}, follow_redirects=True
    )

    assert "Cancel it and tell 1 person" in page
    assert (refused.status_code, still) == (422, SessionStatus.PUBLISHED)
    assert "Say why the session is cancelled" in refused.text
    assert "Cancelled. 1 person is told by mail." in done.text
    assert "The speaker is ill." in done.text
    assert again(db, published).status is SessionStatus.CANCELLED


def test_a_cancelled_session_takes_place_after_all(
    db: DbSession, organiser: FlaskClient, published: WebinarSession
) -> None:
    path = f"/manage/sessions/{published.public_id}"
    organiser.post(f"{path}/cancel", data={"reason": "The speaker is ill."})

    answer = organiser.post(f"{path}/restore", follow_redirects=True)

    assert "It takes place after all." in answer.text
    assert again(db, published).status is SessionStatus.PUBLISHED


def test_a_draft_is_discarded(
    db: DbSession, organiser: FlaskClient, session: WebinarSession
) -> None:
    path = f"/manage/sessions/{session.public_id}"

    refused = organiser.post(f"{path}/discard", data={"reason": ""})
    answer = organiser.post(f"{path}/discard", data={"reason": "Congress"}, follow_redirects=True)

    assert refused.status_code == 422
    assert "The draft is gone" in answer.text
    db.expire_all()
    assert db.scalars(select(WebinarSession)).all() == []


@pytest.mark.parametrize("status", list(SessionStatus))
def test_every_state_has_its_page(
    db: DbSession, organiser: FlaskClient, session: WebinarSession, status: SessionStatus
) -> None:
    session.status = status
    session.cancellation_reason = "The speaker is ill."
    make_session(db, starts_at=STARTS_AT, title="At the same hour")
    db.commit()

    answer = organiser.get(f"/manage/sessions/{session.public_id}")

    assert answer.status_code == 200
    assert "At the same hour" in answer.text
