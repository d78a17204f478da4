"""What a player is told about attention checks, and what it may answer."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select

from config import Config
from tests.builders import make_registration, make_session, make_user
from tests.evidence import make_grant, watch
from webinar.db import DbSession
from webinar.domain.attendance import ViewingMode
from webinar.domain.evidence_chain import LinkKind
from webinar.domain.session import SessionStatus
from webinar.jobs import attention
from webinar.jobs.toolbox import Toolbox
from webinar.models import AttentionCheck, EvidenceLink, User, WebinarSession

SignIn = Callable[[User], FlaskClient]


@pytest.fixture
def session(db: DbSession) -> WebinarSession:
    """Forty minutes on air; its accreditor wants one of two checks answered."""
    now = datetime.now(UTC).replace(microsecond=0)
    session = make_session(db, starts_at=now - timedelta(minutes=40), status=SessionStatus.LIVE)
    session.actual_started_at = session.starts_at
    make_grant(db, session, "ch-swisswebinar-live", "1")
    return session


def watching(db: DbSession, session: WebinarSession, *, seconds: int = 2400) -> User:
    user = make_user(db)
    make_registration(db, session, user)
    watch(db, session, user, ViewingMode.LIVE, 0, seconds)
    db.commit()
    return user


def asked(client: FlaskClient, session: WebinarSession) -> dict[str, object] | None:
    answer = client.get(f"/sessions/{session.public_id}/presence?mode=live").json
    assert answer is not None
    check: dict[str, object] | None = answer["check"]
    return check


def test_who_watched_enough_is_asked_and_answers_once(
    db: DbSession, session: WebinarSession, signed_in_as: SignIn
) -> None:
    client = signed_in_as(watching(db, session))

    check, same = asked(client, session), asked(client, session)
    assert check is not None
    answers = [client.post(str(check["url"])) for _ in range(2)]
    after = asked(client, session)

    assert same is not None
    assert same["id"] == check["id"]
    assert check["seconds"] in (89, 90)
    assert [answer.status_code for answer in answers] == [200, 200]
    assert answers[0].json == {"words": "Thank you. It is noted that you are here."}
    assert after is None
    stored = db.scalars(select(AttentionCheck)).one()
    assert stored.answered_at is not None
    assert stored.planned_second <= 2160


def test_who_has_just_come_is_not_asked(
    db: DbSession, session: WebinarSession, signed_in_as: SignIn
) -> None:
    client = signed_in_as(watching(db, session, seconds=60))

    assert asked(client, session) is None


def test_an_answer_for_somebody_else_finds_nothing_and_a_late_one_comes_too_late(
    db: DbSession, session: WebinarSession, signed_in_as: SignIn
) -> None:
    user, friend = watching(db, session), watching(db, session)
    check = asked(signed_in_as(user), session)
    assert check is not None

    for_a_friend = signed_in_as(friend).post(str(check["url"]))
    stored = db.scalars(select(AttentionCheck)).one()
    stored.expires_at = stored.issued_at
    db.commit()
    late = signed_in_as(user).post(str(check["url"]))

    assert for_a_friend.status_code == 404
    assert late.status_code == 410
    db.expire_all()
    assert db.scalars(select(AttentionCheck.answered_at)).all() == [None]


def test_the_live_page_says_beforehand_that_it_asks(
    db: DbSession, session: WebinarSession, signed_in_as: SignIn
) -> None:
    user = watching(db, session)
    quiet = make_session(db, status=SessionStatus.LIVE)
    make_registration(db, quiet, user)
    db.commit()
    client = signed_in_as(user)

    page = client.get(f"/sessions/{session.public_id}/live").text
    other = client.get(f"/sessions/{quiet.public_id}/live").text

    assert "whether you are still there" not in other
    assert "Twice while you watch, the page asks whether you are still there." in page
    assert "an accreditor of this session wants to know" in page


def test_the_clock_vouches_for_what_nobody_answered(
    db: DbSession, session: WebinarSession, signed_in_as: SignIn, config: Config
) -> None:
    asked(signed_in_as(watching(db, session)), session)

    attention.vouch_for_lapsed(
        Toolbox.from_config(config), datetime.now(UTC) + timedelta(minutes=5)
    )

    query = select(EvidenceLink.subject).where(EvidenceLink.kind == LinkKind.CHECK)
    assert db.scalars(query).all() == db.scalars(select(AttentionCheck.id)).all()
