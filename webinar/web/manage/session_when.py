"""A day and an hour as typed, for the small forms that ask for nothing else."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from webinar.web.manage.series_form import day, wall_time


@dataclass(frozen=True)
class TypedTime:
    """When something is to begin, as typed."""

    day: str
    starts: str

    @classmethod
    def of(cls, wall: datetime) -> "TypedTime":
        """A wall time as the fields show it."""
        return cls(f"{wall:%Y-%m-%d}", f"{wall:%H:%M}")

    @classmethod
    def from_form(cls, form: Mapping[str, str]) -> "TypedTime":
        """What was sent."""
        return cls(form.get("day", "").strip(), form.get("starts", "").strip())

    def read(self) -> tuple[datetime | None, dict[str, str]]:
        """The wall time, or for each field that is wrong a sentence."""
        on, at = day(self.day), wall_time(self.starts)
        errors = {}
        if on is None:
            errors["day"] = "Give the day as a date: 2026-11-26."
        if at is None:
            errors["starts"] = "Give the start as hours and minutes: 18:15."
        if on is None or at is None:
            return None, errors
        return datetime.combine(on, at), {}
