"""What a body asks of an application, as data an officer keeps: when, how long, how many."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from datetime import date, datetime, time, timedelta
from enum import StrEnum

from webinar.domain.errors import DomainError
from webinar.domain.timezone import add_months

LONGEST_TEXT = 1000
LONGEST_EDITION = 60
MOST = 10_000


class Covers(StrEnum):
    """What one application is for."""

    SESSION = "session"
    SEASON = "season"


class BadTerms(DomainError):
    """A term that no body can mean; `field` names it."""

    def __init__(self, field: str, sentence: str) -> None:
        super().__init__(sentence)
        self.field = field


@dataclass(frozen=True, kw_only=True)
class ApplicationTerms:
    """None everywhere: nobody has said what the body asks."""

    covers: Covers = Covers.SESSION
    weeks_before: int | None = None
    """The complete file, before the day of the (first) session; whole weeks back from that day."""
    months_before: int | None = None
    """As some bodies count it: calendar months."""
    recommended_weeks: int | None = None
    late_weeks: int | None = None
    """For a late fee the file is taken until so many weeks before."""
    within_months: int | None = None
    """From the first session's day to the same day so many months later, that one included."""
    shortest_minutes: int | None = None
    longest_minutes: int | None = None
    fewest_sessions: int | None = None
    same_specialty: bool = False
    edition: str = ""
    """Of the body's criteria, as it stands on new grants."""
    source: str = ""
    """Where the figures come from, in words."""

    @classmethod
    def from_data(cls, data: Mapping[str, object] | None) -> "ApplicationTerms":
        """Read as stored; raises BadTerms naming what is unknown or impossible."""
        values = dict(data or {})
        known = {field.name for field in fields(cls)}
        for name in values:
            if name not in known:
                raise BadTerms(name, f"No body has a term called {name!r}.")
        try:
            covers = Covers(str(values.pop("covers", Covers.SESSION)))
        except ValueError:
            raise BadTerms(
                "covers", "An application covers one session or a whole season."
            ) from None
        terms = cls(covers=covers, **values)  # type: ignore[arg-type]
        terms._ensure_possible()
        return terms

    @property
    def data(self) -> dict[str, object]:
        """As it is stored: only what is said."""
        said = {name: value for name, value in asdict(self).items() if value not in (None, "")}
        return {**said, "covers": self.covers.value}

    def last_day(self, first: date) -> date | None:
        """The last day for the complete file if the first session is on `first`; None: any day."""
        days = []
        if self.weeks_before is not None:
            days.append(first - timedelta(weeks=self.weeks_before))
        if self.months_before is not None:
            days.append(add_months(datetime.combine(first, time()), -self.months_before).date())
        return min(days, default=None)

    def recommended_day(self, first: date) -> date | None:
        """The day the body advises to have applied by."""
        weeks = self.recommended_weeks
        return None if weeks is None else first - timedelta(weeks=weeks)

    def late_day(self, first: date) -> date | None:
        """The last day with a late fee; None if there is no such thing."""
        return None if self.late_weeks is None else first - timedelta(weeks=self.late_weeks)

    def span_ends(self, first: date) -> date | None:
        """The last day a session of one application may be on."""
        if self.within_months is None:
            return None
        return add_months(datetime.combine(first, time()), self.within_months).date()

    def _ensure_possible(self) -> None:
        for field in fields(self):
            value = getattr(self, field.name)
            if field.name in ("edition", "source"):
                longest = LONGEST_EDITION if field.name == "edition" else LONGEST_TEXT
                if not isinstance(value, str) or len(value) > longest:
                    raise BadTerms(field.name, f"At most {longest} characters.")
            elif field.name == "same_specialty":
                if not isinstance(value, bool):
                    raise BadTerms(field.name, "Say yes or no.")
            elif field.name != "covers" and not (value is None or _is_count(value)):
                raise BadTerms(field.name, f"Give a whole number of at most {MOST}.")
        shortest, longest_ = self.shortest_minutes, self.longest_minutes
        if shortest is not None and longest_ is not None and shortest > longest_:
            raise BadTerms("longest_minutes", "The longest session is shorter than the shortest.")
        weeks, late = self.weeks_before, self.late_weeks
        if late is not None and (weeks is None or late >= weeks):
            raise BadTerms(
                "late_weeks", "A late fee buys a later day: fewer weeks than the deadline has."
            )


def _is_count(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= MOST
