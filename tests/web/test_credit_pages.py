"""From the evaluation to the certificate, as a person clicks through it."""

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from flask.testing import FlaskClient
from sqlalchemy import func, select

from tests.builders import make_user
from tests.evidence import make_attendee, make_ended_session, make_grant, make_test
from webinar.db import DbSession
from webinar.domain.access import Role
from webinar.models import (
    Certificate,
    CreditDecision,
    EvaluationAnswers,
    EvaluationGiven,
    Identifier,
    User,
    WebinarSession,
)
from webinar.services import certificates, credits

SignIn = Callable[[User], FlaskClient]
URL = "http://localhost"
FORM = {
    "objective-1": "5",
    "objective-2": "4",
    "relevance": "5",
    "quality": "3",
    "bias": "no",
    "practice": "change",
    "practice_words": "I will ask for the nodes.",
}


def ended_session(db: DbSession) -> WebinarSession:
    """Ended an hour ago by the real clock, because the pages ask it."""
    session = make_ended_session(db)
    start = datetime.now(UTC).replace(microsecond=0) - timedelta(minutes=105)
    session.starts_at = session.actual_started_at = start
    session.ends_at = session.actual_ended_at = start + timedelta(minutes=45)
    db.flush()
    return session


def text_of(page: str) -> str:
    return " ".join(re.sub(r"<[^>]+>", " ", page).split())


@pytest.fixture
def session(db: DbSession) -> WebinarSession:
    return ended_session(db)


def decide(db: DbSession, session: WebinarSession) -> None:
    credits.decide_session(db, session.id, public_url=URL, now=datetime.now(UTC))
    db.commit()


def test_the_evaluation_brings_the_credit_and_the_certificate(
    db: DbSession, session: WebinarSession, signed_in_as: SignIn
) -> None:
    make_grant(db, session, "eaccme-3.0-live", "0.5")
    user = make_attendee(db, session)
    decide(db, session)
    client = signed_in_as(user)

    before = text_of(client.get(f"/sessions/{session.public_id}/credit").text)
    answer = client.post(
        f"/sessions/{session.public_id}/evaluation", data=FORM, follow_redirects=True
    )
    after = text_of(answer.text)

    number = db.scalars(select(Certificate.number)).one()
    db.commit()
    assert "Waits for you" in before
    assert "Give your evaluation" in before
    assert "0.5 point earned" in after
    assert f"Anyone can check it by its number, {number}." in after
    assert client.get(f"/certificates/{number}.pdf").data.startswith(b"%PDF-")


def test_answers_are_kept_without_the_person(
    db: DbSession, session: WebinarSession, signed_in_as: SignIn
) -> None:
    user = make_attendee(db, session)
    db.commit()

    signed_in_as(user).post(f"/sessions/{session.public_id}/evaluation", data=FORM)

    stored = db.scalars(select(EvaluationAnswers)).one()
    assert db.scalars(select(EvaluationGiven.user_id)).all() == [user.id]
    assert set(EvaluationAnswers.__table__.columns.keys()) == {"id", "session_id", "answers"}
    assert stored.answers["practice_words"] == "I will ask for the nodes."
    assert stored.answers["objectives"] == ["5", "4"]


def test_a_second_evaluation_is_refused_in_words_and_changes_nothing(
    db: DbSession, session: WebinarSession, signed_in_as: SignIn
) -> None:
    user = make_attendee(db, session)
    db.commit()
    client = signed_in_as(user)
    address = f"/sessions/{session.public_id}/evaluation"
    client.post(address, data=FORM)

    again = client.post(address, data=FORM)

    assert again.status_code == 409
    assert "You have given your evaluation of this session; thank you." in text_of(again.text)
    assert "Thank you" in client.get(address).text
    assert db.scalar(select(func.count()).select_from(EvaluationAnswers)) == 1


def test_what_is_missing_is_named_and_what_was_typed_is_kept(
    db: DbSession, session: WebinarSession, signed_in_as: SignIn
) -> None:
    user = make_attendee(db, session)
    db.commit()
    form = FORM | {"bias": "yes", "relevance": "9"}

    answer = signed_in_as(user).post(f"/sessions/{session.public_id}/evaluation", data=form)

    words = text_of(answer.text)
    assert answer.status_code == 422
    assert "Say how relevant it was for your work." in words
    assert "Describe the bias you noticed; a few words are enough." in words
    assert "I will ask for the nodes." in words
    assert db.scalar(select(func.count()).select_from(EvaluationGiven)) == 0


def test_who_was_not_there_neither_evaluates_nor_takes_the_test(
    db: DbSession, session: WebinarSession, signed_in_as: SignIn
) -> None:
    make_test(db, session)
    user = make_user(db)
    db.commit()
    client = signed_in_as(user)

    pages = [client.get(f"/sessions/{session.public_id}/{page}") for page in ("evaluation", "test")]
    form = client.post(f"/sessions/{session.public_id}/evaluation", data=FORM)

    assert [page.status_code for page in pages] == [403, 403]
    assert form.status_code == 403
    assert "Watch the recording first" in text_of(pages[0].text)


def test_an_identifier_frees_the_credit_that_was_held(
    db: DbSession, session: WebinarSession, signed_in_as: SignIn
) -> None:
    make_grant(db, session, "de-laek-live", "1")
    user = make_attendee(db, session)
    decide(db, session)
    client = signed_in_as(user)
    address = f"/sessions/{session.public_id}/identifier"
    number = "802760012345673"

    wrong = client.post(address, data={"kind": "EFN", "value": "12", "consent": "y"})
    silent = client.post(address, data={"kind": "EFN", "value": number})
    given = client.post(
        address,
        data={"kind": "EFN", "value": "80276 00123 45673", "consent": "y"},
        follow_redirects=True,
    )

    assert (wrong.status_code, silent.status_code) == (422, 422)
    assert "An EFN has 15 digits" in wrong.text
    assert "Without your consent" in silent.text
    assert "1 point earned" in text_of(given.text)
    assert db.scalars(select(Identifier.value)).all() == [number]


def test_the_page_says_why_there_is_no_credit(
    db: DbSession, session: WebinarSession, signed_in_as: SignIn
) -> None:
    make_grant(db, session, "esmo-mora-live", "1")
    user = make_attendee(db, session, end=2159)
    decide(db, session)

    words = text_of(signed_in_as(user).get(f"/sessions/{session.public_id}/credit").text)

    why = "35:59 of 45:00 counted (79.9 %); ESMO-MORA needs 36:00 (80 %): 0:01 short."
    assert why in words
    assert "No credit" in words


def test_only_the_owner_and_officers_open_a_certificate(
    db: DbSession, session: WebinarSession, signed_in_as: SignIn
) -> None:
    make_grant(db, session, "ama-pra-live", "0.75")
    user = make_attendee(db, session)
    other, officer = make_user(db), make_user(db, roles=(Role.ACCREDITATION_OFFICER,))
    decide(db, session)
    number = db.scalars(select(Certificate.number)).one()
    db.commit()
    address = f"/certificates/{number}.pdf"

    statuses = [signed_in_as(who).get(address).status_code for who in (user, other, officer)]

    assert statuses == [200, 404, 200]
    assert signed_in_as(user).get("/certificates/WCS-1.pdf").status_code == 404


def test_anyone_verifies_a_certificate_by_its_number(
    client: FlaskClient, db: DbSession, session: WebinarSession
) -> None:
    make_grant(db, session, "ama-pra-live", "0.75")
    make_attendee(db, session, name="Dr Zoë Ångström")
    decide(db, session)
    number = db.scalars(select(Certificate.number)).one()
    db.commit()

    typed = number.lower().replace("-", "")
    words = text_of(client.get(f"/verify/?number={typed}", follow_redirects=True).text)

    assert "This certificate is genuine" in words
    assert "Dr Zoë Ångström" in words
    assert session.title in words
    assert "0.75 point" in words


def test_a_revoked_and_a_superseded_certificate_say_so(
    client: FlaskClient, db: DbSession, session: WebinarSession
) -> None:
    make_grant(db, session, "ama-pra-live", "0.75")
    make_attendee(db, session)
    decide(db, session)
    make_grant(db, session, "uk-rcp-live", "1")
    decide(db, session)
    old, new = db.scalars(select(Certificate.number).order_by(Certificate.revision)).all()
    certificates.revoke(
        db, new, actor_id=None, reason="Issued to the wrong person.", now=datetime.now(UTC)
    )
    db.commit()

    superseded, revoked = (text_of(client.get(f"/verify/{n}").text) for n in (old, new))

    assert "A newer certificate takes its place" in superseded
    assert new in superseded
    assert "This certificate was revoked" in revoked
    assert "Reason: Issued to the wrong person." in revoked


@pytest.mark.parametrize(
    ("number", "words"),
    [
        ("WCS-0000-0000-0000", "We did not issue this certificate"),
        ("WCS-0000-0000-0001", "Probably a typing mistake"),
        ("hello", "Probably a typing mistake"),
        ("%3Cscript%3E", "Probably a typing mistake"),
    ],
)
def test_what_is_not_ours_is_said_with_what_to_do(
    client: FlaskClient, number: str, words: str
) -> None:
    answer = client.get(f"/verify/{number}")

    assert answer.status_code == 404
    assert words in text_of(answer.text)
    assert "Verify" in answer.text


def test_looking_changes_nothing(
    db: DbSession, session: WebinarSession, signed_in_as: SignIn
) -> None:
    make_grant(db, session, "ama-pra-live", "0.75")
    user = make_attendee(db, session)
    db.commit()

    page = signed_in_as(user).get(f"/sessions/{session.public_id}/credit")

    assert "What you watched is stored and is decided within a few minutes." in page.text
    assert db.scalar(select(func.count()).select_from(CreditDecision)) == 0
