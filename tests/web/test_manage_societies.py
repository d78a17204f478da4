"""Societies with their groups, the tree of topics, lent auspices: without scripts."""

from collections.abc import Callable

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select

from tests.builders import make_session, make_society, make_topic, make_user
from webinar.db import DbSession
from webinar.domain.access import Role
from webinar.models import AudienceGroup, Society, Topic, User, UserRole, WebinarSession

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)

SOCIETY = {
    "name": "Hellenic Society of Medical Oncology",
    "short_name": "HeSMO",
    "slug": "",
    "about": "",
    "country": "GR",
}


@pytest.fixture
def desk(db: DbSession, signed_in_as: Callable[[User], FlaskClient]) -> FlaskClient:
    user = make_user(db, "desk@example.net", roles=(Role.ORGANISER,))
    db.commit()
    return signed_in_as(user)


@pytest.fixture
def society(db: DbSession) -> Society:
    society = make_society(db, "eso")
    db.commit()
    return society


def names(db: DbSession, table: type[Topic] | type[AudienceGroup]) -> list[str]:
    found = list(db.scalars(select(table.name).order_by(table.name)))
    db.rollback()
    return found


def test_an_empty_house_says_what_comes_first(desk: FlaskClient) -> None:
    for path in ("societies/", "topics/"):
        assert '<div class="empty">' in desk.get(f"/manage/{path}").text


def test_a_society_is_added_under_an_address_made_of_its_short_name(desk: FlaskClient) -> None:
    answer = desk.post("/manage/societies/new", data=SOCIETY)

    assert (answer.status_code, answer.location) == (303, "/manage/societies/hesmo")
    assert "Hellenic Society" in desk.get("/manage/societies/").text


def test_what_is_wrong_with_a_society_stands_beside_its_field(desk: FlaskClient) -> None:
    wrong = {"name": " ", "short_name": "", "slug": "He SMO", "country": "XX"}

    for field, typed in wrong.items():
        form = {**SOCIETY, "about": "Ours.", field: typed}
        answer = desk.post("/manage/societies/new", data=form)

        assert answer.status_code == 422
        assert f'id="f-{field}-error"' in answer.text
        assert "Ours." in answer.text


def test_an_organiser_of_one_society_edits_that_one_and_adds_none(
    db: DbSession, signed_in_as: Callable[[User], FlaskClient], society: Society
) -> None:
    make_society(db, "theirs")
    user = make_user(db)
    user.grants.append(UserRole(role=Role.ORGANISER, society_id=society.id))
    db.commit()
    client = signed_in_as(user)

    shown = client.get("/manage/societies/")
    answers = [
        client.get(path).status_code
        for path in (
            "/manage/societies/eso",
            "/manage/societies/theirs",
            "/manage/societies/new",
            "/manage/topics/",
        )
    ]

    assert "/manage/societies/eso" in shown.text
    assert "/manage/societies/theirs" not in shown.text
    assert answers == [200, 403, 403, 403]


def test_groups_are_added_renamed_and_removed(
    db: DbSession, desk: FlaskClient, society: Society
) -> None:
    page = "/manage/societies/eso"
    desk.post(f"{page}/groups", data={"group": "Juniors"})
    twice = desk.post(f"{page}/groups", data={"group": "juniors"})
    renamed = desk.post(
        f"{page}/groups/1", data={"group-1": "Young oncologists"}, follow_redirects=True
    )
    called = names(db, AudienceGroup)
    removed = desk.post(f"{page}/groups/1/remove", follow_redirects=True)

    assert twice.status_code == 409
    assert 'value="juniors"' in twice.text
    assert "The group is called Young oncologists." in renamed.text
    assert called == ["Young oncologists"]
    assert "Young oncologists is gone." in removed.text


def test_topics_are_added_moved_and_merged_and_old_addresses_lead_on(
    db: DbSession, desk: FlaskClient
) -> None:
    desk.post("/manage/topics/", data={"name": "Oncology", "below": ""})
    desk.post("/manage/topics/", data={"name": "Mamma", "below": ""})
    desk.post("/manage/topics/", data={"name": "Breast cancer", "below": ""})
    moved = desk.post("/manage/topics/3", data={"name": "Breast cancer", "below": "1"})
    circle = desk.post("/manage/topics/1", data={"name": "Oncology", "below": "3"})
    merged = desk.post("/manage/topics/2/merge", data={"into": "3"}, follow_redirects=True)
    old = desk.get("/topics/mamma")

    assert moved.status_code == 303
    assert circle.status_code == 422
    assert "A topic cannot stand below itself." in circle.text
    assert "The two are one. 0 sessions followed" in merged.text
    assert (old.status_code, old.location) == (301, "/topics/breast-cancer")
    assert desk.get("/manage/topics/2").status_code == 404


def test_a_topic_with_sessions_is_not_removed(db: DbSession, desk: FlaskClient) -> None:
    make_session(db, topics=(make_topic(db, "lung"),))
    db.commit()

    answer = desk.post("/manage/topics/1/remove")

    assert answer.status_code == 409
    assert "Merge it into another topic instead." in answer.text


def test_the_page_of_a_topic_shows_what_is_below_it(db: DbSession, desk: FlaskClient) -> None:
    oncology, breast = make_topic(db, "oncology"), make_topic(db, "breast")
    breast.parent_id = oncology.id
    make_session(db, topics=(breast,), title="Sentinel nodes")
    db.commit()

    page = desk.get("/topics/oncology").text

    assert "Sentinel nodes" in page
    assert '<a href="/topics/breast">' in page


@pytest.fixture
def session(db: DbSession, society: Society) -> WebinarSession:
    session = make_session(db, society=society)
    session.public_id = "lent"
    db.add(Society(slug="hesmo", name="HeSMO", short_name="HeSMO"))
    db.commit()
    return session


def test_lent_auspices_stand_on_the_public_page(desk: FlaskClient, session: WebinarSession) -> None:
    lent = {"society": "hesmo", "decided_on": "2026-11-03", "reference": "123"}

    answer = desk.post("/manage/sessions/lent/auspices", data=lent)
    page = desk.get("/sessions/lent").text
    corrected = desk.get("/manage/sessions/lent/auspices?society=hesmo").text
    desk.post("/manage/sessions/lent/auspices/remove", data={"society": "hesmo"})

    assert answer.status_code == 303
    assert (
        'Under the auspices of <a href="/societies/hesmo">HeSMO</a>, '
        '<span class="nowrap">decision of 3 Nov 2026</span>, ref. 123' in page
    )
    assert 'value="2026-11-03"' in corrected
    assert "auspices of" not in desk.get("/sessions/lent").text


def test_what_is_wrong_with_auspices_stands_beside_its_field(
    desk: FlaskClient, session: WebinarSession
) -> None:
    lent = {"society": "hesmo", "decided_on": "2026-11-03", "reference": "77"}
    wrong = [
        ("society", ""),
        ("society", "eso"),
        ("society", "nobody"),
        ("decided_on", "soon"),
        ("decided_on", "2126-01-01"),
        ("reference", "x" * 121),
    ]

    for field, typed in wrong:
        answer = desk.post("/manage/sessions/lent/auspices", data={**lent, field: typed})

        assert answer.status_code in (404, 422)
        assert f'id="f-{field}-error"' in answer.text


def test_for_whom_a_session_is_made_stands_on_its_page(
    db: DbSession, desk: FlaskClient, session: WebinarSession
) -> None:
    session.audience = [
        AudienceGroup(society_id=session.society_id, slug="juniors", name="Juniors")
    ]
    db.commit()

    assert "<dt>Made for</dt><dd>Juniors</dd>" in desk.get("/sessions/lent").text
