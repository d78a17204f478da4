"""The chain of a session's evidence: links are added, checked, never changed."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import cast

from sqlalchemy import Table, insert, select
from sqlalchemy.dialects import postgresql, sqlite

from webinar.db import DbSession
from webinar.domain.evidence_chain import GENESIS, NewLink, link_hash
from webinar.models import EvidenceChain, EvidenceLink

ROWS_AT_ONCE = 500


def append(db: DbSession, session_id: int, links: Sequence[NewLink], *, now: datetime) -> None:
    """Vouch for these, in this order. Holds the session's chain until the transaction ends."""
    if not links:
        return
    chain = _locked(db, session_id)
    rows = []
    for link in links:
        number = chain.length + 1
        hashed = link_hash(chain.head, number, link, now)
        rows.append(
            {
                "session_id": session_id,
                "number": number,
                "kind": link.kind,
                "subject": link.subject,
                "digest": link.digest,
                "previous_hash": chain.head,
                "hash": hashed,
                "at": now,
            }
        )
        chain.length, chain.head = number, hashed
    db.execute(insert(EvidenceLink), rows)
    db.flush()


def hold(db: DbSession, session_id: int) -> None:
    """Let nobody else add to the session's chain until the transaction ends."""
    _locked(db, session_id)


def head_of(db: DbSession, session_id: int) -> EvidenceChain | None:
    """Where the session's chain ends; None while nothing was vouched for."""
    return db.get(EvidenceChain, session_id)


def links_of(db: DbSession, session_id: int) -> Iterator[EvidenceLink]:
    """The links in their order, without holding all in memory."""
    with db.scalars(
        select(EvidenceLink)
        .where(EvidenceLink.session_id == session_id)
        .order_by(EvidenceLink.number)
        .execution_options(yield_per=ROWS_AT_ONCE)
    ) as links:
        yield from links


def _locked(db: DbSession, session_id: int) -> EvidenceChain:
    table = cast(Table, EvidenceChain.__table__)
    first = {"session_id": session_id, "length": 0, "head": GENESIS, "closed_at": None}
    if db.get_bind().dialect.name == "postgresql":
        db.execute(postgresql.insert(table).values(first).on_conflict_do_nothing())
    else:
        db.execute(sqlite.insert(table).values(first).on_conflict_do_nothing())
    return db.scalars(
        select(EvidenceChain)
        .where(EvidenceChain.session_id == session_id)
        .with_for_update()
        .execution_options(populate_existing=True)
    ).one()
