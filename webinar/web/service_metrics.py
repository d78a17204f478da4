"""What /metrics says of the whole service, read from the database when it is asked.

Every process that answers says the same of these, so an alert may look at any of them. What the
database does not tell because it is away is left out, and `webinar_database_up` is 0.
"""

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from flask import current_app, g
from prometheus_client import Metric
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector
from sqlalchemy import QueuePool
from sqlalchemy.exc import SQLAlchemyError

from webinar.domain.backup import BackupKind
from webinar.domain.service_health import schema_remark
from webinar.services import service_state
from webinar.services.service_state import ServiceState, Settings
from webinar.tools import newest_schema, service_settings

NEVER = math.inf
MEGABYTE = 1024 * 1024


@dataclass(frozen=True)
class Gauge:
    """One number, or one for each value of its label, with what it says."""

    name: str
    says: str
    label: str = ""


DATABASE_UP = Gauge("webinar_database_up", "1 if the database answers.")
SCHEMA_CURRENT = Gauge("webinar_schema_current", "1 if the schema is that of the program.")
CONNECTIONS = Gauge(
    "webinar_database_connections", "Connections of the process that answers.", "state"
)
DISK_FREE = Gauge("webinar_disk_free_bytes", "Room on the disk of the data folder.")
DISK_RESERVE = Gauge("webinar_disk_reserve_bytes", "Below this much room uploads are refused.")
CLOCK_SILENT = Gauge("webinar_clock_silent_seconds", "Since any tick went well.")
TICK_LATE = Gauge("webinar_tick_late_seconds", "How far the tick is behind.", "tick")
TICK_FAILURES = Gauge("webinar_tick_failures", "How often in a row the tick failed.", "tick")
TICK_RUN = Gauge("webinar_tick_run_seconds", "How long its last run took.", "tick")
BACKLOG = Gauge("webinar_backlog", "How much is due and not done.", "work")
BACKLOG_OLDEST = Gauge("webinar_backlog_oldest_seconds", "Since when the oldest is due.", "work")
WORK_FAILING = Gauge("webinar_work_failing", "Things that failed and are tried again.")
WORK_PARKED = Gauge("webinar_work_parked", "Things that wait for a person.")
MAILS_DAY = Gauge("webinar_mails_day", "Mails of the last 24 hours.", "outcome")
PROCESSES = Gauge("webinar_processes", "Processes seen within a minute.", "role")
NEEDS_WORKERS = Gauge("webinar_needs_workers", "1 if the engine is workers of their own.")
RELEASES = Gauge("webinar_releases", "How many releases run beside one another.")
BACKUP_AGE = Gauge("webinar_backup_age_seconds", "Since the last good backup began.", "kind")
BACKUP_BYTES = Gauge("webinar_backup_bytes", "The size of the last good backup.", "kind")
RETENTION_AGE = Gauge("webinar_retention_age_seconds", "Since it was last looked after.", "kind")
LEFT_OVER = Gauge("webinar_retention_left_over", "What outlived its time.", "kind")

GAUGES = tuple(thing for thing in list(vars().values()) if isinstance(thing, Gauge))
ROLES = ("web", "clock", "worker")

Values = Iterable[tuple[str, float]]


class ServiceCollector(Collector):
    """Reads the state of the service for one scrape, within its request."""

    def collect(self) -> Iterator[Metric]:
        config = current_app.extensions["config"]
        settings = service_settings(config)
        yield _one(DISK_FREE, settings.free_megabytes * MEGABYTE)
        yield _one(DISK_RESERVE, settings.low_megabytes * MEGABYTE)
        try:
            schema = schema_remark(service_state.schema_revision(g.db), newest_schema())
            state = service_state.read(g.db, now=g.now) if schema is None else None
        except SQLAlchemyError:
            yield _one(DATABASE_UP, 0)
            return
        yield _one(DATABASE_UP, 1)
        yield _one(SCHEMA_CURRENT, float(schema is None))
        yield _many(CONNECTIONS, _connections())
        if state is not None:
            yield from _told(state, settings, now=g.now)


def _told(state: ServiceState, settings: Settings, *, now: datetime) -> Iterator[Metric]:
    facts = service_state.facts(state, settings, now=now)
    runs = {tick.name: state.runs[tick.name] for tick in facts.ticks if tick.name in state.runs}
    yield _one(CLOCK_SILENT, _seconds(facts.silent_for))
    yield _many(TICK_LATE, ((tick.name, _seconds(tick.late)) for tick in facts.ticks))
    yield _many(TICK_FAILURES, ((tick.name, tick.failures) for tick in facts.ticks))
    yield _many(TICK_RUN, ((name, run.milliseconds / 1000) for name, run in runs.items()))
    yield _many(BACKLOG, ((each.name, each.due) for each in state.backlog))
    yield _many(
        BACKLOG_OLDEST,
        (
            (each.name, max(0.0, (now - each.oldest_due_at).total_seconds()))
            for each in state.backlog
            if each.oldest_due_at is not None
        ),
    )
    yield _one(WORK_FAILING, len(state.failing))
    yield _one(WORK_PARKED, len(state.parked))
    mails = state.mails
    yield _many(
        MAILS_DAY,
        (
            ("sent", mails.sent),
            ("returned", mails.returned),
            ("refused", mails.refused),
            ("given up", mails.given_up),
        ),
    )
    yield _many(
        PROCESSES,
        ((role, sum(process.role == role for process in state.living)) for role in ROLES),
    )
    yield _one(NEEDS_WORKERS, float(settings.needs_workers))
    yield _one(RELEASES, len(facts.releases))
    wanted = ((BackupKind.DATA, facts.backup), (BackupKind.KEYS, facts.keys_backup))
    yield _many(BACKUP_AGE, ((kind, _seconds(each.age)) for kind, each in wanted if each.is_wanted))
    yield _many(BACKUP_BYTES, ((kind, good.bytes) for kind, good in state.backups.items() if good))
    yield _many(
        RETENTION_AGE, ((run.kind, (now - run.ran_at).total_seconds()) for run in state.retention)
    )
    yield _many(LEFT_OVER, ((run.kind, run.left_over) for run in state.retention))


def _connections() -> Values:
    pool = current_app.extensions["engine"].pool
    if not isinstance(pool, QueuePool):
        return ()
    return (("in use", pool.checkedout()), ("idle", pool.checkedin()))


def _seconds(length: timedelta | None) -> float:
    return NEVER if length is None else length.total_seconds()


def _one(gauge: Gauge, value: float) -> Metric:
    return GaugeMetricFamily(gauge.name, gauge.says, value=value)


def _many(gauge: Gauge, values: Values) -> Metric:
    family = GaugeMetricFamily(gauge.name, gauge.says, labels=[gauge.label])
    for label, value in values:
        family.add_metric([label], value)
    return family
