"""What is kept, for how long, and the proof that it was forgotten: one row for each run."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select

from webinar.db import DbSession
from webinar.domain.retention import RECORDINGS, RULES, RetentionKind, Rule
from webinar.models import RetentionRun
from webinar.services.evidence import forgetting
from webinar.services.forgettable import FORGETTABLE


@dataclass(frozen=True)
class Due:
    """A rule, and how many rows (of evidence: sessions) it would forget now."""

    rule: Rule
    older_than: datetime | None
    rows: int


def count(db: DbSession, rule: Rule, older_than: datetime | None) -> int:
    """How much there is to forget; for evidence, how many sessions."""
    if older_than is None:
        return 0
    if rule.kind is RetentionKind.EVIDENCE:
        return len(forgetting.due(db, older_than=older_than))
    return FORGETTABLE[rule.kind].count(db, older_than)


def forget_some(db: DbSession, rule: Rule, older_than: datetime, *, most: int) -> int:
    """Delete at most so many rows that are older; 0 when there are none left. Not for evidence."""
    gone = FORGETTABLE[rule.kind].forget(db, older_than, most)
    db.flush()
    return gone


def note(
    db: DbSession,
    kind: RetentionKind,
    *,
    older_than: datetime,
    deleted: int,
    left_over: int,
    now: datetime,
) -> RetentionRun:
    """Keep what a run did, and what a look found afterwards."""
    run = RetentionRun(
        kind=kind.value, ran_at=now, older_than=older_than, deleted=deleted, left_over=left_over
    )
    db.add(run)
    db.flush()
    return run


def last_runs(db: DbSession) -> list[RetentionRun]:
    """The last run of each kind, in the order of the rules; a kind that never ran is missing."""
    newest = select(func.max(RetentionRun.id)).group_by(RetentionRun.kind)
    found = {
        run.kind: run for run in db.scalars(select(RetentionRun).where(RetentionRun.id.in_(newest)))
    }
    order = [rule.kind.value for rule in (*RULES, *RECORDINGS)]
    return [found[kind] for kind in order if kind in found]
