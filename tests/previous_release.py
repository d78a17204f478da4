"""The rows a database of the last release holds: what upgrades are tried on.

When a release is made, load its demonstration season into an empty SQLite database with that
release's program and write the rows down: python -m tests.previous_release DATABASE
"""

import gzip
import io
import json
import sqlite3
import sys
from collections.abc import Iterator
from pathlib import Path

from sqlalchemy import Connection, inspect, text

FILE = Path(__file__).parent / "data" / "previous_release" / "rows.jsonl.gz"
# Hundreds of one kind show no more than some.
SOME = {
    "delivery": 80,
    "media_segment": 40,
    "recording_chapter": 40,
    "recording_slide": 40,
}
# What the database makes itself.
OWN = ("session_search", "sqlite_", "alembic_version")

Row = dict[str, object]


def revision() -> str:
    """The last migration of that release."""
    return str(next(_lines())["revision"])


def rows() -> Iterator[tuple[str, Row]]:
    """Table and row, in no order of foreign keys."""
    lines = _lines()
    next(lines)
    for line in lines:
        yield str(line["table"]), dict(line["row"])  # type: ignore[call-overload]


def tables() -> frozenset[str]:
    """Those that have a row."""
    return frozenset(table for table, _ in rows())


def load(connection: Connection) -> int:
    """Insert all, naming the columns that release knew; says how many."""
    number = 0
    with _WithoutForeignKeys(connection):
        for table, row in rows():
            connection.execute(text(statement(table, row)), row)
            number += 1
    if connection.dialect.name == "postgresql":
        _count_on(connection)
    return number


def statement(table: str, row: Row) -> str:
    """The INSERT of that release."""
    names = ", ".join(f'"{name}"' for name in row)
    values = ", ".join(f":{name}" for name in row)
    return f'INSERT INTO "{table}" ({names}) VALUES ({values})'  # noqa: S608 - our own names


class _WithoutForeignKeys:
    """Rows come in any order."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def __enter__(self) -> None:
        if self._connection.dialect.name == "postgresql":
            self._connection.execute(text("SET session_replication_role = replica"))
        else:
            self._connection.execute(text("PRAGMA defer_foreign_keys = ON"))

    def __exit__(self, *_: object) -> None:
        if self._connection.dialect.name == "postgresql":
            self._connection.execute(text("SET session_replication_role = origin"))


def _count_on(connection: Connection) -> None:
    """New rows get numbers behind those that are there."""
    for table in inspect(connection).get_table_names():
        if not table.startswith("procrastinate_") and any(
            column["name"] == "id" and column.get("autoincrement")
            for column in inspect(connection).get_columns(table)
        ):
            counted = f"pg_get_serial_sequence('\"{table}\"', 'id')"
            highest = f'(SELECT coalesce(max(id), 0) + 1 FROM "{table}")'  # noqa: S608
            connection.execute(text(f"SELECT setval({counted}, {highest}, false)"))


def _lines() -> Iterator[Row]:
    with gzip.open(FILE, "rt", encoding="utf-8") as lines:
        for line in lines:
            yield json.loads(line)


def _write(database: str) -> int:
    out, number = io.StringIO(), 0
    with sqlite3.connect(database) as db:
        found = db.execute("SELECT version_num FROM alembic_version").fetchone()[0]
        out.write(json.dumps({"revision": found}) + "\n")
        names = db.execute("SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name")
        for (table,) in names.fetchall():
            if table.startswith(OWN):
                continue
            columns = db.execute(f'PRAGMA table_info("{table}")').fetchall()
            truths = {column[1] for column in columns if column[2] == "BOOLEAN"}
            most = SOME.get(table, 100_000)
            for values in db.execute(f'SELECT * FROM "{table}" ORDER BY 1 LIMIT {most}'):  # noqa: S608
                row = {
                    column[1]: bool(value) if column[1] in truths and value is not None else value
                    for column, value in zip(columns, values, strict=True)
                }
                out.write(json.dumps({"table": table, "row": row}) + "\n")
                number += 1
    # The same rows make the same file.
    FILE.write_bytes(gzip.compress(out.getvalue().encode(), mtime=0))
    return number


if __name__ == "__main__":
    sys.stdout.write(f"{_write(sys.argv[1])} rows, {FILE.stat().st_size:,} bytes\n")
