"""The window page: more time given and taken back, requests answered, closed, destroyed."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from tests.builders import make_registration, make_user
from tests.evidence import make_ended_session, make_recording
from tests.queries import counted
from webinar.db import DbSession
from webinar.domain.access import Role
from webinar.domain.recording import RecordingState
from webinar.jobs import destroying
from webinar.jobs.toolbox import Toolbox
from webinar.models import (
    AuditEvent,
    ExtensionRequest,
    Recording,
    User,
    WebinarSession,
    WindowExtension,
)
from webinar.services import more_time, windows
from webinar.tools import media_shelf

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)

CLOSES_AT = datetime(2027, 5, 26, 17, 0, tzinfo=UTC)  # 19:00 in Zurich
NOW = CLOSES_AT - timedelta(days=5)
WEEK = timedelta(days=7)
FORM = {"one-who": "Keller", "one-more": "week", "one-reason": "ill in May"}


@pytest.fixture(autouse=True)
def _clock() -> object:
    with time_machine.travel(NOW, tick=False) as clock:
        yield clock


@pytest.fixture
def session(db: DbSession) -> WebinarSession:
    session = make_ended_session(db)
    make_recording(db, session, closes_at=CLOSES_AT)
    db.commit()
    return session


@pytest.fixture
def keller(db: DbSession, session: WebinarSession) -> User:
    user = make_user(db, "anna.keller@example.net", name="Dr Anna Keller")
    make_registration(db, session, user)
    db.commit()
    return user


@pytest.fixture
def base(session: WebinarSession) -> str:
    return f"/manage/sessions/{session.public_id}/recording/window"


def only_recording(db: DbSession) -> Recording:
    query = select(Recording).execution_options(populate_existing=True)
    recording = db.scalars(query).one()
    db.commit()
    return recording


def test_a_week_more_counts_from_the_end_of_the_window(
    db: DbSession, organiser: FlaskClient, keller: User, base: str
) -> None:
    answer = organiser.post(f"{base}/extend", data=FORM, follow_redirects=True)

    assert "Dr Anna Keller can watch until 2 Jun 2027, 19:00 Zurich." in answer.text
    extension = db.scalars(select(WindowExtension)).one()
    assert (extension.user_id, extension.closes_at) == (keller.id, CLOSES_AT + WEEK)
    assert "ill in May" in answer.text


def test_a_day_and_an_hour_are_those_of_the_sessions_zone(
    db: DbSession, organiser: FlaskClient, keller: User, base: str
) -> None:
    typed = {"one-more": "day", "one-day": "2027-12-01", "one-time": "08:30"}

    organiser.post(f"{base}/extend", data=FORM | typed)

    ends = db.scalars(select(WindowExtension.closes_at)).all()
    assert ends == [datetime(2027, 12, 1, 7, 30, tzinfo=UTC)]


@pytest.mark.parametrize(
    ("typed", "sentence"),
    [
        ({"one-who": ""}, "Type a name or an e-mail."),
        ({"one-who": "Nobody"}, "Nobody who is registered for this session is called that."),
        ({"one-reason": " "}, "Say why this person gets more time; the reason is kept."),
        ({"one-day": "2027-06-02"}, "or leave the day empty."),
        ({"one-more": "day"}, "Give the day as a date: 2027-06-02."),
        ({"one-more": "day", "one-day": "2027-06-02", "one-time": "x"}, "Give the hour as hours"),
        (
            {"one-more": "day", "one-day": "2027-05-26", "one-time": "19:00"},
            "Choose a later end: the present one is 26 May 2027, 19:00 Zurich.",
        ),
        ({"one-more": "day", "one-day": "2031-01-01", "one-time": "19:00"}, "two years"),
        ({"one-more": "day", "one-day": "2028-03-26", "one-time": "02:30"}, "does not exist"),
    ],
)
def test_what_is_wrong_stands_beside_its_field_and_what_was_typed_stays(
    db: DbSession,
    organiser: FlaskClient,
    keller: User,
    base: str,
    typed: dict[str, str],
    sentence: str,
) -> None:
    answer = organiser.post(f"{base}/extend", data=FORM | typed)

    assert answer.status_code == 422
    assert sentence in answer.text
    if (FORM | typed)["one-reason"].strip():
        assert "ill in May" in answer.text
    assert db.scalars(select(WindowExtension)).all() == []


def test_of_several_with_the_name_one_is_chosen(
    db: DbSession, organiser: FlaskClient, session: WebinarSession, keller: User, base: str
) -> None:
    other = make_user(db, "b.keller@example.net", name="Dr Bruno Keller")
    make_registration(db, session, other)
    db.commit()

    asked = organiser.post(f"{base}/extend", data=FORM)
    organiser.post(f"{base}/extend", data=FORM | {"one-person": str(other.id)})

    assert "2 people are called that. Choose one below." in asked.text
    assert db.scalars(select(WindowExtension.user_id)).all() == [other.id]


def test_an_extension_is_taken_back_with_a_reason(
    db: DbSession, organiser: FlaskClient, keller: User, base: str
) -> None:
    organiser.post(f"{base}/extend", data=FORM)
    number = db.scalars(select(WindowExtension.id)).one()
    db.commit()

    refused = organiser.post(f"{base}/extensions/{number}", data={})
    taken = organiser.post(
        f"{base}/extensions/{number}",
        data={f"take{number}-reason": "a mistake"},
        follow_redirects=True,
    )

    assert "Say why it is taken back; the reason is kept." in refused.text
    assert "The additional time of Dr Anna Keller is taken back." in taken.text
    assert db.scalars(select(WindowExtension)).all() == []


def test_the_end_is_moved_for_all(db: DbSession, organiser: FlaskClient, base: str) -> None:
    data = {"all-more": "month", "all-reason": "a strike"}

    answer = organiser.post(f"{base}/extend-all", data=data, follow_redirects=True)

    assert "Everybody can watch until 26 Jun 2027, 19:00 Zurich." in answer.text
    assert only_recording(db).closes_at == datetime(2027, 6, 26, 17, 0, tzinfo=UTC)


def test_it_is_closed_with_a_reason(db: DbSession, organiser: FlaskClient, base: str) -> None:
    refused = organiser.post(f"{base}/close", data={"close-reason": ""})
    before = only_recording(db).state
    organiser.post(f"{base}/close", data={"close-reason": "a patient can be seen"})

    assert "Say why the recording closes early; the reason is kept." in refused.text
    assert before is RecordingState.PUBLISHED
    recording = only_recording(db)
    assert (recording.state, recording.closes_at) == (RecordingState.CLOSED, NOW)


def test_a_request_is_shown_granted_and_gone(
    db: DbSession, organiser: FlaskClient, session: WebinarSession, keller: User, base: str
) -> None:
    recording = only_recording(db)
    request = more_time.ask(db, recording, keller.id, reason="I am on leave.", now=NOW)
    db.commit()

    first_page = organiser.get("/manage/")
    page = organiser.get(base)
    answer = organiser.post(
        f"{base}/asked/{request.id}",
        data={f"ask{request.id}-more": "month"},
        follow_redirects=True,
    )

    assert "1 request for more time with a recording" in first_page.text
    assert "I am on leave." in page.text
    assert "Dr Anna Keller can watch until 26 Jun 2027" in answer.text
    db.rollback()
    assert db.scalars(select(ExtensionRequest.granted)).all() == [True]
    db.commit()
    assert "1 request" not in organiser.get("/manage/").text


def test_a_request_is_declined_with_an_answer(
    db: DbSession, organiser: FlaskClient, keller: User, base: str
) -> None:
    request = more_time.ask(db, only_recording(db), keller.id, reason="Please.", now=NOW)
    db.commit()
    address, no = f"{base}/asked/{request.id}", {"do": "decline"}

    refused = organiser.post(address, data=no)
    organiser.post(address, data=no | {f"ask{request.id}-answer": "Six months were enough."})
    again = organiser.post(address, data=no | {f"ask{request.id}-answer": "Twice"})

    assert "Say why; the person reads it in a mail." in refused.text
    assert "Somebody has answered this request meanwhile." in again.text
    db.rollback()
    stored = db.execute(select(ExtensionRequest.granted, ExtensionRequest.answer)).all()
    assert [tuple(row) for row in stored] == [(False, "Six months were enough.")]


def test_a_withheld_recording_is_destroyed_by_a_person_who_types_the_word(
    app: Flask, db: DbSession, organiser: FlaskClient, base: str
) -> None:
    recording = only_recording(db)
    recording.state = RecordingState.READY
    recording.opens_at = recording.closes_at = None
    db.commit()
    config = app.extensions["config"]
    media_shelf(config).keys.create(recording.public_id, 0)

    slip = organiser.post(f"{base}/destroy", data={"destroy-reason": "consent"})
    why = organiser.post(f"{base}/destroy", data={"destroy-word": "destroy"})
    organiser.post(
        f"{base}/destroy", data={"destroy-word": "Destroy", "destroy-reason": "no consent"}
    )
    decided = organiser.get(base)
    destroying.destroy_ended(Toolbox.from_config(config), NOW)
    done = organiser.get(base)
    pdf = organiser.get(f"{base}/destroyed.pdf")

    assert "Type the word destroy" in slip.text
    assert "Say why the recording is destroyed; the reason is kept." in why.text
    assert "Being destroyed" in decided.text
    assert "Record of destruction (PDF)" in done.text
    assert "no consent" in done.text
    assert (pdf.status_code, pdf.data[:5]) == (200, b"%PDF-")
    assert media_shelf(config).keys.numbers(recording.public_id) == []


def test_an_open_recording_is_closed_before_it_is_destroyed(
    db: DbSession, organiser: FlaskClient, base: str
) -> None:
    data = {"destroy-word": "destroy", "destroy-reason": "x"}

    answer = organiser.post(f"{base}/destroy", data=data)

    assert "This recording is open. Close it first; then it can be destroyed." in answer.text
    assert only_recording(db).state is RecordingState.PUBLISHED


def test_without_a_recording_the_page_says_when_there_is_a_window(
    db: DbSession, organiser: FlaskClient
) -> None:
    session = make_ended_session(db)
    db.commit()
    base = f"/manage/sessions/{session.public_id}/recording/window"

    assert "No recording yet" in organiser.get(base).text
    assert organiser.post(f"{base}/close").status_code == 404
    assert organiser.get(f"{base}/destroyed.pdf").status_code == 404


def test_everything_done_here_is_in_the_audit_trail_with_its_reason(
    db: DbSession, organiser: FlaskClient, keller: User, base: str
) -> None:
    organiser.post(f"{base}/extend", data=FORM)
    organiser.post(f"{base}/extend-all", data={"all-more": "week", "all-reason": "a strike"})
    organiser.post(f"{base}/close", data={"close-reason": "a patient"})

    events = db.execute(select(AuditEvent.action, AuditEvent.reason).order_by(AuditEvent.id)).all()
    assert [tuple(event) for event in events] == [
        ("window extended", "ill in May"),
        ("window extended for all", "a strike"),
        ("recording closed early", "a patient"),
    ]


def test_the_page_asks_twelve_questions_at_most_however_many_have_more_time(
    app: Flask, db: DbSession, organiser: FlaskClient, session: WebinarSession, base: str
) -> None:
    recording = only_recording(db)
    for number in range(12):
        person = make_user(db)
        make_registration(db, session, person)
        if number % 2:
            more_time.ask(db, recording, person.id, reason="leave", now=NOW)
            continue
        windows.extend(
            db,
            recording.id,
            user_id=person.id,
            closes_at=CLOSES_AT + WEEK,
            reason="ill",
            actor_id=person.id,
            now=NOW,
        )
    db.commit()

    with counted(app.extensions["engine"]) as statements:
        page = organiser.get(base)

    assert page.text.count("Take back") == 6
    assert len(statements) <= 12


def test_an_accreditation_officer_does_not_open_it(officer: FlaskClient, base: str) -> None:
    assert officer.get(base).status_code == 403


# What the viewer sees.


def test_the_closed_page_says_when_in_both_zones_and_what_stays(
    db: DbSession,
    signed_in_as: Callable[[User], FlaskClient],
    session: WebinarSession,
    keller: User,
) -> None:
    keller.zone = "America/New_York"
    db.commit()
    viewer = signed_in_as(keller)

    with time_machine.travel(CLOSES_AT, tick=False):
        page = viewer.get(f"/sessions/{session.public_id}/recording")

    assert page.status_code == 410
    words = " ".join(page.text.split())
    assert "26 May" in words
    assert "19:00" in words
    assert "13:00" in words
    assert "Credit you earned before" in words
    assert "Ask for more time" in words


def test_who_asks_in_time_holds_the_end_up_for_a_week(
    app: Flask,
    db: DbSession,
    signed_in_as: Callable[[User], FlaskClient],
    session: WebinarSession,
    keller: User,
) -> None:
    viewer = signed_in_as(keller)
    address = f"/sessions/{session.public_id}/recording/more-time"
    tools = Toolbox.from_config(app.extensions["config"])

    empty = viewer.post(address, data={"reason": ""})
    asked = viewer.post(address, data={"reason": "Parental leave."}, follow_redirects=True)
    again = viewer.post(address, data={"reason": "Until July."}, follow_redirects=True)
    destroying.destroy_ended(tools, CLOSES_AT + WEEK - timedelta(seconds=1))
    held = only_recording(db).state
    destroying.destroy_ended(tools, CLOSES_AT + WEEK)
    with time_machine.travel(CLOSES_AT + WEEK, tick=False):
        gone = viewer.get(f"/sessions/{session.public_id}/recording")
        late = viewer.post(address, data={"reason": "Too late?"})

    assert (empty.status_code, again.status_code) == (422, 200)
    assert "Say what kept you from watching" in empty.text
    assert "You have asked" in asked.text
    assert held is RecordingState.PUBLISHED
    assert only_recording(db).state is RecordingState.DESTROYED
    assert "It no longer exists" in gone.text
    assert "Ask for more time" not in gone.text
    assert "This recording no longer exists" in late.text
    answers = db.execute(select(ExtensionRequest.reason, ExtensionRequest.granted)).all()
    assert [tuple(answer) for answer in answers] == [("Until July.", False)]


def test_who_has_no_place_cannot_ask(
    db: DbSession, signed_in_as: Callable[[User], FlaskClient], session: WebinarSession
) -> None:
    stranger = make_user(db)
    db.commit()
    viewer = signed_in_as(stranger)
    address = f"/sessions/{session.public_id}/recording/more-time"

    page = viewer.get(address)
    posted = viewer.post(address, data={"reason": "let me in"})

    assert "Only who is registered for this session can ask." in page.text
    assert posted.status_code == 403
    assert Role.ORGANISER not in stranger.roles
