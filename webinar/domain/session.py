"""The life of a session: which state follows which, who may say so, and what it sets off."""

from dataclasses import dataclass
from enum import StrEnum

from webinar.domain.access import Action
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


class StepName(StrEnum):
    """What happens to a session, as it is said aloud."""

    PUBLISH = "publish"
    UNPUBLISH = "unpublish"
    GO_LIVE = "go live"
    STOP = "stop"
    END_FORGOTTEN = "end a broadcast nobody stopped"
    END_UNAIRED = "end without a broadcast"
    CANCEL = "cancel"
    RESTORE = "restore"
    DISCARD = "discard"


class Effect(StrEnum):
    """What a step sets off besides the new state."""

    CALENDAR_REFRESHED = "calendars get the session as it is now"
    REGISTRANTS_TOLD = "everybody with a place is told"
    SERIES_REGISTRANTS_PLACED = "everybody of the series gets a place"
    RECORDING_STARTED = "a recording begins"
    RECORDING_PROCESSED = "the recording makes itself ready"
    DAY_EXCEPTED = "the series does not meet on that day"


@dataclass(frozen=True)
class Step:
    """One way from a state to another."""

    frm: SessionStatus
    to: SessionStatus | None
    """None: the session is gone."""
    action: Action | None
    """What a person must be allowed to do to take it; None: the clock takes it."""
    sets_off: tuple[Effect, ...] = ()
    """In this order."""


# The whole life of a session. There is no way back from the air, and none from the end.
LIFE: dict[StepName, Step] = {
    StepName.PUBLISH: Step(
        SessionStatus.DRAFT,
        SessionStatus.PUBLISHED,
        Action.PLAN_SESSIONS,
        (Effect.CALENDAR_REFRESHED, Effect.SERIES_REGISTRANTS_PLACED),
    ),
    # Only while nobody is registered, so that there is nobody to tell.
    StepName.UNPUBLISH: Step(SessionStatus.PUBLISHED, SessionStatus.DRAFT, Action.PLAN_SESSIONS),
    StepName.GO_LIVE: Step(
        SessionStatus.PUBLISHED,
        SessionStatus.LIVE,
        Action.BROADCAST,
        (Effect.RECORDING_STARTED,),
    ),
    StepName.STOP: Step(
        SessionStatus.LIVE,
        SessionStatus.ENDED,
        Action.BROADCAST,
        (Effect.RECORDING_PROCESSED, Effect.CALENDAR_REFRESHED),
    ),
    StepName.END_FORGOTTEN: Step(
        SessionStatus.LIVE,
        SessionStatus.ENDED,
        None,
        (Effect.RECORDING_PROCESSED, Effect.CALENDAR_REFRESHED),
    ),
    StepName.END_UNAIRED: Step(
        SessionStatus.PUBLISHED, SessionStatus.ENDED, None, (Effect.CALENDAR_REFRESHED,)
    ),
    StepName.CANCEL: Step(
        SessionStatus.PUBLISHED,
        SessionStatus.CANCELLED,
        Action.PLAN_SESSIONS,
        (Effect.CALENDAR_REFRESHED, Effect.REGISTRANTS_TOLD),
    ),
    StepName.RESTORE: Step(
        SessionStatus.CANCELLED,
        SessionStatus.PUBLISHED,
        Action.PLAN_SESSIONS,
        (
            Effect.CALENDAR_REFRESHED,
            Effect.REGISTRANTS_TOLD,
            Effect.SERIES_REGISTRANTS_PLACED,
        ),
    ),
    StepName.DISCARD: Step(SessionStatus.DRAFT, None, Action.PLAN_SESSIONS, (Effect.DAY_EXCEPTED,)),
}


def ensure_begins(now_in: SessionStatus, name: StepName) -> None:
    """Raise IllegalStep with a sentence unless this very step begins in that state.

    Another step may lead from there to the same end: restoring is no publishing.
    """
    row = LIFE[name]
    if now_in is not row.frm:
        end = f"become {row.to}" if row.to else "be discarded"
        raise IllegalStep(f"A session that is {now_in} cannot {end}.")


def step(now_in: SessionStatus, *, to: SessionStatus) -> SessionStatus:
    """Return the new state, or raise IllegalStep with a sentence."""
    if not any((row.frm, row.to) == (now_in, to) for row in LIFE.values()):
        raise IllegalStep(f"A session that is {now_in} cannot become {to}.")
    return to


class FacultyPart(StrEnum):
    """What a member of the faculty does in a session."""

    PRESENTER = "presenter"
    DISCUSSANT = "discussant"
    MODERATOR = "moderator"
