"""Plain functions that put rows into a database; a test states each value it asserts on."""

from datetime import UTC, date, datetime, time, timedelta
from itertools import count

from webinar.db import DbSession
from webinar.domain.access import Role
from webinar.domain.session import FacultyPart, SessionStatus
from webinar.models import (
    FacultyMember,
    PlanningRule,
    Registration,
    Series,
    Society,
    Topic,
    User,
    UserRole,
    WebinarSession,
)

# Thursday 26 November 2026, 18:15 in Zurich: winter time, 17:15 UTC.
STARTS_AT = datetime(2026, 11, 26, 17, 15, tzinfo=UTC)
NOW = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
_numbers = count(1)


def make_user(
    db: DbSession,
    email: str = "",
    *,
    name: str = "Dr Anna Keller",
    roles: tuple[Role, ...] = (),
    verified: bool = True,
    zone: str = "Europe/Zurich",
) -> User:
    user = User(
        email=email or f"person{next(_numbers)}@example.net",
        name=name,
        country="CH",
        profession="physician",
        zone=zone,
        verified_at=NOW if verified else None,
        created_at=NOW,
        grants=[UserRole(role=role) for role in roles],
    )
    db.add(user)
    db.flush()
    return user


def make_society(db: DbSession, slug: str = "") -> Society:
    number = next(_numbers)
    society = Society(
        slug=slug or f"society-{number}", name=f"Society {number}", short_name=f"S{number}"
    )
    db.add(society)
    db.flush()
    return society


def make_topic(db: DbSession, slug: str = "") -> Topic:
    number = next(_numbers)
    topic = Topic(slug=slug or f"topic-{number}", name=f"Topic {number}")
    db.add(topic)
    db.flush()
    return topic


def make_series(db: DbSession, slug: str = "", *, society: Society | None = None) -> Series:
    series = Series(
        slug=slug or f"series-{next(_numbers)}",
        society=society or make_society(db),
        name="e-grandrounds",
        zone="Europe/Zurich",
        created_at=NOW,
        rules=[
            PlanningRule(
                rule="FREQ=WEEKLY;BYDAY=TH",
                local_start=time(18, 15),
                duration_minutes=45,
                first_day=date(2026, 11, 26),
            )
        ],
    )
    db.add(series)
    db.flush()
    return series


def make_session(
    db: DbSession,
    *,
    starts_at: datetime = STARTS_AT,
    minutes: int = 45,
    status: SessionStatus = SessionStatus.PUBLISHED,
    title: str = "Sentinel nodes after neoadjuvant therapy",
    series: Series | None = None,
    society: Society | None = None,
    topics: tuple[Topic, ...] = (),
) -> WebinarSession:
    number = next(_numbers)
    session = WebinarSession(
        public_id=f"s{number:07d}",
        series=series,
        society=society or (series.society if series else make_society(db)),
        title=title,
        starts_at=starts_at,
        ends_at=starts_at + timedelta(minutes=minutes),
        zone="Europe/Zurich",
        status=status,
        ical_uid=f"session-{number}@webinar.example",
        ical_changed_at=NOW,
        created_at=NOW,
        topics=list(topics),
    )
    db.add(session)
    db.flush()
    return session


def make_faculty(
    db: DbSession,
    session: WebinarSession,
    part: FacultyPart = FacultyPart.PRESENTER,
    *,
    user: User | None = None,
    name: str = "Prof Elena Marchetti",
    disclosure: str = "Nothing to disclose.",
) -> FacultyMember:
    member = FacultyMember(
        session=session,
        user_id=user.id if user else None,
        part=part,
        name=name,
        disclosure=disclosure,
    )
    db.add(member)
    db.flush()
    return member


def make_ready(db: DbSession, session: WebinarSession) -> WebinarSession:
    """Give the session all that people have to know before it is published."""
    session.abstract = session.abstract or "What to do with the node."
    session.objectives = session.objectives or "Know when to stop."
    if not session.faculty:
        make_faculty(db, session)
    db.flush()
    return session


def make_moderated(db: DbSession, session: WebinarSession) -> WebinarSession:
    """Give the session somebody who reads its questions: without, it does not go live."""
    make_faculty(db, session, FacultyPart.MODERATOR, name="Dr Jonas Weber")
    return session


def make_registration(db: DbSession, session: WebinarSession, user: User) -> Registration:
    registration = Registration(session=session, user=user, created_at=NOW)
    db.add(registration)
    db.flush()
    return registration
