"""The copy of one's data: all of it, no secret, nothing of others."""

from datetime import timedelta

from tests.builders import NOW, make_registration, make_user
from tests.evidence import make_ended_session
from tests.services.test_erasure import EMAIL, NAME, make_full_person
from webinar.db import DbSession
from webinar.services import audit, links, own_data
from webinar.services.personal_data import POINTING, Whose


def test_the_copy_holds_every_table_about_the_person_and_no_secret(db: DbSession) -> None:
    user = make_full_person(db)
    token = links.new_token()
    user.feed_token_hash = links.hash_of(token)
    db.flush()

    listed = {one.table: one.rows for one in own_data.tables_of(db, user.id)}

    own = {place.table for place in POINTING if place.whose is Whose.OWN}
    assert own <= set(listed)
    assert [row["email"] for row in listed["user"]] == [EMAIL]
    assert listed["identifier"][0]["value"] == "80276-of-theirs"
    assert len(listed["watch_segment"]) == 1
    assert [row["credit"] for row in listed["credit_decision"]] == ["0.75"]
    text = str(listed)
    assert links.hash_of(token) not in text
    assert "token" not in text.replace("feed_token", "")


def test_the_copy_tells_nothing_of_others(db: DbSession) -> None:
    user, other = make_user(db, name=NAME), make_user(db, "other@example.net")
    session = make_ended_session(db)
    make_registration(db, session, user)
    make_registration(db, session, other)
    audit.write(
        db,
        actor_id=user.id,
        action="credit corrected",
        subject=f"user {other.id}",
        after={"name": "other@example.net"},
        now=NOW,
    )

    listed = {one.table: one.rows for one in own_data.tables_of(db, user.id)}

    assert "other@example.net" not in str(listed)
    assert [row["action"] for row in listed["acts"]] == ["credit corrected"]
    assert len(listed["registration"]) == 1


def test_the_copy_tells_nothing_of_who_had_the_number_before(db: DbSession) -> None:
    user = make_user(db, name=NAME)
    for action, at in (
        ("person added", NOW - timedelta(days=40)),
        ("calendar address made", user.created_at),
    ):
        audit.write(db, actor_id=None, action=action, subject=f"user {user.id}", now=at)

    listed = {one.table: one.rows for one in own_data.tables_of(db, user.id)}

    assert [row["action"] for row in listed["audit_event"]] == ["calendar address made"]


def test_the_copy_says_what_sessions_are_called_and_brings_the_papers(db: DbSession) -> None:
    user = make_full_person(db)
    listed = list(own_data.tables_of(db, user.id))

    sessions = own_data.sessions_of(db, listed)
    papers = dict(own_data.papers_of(db, user.id))

    assert {row["title"] for row in sessions.rows} == {"Sentinel nodes after neoadjuvant therapy"}
    assert list(papers.values()) == [b"%PDF " + number.encode() for number in papers]
    assert len(papers) == 1
