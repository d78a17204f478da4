"""How the service does, read from the database in one go: for watchers and administrators."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from sqlalchemy import func, or_, select, text
from sqlalchemy.exc import SQLAlchemyError

from webinar.db import DbSession
from webinar.domain.backup import BackupKind
from webinar.domain.service_health import BackupFact, MailFacts, ServiceFacts, TickFact
from webinar.domain.timezone import to_local
from webinar.models import BackupRun, Delivery, ParkedWork, RetentionRun, TickRun, WorkingProcess
from webinar.services import backlog, backups, deliveries, parked, processes, ticks
from webinar.services.backlog import Backlog
from webinar.services.ticks import Lateness

# Mails are found by when they were queued: a reminder waits for its session for months.
QUEUED_WITHIN = timedelta(days=200)
DAY = timedelta(days=1)


@dataclass(frozen=True)
class MailCounts:
    """What became of mails. Each counts once; `returned` ones were sent before they came back."""

    sent: int = 0
    returned: int = 0
    refused: int = 0
    given_up: int = 0

    @property
    def lost(self) -> int:
        """Those that reached nobody though they were wanted."""
        return self.returned + self.refused + self.given_up


@dataclass(frozen=True)
class ServiceState:
    """What the tables of the service's own life say at one moment."""

    lateness: Sequence[Lateness]
    runs: Mapping[str, TickRun]
    backlog: Sequence[Backlog]
    parked: Sequence[ParkedWork]
    failing: Sequence[ParkedWork]
    living: Sequence[WorkingProcess]
    backups: Mapping[BackupKind, BackupRun | None]
    last_tries: Mapping[BackupKind, BackupRun | None]
    retention: Sequence[RetentionRun]
    mails: MailCounts  # of the last 24 hours


@dataclass(frozen=True)
class Settings:
    """What the settings and the machine say, for the rules."""

    needs_workers: bool
    takes_backups: bool
    takes_keys_backups: bool
    free_megabytes: int
    low_megabytes: int


def read(db: DbSession, *, now: datetime, is_brief: bool = False) -> ServiceState:
    """Everything there is to know, in some twenty statements.

    `is_brief`: only what is quick, for watchers who ask every other second: no work but mails is
    counted, and no mails of the past.
    """
    return ServiceState(
        lateness=ticks.lateness(db, now=now),
        runs={run.name: run for run in ticks.runs(db)},
        backlog=[backlog.mails(db, now=now)] if is_brief else backlog.backlog(db, now=now),
        parked=parked.parked(db),
        failing=parked.failing(db),
        living=processes.living(db, now=now),
        backups={kind: backups.last(db, kind) for kind in BackupKind},
        last_tries={kind: backups.last_tried(db, kind) for kind in BackupKind},
        retention=last_retention(db),
        mails=MailCounts() if is_brief else mails_since(db, now - DAY, now=now),
    )


def facts(state: ServiceState, settings: Settings, *, now: datetime) -> ServiceFacts:
    """What the rules of webinar.domain.service_health ask for."""
    succeeded = [run.succeeded_at for run in state.runs.values() if run.succeeded_at is not None]
    mails = next((one for one in state.backlog if one.name == "mails"), Backlog("mails", 0))
    wanted = {
        BackupKind.DATA: settings.takes_backups,
        BackupKind.KEYS: settings.takes_keys_backups,
    }
    taken = {
        kind: _backup_fact(is_wanted, state.backups[kind], state.last_tries[kind], now)
        for kind, is_wanted in wanted.items()
    }
    return ServiceFacts(
        ticks=tuple(
            TickFact(
                late.name,
                None if late.seconds is None else timedelta(seconds=late.seconds),
                late.failures,
            )
            for late in state.lateness
        ),
        silent_for=min((abs(now - at) for at in succeeded), default=None),
        needs_workers=settings.needs_workers,
        workers=sum(process.role == "worker" for process in state.living),
        releases=frozenset(process.release for process in state.living),
        free_megabytes=settings.free_megabytes,
        low_megabytes=settings.low_megabytes,
        mail=MailFacts(
            due=mails.due,
            oldest=now - mails.oldest_due_at if mails.oldest_due_at else None,
            sent=state.mails.sent,
            refused=state.mails.lost,
        ),
        parked=len(state.parked),
        backup=taken[BackupKind.DATA],
        keys_backup=taken[BackupKind.KEYS],
        left_over=tuple(run.kind for run in state.retention if run.left_over),
    )


def schema_revision(db: DbSession) -> str | None:
    """The revision the schema is at, or None if the database holds no tables of ours.

    Raises the driver's OperationalError if the database cannot be asked at all.
    """
    db.execute(text("SELECT 1"))
    try:
        with db.begin_nested():
            found: str | None = db.scalar(text("SELECT version_num FROM alembic_version"))
            return found
    except SQLAlchemyError:
        return None


def database_time(db: DbSession) -> datetime | None:
    """What the database server's clock says; None where there is no server."""
    if db.get_bind().dialect.name != "postgresql":
        return None
    moment: datetime = db.execute(text("SELECT clock_timestamp()")).scalar_one()
    return moment


def last_retention(db: DbSession) -> list[RetentionRun]:
    """The last run of each kind of data, by kind."""
    newest = select(func.max(RetentionRun.id)).group_by(RetentionRun.kind)
    return list(
        db.scalars(
            select(RetentionRun).where(RetentionRun.id.in_(newest)).order_by(RetentionRun.kind)
        )
    )


def mails_since(db: DbSession, since: datetime, *, now: datetime) -> MailCounts:
    """What became of the mails that left since then, or should have."""
    return _counted(_outcomes(db, since, now=now))


def mails_by_day(
    db: DbSession, *, days: int, zone: str, now: datetime
) -> list[tuple[date, MailCounts]]:
    """The same for each of the last days of a zone, today last."""
    today = to_local(now, zone).date()
    wanted = [today - timedelta(days=back) for back in reversed(range(days))]
    outcomes = _outcomes(db, now - DAY * days, now=now)
    return [
        (day, _counted([one for one in outcomes if to_local(one.at, zone).date() == day]))
        for day in wanted
    ]


@dataclass(frozen=True)
class _Outcome:
    at: datetime
    what: str
    number: int


def _outcomes(db: DbSession, since: datetime, *, now: datetime) -> list[_Outcome]:
    sent = (
        select(Delivery.sent_at, Delivery.returned_at.is_not(None), func.count())
        .where(Delivery.created_at > now - QUEUED_WITHIN, Delivery.sent_at > since)
        .group_by(Delivery.sent_at, Delivery.returned_at.is_not(None))
    )
    found = [
        _Outcome(at, "returned" if came_back else "sent", number)
        for at, came_back, number in db.execute(sent)
        if at is not None
    ]
    # Of those that reached nobody, when they were handed out last is kept; not so in older rows.
    when = func.coalesce(Delivery.offered_until, Delivery.created_at)
    lost = (
        select(when, Delivery.dropped_because, func.count())
        .where(Delivery.created_at > now - QUEUED_WITHIN, when > since)
        .where(Delivery.sent_at.is_(None), Delivery.due_at.is_(None))
        .where(
            or_(
                Delivery.dropped_because == deliveries.REFUSED,
                Delivery.dropped_because.startswith(deliveries.GIVEN_UP),
            )
        )
        .group_by(when, Delivery.dropped_because)
    )
    for at, because, number in db.execute(lost):
        what = "refused" if because == deliveries.REFUSED else "given up"
        found.append(_Outcome(at, what, number))
    return found


def _counted(outcomes: Sequence[_Outcome]) -> MailCounts:
    def of(what: str) -> int:
        return sum(one.number for one in outcomes if one.what == what)

    return MailCounts(
        sent=of("sent") + of("returned"),
        returned=of("returned"),
        refused=of("refused"),
        given_up=of("given up"),
    )


def _backup_fact(
    is_wanted: bool, good: BackupRun | None, tried: BackupRun | None, now: datetime
) -> BackupFact:
    failed = tried.error or "" if tried is not None and tried is not good else ""
    return BackupFact(is_wanted, now - good.began_at if good else None, failed)
