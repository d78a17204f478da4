"""Sessions are found by all their words, the same on both databases, and never forgotten."""

import pytest
from alembic import command
from flask import Flask
from sqlalchemy import select, text

from tests.builders import make_faculty, make_series, make_session, make_society, make_topic
from webinar.cli.db import alembic_config
from webinar.db import DbSession
from webinar.models import SessionText, WebinarSession
from webinar.services.search import matching, reindex

# What finds the session of the fixture, and it alone.
FINDING = (
    "methode",
    "MÉTHODE ilse",
    "sentinel nodes",
    "adjuvant her2",
    "axillary",
    "muller",
    "Müller",
    "MULLER jurgen",
    "wisniewski lukasz",
    "Łukasz",
    "παπαδοπουλος",
    "ΝΊΚΟΣ",
    "παπαδ",
    "Saint-Etienne hopital",
    "akesson zoe",
    "ovarian",
    "gynecologie",
    "grand rounds",
    "towarzystwo",
    "sentinel ther",
    '"sentinel',
    "sentinel 🎉",
    "method",
)
# What names something the session does not say.
MISSING = (
    "sentinel unrelated",
    "thera nodes",  # only the last word is a beginning
    '"',
    "'; DROP TABLE session; --",
    "sentinel OR unrelated",
    "sentinel NOT nodes",
    "NEAR(sentinel nodes)",
    "body:sentinel",
    "sent* nodes",
    ":* & | ! <->",
    "\x00",
    "sentinel\x00nodes x",
    "🎉",
    "%",
    "_",
    "\\",
    "x" * 10_000,
    "NEAR",
)


def found(db: DbSession, words: str) -> set[int]:
    return set(db.scalars(matching(db, words)))


def bodies(db: DbSession) -> dict[int, str]:
    return {row[0]: row[1] for row in db.execute(select(SessionText.session_id, SessionText.body))}


@pytest.fixture
def session(db: DbSession) -> WebinarSession:
    """One session with something in every field, and another that must not be found for it."""
    society = make_society(db)
    society.name = "Europejskie Towarzystwo Onkologii"
    series = make_series(db, society=society)
    series.name = "Grand Rounds"
    topic = make_topic(db)
    topic.name = "Gynécologie"
    below = make_topic(db)
    below.name, below.parent_id = "Ovarian cancer", topic.id
    session = make_session(db, title="Schwester Ilse's Méthode", series=series, topics=(below,))
    session.abstract = "Sentinel nodes after neo-adjuvant therapy in HER2+ disease."
    session.objectives = "Choose between axillary surgery and radiotherapy"
    for name in ("Prof. Jürgen Müller", "Łukasz Wiśniewski", "Νίκος Παπαδόπουλος"):
        make_faculty(db, session, name=name)
    make_faculty(db, session, name="Zoë Åkesson").affiliation = "Hôpital Saint-Étienne"
    make_session(db, title="Something else altogether")
    db.commit()
    return session


def test_a_session_is_found_by_any_of_its_words(db: DbSession, session: WebinarSession) -> None:
    missed = [words for words in FINDING if found(db, words) != {session.id}]

    assert missed == []


def test_whatever_is_typed_is_words_and_nothing_else(
    db: DbSession, session: WebinarSession
) -> None:
    slipped = [words for words in MISSING if found(db, words) != set()]

    assert slipped == []


def test_no_words_find_everything(db: DbSession, session: WebinarSession) -> None:
    assert len(found(db, "  ")) == 2


def test_new_words_are_found_and_old_ones_are_not(db: DbSession, session: WebinarSession) -> None:
    session.title = "Immunotherapy"
    session.faculty = [member for member in session.faculty if "Müller" not in member.name]
    session.series.name = "Masterclass"
    session.society.name = "School of Oncology"
    session.topics[0].name = "Cervical cancer"
    db.commit()

    for words in ("immunotherapy", "masterclass", "school", "cervical"):
        assert (words, found(db, words)) == (words, {session.id})
    for words in ("methode", "muller", "rounds", "towarzystwo", "ovarian"):
        assert (words, found(db, words)) == (words, set())


def test_a_topic_moved_in_the_tree_takes_its_words_along(
    db: DbSession, session: WebinarSession
) -> None:
    session.topics[0].parent_id = None
    db.commit()

    assert found(db, "gynecologie") == set()


def test_a_discarded_session_is_not_found(db: DbSession, session: WebinarSession) -> None:
    session.topics = []
    db.delete(session)
    db.commit()

    assert found(db, "sentinel") == set()
    assert len(found(db, "")) == 1


def test_what_is_taken_back_is_not_found(db: DbSession, session: WebinarSession) -> None:
    session.title = "Radiology"
    db.flush()
    db.rollback()

    assert found(db, "radiology") == set()
    assert found(db, "methode") == {session.id}


def test_a_lost_index_is_written_anew(app: Flask, db: DbSession, session: WebinarSession) -> None:
    db.execute(text("DELETE FROM session_text"))
    db.commit()
    lost = found(db, "sentinel")

    written, again = reindex(db), reindex(db)
    db.commit()

    assert (lost, written, again) == (set(), 2, 0)
    assert found(db, "sentinel") == {session.id}


def test_sessions_from_before_the_index_are_found_with_the_same_words(
    app: Flask, db: DbSession, session: WebinarSession
) -> None:
    before = bodies(db)
    db.commit()

    with app.app_context():
        command.downgrade(alembic_config(), "0002")
        command.upgrade(alembic_config(), "head")

    after = bodies(db)
    # The tree of topics is younger than the sessions the migration is for.
    assert {key: set(body.split()) - {"gynecologie"} for key, body in before.items()} == {
        key: set(body.split()) for key, body in after.items()
    }
    assert found(db, "muller") == {session.id}
