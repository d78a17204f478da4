"""One session in figures, as its organiser reads them."""

from datetime import timedelta
from itertools import pairwise

import pytest
from flask.testing import FlaskClient

from tests.builders import (
    NOW,
    STARTS_AT,
    make_faculty,
    make_registration,
    make_session,
    make_user,
)
from tests.evidence import make_grant, watch
from webinar.db import DbSession
from webinar.domain.attendance import ViewingMode
from webinar.domain.session import SessionStatus
from webinar.models import WebinarSession
from webinar.services.session_figures import Registered, session_figures

DAY = timedelta(days=1)


@pytest.fixture
def session(db: DbSession) -> WebinarSession:
    """Ended; seven people from Switzerland had a place and two from Greece, one gave it up."""
    session = make_session(db, status=SessionStatus.ENDED)
    make_faculty(db, session)
    for number in range(9):
        user = make_user(db)
        user.country = "GR" if number > 6 else "CH"
        place = make_registration(db, session, user)
        place.created_at = NOW - DAY * (number // 3)
        if number == 0:
            place.cancelled_at = NOW + DAY
        elif number < 4:
            watch(db, session, user, ViewingMode.LIVE, 0, 60)
            watch(db, session, user, ViewingMode.RECORDED, 0, 60) if number < 3 else None
    make_grant(db, session, "esmo-mora-live", "1")
    db.commit()
    return session


def test_the_line_rises_with_every_place_and_falls_with_every_one_given_up(
    db: DbSession, session: WebinarSession
) -> None:
    figures = session_figures(db, session, now=NOW + 2 * DAY)

    today = NOW.date()
    assert figures.over_time == (
        Registered(today - 2 * DAY, 3),
        Registered(today - DAY, 6),
        Registered(today, 9),
        Registered(today + DAY, 8),
        Registered(today + 2 * DAY, 8),
    )


def test_the_line_of_a_long_time_has_a_point_a_week_and_ends_with_today(
    db: DbSession, session: WebinarSession
) -> None:
    early = make_registration(db, session, make_user(db))
    early.created_at = NOW - 200 * DAY
    db.flush()

    line = session_figures(db, session, now=STARTS_AT + 9 * DAY).over_time

    assert {b.day - a.day for a, b in pairwise(line)} == {7 * DAY}
    assert (line[-1].day, line[-1].places) == (STARTS_AT.date(), 9)


def test_the_figures_count_people_and_not_page_loads(
    db: DbSession, session: WebinarSession
) -> None:
    figures = session_figures(db, session, now=NOW)

    assert (figures.registered, figures.gave_up) == (8, 1)
    assert figures.countries == (("CH", 6), ("GR", 2))
    assert figures.attended == {ViewingMode.LIVE: 3, ViewingMode.RECORDED: 2}


def test_countries_of_few_people_are_not_told_apart(
    organiser: FlaskClient, session: WebinarSession
) -> None:
    page = organiser.get(f"/manage/sessions/{session.public_id}/figures").text
    table = organiser.get(f"/manage/sessions/{session.public_id}/figures?format=csv")

    assert "Switzerland" in page
    assert "1 other country" in page
    assert "fewer than 5" in page
    assert "Greece" not in page + table.text
    assert table.mimetype == "text/csv"
    assert "country,Switzerland,6\r\ncountry,1 other country,fewer than 5\r\n" in table.text
    assert "registered,,8\r\n" in table.text
    assert "attended,live,3\r\n" in table.text


@pytest.mark.parametrize("status", list(SessionStatus))
def test_figures_of_nothing_say_what_to_do(
    db: DbSession, organiser: FlaskClient, status: SessionStatus
) -> None:
    session = make_session(db, status=status)
    db.commit()

    page = organiser.get(f"/manage/sessions/{session.public_id}/figures")

    assert page.status_code == 200
    assert "Name a presenter and a moderator" in page.text
    assert "No body was asked for this session" in page.text
