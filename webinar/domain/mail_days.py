"""On which days the mails leave that follow the calendar: the week's sessions, reports due."""

from datetime import date, datetime, time, timedelta

from webinar.domain.timezone import to_local, to_utc

DIGEST_AT = time(7, 0)
"""On Mondays, in the reader's zone."""
DIGEST_UNTIL = timedelta(hours=36)
"""A clock that stood still sends it until Tuesday evening; later the week is half over."""

REPORT_DAYS = (7, 0)
"""Days before the last day of a report on which it is asked for."""
REPORT_GIVEN_UP = timedelta(days=14)
"""So long after its last day a report is asked for that nobody was asked for before."""


def digest_week(now: datetime, zone: str) -> int | None:
    """The ISO week whose digest is due in this zone, as year * 100 + week, or None."""
    local = to_local(now, zone)
    monday = local.date() - timedelta(days=local.weekday())
    since = local.replace(tzinfo=None) - datetime.combine(monday, DIGEST_AT)
    return week_number(monday) if timedelta(0) <= since < DIGEST_UNTIL else None


def week_number(day: date) -> int:
    """`202648` for 26 November 2026."""
    year, week, _ = day.isocalendar()
    return year * 100 + week


def week_span(number: int, zone: str) -> tuple[datetime, datetime]:
    """The first instant of the week in the zone, and the first one after it (UTC)."""
    monday = date.fromisocalendar(number // 100, number % 100, 1)
    return _midnight(monday, zone), _midnight(monday + timedelta(days=7), zone)


def report_stage(due_on: date, today: date) -> int | None:
    """Which of REPORT_DAYS has come, the nearest to the last day, or None if none has."""
    left = (due_on - today).days
    if left < -REPORT_GIVEN_UP.days:
        return None
    reached = [days for days in REPORT_DAYS if left <= days]
    return min(reached) if reached else None


def _midnight(day: date, zone: str) -> datetime:
    return to_utc(datetime.combine(day, time(0)), zone, on_gap="forward", on_fold="first")
