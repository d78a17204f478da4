"""Beats on their way into the database: many requests, one writer, nothing promised too early."""

import atexit
import fcntl
import logging
import os
import time
from collections import OrderedDict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from threading import Condition, Lock, Thread, current_thread
from weakref import WeakSet

from sqlalchemy import Engine
from sqlalchemy.exc import IntegrityError, SQLAlchemyError

from webinar.db import DbSession, is_read_only
from webinar.domain.attendance import PlaySegment
from webinar.services.attendance import known_passes, store_segments
from webinar.services.evidence.segment_rows import Touched
from webinar.web import metrics

log = logging.getLogger(__name__)

UNKNOWN = -1
"""Durable of a pass this process has stored nothing for."""
# Nobody waits for it: who is told later that a beat is safe keeps it as long. Fewer, larger
# batches touch each page of the database and call the disk less often.
GATHER_SECONDS = 1.0
WAIT_SECONDS = 5.0
IDLE_SECONDS = 10.0
# Who waits holds a thread, and a whole audience leaves in the same minute.
MOST_WHO_WAIT = 8
LONGEST_PAUSE_SECONDS = 2.0
# Beats are small, but a database that is down for an hour must not fill the memory.
MOST_SEGMENTS_WAITING = 200_000
PASSES_REMEMBERED = 200_000


class BeatStore:
    """The waiting beats of one process, and the thread that writes them.

    A fork gets a store of its own: threads and what others wait for do not cross over.
    """

    _writer: Thread | None

    def __init__(
        self, engine: Engine, lock_file: Path | None, *, most_who_wait: int = MOST_WHO_WAIT
    ) -> None:
        self._engine = engine
        self._lock_file = lock_file
        self._most_who_wait = most_who_wait
        self._begin()
        _stores.add(self)

    def add(
        self, pass_id: str, seq: int, segments: Sequence[PlaySegment], at: datetime
    ) -> int | None:
        """Take a beat in and see to it that it is written; None if too much waits already.

        Returns up to which beat of this pass everything we took in is safe in the database.
        """
        if is_read_only():
            # Not one more than can be written: the player keeps it and sends it again.
            return self._durable_of(pass_id)
        with self._lock:
            if len(self._waiting) >= MOST_SEGMENTS_WAITING:
                return None
            for segment in segments:
                self._grow(pass_id, seq, segment, at)
            if self._writer is None:
                self._writer = Thread(target=self._write, name="beats", daemon=True)
                self._writer.start()
            elif not self._seqs:
                self._work.notify()
            lowest, highest = self._seqs.get(pass_id, (seq, seq))
            self._seqs[pass_id] = (min(lowest, seq), max(highest, seq))
            return self._safe(pass_id)

    def wait_for(self, pass_id: str, seq: int) -> int:
        """`durable` once it has reached `seq`, or whatever it is after some seconds.

        Whatever it is now, if as many wait already as may.
        """
        with self._lock:
            if self._hurried >= self._most_who_wait or is_read_only():
                return self._safe(pass_id)
            self._hurried += 1
            self._work.notify()
            self._changed.wait_for(lambda: self._safe(pass_id) >= seq, timeout=WAIT_SECONDS)
            self._hurried -= 1
            return self._safe(pass_id)

    def close(self) -> None:
        """Write what waits, at the end of the process."""
        with self._lock:
            self._closing = True
            self._work.notify()
            writer = self._writer
        if writer is not None:
            writer.join(timeout=WAIT_SECONDS)

    def forget(self) -> None:
        """Start anew in the child of a fork: what waited is the parent's to write."""
        self._begin()

    def _begin(self) -> None:
        self._lock = Lock()
        # Two lines to wait in, so that a beat that comes in wakes nobody it does not concern.
        self._work, self._changed = Condition(self._lock), Condition(self._lock)
        self._waiting: dict[tuple[str, int], Touched] = {}
        # Lowest and highest beat of each pass.
        self._seqs: dict[str, tuple[int, int]] = {}
        self._writing: dict[str, tuple[int, int]] = {}
        self._durable: OrderedDict[str, int] = OrderedDict()
        self._writer = None
        self._hurried = 0
        self._closing = False

    def _durable_of(self, pass_id: str) -> int:
        with self._lock:
            return self._safe(pass_id)

    def _safe(self, pass_id: str) -> int:
        # A beat that is heard late is not safe because a later one is.
        durable = self._durable.get(pass_id, UNKNOWN)
        for under_way in (self._seqs.get(pass_id), self._writing.get(pass_id)):
            if under_way is not None and under_way[0] <= durable:
                durable = under_way[0] - 1
        return durable

    def _grow(self, pass_id: str, seq: int, segment: PlaySegment, at: datetime) -> None:
        key = (pass_id, segment.number)
        from_ms, to_ms = round(segment.start * 1000), round(segment.end * 1000)
        known = self._waiting.get(key)
        if known is None:
            self._waiting[key] = Touched(pass_id, segment.number, from_ms, to_ms, seq, at, at)
        else:
            self._waiting[key] = replace(
                known,
                from_ms=min(known.from_ms, from_ms),
                to_ms=max(known.to_ms, to_ms),
                seq=max(known.seq, seq),
                first_at=min(known.first_at, at),
                last_at=max(known.last_at, at),
            )

    def _write(self) -> None:
        try:
            while (touched := self._next_batch()) is not None:
                if not self._stored_at_last(touched):
                    return
                self._remember()
        finally:
            # Whatever ended it: the next beat must find that nobody writes.
            with self._lock:
                if self._writer is current_thread():
                    self._writer = None

    def _stored_at_last(self, touched: list[Touched]) -> bool:
        """Try until they are stored, for nobody was told that they are; False at the very end."""
        pause = 0.1
        while not self._store(touched):
            metrics.STORE_FAILED.inc()
            if self._closing:
                return False
            time.sleep(pause)
            pause = min(2 * pause, LONGEST_PAUSE_SECONDS)
        metrics.STORED.inc(len(touched))
        metrics.WAITING.set(0)
        return True

    def _next_batch(self) -> list[Touched] | None:
        """What has gathered; None, and the thread is given up, when nothing comes for a while."""
        with self._lock:
            self._work.wait_for(lambda: self._seqs or self._closing, timeout=IDLE_SECONDS)
            if not self._seqs:
                self._writer = None
                return None
            self._work.wait_for(lambda: self._hurried or self._closing, timeout=GATHER_SECONDS)
            touched = list(self._waiting.values())
            metrics.WAITING.set(len(touched))
            self._writing, self._seqs, self._waiting = self._seqs, {}, {}
            return touched

    def _store(self, touched: list[Touched]) -> bool:
        """Commit, or say False. Beats under passes that no longer exist are left out."""
        try:
            with self._one_writer(), DbSession(self._engine) as db:
                store_segments(db, touched, now=datetime.now(UTC))
                db.commit()
        except IntegrityError:
            return self._store_known(touched)
        except (SQLAlchemyError, OSError) as problem:
            if is_read_only():
                log.warning("beats wait: the database is only to be read")
            else:
                log.error("beats not stored yet: segments=%s", len(touched), exc_info=problem)
            return False
        return True

    def _store_known(self, touched: list[Touched]) -> bool:
        try:
            with self._one_writer(), DbSession(self._engine) as db:
                known: set[str] = set()
                ids = sorted({row.pass_id for row in touched})
                for first in range(0, len(ids), 1000):
                    known |= known_passes(db, ids[first : first + 1000])
                there = [row for row in touched if row.pass_id in known]
                store_segments(db, there, now=datetime.now(UTC))
                db.commit()
        except (SQLAlchemyError, OSError):
            log.exception("beats could not be stored yet: segments=%s", len(touched))
            return False
        log.warning("beats of passes that are gone: passes=%s", len(set(ids) - known))
        return True

    def _remember(self) -> None:
        with self._lock:
            for pass_id, (_, highest) in self._writing.items():
                self._durable[pass_id] = max(highest, self._durable.get(pass_id, UNKNOWN))
                self._durable.move_to_end(pass_id)
            self._writing = {}
            while len(self._durable) > PASSES_REMEMBERED:
                self._durable.popitem(last=False)
            self._changed.notify_all()

    @contextmanager
    def _one_writer(self) -> Iterator[None]:
        """On SQLite processes queue here, where waiting is fair and costs nothing."""
        if self._lock_file is None:
            yield
            return
        with self._lock_file.open("ab") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield


_stores: "WeakSet[BeatStore]" = WeakSet()


def _forget_all() -> None:
    for store in _stores:
        store.forget()


def _close_all() -> None:
    for store in _stores:
        store.close()


os.register_at_fork(after_in_child=_forget_all)
atexit.register(_close_all)
