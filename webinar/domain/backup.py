"""Backups: their kinds, their names, when one is due and when its time is over."""

import re
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from enum import StrEnum

from webinar.domain.timezone import to_local, to_utc

RETRY_AFTER = timedelta(minutes=15)
STALE_AFTER = timedelta(hours=2)
"""A backup that has not ended by then is held to be killed, and another is taken."""
NAME = re.compile(r"webinar-(data|keys)-(\d{8}T\d{6})Z\.age")
UNFINISHED = ".unfinished"


class BackupKind(StrEnum):
    """What a backup holds. Keys are never in one of the data: they are kept apart, and shorter."""

    DATA = "data"
    KEYS = "keys"


@dataclass(frozen=True)
class BackupName:
    """What the name of a backup's file says."""

    kind: BackupKind
    taken_at: datetime

    def __str__(self) -> str:
        return f"webinar-{self.kind}-{self.taken_at.astimezone(UTC):%Y%m%dT%H%M%S}Z.age"


def name_read(file_name: str) -> BackupName | None:
    """What the name says, with or without the ending of an unfinished one; None: not ours."""
    found = NAME.fullmatch(file_name.removesuffix(UNFINISHED))
    if found is None:
        return None
    try:
        taken_at = datetime.strptime(found[2], "%Y%m%dT%H%M%S").replace(tzinfo=UTC)
    except ValueError:
        return None
    return BackupName(BackupKind(found[1]), taken_at)


def last_appointed(at: str, zone_name: str, *, now: datetime) -> datetime:
    """The newest instant, not after `now`, at which the zone's clocks showed `at` ("02:30").

    On a day whose clocks jump over it, it is as much later.
    """
    wall = time.fromisoformat(at)
    today = to_local(now, zone_name).date()
    # Tomorrow's can be past already: clocks may go back over midnight.
    for days in (1, 0, -1):
        day = today + timedelta(days=days)
        appointed = to_utc(
            datetime.combine(day, wall), zone_name, on_gap="forward", on_fold="first"
        )
        if appointed <= now:
            return appointed
    return to_utc(
        datetime.combine(today - timedelta(days=2), wall),
        zone_name,
        on_gap="forward",
        on_fold="first",
    )


def over(names: list[BackupName], *, keep_days: int, now: datetime) -> list[BackupName]:
    """Those whose time is over. The newest of the data stays, keys go without exception."""
    latest = now - timedelta(days=keep_days)
    ended = [name for name in names if name.taken_at <= latest]
    spared = max(
        (name for name in names if name.kind is BackupKind.DATA),
        key=lambda name: name.taken_at,
        default=None,
    )
    return [name for name in ended if name != spared]
