"""The audit trail: append-only, each event carrying the hash of the one before."""

import hashlib
import json
from collections.abc import Mapping
from datetime import UTC, date, datetime
from decimal import Decimal
from enum import StrEnum

from sqlalchemy import func, select

from webinar.db import DbSession
from webinar.models import AuditEvent

GENESIS = "0" * 64
# Two writers must not both follow the same event. SQLite writes one at a time anyway.
POSTGRES_LOCK = 7_215_530_001
BATCH = 500

Json = str | int | float | bool | list["Json"] | dict[str, "Json"] | None


def write(
    db: DbSession,
    *,
    actor_id: int | None,
    action: str,
    subject: str,
    now: datetime,
    before: Mapping[str, object] | None = None,
    after: Mapping[str, object] | None = None,
    reason: str = "",
) -> AuditEvent:
    """Append an event; `actor_id` None is the clock, `subject` reads like "session 12".

    Holds the trail until the transaction ends, so call it late.
    """
    if db.get_bind().dialect.name == "postgresql":
        db.execute(select(func.pg_advisory_xact_lock(POSTGRES_LOCK)))
    previous = db.scalar(select(AuditEvent.hash).order_by(AuditEvent.id.desc()).limit(1))
    event = AuditEvent(
        at=now.astimezone(UTC),
        actor_id=actor_id,
        action=action,
        subject=subject,
        before=None if before is None else _plain_mapping(before),
        after=None if after is None else _plain_mapping(after),
        reason=reason,
        previous_hash=previous or GENESIS,
    )
    event.hash = _hash(event)
    db.add(event)
    db.flush()
    return event


def first_broken(db: DbSession) -> int | None:
    """The id of the first event that was changed, or whose predecessor is gone; None if whole.

    Events cut off from the end are not noticed: compare the last hash with one kept elsewhere.
    """
    previous, last_id = GENESIS, 0
    while events := db.scalars(
        select(AuditEvent).where(AuditEvent.id > last_id).order_by(AuditEvent.id).limit(BATCH)
    ).all():
        for event in events:
            if event.previous_hash != previous or event.hash != _hash(event):
                return event.id
            previous, last_id = event.hash, event.id
    return None


def document_of(event: AuditEvent) -> str:
    """The text whose SHA-256, as UTF-8, is the hash of the event: anybody can work it out."""
    return json.dumps(
        [
            event.previous_hash,
            event.at.astimezone(UTC).isoformat(),
            event.actor_id,
            event.action,
            event.subject,
            event.before,
            event.after,
            event.reason,
        ],
        sort_keys=True,
        separators=(",", ":"),
        ensure_ascii=False,
    )


def _hash(event: AuditEvent) -> str:
    return hashlib.sha256(document_of(event).encode()).hexdigest()


def _plain_mapping(value: Mapping[str, object]) -> dict[str, Json]:
    return {str(key): _plain(item) for key, item in value.items()}


def _plain(value: object) -> Json:
    """As JSON will give it back, so that the hash can be worked out again from the row."""
    match value:
        case StrEnum():
            return value.value
        case None | bool() | int() | float() | str():
            return value
        case datetime():
            return value.astimezone(UTC).isoformat()
        case date():
            return value.isoformat()
        case Decimal():
            return str(value)
        case Mapping():
            return _plain_mapping(value)
        case list() | tuple() | set() | frozenset():
            return [_plain(item) for item in value]
    raise ValueError(f"the audit trail cannot keep {value!r}")
