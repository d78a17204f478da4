"""Segments into the database as players touch them: thousands a second, in one statement each time.

Straight through the driver's own parameters: to adapt each value of each row by its column type
takes several times as long as the database itself.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from webinar.db import DbSession

COLUMNS = "pass_id, number, from_ms, to_ms, seq, first_at, last_at"
# What is there only grows: `excluded` is what was to be inserted.
GROWING = """
    ON CONFLICT (pass_id, number) DO UPDATE SET
        from_ms = {least}(watch_segment.from_ms, excluded.from_ms),
        to_ms = {greatest}(watch_segment.to_ms, excluded.to_ms),
        seq = {greatest}(watch_segment.seq, excluded.seq),
        last_at = {greatest}(watch_segment.last_at, excluded.last_at)
"""
SQLITE = (
    f"INSERT INTO watch_segment ({COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?)"  # noqa: S608 - constants
    + GROWING.format(least="min", greatest="max")
)
# Arrays: one statement with seven parameters, however many rows there are. They are written as
# text by us: the driver takes thirty times as long over lists, and lets no other thread in.
POSTGRESQL = (
    f"INSERT INTO watch_segment ({COLUMNS}) SELECT * FROM unnest("  # noqa: S608 - constants
    "%s::text::text[], %s::text::integer[], %s::text::bigint[], %s::text::bigint[],"
    " %s::text::integer[], %s::text::timestamp[], %s::text::timestamp[])"
    + GROWING.format(least="least", greatest="greatest")
)
ROWS_AT_ONCE = 5_000


@dataclass(frozen=True)
class Touched:
    """A segment as far as it is known, the beat that said so and when it came."""

    pass_id: str
    number: int
    from_ms: int
    to_ms: int
    seq: int
    first_at: datetime
    last_at: datetime


def write(db: DbSession, touched: Sequence[Touched]) -> None:
    """Write segments, each (pass, number) at most once; a row there already only grows.

    Raises IntegrityError if a pass has no row.
    """
    connection = db.connection()
    is_sqlite = connection.dialect.name == "sqlite"
    for first in range(0, len(touched), ROWS_AT_ONCE):
        rows = [_row(row) for row in touched[first : first + ROWS_AT_ONCE]]
        if is_sqlite:
            connection.exec_driver_sql(SQLITE, rows)
        else:
            columns = tuple(_array(column) for column in zip(*rows, strict=True))
            connection.exec_driver_sql(POSTGRESQL, columns)


def _array(values: Sequence[str | int]) -> str:
    # Numbers, instants and the ids of passes (base64url): nothing that would have to be quoted.
    return "{" + ",".join(map(str, values)) + "}"


def _row(row: Touched) -> tuple[str, int, int, int, int, str, str]:
    first_at = _as_stored(row.first_at)
    last_at = first_at if row.last_at is row.first_at else _as_stored(row.last_at)
    return (row.pass_id, row.number, row.from_ms, row.to_ms, row.seq, first_at, last_at)


def _as_stored(at: datetime) -> str:
    # As UTCDateTime writes it on SQLite, which compares instants as text.
    text = at.isoformat(" ", "microseconds")
    if at.tzinfo is not UTC:
        text = at.astimezone(UTC).isoformat(" ", "microseconds")
    return text[:26]
