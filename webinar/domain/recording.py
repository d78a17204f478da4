"""The recording window: from when and until when a recording may be watched."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from webinar.domain.errors import Gone, NotYet
from webinar.domain.timezone import add_months, to_local, to_utc

WINDOW_MONTHS = 6
WARNED_BEFORE = timedelta(days=7)
LONGEST_EXTENSION = timedelta(days=731)


class RecordingState(StrEnum):
    """Where a recording stands. After destroyed nothing follows: its keys no longer exist."""

    RECORDING = "recording"
    PROCESSING = "processing"
    READY = "ready"
    PUBLISHED = "published"
    CLOSED = "closed"
    DESTROYED = "destroyed"


class RecordingNotOpen(NotYet):
    """The recording is not published, or its window has not begun."""


class RecordingClosed(Gone):
    """The recording window is over for this person."""

    def __init__(self, message: str, *, closed_at: datetime) -> None:
        super().__init__(message)
        self.closed_at = closed_at


@dataclass(frozen=True)
class RecordingWindow:
    """[opens_at, closes_at), two instants: at closes_at it is over."""

    opens_at: datetime
    closes_at: datetime

    def __post_init__(self) -> None:
        if self.closes_at < self.opens_at:
            raise ValueError(f"a window cannot close before it opens: {self}")

    def __contains__(self, instant: datetime) -> bool:
        return self.opens_at <= instant < self.closes_at


@dataclass(frozen=True)
class Watch:
    """A yes: this person may watch while now < until."""

    until: datetime
    extended: bool


def closes_at_for(ended_at: datetime, zone: str, *, months: int = WINDOW_MONTHS) -> datetime:
    """The instant at which the recording of a session that ended at this instant closes.

    Calendar months later at the same wall-clock time in the zone. 31 August becomes the last day
    of February; a wall time the clocks jump over moves forward by the length of the gap; one they
    show twice means the first. Raises UnknownZone.
    """
    wall = to_local(ended_at, zone).replace(tzinfo=None, fold=0)
    return to_utc(add_months(wall, months), zone, on_gap="forward", on_fold="first")


def later_end(until: datetime, zone: str, *, days: int = 0, months: int = 0) -> datetime:
    """The same wall-clock time so many days and calendar months later. Raises UnknownZone."""
    wall = to_local(until, zone).replace(tzinfo=None, fold=0)
    moved = add_months(wall, months) + timedelta(days=days)
    return to_utc(moved, zone, on_gap="forward", on_fold="first")


def watchable(
    state: RecordingState,
    window: RecordingWindow | None,
    *,
    extension: datetime | None,
    now: datetime,
    zone: str = "Europe/Zurich",
) -> Watch:
    """Say until when this person may watch, or raise RecordingNotOpen or RecordingClosed.

    `extension` is the person's own later end, if any; an earlier one never shortens the window.
    `zone` is the series' zone, for the sentence only.
    """
    if state not in (
        RecordingState.PUBLISHED,
        RecordingState.CLOSED,
        RecordingState.DESTROYED,
    ):
        raise RecordingNotOpen("This recording is not published yet. Please come back later.")
    if window is None:
        raise ValueError(f"a recording that is {state} has a window")

    until = max(window.closes_at, extension or window.closes_at)
    if state is RecordingState.DESTROYED:
        raise RecordingClosed(
            f"This recording closed on {_spoken(window.closes_at, zone)} and no longer exists.",
            closed_at=window.closes_at,
        )
    if now < window.opens_at:
        raise RecordingNotOpen(f"This recording opens on {_spoken(window.opens_at, zone)}.")
    extended = until > window.closes_at
    if now >= until or (state is RecordingState.CLOSED and not extended):
        raise RecordingClosed(
            f"This recording closed on {_spoken(until, zone)}. "
            "If you need more time, ask for an extension.",
            closed_at=until,
        )
    return Watch(until=until, extended=extended)


def _spoken(instant: datetime, zone: str) -> str:
    local = to_local(instant, zone)
    name = local.tzname() or ""
    # Zones without letters of their own are called "+04"; a reader needs to know of what.
    label = f"UTC{name}" if name[:1] in ("+", "-") else name
    return f"{local.day} {local:%B %Y}, {local:%H:%M} {label}"
