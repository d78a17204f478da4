"""The credit simulator as officers and organisers use it."""

import re

import pytest
from flask.testing import FlaskClient

from tests.builders import NOW, make_session
from webinar.db import DbSession
from webinar.services.policies import ensure_policies


def rows(page: str) -> dict[str, tuple[str, str]]:
    """What each body gives now and with more questions, to who listens before who presents."""
    found = re.findall(
        r'<th scope="row">([^<]+)<.*?<strong>([^<]+)</strong></td>\s*<td[^>]*>([^<]+)</td>',
        page,
        re.DOTALL,
    )
    return {body: (now, later) for body, now, later in reversed(found)}


def test_hours_typed_earn_another_amount_at_each_body(db: DbSession, officer: FlaskClient) -> None:
    ensure_policies(db, now=NOW)
    db.commit()

    page = officer.get("/manage/simulator/?start=18:15&end=19:00&questions=0").text

    earned = rows(page)
    assert earned["EACCME"] == ("0.5 ECMEC", "1")
    assert earned["AMA PRA"] == ("0.75 credit", "1")
    assert earned["German Medical Association"] == ("1 point", "1")
    assert earned["ESMO-MORA"] == ("usually 1 point", "usually 1")
    assert earned["EBAC"] == ("0", "1")
    assert "Presenting for all of it, 45 minutes" in page
    assert "18:15–19:00" in page
    assert "18:15–19:15" in page
    assert "1 instead of 0.5" in page


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ("start=18:15&end=18:15", "The session ends before it starts."),
        ("start=x&end=19:00", "Give the start as hours and minutes"),
        ("start=18:15&end=", "Give the end as hours and minutes"),
        ("start=18:15&end=19:00&questions=many", "Give whole minutes"),
        ("start=00:15&end=23:00", "A session lasts from 1 to 720 minutes"),
    ],
)
def test_hours_that_cannot_be_are_refused_beside_the_field(
    officer: FlaskClient, query: str, said: str
) -> None:
    answer = officer.get(f"/manage/simulator/?{query}")

    assert answer.status_code == 422
    assert answer.text.count(said) == 2


def test_without_rules_the_page_says_what_to_do_first(officer: FlaskClient) -> None:
    assert "Put in the known rules" in officer.get("/manage/simulator/").text


def test_the_page_of_a_session_says_what_its_length_earns(
    db: DbSession, officer: FlaskClient
) -> None:
    ensure_policies(db, now=NOW)
    session = make_session(db)
    db.commit()

    page = officer.get(f"/manage/sessions/{session.public_id}/accreditation").text

    assert '<dt>EBAC</dt><dd>0 <span class="gain nowrap">+15: 1</span></dd>' in page
    assert "/manage/simulator/?start=18:15&amp;end=19:00" in page
