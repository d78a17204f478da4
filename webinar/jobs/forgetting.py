"""Retention by the clock: each kind once a day, some rows at a time, and then looked at again."""

import logging
from datetime import datetime, timedelta

from config import Config
from webinar.db import open_db, read_db
from webinar.domain.retention import RULES, RetentionKind, Rule, cut_off
from webinar.jobs.apart import apart
from webinar.jobs.toolbox import Toolbox
from webinar.models import RetentionRun
from webinar.services import retention
from webinar.services.evidence import forgetting, verifying
from webinar.services.retention import Due

log = logging.getLogger(__name__)

EVERY = timedelta(hours=23)
# On SQLite everybody else waits meanwhile: a transaction stays well below a second.
ROWS_AT_ONCE = 500
PASSES_AT_ONCE = 100
# So much in one run; the next one, an hour later, goes on.
BATCHES_AT_MOST = 400
SESSIONS_AT_MOST = 50


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
    """Of sessions that verify: what does not is proof of something, and stays for people."""
    with read_db() as db:
        sessions = forgetting.due(db, older_than=older_than)
    deleted = 0
    for session_id in sessions[:SESSIONS_AT_MOST]:
        with read_db() as db:
            findings = verifying.verify(db, session_id)
            planned = forgetting.plan(db, session_id)
        if findings:
            log.error(
                "evidence is kept that does not verify: session=%s findings=%s",
                session_id,
                len(findings),
            )
            continue
        with open_db.begin() as db:
            begun = forgetting.begin(db, session_id, planned, older_than=older_than, now=now)
        if not begun:
            continue  # somebody added to its chain at this moment: the next run looks again
        while True:
            with open_db.begin() as db:
                gone = forgetting.forget_some(db, session_id, most=PASSES_AT_ONCE)
            deleted += gone
            if not gone:
                break
        log.info("evidence forgotten: session=%s", session_id)
    return deleted
