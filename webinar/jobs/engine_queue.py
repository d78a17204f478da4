"""The engine of several machines: jobs in PostgreSQL, done by workers. The home of Procrastinate.

A job is only ever a hint: what is due stands in the rows, and the clock offers it again. So a job
that is lost costs a minute, and one that comes twice finds nothing left to do.
"""

import logging
from collections.abc import Mapping
from datetime import UTC, datetime

import psycopg
from procrastinate import App, PsycopgConnector, RetryStrategy
from procrastinate.exceptions import AlreadyEnqueued
from procrastinate.sql import queries
from sqlalchemy import text
from sqlalchemy.engine import make_url

from config import Config
from webinar.db import DbSession, open_db, reached, read_db
from webinar.jobs.engine import BATCH, Timings, batches
from webinar.jobs.mail import StillLeased, send_batch
from webinar.jobs.ticking import Tick, TickRunner
from webinar.jobs.toolbox import Toolbox
from webinar.services import offers

log = logging.getLogger(__name__)

MAILS = "mails"
TICKS = "ticks"
SEND_BATCH = "send_batch"
RUN_TICK = "run_tick"
# More than this many batches are not laid into the queue: without workers it must not grow.
MOST_WAITING = 40
URGENT, ORDINARY = 10, 0
# Long after the last lease. The clock offers it again in any case.
TRIES = 60


class QueueEngine:
    """The clock's side: rows are marked and jobs laid down in one transaction."""

    def __init__(self, config: Config, timings: Timings) -> None:
        self._timings = timings
        self._app = App(connector=PsycopgConnector(conninfo=conninfo(config)))

    def offer_mails(self, *, now: datetime) -> int:
        """Batches for the workers, unless enough of them wait already."""
        with read_db() as db:
            if not offers.any_due(db, now=now):
                return 0
            room = MOST_WAITING - _waiting(db, SEND_BATCH)
        if room <= 0:
            return 0
        with open_db.begin() as db:
            taken = offers.offer(db, limit=room * BATCH, lasts=self._timings.offered_for, now=now)
            for batch in batches(taken, most=BATCH):
                self._app.configure_task(
                    SEND_BATCH,
                    queue=MAILS,
                    priority=URGENT if offers.has_urgent(db, batch) else ORDINARY,
                    connection=_connection(db),
                ).defer(delivery_ids=[*batch])
        return len(taken)

    def hand_out(self, tick: Tick, *, now: datetime) -> None:
        """One job at a time waits for each tick; that one at a time is done, its lock sees to.

        A lock of the queue would be held by a job that was done while the database was away: its
        end was not written down, and it stays among those that are being done.
        """
        try:
            with open_db.begin() as db:
                # Looked for before, lest PostgreSQL's log fills with refused ones.
                if not _waiting(db, RUN_TICK, queueing_lock=tick.name):
                    self._app.configure_task(
                        RUN_TICK,
                        queue=TICKS,
                        queueing_lock=tick.name,
                        connection=_connection(db),
                    ).defer(name=tick.name)
        except AlreadyEnqueued:
            log.debug("another clock was faster: %s", tick.name)

    def mend(self) -> None:
        """Jobs of workers that gave no sign of life are done by others."""
        silent = self._timings.stalled_after_seconds
        with open_db.begin() as db, _connection(db).cursor() as cursor:
            cursor.execute(
                queries["select_stalled_jobs_by_heartbeat"],
                {"queue": None, "task_name": None, "seconds_since_heartbeat": silent},
            )
            stalled = cursor.fetchall()
            for job_id, _status, name, *_ in stalled:
                log.warning("a worker died at it: job=%s %s", job_id, name)
                if name == SEND_BATCH:
                    cursor.execute(
                        queries["retry_job"],
                        {
                            "job_id": job_id,
                            "retry_at": datetime.now(UTC),
                            "new_priority": None,
                            "new_queue_name": None,
                            "new_lock": None,
                        },
                    )
                else:  # the clock lays down another: two of one tick cannot wait
                    cursor.execute(
                        queries["finish_job"],
                        {"job_id": job_id, "status": "failed", "delete_job": True},
                    )
            cursor.execute(
                queries["prune_stalled_workers"], {"seconds_since_heartbeat": silent * 3}
            )

    def stop(self, *, wait: bool) -> None:
        """What waits is for the workers."""


def worker_app(
    tools: Toolbox, runner: TickRunner, ticks: Mapping[str, Tick], timings: Timings
) -> App:
    """The worker's side: what is done for a job."""
    app = App(
        connector=PsycopgConnector(
            conninfo=conninfo(tools.config),
            kwargs=reached(tools.config.DATABASE_URL),
            min_size=2,
            max_size=8,
        )
    )

    @app.task(
        name=SEND_BATCH,
        queue=MAILS,
        # To return would strand a mail that another one held, and did not send.
        retry=RetryStrategy(
            max_attempts=TRIES, wait=timings.retry_seconds, retry_exceptions=[StillLeased]
        ),
    )
    def send(delivery_ids: list[int]) -> None:
        send_batch(tools, delivery_ids, now=datetime.now(UTC))

    @app.task(name=RUN_TICK, queue=TICKS)
    def run(name: str) -> None:
        # A job of a newer program's tick may reach an older worker: the clock offers it again.
        if name in ticks:
            runner.run(ticks[name], now=datetime.now(UTC), even_if_just_done=True)

    return app


def conninfo(config: Config) -> str:
    """The database's address as libpq reads it."""
    url = make_url(config.DATABASE_URL).set(drivername="postgresql")
    return url.render_as_string(hide_password=False)


def _waiting(db: DbSession, task: str, *, queueing_lock: str = "") -> int:
    return int(
        db.scalar(
            text(
                "SELECT count(*) FROM procrastinate_jobs WHERE status = 'todo'"
                " AND task_name = :task AND (:lock = '' OR queueing_lock = :lock)"
            ),
            {"task": task, "lock": queueing_lock},
        )
        or 0
    )


def _connection(db: DbSession) -> psycopg.Connection[tuple[object, ...]]:
    connection = db.connection().connection.driver_connection
    if not isinstance(connection, psycopg.Connection):
        raise TypeError("the workers' queue is in PostgreSQL")
    return connection
