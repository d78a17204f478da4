from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from flask.testing import FlaskClient

from tests.builders import make_series, make_session, make_user
from webinar.db import DbSession
from webinar.domain.session import SessionStatus
from webinar.models import User
from webinar.services import registrations

SOON = datetime.now(UTC) + timedelta(days=3)
SignIn = Callable[[User], FlaskClient]


def test_a_place_is_taken_and_given_up_with_one_press_each(
    signed_in_as: SignIn, db: DbSession
) -> None:
    session, user = make_session(db, starts_at=SOON), make_user(db)
    db.commit()
    client = signed_in_as(user)
    page = f"/sessions/{session.public_id}"

    taken = client.post(f"{page}/register")
    has_place = registrations.is_registered(db, session.id, user.id)
    db.commit()
    given_up = client.post(f"{page}/unregister")
    db.expire_all()

    assert (taken.status_code, taken.location) == (303, page)
    assert has_place
    assert (given_up.status_code, given_up.location) == (303, page)
    assert not registrations.is_registered(db, session.id, user.id)


def test_who_registers_at_the_door_goes_on_through_it(signed_in_as: SignIn, db: DbSession) -> None:
    session, user = make_session(db, starts_at=SOON), make_user(db)
    db.commit()
    client = signed_in_as(user)
    page = f"/sessions/{session.public_id}"

    inside = client.post(f"{page}/register", data={"next": f"{page}/live"})
    elsewhere = client.post(f"{page}/register", data={"next": "https://evil.example/"})

    assert inside.location == f"{page}/live"
    assert elsewhere.location == page


@pytest.mark.parametrize(
    ("status", "code", "sentence"),
    [
        (SessionStatus.CANCELLED, 409, "This session is cancelled."),
        (SessionStatus.ENDED, 410, "This session is over and has no recording to watch."),
        (SessionStatus.DRAFT, 404, "There is no such session, or it is not announced yet."),
    ],
)
def test_a_session_that_takes_nobody_says_why(
    signed_in_as: SignIn, db: DbSession, status: SessionStatus, code: int, sentence: str
) -> None:
    session, user = make_session(db, starts_at=SOON, status=status), make_user(db)
    db.commit()

    answer = signed_in_as(user).post(f"/sessions/{session.public_id}/register")

    assert answer.status_code == code
    assert sentence in answer.text
    assert not registrations.is_registered(db, session.id, user.id)


def test_a_session_that_does_not_exist_is_not_found(signed_in_as: SignIn, db: DbSession) -> None:
    user = make_user(db)
    db.commit()
    client = signed_in_as(user)

    assert client.post("/sessions/nothing/register").status_code == 404
    assert client.post("/series/nothing/register").status_code == 404


def test_a_series_is_followed_and_left(signed_in_as: SignIn, db: DbSession) -> None:
    series, user = make_series(db), make_user(db)
    session = make_session(db, series=series, starts_at=SOON)
    db.commit()
    client = signed_in_as(user)

    client.post(f"/series/{series.slug}/register")
    followed = registrations.is_registered(db, session.id, user.id)
    db.commit()
    answer = client.post(f"/series/{series.slug}/unregister")
    db.expire_all()

    assert followed
    assert (answer.status_code, answer.location) == (303, f"/series/{series.slug}")
    assert not registrations.is_registered(db, session.id, user.id)


def test_a_stranger_is_led_to_the_form_for_an_account(client: FlaskClient, db: DbSession) -> None:
    series = make_series(db)
    db.commit()

    answer = client.post(f"/series/{series.slug}/register")

    assert answer.status_code == 303
    assert answer.location == f"/register?next=/series/{series.slug}/register"
