"""Evidence, grants and papers put into a database, for tests of credit and of its pages."""

from datetime import datetime, timedelta
from decimal import Decimal
from itertools import count

from tests.builders import NOW, STARTS_AT, make_registration, make_session, make_user
from webinar.db import DbSession
from webinar.domain.attendance import ViewingMode
from webinar.domain.credit import GrantStatus
from webinar.domain.recording import RecordingState
from webinar.domain.session import SessionStatus
from webinar.models import (
    AccreditationGrant,
    Accreditor,
    Recording,
    TestItem,
    User,
    ViewingPass,
    WatchSegment,
    WebinarSession,
)
from webinar.services.policies import ensure_policies

ENDS_AT = STARTS_AT + timedelta(minutes=45)
AFTER = ENDS_AT + timedelta(minutes=10)
_numbers = count(1)


def make_ended_session(db: DbSession, *, minutes: int = 45) -> WebinarSession:
    session = make_session(db, minutes=minutes, status=SessionStatus.ENDED)
    session.actual_started_at = session.starts_at
    session.actual_ended_at = session.ends_at
    session.objectives = "Say when to dissect.\nKnow the trials."
    db.flush()
    return session


def make_recording(
    db: DbSession, session: WebinarSession, *, seconds: float = 2700, closes_at: datetime
) -> Recording:
    recording = Recording(
        public_id=f"rec{next(_numbers)}",
        session_id=session.id,
        state=RecordingState.PUBLISHED,
        duration_seconds=seconds,
        opens_at=session.ends_at,
        closes_at=closes_at,
        created_at=session.ends_at,
    )
    db.add(recording)
    db.flush()
    return recording


def make_grant(
    db: DbSession,
    session: WebinarSession,
    policy: str,
    credits: str,
    *,
    body: str = "",
    status: GrantStatus = GrantStatus.GRANTED,
    credit_until: datetime | None = None,
) -> AccreditationGrant:
    rows = ensure_policies(db, now=NOW)
    accreditor = Accreditor(
        slug=body or f"body-{next(_numbers)}",
        name=f"The {policy} body",
        short_name=policy,
        unit="point",
    )
    if body:
        found = db.query(Accreditor).filter_by(slug=body).one_or_none()
        accreditor = found or accreditor
    row = rows[policy]
    grant = AccreditationGrant(
        session_id=session.id,
        accreditor=accreditor,
        policy=row,
        mode=ViewingMode(row.data["mode"]),
        status=status,
        credits_granted=Decimal(credits),
        reference="REF-1",
        statement_granted=f"Accredited under {policy}.",
        credit_until=credit_until,
    )
    db.add(grant)
    db.flush()
    return grant


def watch(
    db: DbSession,
    session: WebinarSession,
    user: User,
    mode: ViewingMode,
    start: float,
    end: float,
    *,
    at: datetime | None = None,
) -> ViewingPass:
    """Played [start, end) seconds of the session (live: after its start) at normal speed."""
    opened = at or session.starts_at + timedelta(seconds=start if mode == ViewingMode.LIVE else 0)
    base = session.starts_at.timestamp() if mode is ViewingMode.LIVE else 0.0
    viewing_pass = ViewingPass(
        id=f"pass{next(_numbers)}",
        session_id=session.id,
        user_id=user.id,
        mode=mode,
        issued_at=opened,
        expires_at=opened + timedelta(days=30),
    )
    db.add(viewing_pass)
    db.flush()
    db.add(
        WatchSegment(
            pass_id=viewing_pass.id,
            number=0,
            from_ms=round((base + start) * 1000),
            to_ms=round((base + end) * 1000),
            seq=9,
            first_at=opened + timedelta(seconds=15),
            last_at=opened + timedelta(seconds=end - start),
        )
    )
    db.flush()
    return viewing_pass


def make_attendee(
    db: DbSession, session: WebinarSession, *, start: float = 0, end: float = 2700, name: str = ""
) -> User:
    """Registered, and there live from `start` to `end`, in seconds after the start."""
    user = make_user(db, name=name or "Dr Anna Keller")
    make_registration(db, session, user)
    watch(db, session, user, ViewingMode.LIVE, start, end)
    return user


def make_test(db: DbSession, session: WebinarSession, *, questions: int = 4) -> list[TestItem]:
    items = [
        TestItem(
            session_id=session.id,
            position=position,
            text=f"Question {position + 1}?",
            options=["Yes", "No", "It depends"],
            correct_option=2,
            comment=f"Because of trial {position + 1}.",
        )
        for position in range(questions)
    ]
    db.add_all(items)
    db.flush()
    return items
