"""A session's state as organisers see it: which pill, and what it says."""

from dataclasses import dataclass

from webinar.domain.session import SessionStatus
from webinar.models import WebinarSession

WORDS = {
    SessionStatus.DRAFT: ("draft", "Draft"),
    SessionStatus.PUBLISHED: ("upcoming", "Published"),
    SessionStatus.LIVE: ("live", "Live"),
    SessionStatus.ENDED: ("closed", "Ended"),
    SessionStatus.CANCELLED: ("cancelled", "Cancelled"),
}


@dataclass(frozen=True)
class Mark:
    """A pill: its kind and its words."""

    kind: str
    words: str


def mark_of(session: WebinarSession) -> Mark:
    """The one mark of a session's state."""
    return Mark(*WORDS[session.status])
