"""Where a person was in a recording: the newest word wins, from whichever device it comes."""

from datetime import datetime, timedelta
from typing import cast

from sqlalchemy import Table
from sqlalchemy.dialects import postgresql, sqlite

from webinar.db import DbSession
from webinar.domain.errors import DomainError
from webinar.models import Recording, WatchPlace

# A place that could not be told earlier: the device was without a network, or switched off.
OLDEST = timedelta(days=400)


def of_person(db: DbSession, recording_id: int, user_id: int) -> WatchPlace | None:
    """Where this person was last, on any device."""
    return db.get(WatchPlace, (user_id, recording_id))


def keep(
    db: DbSession,
    recording: Recording,
    user_id: int,
    *,
    seconds: float,
    age_seconds: float,
    now: datetime,
) -> None:
    """Keep that the person was here (seconds of source time) so long ago; older words are nothing.

    Devices tell ages and not times, because their clocks may be wrong. Raises DomainError for a
    place that is not in the recording.
    """
    if not 0 <= seconds <= recording.duration_seconds + 1:
        raise DomainError("There is no such place in this recording.")
    if not 0 <= age_seconds <= OLDEST.total_seconds():
        raise DomainError("A place was kept in the past, and not that long ago.")
    table = cast(Table, WatchPlace.__table__)
    values = {
        "user_id": user_id,
        "recording_id": recording.id,
        "seconds": seconds,
        "updated_at": now - timedelta(seconds=age_seconds),
    }
    dialect = postgresql if db.get_bind().dialect.name == "postgresql" else sqlite
    fresh = dialect.insert(table).values(values)
    db.execute(
        fresh.on_conflict_do_update(
            index_elements=["user_id", "recording_id"],
            set_={"seconds": fresh.excluded.seconds, "updated_at": fresh.excluded.updated_at},
            where=table.c.updated_at <= fresh.excluded.updated_at,
        )
    )
