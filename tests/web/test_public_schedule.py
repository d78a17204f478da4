"""Finding something in the schedule: words, filters, the archive, and what is never found."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from html import unescape

import pytest
from flask import Flask
from flask.testing import FlaskClient

from tests.builders import (
    make_faculty,
    make_series,
    make_session,
    make_society,
    make_topic,
    make_user,
)
from tests.queries import counted
from tests.web.test_public_pages import make_grants
from webinar.db import DbSession
from webinar.domain.credit import GrantStatus
from webinar.domain.session import SessionStatus
from webinar.domain.timezone import to_local
from webinar.models import Accreditor, AudienceGroup, User, WebinarSession

MOST_QUERIES = 12


def in_days(days: float) -> datetime:
    return datetime.now(UTC).replace(microsecond=0) + timedelta(days=days)


def page(client: FlaskClient, path: str) -> str:
    response = client.get(path)
    assert response.status_code == 200
    return unescape(response.text)


@pytest.fixture
def wanted(db: DbSession) -> WebinarSession:
    """A session that every filter finds, beside one that none finds, a past one and a draft."""
    breast = make_topic(db, "breast")
    early = make_topic(db, "early-breast")
    early.parent_id = breast.id
    series = make_series(db, "grandrounds", society=make_society(db, "school"))
    wanted = make_session(
        db, starts_at=in_days(5), title="Wanted evening", series=series, topics=(early,)
    )
    wanted.language, wanted.level = "fr", "advanced"
    wanted.audience = [AudienceGroup(slug="juniors", name="Young oncologists")]
    make_faculty(db, wanted, name="Prof. Jürgen Müller")
    body = Accreditor(slug="cme", name="CME body", short_name="CME", unit="point")
    db.add(body)
    db.flush()
    make_grants(db, wanted, body, GrantStatus.APPLIED)
    make_session(
        db, starts_at=in_days(6), title="Unwanted evening", topics=(make_topic(db, "lung"),)
    )
    make_session(
        db,
        starts_at=in_days(-30),
        title="Former evening",
        series=series,
        status=SessionStatus.ENDED,
    )
    draft = make_session(
        db,
        starts_at=in_days(7),
        title="Hidden evening",
        series=series,
        topics=(early,),
        status=SessionStatus.DRAFT,
    )
    make_faculty(db, draft, name="Prof. Jürgen Müller")
    db.commit()
    return wanted


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
@pytest.mark.parametrize(
    "query",
    [
        "q=muller",
        "q=wanted+even",
        "q=M%C3%9CLLER",
        "q=grandrounds",
        "series=grandrounds",
        "society=school",
        "topic=breast",
        "topic=early-breast",
        "language=fr",
        "level=advanced",
        "audience=juniors",
        "credit=yes",
        "q=evening&topic=breast&series=grandrounds&language=fr&level=advanced&credit=yes",
    ],
)
def test_words_and_filters_find_the_one_session(
    client: FlaskClient, wanted: WebinarSession, query: str
) -> None:
    text = page(client, f"/sessions/?{query}")

    assert "Wanted evening" in text
    assert "Unwanted evening" not in text
    assert "Hidden evening" not in text


def test_the_archive_and_the_month_are_searched_by_the_same_address(
    client: FlaskClient, wanted: WebinarSession
) -> None:
    past = page(client, "/sessions/?when=past&q=former&series=grandrounds")
    day = to_local(wanted.starts_at, "Europe/Zurich")
    month = page(client, f"/sessions/?view=month&month={day:%Y-%m}&q=muller")

    assert "Former evening" in past
    assert "Wanted evening" not in past
    assert "Wanted evening" in month
    assert "Unwanted evening" not in month
    assert '<input type="hidden" name="when" value="past">' in past
    assert '<input type="hidden" name="series" value="grandrounds">' in past
    assert 'value="muller"' in month


@pytest.mark.parametrize(
    ("query", "title", "next_href"),
    [
        ("q=former", "No upcoming session holds these words", "/sessions/?q=former&when=past"),
        ("q=wanted&when=past", "No past session holds these words", "/sessions/?q=wanted"),
        ("q=%00%22%F0%9F%8E%89", "No upcoming session holds these words", "when=past"),
        ("q=" + "x" * 3000, "No upcoming session holds these words", "when=past"),
        ("level=unheard-of", "Nothing here with these filters", "/sessions/"),
        ("view=month&month=2031-02&q=x", "No session in February 2031 fits", "/sessions/?q=x"),
    ],
)
def test_where_nothing_is_found_the_page_says_what_to_do(
    client: FlaskClient, wanted: WebinarSession, query: str, title: str, next_href: str
) -> None:
    text = page(client, f"/sessions/?{query}")

    assert title in text
    assert next_href in text


def test_a_choice_of_language_is_offered_only_where_there_is_one(
    client: FlaskClient, db: DbSession, wanted: WebinarSession
) -> None:
    assert "French" in page(client, "/sessions/")

    wanted.language = "en"
    db.commit()

    assert "English" not in page(client, "/sessions/")


def test_a_topic_above_others_counts_a_session_once(
    client: FlaskClient, db: DbSession, wanted: WebinarSession
) -> None:
    other = make_topic(db, "late-breast")
    other.parent_id = wanted.topics[0].parent_id
    wanted.topics = [*wanted.topics, other]
    db.commit()

    text = page(client, "/sessions/")

    above = text.split('href="/sessions/?topic=breast"')[1].split("</a>")[0]
    assert '<span class="filter-count">1</span>' in above


def test_a_search_with_every_filter_takes_few_queries(
    app: Flask,
    db: DbSession,
    wanted: WebinarSession,
    signed_in_as: Callable[[User], FlaskClient],
) -> None:
    for number in range(200):
        make_session(db, starts_at=in_days(8 + number / 10), title=f"Evening {number}")
    anna = make_user(db)
    db.commit()
    client = signed_in_as(anna)
    counts = []

    for query in ("q=evening", "topic=breast&q=evening&level=advanced&credit=yes&language=fr"):
        with counted(app.extensions["engine"]) as statements:
            assert client.get(f"/sessions/?{query}").status_code == 200
        counts.append(len(statements))

    assert max(counts) <= MOST_QUERIES
