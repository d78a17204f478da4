"""People at work while a backup is taken: they register, watch, are decided upon and certified."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import count

from sqlalchemy import select

from config import Config
from tests.builders import NOW, make_session, make_user
from tests.evidence import AFTER, make_attendee, make_ended_session, make_grant
from webinar.db import DbSession, open_db
from webinar.domain.attendance import ViewingMode
from webinar.jobs.certificates import set_certificates
from webinar.jobs.toolbox import Toolbox
from webinar.models import ViewingPass
from webinar.services import attendance, credits, registrations
from webinar.services.evidence import freezing
from webinar.services.evidence.segment_rows import Touched

PEOPLE = 30


@dataclass
class Work:
    """What was done so far, as those who did it were told."""

    registered: list[tuple[int, int]] = field(default_factory=list)
    beats: int = 0
    decided: int = 0
    failures: list[BaseException] = field(default_factory=list)

    def settle(self, least: int) -> None:
        """Wait until everybody has done so much more."""
        wanted = [done + least for done in self._done()]
        end = time.monotonic() + 60
        while any(done < enough for done, enough in zip(self._done(), wanted, strict=True)):
            assert not self.failures, self.failures
            assert time.monotonic() < end, "nobody works any more"
            time.sleep(0.01)

    def _done(self) -> list[int]:
        return [len(self.registered), self.beats, self.decided]


@dataclass(frozen=True)
class Place:
    """The sessions it happens in: one to come, one watched, one that has ended."""

    to_come: int
    watched: int
    ended: int


def make_place(db: DbSession) -> Place:
    """Sessions with a grant, people and what they watched."""
    to_come, watched = make_session(db), make_ended_session(db)
    ended = make_ended_session(db)
    make_grant(db, ended, "ama-pra-live", "0.75")
    for session in (watched, ended):
        for number in range(PEOPLE):
            make_attendee(db, session, name=f"Dr Number {number}")
    place = Place(to_come.id, watched.id, ended.id)
    db.commit()
    return place


@contextmanager
def working(config: Config, place: Place) -> Iterator[Work]:
    """Threads that do all this until the end; what goes wrong for them goes wrong here."""
    work, stop = Work(), threading.Event()
    tools = Toolbox.from_config(config)

    def again(step: Callable[[int], None]) -> None:
        try:
            for number in count():
                if stop.is_set():
                    return
                step(number)
                stop.wait(0.005)
        except BaseException as failure:
            work.failures.append(failure)

    def register(_: int) -> None:
        with open_db.begin() as db:
            user_id = make_user(db).id
            registrations.register(db, place.to_come, user_id, now=NOW)
        work.registered.append((place.to_come, user_id))

    def watch(number: int) -> None:
        with open_db.begin() as db:
            # Beats come to pages that are open, and only what has ended is frozen.
            passes = _passes(db, place.watched)[PEOPLE // 2 :]
            at = AFTER + timedelta(seconds=number)
            touched = [_touched(one, number + 1, at) for one in passes]
            attendance.store_segments(db, touched, now=at)
        work.beats += 1

    def decide(number: int) -> None:
        with open_db.begin() as db:
            if number % 2:
                _freeze_one(db, place.watched, now=AFTER + timedelta(days=number))
            else:
                person = _people(db, place.ended)[number // 2 % PEOPLE]
                credits.decide_people(
                    db, place.ended, [person], public_url=config.PUBLIC_URL, now=AFTER
                )
        work.decided += 1

    def certify(_: int) -> None:
        set_certificates(tools, AFTER)

    steps = (register, register, watch, decide, certify)
    threads = [threading.Thread(target=again, args=[step]) for step in steps]
    for thread in threads:
        thread.start()
    try:
        yield work
    finally:
        stop.set()
        for thread in threads:
            thread.join()
    assert work.failures == []


def _touched(pass_id: str, number: int, at: datetime) -> Touched:
    return Touched(pass_id, number % 4_000, 0, 1_000 + number, number, at, at)


def _people(db: DbSession, session_id: int) -> list[int]:
    return list(
        db.scalars(
            select(ViewingPass.user_id)
            .where(ViewingPass.session_id == session_id, ViewingPass.mode == ViewingMode.LIVE)
            .order_by(ViewingPass.user_id)
        )
    )


def _freeze_one(db: DbSession, session_id: int, *, now: datetime) -> None:
    ended = db.scalars(
        select(ViewingPass.id).where(
            ViewingPass.id.in_(_passes(db, session_id)[: PEOPLE // 2]),
            ViewingPass.frozen_at.is_(None),
        )
    )
    freezing.freeze(db, session_id, ended.all()[:1], now=now)


def _passes(db: DbSession, session_id: int) -> list[str]:
    return list(
        db.scalars(
            select(ViewingPass.id)
            .where(ViewingPass.session_id == session_id)
            .order_by(ViewingPass.user_id)
        )
    )
