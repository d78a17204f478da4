"""The administrator's page of the service itself."""

import re
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from tests.builders import make_user
from webinar.db import DbSession
from webinar.domain.access import Role
from webinar.models import AuditEvent, Delivery, ParkedWork, TickRun, User
from webinar.services import parked, processes, ticks

SignIn = Callable[[User], FlaskClient]
TICK = "send mails that are due"


@pytest.fixture
def administrator(db: DbSession, signed_in_as: SignIn) -> FlaskClient:
    user = make_user(db, roles=(Role.ADMINISTRATOR,))
    db.commit()
    return signed_in_as(user)


@pytest.fixture(autouse=True)
def one_tick(app: Flask) -> Iterator[None]:
    plan = ticks.plan()
    ticks.bind({TICK: 1})
    yield
    ticks.bind(plan)


def run_tick(db: DbSession, *, ago: timedelta, failures: int = 0, error: str | None = None) -> None:
    moment = datetime.now(UTC) - ago
    db.add(
        TickRun(
            name=TICK,
            owner="here:1:x",
            began_at=moment,
            ended_at=moment,
            succeeded_at=moment,
            failures=failures,
            last_error=error,
            milliseconds=4,
        )
    )
    db.commit()


def number(page: str, key: str) -> str:
    found = re.search(rf'data-number="{key}">(.*?)</td>', page, re.S)
    assert found is not None
    return re.sub(r"<.*?>", " ", found[1]).strip()


def test_a_service_that_is_well_says_so(db: DbSession, administrator: FlaskClient) -> None:
    run_tick(db, ago=timedelta(seconds=1))

    page = administrator.get("/manage/service/").text

    assert "All is well." in page
    assert number(page, f"tick {TICK}") == "in time"
    assert "No backup of the data is taken by the service." in page  # said, and no alarm


def test_what_is_wrong_stands_first_with_how_it_is_mended(
    db: DbSession, administrator: FlaskClient
) -> None:
    run_tick(
        db,
        ago=timedelta(minutes=10),
        failures=3,
        error="Traceback\nRefused: no such <b>mailbox</b>",
    )

    page = administrator.get("/manage/service/").text

    assert "1 thing to look at." in page
    assert "The clock stands still for 10 min: no reminder leaves." in page
    assert "<code>flask --app wsgi scheduler run</code>" in page
    assert number(page, f"tick {TICK}").startswith("failed 3 times")
    assert "Refused: no such &lt;b&gt;mailbox&lt;/b&gt;" in page


def test_mails_are_counted_by_day_and_by_what_became_of_them(
    db: DbSession, administrator: FlaskClient
) -> None:
    user = make_user(db)
    now = datetime.now(UTC)
    for subject_id in range(3):
        db.add(
            Delivery(
                kind="verify_email",
                user_id=user.id,
                subject_id=subject_id,
                created_at=now - timedelta(days=30),  # a reminder waits for its session
                sent_at=now,
                returned_at=now if subject_id else None,
            )
        )
    db.commit()

    page = administrator.get("/manage/service/").text

    assert number(page, "mails today") == "3"
    rows = re.findall(r'<tr><th scope="row">[\d.]+</th>(.*?)</tr>', page, re.S)
    assert len(rows) == 14
    assert re.findall(r">(\d+)</td>", rows[-1]) == ["3", "2", "0", "0"]


def test_what_was_given_up_is_tried_again_at_a_press(
    db: DbSession, administrator: FlaskClient
) -> None:
    now = datetime.now(UTC)
    for _ in range(parked.TRIES):
        parked.failed(db, "closing a recording", 17, error="OSError('disk is gone')", now=now)
    processes.seen(
        db, owner="node-1:7:x", role="worker", host="node-1", release="9", started_at=now, now=now
    )
    db.commit()
    before = administrator.get("/manage/service/").text
    row = db.scalars(select(ParkedWork)).one()
    db.commit()

    answer = administrator.post(f"/manage/service/work/{row.id}/again", follow_redirects=True)

    db.expire_all()
    assert "Closing a recording" in before
    assert "OSError(&#39;disk is gone&#39;)" in before
    assert "Given up</span>" in before
    assert "node-1" in before
    assert "The clock tries it again within seconds." in answer.text
    assert "Given up</span>" not in answer.text
    assert (row.tries, row.parked_at) == (0, None)
    event = db.scalars(select(AuditEvent).order_by(AuditEvent.id.desc()).limit(1)).one()
    assert (event.action, event.subject) == ("work tried again", "closing a recording 17")


def test_what_is_settled_meanwhile_cannot_be_tried_again(administrator: FlaskClient) -> None:
    assert administrator.post("/manage/service/work/12/again").status_code == 404


@pytest.mark.parametrize("role", [Role.ORGANISER, Role.ACCREDITATION_OFFICER])
def test_only_administrators_look_after_the_service(
    db: DbSession, signed_in_as: SignIn, role: Role
) -> None:
    user = make_user(db, roles=(role,))
    db.commit()
    client = signed_in_as(user)

    answers = client.get("/manage/service/"), client.post("/manage/service/work/1/again")

    assert [answer.status_code for answer in answers] == [403, 403]
    assert "/manage/service/" not in client.get("/manage/accreditation/").text
