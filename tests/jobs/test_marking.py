"""What was sent is written down, beside the threads that send."""

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime

import pytest
from sqlalchemy import Connection, func, select

from tests.builders import NOW, make_user
from tests.patience import wait_for
from webinar.db import DbSession, open_db
from webinar.domain.letter import MailKind
from webinar.jobs.marking import LEAST_PLACES, Marker
from webinar.models import Delivery
from webinar.services import deliveries


def owe(db: DbSession, count: int) -> list[int]:
    owed = [
        deliveries.queue(
            db,
            MailKind.SIGN_IN_LINK,
            user_id=make_user(db).id,
            subject_id=number,
            due_at=NOW,
            now=NOW,
        ).id
        for number in range(count)
    ]
    db.commit()
    return owed


def claim(ids: list[int]) -> datetime:
    with open_db.begin() as db:
        claimed, until = deliveries.claim_all(db, ids, now=NOW)
    assert claimed == ids
    return until


def send(ids: list[int]) -> int:
    """As one thread does it; how many of its mails are written down when it ends."""
    until = claim(ids)
    with Marker() as marker:
        for delivery_id in ids:
            assert marker.take_place(seconds=30)
            marker.sent(delivery_id, leased_until=until, now=NOW)
    return written(ids)


def written(ids: list[int]) -> int:
    with open_db() as db:
        count = select(func.count()).where(Delivery.id.in_(ids), Delivery.sent_at == NOW)
        return db.scalar(count) or 0


def writers() -> list[str]:
    return [one.name for one in threading.enumerate() if one.name == "mail-marker"]


def test_all_that_was_sent_is_written_when_each_of_several_threads_ends(db: DbSession) -> None:
    ids = owe(db, 60)

    with ThreadPoolExecutor(3) as pool:
        counts = list(pool.map(send, (ids[:20], ids[20:40], ids[40:])))

    assert counts == [20, 20, 20]


def test_no_more_than_two_mails_of_a_process_wait_to_be_written(
    db: DbSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    one, other, third = ids = owe(db, 3)
    until = claim(ids)
    go_on, mark = threading.Event(), deliveries.mark_all_sent

    def wait(
        connection: Connection, these: list[int], *, leased_until: datetime, now: datetime
    ) -> int:
        go_on.wait(30)
        return mark(connection, these, leased_until=leased_until, now=now)

    monkeypatch.setattr(deliveries, "mark_all_sent", wait)
    with Marker() as mine, Marker() as another:
        assert mine.take_place(seconds=0)
        # On its way to the mail server counts as well: it may have it at any moment.
        under_way = another.take_place(seconds=0)
        mine.sent(one, leased_until=until, now=NOW)
        had_place = mine.take_place(seconds=0)
        another.sent(other, leased_until=until, now=NOW)
        had_places = mine.take_place(seconds=0), another.take_place(seconds=0)
        before = written(ids)
        go_on.set()
        assert mine.take_place(seconds=30)
        mine.sent(third, leased_until=until, now=NOW)

    assert LEAST_PLACES == 2
    assert (under_way, had_place, had_places) == (True, False, (False, False))
    assert (before, written(ids)) == (0, 3)


def test_a_place_is_kept_until_a_mail_was_sent_and_given_back_at_the_end(db: DbSession) -> None:
    with Marker() as first, Marker() as second:
        with Marker() as third:
            # More who send have more places: a slow mail server is asked by all of them at once.
            taken = [one.take_place(seconds=0) for one in (first, second, third, third)]
        with Marker() as fourth:
            after = fourth.take_place(seconds=0)
        still = first.take_place(seconds=0)

    assert (taken, after, still) == ([True] * 4, True, True)


def test_the_one_who_writes_ends_with_the_last_who_sends_and_breaks_for_nobody(
    db: DbSession, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    ids = owe(db, 3)

    def breaks(*_args: object, **_more: object) -> int:
        raise RuntimeError("it broke")

    with monkeypatch.context() as patch:
        patch.setattr(deliveries, "mark_all_sent", breaks)
        lost = send(ids[:1])
    after = send(ids[1:])

    assert (lost, after) == (0, 2)
    assert "mails that were sent are not written down" in caplog.text
    wait_for(lambda: writers() == [])
