"""How the service itself does, for administrators: pictures, what is wrong, how it is mended."""

import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from flask import current_app, flash, g, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user

from webinar.domain.access import Action
from webinar.domain.service_health import FAILED_TIMES, LATE_AFTER, in_words
from webinar.domain.wording import plural
from webinar.models import BackupRun, ParkedWork, TickRun
from webinar.services import audit, parked, service_state
from webinar.services.service_state import MailCounts, ServiceState
from webinar.services.ticks import Lateness
from webinar.web.access import requires
from webinar.web.health import said_of_service
from webinar.web.manage.blueprint import bp

DAYS_OF_MAIL = 14
GIGABYTE = 1024**3
# Of an error only its last line is shown: what is above is for the log.
LONGEST_SHOWN = 300


@dataclass(frozen=True)
class TickLine:
    """A tick as a bar: how much of the time it is allowed has passed since it went well."""

    name: str
    used: float  # 1: all of it
    is_behind: bool
    words: str
    pause: str
    last: datetime | None
    took_milliseconds: int
    error: str


@dataclass(frozen=True)
class MailDay:
    """A column of the picture of mails."""

    label: str
    counts: MailCounts


@dataclass(frozen=True)
class Room:
    """The disk of the data folder, in gigabytes."""

    free: float
    total: float
    reserve: float

    @property
    def used_percent(self) -> float:
        return 100 * (self.total - self.free) / self.total if self.total else 0

    @property
    def reserve_percent(self) -> float:
        """Where the room begins that is kept for broadcasts."""
        return 100 - 100 * self.reserve / self.total if self.total else 0


@dataclass(frozen=True)
class BackupLine:
    """One kind of backup: what it holds, the last good one, why the last try failed."""

    kind: str
    words: str
    good: BackupRun | None
    fault: str


@dataclass(frozen=True)
class FailedWork:
    """Something that was tried and did not work."""

    row: ParkedWork
    error: str

    @property
    def is_parked(self) -> bool:
        return self.row.parked_at is not None


@bp.get("/service/")
@requires(Action.LOOK_AFTER_SERVICE)
def service() -> ResponseReturnValue:
    """Everything of the service on one page."""
    config = current_app.extensions["config"]
    state = service_state.read(g.db, now=g.now)
    days = service_state.mails_by_day(g.db, days=DAYS_OF_MAIL, zone=config.HOME_ZONE, now=g.now)
    said = said_of_service()
    return render_template(
        "manage/service.html",
        remarks=said,
        waiting=[remark for remark in said if remark.standing != "fine"],
        ticks=[_tick_line(late, state.runs.get(late.name), g.now) for late in state.lateness],
        backlog=[each for each in state.backlog if each.name != "parked"],
        mail_days=[MailDay(f"{day.day}.{day.month}.", counts) for day, counts in days],
        mail_top=max((counts.sent + counts.refused + counts.given_up for _, counts in days)),
        processes=state.living,
        room=_room(config.DATA_DIR, config.LOW_DISK_MEGABYTES),
        backups=_backups(state),
        wants={"data": bool(config.BACKUP_DIR), "keys": bool(config.KEYS_BACKUP_DIR)},
        retention=state.retention,
        failed=_failed([*state.parked, *state.failing]),
        engine=config.ENGINE,
        in_words=in_words,
        zone=config.HOME_ZONE,
    )


@bp.post("/service/work/<int:parked_id>/again")
@requires(Action.LOOK_AFTER_SERVICE)
def service_try_again(parked_id: int) -> ResponseReturnValue:
    """Somebody mended the cause: let the clock try this one at its next turn."""
    row = parked.try_again(g.db, parked_id, now=g.now)
    audit.write(
        g.db,
        actor_id=current_user.id,
        action="work tried again",
        subject=f"{row.what} {row.item_id}",
        now=g.now,
    )
    g.db.commit()
    flash("The clock tries it again within seconds. Reload this page to see how it went.", "notice")
    return redirect(url_for("manage.service") + "#work")


def _tick_line(late: Lateness, run: TickRun | None, now: datetime) -> TickLine:
    allowed = late.every_seconds + LATE_AFTER.total_seconds()
    age = 0.0 if late.succeeded_at is None else abs(now - late.succeeded_at).total_seconds()
    behind = late.seconds is not None and late.seconds > LATE_AFTER.total_seconds()
    words = "in time"
    if late.failures:
        words = f"failed {plural(late.failures, 'time')}"
    elif late.seconds is None:
        words = "not yet"
    elif behind:
        words = f"{in_words(timedelta(seconds=late.seconds))} late"
    return TickLine(
        name=late.name,
        used=max(0.0, min(1.0, age / allowed)),
        is_behind=behind or late.failures >= FAILED_TIMES,
        words=words,
        pause=in_words(timedelta(seconds=late.every_seconds)),
        last=late.succeeded_at,
        took_milliseconds=run.milliseconds if run else 0,
        error=_last_line(run.last_error or "") if run else "",
    )


def _room(folder: Path, low_megabytes: int) -> Room:
    usage = shutil.disk_usage(folder)
    return Room(usage.free / GIGABYTE, usage.total / GIGABYTE, low_megabytes / 1024)


def _backups(state: ServiceState) -> list[BackupLine]:
    words = {"data": "Database, signing keys, small files", "keys": "Keys of recordings"}
    found: list[BackupLine] = []
    for kind, good in state.backups.items():
        tried = state.last_tries[kind]
        failed = tried.error or "" if tried is not None and tried is not good else ""
        found.append(BackupLine(kind.value, words[kind.value], good, failed))
    return found


def _failed(rows: Sequence[ParkedWork]) -> list[FailedWork]:
    return [FailedWork(row, _last_line(row.last_error)) for row in rows]


def _last_line(error: str) -> str:
    lines = error.strip().splitlines()
    return lines[-1][:LONGEST_SHOWN] if lines else ""
