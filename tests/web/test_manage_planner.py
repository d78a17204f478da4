"""The season planner and the bodies' terms, as officers use them."""

import html
import re
from collections.abc import Callable
from datetime import date, timedelta
from decimal import Decimal

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from tests.builders import NOW, STARTS_AT, make_series, make_session, make_topic, make_user
from tests.evidence import make_grant
from tests.queries import counted
from webinar.db import DbSession
from webinar.domain.access import Role
from webinar.domain.credit import GrantStatus
from webinar.models import AccreditationGrant, Accreditor, AuditEvent, Series, User, WebinarSession
from webinar.services.policies import ensure_policies

RULE = "eaccme-3.0-live@1"
BODY = {
    "name": "European Accreditation Council for CME (EACCME)",
    "short_name": "CME",
    "unit": "ECMEC",
    "covers": "season",
    "weeks_before": "12",
    "months_before": "",
    "recommended_weeks": "14",
    "late_weeks": "10",
    "within_months": "12",
    "shortest_minutes": "30",
    "longest_minutes": "120",
    "fewest_sessions": "2",
    "same_specialty": "y",
    "edition": "UEMS 2023.07",
    "source": "Letter of 3 May.",
}


@pytest.fixture
def officer(db: DbSession, signed_in_as: Callable[[User], FlaskClient]) -> FlaskClient:
    ensure_policies(db, now=NOW)
    user = make_user(db, roles=(Role.ACCREDITATION_OFFICER,))
    db.commit()
    return signed_in_as(user)


@pytest.fixture
def season(db: DbSession) -> list[WebinarSession]:
    """Three sessions of a breast series, the last one too short; far ahead of any real clock."""
    cancer, breast = make_topic(db, "oncology"), make_topic(db, "breast")
    cancer.name, breast.name, breast.parent_id = "Oncology", "Breast cancer", cancer.id
    series = make_series(db, "rounds")
    sessions = [
        make_session(
            db,
            starts_at=STARTS_AT.replace(year=2035) + timedelta(weeks=week),
            minutes=minutes,
            series=series,
            topics=(breast,),
            title=f"Round {week}",
        )
        for week, minutes in enumerate((45, 45, 25))
    ]
    db.commit()
    return sessions


def path_of(series: Series | None, body: str = "eaccme") -> str:
    assert series is not None
    return f"/manage/series/{series.slug}/planner/{body}"


def stored(db: DbSession) -> list[AccreditationGrant]:
    query = select(AccreditationGrant).order_by(AccreditationGrant.id)
    found = list(db.scalars(query, execution_options={"populate_existing": True}))
    db.commit()
    return found


def told(page: str) -> str:
    """The words of a page, each once between blanks."""
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", page)).split())


def record(client: FlaskClient, season: list[WebinarSession], **change: object) -> str:
    data = {
        "session": [season[0].public_id, season[1].public_id],
        "status": "applied",
        "on": "2026-01-15",
        "reference": "WP-7",
        "rule": RULE,
    }
    answer = client.post(path_of(season[0].series), data={**data, **change}, follow_redirects=True)
    return answer.text


def test_the_page_says_what_the_body_wants_until_when_and_what_fails(
    officer: FlaskClient, season: list[WebinarSession]
) -> None:
    page = told(officer.get(path_of(season[0].series)).text)

    # The first is on 26 November 2035.
    assert "20 Aug 2035 Recommended day to apply in" in page
    assert "3 Sep 2035 Last day for the complete file in" in page
    assert "17 Sep 2035 Last day with a late fee in" in page
    assert "Holds At least 2 sessions. 3 sessions are not applied for yet." in page
    assert "Fails Each from 30 to 120 minutes. 1 session does not hold: 10 Dec 2035." in page
    assert "Holds One specialty. Oncology." in page
    assert "25 minutes: the least is 30." in page


def test_an_application_is_recorded_for_many_sessions_and_so_is_the_decision(
    db: DbSession, officer: FlaskClient, season: list[WebinarSession]
) -> None:
    applied = record(officer, season)
    while_applied = [(g.status, g.applied_on, g.edition) for g in stored(db)]
    granted = record(officer, season, status="granted", on="2026-02-20", reference="")

    assert "CME: applied for for 2 of the sessions." in applied
    assert (
        while_applied == [(GrantStatus.APPLIED, date(2026, 1, 15), "UEMS 2023.07 (EACCME 3.0)")] * 2
    )
    assert "CME: granted for 2 of the sessions." in granted
    first = stored(db)[0]
    assert (first.status, first.decided_on) == (GrantStatus.GRANTED, date(2026, 2, 20))
    assert (first.reference, first.credits_granted) == ("WP-7", Decimal("0.5"))
    assert "“Round 0”, online, 26 November 2035 has been accredited" in first.statement_granted


@pytest.mark.parametrize(
    ("change", "field", "said"),
    [
        ({"session": []}, "sessions", "Choose at least one session."),
        ({"on": "soon"}, "on", "Give the day as a date"),
        ({"on": "2199-01-01"}, "on", "That day is still to come."),
        ({"status": "maybe"}, "status", "Say what happened."),
        ({"rule": "x"}, "rule", "Choose the rule"),
        ({"reference": "x" * 61}, "reference", "A reference has at most 60"),
    ],
)
def test_what_cannot_be_is_refused_and_what_was_ticked_stays(
    db: DbSession,
    officer: FlaskClient,
    season: list[WebinarSession],
    change: dict[str, object],
    field: str,
    said: str,
) -> None:
    page = record(officer, season, **change)

    assert re.search(rf'href="#f-{field}">{re.escape(said)}', page)
    ticks = len(re.findall(r'name="session" value="[^"]+" checked', page))
    assert ticks == (0 if field == "sessions" else 2)
    assert stored(db) == []


def test_a_session_that_earns_nothing_stops_the_whole_application(
    db: DbSession, officer: FlaskClient, season: list[WebinarSession]
) -> None:
    every = [session.public_id for session in season]

    page = record(officer, season, session=every)

    assert "“Round 2” is too short to earn anything under eaccme-3.0-live." in html.unescape(page)
    assert stored(db) == []


def test_the_list_begins_with_what_is_most_urgent_and_leads_on(
    db: DbSession, officer: FlaskClient, season: list[WebinarSession]
) -> None:
    empty = officer.get("/manage/planner/").text
    record(officer, season)

    page = told(officer.get("/manage/planner/").text)
    chosen = officer.get("/manage/planner/?series=rounds&body=ebac")

    assert "No body was asked yet" in empty
    assert "20 Aug 2035" not in page  # the first is applied for: the third counts now
    assert "1 not applied for 2 applied for, 0 granted 1 does not meet the terms" in page
    assert chosen.location == "/manage/series/rounds/planner/ebac"


def test_a_body_nobody_knows_the_terms_of_gets_no_invented_day(
    officer: FlaskClient, season: list[WebinarSession]
) -> None:
    page = told(officer.get(path_of(season[0].series, "ama")).text)

    assert "No deadline known" in page
    assert "Nobody has said when AMA PRA 1 wants to be asked." in page


def test_a_body_is_renamed_and_its_terms_change_the_planner(
    db: DbSession, officer: FlaskClient, season: list[WebinarSession]
) -> None:
    form = officer.get("/manage/bodies/eaccme").text
    officer.post("/manage/bodies/eaccme", data={**BODY, "weeks_before": "16", "unit": "credit"})
    again = officer.post(
        "/manage/bodies/eaccme",
        data={**BODY, "weeks_before": "16", "unit": "credit"},
        follow_redirects=True,
    ).text

    assert re.search(r'id="f-weeks_before"[^>]*value="12"', form)
    body = db.scalars(select(Accreditor).where(Accreditor.slug == "eaccme")).one()
    assert (body.unit, body.application_terms and body.application_terms["weeks_before"]) == (
        "credit",
        16,
    )
    assert "6 Aug 2035 Last day for the complete file" in told(
        officer.get(path_of(season[0].series)).text
    )
    assert "Nothing was different." in again
    actions = list(db.scalars(select(AuditEvent.action)))
    assert actions == ["accreditor changed"]


@pytest.mark.parametrize(
    ("change", "field", "said"),
    [
        ({"name": ""}, "name", "Give it in 1 to 200 characters."),
        ({"weeks_before": "many"}, "weeks_before", "Give a whole number."),
        ({"late_weeks": "13"}, "late_weeks", "A late fee buys a later day"),
        ({"longest_minutes": "20"}, "longest_minutes", "The longest session is shorter"),
        ({"covers": "year"}, "covers", "An application covers one session"),
    ],
)
def test_terms_no_body_can_mean_are_refused_beside_the_field(
    officer: FlaskClient, change: dict[str, str], field: str, said: str
) -> None:
    answer = officer.post("/manage/bodies/eaccme", data={**BODY, **change})

    assert answer.status_code == 422
    assert re.search(rf'id="f-{field}-error">{said}', answer.text)


def test_organisers_read_what_bodies_ask_and_change_nothing(
    db: DbSession, officer: FlaskClient, signed_in_as: Callable[[User], FlaskClient]
) -> None:
    user = make_user(db, roles=(Role.ORGANISER,))
    db.commit()
    organiser = signed_in_as(user)

    listed = organiser.get("/manage/bodies/").text
    page = organiser.get("/manage/bodies/eaccme").text

    assert "12 weeks before, 14 weeks recommended, late fee until 10" in listed
    assert "Save the body" not in page
    assert organiser.post("/manage/bodies/eaccme", data=BODY).status_code == 403


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_no_page_asks_more_for_more_sessions(
    app: Flask, db: DbSession, officer: FlaskClient, season: list[WebinarSession]
) -> None:
    series = season[0].series
    for week in range(3, 40):
        make_session(
            db, starts_at=STARTS_AT.replace(year=2035) + timedelta(weeks=week), series=series
        )
    db.commit()
    record(officer, season)
    for rule, body in (("esmo-mora-live", "esmo-mora"), ("ebac-live", "ebac")):
        make_grant(db, season[0], rule, "1", body=body)
    db.commit()
    officer.get("/manage/accreditation/")  # takes the word of what was done

    asked = {}
    for path in (
        path_of(series),
        "/manage/planner/",
        "/manage/bodies/",
        "/manage/policies/",
        "/manage/simulator/",
        "/manage/accreditation/",
        "/manage/policies/eaccme-3.0-live",
        f"/manage/sessions/{season[0].public_id}/accreditation",
    ):
        with counted(app.extensions["engine"]) as statements:
            officer.get(path)
        asked[path] = len(statements)

    assert {path: count for path, count in asked.items() if count > 12} == {}
