"""What a session says now: as an organiser edits it, and as the audit trail keeps it."""

from webinar.domain.session import SessionStatus
from webinar.domain.session_details import FacultyDetails, SessionDetails
from webinar.domain.timezone import to_local
from webinar.models import WebinarSession

OF_ANOTHER = "A session of another society"


def name_for(
    title: str, status: SessionStatus, society_id: int, societies: frozenset[int] | None
) -> str:
    """What a session is called before people of these societies; None: of all.

    Drafts of others have no name there: nobody has announced them.
    """
    is_theirs = societies is None or society_id in societies
    return title if is_theirs or status is not SessionStatus.DRAFT else OF_ANOTHER


def details_of(session: WebinarSession) -> SessionDetails:
    """What the session says now, in the wall time of its zone."""
    return SessionDetails(
        title=session.title,
        starts=to_local(session.starts_at, session.zone).replace(tzinfo=None, fold=0),
        ends=to_local(session.ends_at, session.zone).replace(tzinfo=None, fold=0),
        zone=session.zone,
        abstract=session.abstract,
        objectives=session.objectives,
        language=session.language,
        topics=tuple(topic.name for topic in session.topics),
        faculty=tuple(
            FacultyDetails(
                member.part,
                member.name,
                member.affiliation,
                member.disclosure,
                member.user_id,
                id=member.id,
            )
            for member in session.faculty
        ),
        level=session.level,
        audience=tuple(group.name for group in session.audience),
    )


def facts_of(session: WebinarSession) -> dict[str, str]:
    """What an organiser can change, as text for the audit trail."""
    return {
        "title": session.title,
        "abstract": session.abstract,
        "objectives": session.objectives,
        "language": session.language,
        "level": session.level,
        "starts_at": session.starts_at.isoformat(),
        "ends_at": session.ends_at.isoformat(),
        "zone": session.zone,
        "topics": ", ".join(sorted(topic.name for topic in session.topics)),
        "audience": ", ".join(sorted(group.name for group in session.audience)),
        "faculty": "; ".join(
            f"{member.part}: {member.name}, {member.affiliation}, {member.user_id or '-'}, "
            f"{member.disclosure}"
            for member in session.faculty
        ),
    }
