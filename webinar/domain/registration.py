"""Who may register for a session, and until when."""

from datetime import datetime

from webinar.domain.errors import DomainError, Gone, NotFound
from webinar.domain.session import SessionStatus


class NotOpenYet(NotFound):
    """A draft is nobody's business but its organisers'."""


class RegistrationClosed(Gone):
    """There is nothing left to register for."""


class SessionCancelled(DomainError):
    """The session does not take place."""

    status = 409


def ensure_may_register(
    status: SessionStatus,
    ends_at: datetime,
    *,
    recording_closes_at: datetime | None,
    now: datetime,
) -> None:
    """Return if a person may register now, or raise the refusal that says why not.

    After the end a registration is for the recording, until its window closes. Give the instant
    at which it will close while the recording is still being made, and None only if there will
    be no recording.
    """
    if status is SessionStatus.DRAFT:
        raise NotOpenYet("There is no such session, or it is not announced yet.")
    if status is SessionStatus.CANCELLED:
        raise SessionCancelled("This session is cancelled. Choose another one from the schedule.")
    if status is SessionStatus.LIVE:
        return
    # A published session whose end has passed is over, even if nobody has closed it yet.
    if status is SessionStatus.PUBLISHED and now < ends_at:
        return
    if recording_closes_at is None:
        raise RegistrationClosed(
            "This session is over and has no recording to watch. "
            "Choose another one from the schedule."
        )
    if now >= recording_closes_at:
        raise RegistrationClosed(
            "This session is over and its recording is closed. "
            "Choose another one from the schedule."
        )
