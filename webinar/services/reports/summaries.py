"""What each person's evidence of a session comes to, kept so that reports need not count again."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import cast

from sqlalchemy import Table, delete
from sqlalchemy.dialects import postgresql, sqlite

from webinar.db import DbSession
from webinar.domain.attendance import ViewingMode, coverage
from webinar.domain.span import Span
from webinar.domain.viewing import Viewing
from webinar.models import AttendanceSummary, WebinarSession
from webinar.services import attendance
from webinar.services.evidence import visits

ROWS_AT_ONCE = 1000
KEY = ("session_id", "user_id", "mode")

Row = dict[str, object]


def refresh(
    db: DbSession,
    session: WebinarSession,
    user_ids: Sequence[int] | None = None,
    *,
    now: datetime,
) -> int:
    """Count anew for these people, or for everybody; returns how many have evidence.

    Who has none any more has no summary either. Reads one person after the other, so that memory
    stays flat however much evidence there is.
    """
    stale = delete(AttendanceSummary).where(AttendanceSummary.session_id == session.id)
    if user_ids is not None:
        stale = stale.where(AttendanceSummary.user_id.in_(user_ids))
    db.execute(stale)
    written = 0
    for mode in (ViewingMode.LIVE, ViewingMode.RECORDED):
        watched = attendance.viewings(db, session.id, mode, user_ids=user_ids)
        written += _keep(db, session, mode, watched, user_ids, now)
    return written


def keep(
    db: DbSession,
    session: WebinarSession,
    mode: ViewingMode,
    watched: Mapping[int, Viewing],
    *,
    user_ids: Sequence[int] = (),
    now: datetime,
) -> int:
    """As `refresh`, for who has read the evidence of these people already.

    `user_ids` are those who may have been in rooms of others only, and have played nothing.
    """
    asked = sorted({*watched, *user_ids})
    db.execute(
        delete(AttendanceSummary).where(
            AttendanceSummary.session_id == session.id,
            AttendanceSummary.mode == mode,
            AttendanceSummary.user_id.in_(asked),
        )
    )
    return _keep(db, session, mode, watched.items(), asked, now)


def _keep(
    db: DbSession,
    session: WebinarSession,
    mode: ViewingMode,
    watched: Iterable[tuple[int, Viewing]],
    user_ids: Sequence[int] | None,
    now: datetime,
) -> int:
    counting = _Counting(session, mode, attendance.counting_window(db, session, mode), now)
    visited: dict[int, tuple[Span[float], ...]] = {}
    if mode is ViewingMode.LIVE:
        asked = sorted(visits.people(db, session.id)) if user_ids is None else user_ids
        visited = visits.spans(db, session, user_ids=asked)
    written = 0
    ready: list[Row] = []
    for user_id, viewing in watched:
        played = attendance.counting_spans(db, session, mode, viewing.spans())
        spans = [*played, *visited.pop(user_id, ())]
        ready.append(counting.row(user_id, spans, viewing))
        if len(ready) == ROWS_AT_ONCE:
            written += _write(db, ready)
            ready = []
    ready += [counting.row(user_id, spans, None) for user_id, spans in visited.items() if spans]
    return written + _write(db, ready)


@dataclass(frozen=True)
class _Counting:
    session: WebinarSession
    mode: ViewingMode
    window: Span[int]
    now: datetime

    def row(self, user_id: int, spans: Sequence[Span[float]], viewing: Viewing | None) -> Row:
        first_at, last_at = self._seen(spans, viewing)
        return {
            "session_id": self.session.id,
            "user_id": user_id,
            "mode": self.mode,
            "seconds": coverage(self.window, spans),
            "window_seconds": self.window.end - self.window.start,
            "first_at": first_at,
            "last_at": last_at,
            "updated_at": self.now,
        }

    def _seen(
        self, spans: Sequence[Span[float]], viewing: Viewing | None
    ) -> tuple[datetime, datetime]:
        """First and last second that counts; of a recording, when they watched."""
        if spans and (self.mode is ViewingMode.LIVE or viewing is None):
            return (
                datetime.fromtimestamp(min(span.start for span in spans), UTC),
                datetime.fromtimestamp(max(span.end for span in spans), UTC),
            )
        loads = viewing.loads if viewing else ()
        if not loads and viewing is not None:
            # All of it was said under a place that had been given up: nothing counts.
            heard = [load.last_seen_at for load in viewing.stored]
            return min(heard), max(heard)
        return (
            min(row.first_seen_at for load in loads for row in load.rows),
            max(load.last_seen_at for load in loads),
        )


def _write(db: DbSession, rows: list[Row]) -> int:
    if not rows:
        return 0
    table = cast(Table, AttendanceSummary.__table__)
    # Two may count at once, the clock and a report: the later one is as good as the earlier.
    if db.get_bind().dialect.name == "postgresql":
        fresh = postgresql.insert(table)
        db.execute(
            fresh.on_conflict_do_update(
                index_elements=list(KEY),
                set_={c.name: fresh.excluded[c.name] for c in table.c if c.name not in KEY},
            ),
            rows,
        )
    else:
        db.execute(sqlite.insert(table), rows)
    return len(rows)
