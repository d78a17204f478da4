"""How much more time: a week, a month, or until a day and an hour in the session's zone."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from webinar.domain.errors import DomainError
from webinar.domain.recording import later_end
from webinar.domain.timezone import to_local, to_utc
from webinar.web.manage.series_form import day, wall_time

CHOICES = (
    ("week", "One week more"),
    ("month", "One month more"),
    ("day", "Until a day and an hour"),
)
EITHER = "Choose “Until a day and an hour” for this day, or leave the day empty."


@dataclass(frozen=True)
class TypedEnd:
    """A later end as typed; the fields of one form begin with the same word."""

    prefix: str
    more: str = "week"
    day: str = ""
    time: str = ""

    @classmethod
    def of(cls, prefix: str, until: datetime, zone: str) -> "TypedEnd":
        """The empty form: its hour is that of the present end."""
        return cls(prefix, time=f"{to_local(until, zone):%H:%M}")

    @classmethod
    def from_form(cls, prefix: str, form: Mapping[str, str]) -> "TypedEnd":
        """What was sent."""
        return cls(
            prefix,
            more=form.get(f"{prefix}-more", ""),
            day=form.get(f"{prefix}-day", "").strip(),
            time=form.get(f"{prefix}-time", "").strip(),
        )

    def read(
        self, until: datetime, zone: str, *, now: datetime
    ) -> tuple[datetime | None, dict[str, str]]:
        """The instant, counted from the present end, or for each field that is wrong a sentence.

        Of a window that is over, counted from now.
        """
        if self.day and self.more in ("week", "month"):
            return None, {f"{self.prefix}-day": EITHER}
        begin = until if until > now else _next_minute(now)
        if self.more == "week":
            return later_end(begin, zone, days=7), {}
        if self.more == "month":
            return later_end(begin, zone, months=1), {}
        on, at = day(self.day), wall_time(self.time)
        errors = {}
        if on is None:
            errors[f"{self.prefix}-day"] = "Give the day as a date: 2027-06-02."
        if at is None:
            errors[f"{self.prefix}-time"] = "Give the hour as hours and minutes: 19:00."
        if on is None or at is None:
            return None, errors
        try:
            return to_utc(datetime.combine(on, at), zone), {}
        except DomainError as no_such_time:
            return None, {f"{self.prefix}-time": str(no_such_time)}


def _next_minute(now: datetime) -> datetime:
    return now.replace(second=0, microsecond=0) + timedelta(minutes=1)
