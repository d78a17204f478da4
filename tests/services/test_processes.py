"""Which processes live: believed for a minute after they were seen."""

from datetime import datetime, timedelta

from tests.builders import NOW
from webinar.db import DbSession
from webinar.services import processes

SECOND = timedelta(seconds=1)


def see(db: DbSession, owner: str, *, role: str = "clock", now: datetime = NOW) -> None:
    processes.seen(db, owner=owner, role=role, host="one", release="0.1.0", started_at=NOW, now=now)


def test_a_process_that_was_seen_lives(db: DbSession) -> None:
    see(db, "one:2:b", role="worker")
    see(db, "one:1:a")

    assert [(row.role, row.owner) for row in processes.living(db, now=NOW)] == [
        ("clock", "one:1:a"),
        ("worker", "one:2:b"),
    ]


def test_one_that_goes_on_saying_so_goes_on_living(db: DbSession) -> None:
    see(db, "one:1:a")
    see(db, "one:1:a", now=NOW + 50 * SECOND)

    assert [row.started_at for row in processes.living(db, now=NOW + 100 * SECOND)] == [NOW]


def test_one_that_is_silent_for_a_minute_is_not_believed(db: DbSession) -> None:
    see(db, "one:1:a")

    assert processes.living(db, now=NOW + processes.BELIEVED_FOR) == []


def test_one_that_says_goodbye_is_gone_at_once(db: DbSession) -> None:
    see(db, "one:1:a")

    processes.gone(db, owner="one:1:a")
    db.flush()

    assert processes.living(db, now=NOW) == []
