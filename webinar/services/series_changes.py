"""Another rule from a day on: what it would add, move, keep and drop, and doing it in one piece."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta

from webinar.db import DbSession
from webinar.domain.errors import DomainError
from webinar.domain.series import (
    LONGEST_SPAN_DAYS,
    ImpossibleSpan,
    NoDates,
    PlannedSession,
    RuleRow,
    continued,
)
from webinar.domain.session import SessionStatus
from webinar.domain.timezone import to_local
from webinar.models import Series, WebinarSession
from webinar.services import audit, season_changes, sessions
from webinar.services.feeds import CalendarTool
from webinar.services.series import (
    draft,
    ensure_plannable,
    last_planned_day,
    planning_rule,
    rows_of,
)
from webinar.services.series_drafts import Standing, discard_all, standing_of
from webinar.services.series_preview import PlannedDate, sessions_by_day
from webinar.services.series_preview import preview as dates_of
from webinar.services.series_rules import note, snapshot


class NothingChanges(DomainError):
    """The rules are the ones the series has already."""


@dataclass(frozen=True)
class MovedDate:
    """A session whose day stays and whose hour changes."""

    session: WebinarSession
    planned: PlannedSession
    why: str  # "announced, 3 registered", or "" for a draft


@dataclass(frozen=True)
class KeptSession:
    """A session that no longer fits the rule, and stays as it is all the same."""

    session: WebinarSession
    why: str  # "edited", "announced, 3 registered"


@dataclass(frozen=True)
class RuleChange:
    """What a change of rules does, or did; each list in the order of its days."""

    rules: tuple[RuleRow, ...]  # all rules of the series afterwards
    added: tuple[PlannedDate, ...]
    moved: tuple[MovedDate, ...]
    kept: tuple[KeptSession, ...]
    dropped: tuple[WebinarSession, ...]
    unchanged: int  # sessions that are where the new rules want them already

    @property
    def announced_moves(self) -> list[tuple[WebinarSession, datetime]]:
        """The announced sessions that move, with their new start: their people are told."""
        return [
            (moved.session, moved.planned.starts_at)
            for moved in self.moved
            if moved.session.status is SessionStatus.PUBLISHED
        ]


def preview(
    db: DbSession,
    series_id: int,
    rules: Sequence[RuleRow],
    *,
    from_day: date,
    until: date,
    now: datetime,
) -> RuleChange:
    """What it would do to let the series meet by these rules from a day on; nothing is stored.

    It looks as far as `until`, and at least as far as sessions are planned. A rule that began
    earlier goes on in the same weeks. Raises ImpossibleSpan for a day that is over,
    NothingChanges, and the refusals of the rules.
    """
    return _change(db, db.get_one(Series, series_id), rules, from_day, until, now=now)


def apply(
    db: DbSession,
    series_id: int,
    rules: Sequence[RuleRow],
    *,
    from_day: date,
    until: date,
    actor_id: int | None,
    calendar: CalendarTool,
    now: datetime,
) -> RuleChange:
    """Do what `preview` shows; the people of announced sessions that move are told of it once.

    It can be taken back as one change of the season. Raises as `preview`.
    """
    series = db.get_one(Series, series_id, with_for_update=True, populate_existing=True)
    change = _change(db, series, rules, from_day, until, now=now)
    before = snapshot(series)
    spoken = f"{from_day.day} {from_day:%B %Y}"
    undoable = season_changes.begin(
        db, actor_id=actor_id, summary=f"{series.name}: another rule from {spoken}.", now=now
    )
    _put_rules(series, change.rules)
    db.flush()
    db.expire(series, ["rules"])
    discard_all(
        db,
        change.dropped,
        reason=f"Another rule from {spoken}",
        change=undoable,
        actor_id=actor_id,
        now=now,
    )
    for moved in change.moved:
        local = moved.planned.local_start
        length = moved.planned.ends_at - moved.planned.starts_at
        sessions.move(
            db,
            moved.session.id,
            local,
            minutes=int(length.total_seconds()) // 60,
            actor_id=actor_id,
            calendar=calendar,
            change=undoable,
            now=now,
        )
    made = tuple(
        date_.made(draft(series, date_, calendar=calendar, now=now)) for date_ in change.added
    )
    new = [date_.session for date_ in made if date_.session is not None]
    db.add_all(new)
    db.flush()
    for session in new:
        season_changes.note_made(undoable, session)
    note(db, undoable, series, before)
    audit.write(
        db,
        actor_id=actor_id,
        action="series rule changed",
        subject=f"series {series.id}",
        before={"rules": [_facts(row["rule"], row["local_start"]) for row in before["rules"]]},
        after={
            "from": from_day.isoformat(),
            "rules": [_facts(row.rule, row.local_start.isoformat()) for row in change.rules],
            "added": len(change.added),
            "moved": len(change.moved),
            "kept": len(change.kept),
            "dropped": len(change.dropped),
        },
        now=now,
    )
    return replace(change, added=made)


def _change(
    db: DbSession,
    series: Series,
    rules: Sequence[RuleRow],
    from_day: date,
    until: date,
    *,
    now: datetime,
) -> RuleChange:
    last = last_planned_day(db, series.id)
    today = to_local(now, series.zone).date()
    if from_day < today and last is not None:
        raise ImpossibleSpan("What is over stays as it was. Choose today or a later day.")
    until = max(until, last or until)
    if until < from_day or (until - from_day).days > LONGEST_SPAN_DAYS:
        raise ImpossibleSpan("Look at 3 years at most, and at a last day after the first.")
    wanted = [_going_on(row, rows_of(series), from_day) for row in rules]
    ensure_plannable([row.of_series(series.zone) for row in wanted])
    afterwards = _afterwards(rows_of(series), wanted, from_day)
    if afterwards == _in_order(rows_of(series)):
        raise NothingChanges("The series meets by these rules already. Nothing would change.")
    exceptions = frozenset(row.day for row in series.exceptions)
    new_rules = [row.of_series(series.zone, exceptions) for row in afterwards]
    there = sessions_by_day(db, series.id, from_day)
    standings = {
        found.session.planned_day: found
        for found in standing_of(db, series, [there[day] for day in sorted(there)], now=now)
    }
    try:
        dates = dates_of(
            db,
            new_rules,
            first_day=from_day,
            until=until,
            series_id=series.id,
            reader_zones=series.reader_zones,
            holiday_countries=series.holiday_countries,
        )
    except NoDates:
        if not standings:
            raise
        dates = []  # the series ends: only what falls out is left to show
    return _sorted_out(afterwards, dates, standings, now=now)


def _sorted_out(
    rules: tuple[RuleRow, ...],
    dates: Sequence[PlannedDate],
    standings: dict[date | None, Standing],
    *,
    now: datetime,
) -> RuleChange:
    added = tuple(date_ for date_ in dates if date_.is_new and date_.planned.starts_at > now)
    by_day = {date_.day: date_.planned for date_ in dates}
    moved, kept, dropped, unchanged = [], [], [], 0
    for day, found in standings.items():
        session, planned = found.session, by_day.get(day) if day else None
        if not found.may_move or session.starts_at <= now:
            continue  # over, on air or cancelled: rules no longer concern it
        if planned is None:
            if found.is_untouched:
                dropped.append(session)
            elif found.is_of_rule:
                kept.append(KeptSession(session, found.why))
        elif (session.starts_at, session.ends_at) == (planned.starts_at, planned.ends_at):
            unchanged += 1
        elif found.follows_rule and planned.starts_at > now:
            moved.append(MovedDate(session, planned, found.why))
        else:
            kept.append(KeptSession(session, found.why))
    return RuleChange(rules, added, tuple(moved), tuple(kept), tuple(dropped), unchanged)


def _going_on(wanted: RuleRow, present: Sequence[RuleRow], from_day: date) -> RuleRow:
    """The wanted rule as a row: the present one, with another end at most, or one that begins."""
    eve = from_day - timedelta(days=1)
    if any(replace(row, last_day=wanted.last_day) == wanted for row in present):
        if wanted.last_day is None or wanted.first_day > eve:
            return wanted
        return replace(wanted, last_day=max(wanted.last_day, eve))
    going_on = continued(wanted, from_day)
    if going_on is None:
        raise NoDates(
            f"The rule {wanted.rule} names no date from {from_day.day} {from_day:%B %Y} on. "
            "Choose another end, or take the rule out."
        )
    return going_on


def _afterwards(
    present: Sequence[RuleRow], wanted: Sequence[RuleRow], from_day: date
) -> tuple[RuleRow, ...]:
    """The rules until the day before as they are, and from the day on the wanted ones."""
    eve = from_day - timedelta(days=1)
    ended = [
        row if row.last_day is not None and row.last_day <= eve else replace(row, last_day=eve)
        for row in present
        if row.first_day <= eve
        and not any(replace(row, last_day=other.last_day) == other for other in wanted)
    ]
    return _in_order(dict.fromkeys([*wanted, *ended]))


def _in_order(rules: Iterable[RuleRow]) -> tuple[RuleRow, ...]:
    return tuple(sorted(rules, key=lambda row: (row.first_day, row.rule, row.local_start)))


def _put_rules(series: Series, rules: Sequence[RuleRow]) -> None:
    """Rows that say the same stay the same rows."""
    rows = dict(zip(rows_of(series), series.rules, strict=True))
    series.rules = [rows.pop(rule) if rule in rows else planning_rule(rule) for rule in rules]


def _facts(rule: str, local_start: str) -> str:
    return f"{rule} {local_start[:5]}"
