"""Outages, corrections and who presented, as officers put them right in the browser."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select

from tests.builders import make_faculty, make_user
from tests.evidence import make_attendee, make_ended_session, make_grant
from webinar.db import DbSession
from webinar.domain.access import Role
from webinar.domain.credit import GrantStatus
from webinar.domain.review import CorrectionState
from webinar.models import Appeal, CreditCorrection, Incident, User, WebinarSession
from webinar.services import credits

URL = "https://webinar.example"
# Thursday 3 September 2026, 18:15 in Zurich: summer time.
THEN = datetime(2026, 9, 3, 16, 15, tzinfo=UTC)


@pytest.fixture
def session(db: DbSession) -> WebinarSession:
    session = make_ended_session(db)
    session.starts_at, session.ends_at = THEN, THEN + timedelta(minutes=45)
    session.actual_started_at, session.actual_ended_at = session.starts_at, session.ends_at
    make_grant(db, session, "ama-pra-live", "0.75", body="ama")
    db.commit()
    return session


@pytest.fixture
def person(db: DbSession, session: WebinarSession) -> User:
    user = make_attendee(db, session, end=1500, name="Dr Anna Keller")
    credits.decide_session(db, session.id, public_url=URL, now=THEN + timedelta(hours=1))
    db.commit()
    return user


@pytest.fixture
def colleague(db: DbSession, signed_in_as: Callable[[User], FlaskClient]) -> FlaskClient:
    user = make_user(db, roles=(Role.ACCREDITATION_OFFICER,))
    db.commit()
    return signed_in_as(user)


def path(session: WebinarSession, rest: str) -> str:
    return f"/manage/sessions/{session.public_id}/{rest}"


def proposal(user: User, **changes: str) -> dict[str, str]:
    return {
        "user": str(user.id),
        "mode": "live",
        "kind": "add_presence",
        "start": "18:40",
        "end": "19:00",
        "until_day": "",
        "until_time": "23:59",
        "reason": "She was in the room; two colleagues saw her.",
        **changes,
    }


def propose(
    db: DbSession, client: FlaskClient, session: WebinarSession, user: User, **changes: str
) -> CreditCorrection:
    answer = client.post(path(session, "corrections/new"), data=proposal(user, **changes))
    assert answer.status_code == 302
    correction = db.scalars(select(CreditCorrection).order_by(CreditCorrection.id.desc())).first()
    db.commit()
    return correction


def test_an_outage_is_declared_by_the_session_s_clock_and_withdrawn(
    db: DbSession, officer: FlaskClient, session: WebinarSession, person: User
) -> None:
    typed = {"from": "18:20:30", "to": "18:25", "what": "The line was down."}

    declared = officer.post(path(session, "incidents"), data=typed, follow_redirects=True)
    incident = db.scalars(select(Incident)).one()
    span = (incident.starts_at, incident.ends_at)
    db.commit()
    withdrawn = officer.post(
        path(session, f"incidents/{incident.id}/withdraw"),
        data={"reason": "It was another session."},
        follow_redirects=True,
    )

    assert span == (THEN + timedelta(seconds=330), THEN + timedelta(minutes=10))
    assert "Thu 3 Sep 2026, 18:20:30–18:25" in declared.text
    assert "takes the stretch out of the session" in declared.text
    assert "It was another session." in withdrawn.text


@pytest.mark.parametrize(
    ("typed", "sentence"),
    [
        ({"from": "soon", "to": "18:25", "what": "x"}, "Give the hour by the session’s clock"),
        ({"from": "18:25", "to": "18:20", "what": "x"}, "An outage ends after it began."),
        ({"from": "18:25", "to": "18:25", "what": "x"}, "An outage ends after it began."),
        ({"from": "18:20", "to": "18:25", "what": ""}, "Say what happened"),
        ({"from": "06:20", "to": "06:25", "what": "x"}, "that stretch is outside of it"),
        ({"from": "18:70", "to": "99:25", "what": "x"}, "Give the hour by the session’s clock"),
    ],
)
def test_an_outage_that_cannot_be_is_refused_beside_its_field(
    officer: FlaskClient, session: WebinarSession, typed: dict[str, str], sentence: str
) -> None:
    answer = officer.post(path(session, "incidents"), data=typed)

    assert answer.status_code == 422
    assert sentence in answer.text.replace("&#39;", "’").replace("'", "’")


def test_a_withdrawal_needs_a_reason(
    db: DbSession, officer: FlaskClient, session: WebinarSession
) -> None:
    officer.post(path(session, "incidents"), data={"from": "18:20", "to": "18:25", "what": "Down."})
    incident = db.scalars(select(Incident)).one()
    db.commit()
    answer = officer.post(path(session, f"incidents/{incident.id}/withdraw"), data={"reason": ""})

    assert answer.status_code == 422
    assert "Say why it is withdrawn." in answer.text


def test_one_officer_proposes_and_another_approves(
    db: DbSession,
    officer: FlaskClient,
    colleague: FlaskClient,
    session: WebinarSession,
    person: User,
) -> None:
    found = officer.get(path(session, "corrections/new?words=keller"))
    form = officer.get(path(session, f"corrections/new?user={person.id}"))
    correction = propose(db, officer, session, person)
    mine = officer.get(path(session, f"corrections/{correction.id}"))
    alone = officer.post(path(session, f"corrections/{correction.id}/approve"))
    theirs = colleague.get(path(session, f"corrections/{correction.id}"))
    approved = colleague.post(
        path(session, f"corrections/{correction.id}/approve"), follow_redirects=True
    )

    (decision,) = credits.latest_of(db, session.id, person.id)
    assert f"corrections/new?user={person.id}" in found.text
    assert '<h2 id="person">Dr Anna Keller</h2>' in form.text
    assert f'name="user" value="{person.id}"' in form.text
    assert "25:00 of 45:00 counted" in form.text
    assert "A second person approves it" in mine.text
    assert alone.status_code == 403
    assert "0.5 → 0.75" in theirs.text
    assert "Approved, and credit is decided." in approved.text
    assert (decision.seconds_counted, str(decision.credit)) == (2700, "0.75")
    assert "20:00 added by a correction." in decision.explanation


def test_a_colleague_refuses_with_a_reason_and_the_proposer_withdraws(
    db: DbSession,
    officer: FlaskClient,
    colleague: FlaskClient,
    session: WebinarSession,
    person: User,
) -> None:
    first, second = (propose(db, officer, session, person) for _ in range(2))

    silent = colleague.post(path(session, f"corrections/{first.id}/refuse"), data={"answer": ""})
    colleague.post(path(session, f"corrections/{first.id}/refuse"), data={"answer": "No log."})
    officer.post(path(session, f"corrections/{second.id}/refuse"))
    listed = officer.get(path(session, "corrections"))
    db.refresh(first)
    db.refresh(second)

    assert silent.status_code == 422
    assert [first.state, second.state] == [CorrectionState.REFUSED, CorrectionState.WITHDRAWN]
    assert "Refused" in listed.text
    assert "Withdrawn" in listed.text


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"kind": ""}, "kind"),
        ({"mode": "faculty"}, "mode"),
        ({"start": "noon"}, "start"),
        ({"end": "18:30"}, "end"),
        ({"start": "17:00"}, "start"),
        ({"mode": "recorded", "start": "1:75"}, "start"),
        ({"mode": "recorded", "start": "0:00", "end": "12:30"}, "start"),
        ({"kind": "more_time"}, "until_day"),
        ({"kind": "more_time", "until_day": "2026-09-04"}, "until_day"),
        ({"kind": "more_time", "until_day": "2026-09-04", "until_time": "25:00"}, "until_time"),
        ({"reason": " "}, "reason"),
    ],
)
def test_a_correction_that_cannot_be_is_refused_beside_its_field(
    officer: FlaskClient,
    session: WebinarSession,
    person: User,
    changes: dict[str, str],
    field: str,
) -> None:
    answer = officer.post(path(session, "corrections/new"), data=proposal(person, **changes))

    assert answer.status_code == 422
    assert f'href="#f-{field}"' in answer.text


@pytest.mark.parametrize("kind", ["waive_checks", "more_time", "remove_presence"])
def test_every_kind_can_be_proposed_and_is_named_in_words(
    db: DbSession, officer: FlaskClient, session: WebinarSession, person: User, kind: str
) -> None:
    far = f"{datetime.now(UTC) + timedelta(days=30):%Y-%m-%d}"

    correction = propose(db, officer, session, person, kind=kind, until_day=far)

    shown = officer.get(path(session, f"corrections/{correction.id}"))
    assert {
        "waive_checks": "Attention checks are waived, live session",
        "more_time": "More time for the test and the evaluation: until ",
        "remove_presence": "something says so: Thu 3 Sep 2026, 18:40–19:00",
    }[kind] in shown.text


def test_a_correction_carries_the_appeal_it_answers(
    db: DbSession, officer: FlaskClient, session: WebinarSession, person: User
) -> None:
    (decision,) = credits.latest_of(db, session.id, person.id)
    db.commit()
    appeal = Appeal(
        session_id=session.id,
        user_id=person.id,
        grant_id=decision.grant_id,
        words="My picture froze.",
        picture={},
        raised_at=THEN + timedelta(hours=2),
    )
    db.add(appeal)
    db.commit()

    form = officer.get(path(session, f"corrections/new?user={person.id}&appeal={appeal.id}"))
    correction = propose(db, officer, session, person, appeal=str(appeal.id))
    unknown = officer.get(path(session, f"corrections/new?user={person.id}&appeal=99999"))

    assert "My picture froze." in form.text
    assert correction.appeal_id == appeal.id
    assert unknown.status_code == 404


def test_minutes_presented_are_confirmed_by_somebody_else(
    db: DbSession, officer: FlaskClient, session: WebinarSession
) -> None:
    make_grant(db, session, "ama-pra-faculty", "2", body="ama")
    member = make_faculty(db, session, user=make_user(db), name="Prof Elena Marchetti")
    db.commit()

    too_long = officer.post(
        path(session, f"faculty-credit/{member.id}"), data={"minutes": "46", "repeat": "y"}
    )
    no_number = officer.post(path(session, f"faculty-credit/{member.id}"), data={"minutes": "x"})
    confirmed = officer.post(
        path(session, f"faculty-credit/{member.id}"), data={"minutes": "30"}, follow_redirects=True
    )
    again = officer.post(
        path(session, f"faculty-credit/{member.id}"), data={"minutes": "30"}, follow_redirects=True
    )
    grants = officer.get(path(session, "accreditation"))
    db.refresh(member)

    assert (too_long.status_code, no_number.status_code) == (422, 422)
    assert "30 minutes" in confirmed.text
    assert "Nothing is different." in again.text
    assert member.presented_minutes == 30
    assert "confirm who presented how long" in grants.text


def test_these_pages_are_for_officers(
    db: DbSession, organiser: FlaskClient, session: WebinarSession
) -> None:
    for rest in ("incidents", "corrections", "corrections/new", "faculty-credit"):
        assert organiser.get(path(session, rest)).status_code == 403


def test_nobody_of_that_name_and_no_such_thing(
    db: DbSession, officer: FlaskClient, session: WebinarSession, person: User
) -> None:
    assert (
        "Nobody here has this name"
        in officer.get(path(session, "corrections/new?words=zebra")).text
    )
    for rest in ("corrections/99", "corrections/new?user=99999", "incidents/99/withdraw"):
        ask = officer.post if rest.endswith("withdraw") else officer.get
        assert ask(path(session, rest)).status_code == 404


def test_a_grant_of_another_status_is_shown_with_its_consequence(
    db: DbSession, officer: FlaskClient, session: WebinarSession
) -> None:
    make_grant(db, session, "esmo-mora-live", "1", status=GrantStatus.APPLIED)
    db.commit()

    assert "esmo-mora-live takes the stretch out" in officer.get(path(session, "incidents")).text


def test_numbers_tried_one_by_one_tell_nobodys_name(
    db: DbSession, officer: FlaskClient, session: WebinarSession
) -> None:
    stranger = make_user(db, "eva@example.net", name="Dr Eva Stranger")
    db.commit()

    by_number = officer.get(path(session, f"corrections/new?user={stranger.id}"))
    proposed = officer.post(path(session, "corrections/new"), data=proposal(stranger))
    by_address = officer.get(
        path(session, f"corrections/new?user={stranger.id}&words=Eva@example.net")
    )

    assert (by_number.status_code, proposed.status_code) == (404, 404)
    assert "Dr Eva Stranger" in by_address.text
    propose(db, officer, session, stranger, words="eva@example.net")
