"""Every number on the dashboard is what SQL finds in the same rows, counted here a second time."""

# ruff: noqa: S608 - every piece of the SQL stands in this file

import re
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
import time_machine
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import bindparam, text

from tests.builders import (
    make_faculty,
    make_registration,
    make_series,
    make_session,
    make_society,
    make_user,
)
from tests.evidence import make_grant, make_recording, watch
from tests.queries import counted
from webinar.db import DbSession, UTCDateTime
from webinar.domain.access import Role
from webinar.domain.attendance import ViewingMode
from webinar.domain.session import FacultyPart, SessionStatus
from webinar.models import SeriesException, Society, User, UserRole

ZURICH = ZoneInfo("Europe/Zurich")
WEEK = timedelta(weeks=1)
PAGES = (
    "/manage/?view=season",
    "/manage/sessions/?when=all",
    "/manage/sessions/?when=all&words=sentinel",
    "/manage/series/",
    "/manage/recordings/",
    "/sessions/",
    "/sessions/?q=sentinel+nodes",
    "/sessions/?view=month",
)

FROM_SESSION = "SELECT count(*) FROM session s WHERE s.society_id IN (:a, :b, :c) AND "
COMING = "s.status IN ('draft', 'published') AND s.ends_at > :now AND s.starts_at < :until AND "
HAS_PART = "EXISTS (SELECT 1 FROM faculty_member f WHERE f.session_id = s.id AND f.part = "
IN_SEASON = "s.starts_at >= :start AND s.starts_at < :end AND s.status <> 'cancelled'"
PLACES = (
    'FROM registration r JOIN session s ON s.id = r.session_id JOIN "user" u ON u.id = r.user_id '
    f"WHERE r.cancelled_at IS NULL AND s.society_id IN (:a, :b, :c) AND {IN_SEASON}"
)
SEEN = (
    "SELECT count(*) FROM (SELECT DISTINCT p.session_id, p.user_id FROM viewing_pass p "
    "JOIN watch_segment w ON w.pass_id = p.id JOIN session s ON s.id = p.session_id "
    f"WHERE s.society_id IN (:a, :b, :c) AND {IN_SEASON} AND p.mode = "
)
# Number on the page -> SQL, and how far ahead of now it looks.
WAITS = {
    "wait live": (FROM_SESSION + "s.status = 'live'", 0 * WEEK),
    "wait consent": (
        FROM_SESSION + "s.status <> 'cancelled' AND EXISTS (SELECT 1 FROM faculty_member f "
        "WHERE f.session_id = s.id AND f.consent_withdrawn_at IS NOT NULL) AND (EXISTS "
        "(SELECT 1 FROM recording r WHERE r.session_id = s.id AND r.state = 'published') OR "
        "NOT EXISTS (SELECT 1 FROM recording r WHERE r.session_id = s.id) AND s.ends_at > :now)",
        0 * WEEK,
    ),
    "wait moderator": (
        f"{FROM_SESSION}{COMING} s.status = 'published' AND NOT {HAS_PART} 'moderator')",
        2 * WEEK,
    ),
    "wait disclosure": (
        f"{FROM_SESSION}{COMING} EXISTS (SELECT 1 FROM faculty_member f "
        "WHERE f.session_id = s.id AND f.disclosure = '')",
        4 * WEEK,
    ),
    "wait draft": (f"{FROM_SESSION}{COMING} s.status = 'draft'", 4 * WEEK),
    "wait presenter": (f"{FROM_SESSION}{COMING} NOT {HAS_PART} 'presenter')", 12 * WEEK),
    "wait closing": (
        "SELECT count(*) FROM recording r JOIN session s ON s.id = r.session_id "
        "WHERE s.society_id IN (:a, :b, :c) AND r.state = 'published' "
        "AND r.closes_at > :now AND r.closes_at < :until",
        2 * WEEK,
    ),
    "wait credit": (
        f"{FROM_SESSION}{COMING} s.status = 'published' AND NOT EXISTS "
        "(SELECT 1 FROM accreditation_grant g WHERE g.session_id = s.id AND g.status <> 'none')",
        4 * WEEK,
    ),
    "deadlines": (
        "SELECT count(*) FROM (SELECT DISTINCT s.series_id, g.accreditor_id FROM session s "
        "JOIN accreditation_grant g ON g.session_id = s.id WHERE s.society_id IN (:a, :b, :c) "
        "AND EXISTS (SELECT 1 FROM session o WHERE o.series_id = s.series_id AND o.status <> "
        "'cancelled' AND o.starts_at > :now AND o.starts_at < :until AND NOT EXISTS (SELECT 1 FROM "
        "accreditation_grant h WHERE h.session_id = o.id AND h.accreditor_id = g.accreditor_id)"
        ")) AS asked",
        16 * WEEK,  # four before each session, and twelve that the page looks ahead
    ),
}
SEASON = {
    "sessions": FROM_SESSION + IN_SEASON,
    "held": f"{FROM_SESSION}{IN_SEASON} AND s.status = 'ended'",
    "published": f"{FROM_SESSION}{IN_SEASON} AND s.status = 'published'",
    "drafts": f"{FROM_SESSION}{IN_SEASON} AND s.status = 'draft'",
    "cancelled": FROM_SESSION
    + "s.starts_at >= :start AND s.starts_at < :end AND s.status = 'cancelled'",
    "registrations": f"SELECT count(*) {PLACES}",
    "people": f"SELECT count(DISTINCT r.user_id) {PLACES}",
    "countries": f"SELECT count(DISTINCT u.country) {PLACES}",
    "attended live": f"{SEEN} 'live') AS seen",
    "attended recorded": f"{SEEN} 'recorded') AS seen",
}


def numbers_on(page: str) -> dict[str, int]:
    """Every number that has a name, as it is read."""
    found = re.findall(r'data-number="([^"]+)"[^>]*>\s*([\d\u202f]+)', page)
    return {name: int(number.replace("\u202f", "")) for name, number in found}


def season_now() -> tuple[datetime, datetime]:
    today = datetime.now(ZURICH).date()
    year = today.year if today.month >= 9 else today.year - 1
    return (
        datetime(year, 9, 1, tzinfo=ZURICH).astimezone(UTC),
        datetime(year + 1, 9, 1, tzinfo=ZURICH).astimezone(UTC),
    )


def months_of(start: datetime) -> list[tuple[date, datetime, datetime]]:
    first = start.astimezone(ZURICH).date()
    found = []
    for _ in range(12):
        following = (first + timedelta(days=31)).replace(day=1)
        begins, ends = (
            datetime(day.year, day.month, 1, tzinfo=ZURICH).astimezone(UTC)
            for day in (first, following)
        )
        found.append((first, begins, ends))
        first = following
    return found


def ask(db: DbSession, sql: str, **values: object) -> int:
    names = [name for name in ("now", "until", "start", "end") if f":{name}" in sql]
    query = text(sql).bindparams(*(bindparam(name, type_=UTCDateTime()) for name in names))
    wanted = {name: value for name, value in values.items() if f":{name}" in sql}
    return int(db.execute(query, wanted).scalar_one())


@pytest.fixture
def societies(db: DbSession) -> tuple[Society, Society, Society]:
    return make_society(db), make_society(db), make_society(db)


@pytest.fixture
def in_november() -> Iterator[None]:
    """Eight weeks before and thirteen after lie in one season."""
    with time_machine.travel(datetime(2026, 11, 24, 12, tzinfo=UTC), tick=True):
        yield


@pytest.fixture
def known_season(
    db: DbSession, societies: tuple[Society, Society, Society], in_november: None
) -> None:
    """Sessions of three societies in every state, and people in them."""
    now = datetime.now(UTC)
    people = [make_user(db) for _ in range(9)]
    for number, person in enumerate(people):
        person.country = "CH" if number < 6 else "GR"
    for number, society in enumerate(societies):
        series = make_series(db, society=society)
        for week in range(-8, 14):
            for status in SessionStatus:
                is_coming = status in (SessionStatus.DRAFT, SessionStatus.PUBLISHED)
                if is_coming != (week > 0) and status is not SessionStatus.CANCELLED:
                    continue
                if status is SessionStatus.LIVE and week != 0:
                    continue
                starts_at = now + week * WEEK + timedelta(hours=1 + number)
                session = make_session(
                    db, starts_at=starts_at, status=status, society=society, series=series
                )
                if (week + number) % 3:
                    member = make_faculty(db, session)
                    member.disclosure = "None." if week % 2 else ""
                if week % 4 != 1:
                    make_faculty(db, session, FacultyPart.MODERATOR, name="Dr Jan Novak")
                if week in (-2, 5):
                    member = make_faculty(db, session, FacultyPart.DISCUSSANT)
                    member.consent_withdrawn_at = now
                if week == 2 and number == 0 and status is SessionStatus.PUBLISHED:
                    grant = make_grant(db, session, "esmo-mora-live", "0.5")
                    grant.accreditor.application_terms = {"covers": "session", "weeks_before": 4}
                if status is SessionStatus.ENDED:
                    closes_at = now + timedelta(days=5 * (9 + week))
                    make_recording(db, session, closes_at=closes_at)
                for person in people[number : number + abs(week) + 1]:
                    make_registration(db, session, person)
                    if status is SessionStatus.ENDED:
                        watch(db, session, person, ViewingMode.LIVE, 0, 60)
                        watch(db, session, person, ViewingMode.LIVE, 60, 120)
                        if week % 2:
                            watch(db, session, person, ViewingMode.RECORDED, 0, 60)
    db.commit()


def organiser(
    db: DbSession, signed_in_as: Callable[[User], FlaskClient], *societies: Society
) -> FlaskClient:
    """May plan everywhere, or for these societies only."""
    user = make_user(db, roles=() if societies else (Role.ORGANISER,))
    for society in societies:
        user.grants.append(UserRole(role=Role.ORGANISER, society_id=society.id))
    db.commit()
    return signed_in_as(user)


@pytest.mark.parametrize("everywhere", [True, False])
@pytest.mark.usefixtures("known_season")
def test_every_number_on_the_page_is_reached_by_sql(
    db: DbSession,
    signed_in_as: Callable[[User], FlaskClient],
    societies: tuple[Society, Society, Society],
    everywhere: bool,
) -> None:
    client = organiser(db, signed_in_as, *(() if everywhere else societies[:2]))
    start, end = season_now()
    now = datetime.now(UTC)

    shown = numbers_on(client.get("/manage/").text)

    of = {"a": societies[0].id, "b": societies[1].id, "c": societies[2 if everywhere else 0].id}
    expected = {}
    for name, (sql, ahead) in WAITS.items():
        expected[name] = ask(db, sql, now=now, until=now + ahead, **of)
    for name, sql in SEASON.items():
        expected[name] = ask(db, sql, start=start, end=end, **of)
    for first, begins, ends in months_of(start):
        sessions = ask(db, SEASON["sessions"], start=begins, end=ends, **of)
        if sessions:
            places = ask(db, SEASON["registrations"], start=begins, end=ends, **of)
            expected |= {f"sessions {first:%Y-%m}": sessions, f"places {first:%Y-%m}": places}
    by_country = f"SELECT count(DISTINCT r.user_id) {PLACES} AND u.country = 'CH'"
    expected["country CH"] = ask(db, by_country, start=start, end=end, **of)
    assert shown == {name: number for name, number in expected.items() if number or name in SEASON}
    assert expected["wait live"] == (3 if everywhere else 2)
    assert min(expected.values()) > 0


def test_a_page_asks_twelve_questions_at_most_however_long_the_season(
    app: Flask, db: DbSession, signed_in_as: Callable[[User], FlaskClient]
) -> None:
    client = organiser(db, signed_in_as)
    series, now = make_series(db), datetime.now(UTC)
    for number in range(500):
        starts_at = now + timedelta(days=number % 250 - 50, minutes=number)
        status = SessionStatus.PUBLISHED if number % 250 >= 50 else SessionStatus.ENDED
        session = make_session(db, series=series, starts_at=starts_at, status=status)
        make_faculty(db, session)
    make_grant(db, session, "esmo-mora-live", "1")
    db.commit()

    asked = {}
    for path in (*PAGES, "/manage/"):
        with counted(app.extensions["engine"]) as statements:
            assert client.get(path).status_code == 200
        asked[path] = len(statements)

    assert {path: number for path, number in asked.items() if number > 12} == {}


def test_a_new_organisation_is_told_what_to_do_first(
    db: DbSession, signed_in_as: Callable[[User], FlaskClient]
) -> None:
    client = organiser(db, signed_in_as)

    empty = client.get("/manage/").text
    series = make_series(db)
    db.commit()
    with_series = client.get("/manage/").text
    draft = make_session(db, series=series, status=SessionStatus.DRAFT)
    draft.starts_at, draft.ends_at = (datetime.now(UTC) + 20 * WEEK + n * WEEK for n in (0, 1))
    db.commit()
    planned = client.get("/manage/").text
    draft.status = SessionStatus.PUBLISHED
    db.commit()
    published = client.get("/manage/").text

    assert [page.count("task-done") for page in (empty, with_series, planned)] == [0, 2, 3]
    assert 'href="/manage/societies/new">Add your society</a>' in empty
    assert ">Plan the series</a>" in with_series
    assert ">Choose a draft</a>" in planned
    assert "How to begin" not in published


def test_a_break_stands_in_the_picture_with_its_reason(
    db: DbSession, signed_in_as: Callable[[User], FlaskClient]
) -> None:
    client = organiser(db, signed_in_as)
    series = make_series(db)
    db.add(SeriesException(series_id=series.id, day=date(2027, 12, 30), reason="Between the years"))
    make_session(db, series=series)
    db.commit()

    weeks = client.get("/manage/?from=2027-12-01").text
    season = client.get("/manage/?view=season&from=2028-03-01").text
    elsewhere = client.get("/manage/?view=season&from=2028-09-01").text

    shown = ["Between the years" in page for page in (weeks, season, elsewhere)]
    assert shown == [True, True, False]


def test_a_break_of_many_days_stands_on_those_on_which_the_series_would_meet(
    db: DbSession, signed_in_as: Callable[[User], FlaskClient]
) -> None:
    client = organiser(db, signed_in_as)
    series = make_series(db)  # on Thursdays
    days = [date(2027, 12, 20) + timedelta(days=n) for n in range(14)]
    db.add_all(
        SeriesException(series_id=series.id, day=day, reason="Between the years") for day in days
    )
    db.commit()

    page = client.get("/manage/?from=2027-12-01").text

    assert page.count(">Between the years<") == 2
    assert 'scope="col">Thu<' in page
    assert 'scope="col">Mon<' not in page
