"""The officer's desk: what waits and why, reminding, deciding again, and answering appeals."""

import html
import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from tests.builders import make_registration, make_society, make_user
from tests.evidence import make_attendee, make_ended_session, make_grant
from tests.queries import counted
from webinar.db import DbSession, read_db
from webinar.domain.access import Role
from webinar.domain.letter import MailKind
from webinar.models import (
    AccreditationGrant,
    Appeal,
    CreditDecision,
    Delivery,
    EvaluationGiven,
    User,
    UserRole,
    WebinarSession,
)
from webinar.services import appeals, credits

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)

SignIn = Callable[[User], FlaskClient]
NOBODY = 999_999


def text_of(page: str) -> str:
    return " ".join(re.sub(r"<[^>]+>", " ", page).split())


def decide(db: DbSession, session: WebinarSession) -> None:
    credits.decide_session(db, session.id, public_url="http://localhost", now=datetime.now(UTC))
    db.commit()


def mails(kind: MailKind) -> list[int]:
    with read_db() as fresh:
        found = fresh.scalars(
            select(Delivery.user_id).where(Delivery.kind == kind.value).order_by(Delivery.id)
        )
        return list(found)


@pytest.fixture
def session(db: DbSession) -> WebinarSession:
    """Ended an hour ago by the real clock, because the pages ask it."""
    session = make_ended_session(db)
    start = datetime.now(UTC).replace(microsecond=0) - timedelta(minutes=105)
    session.starts_at = session.actual_started_at = start
    session.ends_at = session.actual_ended_at = start + timedelta(minutes=45)
    db.flush()
    return session


@pytest.fixture
def grant(db: DbSession, session: WebinarSession) -> AccreditationGrant:
    return make_grant(db, session, "eaccme-3.0-live", "0.5")


@pytest.fixture
def waiting(db: DbSession, session: WebinarSession, grant: AccreditationGrant) -> User:
    """Was there and owes the evaluation; another gave theirs after ten minutes."""
    user = make_attendee(db, session, name="Dr Wanda Waits")
    short = make_attendee(db, session, end=600, name="Dr Short Stay")
    db.add(EvaluationGiven(session_id=session.id, user_id=short.id, given_at=session.ends_at))
    decide(db, session)
    return user


@pytest.fixture
def page(session: WebinarSession, waiting: User) -> str:
    """The address of the session's people."""
    return f"/manage/credit/{session.public_id}"


@pytest.fixture
def raised(db: DbSession, session: WebinarSession, grant: AccreditationGrant, waiting: User) -> str:
    """The address of an open appeal."""
    now = datetime.now(UTC)
    appeal = appeals.raise_appeal(
        db, session, waiting.id, grant.id, words="I gave the evaluation.", now=now
    )
    db.commit()
    return f"/manage/credit/{session.public_id}/appeals/{appeal.id}"


def test_the_desk_counts_what_each_session_waits_for(officer: FlaskClient, page: str) -> None:
    desk = text_of(officer.get("/manage/credit/?show=waiting").text)

    assert "1 for the evaluation" in desk


def test_an_appeal_makes_a_session_something_to_do(
    officer: FlaskClient, page: str, raised: str
) -> None:
    assert "1 appeal" in text_of(officer.get("/manage/credit/").text)


def test_nothing_to_do_says_what_would_stand_here(officer: FlaskClient, page: str) -> None:
    assert "Nothing waits for you" in text_of(officer.get("/manage/credit/").text)


def test_each_person_stands_with_the_reason(officer: FlaskClient, page: str) -> None:
    words = text_of(officer.get(page).text)

    assert "Evaluation missing" in words
    assert "10:00 of 45:00 counted" in words


@pytest.mark.parametrize(
    ("query", "there"),
    [
        ("group=evaluation", ["Dr Wanda Waits"]),
        ("group=little", ["Dr Short Stay"]),
        ("group=earned", []),
        ("group=appeal", []),
        ("group=nonsense", ["Dr Short Stay", "Dr Wanda Waits"]),
        ("words=wanda", ["Dr Wanda Waits"]),
        ("words=%25", []),
        ("group=little&words=wanda", []),
        ("page=9", []),
        ("page=x", ["Dr Short Stay", "Dr Wanda Waits"]),
    ],
)
def test_people_are_narrowed_by_reason_and_by_name(
    officer: FlaskClient, page: str, query: str, there: list[str]
) -> None:
    found = re.findall(
        r"<th scope=\"row\"><a [^>]*>([^<]+)</a>", officer.get(f"{page}?{query}").text
    )

    assert found == there


def test_a_reminder_is_shown_before_it_is_sent(
    officer: FlaskClient, page: str, waiting: User
) -> None:
    form = {"do": "remind", "who": "all"}
    wanted = waiting.id

    asked = text_of(officer.post(f"{page}/act", data=form).text)
    before = mails(MailKind.CREDIT_PENDING)
    officer.post(f"{page}/act", data=form | {"confirmed": "y"})

    assert "1 person gets a mail" in asked
    assert "For 1 person nothing is left to do" in asked
    assert before == []
    assert mails(MailKind.CREDIT_PENDING) == [wanted]


def test_nobody_is_reminded_twice_within_three_days(officer: FlaskClient, page: str) -> None:
    form = {"do": "remind", "who": "all", "confirmed": "y"}
    officer.post(f"{page}/act", data=form)

    again = officer.post(f"{page}/act", data={"do": "remind", "who": "all"})
    officer.post(f"{page}/act", data=form)

    assert "1 person was reminded within the last three days" in text_of(again.text)
    assert len(mails(MailKind.CREDIT_PENDING)) == 1


def test_people_of_another_session_are_nobody_here(
    db: DbSession, officer: FlaskClient, page: str
) -> None:
    other = make_ended_session(db)
    make_grant(db, other, "eaccme-3.0-live", "0.5")
    stranger = make_attendee(db, other)
    decide(db, other)
    form = {"do": "remind", "user": str(stranger.id), "confirmed": "y"}
    db.rollback()

    answer = officer.post(f"{page}/act", data=form, follow_redirects=True)

    assert "Choose somebody first." in text_of(answer.text)
    assert mails(MailKind.CREDIT_PENDING) == []


@pytest.mark.parametrize("typed", ["", "x", "-1", "99999999999999999999", str(NOBODY)])
def test_who_is_chosen_by_a_number_that_is_none_is_nobody(
    officer: FlaskClient, page: str, typed: str
) -> None:
    answer = officer.post(
        f"{page}/act", data={"do": "decide", "user": typed}, follow_redirects=True
    )

    assert answer.status_code == 200
    assert "Choose somebody first." in text_of(answer.text)


def test_deciding_again_takes_what_came_in_meanwhile(
    db: DbSession, officer: FlaskClient, session: WebinarSession, page: str, waiting: User
) -> None:
    db.add(EvaluationGiven(session_id=session.id, user_id=waiting.id, given_at=datetime.now(UTC)))
    db.commit()
    form = {"do": "decide", "user": str(waiting.id)}
    person = waiting.id
    db.rollback()

    asked = officer.post(f"{page}/act", data=form)
    done = officer.post(f"{page}/act", data=form | {"confirmed": "y"}, follow_redirects=True)

    with read_db() as fresh:
        credit = fresh.scalars(
            select(CreditDecision.credit).where(
                CreditDecision.user_id == person, CreditDecision.is_latest
            )
        ).one()
    assert "The credit of 1 person is worked out again" in text_of(asked.text)
    assert "1 person is decided again: 1 decision changed." in text_of(done.text)
    assert credit == Decimal("0.5")


def test_one_person_stands_with_the_picture_and_every_revision(
    db: DbSession, officer: FlaskClient, page: str, waiting: User
) -> None:
    address = f"{page}/people/{waiting.id}"
    db.rollback()

    words = text_of(officer.get(address).text)

    assert "Dr Wanda Waits" in words
    assert "counted 45:00" in words
    assert "1 decision, the newest first" in words
    assert "What went in:" in words


def test_accounts_without_a_place_in_the_session_are_not_shown_here(
    db: DbSession, officer: FlaskClient, session: WebinarSession, page: str
) -> None:
    stranger = make_user(db, name="Dr Private Person")
    make_registration(db, session, stranger)
    db.commit()
    address = f"{page}/people/{stranger.id}"
    db.rollback()

    answers = [officer.get(address), officer.get(f"{page}/people/{NOBODY}")]

    assert [answer.status_code for answer in answers] == [404, 404]


def test_an_appeal_is_read_with_its_evidence_and_answered_by_mail(
    officer: FlaskClient, raised: str, waiting: User
) -> None:
    who = waiting.id

    listed = text_of(officer.get("/manage/credit/appeals/").text)
    read = text_of(officer.get(raised).text)
    done = officer.post(
        raised,
        data={"outcome": "no", "answer": "It did not arrive here."},
        follow_redirects=True,
    )
    after = text_of(officer.get("/manage/credit/appeals/?show=answered").text)

    assert "I gave the evaluation." in listed
    assert "Appeal of Dr Wanda Waits" in read
    assert "What stood when it was raised" in read
    assert "counted 45:00" in read
    assert "The answer is on its way by mail." in text_of(done.text)
    assert "Declined" in after
    assert mails(MailKind.APPEAL_ANSWERED) == [who]


@pytest.mark.parametrize(
    ("form", "sentence"),
    [
        ({}, "Choose one of the two."),
        ({"outcome": "maybe", "answer": "x"}, "Choose one of the two."),
        ({"outcome": "yes", "answer": "  "}, "Say why; the person reads it in a mail."),
    ],
)
def test_an_answer_without_a_word_is_refused_and_changes_nothing(
    officer: FlaskClient, raised: str, form: dict[str, str], sentence: str
) -> None:
    answer = officer.post(raised, data=form)

    assert answer.status_code == 422
    assert sentence in text_of(answer.text)
    assert mails(MailKind.APPEAL_ANSWERED) == []


def test_an_officer_does_not_answer_their_own_appeal(
    db: DbSession, raised: str, waiting: User, signed_in_as: SignIn
) -> None:
    waiting.grants.append(UserRole(role=Role.ACCREDITATION_OFFICER))
    db.commit()
    client = signed_in_as(waiting)
    db.rollback()

    page = client.get(raised)
    answer = client.post(raised, data={"outcome": "yes", "answer": "Of course."})

    assert "This appeal is your own" in text_of(page.text)
    assert answer.status_code == 403
    assert mails(MailKind.APPEAL_ANSWERED) == []


@pytest.mark.parametrize("role", [None, Role.ORGANISER, Role.MODERATOR, Role.PRESENTER])
def test_only_who_decides_credit_opens_the_desk(
    db: DbSession, raised: str, page: str, signed_in_as: SignIn, role: Role | None
) -> None:
    user = make_user(db, roles=(role,) if role else ())
    db.commit()
    client = signed_in_as(user)
    db.rollback()

    answers = [
        client.get("/manage/credit/"),
        client.get("/manage/credit/appeals/"),
        client.get(page),
        client.get(raised),
        client.post(raised, data={"outcome": "yes", "answer": "Yes."}),
        client.post(f"{page}/act", data={"do": "decide", "who": "all", "confirmed": "y"}),
    ]

    assert {answer.status_code for answer in answers} == {403}


def test_the_desk_of_one_society_knows_nothing_of_another(
    db: DbSession, raised: str, page: str, signed_in_as: SignIn
) -> None:
    user = make_user(db)
    society = make_society(db)
    user.grants.append(UserRole(role=Role.ACCREDITATION_OFFICER, society_id=society.id))
    db.commit()
    client = signed_in_as(user)
    db.rollback()

    lists = [
        text_of(client.get(path).text)
        for path in (
            "/manage/credit/",
            "/manage/credit/?show=all",
            "/manage/credit/appeals/",
        )
    ]

    assert [client.get(path).status_code for path in (page, raised)] == [403, 403]
    assert not any("Sentinel nodes" in listed or "Wanda" in listed for listed in lists)


def test_who_is_not_signed_in_is_sent_to_sign_in(app: Flask, page: str) -> None:
    answer = app.test_client().get(page)

    assert (answer.status_code, "/sign-in" in answer.location) == (302, True)


def test_an_appeal_of_another_session_is_not_found_under_this_one(
    db: DbSession, officer: FlaskClient, raised: str
) -> None:
    other = make_ended_session(db)
    db.commit()
    appeal_id = raised.rsplit("/", 1)[1]
    address = f"/manage/credit/{other.public_id}/appeals/{appeal_id}"
    db.rollback()

    assert officer.get(address).status_code == 404
    assert officer.post(address, data={"outcome": "yes", "answer": "Yes."}).status_code == 404


def test_a_longer_list_asks_the_database_no_more_often(
    app: Flask, db: DbSession, officer: FlaskClient, session: WebinarSession, page: str
) -> None:
    officer.get(page)
    with counted(app.extensions["engine"]) as few:
        officer.get(page)
    for number in range(8):
        make_attendee(db, session, name=f"Dr Number {number}")
    decide(db, session)
    db.rollback()

    with counted(app.extensions["engine"]) as many:
        officer.get(page)

    assert len(many) == len(few)


def test_an_appeal_leads_to_a_correction_for_its_own_person(
    officer: FlaskClient, raised: str, waiting: User
) -> None:
    who = waiting.id

    page = officer.get(raised).text
    links = re.findall(r'href="([^"]*/corrections/new[^"]*)"', page)

    assert len(links) == 1
    assert f"user={who}&" in html.unescape(links[0])
    assert f"appeal={raised.rsplit('/', 1)[1]}" in links[0]
    assert officer.get(html.unescape(links[0])).status_code == 200


def test_no_appeal_is_left_behind_by_a_refused_answer(officer: FlaskClient, raised: str) -> None:
    officer.post(raised, data={"outcome": "yes", "answer": ""})

    with read_db() as fresh:
        assert fresh.scalars(select(Appeal.state)).one().value == "open"
