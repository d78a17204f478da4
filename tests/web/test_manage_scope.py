"""A role for one society opens that society's pages and no others."""

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.routing import Rule

from tests.builders import NOW, make_series, make_session, make_society, make_user
from tests.certificate_samples import CONTENT
from webinar.db import DbSession
from webinar.domain.access import SITE_WIDE, Role
from webinar.domain.certificate import new_number
from webinar.domain.recording import RecordingState
from webinar.domain.session import SessionStatus
from webinar.models import Certificate, Recording, Society, User, UserRole, WebinarSession
from webinar.web.access import action_of

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)

NUMBER = new_number(b"theirs!")
# What stands in the address belongs to no society: why whoever has a role for one may open it.
OF_NO_SOCIETY = {
    "manage.body_show": "accreditors are the same for all",
    "manage.change_undo": "a change is taken back by who made it",
    "manage.mail_again": "whose mail it is the log of mails sees to, and does not say",
    "manage.mails_person": "whose person it is the log of mails sees to, and does not say",
    "manage.mail_preview": "invented people read the mails",
    "manage.mail_preview_page": "invented people read the mails",
    "manage.policy_show": "the rules of credit are the same for all",
}


def organiser_of(db: DbSession, society: Society, role: Role = Role.ORGANISER) -> User:
    user = make_user(db)
    user.grants.append(UserRole(role=role, society_id=society.id))
    db.commit()
    return user


@pytest.fixture
def theirs(db: DbSession) -> WebinarSession:
    """A session of a series, of a society for which nobody here has a role."""
    society = make_society(db, "theirs")
    session = make_session(db, series=make_series(db, "their-series", society=society))
    session.public_id = "theirs"
    db.add(
        Certificate(
            number=NUMBER,
            session_id=session.id,
            user_id=make_user(db).id,
            revision=0,
            content=json.loads(replace(CONTENT, number=NUMBER).to_json()),
            content_digest="",
            decision_ids=[],
            issued_at=NOW,
        )
    )
    db.commit()
    return session


def society_routes(app: Flask) -> list[Rule]:
    """Every route of /manage/ about something, but for those whose action is for all societies."""
    return [
        rule
        for rule in app.url_map.iter_rules()
        if rule.endpoint.startswith("manage.")
        and rule.arguments
        and action_of(app.view_functions[rule.endpoint]) not in SITE_WIDE
    ]


@pytest.mark.parametrize("role", [Role.ORGANISER, Role.ACCREDITATION_OFFICER])
def test_no_page_about_a_session_opens_for_staff_of_another_society(
    app: Flask,
    db: DbSession,
    signed_in_as: Callable[[User], FlaskClient],
    theirs: WebinarSession,
    role: Role,
) -> None:
    client = signed_in_as(organiser_of(db, make_society(db), role))
    let_in = []
    for rule in society_routes(app):
        if rule.endpoint in OF_NO_SOCIETY:
            continue
        slug = "theirs" if "/societies/" in rule.rule else "their-series"
        number = NUMBER if "/certificates/" in rule.rule else 1
        known = {"public_id": "theirs", "slug": slug, "number": number}
        values = {name: known.get(name, 1) for name in rule.arguments}
        path = app.url_map.bind("localhost").build(rule.endpoint, values, method=None)
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}:
            answer = client.open(path, method=method)
            if answer.status_code != 403:
                let_in.append(f"{method} {rule.rule}: {answer.status_code}")

    assert let_in == []


@pytest.mark.parametrize("role", [Role.ORGANISER, Role.ACCREDITATION_OFFICER])
def test_no_list_names_a_session_of_another_society(
    app: Flask,
    db: DbSession,
    signed_in_as: Callable[[User], FlaskClient],
    theirs: WebinarSession,
    role: Role,
) -> None:
    theirs.title = "A title nobody else may read"
    theirs.starts_at = datetime.now(UTC) + timedelta(days=9)
    theirs.ends_at = theirs.starts_at + timedelta(hours=1)
    ended = make_session(
        db,
        society=theirs.society,
        status=SessionStatus.ENDED,
        title="A title nobody else may read",
        starts_at=datetime.now(UTC) - timedelta(days=9),
    )
    db.add(
        Recording(public_id="theirs", session=ended, state=RecordingState.PUBLISHED, created_at=NOW)
    )
    client = signed_in_as(organiser_of(db, make_society(db), role))
    told = []
    for rule in app.url_map.iter_rules():
        if (
            rule.endpoint.startswith("manage.")
            and not rule.arguments
            and "GET" in (rule.methods or ())
        ):
            answer = client.get(rule.rule, follow_redirects=True)
            if "A title nobody else may read" in answer.text:
                told.append(rule.rule)

    assert told == []


def test_the_refusal_says_for_whom_and_what_to_do(
    db: DbSession, signed_in_as: Callable[[User], FlaskClient], theirs: WebinarSession
) -> None:
    client = signed_in_as(organiser_of(db, make_society(db)))

    answer = client.get("/manage/sessions/theirs")

    sentence = (
        f"Your account may not plan sessions for {theirs.society.name}. Ask an administrator."
    )
    assert sentence in answer.text


def test_the_pages_of_ones_own_society_open(
    db: DbSession, signed_in_as: Callable[[User], FlaskClient], theirs: WebinarSession
) -> None:
    client = signed_in_as(organiser_of(db, theirs.society))

    answers = [
        client.get(path).status_code
        for path in ("/manage/sessions/theirs", "/manage/series/their-series")
    ]

    assert answers == [200, 200]


def test_what_is_not_there_is_not_found_rather_than_refused(
    db: DbSession, signed_in_as: Callable[[User], FlaskClient]
) -> None:
    client = signed_in_as(organiser_of(db, make_society(db)))

    assert client.get("/manage/sessions/nothing").status_code == 404


def test_a_moderator_of_a_society_moderates_its_sessions_only(
    db: DbSession, signed_in_as: Callable[[User], FlaskClient], theirs: WebinarSession
) -> None:
    other = make_session(db)
    client = signed_in_as(organiser_of(db, theirs.society, Role.MODERATOR))

    answers = [
        client.get(f"/studio/{session.public_id}").status_code for session in (theirs, other)
    ]

    assert answers == [200, 403]
