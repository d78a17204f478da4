"""Evidence goes after its years: decisions and certificates stay, and nothing else may go."""

from datetime import datetime, timedelta

import pytest
from sqlalchemy import func, select
from sqlalchemy import text as sql

from tests.builders import make_user
from tests.evidence import AFTER, make_attendee, make_ended_session, make_grant, watch
from tests.services.evidence.test_grounds import import_visit, visit_room
from tests.services.evidence.test_verifying import (
    LATER,
    URL,
    freeze_all,
    switch_off_references,
    words,
)
from webinar.db import DbSession
from webinar.domain.attendance import ViewingMode
from webinar.domain.evidence_chain import LinkKind, NewLink, digest_of_forgetting
from webinar.domain.retention import years_before
from webinar.models import (
    AttendanceImport,
    AttentionCheck,
    Certificate,
    CreditDecision,
    EvidenceLink,
    ImportedVisit,
    RoomGuest,
    RoomVisit,
    TestAttempt,
    ViewingPass,
    WatchSegment,
    WebinarSession,
)
from webinar.services import audit, credits, erasure
from webinar.services.evidence import chain, checks, digests, forgetting, freezing, import_digests

TEN_YEARS_ON = LATER.replace(year=LATER.year + 10) + timedelta(days=1)
OLD = years_before(TEN_YEARS_ON, 10)


@pytest.fixture
def old(db: DbSession) -> WebinarSession:
    """A session of ten years ago: watched, visited, imported, tested, checked, closed."""
    session = make_ended_session(db)
    make_grant(db, session, "ama-pra-live", "0.75")
    anna = make_attendee(db, session)
    make_attendee(db, session, end=1800)
    visit_room(db, session, anna, 0, 60)
    import_visit(db, session, make_user(db), 900, 2700)
    check = AttentionCheck(
        id="c" * 32,
        session_id=session.id,
        user_id=anna.id,
        mode=ViewingMode.LIVE,
        number=1,
        planned_second=60,
        issued_at=session.starts_at,
        expires_at=session.starts_at + timedelta(minutes=1),
    )
    attempt = TestAttempt(
        session_id=session.id,
        user_id=anna.id,
        number=1,
        answers=[[1, 2]],
        correct=1,
        of=1,
        taken_at=AFTER,
    )
    db.add_all([check, attempt])
    db.flush()
    checks.vouch_for_lapsed(db, now=AFTER)
    told = NewLink(LinkKind.ATTEMPT, str(attempt.id), digests.of_attempt(attempt))
    file = db.scalars(select(AttendanceImport)).one()
    chain.append(db, session.id, [told, import_digests.link(db, file)], now=AFTER)
    credits.decide_session(db, session.id, public_url=URL, now=AFTER)
    freeze_all(db, now=LATER)
    for session_id in freezing.ready_to_close(db, now=LATER):
        freezing.close(db, session_id, now=LATER)
    db.flush()
    return session


RAW = (
    ViewingPass,
    WatchSegment,
    AttentionCheck,
    TestAttempt,
    RoomVisit,
    RoomGuest,
    AttendanceImport,
    ImportedVisit,
)


def raw_rows(db: DbSession) -> int:
    return sum(db.scalar(select(func.count()).select_from(table)) or 0 for table in RAW)


def begin(db: DbSession, session: WebinarSession, *, now: datetime = TEN_YEARS_ON) -> None:
    planned = forgetting.plan(db, session.id)
    assert forgetting.begin(db, session.id, planned, older_than=OLD, now=now)


def forget(db: DbSession, session: WebinarSession, *, now: datetime = TEN_YEARS_ON) -> None:
    begin(db, session, now=now)
    go_on(db, session)


def go_on(db: DbSession, session: WebinarSession) -> None:
    while forgetting.forget_some(db, session.id, most=1):
        pass
    db.flush()


def test_evidence_is_due_when_all_of_it_is_old_enough(db: DbSession, old: WebinarSession) -> None:
    just_young = LATER - timedelta(seconds=1)

    assert forgetting.due(db, older_than=just_young) == []
    assert forgetting.due(db, older_than=OLD) == [old.id]


def test_a_session_somebody_watched_since_keeps_all_its_evidence(
    db: DbSession, old: WebinarSession
) -> None:
    user = make_user(db)
    watch(db, old, user, ViewingMode.RECORDED, 0, 60, at=OLD - timedelta(days=10))

    assert forgetting.due(db, older_than=OLD) == []


def test_what_was_decided_stays_and_verifies(db: DbSession, old: WebinarSession) -> None:
    decisions = db.scalars(select(CreditDecision.id).order_by(CreditDecision.id)).all()
    certificates = db.scalars(select(Certificate.number).order_by(Certificate.id)).all()
    before = raw_rows(db)

    forget(db, old)

    assert before >= 10
    assert raw_rows(db) == 0
    assert words(db, old) == []
    assert db.scalars(select(CreditDecision.id).order_by(CreditDecision.id)).all() == decisions
    assert db.scalars(select(Certificate.number).order_by(Certificate.id)).all() == certificates
    assert forgetting.due(db, older_than=OLD) == []


def test_half_way_through_it_verifies_and_goes_on(db: DbSession, old: WebinarSession) -> None:
    begin(db, old)
    forgetting.forget_some(db, old.id, most=1)
    half = words(db, old)
    length = len(list(chain.links_of(db, old.id)))

    forget(db, old)

    assert half == []
    assert raw_rows(db) == 0
    assert len(list(chain.links_of(db, old.id))) == length


def test_a_chain_that_has_grown_since_it_was_read_is_read_again(
    db: DbSession, old: WebinarSession
) -> None:
    planned = forgetting.plan(db, old.id)
    chain.append(db, old.id, [NewLink(LinkKind.VIEWING, "new", "0" * 64)], now=TEN_YEARS_ON)

    begun = forgetting.begin(db, old.id, planned, older_than=OLD, now=TEN_YEARS_ON)

    assert not begun
    assert not forgetting.is_forgotten(db, old.id)


def test_nothing_is_decided_anew_without_its_evidence(db: DbSession, old: WebinarSession) -> None:
    forget(db, old)

    fresh = credits.decide_session(db, old.id, public_url=URL, now=TEN_YEARS_ON)

    assert fresh == []
    assert words(db, old) == []


@pytest.mark.parametrize(
    "what",
    [
        "DELETE FROM watch_segment",
        "UPDATE watch_segment SET to_ms = to_ms + 60000",
        "UPDATE viewing_pass SET user_id = user_id + 1",
        "DELETE FROM attention_check",
        "DELETE FROM test_attempt",
        "DELETE FROM room_visit",
    ],
)
def test_what_goes_without_a_link_is_found(db: DbSession, old: WebinarSession, what: str) -> None:
    switch_off_references(db)

    db.execute(sql(what))

    assert words(db, old) != []


@pytest.mark.parametrize(
    "what",
    [
        "UPDATE credit_decision SET credit = credit + 1",
        "DELETE FROM credit_decision",
        "UPDATE credit_decision SET evidence_hash = ''",
        "UPDATE certificate SET content = '{}'",
        "DELETE FROM certificate",
        "UPDATE evidence_link SET digest = previous_hash WHERE kind = 'forgotten'",
        "UPDATE evidence_link SET subject = '999' WHERE kind = 'forgotten'",
        "DELETE FROM evidence_link WHERE kind = 'forgotten'",
        "DELETE FROM evidence_link WHERE kind = 'viewing'",
        "DELETE FROM audit_event",
    ],
)
def test_afterwards_every_change_is_still_found(
    db: DbSession, old: WebinarSession, what: str
) -> None:
    forget(db, old)
    switch_off_references(db)

    db.execute(sql(what))

    assert words(db, old) != []


def test_rows_changed_while_they_are_let_go_are_found(db: DbSession, old: WebinarSession) -> None:
    begin(db, old)

    db.execute(sql("UPDATE watch_segment SET to_ms = to_ms + 1"))

    assert any("it is not as it was vouched for" in one for one in words(db, old))


def test_who_leaves_while_evidence_is_let_go_leaves_a_chain_that_verifies(
    db: DbSession, old: WebinarSession
) -> None:
    user_id = db.scalars(select(ImportedVisit.user_id)).one()
    assert user_id is not None
    begin(db, old)

    erasure.erase(db, user_id, actor_id=user_id, reason="by themselves", now=TEN_YEARS_ON)
    db.expire_all()
    half_way = words(db, old)
    go_on(db, old)

    assert (half_way, words(db, old)) == ([], [])
    assert raw_rows(db) == 0
    kinds = db.scalars(select(EvidenceLink.kind).order_by(EvidenceLink.number)).all()
    assert kinds[-1] is LinkKind.FORGOTTEN


def test_a_decision_slipped_in_afterwards_is_found(db: DbSession, old: WebinarSession) -> None:
    forget(db, old)
    one = db.scalars(select(CreditDecision).order_by(CreditDecision.id)).first()
    assert one is not None
    columns = {c.name: getattr(one, c.name) for c in CreditDecision.__table__.columns}
    one.is_latest = False
    made_up = {"id": 999, "revision": 1, "evidence_hash": "", "is_latest": True}
    db.add(CreditDecision(**columns | made_up))
    db.flush()

    assert "decision 999: nothing vouches for it" in words(db, old)


def forged(db: DbSession, session: WebinarSession, *, at: datetime, in_audit: bool = True) -> None:
    """Whoever writes into the database can count hashes, too."""
    links = {
        (link.kind, link.subject): link.digest
        for link in chain.links_of(db, session.id)
        if link.kind in (LinkKind.VIEWING, LinkKind.VISIT, LinkKind.IMPORT)
        or link.kind in (LinkKind.CHECK, LinkKind.ATTEMPT)
    }
    digest = digest_of_forgetting(session.id, [(*whose, told) for whose, told in links.items()])
    told = NewLink(LinkKind.FORGOTTEN, str(session.id), digest)
    chain.append(db, session.id, [told], now=at)
    head = chain.head_of(db, session.id)
    assert head is not None
    if in_audit:
        audit.write(
            db,
            actor_id=None,
            action=forgetting.FORGOTTEN,
            subject=f"session {session.id}",
            after={"length": head.length, "head": head.head},
            now=at,
        )
    switch_off_references(db)
    db.execute(sql("DELETE FROM watch_segment"))
    db.execute(sql("DELETE FROM viewing_pass"))


def test_evidence_let_go_before_its_time_is_found(db: DbSession, old: WebinarSession) -> None:
    forged(db, old, at=LATER + timedelta(days=365))

    found = words(db, old)

    assert any("it forgets evidence before its time" in one for one in found)
    assert any("it is gone" in one for one in found)


def test_evidence_the_audit_trail_did_not_see_going_is_found(
    db: DbSession, old: WebinarSession
) -> None:
    forged(db, old, at=TEN_YEARS_ON, in_audit=False)

    found = words(db, old)

    assert any("the audit trail does not know that evidence was forgotten" in one for one in found)
    assert any("it is gone" in one for one in found)


def test_a_link_that_names_other_rows_covers_none(db: DbSession, old: WebinarSession) -> None:
    made_up = digest_of_forgetting(old.id, [(LinkKind.VIEWING, "x", "0" * 64)])
    chain.append(db, old.id, [NewLink(LinkKind.FORGOTTEN, str(old.id), made_up)], now=TEN_YEARS_ON)
    switch_off_references(db)
    db.execute(sql("DELETE FROM watch_segment"))
    db.execute(sql("DELETE FROM viewing_pass"))

    found = words(db, old)

    assert any("it forgets something else than the evidence" in one for one in found)
    assert any("it is gone" in one for one in found)


def test_what_came_after_the_forgetting_has_to_be_there(db: DbSession, old: WebinarSession) -> None:
    forget(db, old)
    chain.append(db, old.id, [NewLink(LinkKind.VIEWING, "new", "0" * 64)], now=TEN_YEARS_ON)

    assert any("viewing new: it is gone" in one for one in words(db, old))


def test_decisions_from_before_the_chain_are_vouched_for_as_their_evidence_goes(
    db: DbSession,
) -> None:
    session = make_ended_session(db)
    make_grant(db, session, "ama-pra-live", "0.75")
    make_attendee(db, session)
    (decision,) = credits.decide_session(db, session.id, public_url=URL, now=AFTER)
    db.execute(sql("DELETE FROM evidence_link"))
    db.execute(sql("DELETE FROM evidence_chain"))
    decision.evidence_hash = ""
    db.flush()
    db.expire_all()

    forget(db, session)
    clean = words(db, session)
    db.execute(sql("UPDATE credit_decision SET seconds_counted = seconds_counted + 1"))

    assert clean == []
    assert words(db, session) != []
    assert db.scalar(
        select(func.count()).where(EvidenceLink.kind == LinkKind.CERTIFICATE)
    ) == db.scalar(select(func.count(Certificate.id)))
