"""How fast mails may go, and when not to try at all; one of each for a process.

Both count seconds that always go forward: a machine whose hour is set back must not wait for it.
"""

import threading
import time
from collections.abc import Callable
from datetime import timedelta

FIRST_PAUSE = timedelta(seconds=5)
LONGEST_PAUSE = timedelta(minutes=5)


class Breaker:
    """Leaves a mail server alone that is away, longer each time, so that no mail pays for it."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._failures = 0
        self._until: float | None = None
        self.reason = ""

    def is_open(self) -> bool:
        """True while nothing is to be tried."""
        return bool(self.left())

    def left(self) -> timedelta:
        """How long nothing is to be tried; zero if it may be."""
        with self._lock:
            return self._left()

    def trip(self, reason: str, *, longest: timedelta = LONGEST_PAUSE) -> timedelta:
        """The server could not be used; how long it is left alone from now."""
        with self._lock:
            if left := self._left():
                # Another thread met the same.
                return left
            pause: timedelta = min(FIRST_PAUSE * 2**self._failures, longest)
            self._until = self._clock() + pause.total_seconds()
            self._failures = min(self._failures + 1, 10)
            self.reason = reason
            return pause

    def mend(self) -> None:
        """The server took a mail."""
        with self._lock:
            self._failures = 0
            self._until = None
            self.reason = ""

    def _left(self) -> timedelta:
        if self._until is None:
            return timedelta(0)
        return timedelta(seconds=max(0.0, self._until - self._clock()))


class Pace:
    """At most so many mails a minute, evenly; 0: as fast as they are taken."""

    def __init__(self, per_minute: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._between = 60 / per_minute if per_minute else 0.0
        self._free_at = clock()

    @property
    def is_bounded(self) -> bool:
        """True if there is a pace to keep."""
        return bool(self._between)

    def take(self, *, within: timedelta) -> timedelta | None:
        """Take the next place in the row: how long to wait for it; None if that is too long."""
        if not self._between:
            return timedelta(0)
        with self._lock:
            now = self._clock()
            at = max(now, self._free_at)
            if at - now > within.total_seconds():
                return None
            self._free_at = at + self._between
            return timedelta(seconds=at - now)
