"""Writing down what the mail server took, beside the threads that hand it the next mails."""

import logging
import os
import threading
import time
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import datetime
from types import TracebackType
from typing import Self

from sqlalchemy import Connection
from sqlalchemy.exc import SQLAlchemyError

from webinar.db import open_db
from webinar.services import deliveries

log = logging.getLogger(__name__)

# So many mails of a process may be on their way to the mail server or with it and not yet written
# down as sent: no more than these are sent twice when it is killed. One for each sender, if more.
LEAST_PLACES = 2
PAUSE_SECONDS = 0.2
GATHER_SECONDS = 0.001
# The lease is over then, and the mail is anybody's.
GIVE_UP_SECONDS = 30


class Marker:
    """`with Marker() as marker:` take a place, send, and tell it so; at the end all are written.

    One for each thread that sends; one thread of the process writes for all of them, for two would
    be in each other's way: on SQLite a mail was at risk six times as long. Who tells it must not
    hold the letterbox while waiting long for room: the rows may be held by one who waits to shut
    it.
    """

    def __init__(self) -> None:
        self._writer = _writer
        self.unmarked = 0
        """Of this thread's mails; kept by the one that writes."""
        self.has_place = False
        """For the next mail; the one that writes keeps this as well."""

    def __enter__(self) -> Self:
        self._writer.begin()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._writer.end(self)

    def take_place(self, *, seconds: float | None = None) -> bool:
        """Wait until one more mail may be handed over, or for so long; True if it may.

        The place stays this thread's until a mail was sent, or until the end.
        """
        return self.has_place or self._writer.give_place(self, seconds)

    def sent(self, delivery_id: int, *, leased_until: datetime, now: datetime) -> None:
        """The mail server has this one, which took the place."""
        self._writer.take(self, delivery_id, leased_until=leased_until, now=now)


@dataclass
class _Unmarked:
    """Mails that one thread claimed together."""

    marker: Marker
    leased_until: datetime
    sent_at: datetime
    ids: list[int] = field(default_factory=list)


class _Writer:
    """The one that writes; its thread and its connection are there while somebody sends."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._waiting: dict[tuple[Marker, datetime], _Unmarked] = {}
        self._taken = 0
        self._markers = 0
        self._runs = False

    def begin(self) -> None:
        """Somebody sends."""
        with self._changed:
            self._markers += 1
            if not self._runs:
                self._runs = True
                threading.Thread(target=self._run, name="mail-marker", daemon=True).start()

    def end(self, marker: Marker) -> None:
        """They have sent all: wait until it is written, and the last one until nothing is open."""
        with self._changed:
            self._changed.wait_for(lambda: marker.unmarked == 0)
            if marker.has_place:
                marker.has_place = False
                self._taken -= 1
            self._markers -= 1
            self._changed.notify_all()
            self._changed.wait_for(lambda: self._markers or not self._runs)

    def give_place(self, marker: Marker, seconds: float | None) -> bool:
        """As Marker says."""
        with self._changed:
            if self._changed.wait_for(self._has_room, timeout=seconds):
                self._taken += 1
                marker.has_place = True
        return marker.has_place

    def take(
        self, marker: Marker, delivery_id: int, *, leased_until: datetime, now: datetime
    ) -> None:
        """One more to write."""
        with self._changed:
            group = self._waiting.setdefault(
                (marker, leased_until), _Unmarked(marker, leased_until, now)
            )
            group.ids.append(delivery_id)
            marker.unmarked += 1
            # Who sends alone has the next place at once; several ask, each when it is ready.
            marker.has_place = self._markers == 1 and self._has_room()
            self._taken += marker.has_place
            self._changed.notify_all()

    def _has_room(self) -> bool:
        return self._taken < max(LEAST_PLACES, self._markers)

    def _run(self) -> None:
        while True:
            try:
                # One connection for all of it: to take one for each mail costs as much again.
                with ExitStack() as stack:
                    self._write_all(stack)
            except Exception:
                # Whoever sends waits for this thread: it must not end before they do.
                log.exception("mails that were sent are not written down")
            with self._changed:
                if not self._markers:
                    self._runs = False
                    self._changed.notify_all()
                    return

    def _write_all(self, stack: ExitStack) -> None:
        connection: Connection | None = None
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._waiting or not self._markers)
                if not self._waiting:
                    return
                groups, self._waiting = list(self._waiting.values()), {}
            for group in groups:
                try:
                    connection = self._write(group, connection, stack)
                finally:
                    with self._changed:
                        self._taken -= len(group.ids)
                        group.marker.unmarked -= len(group.ids)
                        self._changed.notify_all()
                if len(group.ids) > 1:
                    # The mail server is faster than the notes: take more of them together.
                    time.sleep(GATHER_SECONDS)

    def _write(
        self, group: _Unmarked, connection: Connection | None, stack: ExitStack
    ) -> Connection | None:
        """Keep at it while the lease lasts: a database that restarts must not double mails."""
        give_up_at = time.monotonic() + GIVE_UP_SECONDS
        while True:
            try:
                connection = connection or stack.enter_context(_connected())
                marked = deliveries.mark_all_sent(
                    connection, group.ids, leased_until=group.leased_until, now=group.sent_at
                )
                connection.commit()
            except SQLAlchemyError:
                stack.close()
                connection = None
                if time.monotonic() >= give_up_at:
                    log.exception("sent, but not written down: deliveries=%s", group.ids)
                    return connection
                time.sleep(PAUSE_SECONDS)
            else:
                if marked < len(group.ids):
                    log.warning("sent, but another one had taken over: %s", group.ids)
                return connection


def _connected() -> Connection:
    with open_db() as db:
        engine = db.get_bind().engine
    connection = engine.connect()
    if engine.dialect.name == "postgresql":
        # Each note is one statement: without BEGIN and COMMIT around it two waits are spared.
        connection = connection.execution_options(isolation_level="AUTOCOMMIT")
    return connection


_writer = _Writer()


def _begin_anew() -> None:
    # Threads stay behind in the parent.
    global _writer
    _writer = _Writer()


os.register_at_fork(after_in_child=_begin_anew)
