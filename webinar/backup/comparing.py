"""Does the evidence here go on from where it stood in a backup? Cut off ends show nowhere else."""

from collections.abc import Iterable, Iterator

from sqlalchemy import select

from webinar.backup.manifest import Head, Trail
from webinar.db import DbSession
from webinar.models import AuditEvent, EvidenceLink, WebinarSession


def missing_since(db: DbSession, heads: Iterable[Head], trail: Trail) -> Iterator[str]:
    """What a backup vouches for and this database does not hold, each in a sentence."""
    for head in heads:
        if not head.length:
            continue
        found = db.scalar(
            select(EvidenceLink.hash)
            .join(WebinarSession, WebinarSession.id == EvidenceLink.session_id)
            .where(WebinarSession.public_id == head.session, EvidenceLink.number == head.length)
        )
        if found is None:
            yield f"{head.session}: its chain is shorter than the {head.length} links of the backup"
        elif found != head.head:
            yield f"{head.session}: its chain is another than in the backup (link {head.length})"
    if trail.last_id:
        found = db.scalar(select(AuditEvent.hash).where(AuditEvent.id == trail.last_id))
        if found != trail.last_hash:
            yield f"audit trail: event {trail.last_id} of the backup is not there, or another"
