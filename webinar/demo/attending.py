"""Who watched which evening of the demonstration: passes and segments, as players send them."""

import random
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from webinar.db import DbSession
from webinar.demo.evenings import LATE_START, Act, Evening, Stage
from webinar.domain.attendance import ViewingMode
from webinar.models import User, WebinarSession
from webinar.services import attendance
from webinar.services.evidence.segment_rows import Touched

# The passes' tokens are thrown away: nobody will send beats under them.
NO_SECRET = b"thrown away with the token of the pass"
EVENINGS_WATCHED = 8


@dataclass(frozen=True)
class Visit:
    """Somebody's evening: from when until when they watched, counted from the announced start."""

    user: User
    joined: timedelta
    left: timedelta


def visits(stage: Stage, evening: Evening, number: int) -> tuple[Visit, ...]:
    """Who came to the evening; `number` counts back from the latest, 0."""
    if number >= EVENINGS_WATCHED:
        return ()
    session = evening.session
    length = session.ends_at - session.starts_at
    # The same on every machine, so that the demonstration can be written about.
    chance = random.Random(f"evening {number}")  # noqa: S311 -- no secret
    found = [Visit(stage.cast.participant, timedelta(seconds=40), _left(length, number))]
    for user in stage.cast.audience[: len(stage.cast.audience) * 2 // 3]:
        if chance.random() < 0.7:
            joined = timedelta(seconds=chance.randint(20, 400))
            share = chance.choice((1.0, 1.0, 1.0, 0.95, 0.85, 0.6))
            found.append(Visit(user, joined, length * share))
    return tuple(found)


def _left(length: timedelta, number: int) -> timedelta:
    """The participant stays to the end, but for one evening."""
    return length * 0.6 if number == 3 else length


def watching(stage: Stage, evening: Evening, found: Sequence[Visit]) -> list[Act]:
    """Passes when the session is on air, segments when it is over."""
    session = evening.session
    passes: dict[int, str] = {}

    def arrive(now: datetime) -> None:
        for visit in found:
            passes[visit.user.id] = attendance.issue_pass(
                stage.db, session, visit.user.id, mode=ViewingMode.LIVE, secret=NO_SECRET, now=now
            ).pass_id

    def leave(now: datetime) -> None:
        _store(stage.db, session, found, passes, now=now)

    return [
        Act(session.starts_at + LATE_START + timedelta(seconds=1), arrive),
        Act(session.ends_at + evening.overrun + timedelta(seconds=1), leave),
    ]


def _store(
    db: DbSession,
    session: WebinarSession,
    found: Sequence[Visit],
    passes: dict[int, str],
    *,
    now: datetime,
) -> None:
    touched = []
    for visit in found:
        joined_at, left_at = session.starts_at + visit.joined, session.starts_at + visit.left
        touched.append(
            Touched(
                pass_id=passes[visit.user.id],
                number=0,
                from_ms=_milliseconds(joined_at),
                to_ms=_milliseconds(left_at),
                # A beat every quarter of a minute.
                seq=int((left_at - joined_at) / timedelta(seconds=15)),
                first_at=joined_at,
                last_at=left_at,
            )
        )
    attendance.store_segments(db, touched, now=now)


def _milliseconds(at: datetime) -> int:
    return int(at.timestamp() * 1000)
