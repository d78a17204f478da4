"""What waits for an organiser, and why: the rules of the first page."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from webinar.domain.recording import RecordingState
from webinar.domain.session import SessionStatus

DRAFTS_WITHIN = timedelta(weeks=4)
PRESENTER_WITHIN = timedelta(weeks=12)
MODERATOR_WITHIN = timedelta(weeks=2)
DISCLOSURES_WITHIN = timedelta(weeks=4)
CREDIT_WITHIN = timedelta(weeks=4)
CLOSING_WITHIN = timedelta(days=14)
COMING = (SessionStatus.DRAFT, SessionStatus.PUBLISHED)
GONE = (RecordingState.CLOSED, RecordingState.DESTROYED)


class Wait(StrEnum):
    """Why a session waits for an organiser, the most pressing first."""

    LIVE = "live"
    CONSENT = "consent"
    MORE_TIME = "more_time"
    UNSEEN = "unseen"
    MODERATOR = "moderator"
    DISCLOSURE = "disclosure"
    DRAFT = "draft"
    PRESENTER = "presenter"
    CLOSING = "closing"
    CREDIT = "credit"


@dataclass(frozen=True, kw_only=True)
class Planned:
    """A session as the dashboard names it, drafts too."""

    id: int
    public_id: str
    title: str
    series: str
    starts_at: datetime
    ends_at: datetime
    zone: str
    status: SessionStatus
    has_credit: bool
    """Some body was asked for it, whatever it answered."""
    recording: RecordingState | None
    closes_at: datetime | None
    """When the recording closes; None while it is not published."""
    has_presenter: bool
    has_moderator: bool
    undisclosed: tuple[str, ...]
    """Of its faculty, by name: whose interests nobody has told yet."""
    withdrawn: tuple[str, ...]
    """Who took back the consent to being recorded."""
    asked_time: tuple[str, ...] = ()
    """Who asked for more time with the recording, and has no answer."""
    waits_to_publish: bool = False
    """Its recording is ready, with a picture, and somebody has to look before it is published."""


@dataclass(frozen=True)
class Waiting:
    """One thing to do. `names`: the people it is about, where it is about people."""

    kind: Wait
    session: Planned
    names: tuple[str, ...] = ()


def waits(sessions: Sequence[Planned], *, now: datetime) -> dict[Wait, list[Waiting]]:
    """What waits among these sessions, by kind; kinds with nothing are left out."""
    found: dict[Wait, list[Waiting]] = {}
    for session in sessions:
        for waiting in waits_of(session, now=now):
            found.setdefault(waiting.kind, []).append(waiting)
    if Wait.CLOSING in found:
        found[Wait.CLOSING].sort(key=lambda waiting: waiting.session.closes_at or now)
    return {kind: found[kind] for kind in Wait if kind in found}


def waits_of(session: Planned, *, now: datetime) -> Iterable[Waiting]:
    """The rules: what one session waits for."""
    starts_in = session.starts_at - now
    is_published = session.status is SessionStatus.PUBLISHED
    if session.status is SessionStatus.LIVE:
        yield Waiting(Wait.LIVE, session)
    if session.withdrawn and _is_pressing(session, now):
        yield Waiting(Wait.CONSENT, session, session.withdrawn)
    if session.asked_time:
        yield Waiting(Wait.MORE_TIME, session, session.asked_time)
    if session.waits_to_publish:
        yield Waiting(Wait.UNSEEN, session)
    if _closes_soon(session, now):
        yield Waiting(Wait.CLOSING, session)
    if session.status not in COMING or session.ends_at <= now:
        return
    if is_published and starts_in < MODERATOR_WITHIN and not session.has_moderator:
        yield Waiting(Wait.MODERATOR, session)
    if starts_in < DISCLOSURES_WITHIN and session.undisclosed:
        yield Waiting(Wait.DISCLOSURE, session, session.undisclosed)
    if not is_published and starts_in < DRAFTS_WITHIN:
        yield Waiting(Wait.DRAFT, session)
    if starts_in < PRESENTER_WITHIN and not session.has_presenter:
        yield Waiting(Wait.PRESENTER, session)
    if is_published and starts_in < CREDIT_WITHIN and not session.has_credit:
        yield Waiting(Wait.CREDIT, session)


def _closes_soon(session: Planned, now: datetime) -> bool:
    if session.recording is not RecordingState.PUBLISHED or session.closes_at is None:
        return False
    return now < session.closes_at < now + CLOSING_WITHIN


def _is_pressing(session: Planned, now: datetime) -> bool:
    """True while a withdrawn consent asks for something: not recorded yet, or still kept."""
    if session.status is SessionStatus.CANCELLED:
        return False
    if session.recording is not None:
        return session.recording not in GONE
    return session.ends_at > now
