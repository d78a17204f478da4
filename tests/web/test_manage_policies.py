"""The rules of credit in the browser: written, tested on examples, approved by somebody else."""

import html
import re
from collections.abc import Callable

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select

from tests.builders import NOW, make_user
from webinar.db import DbSession
from webinar.domain.access import Role
from webinar.models import CreditPolicy, User
from webinar.services.policies import ensure_policies

PATH = "/manage/policies/esmo-mora-live"
FORM = {
    "body": "ESMO-MORA",
    "mode": "live",
    "window": "scheduled",
    "award": "flat",
    "unit_minutes": "60",
    "credit_per_unit": "1",
    "rounding": "floor",
    "min_session_minutes": "0",
    "once": "y",
    "share": "90",
    "min_checks_answered": "0",
    "min_checks_ratio": "0",
    "checks_planned": "0",
    "outage": "excluded",
    "test_feedback": "comments",
    "max_playback_rate": "2",
    "min_wall_ratio": "0",
    "retry_wait_hours": "0",
    "evaluation_required": "y",
    "evaluation_deadline_days": "28",
    "retention_years": "6",
    "note": "Letter of 3 November.",
    "sources": "min_presence: letter of 3 November",
}


@pytest.fixture(autouse=True)
def rules(db: DbSession) -> None:
    ensure_policies(db, now=NOW)
    db.commit()


@pytest.fixture
def clients(db: DbSession, signed_in_as: Callable[[User], FlaskClient]) -> list[FlaskClient]:
    """Two officers."""
    people = [make_user(db, roles=(Role.ACCREDITATION_OFFICER,)) for _ in range(2)]
    db.commit()
    return [signed_in_as(person) for person in people]


def save(client: FlaskClient, path: str = f"{PATH}/new-version", **change: str) -> str:
    """Test, then save, as the page leads one."""
    tested = client.post(path, data={**FORM, **change, "do": "test"}).text
    found = re.search(r'name="tested" value="([0-9a-f]+)"', tested)
    data = {**FORM, **change, "do": "save", "tested": found[1] if found else ""}
    return client.post(path, data=data, follow_redirects=True).text


def mark_in(page: str) -> str:
    """By which the draft that the page shows is known again."""
    found = re.search(r'name="seen" value="([0-9a-f]+)"', page)
    return found[1] if found else ""


def stored(db: DbSession, name: str = "esmo-mora-live") -> list[CreditPolicy]:
    query = select(CreditPolicy).where(CreditPolicy.name == name).order_by(CreditPolicy.version)
    found = list(db.scalars(query, execution_options={"populate_existing": True}))
    db.commit()
    return found


def test_the_form_begins_with_what_the_newest_version_says(clients: list[FlaskClient]) -> None:
    page = clients[0].get(f"{PATH}/new-version").text

    assert re.search(r'id="f-share"[^>]*value="80"', page)
    assert "80 % of 45:00 is 36:00, and 35:59 is too little." in page
    assert "It says what version 1 says" in page


def test_a_version_is_tested_saved_and_approved_by_somebody_else(
    db: DbSession, clients: list[FlaskClient]
) -> None:
    first, second = clients
    tested = first.post(f"{PATH}/new-version", data={**FORM, "do": "test"}).text
    saved = html.unescape(save(first))
    seen = {"seen": mark_in(second.get(PATH).text)}
    refused = first.post(f"{PATH}/2/approve", data=seen)
    approved = second.post(f"{PATH}/2/approve", data=seen, follow_redirects=True).text

    assert "36:00 of 45:00 counted (80 %); ESMO-MORA needs 40:30 (90 %): 4:30 short." in tested
    assert [policy.version for policy in stored(db)] == [1, 2]
    assert "Version 2 is kept as a draft. Nothing follows it yet." in saved
    assert "You wrote this version, so somebody else approves it" in saved
    assert refused.status_code == 403
    assert "Version 2 is approved: new grants follow it" in approved
    assert stored(db)[1].data["min_presence"] == 0.9
    assert stored(db)[1].data["min_presence_src"] == "letter of 3 November"


def test_what_was_written_anew_since_it_was_looked_at_is_not_approved(
    db: DbSession, clients: list[FlaskClient]
) -> None:
    first, second = clients
    save(first)
    seen = mark_in(second.get(PATH).text)
    first.post(f"{PATH}/2/discard")
    save(first, share="10")

    answer = second.post(f"{PATH}/2/approve", data={"seen": seen})

    assert answer.status_code == 409
    assert "This draft was written anew since you looked." in answer.text
    assert stored(db)[1].approved_at is None


def test_what_was_not_looked_at_is_not_saved(db: DbSession, clients: list[FlaskClient]) -> None:
    answer = clients[0].post(f"{PATH}/new-version", data={**FORM, "do": "save", "tested": "old"})

    assert answer.status_code == 200
    assert "Look at what the examples give now, then save." in answer.text
    assert len(stored(db)) == 1


@pytest.mark.parametrize(
    ("change", "field", "said"),
    [
        ({"share": "180"}, "share", "Give a percentage from 0 to 100: 80."),
        ({"share": "x"}, "share", "Give a percentage from 0 to 100: 80."),
        ({"unit_minutes": "0"}, "unit_minutes", "Give a whole number from 1."),
        ({"unit_minutes": ""}, "unit_minutes", "Fill in “Minutes in a unit”."),
        ({"mode": "both"}, "mode", "Choose one under"),
        ({"max_playback_rate": "0"}, "max_playback_rate", "Give a number above 0."),
        ({"pass_correct": "4", "test_required": "y"}, "pass_correct", "Fill in both"),
        (
            {"pass_correct": "7", "pass_of": "6", "test_required": "y"},
            "pass_correct",
            "Nobody has more answers right",
        ),
        ({"pass_ratio": "75"}, "test_required", "say that a test has to be passed"),
        ({"sources": "a letter"}, "sources", "One source a line"),
        ({"note": "", "do": "save"}, "note", "Say why there is this version"),
        ({"own-0-present": "50:00"}, "own-0-present", "Nobody is there longer than it lasts."),
        ({"own-1-present": "x"}, "own-1-present", "Give minutes and seconds: 36:00."),
        (
            {"own-0-present": "5", "own-0-right": "5", "own-0-of": "4"},
            "own-0-right",
            "Give right answers and questions",
        ),
    ],
)
def test_a_wrong_field_keeps_what_was_typed_and_says_so_beside_it(
    db: DbSession, clients: list[FlaskClient], change: dict[str, str], field: str, said: str
) -> None:
    answer = clients[0].post(f"{PATH}/new-version", data={**FORM, "do": "test", **change})

    beside = re.search(rf'id="f-{field}-error">([^<]+)<', answer.text)
    assert answer.status_code == 422
    assert beside is not None
    assert said in html.unescape(beside[1])
    assert "Letter of 3 November." in answer.text or "note" in change
    assert len(stored(db)) == 1


def test_an_example_of_ones_own_stands_first(clients: list[FlaskClient]) -> None:
    own = {"own-0-present": "26:55", "own-0-session": "30", "own-0-evaluation": "y"}

    page = clients[0].post(f"{PATH}/new-version", data={**FORM, **own, "do": "test"}).text

    assert "26:55 of 30:00, no test" in page
    assert "Your own example" in page
    assert page.index("26:55 of 30:00") < page.index("45:00 of 45:00")


def test_saving_the_same_again_and_two_drafts_are_refused(
    db: DbSession, clients: list[FlaskClient]
) -> None:
    same = save(clients[0], share="80", sources="min_presence: I\nevaluation: I")
    save(clients[0])
    waits = clients[1].get(f"{PATH}/new-version", follow_redirects=True).text

    assert "This says what version 1 says." in same
    assert "Version 2 waits for approval first." in waits


def test_a_draft_is_discarded(db: DbSession, clients: list[FlaskClient]) -> None:
    save(clients[0])

    page = clients[0].post(f"{PATH}/2/discard", follow_redirects=True).text

    assert "The draft of version 2 is discarded." in page
    assert len(stored(db)) == 1


def test_the_rule_of_another_body_is_written(db: DbSession, clients: list[FlaskClient]) -> None:
    taken = save(clients[0], "/manage/policies/new", name="acoe-distance")
    page = save(clients[0], "/manage/policies/new", name="sgs-live", body="SGS")

    assert "Write a new version of that one." in taken
    assert len(stored(db, "acoe-distance")) == 1
    assert "Version 1 is kept as a draft." in page
    assert stored(db, "sgs-live")[0].approved_at is None


def test_the_list_says_what_each_rule_gives_and_what_waits(clients: list[FlaskClient]) -> None:
    save(clients[0])

    page = clients[0].get("/manage/policies/").text

    assert "Being there live earns all the credit granted from 80 % of the session" in page
    assert "Version 2 waits" in page
    assert "Version 1: 0 grants" in page


@pytest.mark.parametrize(
    "path", ["/manage/policies/new", f"{PATH}/new-version", f"{PATH}/2/approve"]
)
def test_organisers_read_the_rules_and_write_none(
    db: DbSession, signed_in_as: Callable[[User], FlaskClient], path: str
) -> None:
    organiser = make_user(db, roles=(Role.ORGANISER,))
    db.commit()
    client = signed_in_as(organiser)

    assert client.get(PATH).status_code == 200
    assert "Write version 2" not in client.get(PATH).text
    assert client.open(path, method="POST").status_code == 403
