"""Full-text search over sessions: one function to ask, and an index no writer can forget.

The words of a session stand folded in session_text. SQLite looks them up in an FTS5 table that
triggers keep equal to it, PostgreSQL in an index over it (migration 0003).
"""

from collections import defaultdict
from collections.abc import Iterable

from sqlalchemy import (
    Connection,
    Select,
    bindparam,
    cast,
    column,
    event,
    false,
    func,
    insert,
    inspect,
    literal_column,
    or_,
    select,
    table,
    update,
)
from sqlalchemy.dialects.postgresql import TSQUERY
from sqlalchemy.orm import UOWTransaction, sessionmaker

from webinar.db import DbSession
from webinar.domain.findable import folded, words_sought
from webinar.models import FacultyMember, Series, SessionText, Society, Topic, WebinarSession
from webinar.models.season import session_topic

SESSION_WORDS = ("title", "abstract", "objectives", "series_id", "society_id", "topics")
AT_ONCE = 500
# Where a database session notes whose words it has to write before it commits.
STALE = "sessions whose words are stale"


def matching(db: DbSession, words: str) -> Select[int]:
    """Ids of the sessions that hold all the words, the last one as the beginning of a word.

    Safe for any text. No words at all match everything, signs without a word match nothing.
    """
    sought = words_sought(words)
    if not sought:
        everything = select(SessionText.session_id)
        return everything.where(false()) if words.strip() else everything
    if db.get_bind().dialect.name == "sqlite":
        index = table("session_search", column("rowid"))
        # Quoted: a word such as "or" is no operator.
        question = " AND ".join(f'"{word}"' for word in sought) + " *"
        found = select(literal_column("rowid", WebinarSession.id.type)).select_from(index)
        return found.where(literal_column("session_search").op("MATCH")(question))
    question = " & ".join(f"'{word}'" for word in sought) + ":*"
    # Written as the index is, else it is not used.
    lexemes = func.array_to_tsvector(func.string_to_array(SessionText.body, literal_column("' '")))
    return select(SessionText.session_id).where(lexemes.op("@@")(cast(question, TSQUERY)))


def keep_up_to_date(makers: Iterable[sessionmaker[DbSession]]) -> None:
    """From now on, whatever these commit is found by its new words; asking twice is once.

    The words are written once, just before the commit, however often a session was changed.
    """
    for maker in makers:
        if not event.contains(maker, "after_flush", _after_flush):
            event.listen(maker, "after_flush", _after_flush)
            event.listen(maker, "before_commit", _before_commit)


def reindex(db: DbSession, session_ids: Iterable[int] | None = None) -> int:
    """Write the words of these sessions, or of all, where they differ; says how many did."""
    connection = db.connection()
    if session_ids is None:
        session_ids = connection.scalars(select(WebinarSession.id).order_by(WebinarSession.id))
    ids = list(session_ids)
    return sum(
        _write(connection, ids[start : start + AT_ONCE]) for start in range(0, len(ids), AT_ONCE)
    )


def _after_flush(db: DbSession, _context: UOWTransaction) -> None:
    # What a rollback takes back stays noted: its words are then read as they are.
    db.info.setdefault(STALE, set()).update(_touched(db))


def _before_commit(db: DbSession) -> None:
    if db.in_nested_transaction():
        return
    db.flush()
    if stale := db.info.pop(STALE, None):
        reindex(db, sorted(stale))


def _touched(db: DbSession) -> set[int]:
    """The sessions whose words may have changed by what is being written."""
    ids: set[int] = set()
    series, societies = set(), set()
    has_topic_changed = False
    for row in db.new | db.dirty | db.deleted:
        match row:
            case WebinarSession() if row not in db.deleted and _changed(row, *SESSION_WORDS):
                ids.add(row.id)
            case FacultyMember() if row in db.deleted or _changed(row, "name", "affiliation"):
                ids.add(row.session_id)
            case Series() if row in db.dirty and _changed(row, "name"):
                series.add(row.id)
            case Society() if row in db.dirty and _changed(row, "name", "short_name"):
                societies.add(row.id)
            case Topic() if row in db.dirty and _changed(row, "name", "parent_id"):
                has_topic_changed = True
            case _:
                pass
    if series or societies:
        found = select(WebinarSession.id).where(
            or_(WebinarSession.series_id.in_(series), WebinarSession.society_id.in_(societies))
        )
        ids.update(db.connection().scalars(found))
    if has_topic_changed:
        # Also those below it are found by its name.
        ids.update(db.connection().scalars(select(session_topic.c.session_id).distinct()))
    return ids


def _changed(row: object, *names: str) -> bool:
    state = inspect(row, raiseerr=True)
    return any(state.attrs[name].history.has_changes() for name in names)


def _write(connection: Connection, ids: list[int]) -> int:
    """Reads below are of the connection, not of objects: nothing is loaded or flushed by them."""
    # First and locked: who waits here for another writer sees what that one has written.
    indexed = dict(
        connection.execute(
            select(SessionText.session_id, SessionText.body)
            .where(SessionText.session_id.in_(ids))
            .order_by(SessionText.session_id)
            .with_for_update()
        ).all()
    )
    bodies = _bodies(connection, ids)
    new = [{"session_id": key, "body": body} for key, body in bodies.items() if key not in indexed]
    changed = [
        {"of": key, "body": body}
        for key, body in bodies.items()
        if key in indexed and indexed[key] != body
    ]
    if new:
        connection.execute(insert(SessionText), new)
    if changed:
        anew = update(SessionText).where(SessionText.session_id == bindparam("of"))
        connection.execute(anew.values(body=bindparam("body")), changed)
    return len(new) + len(changed)


def _bodies(connection: Connection, ids: list[int]) -> dict[int, str]:
    texts: dict[int, list[str]] = {}
    for row in connection.execute(
        select(
            WebinarSession.id,
            WebinarSession.title,
            WebinarSession.abstract,
            WebinarSession.objectives,
            Society.name.label("society"),
            Society.short_name,
            Series.name.label("series"),
        )
        .join(Society, Society.id == WebinarSession.society_id)
        .outerjoin(Series, Series.id == WebinarSession.series_id)
        .where(WebinarSession.id.in_(ids))
        .order_by(WebinarSession.id)
    ):
        texts[row.id] = [
            row.title,
            row.abstract,
            row.objectives,
            row.society,
            row.short_name,
            row.series or "",
        ]
    for session_id, name, affiliation in connection.execute(
        select(FacultyMember.session_id, FacultyMember.name, FacultyMember.affiliation)
        .where(FacultyMember.session_id.in_(ids))
        .order_by(FacultyMember.position, FacultyMember.id)
    ):
        texts[session_id] += [name, affiliation]
    for session_id, names in _topics(connection, ids).items():
        texts[session_id] += names
    return {session_id: folded(*found) for session_id, found in texts.items()}


def _topics(connection: Connection, ids: list[int]) -> dict[int, list[str]]:
    """The names of each session's topics and of all those above them."""
    named: dict[int, list[str]] = defaultdict(list)
    of = connection.execute(
        select(session_topic.c.session_id, session_topic.c.topic_id)
        .where(session_topic.c.session_id.in_(ids))
        .order_by(session_topic.c.session_id, session_topic.c.topic_id)
    ).all()
    if not of:
        return named
    topics = {
        row.id: row for row in connection.execute(select(Topic.id, Topic.name, Topic.parent_id))
    }
    for session_id, topic_id in of:
        at: int | None = topic_id
        seen: set[int] = set()
        while at is not None and at not in seen:
            seen.add(at)
            named[session_id].append(topics[at].name)
            at = topics[at].parent_id
    return named
