"""Attention checks: put when due, to one person, once; answered in time or kept as unanswered."""

from datetime import datetime, timedelta

import pytest
from sqlalchemy import select

from tests.builders import make_session, make_user
from tests.evidence import ENDS_AT, make_ended_session, make_grant
from webinar.db import DbSession
from webinar.domain.attendance import ViewingMode
from webinar.domain.attention import plan
from webinar.domain.errors import NotFound
from webinar.domain.evidence_chain import LinkKind
from webinar.domain.session import SessionStatus
from webinar.models import AttentionCheck, EvidenceLink, User, WebinarSession
from webinar.services.evidence import checks
from webinar.services.evidence.checks import TooLate, Watching
from webinar.services.evidence.digests import DIGESTS

SECRET = b"a secret of the tests"
MINUTE = timedelta(minutes=1)
AT = ENDS_AT - timedelta(minutes=20)
LIVE = ViewingMode.LIVE


@pytest.fixture
def session(db: DbSession) -> WebinarSession:
    """On air, for a body that wants one of two checks answered and 80 % of presence."""
    session = make_session(db, status=SessionStatus.LIVE)
    make_grant(db, session, "ch-swisswebinar-live", "1")
    return session


def moments(session: WebinarSession, user: User) -> tuple[int, ...]:
    """When the two checks of a person fall due: 80 % of 45 minutes are 2160 seconds."""
    return plan(SECRET, session.id, user.id, LIVE, count=2, within=2160)


def look(
    db: DbSession,
    session: WebinarSession,
    user: User,
    counted: int,
    at: datetime = AT,
    *,
    mode: ViewingMode = LIVE,
) -> AttentionCheck | None:
    watching = Watching(user.id, mode, counted, 2700)
    return checks.open_check(db, session, watching, secret=SECRET, now=at)


def put(db: DbSession, session: WebinarSession, user: User, at: datetime = AT) -> AttentionCheck:
    check = look(db, session, user, 2160, at)
    assert check is not None
    return check


def links(db: DbSession) -> list[EvidenceLink]:
    query = select(EvidenceLink).where(EvidenceLink.kind == LinkKind.CHECK)
    return list(db.scalars(query.order_by(EvidenceLink.number)))


def test_a_check_is_put_when_so_much_counts_and_not_a_second_before(
    db: DbSession, session: WebinarSession
) -> None:
    user = make_user(db)
    first, _ = moments(session, user)

    before = look(db, session, user, first - 1)
    due = look(db, session, user, first)

    assert before is None
    assert due is not None
    assert (due.number, due.planned_second, due.issued_at) == (1, first, AT)
    assert due.expires_at == AT + timedelta(seconds=105)


def test_every_page_of_a_person_is_asked_the_same_until_its_time_is_over(
    db: DbSession, session: WebinarSession
) -> None:
    user = make_user(db)
    check = put(db, session, user)

    same = look(db, session, user, 2160, AT + timedelta(seconds=89))
    gone = look(db, session, user, 2160, AT + timedelta(seconds=90))

    assert same is check
    assert gone is None


def test_the_second_check_keeps_apart_even_from_who_caught_up_at_once(
    db: DbSession, session: WebinarSession
) -> None:
    user = make_user(db)
    first = put(db, session, user)

    too_soon = look(db, session, user, 2160, AT + timedelta(seconds=119))
    second = look(db, session, user, 2160, AT + 2 * MINUTE)
    third = look(db, session, user, 2700, AT + 9 * MINUTE)

    assert too_soon is None
    assert second is not None
    assert (first.number, second.number) == (1, 2)
    assert third is None


def test_nothing_is_asked_where_no_policy_wants_it(db: DbSession) -> None:
    session = make_session(db, status=SessionStatus.LIVE)
    make_grant(db, session, "esmo-mora-live", "1")

    assert look(db, session, make_user(db), 2700) is None
    assert checks.planned_in(db, session.id, LIVE) == 0


def test_nothing_is_asked_before_and_after_the_session_or_about_its_recording(
    db: DbSession, session: WebinarSession
) -> None:
    user = make_user(db)
    recorded = look(db, session, user, 2700, mode=ViewingMode.RECORDED)
    session.status = SessionStatus.ENDED
    after = look(db, session, user, 2700)
    session.status = SessionStatus.PUBLISHED

    assert (recorded, after, look(db, session, user, 2700)) == (None, None, None)


def test_an_answer_counts_once_and_is_vouched_for(db: DbSession, session: WebinarSession) -> None:
    user = make_user(db)
    check = put(db, session, user)

    checks.answer(db, session.id, user.id, check.id, now=AT + MINUTE)
    checks.answer(db, session.id, user.id, check.id, now=AT + 9 * MINUTE)

    assert check.answered_at == AT + MINUTE
    assert look(db, session, user, 2160, AT + MINUTE) is None
    assert checks.of_people(db, session.id, [user.id], LIVE) == {user.id: (1, 1)}
    [link] = links(db)
    assert link.subject == check.id
    assert DIGESTS[LinkKind.CHECK](db, check.id) == link.digest


def test_an_answer_on_its_way_counts_and_a_late_one_does_not(
    db: DbSession, session: WebinarSession
) -> None:
    quick, slow = make_user(db), make_user(db)
    one, other = put(db, session, quick), put(db, session, slow)

    checks.answer(db, session.id, quick.id, one.id, now=AT + timedelta(seconds=104))
    with pytest.raises(TooLate):
        checks.answer(db, session.id, slow.id, other.id, now=AT + timedelta(seconds=105))

    counted = checks.of_people(db, session.id, [quick.id, slow.id], LIVE)
    assert counted == {quick.id: (1, 1), slow.id: (1, 0)}


def test_nobody_answers_for_somebody_else(db: DbSession, session: WebinarSession) -> None:
    user, friend = make_user(db), make_user(db)
    check = put(db, session, user)
    elsewhere = make_ended_session(db)

    for session_id, user_id, check_id in (
        (session.id, friend.id, check.id),
        (elsewhere.id, user.id, check.id),
        (session.id, user.id, "0" * 32),
    ):
        with pytest.raises(NotFound):
            checks.answer(db, session_id, user_id, check_id, now=AT + MINUTE)

    assert check.answered_at is None


def test_that_nobody_answered_is_vouched_for_once(db: DbSession, session: WebinarSession) -> None:
    user = make_user(db)
    check = put(db, session, user)

    open_yet = checks.vouch_for_lapsed(db, now=AT + MINUTE)
    lapsed = checks.vouch_for_lapsed(db, now=AT + 2 * MINUTE)
    again = checks.vouch_for_lapsed(db, now=AT + 3 * MINUTE)

    assert (open_yet, lapsed, again) == (0, 1, 0)
    [link] = links(db)
    assert DIGESTS[LinkKind.CHECK](db, check.id) == link.digest
    check.answered_at = AT + MINUTE
    db.flush()
    assert DIGESTS[LinkKind.CHECK](db, check.id) != link.digest
