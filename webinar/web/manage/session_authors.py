"""Who changed which field of a session last, from the audit trail."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select

from webinar.db import DbSession
from webinar.models import AuditEvent, User, WebinarSession
from webinar.web.manage.session_merge import Difference

LOOKED_AT = 40


@dataclass(frozen=True)
class Author:
    """A person, or the program itself, and when."""

    name: str
    at: datetime


def authors_of(
    db: DbSession, session: WebinarSession, differing: Iterable[Difference]
) -> dict[str, Author]:
    """By key of the difference; who is missing changed it without the trail of the session."""
    events = db.execute(
        select(AuditEvent.after, AuditEvent.at, User.name)
        .outerjoin(User, User.id == AuditEvent.actor_id)
        .where(AuditEvent.subject == f"session {session.id}")
        .order_by(AuditEvent.id.desc())
        .limit(LOOKED_AT)
    ).all()
    found = {}
    for difference in differing:
        for after, at, name in events:
            if any(fact in (after or {}) for fact in difference.facts):
                found[difference.key] = Author(name or "The program", at)
                break
    return found
