"""What an imported report says, whose visits they are held to be, and who said so: one digest."""

from sqlalchemy import select

from webinar.db import DbSession
from webinar.domain.evidence_chain import LinkKind, NewLink, digest_of
from webinar.models import AttendanceImport, ImportedVisit

ROWS_AT_ONCE = 1_000


def link(db: DbSession, file: AttendanceImport) -> NewLink:
    """Vouch for the import as it stands now: its last link in the chain holds."""
    db.flush()
    return NewLink(LinkKind.IMPORT, str(file.id), of_import(db, file))


def stored(db: DbSession, subject: str) -> str | None:
    """The digest of what is stored; None if there is no such import."""
    file = db.get(AttendanceImport, int(subject), populate_existing=True)
    return None if file is None else of_import(db, file)


def of_import(db: DbSession, file: AttendanceImport) -> str:
    """Over every column of the import and of its visits, in the order of their ids."""
    visits = db.execute(
        select(
            ImportedVisit.id,
            ImportedVisit.row,
            ImportedVisit.meeting,
            ImportedVisit.name,
            ImportedVisit.email,
            ImportedVisit.remote_id,
            ImportedVisit.joined_at,
            ImportedVisit.left_at,
            ImportedVisit.user_id,
            ImportedVisit.matched_by,
            ImportedVisit.reviewed_by_id,
            ImportedVisit.reviewed_at,
        )
        .where(ImportedVisit.import_id == file.id)
        .order_by(ImportedVisit.id)
        .execution_options(yield_per=ROWS_AT_ONCE)
    )
    return digest_of(
        {
            "id": file.id,
            "session": file.session_id,
            "source": file.source,
            "filename": file.filename,
            "digest": file.digest,
            "rows": file.rows,
            "problems": tuple(file.problems),
            "made_by": file.made_by_id,
            "made_at": file.made_at,
            "withdrawn_at": file.withdrawn_at,
            "visits": tuple(tuple(visit) for visit in visits),
        }
    )
