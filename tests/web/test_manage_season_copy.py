"""Copying last season, as a browser without scripts does it."""

import re
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from html import unescape

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select

from tests.builders import make_series, make_session, make_user
from webinar.db import DbSession
from webinar.domain.access import Role
from webinar.domain.session import SessionStatus
from webinar.models import Series, SeriesException, User, UserRole, WebinarSession

SPAN = "old_from=2126-11-28&old_to=2127-01-16&new_from=2127-11-27"


@pytest.fixture
def series(db: DbSession) -> Series:
    """Eight Thursdays; New Year, a Friday here, is a Thursday in the next season."""
    series = make_series(db, "rounds")
    series.rules[0].first_day = date(2126, 11, 28)
    series.exceptions.append(SeriesException(day=date(2127, 1, 1), reason="New Year"))
    for week in range(8):
        starts_at = datetime(2126, 11, 28, 17, 15, tzinfo=UTC) + timedelta(weeks=week)
        session = make_session(
            db, series=series, starts_at=starts_at, title=f"Talk {week}", status=SessionStatus.ENDED
        )
        session.planned_day = starts_at.date()
    db.commit()
    return series


def drafts(db: DbSession) -> list[str]:
    found = select(WebinarSession.title).where(WebinarSession.status == SessionStatus.DRAFT)
    titles = list(db.scalars(found.order_by(WebinarSession.starts_at)))
    db.rollback()
    return titles


def form_of(text: str) -> dict[str, str | list[str]]:
    ticked = re.findall(r'name="date" value="([^"]*)" checked', text)
    hidden = re.findall(r'type="hidden" name="(\w+)" value="([^"]*)"', text)
    return {**dict(hidden), "date": ticked}


def test_the_form_begins_with_the_year_that_is_planned(
    organiser: FlaskClient, series: Series
) -> None:
    text = organiser.get("/manage/copy").text

    assert 'value="2126-01-18"' in text
    assert 'value="2127-01-16"' in text
    assert 'value="2127-01-17"' in text


def test_a_season_is_shown_and_then_made_and_can_be_taken_back(
    organiser: FlaskClient, db: DbSession, series: Series
) -> None:
    shown = organiser.get(f"/manage/copy?show=y&{SPAN}&titles=y")
    before = drafts(db)
    made = organiser.post("/manage/copy", data=form_of(shown.text), follow_redirects=True)
    again = organiser.get(f"/manage/copy?show=y&{SPAN}&titles=y").text

    assert shown.status_code == 200
    assert before == []
    assert "A break last season: New Year." in shown.text
    assert "find no date:</strong> Talk 7." in shown.text.replace("finds", "find")
    assert drafts(db) == [f"Talk {number}" for number in range(7)]
    assert "Made 7 drafts for the new season." in made.text
    assert "Copied last season." in made.text
    assert again.count("Planned already") == 7
    assert form_of(again)["date"] == []


def test_dates_that_are_not_ticked_are_not_made(
    organiser: FlaskClient, db: DbSession, series: Series
) -> None:
    form = form_of(organiser.get(f"/manage/copy?show=y&{SPAN}&titles=y&series=rounds").text)

    organiser.post("/manage/copy", data={**form, "date": [form["date"][1], "x y", "9" * 20]})

    assert drafts(db) == ["Talk 1"]


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
@pytest.mark.parametrize(
    ("query", "words"),
    [
        ("old_from=x&old_to=2127-01-16&new_from=2127-11-27", "Give the day as a date"),
        ("old_from=2127-01-16&old_to=2126-11-28&new_from=2127-11-27", "Exchange the two days"),
        ("old_from=2126-11-28&old_to=2127-01-16&new_from=2127-01-01", "Choose a later day"),
        (f"{SPAN}&series=nothing", "Choose a series from the list"),
    ],
)
def test_what_makes_no_season_is_said_beside_the_field_and_kept(
    organiser: FlaskClient, series: Series, query: str, words: str
) -> None:
    answer = organiser.get(f"/manage/copy?show=y&{query}")

    assert answer.status_code == 422
    assert words in unescape(answer.text)
    assert 'class="field field-wrong"' in answer.text


def test_an_organiser_of_another_society_copies_nothing_of_it(
    db: DbSession, series: Series, signed_in_as: Callable[[User], FlaskClient]
) -> None:
    other = make_series(db, "other")
    user = make_user(db)
    user.grants = [UserRole(role=Role.ORGANISER, society_id=other.society_id)]
    db.commit()
    client = signed_in_as(user)

    text = client.get(f"/manage/copy?show=y&{SPAN}").text
    client.post(
        "/manage/copy",
        data={
            "old_from": "2126-11-28",
            "old_to": "2127-01-16",
            "new_from": "2127-11-27",
            "date": [f"{series.id} 2127-12-04"],
        },
    )

    assert "Talk" not in text
    assert drafts(db) == []
