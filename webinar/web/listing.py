"""Sessions as lists show them: a line each, with leaf, marks and chips, by month or in a grid."""

import calendar
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from itertools import groupby

from flask import url_for

from webinar.domain.attendance import ViewingMode
from webinar.domain.credit import GrantStatus
from webinar.domain.place import JOIN_OPENS_BEFORE
from webinar.domain.recording import RecordingState
from webinar.domain.session import SessionStatus
from webinar.domain.timezone import to_local, to_utc
from webinar.domain.wording import day_month, days_left, local_date, local_time
from webinar.models import Recording, WebinarSession
from webinar.services.listings import Listed

CLOSES_SOON = timedelta(days=14)
TODAY = timedelta(hours=20)
CHIP_STATES = {
    GrantStatus.GRANTED: "granted",
    GrantStatus.APPLIED: "applied",
    GrantStatus.REFUSED: "refused",
    GrantStatus.WITHDRAWN: "refused",
}


@dataclass(frozen=True)
class Mark:
    """A state pill: its kind, and words in place of the usual ones."""

    kind: str
    text: str = ""


@dataclass(frozen=True)
class Chip:
    """What one body gives."""

    body: str
    amount: Decimal
    state: str
    wording: str = ""


@dataclass(frozen=True, kw_only=True)
class Row:
    """One line of a list."""

    session: WebinarSession
    title: str
    href: str
    kicker: str
    faculty: str
    leaf: str
    marks: tuple[Mark, ...]
    chips: tuple[Chip, ...]


@dataclass(frozen=True)
class Month:
    """A month with its lines; `first` is its first day."""

    first: date
    rows: tuple[Row, ...]


@dataclass(frozen=True)
class Day:
    """A day of the month grid; days of the months beside it have no lines."""

    day: date
    is_inside: bool
    is_today: bool
    rows: tuple[Row, ...]


def row_of(listed: Listed, *, now: datetime) -> Row:
    """The line of one session."""
    session = listed.session
    over = is_over(session, now)
    return Row(
        session=session,
        title=title_of(session),
        href=url_for("sessions.show", public_id=session.public_id),
        kicker=" · ".join(
            [
                session.series.name if session.series else session.society.short_name,
                *listed.topics,
            ]
        ),
        faculty=", ".join(listed.speakers),
        leaf=_leaf(session, over),
        marks=tuple(marks_of(listed, now=now)),
        chips=tuple(chips_of(listed, ViewingMode.RECORDED if over else ViewingMode.LIVE))
        if session.status is not SessionStatus.CANCELLED
        else (),
    )


def title_of(session: WebinarSession) -> str:
    """The title, or what it is a part of while it has none."""
    return session.title or (session.series.name if session.series else "Session")


def is_over(session: WebinarSession, now: datetime) -> bool:
    """True once nothing live comes any more."""
    if session.status is SessionStatus.LIVE:
        return False
    return session.status is SessionStatus.ENDED or now >= session.ends_at


def marks_of(listed: Listed, *, now: datetime, says_upcoming: bool = False) -> list[Mark]:
    """The state in pills. `says_upcoming`: also what a list of coming sessions need not say."""
    session = listed.session
    if session.status is SessionStatus.CANCELLED:
        return [Mark("cancelled")]
    if session.status is SessionStatus.LIVE:
        return [Mark("live")]
    if is_over(session, now):
        return [_recording_mark(listed.recording, session.zone, now)]
    marks = []
    if session.moved_from is not None:
        marks.append(Mark("moved", f"Moved from {local_date(session.moved_from, session.zone)}"))
    doors_open_at = session.starts_at - JOIN_OPENS_BEFORE
    if now >= doors_open_at:
        marks.append(Mark("opens", "Doors are open"))
    elif session.starts_at - now < TODAY:
        marks.append(Mark("opens", f"Opens {local_time(doors_open_at, session.zone)}"))
    elif says_upcoming:
        marks.append(Mark("upcoming"))
    return marks


def chips_of(listed: Listed, mode: ViewingMode, *, with_wording: bool = False) -> list[Chip]:
    """What each body gives in this mode; refusals and the permitted wording on request."""
    chips = []
    for offer in listed.offers:
        state = CHIP_STATES.get(offer.status, "")
        if offer.mode is not mode or not state or (state == "refused" and not with_wording):
            continue
        wording = offer.statement_granted if state == "granted" else offer.statement_applied
        chips.append(
            Chip(
                offer.body,
                offer.credits_granted,
                state,
                wording if with_wording and state != "refused" else "",
            )
        )
    return chips


def by_month(sessions: Sequence[Listed], *, now: datetime) -> list[Month]:
    """The lines under the month in which each session's own zone has it, in the given order."""

    def month(listed: Listed) -> date:
        return to_local(listed.session.starts_at, listed.session.zone).date().replace(day=1)

    return [
        Month(first, tuple(row_of(listed, now=now) for listed in group))
        for first, group in groupby(sessions, key=month)
    ]


def month_span(first: date, zone: str) -> tuple[datetime, datetime]:
    """From the first instant of a month to that of the next, in the zone."""
    following = (first + timedelta(days=31)).replace(day=1)
    start, end = (
        to_utc(datetime.combine(day, time()), zone, on_gap="forward", on_fold="first")
        for day in (first, following)
    )
    return start, end


def weeks_of(
    first: date, sessions: Iterable[Listed], *, zone: str, now: datetime
) -> list[list[Day]]:
    """The month as weeks from Monday, each day with its lines."""
    lines: dict[date, list[Row]] = {}
    for listed in sessions:
        lines.setdefault(to_local(listed.session.starts_at, zone).date(), []).append(
            row_of(listed, now=now)
        )
    today = to_local(now, zone).date()
    return [
        [
            Day(day, day.month == first.month, day == today, tuple(lines.get(day, ())))
            for day in week
        ]
        for week in calendar.Calendar().monthdatescalendar(first.year, first.month)
    ]


def _leaf(session: WebinarSession, over: bool) -> str:
    if session.status is SessionStatus.CANCELLED:
        return "void"
    if session.status is SessionStatus.LIVE:
        return "live"
    return "past" if over else ""


def _recording_mark(recording: Recording | None, zone: str, now: datetime) -> Mark:
    if recording is None:
        return Mark("closed", "Over")
    if recording.state in (RecordingState.CLOSED, RecordingState.DESTROYED):
        return Mark("closed", "Recording closed")
    if recording.state is not RecordingState.PUBLISHED or recording.closes_at is None:
        return Mark("opens", "Recording soon")
    if now >= recording.closes_at:
        return Mark("closed", "Recording closed")
    if recording.closes_at - now < CLOSES_SOON:
        left = days_left(recording.closes_at, now)
        return Mark("closing", left[:1].upper() + left[1:])
    return Mark("recording", f"Recording until {day_month(recording.closes_at, zone)}")
