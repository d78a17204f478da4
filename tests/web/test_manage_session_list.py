"""The list of sessions and its month. Dates lie in years to come."""

from collections.abc import Callable
from datetime import timedelta

from flask import Flask
from flask.testing import FlaskClient

from tests.builders import (
    make_faculty,
    make_registration,
    make_series,
    make_session,
    make_society,
    make_topic,
    make_user,
)
from tests.queries import counted
from tests.web.managing import STARTS_AT
from webinar.db import DbSession
from webinar.domain.access import Role
from webinar.domain.session import SessionStatus
from webinar.models import User, UserRole, WebinarSession


def test_sessions_are_filtered_sorted_and_exported(
    db: DbSession, organiser: FlaskClient, session: WebinarSession
) -> None:
    other = make_session(db, starts_at=STARTS_AT, title="=HYPERLINK(1)")
    make_faculty(db, other, name="Dr Jan Novak")
    db.commit()

    drafts = organiser.get("/manage/sessions/?status=draft").text
    found = organiser.get("/manage/sessions/?words=novak").text
    nothing = organiser.get("/manage/sessions/?words=zebra%25").text
    by_title = organiser.get("/manage/sessions/?sort=-title").text
    table = organiser.get("/manage/sessions/export?when=all&format=csv")

    assert (session.title in drafts, other.title in drafts) == (True, False)
    assert (session.title in found, other.title in found) == (False, True)
    assert "No session fits" in nothing
    assert by_title.index(session.title) < by_title.index(other.title)
    assert table.mimetype == "text/csv"
    assert "'=HYPERLINK(1)" in table.text


def test_the_list_is_narrowed_by_society_series_and_topics_below(
    db: DbSession, organiser: FlaskClient, session: WebinarSession
) -> None:
    breast = make_topic(db, "breast")
    nodes = make_topic(db, "nodes")
    nodes.parent_id = breast.id
    make_session(
        db, starts_at=STARTS_AT, title="Alone", society=make_society(db, "sakk"), topics=(nodes,)
    )
    db.commit()

    by_society = organiser.get("/manage/sessions/?society=sakk").text
    by_series = organiser.get("/manage/sessions/?series=rounds").text
    by_topic = organiser.get("/manage/sessions/?topic=breast").text
    unknown = organiser.get("/manage/sessions/?topic=nothing")

    shown = [("Alone</a>" in page, session.title in page) for page in (by_society, by_topic)]
    assert shown == [(True, False), (True, False)]
    assert ("Alone</a>" in by_series, session.title in by_series) == (False, True)
    assert unknown.status_code == 404


def test_words_are_found_without_accents_in_whatever_the_session_says(
    db: DbSession, organiser: FlaskClient
) -> None:
    make_session(db, starts_at=STARTS_AT, title="Die Prüfung", series=make_series(db, "rounds"))
    db.commit()

    assert "Die Prüfung" in organiser.get("/manage/sessions/?words=prufung").text
    assert "Die Prüfung" in organiser.get("/manage/sessions/?words=grandrounds+pruf").text


def test_each_head_sorts_both_ways(db: DbSession, organiser: FlaskClient) -> None:
    first = make_session(db, starts_at=STARTS_AT, title="Aa", status=SessionStatus.DRAFT)
    make_faculty(db, first, name="Aa")
    last = make_session(db, starts_at=STARTS_AT + timedelta(days=1), title="Zz")
    make_faculty(db, last, name="Zz")
    make_registration(db, last, make_user(db))
    db.commit()

    for sort in ("title", "state", "presenter", "registered", "nonsense"):
        up = organiser.get(f"/manage/sessions/?sort={sort}").text
        down = organiser.get(f"/manage/sessions/?sort=-{sort}").text

        assert up.index(">Aa</a>") < up.index(">Zz</a>"), sort
        assert down.index(">Zz</a>") < down.index(">Aa</a>"), sort


def test_a_long_list_comes_in_pages_and_whole_as_csv(db: DbSession, organiser: FlaskClient) -> None:
    series = make_series(db, "rounds")
    for number in range(51):
        starts_at = STARTS_AT + timedelta(days=number)
        make_session(db, starts_at=starts_at, title=f"Evening {number:02}", series=series)
    db.commit()

    first = organiser.get("/manage/sessions/").text
    second = organiser.get("/manage/sessions/?page=2").text
    beyond = organiser.get("/manage/sessions/?page=99").text
    table = organiser.get("/manage/sessions/export?when=all&format=csv").text

    assert ("Evening 49</a>" in first, "Evening 50</a>" in first) == (True, False)
    assert "1 to 50 of 51 sessions" in first
    assert [page.count("Evening 50</a>") for page in (second, beyond)] == [1, 1]
    assert table.count("Evening") == 51


def test_a_month_shows_drafts_and_what_is_cancelled(
    db: DbSession, organiser: FlaskClient, session: WebinarSession
) -> None:
    make_session(db, starts_at=STARTS_AT, title="Not held", status=SessionStatus.CANCELLED)
    db.commit()

    page = organiser.get("/manage/sessions/?view=month&month=2126-11").text
    filtered = organiser.get("/manage/sessions/?view=month&month=2126-11&status=draft").text
    empty = organiser.get("/manage/sessions/?view=month&month=2126-12").text
    odd = organiser.get("/manage/sessions/?view=month&month=2126-13")

    assert f'<span class="number">18:15</span> {session.title}' in page
    assert 'Not held<span class="visually-hidden">, cancelled</span>' in page
    assert (session.title in filtered, "Not held" in filtered) == (True, False)
    assert "Nothing in this month" in empty
    assert odd.status_code == 200


def test_an_organiser_of_one_society_sees_its_sessions_only(
    db: DbSession, signed_in_as: Callable[[User], FlaskClient], session: WebinarSession
) -> None:
    other = make_session(db, starts_at=STARTS_AT, title="Elsewhere")
    user = make_user(db)
    user.grants.append(UserRole(role=Role.ORGANISER, society_id=other.society_id))
    db.commit()

    page = signed_in_as(user).get("/manage/sessions/").text

    assert ("Elsewhere</a>" in page, session.title in page) == (True, False)


def test_five_hundred_sessions_take_twelve_queries(
    app: Flask, db: DbSession, organiser: FlaskClient
) -> None:
    series = make_series(db, "rounds")
    db.add_all(
        WebinarSession(
            public_id=f"m{number:07}",
            series=series,
            society=series.society,
            title=f"Evening {number}",
            starts_at=STARTS_AT - timedelta(minutes=number),
            ends_at=STARTS_AT,
            zone="Europe/Zurich",
            ical_uid=f"m{number}@webinar.example",
            ical_changed_at=STARTS_AT,
            created_at=STARTS_AT,
        )
        for number in range(500)
    )
    db.commit()
    for path in ("", "?view=month&month=2126-11", "?words=evening&sort=presenter"):
        with counted(app.extensions["engine"]) as asked:
            answer = organiser.get(f"/manage/sessions/{path}")

        assert answer.status_code == 200
        assert "Evening" in answer.text
        assert len(asked) <= 12, path
