"""Statements that follow their session: whoever renames or moves it need not think of them."""

from collections.abc import Mapping
from datetime import datetime

from webinar.db import DbSession
from webinar.domain.statements import Activity, applied_statement, granted_statement, in_step
from webinar.models import AccreditationGrant, WebinarSession
from webinar.services import accreditation, audit


def follow_session(
    db: DbSession,
    session: WebinarSession,
    before: Mapping[str, str],
    *,
    actor_id: int | None,
    now: datetime,
) -> list[AccreditationGrant]:
    """Let the permitted words speak of the session as it is now; the grants that changed.

    `before` are its facts before the change (`session_facts.facts_of`). Words of one's own stay:
    the page of the grant says if they name another day or title.
    """
    was = Activity(before["title"], datetime.fromisoformat(before["starts_at"]), before["zone"])
    is_now = accreditation.activity_of(session)
    if (was.title, was.day) == (is_now.title, is_now.day):
        return []
    changed = []
    for grant in accreditation.grants_of(db, session.id):
        stated = grant.statement_applied, grant.statement_granted
        body, credits = grant.accreditor.slug, grant.credits_granted
        applied = [applied_statement(body, activity) for activity in (was, is_now)]
        granted = [granted_statement(body, activity, credits) for activity in (was, is_now)]
        grant.statement_applied = in_step(stated[0], was=applied[0], now=applied[1])
        grant.statement_granted = in_step(stated[1], was=granted[0], now=granted[1])
        if (grant.statement_applied, grant.statement_granted) == stated:
            continue
        grant.changed_at = now
        changed.append(grant)
        db.flush()
        audit.write(
            db,
            actor_id=actor_id,
            action="statements followed the session",
            subject=f"session {session.id}",
            before={"grant_id": grant.id, "applied": stated[0], "granted": stated[1]},
            after={
                "grant_id": grant.id,
                "applied": grant.statement_applied,
                "granted": grant.statement_granted,
            },
            now=now,
        )
    return changed
