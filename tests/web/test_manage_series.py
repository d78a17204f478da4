"""The pages of series, as a browser without scripts uses them. Dates lie in years to come."""

from collections.abc import Callable
from datetime import date, time, timedelta

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from tests.builders import make_registration, make_series, make_session, make_society, make_user
from tests.queries import counted
from tests.web.managing import STARTS_AT
from webinar.db import DbSession
from webinar.domain.access import Role
from webinar.domain.session import SessionStatus
from webinar.models import (
    PlanningRule,
    Series,
    SeriesException,
    User,
    UserRole,
    WebinarSession,
)

SERIES = {
    "do": "create",
    "name": "e-grandrounds",
    "slug": "",
    "about": "",
    "society": "eso",
    "society_name": "",
    "zone": "Europe/Zurich",
    "months": "6",
    "reader-0": "America/New_York",
    "reader-1": "",
    "reader-2": "",
    "country-0": "",
    "rule-0-pattern": "weekly",
    "rule-0-weekday": "TH",
    "rule-0-every": "2",
    "rule-0-rule": "",
    "rule-0-start": "18:15",
    "rule-0-minutes": "45",
    "rule-0-first_day": "2126-11-28",
    "rule-0-ends": "never",
    "rule-0-last_day": "",
    "rule-0-times": "10",
}
SECOND_RULE = {
    "rule-1-pattern": "first",
    "rule-1-weekday": "TU",
    "rule-1-start": "12:00",
    "rule-1-minutes": "60",
    "rule-1-first_day": "2126-12-01",
}


@pytest.fixture
def rounds(db: DbSession) -> Series:
    """Thursdays from 28 November 2126, 18:15 in Zurich, nothing planned yet."""
    made = make_series(db, "rounds")
    made.rules[0].first_day = date(2126, 11, 28)
    db.commit()
    return made


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


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_a_preview_stores_nothing_and_keeps_what_was_typed(
    db: DbSession, organiser: FlaskClient
) -> None:
    answer = organiser.post(
        "/manage/series/new", data={**SERIES, "do": "preview", "name": "Half a na"}
    )

    assert answer.status_code == 200
    assert "Thu 28 Nov 2126" in answer.text
    assert 'value="Half a na"' in answer.text
    assert "Every Thursday, 18:15 Zurich time, 45 minutes." in answer.text
    assert db.scalars(select(Series)).all() == []


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
@pytest.mark.parametrize(
    ("change", "status", "sentence"),
    [
        ({"name": ""}, 422, "Give the series a name."),
        ({"slug": "Not A Slug"}, 422, "cannot stand in an address"),
        ({"slug": "taken"}, 409, "There is a series called taken already"),
        ({"rule-0-start": "6pm"}, 422, "Give the start as hours and minutes"),
        (
            {"rule-0-start": "02:30", "rule-0-weekday": "SU"},
            422,
            "02:30 on 30 March 2127 does not exist",
        ),
        ({"rule-0-minutes": "0"}, 422, "A session has to end after it starts."),
        ({"rule-0-minutes": "ten"}, 422, "Give the length in whole minutes"),
        ({"rule-0-minutes": "999999999999"}, 422, "Give the length in whole minutes"),
        ({"zone": "Europe/Zuerich"}, 422, "There is no time zone called"),
        ({"rule-0-first_day": "2126-02-30"}, 422, "Give the first day as a date"),
        ({"rule-0-pattern": "own", "rule-0-rule": ""}, 422, "Write the rule"),
        ({"rule-0-pattern": "own", "rule-0-rule": "weekly"}, 422, "FREQ=WEEKLY;BYDAY=TH"),
        (
            {"rule-0-pattern": "own", "rule-0-rule": "FREQ=WEEKLY;BYDAY=TH;UNTIL=20200101"},
            422,
            "The rule names no date",
        ),
        ({"months": "0"}, 422, "Recordings stay open for 1 to 60 months"),
        ({"society": "nobody"}, 404, "There is no society called"),
        ({"society": "new"}, 422, "Give the name of the society."),
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


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_a_missing_name_of_another_society_is_said_beside_that_name(
    organiser: FlaskClient,
) -> None:
    answer = organiser.post("/manage/series/new", data={**SERIES, "society": "new"})

    assert 'id="f-society_name-error">Give the name of the society.' in answer.text
    assert 'id="f-slug-error"' not in answer.text


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
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


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_planning_without_a_day_is_refused(db: DbSession, organiser: FlaskClient) -> None:
    make_series(db, "rounds")
    db.commit()

    answer = organiser.post("/manage/series/rounds/plan", data={"until": "soon"})

    assert answer.status_code == 422
    assert db.scalars(select(WebinarSession)).all() == []


def test_a_series_meets_by_two_rules_that_end(db: DbSession, organiser: FlaskClient) -> None:
    make_society(db, "eso")
    db.commit()
    ends = {"rule-0-ends": "after", "rule-0-times": "3", "rule-1-ends": "on"}

    organiser.post(
        "/manage/series/new",
        data={**SERIES, **SECOND_RULE, **ends, "rule-1-last_day": "2127-06-30"},
    )

    made = db.scalars(select(Series)).one()
    assert [(row.rule, row.local_start, row.last_day) for row in made.rules] == [
        ("FREQ=WEEKLY;BYDAY=TH;COUNT=3", time(18, 15), None),
        ("FREQ=MONTHLY;BYDAY=1TU", time(12, 0), date(2127, 6, 30)),
    ]
    page = organiser.get("/manage/series/e-grandrounds").text
    assert "Every Thursday, 18:15 Zurich time, 45 minutes, 3 times from 28 November 2126" in page
    assert "First Tuesday of the month, 12:00 Zurich time, 60 minutes, until 30 June 2127" in page


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_another_rule_and_a_rule_taken_out_keep_what_was_typed(organiser: FlaskClient) -> None:
    more = organiser.post(
        "/manage/series/new", data={**SERIES, "name": "Half a na", "do": "add-rule"}
    ).text
    less = organiser.post(
        "/manage/series/new",
        data={**SERIES, **SECOND_RULE, "rule-0-out": "y", "do": "preview"},
    ).text

    assert 'name="rule-1-start"' in more
    assert 'value="Half a na"' in more
    assert 'name="rule-1-start"' not in less
    assert 'name="rule-0-start" type="time" value="12:00"' in less


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_a_preview_marks_holidays_and_the_hours_of_readers(organiser: FlaskClient) -> None:
    page = organiser.post(
        "/manage/series/new",
        data={
            **SERIES,
            "do": "preview",
            "name": "",
            "rule-0-first_day": "2026-12-08",
            "rule-0-weekday": "TU",
            "reader-1": "tokyo",
            "country-0": "Italy",
            "country-1": "ch",
            "country-2": "Japan",
        },
    ).text

    assert "18:15 in Zurich is 12:15 in New York, 02:15 the next day in Tokyo" in page
    assert "Public holiday in Italy: Immacolata Concezione." in page
    assert 'name="country-3"' in page


def test_an_organiser_of_one_society_makes_series_for_it_alone(
    db: DbSession, signed_in_as: Callable[[User], FlaskClient]
) -> None:
    mine, other = make_society(db, "mine"), make_society(db, "other")
    make_series(db, "theirs", society=other).name = "Somebody else's rounds"
    user = make_user(db)
    user.grants.append(UserRole(role=Role.ORGANISER, society_id=mine.id))
    db.commit()
    client = signed_in_as(user)

    refused = client.post("/manage/series/new", data={**SERIES, "society": "other"})
    founded = client.post(
        "/manage/series/new", data={**SERIES, "society": "new", "society_name": "Third"}
    )
    client.post("/manage/series/new", data={**SERIES, "society": "mine"})

    assert (refused.status_code, founded.status_code) == (403, 403)
    assert "Your account may not create societies." in founded.text
    assert "Another society" not in client.get("/manage/series/new").text
    assert "Somebody else" not in client.get("/manage/series/").text
    assert db.scalars(select(Series.slug).order_by(Series.slug)).all() == [
        "e-grandrounds",
        "theirs",
    ]


def test_what_a_series_says_is_edited(
    db: DbSession, organiser: FlaskClient, rounds: Series
) -> None:
    typed = {
        "name": "Grand rounds",
        "about": "Every week.",
        "months": "12",
        "reader-0": "Asia/Tokyo",
        "country-0": "Italy",
    }

    refused = organiser.post("/manage/series/rounds/edit", data={**typed, "months": "99"})
    organiser.post("/manage/series/rounds/edit", data=typed)
    page = organiser.get("/manage/series/rounds/edit").text

    db.refresh(rounds)
    assert (refused.status_code, "Recordings stay open for 1 to 60" in refused.text) == (422, True)
    assert (rounds.name, rounds.about, rounds.recording_months) == (
        "Grand rounds",
        "Every week.",
        12,
    )
    assert (rounds.holiday_countries, rounds.reader_zones) == (["IT"], ["Asia/Tokyo"])
    assert 'value="Italy"' in page


def test_several_breaks_are_added_at_once_and_one_is_removed(
    db: DbSession, organiser: FlaskClient, rounds: Series
) -> None:
    added = organiser.post(
        "/manage/series/rounds/breaks",
        data={
            "break-0-first_day": "2127-08-01",
            "break-0-last_day": "2127-08-31",
            "break-0-reason": "Summer",
            "break-1-first_day": "2126-12-26",
            "break-1-reason": "Holidays",
        },
        follow_redirects=True,
    ).text
    organiser.post(
        "/manage/series/rounds/breaks/remove",
        data={"first_day": "2127-08-01", "last_day": "2127-08-31"},
    )

    assert "32 days are left out from now on." in added
    assert "1 August 2127 to 31 August 2127" in added
    left = db.scalars(select(SeriesException)).all()
    assert [(row.day, row.reason) for row in left] == [(date(2126, 12, 26), "Holidays")]


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_a_break_that_is_wrong_keeps_what_was_typed(
    db: DbSession, organiser: FlaskClient, rounds: Series
) -> None:
    answer = organiser.post(
        "/manage/series/rounds/breaks",
        data={"break-0-first_day": "Christmas", "break-1-reason": "Congress"},
    )

    assert answer.status_code == 422
    for field in ("break-0-first_day", "break-0-reason", "break-1-first_day"):
        assert f'id="f-{field}-error"' in answer.text
    assert 'value="Christmas"' in answer.text
    assert db.scalars(select(SeriesException)).all() == []


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_an_empty_break_says_what_is_missing(organiser: FlaskClient, rounds: Series) -> None:
    answer = organiser.post("/manage/series/rounds/breaks", data={})

    assert answer.status_code == 422
    assert "Say why the series does not meet then." in answer.text


def test_a_break_over_drafts_asks_and_then_discards_and_can_be_taken_back(
    db: DbSession, organiser: FlaskClient, rounds: Series
) -> None:
    organiser.post("/manage/series/rounds/plan", data={"until": "2126-12-12"})
    typed = {
        "break-0-first_day": "2126-12-01",
        "break-0-last_day": "2126-12-31",
        "break-0-reason": "Rest",
    }

    asked = organiser.post("/manage/series/rounds/breaks", data=typed).text
    before = len(db.scalars(select(WebinarSession)).all())
    db.commit()
    done = organiser.post(
        "/manage/series/rounds/breaks", data={**typed, "do": "discard"}, follow_redirects=True
    ).text

    assert "Add the break and discard 2 drafts" in asked
    assert before == 3
    assert "31 days are left out from now on." in done
    assert "e-grandrounds: breaks added." in done
    assert [session.planned_day for session in db.scalars(select(WebinarSession))] == [
        date(2126, 11, 28)
    ]


def test_a_rule_is_changed_after_a_look_exactly_as_it_was_shown(
    db: DbSession, organiser: FlaskClient, rounds: Series
) -> None:
    organiser.post("/manage/series/rounds/plan", data={"until": "2126-12-19"})
    kept = db.scalars(select(WebinarSession).order_by(WebinarSession.starts_at)).all()[2]
    kept.title, kept.status = "Margins", SessionStatus.PUBLISHED
    make_registration(db, kept, make_user(db))
    db.commit()
    typed = {name: value for name, value in SERIES.items() if name.startswith("rule-0")} | {
        "from_day": "2126-12-02",
        "until": "2126-12-20",
        "rule-0-weekday": "FR",
        "rule-0-first_day": "2126-12-02",
    }

    form = organiser.get("/manage/series/rounds/rule").text
    shown = organiser.post("/manage/series/rounds/rule", data={**typed, "do": "preview"})
    unseen = organiser.post("/manage/series/rounds/rule", data={**typed, "do": "apply"})
    untouched = len(db.scalars(select(PlanningRule)).all())
    db.commit()
    seen = shown.text.split('name="seen" value="')[1].split('"')[0]
    done = organiser.post(
        "/manage/series/rounds/rule",
        data={**typed, "do": "apply", "seen": seen},
        follow_redirects=True,
    ).text

    assert 'name="from_day" type="date" value="2126-11-28"' in form
    assert "3 dates added, 0 moved, 1 kept as they are, 2 dropped." in shown.text
    assert "announced, 1 registered" in shown.text
    assert (unseen.status_code, untouched) == (409, 1)
    assert "The rule is changed: 3 dates added, 0 moved, 1 kept, 2 dropped." in done
    assert "another rule from 2 December 2126" in done
    db.expire_all()
    assert [(row.rule, row.last_day) for row in rounds.rules] == [
        ("FREQ=WEEKLY;BYDAY=TH", date(2126, 12, 1)),
        ("FREQ=WEEKLY;BYDAY=FR", None),
    ]


def test_another_hour_says_how_many_people_will_be_told(
    db: DbSession, organiser: FlaskClient, rounds: Series
) -> None:
    organiser.post("/manage/series/rounds/plan", data={"until": "2126-12-19"})
    announced = db.scalars(select(WebinarSession).order_by(WebinarSession.starts_at)).all()[2]
    announced.title, announced.status = "Margins", SessionStatus.PUBLISHED
    for _ in range(2):
        make_registration(db, announced, make_user(db))
    db.commit()
    typed = {name: value for name, value in SERIES.items() if name.startswith("rule-0")}

    page = organiser.post(
        "/manage/series/rounds/rule",
        data={
            **typed,
            "from_day": "2126-12-02",
            "until": "2126-12-20",
            "rule-0-start": "19:00",
            "do": "preview",
        },
    ).text

    assert "0 dates added, 3 moved, 0 kept as they are, 0 dropped." in page
    assert "18:15 to 19:00 CET, announced, 2 registered" in page
    assert "2 people will be told by mail; 2 will see a new hour." in page


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
@pytest.mark.parametrize(
    ("change", "field", "sentence"),
    [
        ({"from_day": "soon"}, "from_day", "Give the day as a date"),
        ({"from_day": "2020-01-01"}, "from_day", "What is over stays as it was"),
        ({"until": ""}, "until", "Give the day as a date"),
        ({"rule-0-minutes": "0"}, "rule-0-minutes", "has to end after it starts"),
        ({}, "rule-0-pattern", "by these rules already"),
    ],
)
def test_a_change_that_makes_no_sense_is_refused_beside_its_field(
    db: DbSession,
    organiser: FlaskClient,
    rounds: Series,
    change: dict[str, str],
    field: str,
    sentence: str,
) -> None:
    organiser.post("/manage/series/rounds/plan", data={"until": "2126-12-19"})
    typed = {name: value for name, value in SERIES.items() if name.startswith("rule-0")}

    answer = organiser.post(
        "/manage/series/rounds/rule",
        data={**typed, "from_day": "2126-12-02", "until": "2126-12-31", **change},
    )

    assert sentence in answer.text.split(f'id="f-{field}-error">')[1].split("</p>")[0]
    assert answer.status_code == 422


def test_the_pages_of_series_ask_few_questions_however_much_is_planned(
    app: Flask, db: DbSession, organiser: FlaskClient, rounds: Series
) -> None:
    for number in range(15):
        make_series(db, f"more-{number}")
    for number in range(120):
        session = make_session(db, series=rounds, starts_at=STARTS_AT + timedelta(days=7 * number))
        session.planned_day = session.starts_at.date()
        session.status = SessionStatus.DRAFT
    db.commit()
    asked: dict[str, int] = {}
    for path in ("series/", "series/rounds", "series/rounds?until=2129-03-01"):
        with counted(app.extensions["engine"]) as statements:
            assert organiser.get(f"/manage/{path}").status_code == 200
        asked[path] = len(statements)

    assert max(asked.values()) <= 12, asked
