"""A row of a season's table, read into what is wished for, with every problem it has."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta

from webinar.db import DbSession
from webinar.domain.errors import DomainError
from webinar.domain.season_sheet import (
    CellRefused,
    Person,
    Problem,
    Row,
    day_in,
    hour_in,
    language_in,
    level_in,
    minutes_in,
    people_in,
    read_cell,
    several_in,
)
from webinar.domain.session_details import (
    LONGEST_TITLE,
    UNTITLED,
    FacultyDetails,
    SessionDetails,
    instants_of,
)
from webinar.domain.timezone import UnknownZone, to_local, to_utc, zone_named
from webinar.domain.wording import local_date
from webinar.models import PlanningRule, Series, Society, User, WebinarSession
from webinar.services.season_places import Places, cells_by_id, is_placeholder
from webinar.services.session_facts import details_of
from webinar.services.societies import slug_for

TIMES = ("date", "start", "minutes", "end", "zone")
# What can be read of a row without knowing what it is about.
WORDS = ("title", "abstract", "objectives", "topics", "language", "level", "audience", "faculty")


@dataclass(frozen=True)
class Wish:
    """What a row asks for. `session` is the one to change, or the planned date to fill."""

    row: Row
    details: SessionDetails
    society: Society
    series: Series | None
    day: date
    session: WebinarSession | None
    is_filling: bool = False
    cells: Mapping[str, str] = field(default_factory=dict)
    """What an export says of the session now."""


class RowReader:
    """Reads rows one after the other; what one takes, the next cannot have."""

    def __init__(self, db: DbSession, places: Places, *, home_zone: str, now: datetime) -> None:
        self._db = db
        self._places = places
        self._home_zone = home_zone
        self._now = now
        self._seen: dict[tuple[str, ...], int] = {}

    def read(self, row: Row, before: Iterable[Problem]) -> tuple[Wish | None, list[Problem]]:
        """The wish, or None; and every problem, of which warnings keep nothing back."""
        problems = list(before)
        session = read_cell(row, "id", self._places.session_in, problems)
        series = read_cell(row, "series", self._places.series_in, problems)
        society = read_cell(row, "society", self._places.society_in, problems)
        if any(problem.column == "id" for problem in problems):
            return None, problems
        if session is not None:
            wish = self._change(row, session, series, society, problems)
        else:
            wish = self._new(row, series, society, problems)
        if wish is not None:
            self._warn(wish, problems)
        return wish, problems

    def _change(
        self,
        row: Row,
        session: WebinarSession,
        series: Series | None,
        society: Society | None,
        problems: list[Problem],
    ) -> Wish | None:
        if self._is_second(row, ("id", session.public_id), "id", problems):
            return None
        current = self._places.cells[session.id]
        # Only what differs from what an export says is meant, so nothing is lost by not being said.
        said = {
            name: text
            for name, text in row.cells.items()
            if name not in ("id", "series", "society", "state") and text != current.get(name, "")
        }
        if row.text("series") and series is not None and series.id != session.series_id:
            words = "A session cannot change its series here. Add it to the other as a new one."
            problems.append(Problem(row.number, "series", words))
        if row.text("society") and society is not None and society.id != session.society_id:
            words = "A session cannot change its society here. Empty the id to add a new one."
            problems.append(Problem(row.number, "society", words))
        if row.text("state") and row.text("state") != current["state"]:
            words = f"It stays {current['state']}: an import changes no state."
            problems.append(Problem(row.number, "state", words, is_warning=True))
        details = details_of(session)
        if any(name in said for name in TIMES):
            details = (
                self._timed(row, details, session.series, problems, present=session) or details
            )
        details = self._worded(row, said, details, problems)
        day = session.planned_day or details.starts.date()
        return Wish(row, details, session.society, session.series, day, session, cells=current)

    def _new(
        self, row: Row, series: Series | None, society: Society | None, problems: list[Problem]
    ) -> Wish | None:
        if series is None and society is None and not _has(problems, "series", "society"):
            words = "Say whose session this is: the short name of a series, or of a society."
            problems.append(Problem(row.number, "series", words))
        if series is not None and society is not None and series.society_id != society.id:
            words = f"{series.name} is of {series.society.name}. Empty one of the two cells."
            problems.append(Problem(row.number, "society", words))
        zone = series.zone if series else self._home_zone
        blank = SessionDetails(UNTITLED, datetime.min, datetime.min, zone)  # noqa: DTZ901 -- wall
        timed = self._timed(row, blank, series, problems)
        said = {name: row.text(name) for name in WORDS if row.text(name)}
        details = self._worded(row, said, timed or blank, problems)
        owner = series.society if series else society
        if timed is None or owner is None:
            return None
        day = details.starts.date()
        key = (
            ("series", series.slug, str(day))
            if series
            else ("single", owner.slug, details.title, str(details.starts))
        )
        if self._is_second(row, key, "date", problems):
            return None
        there = self._places.on_day(series, day) if series else None
        if there is not None and not is_placeholder(self._db, there):
            problems.append(_duplicate(row, there))
            return None
        if there is not None:
            details = replace(details, topics=details.topics or details_of(there).topics)
            cells = cells_by_id(self._db, [there])[there.id]
            return Wish(row, details, owner, series, day, there, is_filling=True, cells=cells)
        return Wish(row, details, owner, series, day, None)

    def _timed(
        self,
        row: Row,
        details: SessionDetails,
        series: Series | None,
        problems: list[Problem],
        *,
        present: WebinarSession | None = None,
    ) -> SessionDetails | None:
        """The details at the time the row says; what it does not say stays, or is the series'."""
        number = len(problems)
        zone = row.text("zone") or details.zone
        try:
            zone_named(zone)
        except UnknownZone as refusal:
            problems.append(Problem(row.number, "zone", str(refusal)))
        day = details.starts.date() if present else None
        if row.text("date") or present is None:
            day = read_cell(row, "date", day_in, problems)
        rule = _rule_of(series, day) if series and day else None
        starts = details.starts.time() if present else rule.local_start if rule else None
        # Of a series that nobody knows, nobody knows either when it usually meets.
        is_lost = _has(problems, "series")
        if row.text("start") or (starts is None and not is_lost):
            starts = read_cell(row, "start", hour_in, problems)
        minutes: int | None = rule.duration_minutes if rule else None
        if present:
            minutes = (details.ends - details.starts) // timedelta(minutes=1)
        if row.text("minutes") or (minutes is None and not row.text("end") and not is_lost):
            minutes = read_cell(row, "minutes", minutes_in, problems)
        ends_at = read_cell(row, "end", hour_in, problems) if row.text("end") else None
        if len(problems) > number or day is None or starts is None:
            return None
        begin = datetime.combine(day, starts)
        end = begin + timedelta(minutes=minutes or 0)
        if ends_at is not None:
            end = datetime.combine(day, ends_at)
            if row.text("minutes") and end - begin != timedelta(minutes=minutes or 0):
                words = f"From {starts:%H:%M} to {ends_at:%H:%M} are not {minutes} minutes."
                problems.append(Problem(row.number, "end", words + " Empty one of the two."))
                return None
        try:
            instants_of(begin, end, zone, present=present.span if present else None)
        except DomainError as refusal:
            column = "end" if ends_at is not None and end <= begin else "start"
            problems.append(Problem(row.number, column, str(refusal)))
            return None
        return replace(details, starts=begin, ends=end, zone=zone)

    def _worded(
        self, row: Row, said: dict[str, str], details: SessionDetails, problems: list[Problem]
    ) -> SessionDetails:
        """The details with what the row says in words."""
        if "title" in said:
            details = replace(details, title=" ".join(said["title"].split()) or UNTITLED)
            if len(details.title) > LONGEST_TITLE:
                words = f"A title has at most {LONGEST_TITLE} characters. Shorten it."
                problems.append(Problem(row.number, "title", words))
        if "abstract" in said:
            details = replace(details, abstract=said["abstract"])
        if "objectives" in said:
            details = replace(details, objectives=said["objectives"])
        if "topics" in said:
            details = replace(details, topics=self._topics(row, said["topics"], problems))
        if "language" in said:
            language = read_cell(row, "language", language_in, problems)
            details = replace(details, language=language or details.language)
        if "level" in said:
            details = replace(details, level=read_cell(row, "level", level_in, problems) or "")
        if "audience" in said:
            audience = read_cell(row, "audience", self._groups_in, problems)
            details = replace(details, audience=audience or ())
        if "faculty" in said:
            people = read_cell(row, "faculty", people_in, problems) or ()
            details = replace(details, faculty=self._faculty(people, details.faculty))
        return details

    def _topics(self, row: Row, text: str, problems: list[Problem]) -> tuple[str, ...]:
        names = several_in(text)
        for name in names:
            if not slug_for(name) or len(name) > 120:
                words = f"“{name[:60]}” cannot be a topic: use up to 120 characters with letters."
                problems.append(Problem(row.number, "topics", words))
            elif slug_for(name) not in self._places.topic_slugs:
                words = f"“{name}” is a new topic and will be added. Look for a slip of the pen."
                problems.append(Problem(row.number, "topics", words, is_warning=True))
        return names

    def _groups_in(self, text: str) -> tuple[str, ...]:
        groups = []
        for name in several_in(text):
            if name.casefold() not in self._places.groups:
                raise CellRefused(
                    f"There is no group of members called “{name[:60]}”. Add it first, "
                    "or take it out."
                )
            groups.append(self._places.groups[name.casefold()].name)
        return tuple(dict.fromkeys(groups))

    def _faculty(
        self, people: Iterable[Person], present: tuple[FacultyDetails, ...]
    ) -> tuple[FacultyDetails, ...]:
        """Who is named again keeps what hangs on them: disclosure, account, files, links."""
        free = [(member, self._email_of(member)) for member in present]
        faculty = []
        for person in people:
            match = next((pair for pair in free if _is_same(person, *pair)), None)
            if match is None:
                faculty.append(
                    FacultyDetails(person.part, person.name, person.affiliation, email=person.email)
                )
                continue
            free.remove(match)
            member, email = match
            faculty.append(
                replace(
                    member,
                    part=person.part,
                    name=person.name,
                    affiliation=person.affiliation,
                    email="" if person.email.casefold() == email.casefold() else person.email,
                )
            )
        return tuple(faculty)

    def _email_of(self, member: FacultyDetails) -> str:
        user = self._db.get(User, member.user_id) if member.user_id else None
        return user.email if user else ""

    def _is_second(
        self, row: Row, key: tuple[str, ...], column: str, problems: list[Problem]
    ) -> bool:
        first = self._seen.setdefault(key, row.number)
        if first == row.number:
            return False
        words = f"Row {first} is about the same session. Take one of the two out."
        problems.append(Problem(row.number, column, words))
        return True

    def _warn(self, wish: Wish, problems: list[Problem]) -> None:
        """What is no reason to refuse, and worth knowing."""
        if wish.session is not None and not wish.is_filling:
            return
        starts_at = to_utc(wish.details.starts, wish.details.zone, on_fold="first")
        if starts_at <= self._now:
            words = "This day is over; the session can be kept but not announced any more."
            problems.append(Problem(wish.row.number, "date", words, is_warning=True))
        for exception in wish.series.exceptions if wish.series else ():
            if exception.day == wish.day:
                words = f"The series does not meet on this day: {exception.reason}."
                problems.append(Problem(wish.row.number, "date", words, is_warning=True))


def _rule_of(series: Series, day: date) -> PlanningRule | None:
    """The rule that holds on the day, else the last one."""
    holding = [
        rule
        for rule in series.rules
        if rule.first_day <= day and (rule.last_day is None or day <= rule.last_day)
    ]
    found = holding or list(series.rules)
    return found[-1] if found else None


def _duplicate(row: Row, there: WebinarSession) -> Problem:
    moved = to_local(there.starts_at, there.zone).date() != there.planned_day
    now_on = f", moved to {local_date(there.starts_at, there.zone)}" if moved else ""
    words = (
        f"The series has a session for this day already{now_on}: “{there.title}”. "
        f"To change that one, put its id {there.public_id} into the first column; else choose "
        "another day."
    )
    return Problem(row.number, "date", words)


def _has(problems: Iterable[Problem], *columns: str) -> bool:
    return any(problem.column in columns for problem in problems)


def _is_same(person: Person, member: FacultyDetails, email: str) -> bool:
    """By e-mail where both have one, else by name."""
    if person.email and email:
        return person.email.casefold() == email.casefold()
    return " ".join(person.name.split()).casefold() == " ".join(member.name.split()).casefold()
