"""A season held against what a body asks of an application: what fails, and until when to apply."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum

from webinar.domain.application_terms import ApplicationTerms, Covers
from webinar.domain.credit import GrantStatus
from webinar.domain.timezone import to_local
from webinar.domain.wording import day_words, plural


class Standing(StrEnum):
    """How the season stands with the body, the most urgent first."""

    TOO_LATE = "too late"
    LATE_FEE = "late fee"
    DUE = "due"
    NO_DEADLINE = "no deadline"
    DONE = "done"


@dataclass(frozen=True, kw_only=True)
class PlannedSession:
    """What the planner needs of a session; `specialties` are the roots of its topics."""

    key: str
    title: str
    starts_at: datetime
    ends_at: datetime
    zone: str
    specialties: frozenset[str] = frozenset()
    status: GrantStatus = GrantStatus.NONE

    @property
    def day(self) -> date:
        """As the calendar of its zone has it: bodies count days, not hours."""
        return to_local(self.starts_at, self.zone).date()

    @property
    def minutes(self) -> int:
        """Real minutes: a change of the clocks meanwhile makes it no longer."""
        return int((self.ends_at - self.starts_at).total_seconds()) // 60

    @property
    def is_open(self) -> bool:
        """True if the body was not asked yet."""
        return self.status is GrantStatus.NONE


@dataclass(frozen=True)
class Deadline:
    """A day by which something has to be done, and how far it is."""

    day: date
    what: str
    words: str
    is_over: bool


@dataclass(frozen=True)
class Line:
    """A session with what the body would not take, and its own deadline if it has one."""

    session: PlannedSession
    faults: tuple[str, ...]
    deadline: Deadline | None


@dataclass(frozen=True)
class Check:
    """A term that the season as a whole meets or not, in words."""

    what: str
    holds: bool
    why: str


@dataclass(frozen=True)
class Plan:
    """The season under one body's terms."""

    terms: ApplicationTerms
    lines: tuple[Line, ...]
    standing: Standing
    deadlines: tuple[Deadline, ...]
    """Next one first, then those that are over."""
    checks: tuple[Check, ...]
    specialty: str
    in_time_from: date | None
    """The first day whose sessions can still be applied for in time, if others cannot."""

    @property
    def open(self) -> tuple[Line, ...]:
        """The sessions the body was not asked about."""
        return tuple(line for line in self.lines if line.session.is_open)

    @property
    def applicable(self) -> tuple[Line, ...]:
        """Those of them that meet the terms."""
        return tuple(line for line in self.open if not line.faults)

    @property
    def next_deadline(self) -> Deadline | None:
        """What to look at first."""
        return self.deadlines[0] if self.deadlines else None

    def count(self, status: GrantStatus) -> int:
        """How many sessions stand there."""
        return sum(line.session.status == status for line in self.lines)


def plan(terms: ApplicationTerms, sessions: Sequence[PlannedSession], *, today: date) -> Plan:
    """The sessions, earliest first, against the terms; `today` is a day in their zone."""
    ordered = sorted(sessions, key=lambda session: (session.starts_at, session.key))
    specialty = _specialty(ordered) if terms.same_specialty else ""
    waiting = [session for session in ordered if session.is_open]
    first = waiting[0].day if waiting else None
    deadlines = _deadlines(terms, waiting, today)
    lines = tuple(
        Line(
            session,
            tuple(_faults(terms, session, first, specialty)),
            _own_deadline(terms, session, today),
        )
        for session in ordered
    )
    return Plan(
        terms=terms,
        lines=lines,
        standing=_standing(terms, waiting, today),
        deadlines=deadlines,
        checks=tuple(_checks(terms, lines, first, specialty)),
        specialty=specialty,
        in_time_from=_in_time_from(terms, waiting, today),
    )


def distance(day: date, today: date) -> str:
    """`overdue by 9 days`, `today`, `in 3 weeks`: a day is over when it is over."""
    days = (day - today).days
    if days == 0:
        return "today"
    words = plural(abs(days), "day") if abs(days) < 21 else plural(abs(days) // 7, "week")
    return f"in {words}" if days > 0 else f"overdue by {words}"


def _specialty(sessions: Sequence[PlannedSession]) -> str:
    """That of most sessions; of as many, the one that comes first."""
    counted = Counter(name for session in sessions for name in sorted(session.specialties))
    return counted.most_common(1)[0][0] if counted else ""


def _faults(
    terms: ApplicationTerms, session: PlannedSession, first: date | None, specialty: str
) -> list[str]:
    faults = []
    shortest, longest = terms.shortest_minutes, terms.longest_minutes
    if shortest is not None and session.minutes < shortest:
        faults.append(f"{session.minutes} minutes: the least is {shortest}.")
    if longest is not None and session.minutes > longest:
        faults.append(f"{session.minutes} minutes: the most is {longest}.")
    last = terms.span_ends(first) if first and session.is_open else None
    if last is not None and session.day > last:
        months = plural(terms.within_months or 0, "month")
        faults.append(f"After {day_words(last)}, the last day within {months} of the first.")
    asks = terms.same_specialty and session.is_open
    if asks and specialty and specialty not in session.specialties:
        if not session.specialties:
            faults.append("No topic yet, so no specialty.")
        else:
            other = " and ".join(sorted(session.specialties))
            faults.append(f"Another specialty: {other}, not {specialty}.")
    return faults


def _checks(
    terms: ApplicationTerms, lines: Sequence[Line], first: date | None, specialty: str
) -> list[Check]:
    checks = []
    waiting = [line.session for line in lines if line.session.is_open]
    everyone = [line.session for line in lines]
    if terms.fewest_sessions is not None and waiting:
        enough = len(waiting) >= terms.fewest_sessions
        checks.append(
            Check(
                f"At least {plural(terms.fewest_sessions, 'session')}",
                enough,
                f"{plural(len(waiting), 'session is', 'sessions are')} not applied for yet.",
            )
        )
    last = terms.span_ends(first) if first else None
    if last is not None and waiting:
        beyond = [session for session in waiting if session.day > last]
        checks.append(
            Check(
                f"All within {plural(terms.within_months or 0, 'month')} of the first",
                not beyond,
                _why(
                    beyond,
                    f"The first is on {day_words(first or last)}, so the last may be on "
                    f"{day_words(last)}.",
                ),
            )
        )
    if (terms.shortest_minutes, terms.longest_minutes) != (None, None) and everyone:
        odd = [session for session in everyone if not _fits(terms, session)]
        fine = "All of them are." if not odd else ""
        checks.append(Check(_length_words(terms), not odd, _why(odd, fine)))
    if terms.same_specialty and waiting:
        other = [session for session in waiting if specialty not in session.specialties]
        known = specialty or "No session has a topic, so the specialty is not known"
        checks.append(Check("One specialty", not other, _why(other, f"{known}.")))
    return checks


def _fits(terms: ApplicationTerms, session: PlannedSession) -> bool:
    at_least = terms.shortest_minutes is None or session.minutes >= terms.shortest_minutes
    return at_least and (terms.longest_minutes is None or session.minutes <= terms.longest_minutes)


def _length_words(terms: ApplicationTerms) -> str:
    if terms.longest_minutes is None:
        return f"Each {terms.shortest_minutes} minutes or more"
    if terms.shortest_minutes is None:
        return f"Each {terms.longest_minutes} minutes or less"
    return f"Each from {terms.shortest_minutes} to {terms.longest_minutes} minutes"


def _why(failing: Sequence[PlannedSession], fine: str) -> str:
    if not failing:
        return fine
    days = [day_words(session.day) for session in failing[:3]]
    rest = f" and {len(failing) - 3} more" if len(failing) > 3 else ""
    count = plural(len(failing), "session does", "sessions do")
    sentence = f"{count} not hold: {', '.join(days)}{rest}."
    return f"{fine} {sentence}" if fine else sentence


def _deadlines(
    terms: ApplicationTerms, waiting: Sequence[PlannedSession], today: date
) -> tuple[Deadline, ...]:
    if not waiting:
        return ()
    if terms.covers is Covers.SEASON:
        found = _of_first(terms, waiting[0].day, today)
    else:
        own = [_own_deadline(terms, session, today) for session in waiting]
        found = [deadline for deadline in own if deadline is not None]
    coming = sorted((one for one in found if not one.is_over), key=lambda one: one.day)
    over = sorted((one for one in found if one.is_over), key=lambda one: one.day, reverse=True)
    return (*coming, *over)


def _of_first(terms: ApplicationTerms, first: date, today: date) -> list[Deadline]:
    days = [
        (terms.recommended_day(first), "Recommended day to apply"),
        (terms.last_day(first), "Last day for the complete file"),
        (terms.late_day(first), "Last day with a late fee"),
    ]
    return [_deadline(day, what, today) for day, what in days if day is not None]


def _own_deadline(terms: ApplicationTerms, session: PlannedSession, today: date) -> Deadline | None:
    if terms.covers is Covers.SEASON or not session.is_open:
        return None
    last, advised = terms.last_day(session.day), terms.recommended_day(session.day)
    on = f"session of {day_words(session.day)}"
    if last is not None:
        return _deadline(last, f"Last day to apply for the {on}", today)
    if advised is not None:
        return _deadline(advised, f"Recommended day to apply for the {on}", today)
    return None


def _deadline(day: date, what: str, today: date) -> Deadline:
    return Deadline(day, what, distance(day, today), day < today)


def _standing(terms: ApplicationTerms, waiting: Sequence[PlannedSession], today: date) -> Standing:
    if not waiting:
        return Standing.DONE
    standings = [_standing_of(terms, session.day, today) for session in waiting]
    if terms.covers is Covers.SEASON:
        return standings[0]
    # Of single sessions, those that are too late do not hide the next that is not.
    possible = [one for one in standings if one is not Standing.TOO_LATE]
    return possible[0] if possible else Standing.TOO_LATE


def _standing_of(terms: ApplicationTerms, first: date, today: date) -> Standing:
    last, late = terms.last_day(first), terms.late_day(first)
    if last is None:
        return Standing.NO_DEADLINE
    if today <= last:
        return Standing.DUE
    return Standing.LATE_FEE if late is not None and today <= late else Standing.TOO_LATE


def _in_time_from(
    terms: ApplicationTerms, waiting: Sequence[PlannedSession], today: date
) -> date | None:
    days = [session.day for session in waiting]
    in_time = [day for day in days if _standing_of(terms, day, today) is not Standing.TOO_LATE]
    if not in_time or len(in_time) == len(days):
        return None
    return min(in_time)
