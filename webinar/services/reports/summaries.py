"""What each person's evidence of a session comes to, kept so that reports need not count again."""

from collections.abc import Iterable, Sequence
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
        window = attendance.counting_window(db, session, mode)
        ready: list[Row] = []
        for user_id, viewing in attendance.viewings(db, session.id, mode, user_ids=user_ids):
            row = _row(db, session, user_id, mode, viewing, window)
            if row is not None:
                ready.append({**row, "updated_at": now})
            if len(ready) == ROWS_AT_ONCE:
                written += _write(db, ready)
                ready = []
        written += _write(db, ready)
    return written


def _row(
    db: DbSession,
    session: WebinarSession,
    user_id: int,
    mode: ViewingMode,
    viewing: Viewing,
    window: Span[int],
) -> Row | None:
    spans = attendance.counting_spans(db, session, mode, viewing.spans())
    seconds = coverage(window, spans)
    if not viewing.loads:
        return None
    first_at, last_at = _seen(viewing, spans, mode)
    return {
        "session_id": session.id,
        "user_id": user_id,
        "mode": mode,
        "seconds": seconds,
        "window_seconds": window.end - window.start,
        "first_at": first_at,
        "last_at": last_at,
    }


def _seen(
    viewing: Viewing, spans: Iterable[Span[float]], mode: ViewingMode
) -> tuple[datetime, datetime]:
    """First and last second counted; of a recording, when they watched."""
    known = list(spans)
    if mode is ViewingMode.LIVE and known:
        return (
            datetime.fromtimestamp(min(span.start for span in known), UTC),
            datetime.fromtimestamp(max(span.end for span in known), UTC),
        )
    return (
        min(row.first_seen_at for load in viewing.loads for row in load.rows),
        max(load.last_seen_at for load in viewing.loads),
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
