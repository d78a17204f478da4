"""What an auditor reads, what stays hidden, and who may make and close a door."""

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from flask.testing import FlaskClient
from sqlalchemy import delete, select, text, update

from tests.builders import make_registration, make_society, make_user
from tests.evidence import make_attendee, make_ended_session, make_grant
from webinar.db import DbSession, open_db, read_db
from webinar.domain.access import Role
from webinar.domain.evidence_chain import LinkKind
from webinar.models import (
    Appeal,
    AuditEvent,
    AuditorDoor,
    Certificate,
    CreditDecision,
    EvidenceLink,
    User,
    UserRole,
    WebinarSession,
)
from webinar.services import auditor_doors as doors
from webinar.services import credits
from webinar.web.guards import limiter

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)

SignIn = Callable[[User], FlaskClient]
NAMES = ("Dr Anton Keller", "Dr Berta Lang")


def text_of(page: str) -> str:
    return " ".join(re.sub(r"<[^>]+>", " ", page).split())


@pytest.fixture
def session(db: DbSession) -> WebinarSession:
    """Ended an hour ago by the real clock; two people have credit, a third only a place."""
    session = make_ended_session(db)
    start = datetime.now(UTC).replace(microsecond=0) - timedelta(minutes=105)
    session.starts_at = session.actual_started_at = start
    session.ends_at = session.actual_ended_at = start + timedelta(minutes=45)
    grant = make_grant(db, session, "ama-pra-live", "1")
    people = [make_attendee(db, session, name=name) for name in NAMES]
    make_registration(db, session, make_user(db, name="Dr Never There"))
    credits.decide_session(db, session.id, public_url="http://localhost", now=datetime.now(UTC))
    db.add(
        Appeal(
            session_id=session.id,
            user_id=people[0].id,
            grant_id=grant.id,
            words="My child was ill.",
            picture={},
            raised_at=datetime.now(UTC),
        )
    )
    db.commit()
    return session


@pytest.fixture
def door(db: DbSession, session: WebinarSession) -> str:
    """The address of a door to the session."""
    officer = make_user(db, name="Olga Officer")
    _, token = doors.make(
        db,
        session.society_id,
        [session.id],
        label="EACCME, November",
        days=14,
        actor_id=officer.id,
        now=datetime.now(UTC),
    )
    db.commit()
    return f"/audit/{token}/"


@pytest.fixture
def there(session: WebinarSession, door: str) -> str:
    """The address of the session behind the door."""
    return f"{door}sessions/{session.public_id}"


def pages_of(client: FlaskClient, door: str, there: str) -> list[str]:
    """The text of every page behind the door."""
    listed = client.get(there).text
    people = re.findall(r'href="(/audit/[^"]*/people/[^"]+)"', listed)
    texts = [client.get(path).text for path in (door, f"{there}/again", *people)]
    return [listed, *texts]


def test_an_auditor_reads_figures_evidence_and_decisions(
    client: FlaskClient, door: str, there: str
) -> None:
    listed, first, again, *people = [text_of(page) for page in pages_of(client, door, there)]

    assert "EACCME, November" in first
    assert "Registered 3" in listed
    assert "People with evidence, decided 2" in listed
    assert "Earned: 2" in listed
    assert "No difference" in again
    assert len(people) == 2
    assert all("Comes out the same" in person for person in people)
    assert all("counted 45:00" in person for person in people)


def test_nobody_has_a_name_or_a_certificate_number_before_the_sample(
    db: DbSession, client: FlaskClient, door: str, there: str
) -> None:
    numbers = db.scalars(select(Certificate.number)).all()
    emails = db.scalars(select(User.email)).all()
    db.rollback()

    everything = " ".join(pages_of(client, door, there))

    assert len(numbers) == 2
    hidden = [*NAMES, "Never There", "My child", *numbers, *emails]
    assert [word for word in hidden if word in everything] == []


def test_the_sample_shows_the_names_the_lot_fell_on_and_no_others(
    client: FlaskClient, door: str, there: str
) -> None:
    drawn = client.post(f"{door}sample", data={"size": "1"}, follow_redirects=True)
    again = client.post(f"{door}sample", data={"size": "1"})

    shown = [name for name in NAMES if name in drawn.text]
    everything = " ".join(pages_of(client, door, there))
    assert len(shown) == 1
    assert [name for name in NAMES if name in everything] == shown
    assert everything.count("/verify/WCS-") == 1
    assert again.status_code == 409


@pytest.mark.parametrize("size", ["", "0", "21", "-1", "x", "9999999999999"])
def test_a_size_that_is_none_draws_nobody(client: FlaskClient, door: str, size: str) -> None:
    answer = client.post(f"{door}sample", data={"size": size})

    assert answer.status_code == 422
    assert "Draw 1 to 20 people." in text_of(answer.text)
    with read_db() as fresh:
        assert fresh.scalars(select(AuditorDoor.sample)).one() is None


def test_every_visit_stands_in_the_audit_trail(
    client: FlaskClient, session: WebinarSession, door: str, there: str
) -> None:
    pages_of(client, door, there)

    with read_db() as fresh:
        looked = fresh.scalars(
            select(AuditEvent.after)
            .where(AuditEvent.action == "auditor looked")
            .order_by(AuditEvent.id)
        ).all()
        used_at = fresh.scalars(select(AuditorDoor.last_used_at)).one()
    assert [after["page"].split(",")[0] for after in looked if after] == [
        f"session {session.public_id}",
        "sessions",
        f"session {session.public_id} worked out again",
        f"session {session.public_id}",
        f"session {session.public_id}",
    ]
    assert used_at is not None


def test_a_changed_decision_is_named_by_pseudonym(
    client: FlaskClient, door: str, there: str
) -> None:
    with open_db.begin() as fresh:
        changed = fresh.scalars(select(CreditDecision.id)).first()
        fresh.execute(
            update(CreditDecision).where(CreditDecision.id == changed).values(seconds_counted=9)
        )

    words = text_of(client.get(f"{there}/again").text)

    assert "No difference" not in words
    assert re.search(r"participant [0-9A-F]{4}-[0-9A-F]{4}-[0-9A-F]{4}", words)
    assert re.search(r"\bperson \d", words) is None


def test_what_is_wrong_with_a_certificate_is_told_without_its_number(
    client: FlaskClient, door: str, there: str
) -> None:
    with open_db.begin() as fresh:
        numbers = fresh.scalars(select(Certificate.number)).all()
        fresh.execute(delete(EvidenceLink).where(EvidenceLink.kind == LinkKind.CERTIFICATE))

    words = text_of(client.get(f"{there}/again").text)

    assert numbers
    assert "certificate of a participant: nothing vouches for it" in words
    assert [number for number in numbers if number in words] == []


def test_what_a_row_holds_that_cannot_be_read_is_not_told(
    client: FlaskClient, door: str, there: str
) -> None:
    with open_db.begin() as fresh:
        fresh.execute(text("UPDATE credit_decision SET reason = 'Anna Keller'"))

    words = text_of(client.get(f"{there}/again").text)

    assert "it cannot be read" in words
    assert "Anna Keller" not in words


def test_a_decision_that_cannot_be_read_any_more_is_shown_as_such(
    client: FlaskClient, door: str, there: str
) -> None:
    with open_db.begin() as fresh:
        fresh.execute(update(CreditDecision).values(inputs={"window": "gone"}))

    listed, _, again, *people = pages_of(client, door, there)

    assert "Participant" in listed
    assert "No difference" not in again
    assert len(people) == 2
    assert all("cannot be decided again" in person for person in people)


def test_nothing_else_is_behind_the_door(
    db: DbSession, client: FlaskClient, session: WebinarSession, door: str, there: str
) -> None:
    other = make_ended_session(db)
    db.commit()
    beside = f"{door}sessions/{other.public_id}"
    db.rollback()

    answers = [
        client.get(path).status_code
        for path in (
            beside,
            f"{beside}/again",
            f"{door}sessions/nothing",
            f"{there}/people/0000-0000-0000",
            f"{there}/people/1",
            f"{there}/people/%00",
        )
    ]

    assert answers == [404] * 6


def test_an_auditor_is_nobody_elsewhere(client: FlaskClient, door: str, there: str) -> None:
    client.get(there)

    answers = [client.get(path) for path in ("/manage/credit/", "/manage/audit/", "/my/")]

    assert [answer.status_code for answer in answers] == [302, 302, 302]


def test_a_closed_door_says_so_and_nothing_more(
    db: DbSession, client: FlaskClient, session: WebinarSession, door: str, there: str
) -> None:
    one = db.scalars(select(AuditorDoor)).one()
    doors.revoke(db, one.id, one.society_id, actor_id=one.made_by_id, now=datetime.now(UTC))
    db.commit()
    title = session.title
    db.rollback()

    answers = [
        client.get(door),
        client.get(there),
        client.get(f"{there}/again"),
        client.post(f"{door}sample", data={"size": "3"}),
        client.get("/audit/never-was-one/"),
    ]

    assert [answer.status_code for answer in answers] == [410] * 5
    assert not any(title in answer.text or "EACCME" in answer.text for answer in answers)


def test_no_cache_keeps_a_door_and_no_engine_lists_it(client: FlaskClient, door: str) -> None:
    headers = client.get(door).headers

    assert headers["Cache-Control"] == "no-store"
    assert headers["X-Robots-Tag"] == "noindex"
    assert headers["Referrer-Policy"] == "no-referrer"


def test_a_door_is_asked_so_often_and_no_more(
    client: FlaskClient, door: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limiter, "enabled", True)
    limiter.reset()

    answers = [client.post(f"{door}sample", data={"size": "x"}).status_code for _ in range(7)]

    limiter.reset()
    assert answers == [422] * 6 + [429]


def test_the_officer_makes_a_door_and_sees_its_address_once(
    db: DbSession, officer: FlaskClient, client: FlaskClient, session: WebinarSession
) -> None:
    slug, public_id = session.society.slug, session.public_id
    db.rollback()

    made = officer.post(
        f"/manage/societies/{slug}/doors/new",
        data={"label": "EACCME", "days": "14", "sessions": public_id},
    )
    address = re.findall(r'value="(http://localhost/audit/[^"]+)"', made.text)
    listed = officer.get("/manage/credit/doors/").text

    assert made.headers["Cache-Control"] == "no-store"
    assert client.get(address[0].removeprefix("http://localhost")).status_code == 200
    assert "EACCME" in listed
    assert "/audit/" not in listed.replace("/manage/audit", "")


@pytest.mark.parametrize(
    ("form", "sentence"),
    [
        ({"label": "", "days": "14"}, "Say for whom it is"),
        ({"label": "E", "days": "61"}, "A door is open for 1 to 60 days."),
        ({"label": "E", "days": "x"}, "A door is open for 1 to 60 days."),
        ({"label": "E", "days": "14", "sessions": "nothing"}, "Choose sessions from the list."),
        ({"label": "E", "days": "14", "sessions": ""}, "Choose sessions from the list."),
    ],
)
def test_a_door_that_cannot_be_is_refused_beside_the_field(
    db: DbSession,
    officer: FlaskClient,
    session: WebinarSession,
    form: dict[str, str],
    sentence: str,
) -> None:
    path = f"/manage/societies/{session.society.slug}/doors/new"
    sessions = {"sessions": session.public_id}
    db.rollback()

    answer = officer.post(path, data=sessions | form)

    assert answer.status_code == 422
    assert sentence in text_of(answer.text)


def test_a_door_is_closed_by_the_officer(
    db: DbSession, officer: FlaskClient, client: FlaskClient, session: WebinarSession, door: str
) -> None:
    door_id = db.scalars(select(AuditorDoor.id)).one()
    path = f"/manage/societies/{session.society.slug}/doors/{door_id}/close"
    db.rollback()

    done = officer.post(path, follow_redirects=True)
    again = officer.post(path)

    assert "The door is closed." in text_of(done.text)
    assert again.status_code == 409
    assert client.get(door).status_code == 410


@pytest.mark.parametrize("role", [None, Role.ORGANISER, Role.MODERATOR])
def test_only_who_decides_credit_makes_doors(
    db: DbSession, session: WebinarSession, signed_in_as: SignIn, role: Role | None
) -> None:
    user = make_user(db, roles=(role,) if role else ())
    db.commit()
    client = signed_in_as(user)
    base = f"/manage/societies/{session.society.slug}/doors"
    db.rollback()

    answers = [
        client.get("/manage/credit/doors/"),
        client.get(f"{base}/new"),
        client.post(f"{base}/new", data={"label": "E", "days": "14"}),
        client.post(f"{base}/1/close"),
    ]

    assert [answer.status_code for answer in answers] == [403] * 4


def test_an_officer_of_one_society_neither_sees_nor_makes_doors_of_another(
    db: DbSession, session: WebinarSession, door: str, signed_in_as: SignIn
) -> None:
    user = make_user(db)
    user.grants.append(UserRole(role=Role.ACCREDITATION_OFFICER, society_id=make_society(db).id))
    db.commit()
    client = signed_in_as(user)
    slug = session.society.slug
    db.rollback()

    listed = client.get("/manage/credit/doors/")
    refused = client.post(f"/manage/societies/{slug}/doors/new", data={"label": "E", "days": "14"})

    assert listed.status_code == 200
    assert "EACCME, November" not in listed.text
    assert refused.status_code == 403
