"""Askers who come at the same time share one statement: over a socket each one of its own is dear.

Whoever comes while nobody asks becomes the leader: he asks for all who wait, gives each his row and
makes the first of those who came meanwhile the next leader. Nobody waits for company, and nobody is
given what was read before he came.
"""

import os
from collections import deque
from collections.abc import Mapping, Sequence
from threading import Lock
from typing import Protocol
from weakref import WeakSet

from webinar.web.direct_query import DatabaseAway

MOST_TOGETHER = 64
# Two leaders before one's own, each asking twice, each time until the statement is cancelled.
LONGEST_WAIT_SECONDS = 30.0


class Many(Protocol):
    """A statement over arrays. The first column says whose a row is: 1 is the first asker."""

    def rows(self, values: Mapping[str, object]) -> Sequence[Sequence[object]]:
        """Raises DatabaseAway."""
        ...


class _Asker:
    """One who waits at the gate: until he has his row, or is to lead, or all is lost."""

    __slots__ = ("gate", "is_lost", "leads", "row", "values")

    def __init__(self, values: Mapping[str, object]) -> None:
        self.values = values
        self.gate = Lock()
        self.gate.acquire()
        self.row: Sequence[object] | None = None
        self.is_lost = True
        self.leads = False


class SharedQuery:
    """Asks `many` for all who wait. Threads share it; a fork begins anew."""

    def __init__(self, many: Many) -> None:
        self._many = many
        self._is_led = False
        self._begin()
        _living.add(self)

    def one(self, values: Mapping[str, object]) -> Sequence[object] | None:
        """The row for these values, without its number, or None. Raises DatabaseAway."""
        asker = _Asker(values)
        with self._order:
            self._waiting.append(asker)
            if not self._is_led:
                self._is_led = True
                asker.leads = True
        if not asker.leads and not asker.gate.acquire(timeout=LONGEST_WAIT_SECONDS):
            self._give_up(asker)
        if asker.leads:
            self._lead()
        if asker.is_lost:
            raise DatabaseAway
        return asker.row

    def _begin(self) -> None:
        self._order = Lock()
        self._waiting: deque[_Asker] = deque()
        self._is_led = False

    def _lead(self) -> None:
        """The leader has waited longest: he is always among those he asks for."""
        with self._order:
            count = min(len(self._waiting), MOST_TOGETHER)
            together = [self._waiting.popleft() for _ in range(count)]
        try:
            names = together[0].values
            arrays = {name: [asker.values[name] for asker in together] for name in names}
            for number, *row in self._many.rows(arrays):
                together[int(str(number)) - 1].row = row
            for asker in together:
                asker.is_lost = False
        finally:
            # Whatever happened, also to the leader's thread: nobody is left at the gate.
            for asker in together:
                if not asker.leads:
                    asker.gate.release()
            self._hand_over()

    def _hand_over(self) -> None:
        with self._order:
            if self._waiting:
                self._waiting[0].leads = True
                self._waiting[0].gate.release()
            else:
                self._is_led = False

    def _give_up(self, asker: _Asker) -> None:
        """Nobody who left may be made leader; one who was just made it leads all the same."""
        with self._order:
            if not asker.leads and asker in self._waiting:
                self._waiting.remove(asker)


_living: WeakSet[SharedQuery] = WeakSet()


def _begin_anew() -> None:
    # The threads that waited, and perhaps held the lock, are the parent's.
    for query in _living:
        query._begin()


os.register_at_fork(after_in_child=_begin_anew)
