"""sessions are found by their words: an index over session_text, and the words of what is there"""

import re
import unicodedata

import sqlalchemy as sa
from alembic import op

revision = '0003'
down_revision = '0002'

# Each row gives its words up when it changes: the index has no text of its own.
OUT = (
    "INSERT INTO session_search (session_search, rowid, body)"
    " VALUES ('delete', old.session_id, old.body);"
)
IN = "INSERT INTO session_search (rowid, body) VALUES (new.session_id, new.body);"
SQLITE = (
    # The words are folded already; by two and three letters the beginning of one is found at once.
    "CREATE VIRTUAL TABLE session_search USING fts5(body, content='session_text',"
    " content_rowid='session_id', tokenize='unicode61 remove_diacritics 0', prefix='2 3')",
    f"CREATE TRIGGER session_search_in AFTER INSERT ON session_text BEGIN {IN} END",
    f"CREATE TRIGGER session_search_out AFTER DELETE ON session_text BEGIN {OUT} END",
    f"CREATE TRIGGER session_search_anew AFTER UPDATE ON session_text BEGIN {OUT} {IN} END",
)

# As the program of this release folds them; see webinar/domain/findable.py.
WORD = re.compile(r"[^\W_]+")
PLAIN = str.maketrans({"ł": "l", "ø": "o", "đ": "d", "ð": "d", "ħ": "h", "ı": "i", "æ": "ae", "œ": "oe", "þ": "th", "ŋ": "n"})


def upgrade() -> None:
    connection = op.get_bind()
    if connection.dialect.name == "sqlite":
        for statement in SQLITE:
            # Not as text: a colon in it would be taken for a parameter.
            connection.exec_driver_sql(statement)
    else:
        op.execute(
            "CREATE INDEX session_search ON session_text"
            " USING gin (array_to_tsvector(string_to_array(body, ' ')))"
        )
    for session_id, text in _texts(connection).items():
        connection.execute(
            sa.text(
                "INSERT INTO session_text (session_id, body) VALUES (:session_id, :body)"
                " ON CONFLICT (session_id) DO UPDATE SET body = excluded.body"
            ),
            {"session_id": session_id, "body": _folded(text)},
        )


def downgrade() -> None:
    if op.get_bind().dialect.name == "sqlite":
        for name in ("session_search_in", "session_search_out", "session_search_anew"):
            op.execute(f"DROP TRIGGER {name}")
        op.execute("DROP TABLE session_search")
    else:
        op.execute("DROP INDEX session_search")
    op.execute("DELETE FROM session_text")


def _texts(connection: sa.Connection) -> dict[int, str]:
    found = {
        row[0]: "\n".join(text or "" for text in row[1:])
        for row in connection.execute(
            sa.text(
                "SELECT session.id, session.title, session.abstract, session.objectives,"
                " society.name, society.short_name, series.name FROM session"
                " JOIN society ON society.id = session.society_id"
                " LEFT JOIN series ON series.id = session.series_id ORDER BY session.id"
            )
        )
    }
    for statement in (
        "SELECT session_id, name || ' ' || affiliation FROM faculty_member ORDER BY position, id",
        "SELECT session_id, topic.name FROM session_topic"
        " JOIN topic ON topic.id = session_topic.topic_id ORDER BY session_id, topic.id",
    ):
        for session_id, text in connection.execute(sa.text(statement)):
            found[session_id] += f"\n{text}"
    return found


def _folded(text: str) -> str:
    apart = unicodedata.normalize("NFKD", text.casefold())
    bare = "".join(sign for sign in apart if not unicodedata.combining(sign))
    words = WORD.findall(bare.casefold().translate(PLAIN))
    return " ".join(dict.fromkeys(word[:60] for word in words))
