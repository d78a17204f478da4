"""Attendance reports at the desk: brought in, asked about, looked at, withdrawn."""

import io
from collections.abc import Callable
from pathlib import Path

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select
from werkzeug.test import TestResponse

from tests.builders import make_registration, make_session, make_user
from webinar.db import DbSession
from webinar.domain.review import MatchedBy
from webinar.domain.session import SessionStatus
from webinar.models import AttendanceImport, ImportedVisit, User, WebinarSession

DATA = Path(__file__).resolve().parents[1] / "data" / "attendance_reports"


@pytest.fixture
def session(db: DbSession) -> WebinarSession:
    session = make_session(db, status=SessionStatus.ENDED)
    make_registration(db, session, make_user(db, "anna.keller@example.net", name="Anna Keller"))
    make_registration(db, session, make_user(db, "m@example.net", name="Maria Rossi"))
    db.commit()
    return session


def path_of(session: WebinarSession, rest: str = "") -> str:
    return f"/manage/sessions/{session.public_id}/attendance{rest}"


def send(
    client: FlaskClient, session: WebinarSession, name: str, *, zone: str = "Europe/Zurich"
) -> TestResponse:
    file = (io.BytesIO((DATA / name).read_bytes()), name)
    return client.post(
        path_of(session),
        data={"file": file, "zone": zone},
        content_type="multipart/form-data",
        follow_redirects=True,
    )


def states(db: DbSession) -> dict[str, MatchedBy]:
    query = select(ImportedVisit).execution_options(populate_existing=True)
    found = {one.name: one.matched_by for one in db.scalars(query)}
    db.commit()
    return found


def the_import(db: DbSession) -> AttendanceImport:
    found = db.scalars(select(AttendanceImport).execution_options(populate_existing=True)).one()
    db.commit()
    return found


def test_a_report_is_brought_in_and_says_who_waits(
    db: DbSession, officer: FlaskClient, session: WebinarSession
) -> None:
    page = send(officer, session, "zoom_participants_2022.csv").text

    assert "5 visits read: 2 known, 3 to look at." in page
    assert "Perhaps Maria Rossi" in page
    assert "Row 10, iPhone: this was the waiting room. Not counted." in page
    assert states(db)["Anna Keller"] is MatchedBy.ADDRESS
    assert "zoom_participants_2022.csv" in officer.get(path_of(session)).text


def test_hours_without_a_zone_are_asked_about_beside_the_field(
    db: DbSession, officer: FlaskClient, session: WebinarSession
) -> None:
    answer = send(officer, session, "teams_sections.csv", zone="")

    assert answer.status_code == 422
    assert "The file shows hours without their time zone." in answer.text
    assert db.scalars(select(AttendanceImport)).all() == []


def test_the_same_file_again_leads_to_the_first(
    db: DbSession, officer: FlaskClient, session: WebinarSession
) -> None:
    send(officer, session, "zoom_pages.json")

    page = send(officer, session, "zoom_pages.json").text

    assert "This very file was imported" in page
    assert len(db.scalars(select(AttendanceImport)).all()) == 1


@pytest.mark.parametrize("content", [b"", b"nothing,we\nknow,of\n"])
def test_what_cannot_be_read_is_refused_in_a_sentence(
    officer: FlaskClient, session: WebinarSession, content: bytes
) -> None:
    answer = officer.post(
        path_of(session),
        data={"file": (io.BytesIO(content), "report.csv")},
        content_type="multipart/form-data",
    )

    assert answer.status_code == 422
    assert 'class="field-error"' in answer.text


def test_a_file_too_large_is_refused_before_it_is_read(
    officer: FlaskClient, session: WebinarSession
) -> None:
    answer = officer.post(
        path_of(session),
        input_stream=io.BytesIO(b""),
        content_type="multipart/form-data; boundary=x",
        environ_overrides={"CONTENT_LENGTH": "9000000"},
    )

    assert answer.status_code == 422
    assert "The file has more than 8 MB. Import it in parts." in answer.text


def test_a_person_is_found_assigned_and_looked_at_again(
    db: DbSession, officer: FlaskClient, session: WebinarSession
) -> None:
    send(officer, session, "zoom_pages.json")
    file = the_import(db)
    visit = db.scalars(select(ImportedVisit).where(ImportedVisit.name == "Maria Rossi")).one()
    maria = db.scalars(select(User).where(User.email == "m@example.net")).one()
    db.commit()
    person = officer.get(path_of(session, f"/{file.id}/{visit.id}?words=rossi")).text

    review = path_of(session, f"/{file.id}/review")
    chosen = {"visit": str(visit.id), "user": str(maria.id), "deed": "assign"}
    assigned = officer.post(review, data=chosen, follow_redirects=True).text

    assert "Maria Rossi, m@example.net" in person
    assert "18:15:00 to 18:59:00 (44:00)" in person
    assert "1 visit counted for this person." in assigned
    assert states(db)["Maria Rossi"] is MatchedBy.HAND
    assert "looked at by a person" in officer.get(path_of(session, f"/{file.id}?show=known")).text

    officer.post(review, data={"visit": str(visit.id), "deed": "undo"})
    assert states(db)["Maria Rossi"] is MatchedBy.NOBODY
    officer.post(review, data={"visit": str(visit.id), "deed": "dismiss"})
    assert states(db)["Maria Rossi"] is MatchedBy.DISMISSED


def test_a_report_is_withdrawn_with_a_reason_and_brought_back(
    db: DbSession, officer: FlaskClient, session: WebinarSession
) -> None:
    send(officer, session, "zoom_pages.json")
    here = path_of(session, f"/{the_import(db).id}")

    refused = officer.post(f"{here}/withdraw", data={"reason": ""})
    withdrawn = officer.post(
        f"{here}/withdraw", data={"reason": "Wrong file"}, follow_redirects=True
    )

    assert refused.status_code == 409
    assert "This report counts for nobody since" in withdrawn.text
    officer.post(f"{here}/restore")
    assert the_import(db).withdrawn_at is None


def test_one_sessions_report_is_not_reached_through_another(
    db: DbSession, officer: FlaskClient, session: WebinarSession
) -> None:
    send(officer, session, "zoom_pages.json")
    other = make_session(db, status=SessionStatus.ENDED)
    db.commit()

    assert officer.get(path_of(other, f"/{the_import(db).id}")).status_code == 404


def test_only_those_who_decide_credit_see_names(
    organiser: FlaskClient,
    db: DbSession,
    session: WebinarSession,
    signed_in_as: Callable[[User], FlaskClient],
) -> None:
    maria = db.scalars(select(User).where(User.email == "m@example.net")).one()
    db.commit()
    participant = signed_in_as(maria)

    assert organiser.get(path_of(session)).status_code == 403
    assert participant.get(path_of(session)).status_code == 403
