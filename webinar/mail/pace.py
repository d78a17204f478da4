"""How fast mails may go, and when not to try at all; one of each for a process."""

import threading
from datetime import datetime, timedelta

FIRST_PAUSE = timedelta(seconds=5)
LONGEST_PAUSE = timedelta(minutes=5)


class Breaker:
    """Leaves a mail server alone that is away, longer each time, so that no mail pays for it."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._failures = 0
        self._until: datetime | None = None
        self.reason = ""

    def is_open(self, *, now: datetime) -> bool:
        """True while nothing is to be tried."""
        with self._lock:
            return self._until is not None and now < self._until

    def trip(self, reason: str, *, now: datetime) -> datetime:
        """The server could not be used; the instant from which it may be tried again."""
        with self._lock:
            if self._until is not None and now < self._until:
                # Another thread met the same.
                return self._until
            self._until = now + min(FIRST_PAUSE * 2**self._failures, LONGEST_PAUSE)
            self._failures = min(self._failures + 1, 10)
            self.reason = reason
            return self._until

    def mend(self) -> None:
        """The server took a mail."""
        with self._lock:
            self._failures = 0
            self._until = None
            self.reason = ""


class Pace:
    """At most so many mails a minute, evenly; 0: as fast as they are taken."""

    def __init__(self, per_minute: int) -> None:
        self._lock = threading.Lock()
        self._between = timedelta(minutes=1) / per_minute if per_minute else timedelta(0)
        self._free_at: datetime | None = None

    @property
    def is_bounded(self) -> bool:
        """True if there is a pace to keep."""
        return bool(self._between)

    def take(self, *, now: datetime) -> timedelta:
        """Take the next place in the row: how long to wait for it."""
        if not self._between:
            return timedelta(0)
        with self._lock:
            at = max(now, self._free_at or now)
            self._free_at = at + self._between
            return at - now
