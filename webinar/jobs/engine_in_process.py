"""The engine of one machine: threads of the clock's own process."""

import logging
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import UTC, datetime
from threading import Lock

from webinar.db import is_read_only, open_db, read_db
from webinar.jobs.engine import BATCH, Timings, batches
from webinar.jobs.mail import StillLeased, send_batch
from webinar.jobs.ticking import Tick
from webinar.jobs.toolbox import Toolbox
from webinar.services import offers

log = logging.getLogger(__name__)

# On SQLite more would only wait for each other; a slow mail server is asked by two at once.
THREADS = 2


class InProcessEngine:
    """Mails go out in a few threads; ticks run where the clock runs them anyway."""

    def __init__(
        self, tools: Toolbox, run: Callable[[Tick, datetime], None], timings: Timings
    ) -> None:
        self._tools = tools
        self._run = run
        self._timings = timings
        self._pool = ThreadPoolExecutor(THREADS, thread_name_prefix="mail")
        self._guard = Lock()
        self._at_work = 0
        if tools.config.DATABASE_URL.startswith("sqlite") and not is_read_only():
            # Whoever had been given mails was a process like this one, and is gone.
            with open_db.begin() as db:
                offers.forget(db)

    def offer_mails(self, *, now: datetime) -> int:
        """As many as there are threads at rest: what is taken is sent now, not queued."""
        free = THREADS - self._at_work
        if free <= 0:
            return 0
        # To look costs nobody anything; on SQLite to take keeps all others from writing.
        with read_db() as db:
            if not offers.any_due(db, now=now):
                return 0
        with open_db.begin() as db:
            taken = offers.offer(db, limit=free * BATCH, lasts=self._timings.offered_for, now=now)
        each = min(BATCH, max(1, -(-len(taken) // free)))
        for batch in batches(taken, most=each):
            with self._guard:
                self._at_work += 1
            self._pool.submit(self._send, batch).add_done_callback(self._rest)
        return len(taken)

    def hand_out(self, tick: Tick, *, now: datetime) -> None:
        """At once, in the thread of the clock that it came from."""
        self._run(tick, now)

    def mend(self) -> None:
        """Nothing is left behind: threads end with the process, and leases end by themselves."""

    def stop(self, *, wait: bool) -> None:
        """Batches under way are sent to their end, the next process sends the others."""
        self._pool.shutdown(wait=wait, cancel_futures=True)

    def _send(self, batch: list[int]) -> None:
        try:
            send_batch(self._tools, batch, now=datetime.now(UTC))
        except StillLeased as error:
            # Offered again when the offer is over, and then the lease is over as well.
            log.info("%s", error)
        except Exception:
            log.exception("mails not sent, they are offered again: %s", batch)

    def _rest(self, _done: Future[None]) -> None:
        with self._guard:
            self._at_work -= 1
