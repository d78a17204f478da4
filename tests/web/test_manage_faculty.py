"""The organiser's room about the faculty: readiness, mails, papers, and what the gate lacks."""

import io
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select

from tests.builders import NOW, make_faculty, make_session, make_user
from tests.evidence import make_recording
from webinar.db import DbSession
from webinar.domain.access import Role
from webinar.domain.disclosure import Relation, Typed
from webinar.domain.letter import MailKind
from webinar.domain.recording import RecordingState
from webinar.domain.session import SessionStatus
from webinar.models import Delivery, FacultyMember, User, WebinarSession
from webinar.services import faculty, faculty_links

SignIn = Callable[[User], FlaskClient]
PDF = b"%PDF-1.7\n1 0 obj\n<<>>\nendobj\n%%EOF\n"
ADVISES = Typed(relations=(Relation("Roche", "advisory"),), signed_by="E M", is_complete=True)


@pytest.fixture
def session(db: DbSession) -> WebinarSession:
    starts_at = datetime.now(UTC) + timedelta(days=12)
    return make_session(db, starts_at=starts_at, status=SessionStatus.DRAFT)


@pytest.fixture
def member(db: DbSession, session: WebinarSession) -> FacultyMember:
    return make_faculty(db, session, user=make_user(db, "elena@example.net"), disclosure="")


@pytest.fixture
def organiser(db: DbSession, member: FacultyMember, signed_in_as: SignIn) -> FlaskClient:
    user = make_user(db, roles=(Role.ORGANISER,))
    db.commit()
    return signed_in_as(user)


def room(session: WebinarSession) -> str:
    return f"/manage/sessions/{session.public_id}/faculty"


def owed(db: DbSession, kind: MailKind) -> list[Delivery]:
    db.expire_all()
    return list(db.scalars(select(Delivery).where(Delivery.kind == kind.value)))


def test_the_room_shows_what_is_in_and_what_the_gate_lacks(
    organiser: FlaskClient, session: WebinarSession
) -> None:
    page = organiser.get(room(session)).text

    assert "Before people can see it, the session still needs" in page
    assert "<li>the disclosure of Prof Elena Marchetti</li>" in page
    assert "Nobody moderates yet" in page
    assert "elena@example.net" in page
    assert "Invite 1 person" in page
    assert "was due" not in page  # nobody has asked for it yet


def test_without_faculty_the_room_says_what_to_do_first(
    db: DbSession, organiser: FlaskClient
) -> None:
    empty = make_session(db, status=SessionStatus.DRAFT)
    db.commit()

    page = organiser.get(room(empty)).text

    assert "Nobody stands in the faculty yet" in page


def test_everybody_is_invited_once_and_one_again_by_hand(
    db: DbSession, organiser: FlaskClient, session: WebinarSession, member: FacultyMember
) -> None:
    first = organiser.post(room(session) + "/invite")
    organiser.post(room(session) + "/invite")
    organiser.post(f"{room(session)}/{member.id}/invite")
    organiser.post(f"{room(session)}/{member.id}/remind")

    assert (first.status_code, first.location) == (303, room(session))
    assert len(owed(db, MailKind.FACULTY_INVITED)) == 2
    assert len(owed(db, MailKind.FACULTY_REMINDER)) == 1
    assert "Remind now" in organiser.get(room(session)).text


def test_a_new_address_is_mailed_and_never_shown(
    db: DbSession, organiser: FlaskClient, session: WebinarSession, member: FacultyMember
) -> None:
    answer = organiser.post(f"{room(session)}/{member.id}/address", follow_redirects=True)

    token = str(owed(db, MailKind.FACULTY_INVITED)[0].details["token"])
    assert "leaves by mail; the old ones ended" in answer.text
    assert token not in answer.text


def test_who_has_no_email_gets_an_address_that_is_shown_once(
    db: DbSession, organiser: FlaskClient, session: WebinarSession
) -> None:
    guest = make_faculty(db, session, name="Dr Jan Novak", disclosure="")
    db.commit()

    answer = organiser.post(f"{room(session)}/{guest.id}/address")
    refused = organiser.post(f"{room(session)}/{guest.id}/invite")

    address = answer.text.partition('value="http://localhost')[2].partition('"')[0]
    assert answer.headers["Cache-Control"] == "no-store"
    assert organiser.get(address).status_code == 200
    assert address not in organiser.get(room(session)).text
    assert refused.status_code == 409
    assert "There is no e-mail for Dr Jan Novak yet." in refused.text


def test_a_disclosure_on_paper_is_written_down(
    db: DbSession, organiser: FlaskClient, session: WebinarSession, member: FacultyMember
) -> None:
    path = f"{room(session)}/{member.id}/paper"

    empty = organiser.post(path, data={"paper": " ", "signed_on": "2026-11-02"})
    undated = organiser.post(path, data={"paper": "No <relations>.", "signed_on": "soon"})
    answer = organiser.post(path, data={"paper": "No relations.", "signed_on": "2026-11-02"})

    db.expire_all()
    assert (empty.status_code, undated.status_code, answer.status_code) == (422, 422, 303)
    assert "No &lt;relations&gt;." in undated.text
    assert member.disclosure == "No relations."


def test_relations_wait_for_what_is_done_about_them(
    db: DbSession, organiser: FlaskClient, session: WebinarSession, member: FacultyMember
) -> None:
    faculty.disclose(db, member.id, ADVISES, now=NOW)
    db.commit()
    path = f"{room(session)}/{member.id}/mitigation"

    before = organiser.get(room(session)).text
    empty = organiser.post(path, data={"mitigation": ""})
    answer = organiser.post(path, data={"mitigation": "Slides reviewed."})

    db.expire_all()
    assert "what is done about the relations of Prof Elena Marchetti" in before
    assert (empty.status_code, answer.status_code) == (422, 303)
    assert member.disclosure == "Advisory board: Roche. Mitigated: Slides reviewed."


def test_a_rehearsal_note_stands_on_the_pages_of_the_faculty(
    db: DbSession, organiser: FlaskClient, session: WebinarSession, member: FacultyMember
) -> None:
    token = faculty_links.issue(db, member, now=datetime.now(UTC))
    db.commit()
    path = room(session) + "/rehearsal"

    answer = organiser.post(path, data={"rehearsal": " Tuesday at 18:00. "})
    too_long = organiser.post(path, data={"rehearsal": "x" * 2001})

    assert (answer.status_code, too_long.status_code) == (303, 422)
    assert "Tuesday at 18:00." in organiser.get(f"/faculty/{token}").text


def test_organisers_download_slides_and_see_photos_of_a_draft(
    db: DbSession, organiser: FlaskClient, session: WebinarSession, member: FacultyMember
) -> None:
    token = faculty_links.issue(db, member, now=datetime.now(UTC))
    db.commit()
    organiser.post(f"/faculty/{token}/slides", data={"slides": (io.BytesIO(PDF), "talk.pdf")})

    answer = organiser.get(f"{room(session)}/{member.id}/slides")
    data = answer.data
    answer.close()
    photo = organiser.get(f"{room(session)}/{member.id}/photo.jpg")

    assert data == PDF
    assert answer.headers["Content-Disposition"] == "attachment; filename=talk.pdf"
    assert photo.status_code == 404


def test_a_held_recording_is_published_with_a_reason_only(
    db: DbSession, organiser: FlaskClient, session: WebinarSession, member: FacultyMember
) -> None:
    session.status = SessionStatus.ENDED
    member.consent_withdrawn_at = NOW
    recording = make_recording(db, session, closes_at=NOW + timedelta(days=180))
    recording.state, recording.closes_at = RecordingState.READY, None
    db.commit()
    path = room(session) + "/recording"

    page = organiser.get(room(session)).text
    refused = organiser.post(path, data={"do": "publish", "reason": " "})
    answer = organiser.post(path, data={"do": "publish", "reason": "She was cut out."})

    db.expire_all()
    assert "The recording is ready and was held back." in page
    assert (refused.status_code, answer.status_code) == (422, 303)
    assert recording.state is RecordingState.PUBLISHED


def test_a_published_recording_is_closed_when_the_organiser_says_so(
    db: DbSession, organiser: FlaskClient, session: WebinarSession, member: FacultyMember
) -> None:
    session.status = SessionStatus.ENDED
    member.consented_at, member.consent_withdrawn_at = NOW, NOW
    recording = make_recording(db, session, closes_at=datetime.now(UTC) + timedelta(days=180))
    db.commit()

    page = organiser.get(room(session)).text
    answer = organiser.post(
        room(session) + "/recording", data={"do": "close", "reason": "She asked for it."}
    )

    db.expire_all()
    assert "Close the recording now" in page
    assert answer.status_code == 303
    assert recording.state is RecordingState.CLOSED


def test_people_of_another_session_are_not_found_here(
    db: DbSession, organiser: FlaskClient, session: WebinarSession
) -> None:
    stranger = make_faculty(db, make_session(db))
    db.commit()

    answers = [
        organiser.post(f"{room(session)}/{stranger.id}/{act}").status_code
        for act in ("invite", "remind", "address", "paper", "mitigation")
    ]

    assert answers == [404] * 5


@pytest.mark.parametrize("role", [Role.PRESENTER, Role.MODERATOR, Role.ACCREDITATION_OFFICER])
def test_only_organisers_enter(
    db: DbSession, session: WebinarSession, signed_in_as: SignIn, role: Role
) -> None:
    user = make_user(db, roles=(role,))
    db.commit()

    assert signed_in_as(user).get(room(session)).status_code == 403
