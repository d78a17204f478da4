"""Who sits at the desk in most tests of it, and the draft that lies there."""

from collections.abc import Callable

import pytest
from flask.testing import FlaskClient

from tests.builders import make_user
from tests.web.managing import again, make_draft_that_says_it
from webinar.db import DbSession
from webinar.domain.access import Role
from webinar.models import User, WebinarSession


@pytest.fixture
def organiser(db: DbSession, signed_in_as: Callable[[User], FlaskClient]) -> FlaskClient:
    user = make_user(db, "organiser@example.net", roles=(Role.ORGANISER,))
    db.commit()
    return signed_in_as(user)


@pytest.fixture
def officer(db: DbSession, signed_in_as: Callable[[User], FlaskClient]) -> FlaskClient:
    user = make_user(db, roles=(Role.ACCREDITATION_OFFICER,))
    db.commit()
    return signed_in_as(user)


@pytest.fixture
def session(db: DbSession) -> WebinarSession:
    """A draft that says what SESSION says; files about another session have their own."""
    return make_draft_that_says_it(db)


@pytest.fixture
def published(db: DbSession, organiser: FlaskClient, session: WebinarSession) -> WebinarSession:
    organiser.post(f"/manage/sessions/{session.public_id}/publish")
    return again(db, session)
