"""Writing down what the mail server took, beside the thread that hands it the next mail."""

import logging
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

# So many mails may be with the mail server and not yet written down as sent: those that a process
# that is killed sends twice.
MOST_UNMARKED = 2
PAUSE_SECONDS = 0.2
GATHER_SECONDS = 0.001
# The lease is over then, and the mail is anybody's.
GIVE_UP_SECONDS = 30


@dataclass
class _Unmarked:
    """Mails that were claimed together."""

    leased_until: datetime
    sent_at: datetime
    ids: list[int] = field(default_factory=list)


class Marker:
    """`with Marker() as marker:` tell it each mail that went out; at the end all are written.

    Who tells it must not hold the letterbox while waiting long for room: the rows may be held by
    one who waits to shut it.
    """

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._waiting: dict[datetime, _Unmarked] = {}
        self._unmarked = 0
        self._is_over = False
        self._thread = threading.Thread(target=self._run, name="mail-marker", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        with self._changed:
            self._is_over = True
            self._changed.notify_all()
        self._thread.join()

    @property
    def has_room(self) -> bool:
        """True if another mail may be handed over before one of these is written down."""
        return self._unmarked < MOST_UNMARKED

    def wait_for_room(self, *, seconds: float | None = None) -> bool:
        """Until there is, or for so long; True if there is."""
        if self.has_room:
            return True
        with self._changed:
            return self._changed.wait_for(lambda: self.has_room, timeout=seconds)

    def sent(self, delivery_id: int, *, leased_until: datetime, now: datetime) -> None:
        """The mail server has this one."""
        with self._changed:
            group = self._waiting.setdefault(leased_until, _Unmarked(leased_until, now))
            group.ids.append(delivery_id)
            self._unmarked += 1
            self._changed.notify_all()

    def _run(self) -> None:
        # One connection for as long as this lasts: to take one for each mail costs as much again.
        with ExitStack() as stack:
            connection: Connection | None = None
            while True:
                with self._changed:
                    self._changed.wait_for(lambda: self._waiting or self._is_over)
                    if not self._waiting:
                        return
                    groups, self._waiting = list(self._waiting.values()), {}
                for group in groups:
                    connection = self._write(group, connection, stack)
                    with self._changed:
                        self._unmarked -= len(group.ids)
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
