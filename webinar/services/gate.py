"""What the gate looks at, taken from the rows of a session."""

from webinar.db import DbSession
from webinar.domain.gate import GateFacts
from webinar.domain.session import FacultyPart
from webinar.models import FacultyMember, WebinarSession


def facts_of(db: DbSession, session: WebinarSession) -> GateFacts:
    """The session as the gate sees it; what was changed and not flushed yet counts."""
    db.flush()
    return GateFacts(
        title=session.title,
        abstract=session.abstract,
        objectives=session.objectives,
        parts=parts_of(session),
        undisclosed=tuple(member.name for member in session.faculty if not has_disclosed(member)),
    )


def parts_of(session: WebinarSession) -> frozenset[FacultyPart]:
    """Which parts somebody takes."""
    return frozenset(member.part for member in session.faculty)


def has_disclosed(member: FacultyMember) -> bool:
    """True if the audience can be told of the person's interests, or that there are none."""
    return bool(member.disclosure.strip())
