"""Retention by the clock: each kind once a day, some rows at a time, and then looked at again."""

import logging
from datetime import datetime, timedelta

from config import Config
from webinar.db import open_db, read_db
from webinar.domain.errors import DomainError
from webinar.domain.retention import RULES, RetentionKind, Rule, cut_off
from webinar.jobs.apart import apart
from webinar.jobs.toolbox import Toolbox
from webinar.models import RetentionRun
from webinar.services import parked, retention
from webinar.services.evidence import forgetting, verifying
from webinar.services.retention import Due

log = logging.getLogger(__name__)

LETTING_GO = "letting go the evidence of session"

EVERY = timedelta(hours=23)
# On SQLite everybody else waits meanwhile: a transaction stays well below a second.
ROWS_AT_ONCE = 500
PASSES_AT_ONCE = 100
# So much in one run; the next one, an hour later, goes on.
BATCHES_AT_MOST = 400
SESSIONS_AT_MOST = 50


class DoesNotVerify(DomainError):
    """The evidence of a session is not what its chain vouches for: people have to look at it."""


def forget_due(tools: Toolbox, now: datetime) -> None:
    """Forget what is older than its setting says: what ran within a day rests, if all went."""
    with read_db() as db:
        last = {run.kind: run for run in retention.last_runs(db)}
    for position, rule in enumerate(RULES):
        run = last.get(rule.kind.value)
        if run is not None and run.ran_at > now - EVERY and not run.left_over:
            continue
        with apart(f"forgetting {rule.kind.value}", position):
            forget(rule, tools.config, now=now)


def forget(rule: Rule, config: Config, *, now: datetime) -> RetentionRun | None:
    """Forget one kind now and keep that it was done; None if it is kept for ever."""
    older_than = cut_off(rule, kept_for(rule, config), now=now)
    if older_than is None:
        return None
    if rule.kind is RetentionKind.EVIDENCE:
        deleted = _forget_evidence(older_than, now=now)
    else:
        deleted = _forget_rows(rule, older_than)
    with read_db() as db:
        left_over = retention.count(db, rule, older_than)
    with open_db.begin() as db:
        run = retention.note(
            db, rule.kind, older_than=older_than, deleted=deleted, left_over=left_over, now=now
        )
    if deleted or left_over:
        log.info("forgotten: kind=%s rows=%s left=%s", rule.kind.value, deleted, left_over)
    return run


def due(config: Config, *, now: datetime) -> list[Due]:
    """What a run would forget now, by rule; nothing is deleted."""
    found = []
    with read_db() as db:
        for rule in RULES:
            older_than = cut_off(rule, kept_for(rule, config), now=now)
            found.append(Due(rule, older_than, retention.count(db, rule, older_than)))
    return found


def kept_for(rule: Rule, config: Config) -> int:
    """Days, or years, as the setting of this rule says."""
    return int(getattr(config, rule.setting)) if rule.setting else rule.fixed


def _forget_rows(rule: Rule, older_than: datetime) -> int:
    deleted = 0
    for _ in range(BATCHES_AT_MOST):
        with open_db.begin() as db:
            gone = retention.forget_some(db, rule, older_than, most=ROWS_AT_ONCE)
        deleted += gone
        if not gone:
            break
    return deleted


def _forget_evidence(older_than: datetime, *, now: datetime) -> int:
    """Of sessions that verify: what does not is proof of something, and stays for people.

    These are tried seldom and after the others, so that no number of them stops the forgetting.
    """
    with read_db() as db:
        due_now = forgetting.due(db, older_than=older_than)
        sessions = parked.ready(db, LETTING_GO, due_now, now=now)
        failed_before = parked.known(db, LETTING_GO)
    sessions.sort(key=lambda session_id: session_id in failed_before)
    deleted = let_go = 0
    for session_id in sessions:
        if let_go == SESSIONS_AT_MOST:
            break
        with apart(LETTING_GO, session_id, now=now):
            if not _begin(session_id, older_than, now=now):
                continue  # somebody added to its chain at this moment: the next run looks again
            let_go += 1
            while gone := _forget_some(session_id):
                deleted += gone
            log.info("evidence forgotten: session=%s", session_id)
    return deleted


def _begin(session_id: int, older_than: datetime, *, now: datetime) -> bool:
    with read_db() as db:
        findings = verifying.verify(db, session_id)
        planned = forgetting.plan(db, session_id)
    if findings:
        log.error(
            "evidence is kept that does not verify: session=%s findings=%s",
            session_id,
            len(findings),
        )
        raise DoesNotVerify(
            f"The evidence of session {session_id} is kept, because it does not verify. "
            "Verify it to see why."
        )
    with open_db.begin() as db:
        return forgetting.begin(db, session_id, planned, older_than=older_than, now=now)


def _forget_some(session_id: int) -> int:
    with open_db.begin() as db:
        return forgetting.forget_some(db, session_id, most=PASSES_AT_ONCE)
