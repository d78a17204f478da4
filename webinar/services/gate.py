"""What the gate looks at, taken from the rows of a session."""

from collections.abc import Iterable

from webinar.db import DbSession
from webinar.domain.disclosure import from_data
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
        undisclosed=_names(member for member in session.faculty if not has_disclosed(member)),
        unmitigated=_names(member for member in session.faculty if needs_mitigation(member)),
    )


def parts_of(session: WebinarSession) -> frozenset[FacultyPart]:
    """Which parts somebody takes."""
    return frozenset(member.part for member in session.faculty)


def has_disclosed(member: FacultyMember) -> bool:
    """True if the audience can be told of the person's interests, or that there are none."""
    return bool(member.disclosure.strip())


def needs_mitigation(member: FacultyMember) -> bool:
    """True if the person disclosed relations and nobody wrote down what is done about them."""
    if member.disclosure_form is None or member.mitigation.strip():
        return False
    return bool(from_data(member.disclosure_form).relations)


def _names(members: Iterable[FacultyMember]) -> tuple[str, ...]:
    """Each name once: a person may have two parts."""
    return tuple(dict.fromkeys(member.name for member in members))
