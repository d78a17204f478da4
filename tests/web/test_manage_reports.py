"""The officer reports on a session and makes the lists for registries, as pages."""

import csv
import hashlib
import io
from collections.abc import Callable

import pytest
import time_machine
from flask.testing import FlaskClient
from lxml import etree

from tests.builders import make_faculty, make_user
from tests.evidence import AFTER, make_attendee, make_ended_session, make_grant
from webinar.db import DbSession
from webinar.domain.access import Role
from webinar.models import (
    AccreditationGrant,
    AttendanceSummary,
    AuditEvent,
    EvaluationGiven,
    Identifier,
    RegistryExport,
    User,
    WebinarSession,
)
from webinar.services import credits
from webinar.services.reports import summaries

VNR = "2760012024200354002"
EFNS = ("802760020090329", "802760020090337", "802760020090345")


@pytest.fixture
def session(db: DbSession) -> WebinarSession:
    session = make_ended_session(db)
    session.abstract = "What to do with the node."
    make_faculty(db, session)
    db.commit()
    return session


def attend(db: DbSession, session: WebinarSession, *names: str) -> list[User]:
    people = [make_attendee(db, session, name=name) for name in names]
    for person in people:
        db.add(EvaluationGiven(session_id=session.id, user_id=person.id, given_at=AFTER))
    db.flush()
    credits.decide_session(db, session.id, public_url="http://localhost", now=AFTER)
    summaries.refresh(db, session, now=AFTER)
    db.commit()
    return people


def number(db: DbSession, user: User, kind: str, value: str, **details: str) -> None:
    db.add(Identifier(user_id=user.id, kind=kind, value=value, details=details, consented_at=AFTER))
    db.commit()


def address(session: WebinarSession, grant: AccreditationGrant, rest: str = "") -> str:
    return f"/manage/sessions/{session.public_id}/reports/{grant.id}{rest}"


def rows_of(content: bytes, delimiter: str = ",") -> list[list[str]]:
    return list(csv.reader(io.StringIO(content.decode("utf-8-sig")), delimiter=delimiter))


def test_a_report_is_written_signed_and_sent(
    db: DbSession, officer: FlaskClient, session: WebinarSession
) -> None:
    grant = make_grant(db, session, "ama-pra-live", "1")
    attend(db, session, "Anna Keller", "Jonas Weber")
    here = address(session, grant)

    assert "Not signed" in officer.get(here).text
    officer.post(f"{here}/words", data={"sponsors": "Example Pharma: 2,000 EUR", "due_on": ""})
    officer.post(f"{here}/sign", data={"chair_name": "Prof Elena Marchetti", "chair_role": "Chair"})
    page = officer.get(here).text
    assert "Signed by Prof Elena Marchetti, Chair" in page
    assert "Example Pharma: 2,000 EUR" in page
    officer.post(f"{here}/sent")

    assert "No report is owed" in officer.get("/manage/reports").text


def test_attendance_that_was_never_counted_is_counted_on_demand(
    db: DbSession, officer: FlaskClient, session: WebinarSession
) -> None:
    grant = make_grant(db, session, "ama-pra-live", "1")
    attend(db, session, "Anna Keller")
    db.query(AttendanceSummary).delete()
    db.commit()
    here = address(session, grant)

    before = officer.get(here).text
    officer.post(f"{here}/count")

    assert "Attendance is not counted yet" in before
    assert "Attendance is not counted yet" not in officer.get(here).text


@pytest.mark.parametrize(
    ("kind", "starts"),
    [("pdf", b"%PDF-"), ("xlsx", b"PK"), ("csv", b"\xef\xbb\xbf"), ("json", b"{")],
)
def test_a_report_can_be_downloaded_in_four_ways(
    db: DbSession, officer: FlaskClient, session: WebinarSession, kind: str, starts: bytes
) -> None:
    grant = make_grant(db, session, "ama-pra-live", "1")
    db.commit()

    answer = officer.get(address(session, grant, f"?format={kind}"))

    assert (answer.status_code, answer.data.startswith(starts)) == (200, True)
    assert f"-live.{kind}" in answer.headers["Content-Disposition"]


def test_what_cannot_be_signed_or_dated_is_refused_in_words(
    db: DbSession, officer: FlaskClient, session: WebinarSession
) -> None:
    grant = make_grant(db, session, "ama-pra-live", "1")
    db.commit()
    here = address(session, grant)

    nameless = officer.post(f"{here}/sign", data={"chair_name": " "})
    dateless = officer.post(f"{here}/words", data={"due_on": "soon"})
    unsigned = officer.post(f"{here}/sent")

    assert (nameless.status_code, dateless.status_code, unsigned.status_code) == (422, 422, 422)
    assert "Give the name of the scientific chair" in nameless.text
    assert "Write the day as 2026-12-24" in dateless.text
    assert "Only a signed report is sent" in unsigned.text


def test_a_signature_is_taken_back_with_a_reason(
    db: DbSession, officer: FlaskClient, session: WebinarSession
) -> None:
    grant = make_grant(db, session, "ama-pra-live", "1")
    db.commit()
    here = address(session, grant)
    officer.post(f"{here}/sign", data={"chair_name": "A"})

    officer.post(f"{here}/reopen", data={"reason": "A wrong sponsor."})

    assert "Not signed" in officer.get(here).text


def test_an_organiser_does_not_see_reports(
    db: DbSession, organiser: FlaskClient, session: WebinarSession
) -> None:
    assert organiser.get("/manage/reports").status_code == 403
    assert (
        "/reports" not in organiser.get(f"/manage/sessions/{session.public_id}/accreditation").text
    )


def test_the_reports_of_a_session_offer_the_lists_its_bodies_ask_for(
    db: DbSession, officer: FlaskClient, session: WebinarSession
) -> None:
    make_grant(db, session, "esmo-mora-live", "1")
    db.commit()

    page = officer.get(f"/manage/sessions/{session.public_id}/reports").text

    assert "ESMO-MORA: participants and points" in page
    assert "EIV" not in page


def test_eiv_is_told_everybody_once_and_then_the_difference(
    db: DbSession, officer: FlaskClient, session: WebinarSession
) -> None:
    grant = make_grant(db, session, "de-laek-live", "1")
    grant.reference = VNR
    db.commit()
    people = attend(db, session, "Anna Keller", "Berta Lang", "Clara Mohn")
    here = address(session, grant, "/lists/eiv")
    for person, efn in zip(people[:2], EFNS, strict=False):
        number(db, person, "EFN", efn)
    credits.decide_session(db, session.id, public_url="http://localhost", now=AFTER)
    db.commit()

    page = officer.get(here).text
    assert "Full report: replaces everything" in page
    officer.post(here, data={"operation": "replace"})
    first = officer.get(f"{here}/1").data
    officer.post(f"{here}/1/sent")

    assert rows_of(first, ";")[1:] == [
        [VNR, EFNS[0], "2026-11-26", "1", "0", "Vollmeldung"],
        [VNR, EFNS[1], "2026-11-26", "1", "0", "Vollmeldung"],
    ]
    assert "There is nothing new to send" in officer.get(here).text

    db.delete(db.get_one(Identifier, (people[0].id, "EFN")))
    number(db, people[2], "EFN", EFNS[2])
    credits.decide_session(db, session.id, public_url="http://localhost", now=AFTER)
    db.commit()
    for operation in ("append", "delete"):
        officer.post(here, data={"operation": operation})

    assert rows_of(officer.get(f"{here}/2").data, ";")[1:] == [
        [VNR, EFNS[2], "2026-11-26", "1", "0", "Nachmeldung"]
    ]
    assert rows_of(officer.get(f"{here}/3").data, ";")[1:] == [
        [VNR, EFNS[0], "2026-11-26", "0", "0", "Loeschung"]
    ]


def test_an_efn_given_by_two_people_is_reported_for_neither(
    db: DbSession, officer: FlaskClient, session: WebinarSession
) -> None:
    grant = make_grant(db, session, "de-laek-live", "1")
    grant.reference = VNR
    db.commit()
    for person in attend(db, session, "Anna Keller", "Berta Lang"):
        number(db, person, "EFN", EFNS[0])
    attend(db, session)

    page = officer.get(address(session, grant, "/lists/eiv")).text

    assert page.count("Somebody else here gave the same EFN") == 2
    assert "Nobody is to be reported yet." in page


def test_a_grant_without_a_vnr_cannot_be_reported_to_eiv(
    db: DbSession, officer: FlaskClient, session: WebinarSession
) -> None:
    grant = make_grant(db, session, "de-laek-live", "1")
    db.commit()
    (person,) = attend(db, session, "Anna Keller")
    number(db, person, "EFN", EFNS[0])
    here = address(session, grant, "/lists/eiv")

    answer = officer.post(here, data={"operation": "replace"})

    assert answer.status_code == 422
    assert "The reference of the grant is not a VNR" in answer.text


def test_pars_gets_learners_who_agreed_and_hears_why_others_are_missing(
    db: DbSession, signed_in_as: Callable[[User], FlaskClient], session: WebinarSession
) -> None:
    grant = make_grant(db, session, "ama-pra-live", "1")
    user = make_user(db, roles=(Role.ACCREDITATION_OFFICER,))
    db.commit()
    people = attend(db, session, "Dr Anna Keller", "Berta Lang", "Clara Mohn")
    number(db, people[0], "PARS", "123456", birth="05-31", state="NY")
    number(db, people[1], "PARS", "654321", birth="", state="NY")
    here = address(session, grant, "/lists/pars_learners")

    with time_machine.travel(AFTER, tick=True):
        officer = signed_in_as(user)
        page = officer.get(here).text
        officer.post(here, data={"operation": "replace"})
        rows = rows_of(officer.get(f"{here}/1?format=csv").data)
        root = etree.fromstring(officer.get(f"{here}/1?format=xml").data)

    assert "The month and day of birth are missing." in page
    assert "Has not agreed to be reported to PARS." in page
    assert rows[1:] == [
        ["REF-1", "Anna", "Keller", "05", "31", "NY", "123456", "2026-11-26", "0.75"]
    ]
    names = {etree.QName(element).localname: element.text for element in root.iter()}
    assert root.tag == "ACCMELearnerReports"
    assert (names["GivenName"], names["FamilyName"]) == ("Anna", "Keller")
    assert (names["numberOfCredits"], names["releaseDate"]) == ("0.75", "2026-11-26")


def test_pars_gets_the_activity_with_its_learners_counted(
    db: DbSession, officer: FlaskClient, session: WebinarSession
) -> None:
    grant = make_grant(db, session, "ama-pra-live", "1")
    db.commit()
    people = attend(db, session, "Anna Keller", "Berta Lang")
    people[0].profession = "nurse"
    db.commit()
    here = address(session, grant, "/lists/pars_activity")

    officer.post(here, data={"operation": "replace"})
    row = dict(zip(*rows_of(officer.get(f"{here}/1?format=csv").data), strict=True))
    root = etree.fromstring(officer.get(f"{here}/1").data)

    assert (row["Activity type"], row["AMA PRA Category 1 credits"]) == (
        "Internet Live Activity",
        "1",
    )
    assert (row["Physician learners"], row["Other learners"]) == ("1", "1")
    assert row["Commercial support received"] == "no"
    assert root.tag == "ACCMEActivities"
    assert root.findtext("MedicalEducationMetrics/ParticipationMetrics/PhysicianLearners") == "1"


def test_esmo_gets_names_and_points_of_who_agreed(
    db: DbSession, officer: FlaskClient, session: WebinarSession
) -> None:
    grant = make_grant(db, session, "esmo-mora-live", "1")
    db.commit()
    people = attend(db, session, "Anna Keller", "Berta Lang")
    number(db, people[0], "ESMO", "900001")
    here = address(session, grant, "/lists/esmo_mora")

    page = officer.get(here).text
    officer.post(here, data={"operation": "replace"})
    rows = rows_of(officer.get(f"{here}/1").data)

    assert "Has not agreed to be named to ESMO." in page
    assert rows[1][:6] == ["REF-1", "Anna Keller", "CH", "900001", "1", "2026-11-26"]
    assert rows[1][6].startswith("WCS-")


def test_a_list_overtaken_by_a_newer_one_is_not_sent(
    db: DbSession, officer: FlaskClient, session: WebinarSession
) -> None:
    grant = make_grant(db, session, "esmo-mora-live", "1")
    db.commit()
    (person,) = attend(db, session, "Anna Keller")
    number(db, person, "ESMO", "900001")
    here = address(session, grant, "/lists/esmo_mora")
    for _ in range(2):
        officer.post(here, data={"operation": "replace"})
    officer.post(f"{here}/2/sent")

    answer = officer.post(f"{here}/1/sent")

    assert answer.status_code == 409
    assert "A newer list was sent since" in answer.text


@pytest.mark.parametrize("rest", ["/lists/none", "/lists/eiv/77", "/lists/eiv/77?format=exe"])
def test_there_are_no_other_lists(
    db: DbSession, officer: FlaskClient, session: WebinarSession, rest: str
) -> None:
    grant = make_grant(db, session, "de-laek-live", "1")
    db.commit()

    assert officer.get(address(session, grant, rest)).status_code == 404
    assert officer.get(address(session, grant).replace(str(grant.id), "999")).status_code == 404


def test_what_was_made_and_sent_stands_in_the_audit_trail(
    db: DbSession, officer: FlaskClient, session: WebinarSession
) -> None:
    grant = make_grant(db, session, "esmo-mora-live", "1")
    db.commit()
    (person,) = attend(db, session, "Anna Keller")
    number(db, person, "ESMO", "900001")
    here = address(session, grant, "/lists/esmo_mora")
    officer.post(here, data={"operation": "replace"})
    officer.post(f"{here}/1/sent")

    actions = [event.action for event in db.query(AuditEvent).order_by(AuditEvent.id)]
    assert actions[-2:] == ["list made", "list sent"]


def test_the_file_handed_out_later_is_the_file_that_was_logged(
    db: DbSession, officer: FlaskClient, session: WebinarSession
) -> None:
    grant = make_grant(db, session, "ama-pra-live", "1")
    db.commit()
    attend(db, session, "Anna Keller")
    here = address(session, grant, "/lists/pars_activity")

    officer.post(here, data={"operation": "replace"})
    attend(db, session, "Berta Lang")

    logged = db.query(RegistryExport).one().digest
    db.commit()
    assert hashlib.sha256(officer.get(f"{here}/1").data).hexdigest() == logged
