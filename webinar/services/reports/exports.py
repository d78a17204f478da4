"""Lists as they were handed out: each logged, and counted as sent once somebody says so."""

from collections.abc import Mapping
from datetime import datetime

from sqlalchemy import select

from webinar.db import DbSession
from webinar.domain.eiv import Operation
from webinar.domain.errors import Conflict, DomainError, NotFound
from webinar.domain.registries import RegistryKind
from webinar.models import AccreditationGrant, RegistryExport
from webinar.services import audit
from webinar.services.reports.lists import Looked, Prepared


class ExportRefused(DomainError):
    """The list cannot leave like this."""


class Overtaken(Conflict):
    """A newer list has been sent: this one would undo it."""


def keep(
    db: DbSession,
    grant: AccreditationGrant,
    looked: Looked,
    operation: Operation,
    *,
    digest: str,
    actor_id: int,
    now: datetime,
) -> RegistryExport:
    """Log the list that is handed out; `digest` is the SHA-256 of its file. Raises ExportRefused.

    It counts as sent only when somebody says so.
    """
    chosen = named(looked, operation)
    export = RegistryExport(
        grant_id=grant.id,
        kind=chosen.kind,
        operation=operation.value,
        rows=[list(row) for row in chosen.rows],
        digest=digest,
        made_by_id=actor_id,
        made_at=now,
    )
    db.add(export)
    db.flush()
    _write(
        db,
        grant,
        export,
        "list made",
        actor_id,
        now,
        {"rows": len(chosen.rows), "held_back": len(looked.held_back), "digest": digest},
    )
    return export


def named(looked: Looked, operation: Operation) -> Prepared:
    """The list of this operation; raises ExportRefused with what to mend."""
    if looked.problems:
        raise ExportRefused(" ".join(looked.problems))
    for one in looked.lists:
        if one.operation is operation:
            return one
    raise ExportRefused("There is nothing to send: the registry has everybody already.")


def mark_sent(
    db: DbSession,
    grant: AccreditationGrant,
    export: RegistryExport,
    *,
    actor_id: int,
    now: datetime,
) -> None:
    """A person says that the registry has it; raises Overtaken. Twice is as good as once."""
    if export.sent_at is not None:
        return
    newer = db.scalar(
        select(RegistryExport.id).where(
            RegistryExport.grant_id == grant.id,
            RegistryExport.kind == export.kind,
            RegistryExport.sent_at.is_not(None),
            RegistryExport.made_at > export.made_at,
        )
    )
    if newer is not None:
        raise Overtaken(
            "A newer list was sent since this one was made. Make it anew: it then holds what has "
            "changed since."
        )
    export.sent_at = now
    db.flush()
    _write(db, grant, export, "list sent", actor_id, now, {"digest": export.digest})


def made(db: DbSession, grant: AccreditationGrant, kind: RegistryKind) -> list[RegistryExport]:
    """Every list of this kind that was handed out, the newest first."""
    return list(
        db.scalars(
            select(RegistryExport)
            .where(RegistryExport.grant_id == grant.id, RegistryExport.kind == kind)
            .order_by(RegistryExport.id.desc())
        )
    )


def export_named(db: DbSession, grant: AccreditationGrant, export_id: int) -> RegistryExport:
    """The grant's list of this number; raises NotFound."""
    export = db.get(RegistryExport, export_id)
    if export is None or export.grant_id != grant.id:
        raise NotFound("There is no such list.")
    return export


def _write(
    db: DbSession,
    grant: AccreditationGrant,
    export: RegistryExport,
    action: str,
    actor_id: int,
    now: datetime,
    after: Mapping[str, object],
) -> None:
    audit.write(
        db,
        actor_id=actor_id,
        action=action,
        subject=f"session {grant.session_id}",
        now=now,
        after={"list": export.id, "kind": export.kind, "operation": export.operation} | dict(after),
    )
