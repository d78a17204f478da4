"""From the page that says why to the officer's answer, as people click through it."""

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from tests.builders import make_registration, make_user
from tests.evidence import make_attendee, make_ended_session, make_grant
from webinar.db import DbSession, read_db
from webinar.domain.review import AppealState
from webinar.models import AccreditationGrant, Appeal, Incident, User, WebinarSession
from webinar.services import credits

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)

SignIn = Callable[[User], FlaskClient]
WORDS = "I was there on my phone from 18:15 on."


def text_of(page: str) -> str:
    return " ".join(re.sub(r"<[^>]+>", " ", page).split())


@pytest.fixture
def session(db: DbSession) -> WebinarSession:
    """Ended an hour ago by the real clock."""
    session = make_ended_session(db)
    start = datetime.now(UTC).replace(microsecond=0) - timedelta(minutes=105)
    session.starts_at = session.actual_started_at = start
    session.ends_at = session.actual_ended_at = start + timedelta(minutes=45)
    db.flush()
    return session


@pytest.fixture
def grant(db: DbSession, session: WebinarSession) -> AccreditationGrant:
    return make_grant(db, session, "esmo-mora-live", "1")


@pytest.fixture
def late(db: DbSession, session: WebinarSession, grant: AccreditationGrant) -> User:
    """Came half an hour late, and it is decided: no credit."""
    user = make_attendee(db, session, start=1800)
    credits.decide_session(db, session.id, public_url="http://localhost", now=datetime.now(UTC))
    db.commit()
    return user


def address(session: WebinarSession, page: str = "credit") -> str:
    return f"/sessions/{session.public_id}/{page}"


def the_appeal() -> tuple[int, AppealState]:
    """Its id and its state, read apart: what only reads holds SQLite too."""
    with read_db() as fresh:
        appeal_id, state = fresh.execute(select(Appeal.id, Appeal.state)).one()
    return appeal_id, state


def test_the_page_says_why_with_numbers_and_minute_by_minute(
    session: WebinarSession, late: User, signed_in_as: SignIn
) -> None:
    words = text_of(signed_in_as(late).get(address(session)).text)

    assert "No credit" in words
    assert "15:00 of 45:00 counted" in words
    assert "not seen 30:00" in words
    assert "counted 15:00" in words
    assert "by the rules esmo-mora-live, version 1" in words
    assert "Something is wrong here" in words


def test_an_appeal_stands_on_the_page_until_it_is_taken_back(
    session: WebinarSession,
    grant: AccreditationGrant,
    late: User,
    signed_in_as: SignIn,
) -> None:
    client = signed_in_as(late)
    form = {"grant": grant.id, "words": WORDS}

    sent = client.post(address(session, "appeal"), data=form, follow_redirects=True)
    again = client.post(address(session, "appeal"), data=form)
    appeal_id, _ = the_appeal()
    back = client.post(address(session, f"appeals/{appeal_id}/withdraw"), follow_redirects=True)

    assert WORDS in text_of(sent.text)
    assert "is with the accreditation officer" in text_of(sent.text)
    assert "Something is wrong here" not in text_of(sent.text)
    assert again.status_code == 409
    assert "Your appeal is taken back." in text_of(back.text)
    assert "Something is wrong here" in text_of(back.text)


def test_what_was_typed_is_kept_when_it_is_too_long(
    session: WebinarSession, grant: AccreditationGrant, late: User, signed_in_as: SignIn
) -> None:
    words = "x" * 2001

    refused = signed_in_as(late).post(
        address(session, "appeal"), data={"grant": grant.id, "words": words}
    )

    assert refused.status_code == 422
    assert "Say it in at most 2000 characters." in text_of(refused.text)
    assert words in refused.text


@pytest.mark.parametrize("grant_id", ["", "0", "999999", "-1", "x"])
def test_a_grant_that_is_not_of_this_session_is_not_found(
    session: WebinarSession, late: User, signed_in_as: SignIn, grant_id: str
) -> None:
    answer = signed_in_as(late).post(
        address(session, "appeal"), data={"grant": grant_id, "words": WORDS}
    )

    assert answer.status_code == 404


def test_who_is_not_signed_in_is_sent_to_sign_in(
    app: Flask, session: WebinarSession, grant: AccreditationGrant, db: DbSession
) -> None:
    db.commit()

    answer = app.test_client().post(
        address(session, "appeal"), data={"grant": grant.id, "words": WORDS}
    )

    assert answer.status_code == 302
    assert "/sign-in" in answer.location


def test_nobody_takes_back_what_another_has_said(
    db: DbSession,
    session: WebinarSession,
    grant: AccreditationGrant,
    late: User,
    signed_in_as: SignIn,
) -> None:
    other = make_user(db)
    make_registration(db, session, other)
    db.commit()
    signed_in_as(late).post(address(session, "appeal"), data={"grant": grant.id, "words": WORDS})
    appeal_id, _ = the_appeal()

    answer = signed_in_as(other).post(address(session, f"appeals/{appeal_id}/withdraw"))

    assert answer.status_code == 404
    assert the_appeal() == (appeal_id, AppealState.OPEN)


def test_a_stranger_to_the_session_is_offered_no_appeal(
    db: DbSession, session: WebinarSession, grant: AccreditationGrant, signed_in_as: SignIn
) -> None:
    stranger = make_user(db)
    db.commit()
    client = signed_in_as(stranger)

    page = client.get(address(session))
    answer = client.post(address(session, "appeal"), data={"grant": grant.id, "words": WORDS})

    assert "Something is wrong here" not in page.text
    assert answer.status_code == 403


def test_an_outage_is_told_to_those_who_read_what_counted(
    db: DbSession, session: WebinarSession, late: User, signed_in_as: SignIn
) -> None:
    db.add(
        Incident(
            session_id=session.id,
            starts_at=session.starts_at + timedelta(minutes=10),
            ends_at=session.starts_at + timedelta(minutes=15),
            what="The picture stood still for everybody.",
            declared_by_id=late.id,
            declared_at=session.ends_at,
        )
    )
    db.commit()

    page = signed_in_as(late).get(address(session))

    assert "The picture stood still for everybody." in page.text
