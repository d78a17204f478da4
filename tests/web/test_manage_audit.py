"""The trail of what was done: filtered, paged, exported, checked."""

import csv
import hashlib
import io
from collections.abc import Callable
from datetime import timedelta

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import update

from tests.builders import NOW, make_series, make_session, make_society, make_topic, make_user
from tests.queries import counted
from webinar.db import DbSession
from webinar.domain.access import Role
from webinar.models import AuditEvent, User, UserRole, WebinarSession
from webinar.services import audit

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


@pytest.fixture
def admin(db: DbSession) -> User:
    user = make_user(db, "admin@example.net", name="Ada Admin", roles=(Role.ADMINISTRATOR,))
    db.commit()
    return user


@pytest.fixture
def desk(admin: User, signed_in_as: Callable[[User], FlaskClient]) -> FlaskClient:
    return signed_in_as(admin)


@pytest.fixture
def session(db: DbSession, admin: User) -> WebinarSession:
    """A session that was moved by a person and ended by the clock."""
    session = make_session(db)
    session.public_id = "moved"
    subject = f"session {session.id}"
    audit.write(
        db,
        actor_id=admin.id,
        action="session moved",
        subject=subject,
        before={"starts_at": NOW, "title": "Nodes"},
        after={"starts_at": NOW + timedelta(hours=1), "title": "Nodes"},
        reason="=The speaker is late",
        now=NOW,
    )
    audit.write(db, actor_id=None, action="session ended", subject=subject, now=NOW)
    audit.write(
        db,
        actor_id=None,
        action="person added",
        subject=f"user {admin.id}",
        now=NOW + timedelta(days=2),
    )
    db.commit()
    return session


def acts(page: str) -> list[str]:
    """The acts shown, the newest first."""
    return [part.partition("</strong>")[0] for part in page.split("<p><strong>")[1:]]


def test_only_who_may_read_the_trail_reads_it(
    db: DbSession, signed_in_as: Callable[[User], FlaskClient]
) -> None:
    society = make_society(db)
    organiser = make_user(db, roles=(Role.ORGANISER,))
    officer_there = make_user(db)
    officer_there.grants.append(UserRole(role=Role.ACCREDITATION_OFFICER, society_id=society.id))
    officer = make_user(db, roles=(Role.ACCREDITATION_OFFICER,))
    db.commit()

    answers = [
        signed_in_as(user).get(f"/manage/audit/{path}").status_code
        for user in (organiser, officer_there, officer)
        for path in ("", "trail.csv", "check")
    ]

    assert answers == [403] * 6 + [200] * 3


def test_an_empty_trail_says_what_comes_into_it(desk: FlaskClient) -> None:
    assert "Nothing happened yet" in desk.get("/manage/audit/").text


def test_what_was_done_is_shown_with_what_was_before(
    desk: FlaskClient, session: WebinarSession
) -> None:
    page = desk.get("/manage/audit/").text

    assert acts(page) == ["Person added", "Session ended", "Session moved"]
    assert "Fri 20 Nov 2026, 13:00 Zurich" in page
    assert "Fri 20 Nov 2026, 14:00 Zurich" in page
    assert "1 change<" in page
    assert "Ada Admin" in page
    assert "the clock, or a command" in page


NARROWED = {
    "by=admin@example.net": ["Session moved"],
    "by=clock": ["Person added", "Session ended"],
    "action=session+ended": ["Session ended"],
    "about=http://localhost/sessions/moved": ["Session ended", "Session moved"],
    "about=/manage/sessions/moved/history": ["Session ended", "Session moved"],
    "about=admin@example.net": ["Person added"],
    "about=/manage/people/1": ["Person added"],
    "about=user+1": ["Person added"],
    "since=2026-11-21": ["Person added"],
    "until=2026-11-20": ["Session ended", "Session moved"],
    "since=2026-11-20&until=2026-11-21&by=clock": ["Session ended"],
}
WRONG = {
    "by=nobody@example.net": "by",
    "by=nobody": "by",
    "about=/sessions/gone": "about",
    "about=something": "about",
    "since=yesterday": "since",
    "until=9999-12-31": "until",
}


def test_the_trail_is_narrowed(desk: FlaskClient, session: WebinarSession) -> None:
    found = {query: acts(desk.get(f"/manage/audit/?{query}").text) for query in NARROWED}

    assert found == NARROWED


def test_a_filter_that_cannot_be_says_so_beside_its_field(desk: FlaskClient) -> None:
    answers = {query: desk.get(f"/manage/audit/?{query}") for query in WRONG}

    silent = [q for q, field in WRONG.items() if f'id="f-{field}-error"' not in answers[q].text]
    assert (silent, {answer.status_code for answer in answers.values()}) == ([], {422})


def test_later_pages_begin_where_the_first_ends(db: DbSession, desk: FlaskClient) -> None:
    for number in range(60):
        audit.write(db, actor_id=None, action=f"act {number}", subject="session 1", now=NOW)
    db.commit()

    first = desk.get("/manage/audit/?by=clock").text
    second = desk.get("/manage/audit/?by=clock&below=11").text

    assert "/manage/audit/?by=clock&amp;below=11" in first
    assert acts(first) == [f"Act {number}" for number in range(59, 9, -1)]
    assert acts(second) == [f"Act {number}" for number in range(9, -1, -1)]


def test_the_exported_trail_is_checked_without_the_program(
    desk: FlaskClient, session: WebinarSession
) -> None:
    text = desk.get("/manage/audit/trail.csv").text

    rows = list(csv.DictReader(io.StringIO(text, newline="")))
    before = "0" * 64
    for row in rows:
        assert hashlib.sha256(row["document"].encode()).hexdigest() == row["hash"]
        assert row["previous_hash"] == before
        before = row["hash"]
    assert [row["who"] for row in rows] == ["admin@example.net", "clock", "clock"]
    assert rows[0]["reason"] == "'=The speaker is late"


def test_the_export_is_narrowed_like_the_page(desk: FlaskClient, session: WebinarSession) -> None:
    text = desk.get("/manage/audit/trail.csv?action=session+ended").text

    assert [row["action"] for row in csv.DictReader(io.StringIO(text))] == ["session ended"]


def test_a_whole_trail_is_told_from_a_broken_one(
    db: DbSession, desk: FlaskClient, session: WebinarSession
) -> None:
    whole = desk.get("/manage/audit/check").text
    db.execute(update(AuditEvent).where(AuditEvent.id == 2).values(reason="Nothing happened."))
    db.commit()
    broken = desk.get("/manage/audit/check").text

    assert "The trail is whole" in whole
    assert "3 events, each worked out again" in whole
    assert "Event 2 was changed, or the one before it is gone." in broken


def test_who_plans_a_session_reads_its_history_and_nothing_else(
    db: DbSession, signed_in_as: Callable[[User], FlaskClient], session: WebinarSession
) -> None:
    organiser = make_user(db)
    organiser.grants.append(UserRole(role=Role.ORGANISER, society_id=session.society_id))
    db.commit()

    page = signed_in_as(organiser).get("/manage/sessions/moved/history").text

    assert acts(page) == ["Session ended", "Session moved"]


def test_the_page_asks_few_questions_whatever_it_speaks_of(
    app: Flask, db: DbSession, desk: FlaskClient
) -> None:
    for _ in range(12):
        society, topic, user = make_society(db), make_topic(db), make_user(db)
        series = make_series(db, society=society)
        session = make_session(db, series=series)
        for kind, row in (
            ("society", society),
            ("topic", topic),
            ("user", user),
            ("series", series),
            ("session", session),
        ):
            audit.write(db, actor_id=user.id, action="done", subject=f"{kind} {row.id}", now=NOW)
    db.commit()

    with counted(app.extensions["engine"]) as asked:
        answer = desk.get("/manage/audit/?action=done")

    assert answer.status_code == 200
    assert len(asked) <= 12
