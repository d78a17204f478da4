"""Whatever is changed behind the program's back is found, and named."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import JSON, Boolean, Column, Enum, LargeBinary, Numeric, String, Table, select
from sqlalchemy import text as sql

from tests.builders import make_faculty, make_user
from tests.evidence import AFTER, make_attendee, make_ended_session, make_grant, watch
from tests.services.evidence.test_grounds import (
    correct,
    declare,
    import_visit,
    presence,
    visit_room,
)
from webinar.db import DbSession, UTCDateTime
from webinar.domain.attendance import ViewingMode
from webinar.domain.certificate_paper import Paper
from webinar.domain.evidence_chain import LinkKind, NewLink, link_hash
from webinar.domain.review import CorrectionKind
from webinar.models import (
    Certificate,
    CertificatePaper,
    CreditDecision,
    EvidenceChain,
    EvidenceLink,
    RoomVisit,
    ViewingPass,
    WatchSegment,
    WebinarSession,
)
from webinar.services import certificate_papers, credits
from webinar.services.evidence import chain, freezing, verifying
from webinar.services.evidence.digests import DIGESTS

URL = "https://webinar.example"
LATER = AFTER + timedelta(days=40)

TABLES = (
    ViewingPass,
    WatchSegment,
    CreditDecision,
    Certificate,
    CertificatePaper,
    RoomVisit,
    EvidenceChain,
    EvidenceLink,
)
COLUMNS = [
    (model.__tablename__, column.name) for model in TABLES for column in model.__table__.columns
]


@pytest.fixture
def closed(db: DbSession) -> WebinarSession:
    """Watched by two, decided, certified, frozen, closed: nothing can come any more."""
    session = make_ended_session(db)
    make_grant(db, session, "ama-pra-live", "0.75")
    make_attendee(db, session)
    other = make_attendee(db, session, end=1800)
    watch(db, session, other, ViewingMode.LIVE, 1700, 2700)
    visit_room(db, session, other, 0, 60)
    credits.decide_session(db, session.id, public_url=URL, now=AFTER)
    for certificate in db.scalars(select(Certificate)).all():
        paper = Paper(pdf=b"%PDF " + certificate.number.encode(), badge="a.b.c", key_id="k1")
        certificate_papers.keep(db, certificate, paper, now=AFTER)
    freeze_all(db, now=LATER)
    for session_id in freezing.ready_to_close(db, now=LATER):
        freezing.close(db, session_id, now=LATER)
    db.flush()
    return session


def freeze_all(db: DbSession, *, now: datetime) -> None:
    for session_id, pass_ids in freezing.due(db, now=now, most=100):
        freezing.freeze(db, session_id, pass_ids, now=now)


def words(db: DbSession, session: WebinarSession) -> list[str]:
    db.expire_all()
    return [finding.words for finding in verifying.verify(db, session.id)]


def test_every_kind_of_link_can_be_checked() -> None:
    assert set(DIGESTS) == set(LinkKind) - {LinkKind.CLOSED, LinkKind.FORGOTTEN}


def test_what_nobody_has_touched_is_whole(db: DbSession, closed: WebinarSession) -> None:
    head = chain.head_of(db, closed.id)

    assert words(db, closed) == []
    assert head is not None
    assert head.closed_at == LATER
    kinds = [link.kind for link in chain.links_of(db, closed.id)]
    assert kinds.count(LinkKind.VIEWING) == 3
    assert kinds.count(LinkKind.VISIT) == 1
    assert kinds[-1] is LinkKind.CLOSED


def changed(column: Column[Any], value: Any) -> Any:
    """The value with one bit, or the least there is, turned over."""
    match column.type, value:
        case UTCDateTime(), datetime():
            return value ^ 1 if isinstance(value, int) else value + timedelta(microseconds=1)
        case UTCDateTime(), None:
            return datetime(2026, 1, 1, tzinfo=UTC)
        case Boolean(), bool():
            return not value
        case Numeric(), _:
            return value + type(value)("0.01")
        case LargeBinary(), bytes():
            return value[:-1] + bytes([value[-1] ^ 1])
        case JSON(), dict():
            first = next(iter(sorted(value)))
            return value | {first: flipped(str(value[first]))}
        case JSON(), list():
            return [*value, 1]
        case Enum(), _:
            members = list(column.type.enum_class)  # type: ignore[attr-defined]
            return members[(members.index(value) + 1) % len(members)]
        case String(), str():
            return flipped(value)
        case _, None:
            return "x" if isinstance(column.type, String) else 1
        case _:
            return value ^ 1


def flipped(text: str) -> str:
    return chr(ord(text[0]) ^ 1) + text[1:] if text else "x"


def switch_off_references(db: DbSession) -> None:
    """Who writes into the database's files asks for no permission."""
    if db.get_bind().dialect.name == "postgresql":
        db.execute(sql("SET LOCAL session_replication_role = replica"))
    else:
        db.execute(sql("PRAGMA defer_foreign_keys = ON"))


@pytest.mark.parametrize(("table_name", "column_name"), COLUMNS)
def test_one_bit_changed_in_any_column_is_found(
    db: DbSession, closed: WebinarSession, table_name: str, column_name: str
) -> None:
    table: Table = ViewingPass.metadata.tables[table_name]
    column = table.columns[column_name]
    keys = list(table.primary_key.columns)
    row = db.execute(select(*keys, column).order_by(*keys).limit(1)).one()
    switch_off_references(db)

    key = [one == value for one, value in zip(keys, row, strict=False)]
    db.execute(table.update().where(*key).values({column_name: changed(column, row[-1])}))

    assert words(db, closed) != []


def tamper(what: str) -> Callable[[DbSession], object]:
    return lambda db: db.execute(sql(what))


@pytest.mark.parametrize(
    ("what", "found"),
    [
        ("DELETE FROM watch_segment", "it is not as it was vouched for"),
        ("DELETE FROM evidence_link WHERE number = 2", "link 2 is missing before it"),
        ("DELETE FROM evidence_chain", "chain: nothing says where it ends"),
        ("UPDATE viewing_pass SET frozen_at = NULL", "it was not frozen when it says"),
        ("UPDATE watch_segment SET to_ms = to_ms + 1", "it is not as it was vouched for"),
        ("UPDATE certificate SET revoked_at = NULL, content = '{}'", "certificate"),
        ("UPDATE credit_decision SET reason = 'nonsense'", "it cannot be read"),
        ("UPDATE evidence_link SET kind = 'nonsense'", "some cannot be read"),
        ("DELETE FROM audit_event", "the audit trail does not know that it was closed"),
    ],
)
def test_what_is_wrong_is_said(
    db: DbSession, closed: WebinarSession, what: str, found: str
) -> None:
    switch_off_references(db)

    tamper(what)(db)

    assert any(found in one for one in words(db, closed))


def test_a_chain_made_anew_to_fit_is_told_by_the_audit_trail(
    db: DbSession, closed: WebinarSession
) -> None:
    links = list(chain.links_of(db, closed.id))
    db.execute(sql("DELETE FROM watch_segment"))
    head = links[0].previous_hash
    for link in links:
        if link.kind is LinkKind.VIEWING:
            link.digest = DIGESTS[LinkKind.VIEWING](db, link.subject) or ""
        link.previous_hash = head
        link.hash = link_hash(
            head, link.number, NewLink(link.kind, link.subject, link.digest), link.at
        )
        head = link.hash
    db.get_one(EvidenceChain, closed.id).head = head
    db.flush()

    assert any("another than the one in the audit trail" in one for one in words(db, closed))


def test_a_pass_made_up_after_the_end_shows(db: DbSession, closed: WebinarSession) -> None:
    user_id = db.scalars(select(ViewingPass.user_id)).first()
    made_up = ViewingPass(
        id="made-up",
        session_id=closed.id,
        user_id=user_id,
        mode=ViewingMode.LIVE,
        issued_at=closed.starts_at,
        expires_at=LATER,
    )
    db.add(made_up)
    db.flush()

    assert words(db, closed) == ["viewing made-up: it came after the live evidence was closed"]


def test_evidence_changed_before_it_is_frozen_is_told_by_the_decision(db: DbSession) -> None:
    session = make_ended_session(db)
    make_grant(db, session, "ama-pra-live", "0.75")
    make_attendee(db, session)
    (decision,) = credits.decide_session(db, session.id, public_url=URL, now=AFTER)

    db.scalars(select(WatchSegment)).one().seq += 1
    db.flush()

    assert words(db, session) == [
        f"decision {decision.id}: its evidence is not what it was read from"
    ]


MEANWHILE = AFTER + timedelta(hours=1)


@pytest.mark.parametrize(
    "what",
    [
        "UPDATE room_visit SET source = 'webhook'",
        "UPDATE imported_visit SET matched_by = 'pseudonym'",
        "UPDATE credit_correction SET from_second = from_second + 1",
        "UPDATE incident SET what = 'nothing'",
        "UPDATE faculty_member SET presented_minutes = presented_minutes + 1",
    ],
)
def test_what_is_no_beat_is_told_by_the_decision_too(db: DbSession, what: str) -> None:
    session = make_ended_session(db)
    make_grant(db, session, "ama-pra-live", "0.75")
    make_grant(db, session, "ama-pra-faculty", "2")
    user = make_user(db)
    visit_room(db, session, user, 0, 600)
    import_visit(db, session, user, 900, 2700)
    declare(db, session, 2000, 2100)
    correct(db, session, user, presence(CorrectionKind.ADD_PRESENCE, 600, 900))
    member = make_faculty(db, session)
    member.user_id, member.presented_minutes = make_user(db).id, 20
    db.flush()
    credits.decide_session(db, session.id, public_url=URL, now=MEANWHILE)
    before = words(db, session)

    tamper(what)(db)

    found = [one for one in words(db, session) if one.endswith("not what it was read from")]
    assert before == []
    assert len(found) == 1


def test_what_is_told_again_after_a_decision_is_no_fault(db: DbSession) -> None:
    session = make_ended_session(db)
    make_grant(db, session, "ama-pra-live", "0.75")
    user = make_attendee(db, session)
    credits.decide_session(db, session.id, public_url=URL, now=AFTER)

    visit_room(db, session, user, 0, 600).noted_at = MEANWHILE
    db.flush()
    credits.decide_session(db, session.id, public_url=URL, now=MEANWHILE)

    assert words(db, session) == []


def test_beats_that_come_after_a_decision_are_no_fault(db: DbSession) -> None:
    session = make_ended_session(db)
    make_grant(db, session, "ama-pra-live", "0.75")
    make_attendee(db, session)
    credits.decide_session(db, session.id, public_url=URL, now=AFTER)

    segment = db.scalars(select(WatchSegment)).one()
    segment.last_at = AFTER + timedelta(minutes=1)
    db.flush()

    assert words(db, session) == []


def test_a_stranger_s_row_is_not_vouched_for(db: DbSession, closed: WebinarSession) -> None:
    decision = db.scalars(select(CreditDecision).order_by(CreditDecision.id)).first()
    assert decision is not None
    columns = {c.name: getattr(decision, c.name) for c in CreditDecision.__table__.columns}
    decision.is_latest = False
    db.add(CreditDecision(**columns | {"id": 999, "revision": 1, "credit": 3, "is_latest": True}))
    db.flush()

    assert "decision 999: nothing vouches for it" in words(db, closed)
