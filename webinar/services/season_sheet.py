"""A season taken in from a table and given out as one, by the same columns.

Taking in does everything it says, row by row; whoever asked for it commits if nothing is wrong and
rolls back otherwise, or after a dry run. So a dry run finds what the import itself would refuse.
"""

import hashlib
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

from sqlalchemy import select

from webinar.db import DbSession
from webinar.domain.errors import DomainError
from webinar.domain.season_cells import row_of
from webinar.domain.season_sheet import COLUMNS, EXPORTED, Problem, Row, table_of
from webinar.domain.session import SessionStatus
from webinar.domain.timezone import to_utc
from webinar.domain.wording import local_moment
from webinar.models import SeasonChange, Series, WebinarSession
from webinar.services import audit, season_changes, season_drafts, sessions
from webinar.services.feeds import CalendarTool
from webinar.services.season_places import Places, cells_by_id, whole
from webinar.services.season_rows import RowReader, Wish
from webinar.services.session_facts import details_of, name_for

HEAD = list(EXPORTED)


class Deed(StrEnum):
    """What a row does."""

    MAKES = "new draft"
    FILLS = "fills a planned date"
    CHANGES = "changes"
    KEEPS = "no change"
    REFUSED = "to put right"


@dataclass(frozen=True)
class Outcome:
    """What came of one row; `changes` names the columns that differ, with what they say now."""

    row: int
    deed: Deed
    title: str
    when: str
    changes: tuple[tuple[str, str, str], ...] = ()
    problems: tuple[Problem, ...] = ()
    told: int = 0


@dataclass(frozen=True)
class Taken:
    """What came of a table; problems of the first row belong to no outcome."""

    outcomes: tuple[Outcome, ...]
    problems: tuple[Problem, ...]

    @property
    def is_clean(self) -> bool:
        """True if every row can be imported."""
        return all(outcome.deed is not Deed.REFUSED for outcome in self.outcomes)

    @property
    def does_something(self) -> bool:
        """True if importing it changes the season."""
        return any(outcome.deed not in (Deed.KEEPS, Deed.REFUSED) for outcome in self.outcomes)

    @property
    def told(self) -> int:
        """How many mails people are sent because of it."""
        return sum(outcome.told for outcome in self.outcomes)

    def number(self, deed: Deed) -> int:
        """How many rows do this."""
        return Counter(outcome.deed for outcome in self.outcomes)[deed]

    @property
    def digest(self) -> str:
        """Differs if the same table would do something else, because the season changed."""
        return hashlib.sha256(repr(self.outcomes).encode()).hexdigest()


def take_in(
    db: DbSession,
    rows: Sequence[Sequence[str]],
    *,
    society_ids: frozenset[int] | None,
    home_zone: str,
    actor_id: int | None,
    calendar: CalendarTool,
    now: datetime,
) -> Taken:
    """Make, fill and change sessions as the rows say, all as one change that can be undone.

    The caller rolls back unless the answer is clean. `society_ids` are those the person plans
    for, None being all. Raises SheetRefused.
    """
    table = table_of(rows)
    places = Places(db, table.rows, society_ids=society_ids)
    reader = RowReader(db, places, home_zone=home_zone, now=now)
    change = season_changes.begin(db, actor_id=actor_id, summary="Import of a season", now=now)
    outcomes = []
    for row in table.rows:
        before = [problem for problem in table.problems if problem.row == row.number]
        wish, problems = reader.read(row, before)
        if wish is None or any(not problem.is_warning for problem in problems):
            outcomes.append(_refused(row, problems))
            continue
        try:
            with db.begin_nested():
                done = _do(db, wish, change, actor_id=actor_id, calendar=calendar, now=now)
        except DomainError as refusal:
            outcomes.append(_refused(row, [*problems, Problem(row.number, "", str(refusal))]))
            continue
        outcomes.append(replace(done, problems=(*problems, *done.problems)))
    taken = Taken(tuple(outcomes), tuple(found for found in table.problems if found.row == 1))
    audit.write(
        db,
        actor_id=actor_id,
        action="season imported",
        subject="season",
        after={deed.value: taken.number(deed) for deed in Deed},
        now=now,
    )
    return taken


def given_out(db: DbSession, session_ids: Sequence[int]) -> list[list[str]]:
    """The sessions as a table, names of columns first: what an import reads back unchanged."""
    found = whole(db, session_ids)
    cells = cells_by_id(db, found)
    return [HEAD, *(row_of(cells[session.id]) for session in found)]


def template() -> list[list[str]]:
    """The names of the columns and an example."""
    return [HEAD, [column.example for column in COLUMNS if column.name in EXPORTED]]


def _do(
    db: DbSession,
    wish: Wish,
    change: SeasonChange,
    *,
    actor_id: int | None,
    calendar: CalendarTool,
    now: datetime,
) -> Outcome:
    if wish.session is None:
        return _make(db, wish, change, actor_id=actor_id, calendar=calendar, now=now)
    session, before = wish.session, details_of(wish.session)
    if wish.details == before:
        return _outcome(wish, Deed.KEEPS)
    done = sessions.edit(
        db,
        session.id,
        wish.details,
        actor_id=actor_id,
        calendar=calendar,
        now=now,
        # All rows are read first: meanwhile somebody else may have filled the session in.
        seen_revision=session.revision,
        change=change,
    )
    if not done.fields:
        return _outcome(wish, Deed.KEEPS)
    after = cells_by_id(db, [session])[session.id]
    was = wish.cells
    return replace(
        _outcome(wish, Deed.FILLS if wish.is_filling else Deed.CHANGES),
        changes=tuple(
            (name, was[name], after[name]) for name in EXPORTED if was[name] != after[name]
        ),
        problems=_overlaps(db, wish, session)
        if {"starts_at", "ends_at"} & set(done.fields)
        else (),
        told=done.told,
    )


def _make(
    db: DbSession,
    wish: Wish,
    change: SeasonChange,
    *,
    actor_id: int | None,
    calendar: CalendarTool,
    now: datetime,
) -> Outcome:
    session = season_drafts.add(
        db,
        wish.details,
        series=wish.series,
        society_id=wish.society.id,
        change=change,
        actor_id=actor_id,
        calendar=calendar,
        now=now,
    )
    return replace(_outcome(wish, Deed.MAKES), problems=_overlaps(db, wish, session))


def _overlaps(db: DbSession, wish: Wish, session: WebinarSession) -> tuple[Problem, ...]:
    # Names alone, not whole sessions: this is asked for every row.
    others = db.execute(
        select(WebinarSession.title, WebinarSession.status, WebinarSession.society_id, Series.name)
        .outerjoin(Series, Series.id == WebinarSession.series_id)
        .where(
            WebinarSession.id != session.id,
            WebinarSession.status != SessionStatus.CANCELLED,
            WebinarSession.starts_at < session.ends_at,
            WebinarSession.ends_at > session.starts_at,
        )
        .order_by(WebinarSession.starts_at, WebinarSession.id)
    )
    theirs = frozenset({session.society_id})
    return tuple(
        Problem(
            wish.row.number,
            "start",
            f"At the same time: “{name_for(title, status, society_id, theirs)}”"
            + (f" of {series}." if series else "."),
            is_warning=True,
        )
        for title, status, society_id, series in others
    )


def _outcome(wish: Wish, deed: Deed) -> Outcome:
    starts_at = to_utc(wish.details.starts, wish.details.zone, on_fold="first", on_gap="forward")
    when = local_moment(starts_at, wish.details.zone)
    return Outcome(wish.row.number, deed, wish.details.title, when)


def _refused(row: Row, problems: Sequence[Problem]) -> Outcome:
    title = row.text("title") or row.text("series") or row.text("id")
    when = " ".join(text for text in (row.text("date"), row.text("start")) if text)
    return Outcome(row.number, Deed.REFUSED, title, when, problems=tuple(problems))
