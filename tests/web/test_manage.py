"""The organiser's pages, as a browser without scripts uses them. Dates lie in years to come."""

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select

from tests.builders import (
    make_faculty,
    make_series,
    make_session,
    make_society,
    make_user,
)
from webinar.db import DbSession
from webinar.domain.access import Role
from webinar.domain.recording import RecordingState
from webinar.domain.session import SessionStatus
from webinar.models import (
    Recording,
    Series,
    SeriesException,
    User,
    WebinarSession,
)

STARTS_AT = datetime(2126, 11, 28, 17, 15, tzinfo=UTC)  # a Thursday

SERIES = {
    "do": "create",
    "name": "e-grandrounds",
    "slug": "",
    "about": "",
    "society": "eso",
    "society_name": "",
    "pattern": "weekly",
    "weekday": "TH",
    "rule": "",
    "start": "18:15",
    "minutes": "45",
    "zone": "Europe/Zurich",
    "first_day": "2126-11-28",
    "months": "6",
}


@pytest.fixture
def organiser(db: DbSession, signed_in_as: Callable[[User], FlaskClient]) -> FlaskClient:
    user = make_user(db, "organiser@example.net", roles=(Role.ORGANISER,))
    db.commit()
    return signed_in_as(user)


@pytest.fixture
def session(db: DbSession) -> WebinarSession:
    session = make_session(
        db, starts_at=STARTS_AT, status=SessionStatus.DRAFT, series=make_series(db, "rounds")
    )
    make_faculty(db, session)
    db.commit()
    return session


@pytest.mark.parametrize("path", ["", "series/", "series/new", "sessions/", "recordings/"])
def test_an_empty_house_says_what_to_do_first(organiser: FlaskClient, path: str) -> None:
    answer = organiser.get(f"/manage/{path}")

    assert answer.status_code == 200
    assert ("Create a series" in answer.text) is (path in ("", "series/", "series/new"))


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


def test_a_series_is_created_and_its_dates_are_shown_before_they_are_planned(
    db: DbSession, organiser: FlaskClient
) -> None:
    make_society(db, "eso")
    db.commit()

    created = organiser.post("/manage/series/new", data=SERIES)
    shown = organiser.get("/manage/series/e-grandrounds?until=2126-12-12")
    before = db.scalars(select(WebinarSession)).all()
    db.commit()
    planned = organiser.post(
        "/manage/series/e-grandrounds/plan", data={"until": "2126-12-12"}, follow_redirects=True
    )

    made = db.scalars(select(Series)).one()
    assert created.status_code == 302
    assert (made.slug, made.rules[0].rule) == ("e-grandrounds", "FREQ=WEEKLY;BYDAY=TH")
    assert "Plan 3 drafts" in shown.text
    assert before == []
    assert "3 drafts planned." in planned.text
    days = db.scalars(select(WebinarSession.planned_day).order_by(WebinarSession.planned_day))
    assert days.all() == [date(2126, 11, 28), date(2126, 12, 5), date(2126, 12, 12)]


def test_planning_further_says_what_is_there_already(db: DbSession, organiser: FlaskClient) -> None:
    make_society(db, "eso")
    db.commit()
    organiser.post("/manage/series/new", data=SERIES)
    organiser.post("/manage/series/e-grandrounds/plan", data={"until": "2126-12-05"})

    further = organiser.get("/manage/series/e-grandrounds?until=2126-12-12").text
    same = organiser.get("/manage/series/e-grandrounds?until=2126-12-05").text

    assert "<strong>1 new date</strong>, 2 dates planned already." in further
    assert "Plan 1 draft<" in further
    assert "Every date up to then is planned already." in same


def test_a_preview_stores_nothing_and_keeps_what_was_typed(
    db: DbSession, organiser: FlaskClient
) -> None:
    answer = organiser.post(
        "/manage/series/new", data={**SERIES, "do": "preview", "name": "Half a na"}
    )

    assert answer.status_code == 200
    assert "Thu 28 Nov 2126" in answer.text
    assert 'value="Half a na"' in answer.text
    assert "Every Thursday, 18:15, Zurich time." in answer.text
    assert db.scalars(select(Series)).all() == []


@pytest.mark.parametrize(
    ("change", "status", "sentence"),
    [
        ({"name": ""}, 422, "Give the series a name."),
        ({"slug": "Not A Slug"}, 422, "cannot stand in an address"),
        ({"slug": "taken"}, 409, "There is a series called taken already"),
        ({"start": "6pm"}, 422, "Give the start as hours and minutes"),
        ({"start": "02:30", "weekday": "SU"}, 422, "02:30 on 30 March 2127 does not exist"),
        ({"minutes": "0"}, 422, "A session has to end after it starts."),
        ({"minutes": "ten"}, 422, "Give the length in whole minutes"),
        ({"minutes": "999999999999"}, 422, "Give the length in whole minutes"),
        ({"zone": "Europe/Zuerich"}, 422, "There is no time zone called"),
        ({"first_day": "2126-02-30"}, 422, "Give the first day as a date"),
        ({"pattern": "own", "rule": ""}, 422, "Write the rule"),
        ({"pattern": "own", "rule": "weekly"}, 422, "FREQ=WEEKLY;BYDAY=TH"),
        (
            {"pattern": "own", "rule": "FREQ=WEEKLY;BYDAY=TH;UNTIL=20200101"},
            422,
            "The rule names no date",
        ),
        ({"months": "0"}, 422, "Recordings stay open for 1 to 60 months"),
        ({"society": "nobody"}, 404, "There is no society called"),
        ({"society": "new"}, 422, "Give the name of the other society."),
        ({"society": "new", "society_name": "Αθήνα"}, 422, "with some Latin letters"),
        ({"society": "new", "society_name": "ESO"}, 409, "There is a society called eso already"),
    ],
)
def test_a_series_that_makes_no_sense_is_refused_beside_its_field(
    db: DbSession, organiser: FlaskClient, change: dict[str, str], status: int, sentence: str
) -> None:
    make_series(db, "taken", society=make_society(db, "eso"))
    db.commit()

    answer = organiser.post("/manage/series/new", data={**SERIES, "name": "Rounds", **change})

    assert sentence in answer.text
    assert answer.status_code == status
    assert "nothing you typed is lost" in answer.text
    assert db.scalars(select(Series.slug)).all() == ["taken"]


def test_the_first_series_can_bring_its_society(db: DbSession, organiser: FlaskClient) -> None:
    organiser.post(
        "/manage/series/new", data={**SERIES, "society": "new", "society_name": "School"}
    )

    made = db.scalars(select(Series)).one()
    assert (made.society.slug, made.society.name) == ("school", "School")


def test_a_missing_name_of_another_society_is_said_beside_that_name(
    organiser: FlaskClient,
) -> None:
    answer = organiser.post("/manage/series/new", data={**SERIES, "society": "new"})

    assert 'id="f-society_name-error">Give the name of the other society.' in answer.text
    assert 'id="f-slug-error"' not in answer.text


@pytest.mark.parametrize(
    ("path", "sentence"),
    [
        ("?until=soon", "Give the last day as a date"),
        ("?until=2020-01-01", "is before the first"),
        ("?until=2199-01-01", "You can plan 3 years at a time."),
    ],
)
def test_an_impossible_last_day_is_said_beside_its_field(
    db: DbSession, organiser: FlaskClient, path: str, sentence: str
) -> None:
    make_series(db, "rounds")
    db.commit()

    answer = organiser.get(f"/manage/series/rounds{path}")

    assert answer.status_code == 200
    assert 'id="f-until-error">' in answer.text
    assert sentence in answer.text


def test_planning_without_a_day_is_refused(db: DbSession, organiser: FlaskClient) -> None:
    make_series(db, "rounds")
    db.commit()

    answer = organiser.post("/manage/series/rounds/plan", data={"until": "soon"})

    assert answer.status_code == 422
    assert db.scalars(select(WebinarSession)).all() == []


def test_a_day_is_left_out_with_its_reason(db: DbSession, organiser: FlaskClient) -> None:
    make_series(db, "rounds")
    db.commit()

    organiser.post(
        "/manage/series/rounds/exceptions", data={"day": "2026-12-24", "reason": "Holidays"}
    )
    refused = organiser.post("/manage/series/rounds/exceptions", data={"day": "", "reason": ""})

    exception = db.scalars(select(SeriesException)).one()
    assert (exception.day, exception.reason) == (date(2026, 12, 24), "Holidays")
    assert refused.status_code == 422
    assert "Say why the series does not meet on that day." in refused.text


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
