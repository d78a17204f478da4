"""Who may have the bytes of a recording at this moment: one rule for pages, keys and segments."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from webinar.domain.errors import DomainError, NotAllowed, NotFound
from webinar.domain.recording import RecordingState, RecordingWindow, watchable

# A preview has no window; a page that stays open asks again after a day.
PREVIEW_LASTS = timedelta(days=1)
# While it is processed the last seconds of the evening are still on their way to people.
ON_AIR = (RecordingState.RECORDING, RecordingState.PROCESSING)


class NotRegistered(NotAllowed):
    """The person has no place in the session."""


class SignInEnded(DomainError):
    """Nobody is signed in, or every sign-in of the person was ended since."""

    status = 401


@dataclass(frozen=True)
class MediaFacts:
    """The row: what decides, as it is in the database at this moment.

    `recording_id` is None if there is no such recording.
    """

    sign_in_generation: int
    recording_id: int | None
    state: RecordingState | None
    opens_at: datetime | None
    closes_at: datetime | None
    zone: str | None
    was_live: bool
    extension: datetime | None
    has_place: bool
    may_publish: bool


@dataclass(frozen=True)
class Allowed:
    """A yes, good while now < until; what is on air has no end yet."""

    recording_id: int
    state: RecordingState
    until: datetime | None


def is_on_air(state: RecordingState, *, was_live: bool) -> bool:
    """True while it happens; what was never live is an import in the making, and nobody's yet."""
    return state in ON_AIR and was_live


def decide(facts: MediaFacts | None, *, generation: int, now: datetime) -> Allowed:
    """Say until when, or raise SignInEnded, NotFound, NotRegistered or what `watchable` raises.

    `generation` is what the cookie says; `facts` are None for a person there is not.
    """
    if facts is None or facts.sign_in_generation != generation:
        raise SignInEnded("Sign in first.")
    if facts.recording_id is None or facts.state is None or facts.zone is None:
        raise NotFound("There is no such recording.")
    if facts.state is RecordingState.READY and facts.may_publish:
        return Allowed(facts.recording_id, facts.state, now + PREVIEW_LASTS)
    until = None
    if not is_on_air(facts.state, was_live=facts.was_live):
        window = (
            None
            if facts.opens_at is None or facts.closes_at is None
            else RecordingWindow(facts.opens_at, facts.closes_at)
        )
        watch = watchable(facts.state, window, extension=facts.extension, now=now, zone=facts.zone)
        until = watch.until
    if not facts.has_place:
        raise NotRegistered("Register for this session first; it is free and takes one press.")
    return Allowed(facts.recording_id, facts.state, until)
