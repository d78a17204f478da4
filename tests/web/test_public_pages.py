"""What a visitor sees: home, schedule, one session, series, topics, societies."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from html import unescape

import pytest
from flask import Flask
from flask.testing import FlaskClient

from config import Config
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
from webinar.app import create_app
from webinar.db import DbSession
from webinar.domain.attendance import ViewingMode
from webinar.domain.credit import GrantStatus
from webinar.domain.recording import RecordingState
from webinar.domain.session import FacultyPart, SessionStatus
from webinar.models import (
    AccreditationGrant,
    Accreditor,
    Auspices,
    CreditPolicy,
    Recording,
    Series,
    User,
    WebinarSession,
)

MOST_QUERIES = 12
MOST_BYTES = 60_000


def in_days(days: float) -> datetime:
    return datetime.now(UTC).replace(microsecond=0) + timedelta(days=days)


def page(client: FlaskClient, path: str) -> str:
    response = client.get(path)
    assert response.status_code == 200
    return unescape(response.text)


def make_recording(
    db: DbSession,
    session: WebinarSession,
    *,
    closes_at: datetime,
    state: RecordingState = RecordingState.PUBLISHED,
) -> Recording:
    recording = Recording(
        public_id=f"r{session.id}",
        session_id=session.id,
        state=state,
        opens_at=session.ends_at,
        closes_at=closes_at,
        created_at=session.ends_at,
    )
    db.add(recording)
    db.flush()
    return recording


def make_grants(
    db: DbSession, session: WebinarSession, body: Accreditor, status: GrantStatus
) -> None:
    policy = CreditPolicy(
        name=f"policy-{session.id}-{body.id}",
        version=1,
        data={"mode": "live", "body": body.name},
        created_at=session.created_at,
    )
    db.add(policy)
    db.flush()
    db.add(
        AccreditationGrant(
            session_id=session.id,
            accreditor_id=body.id,
            policy_id=policy.id,
            mode=ViewingMode.LIVE,
            status=status,
            credits_granted=Decimal("0.50"),
            statement_granted="Accredited for at most half a credit.",
        )
    )
    db.flush()


@pytest.fixture
def season(db: DbSession) -> Series:
    """A year of a weekly series with faculty, topics, grants and recordings, and one live."""
    society, topic = make_society(db, "school"), make_topic(db, "breast")
    series = make_series(db, "grandrounds", society=society)
    bodies = [
        Accreditor(slug=name, name=name, short_name=name.upper(), unit="point")
        for name in ("cme", "mora")
    ]
    db.add_all(bodies)
    db.flush()
    for week in range(-26, 26):
        over = week < 0
        session = make_session(
            db,
            starts_at=in_days(7 * week + 0.5),
            series=series,
            topics=(topic,),
            title=f"Sentinel nodes after neoadjuvant therapy, evening {week + 27}",
            status=SessionStatus.ENDED if over else SessionStatus.PUBLISHED,
        )
        make_faculty(db, session)
        make_faculty(db, session, FacultyPart.DISCUSSANT, name="Dr Tomáš Dvořák")
        for body in bodies:
            make_grants(db, session, body, GrantStatus.GRANTED)
        if over:
            make_recording(db, session, closes_at=session.ends_at + timedelta(days=184))
    make_session(
        db, starts_at=in_days(-0.01), series=series, status=SessionStatus.LIVE, title="On air"
    )
    db.commit()
    return series


@pytest.mark.parametrize(
    "path",
    [
        "/",
        "/sessions/",
        "/sessions/?when=past",
        "/sessions/?series=grandrounds&topic=breast&society=school&page=2",
        "/sessions/?view=month",
        "/series/grandrounds",
        "/topics/breast",
        "/societies/school",
    ],
)
def test_a_page_of_a_whole_season_takes_few_queries_and_few_bytes(
    app: Flask, client: FlaskClient, season: Series, path: str
) -> None:
    with counted(app.extensions["engine"]) as statements:
        response = client.get(path)

    assert response.status_code == 200
    assert len(statements) <= MOST_QUERIES
    assert len(response.data) <= MOST_BYTES


def test_the_page_of_a_session_takes_few_queries_and_few_bytes(
    app: Flask, client: FlaskClient, db: DbSession, season: Series
) -> None:
    for session in db.query(WebinarSession).where(WebinarSession.title == "On air"):
        path = f"/sessions/{session.public_id}"
    db.commit()
    with counted(app.extensions["engine"]) as statements:
        response = client.get(path)

    assert response.status_code == 200
    assert len(statements) <= MOST_QUERIES
    assert len(response.data) <= MOST_BYTES


def test_home_puts_what_is_live_before_what_comes_next(client: FlaskClient, season: Series) -> None:
    text = page(client, "/")

    assert text.index("Live now") < text.index("On air") < text.index("Next session")
    assert text.count('class="button button-live"') == 1
    assert text.count('class="button"') == 0


def test_home_shows_the_next_session_with_one_filled_button(
    client: FlaskClient, db: DbSession
) -> None:
    session = make_session(db, starts_at=in_days(3))
    make_faculty(db, session)
    make_session(db, starts_at=in_days(4), title="Later")
    db.commit()

    text = page(client, "/")

    assert text.index(session.title) < text.index("Prof Elena Marchetti") < text.index("Later")
    assert text.count('class="button"') == 1
    assert f'href="/register?next=/sessions/{session.public_id}">Register free</a>' in text


@pytest.mark.parametrize(
    ("path", "words"),
    [
        ("/", "The next session is being prepared"),
        ("/sessions/", "Nothing is announced yet"),
        ("/sessions/?when=past", "No session has been held yet"),
        ("/sessions/?topic=nothing", "Nothing here with these filters"),
        ("/sessions/?view=month&month=2031-02", "No session in February 2031"),
    ],
)
def test_an_empty_page_says_what_to_do_first(client: FlaskClient, path: str, words: str) -> None:
    assert words in page(client, path)


def test_home_of_a_signed_in_person_begins_with_their_next_steps(
    db: DbSession, signed_in_as: Callable[[User], FlaskClient]
) -> None:
    anna = make_user(db)
    missed = make_session(
        db, starts_at=in_days(-2), status=SessionStatus.ENDED, title="The one I missed"
    )
    make_recording(db, missed, closes_at=in_days(180))
    make_registration(db, missed, anna)
    make_session(db, starts_at=in_days(3), title="The next one")
    db.commit()

    text = page(signed_in_as(anna), "/")

    assert (
        text.index("Your next steps")
        < text.index("The one I missed")
        < text.index(f'href="/sessions/{missed.public_id}/recording"')
        < text.index("The next one")
    )


def test_recordings_that_close_within_thirty_days_stand_on_home(
    client: FlaskClient, db: DbSession
) -> None:
    for title, days in (("Urgent", 6), ("Within the month", 29), ("In no hurry", 31)):
        session = make_session(db, starts_at=in_days(-150), status=SessionStatus.ENDED, title=title)
        make_recording(db, session, closes_at=in_days(days + 0.1))
    db.commit()

    text = page(client, "/")

    assert text.index("Closes in 6 days") > text.index("Urgent")
    assert text.index("Urgent") < text.index("Within the month")
    assert "In no hurry" not in text


def test_every_time_is_shown_in_zurich_and_in_the_readers_zone(
    db: DbSession, signed_in_as: Callable[[User], FlaskClient]
) -> None:
    reader = make_user(db, zone="America/New_York")
    session = make_session(db, starts_at=datetime(2031, 1, 16, 17, 15, tzinfo=UTC))
    summer = make_session(db, starts_at=datetime(2031, 7, 17, 16, 15, tzinfo=UTC))
    db.commit()
    client = signed_in_as(reader)

    winter_page = page(client, f"/sessions/{session.public_id}")
    summer_page = page(client, f"/sessions/{summer.public_id}")

    assert "18:15–19:00 CET" in winter_page
    assert "18:15–19:00 CEST" in summer_page
    assert "12:15–13:00" in winter_page
    assert "(New York)" in winter_page


def test_a_draft_is_not_found_anywhere(client: FlaskClient, db: DbSession) -> None:
    draft = make_session(
        db, starts_at=in_days(3), status=SessionStatus.DRAFT, title="Not announced"
    )
    db.commit()

    assert client.get(f"/sessions/{draft.public_id}").status_code == 404
    for path in ("/", "/sessions/", "/sessions/?view=month", f"/societies/{draft.society.slug}"):
        assert "Not announced" not in page(client, path)


@pytest.mark.parametrize("path", ["/series/x", "/topics/x", "/societies/x", "/sessions/x"])
def test_an_unknown_address_is_not_found(client: FlaskClient, path: str) -> None:
    assert client.get(path).status_code == 404


def test_a_cancelled_session_says_so_and_why_and_asks_for_nothing(
    client: FlaskClient, db: DbSession
) -> None:
    session = make_session(db, starts_at=in_days(3), status=SessionStatus.CANCELLED)
    session.cancellation_reason = "The presenter is ill."
    db.commit()

    text = page(client, f"/sessions/{session.public_id}")

    assert "This session is cancelled" in text
    assert "The presenter is ill." in text
    assert 'class="button">Register free' not in text
    assert "pill-cancelled" in page(client, "/sessions/")


def test_a_moved_session_says_from_when(client: FlaskClient, db: DbSession) -> None:
    session = make_session(db, starts_at=datetime(2031, 1, 17, 17, 15, tzinfo=UTC))
    session.moved_from = datetime(2031, 1, 16, 17, 15, tzinfo=UTC)
    db.commit()

    assert "Moved from Thu 16 Jan 2031" in page(client, "/sessions/")
    assert "Thu 16 Jan 2031, 18:15 CET" in page(client, f"/sessions/{session.public_id}")


def test_a_session_shows_all_there_is_to_know(client: FlaskClient, db: DbSession) -> None:
    session = make_session(db, starts_at=in_days(3), topics=(make_topic(db, "breast"),))
    session.abstract = "First thought.\n\nSecond <thought>."
    session.objectives = "Know this\nAnd that\n"
    make_faculty(db, session).disclosure = "Advisory board of a company."
    lender = make_society(db, "lender")
    session.auspices = [Auspices(society=lender, decided_on=date(2026, 1, 1))]
    body = Accreditor(slug="cme", name="CME body", short_name="CME", unit="point")
    applied = Accreditor(slug="mora", name="MORA body", short_name="MORA", unit="point")
    refused = Accreditor(slug="no", name="No body", short_name="NOBODY", unit="point")
    db.add_all([body, applied, refused])
    db.flush()
    make_grants(db, session, body, GrantStatus.GRANTED)
    make_grants(db, session, applied, GrantStatus.APPLIED)
    make_grants(db, session, refused, GrantStatus.REFUSED)
    db.commit()

    response = client.get(f"/sessions/{session.public_id}")

    for expected in (
        "<p>Second &lt;thought&gt;.</p>",
        "<li>And that</li>",
        "Advisory board of a company.",
        'href="/societies/lender"',
        'href="/topics/breast"',
        f'href="/calendar/sessions/{session.public_id}.ics"',
        "Accredited for at most half a credit.",
        "chip-applied",
        "chip-refused",
        "CME 0.5",
    ):
        assert expected in response.text


def test_the_place_of_a_registered_person_leads_to_the_calendar_and_can_be_given_up(
    db: DbSession, signed_in_as: Callable[[User], FlaskClient]
) -> None:
    anna = make_user(db)
    session = make_session(db, starts_at=in_days(3))
    make_registration(db, session, anna)
    db.commit()

    text = page(signed_in_as(anna), f"/sessions/{session.public_id}")

    assert "Add to your calendar</a>" in text
    assert f'action="/sessions/{session.public_id}/unregister"' in text


def test_the_place_of_a_signed_in_stranger_is_one_press_away(
    db: DbSession, signed_in_as: Callable[[User], FlaskClient]
) -> None:
    anna = make_user(db)
    session = make_session(db, starts_at=in_days(3))
    db.commit()

    text = page(signed_in_as(anna), f"/sessions/{session.public_id}")

    assert f'<form method="post" action="/sessions/{session.public_id}/register">' in text


def test_both_clocks_stand_on_the_page_of_a_past_session(
    db: DbSession, signed_in_as: Callable[[User], FlaskClient]
) -> None:
    anna = make_user(db)
    session = make_session(db, starts_at=in_days(-2), status=SessionStatus.ENDED)
    make_registration(db, session, anna)
    make_recording(db, session, closes_at=datetime(2031, 5, 26, 17, 0, tzinfo=UTC))
    body = Accreditor(slug="cme", name="CME body", short_name="CME", unit="point")
    db.add(body)
    db.flush()
    make_grants(db, session, body, GrantStatus.GRANTED)
    grant = db.query(AccreditationGrant).one()
    grant.mode, grant.credit_until = (
        ViewingMode.RECORDED,
        datetime(2031, 3, 1, 11, 0, tzinfo=UTC),
    )
    grant.policy.data = {"mode": "recorded", "body": "CME body"}
    db.commit()

    text = page(signed_in_as(anna), f"/sessions/{session.public_id}")

    assert "26 May 2031, 19:00 Zurich" in text
    assert "1 Mar 2031, 12:00 Zurich" in text


def test_filters_in_the_address_narrow_the_schedule_and_its_feed(
    client: FlaskClient, db: DbSession
) -> None:
    mine = make_series(db, "grandrounds")
    other = make_series(db, "reviews")
    make_session(db, starts_at=in_days(3), series=mine, title="Wanted")
    make_session(db, starts_at=in_days(4), series=other, title="Unwanted")
    db.commit()

    text = page(client, "/sessions/?series=grandrounds")

    assert "Wanted" in text
    assert "Unwanted" not in text
    assert "http://localhost/calendar/series/grandrounds.ics" in text
    assert "webcal://localhost/calendar/series/grandrounds.ics" in text


def test_a_long_schedule_has_pages(client: FlaskClient, db: DbSession) -> None:
    society = make_society(db)
    for days in range(1, 23):
        make_session(db, starts_at=in_days(days), society=society, title=f"Evening {days}.")
    db.commit()

    first, second = page(client, "/sessions/"), page(client, "/sessions/?page=2")

    assert "Evening 16." in first
    assert "Evening 17." not in first
    assert 'href="/sessions/?page=2"' in first
    assert "Evening 17." in second
    assert 'rel="prev" href="/sessions/"' in second


def test_the_month_shows_sessions_on_the_day_zurich_has_them(
    client: FlaskClient, db: DbSession
) -> None:
    late = make_session(
        db, starts_at=datetime(2031, 1, 31, 23, 30, tzinfo=UTC), title="After midnight"
    )
    db.commit()

    assert late.title not in page(client, "/sessions/?view=month&month=2031-01")
    february = page(client, "/sessions/?view=month&month=2031-02")
    assert '<span class="grid-time">00:30</span>' in february
    assert 'href="/sessions/?view=month&month=2031-01"' in february
    assert 'href="/sessions/?view=month&month=2031-03"' in february


@pytest.mark.parametrize("month", ["2031-13", "nonsense", "9999999"])
def test_an_impossible_month_is_this_month(client: FlaskClient, month: str) -> None:
    assert 'aria-current="date"' in page(client, f"/sessions/?view=month&month={month}")


def test_a_series_says_its_rhythm_in_words(client: FlaskClient, db: DbSession) -> None:
    make_series(db, "grandrounds")
    db.commit()

    assert "Every Thursday, 18:15 Zurich time, 45 minutes." in page(client, "/series/grandrounds")


@pytest.mark.parametrize("path", ["/sessions/%00", "/sessions/?series=%00", "/topics/%00"])
def test_characters_no_field_can_hold_break_nothing(client: FlaskClient, path: str) -> None:
    assert client.get(path).status_code in (200, 400, 404)


@pytest.mark.parametrize("demo", [True, False])
def test_a_demonstration_says_so_on_every_page(config: Config, demo: bool) -> None:
    app = create_app(replace(config, DEMO=demo))

    page = app.test_client().get("/about").text

    app.extensions["engine"].dispose()
    assert ("A demonstration: people, societies and sessions are invented." in page) is demo
