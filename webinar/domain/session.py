"""The life of a session: which state follows which."""

from enum import StrEnum

from webinar.domain.errors import Conflict, DomainError


class SessionStatus(StrEnum):
    """Where a session stands. Cancelled is a state, not a label."""

    DRAFT = "draft"
    PUBLISHED = "published"
    LIVE = "live"
    ENDED = "ended"
    CANCELLED = "cancelled"


class IllegalStep(DomainError):
    """A session cannot go from this state to that one."""


class TimeIsFixed(Conflict):
    """The session is on air, over or cancelled."""


class InThePast(Conflict):
    """Nobody can come to a session that is over."""


class ReasonMissing(DomainError):
    """People are told why."""


class PeopleAreComing(Conflict):
    """What people registered for cannot silently disappear."""


class NotADraft(Conflict):
    """Only what nobody has seen can be discarded."""


class ChangedMeanwhile(Conflict):
    """Somebody else changed the session after it was read."""


STEPS: dict[SessionStatus, frozenset[SessionStatus]] = {
    SessionStatus.DRAFT: frozenset({SessionStatus.PUBLISHED, SessionStatus.CANCELLED}),
    SessionStatus.PUBLISHED: frozenset(
        {SessionStatus.DRAFT, SessionStatus.LIVE, SessionStatus.ENDED, SessionStatus.CANCELLED}
    ),
    SessionStatus.LIVE: frozenset({SessionStatus.ENDED}),
    SessionStatus.ENDED: frozenset({SessionStatus.LIVE}),
    SessionStatus.CANCELLED: frozenset({SessionStatus.PUBLISHED}),
}


def step(now_in: SessionStatus, *, to: SessionStatus) -> SessionStatus:
    """Return the new state, or raise IllegalStep with a sentence."""
    if to not in STEPS[now_in]:
        raise IllegalStep(f"A session that is {now_in} cannot become {to}.")
    return to


class FacultyPart(StrEnum):
    """What a member of the faculty does in a session."""

    PRESENTER = "presenter"
    DISCUSSANT = "discussant"
    MODERATOR = "moderator"
