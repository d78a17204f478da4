"""A worker: does the jobs that clocks lay into the queue, until it is told to end.

Mails and ticks have places of their own, so that a thousand certificates hold up no reminder.
"""

import asyncio
import logging
import signal
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor

import psycopg
from procrastinate import App
from procrastinate.exceptions import ConnectorException
from sqlalchemy.exc import SQLAlchemyError

from webinar.jobs import living
from webinar.jobs.engine import Timings
from webinar.jobs.engine_queue import MAILS, TICKS, worker_app
from webinar.jobs.tick_locks import locks_for
from webinar.jobs.ticking import Tick, TickRunner, moment
from webinar.jobs.toolbox import Toolbox
from webinar.jobs.workers import own_name
from webinar.services.processes import SAID_EVERY

log = logging.getLogger(__name__)

TICKS_AT_ONCE = 2
REST_SECONDS = 1.0  # before the database is asked again that went away


def run_worker(
    tools: Toolbox, ticks: Iterable[Tick], *, concurrency: int, timings: Timings | None = None
) -> None:
    """Work until SIGTERM or SIGINT; jobs that are being done then are done to their end.

    `concurrency` is how many batches of mails are sent at once.
    """
    asyncio.run(_Worker(tools, ticks, concurrency, timings or Timings()).run())


class _Worker:
    """One process: lines of jobs, and a sign of life."""

    def __init__(
        self, tools: Toolbox, ticks: Iterable[Tick], concurrency: int, timings: Timings
    ) -> None:
        self._tools = tools
        self._ticks = {tick.name: tick for tick in ticks}
        # A tick that takes hours shares its line with none: whatever breaks, the others go on.
        self._lines = [(MAILS, concurrency), *[(TICKS, 1)] * TICKS_AT_ONCE]
        self._timings = timings
        self._owner = own_name()
        self._started_at = moment()
        self._end = asyncio.Event()

    async def run(self) -> None:
        """Until the end, whatever the database does meanwhile."""
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self._end.set)
        # Jobs are plain functions in threads; one more says that we live.
        loop.set_default_executor(ThreadPoolExecutor(sum(places for _, places in self._lines) + 1))
        life = asyncio.create_task(self._say_that_we_live())
        log.info("worker begins: %s", self._owner)
        await self._work()
        life.cancel()
        await asyncio.gather(life, return_exceptions=True)
        await asyncio.to_thread(self._say_goodbye)
        log.info("worker ends: %s", self._owner)

    async def _work(self) -> None:
        """All lines of jobs, until we end. What is no matter of the database ends them too."""
        locks = locks_for(self._tools.config)
        runner = TickRunner(self._tools, locks, owner=self._owner)
        lines = [
            asyncio.create_task(self._keep(runner, queue, places)) for queue, places in self._lines
        ]
        end = asyncio.create_task(self._end.wait())
        try:
            await asyncio.wait([*lines, end], return_when=asyncio.FIRST_COMPLETED)
            for task in (*lines, end):
                # To a line that means: take no other job, and finish yours.
                task.cancel()
            for outcome in await asyncio.gather(*lines, return_exceptions=True):
                if isinstance(outcome, Exception):
                    raise outcome
        finally:
            locks.close()

    async def _keep(self, runner: TickRunner, queue: str, places: int) -> None:
        """One line, begun anew whenever it breaks: it waits for its own jobs, for no other's."""
        while not self._end.is_set():
            app = worker_app(self._tools, runner, self._ticks, self._timings)
            try:
                async with app.open_async():
                    await self._line(app, queue, places)
            except (ConnectorException, psycopg.Error, OSError) as error:
                log.warning("the queue does not answer, it is asked again: %s %r", queue, error)
            if not self._end.is_set():
                await asyncio.sleep(REST_SECONDS)

    async def _line(self, app: App, queue: str, places: int) -> None:
        await app.run_worker_async(
            name=queue,
            queues=[queue],
            concurrency=places,
            delete_jobs="always",
            install_signal_handlers=False,
            fetch_job_polling_interval=self._timings.poll_seconds,
            update_heartbeat_interval=self._timings.heartbeat_seconds,
            stalled_worker_timeout=self._timings.stalled_after_seconds * 3,
        )

    async def _say_that_we_live(self) -> None:
        while True:
            await asyncio.to_thread(self._say)
            await asyncio.sleep(SAID_EVERY.total_seconds())

    def _say(self) -> None:
        try:
            living.say(self._owner, "worker", started_at=self._started_at, now=moment())
        except SQLAlchemyError:
            log.warning("the database does not hear that the worker lives")

    def _say_goodbye(self) -> None:
        try:
            living.say_goodbye(self._owner)
        except SQLAlchemyError:
            log.warning("the database does not hear that the worker ends")
