"""An evening with attention checks, and one whose presenter earns faculty credit."""

import random
from collections.abc import Sequence
from datetime import datetime, timedelta
from decimal import Decimal

from sqlalchemy import select

from webinar.demo.attending import NO_SECRET, Visit
from webinar.demo.evenings import Act, Evening, Stage
from webinar.domain.attendance import ViewingMode
from webinar.domain.credit import GrantStatus
from webinar.models import Accreditor, CreditPolicy
from webinar.services import accreditation, credits, redeciding
from webinar.services.accreditation import GrantDetails
from webinar.services.evidence import checks, faculty_credit
from webinar.services.evidence.checks import Watching
from webinar.services.evidence.faculty_credit import Confirmed

APPLIED_BEFORE = timedelta(weeks=4)
ASKED_AFTER = tuple(timedelta(minutes=minutes) for minutes in (12, 24, 36, 42))
"""When players ask whether a check is due; they do so much more often."""
CONFIRMED_AFTER = timedelta(hours=15)
MINUTES_PRESENTED = 40


def watched_with_checks(stage: Stage, evening: Evening, found: Sequence[Visit]) -> list[Act]:
    """A policy that asks whether somebody is there; most people answer."""
    session = evening.session
    length = session.ends_at - session.starts_at
    chance = random.Random("attention checks")  # noqa: S311 -- no secret

    def ask(now: datetime) -> None:
        for visit in found:
            watched = now - session.starts_at - visit.joined
            if watched <= timedelta(0) or now >= session.starts_at + visit.left:
                continue
            watching = Watching(
                user_id=visit.user.id,
                mode=ViewingMode.LIVE,
                counted_seconds=int(watched.total_seconds()),
                total_seconds=int(length.total_seconds()),
            )
            check = checks.open_check(stage.db, session, watching, secret=NO_SECRET, now=now)
            if check is not None and chance.random() < 0.85:
                seen_at = now + timedelta(seconds=chance.randint(4, 60))
                checks.answer(stage.db, session.id, visit.user.id, check.id, now=seen_at)

    def keep_silence(now: datetime) -> None:
        checks.vouch_for_lapsed(stage.db, now=now)

    return [
        _grant(stage, evening, "swisswebinar", "ch-swisswebinar-live", Decimal("1")),
        *(Act(session.starts_at + after, ask) for after in ASKED_AFTER),
        Act(session.ends_at + evening.overrun + timedelta(minutes=3), keep_silence),
    ]


def presented(stage: Stage, evening: Evening) -> list[Act]:
    """The officer confirms how long the presenter spoke."""
    session = evening.session

    def confirm(now: datetime) -> None:
        for member in session.faculty:
            if member.user_id == stage.cast.faculty.id:
                said = Confirmed(minutes=MINUTES_PRESENTED, is_repeat=False)
                faculty_credit.confirm(
                    stage.db, session, member, said, actor_id=stage.cast.officer.id, now=now
                )
        decide_again(stage, evening, now=now)

    return [
        _grant(stage, evening, "ama", "ama-pra-faculty", Decimal("1.5")),
        Act(session.ends_at + evening.overrun + CONFIRMED_AFTER, confirm),
    ]


def decide_again(stage: Stage, evening: Evening, *, now: datetime) -> None:
    """What the clock does within minutes after something of a session has changed."""
    session = evening.session
    credits.decide_session(stage.db, session.id, public_url=stage.calendar.public_url, now=now)
    for changed in redeciding.changed(stage.db):
        if changed.session_id == session.id:
            redeciding.settle(stage.db, changed)


def _grant(stage: Stage, evening: Evening, body: str, policy: str, amount: Decimal) -> Act:
    db, session = stage.db, evening.session

    def grant(now: datetime) -> None:
        found = db.scalars(select(Accreditor).where(Accreditor.slug == body)).one()
        rules = db.scalars(select(CreditPolicy).where(CreditPolicy.name == policy)).one()
        details = GrantDetails(
            accreditor_id=found.id,
            policy_id=rules.id,
            status=GrantStatus.GRANTED,
            credits=amount,
            reference=f"DEMO-{session.starts_at:%Y%m%d}-{body}".upper(),
        )
        accreditation.add_grant(
            db,
            session,
            details,
            actor_id=stage.cast.officer.id,
            calendar=stage.calendar,
            now=now,
        )

    return Act(session.starts_at - APPLIED_BEFORE, grant)
