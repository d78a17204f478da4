"""The log of mails for organisers: who was sent what, and what became of it; never what it said.

`societies` limits all of it to mails about what these societies hold; None means everything.
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, Select, and_, case, func, or_, select, true
from sqlalchemy.orm import joinedload

from webinar.db import DbSession
from webinar.domain.errors import Conflict, NotFound
from webinar.domain.letter import MailKind
from webinar.domain.mail_log import (
    NOT_SENT,
    REFUSED,
    About,
    MailState,
    about,
    can_be_sent_again,
    kinds_about,
    state_of,
)
from webinar.models import (
    Appeal,
    Certificate,
    Delivery,
    FacultyMember,
    Registration,
    Series,
    SeriesRegistration,
    User,
    WebinarSession,
)
from webinar.services import audit

Societies = frozenset[int] | None
LOST_WITHIN = timedelta(days=30)


@dataclass(frozen=True)
class Entry:
    """A mail in the log; `session` is the one it has to do with, if it has."""

    delivery: Delivery
    kind: MailKind
    state: MailState
    session: WebinarSession | None
    series: Series | None

    @property
    def at(self) -> datetime:
        """When it last moved, or is to leave."""
        row = self.delivery
        return row.due_at or row.returned_at or row.sent_at or row.created_at

    @property
    def because(self) -> str:
        """Why it is not there, in words; "" if it is."""
        row = self.delivery
        if self.state is MailState.RETURNED:
            return row.returned_because or ""
        if self.state is MailState.GIVEN_UP:
            return ": ".join(part for part in (row.dropped_because, row.last_error) if part)
        if self.state is MailState.DROPPED:
            return row.dropped_because or ""
        return (row.last_error or "") if self.state is MailState.WAITING else ""

    @property
    def can_be_sent_again(self) -> bool:
        return can_be_sent_again(self.kind, self.state)


@dataclass(frozen=True)
class Tally:
    """A kind of mail about a session, and how many of them stand how."""

    kind: MailKind
    counts: dict[MailState, int]

    @property
    def total(self) -> int:
        return sum(self.counts.values())


def people(db: DbSession, societies: Societies, *, words: str, limit: int) -> list[User]:
    """Who has these words in name or e-mail and takes part with one of the societies, by name."""
    found = _people(societies).order_by(User.name, User.id).limit(limit)
    for word in words.split():
        found = found.where(
            or_(
                User.name.icontains(word, autoescape=True),
                User.email.icontains(word, autoescape=True),
            )
        )
    return list(db.scalars(found))


def person(db: DbSession, societies: Societies, user_id: int) -> User:
    """One of them; raises NotFound for strangers as for people of others alone."""
    user = db.scalar(_people(societies).where(User.id == user_id))
    if user is None:
        raise NotFound("Nobody of that number takes part in sessions of yours.")
    return user


def of_person(
    db: DbSession, societies: Societies, user_id: int, *, limit: int, offset: int = 0
) -> list[Entry]:
    """What the person was or is to be sent, the latest first."""
    return _entries(
        db,
        _about_theirs(societies)
        .where(Delivery.user_id == user_id)
        .order_by(Delivery.id.desc())
        .limit(limit)
        .offset(offset),
    )


def lost(
    db: DbSession, societies: Societies, *, now: datetime, limit: int, session_id: int | None = None
) -> list[Entry]:
    """Mails that nobody got: given up or come back, in the last month or about the session."""
    wanted = _standing.in_([MailState.GIVEN_UP.value, MailState.RETURNED.value])
    query = _about_theirs(societies).where(wanted)
    if session_id is None:
        since = now - LOST_WITHIN
        # A reminder is put down when somebody registers, months before it leaves and comes back.
        query = query.where(or_(Delivery.created_at >= since, Delivery.returned_at >= since))
    else:
        query = query.where(_of_session(session_id))
    return _entries(db, query.order_by(Delivery.id.desc()).limit(limit))


def tallies(db: DbSession, session: WebinarSession) -> list[Tally]:
    """What was written about the session, by kind in the order of kinds."""
    rows = db.execute(
        select(Delivery.kind, _standing, func.count())
        .where(_of_session(session.id))
        .group_by(Delivery.kind, _standing)
    )
    found: dict[MailKind, dict[MailState, int]] = {}
    for kind, state, count in rows:
        found.setdefault(MailKind(kind), {})[MailState(state)] = count
    return [Tally(kind, found[kind]) for kind in MailKind if kind in found]


def reasons(db: DbSession, session: WebinarSession) -> list[tuple[str, int]]:
    """Why mails about the session were not needed any more, the most frequent first."""
    rows = db.execute(
        select(Delivery.dropped_because, func.count())
        .where(_of_session(session.id), _standing == MailState.DROPPED.value)
        .group_by(Delivery.dropped_because)
        .order_by(func.count().desc(), Delivery.dropped_because)
    )
    return [(because or "", count) for because, count in rows]


def send_again(
    db: DbSession, societies: Societies, delivery_id: int, *, actor_id: int, now: datetime
) -> Delivery:
    """Try a lost mail anew; whether it is still wanted is decided as ever.

    Raises NotFound for mails about other societies, Conflict for one that is not lost or whose
    words are forgotten.
    """
    delivery = db.scalar(
        _about_theirs(societies)
        .where(Delivery.id == delivery_id)
        .with_for_update(of=Delivery)
        .execution_options(populate_existing=True)
    )
    if delivery is None:
        raise NotFound("There is no such mail about sessions of yours.")
    kind, state = MailKind(delivery.kind), _state(delivery)
    if not can_be_sent_again(kind, state):
        raise Conflict(
            "This mail cannot be sent again: it is not lost, or it held a secret that was "
            "forgotten. Let the person ask for a new one."
        )
    before = {"state": state.value, "because": Entry(delivery, kind, state, None, None).because}
    delivery.due_at = now
    delivery.attempts = 0
    delivery.offered_until = delivery.lease_until = delivery.sent_at = delivery.returned_at = None
    delivery.dropped_because = delivery.last_error = delivery.returned_because = None
    db.flush()
    audit.write(
        db,
        actor_id=actor_id,
        action="mail sent again",
        subject=f"user {delivery.user_id}",
        before=before,
        after={"kind": kind.value, "mail": delivery.id},
        now=now,
    )
    return delivery


# The same rules as webinar.domain.mail_log.state_of, for counting many.
_standing: ColumnElement[str] = case(
    (Delivery.due_at.is_not(None), MailState.WAITING.value),
    (Delivery.returned_at.is_not(None), MailState.RETURNED.value),
    (Delivery.sent_at.is_not(None), MailState.SENT.value),
    (
        or_(
            Delivery.dropped_because == REFUSED,
            Delivery.dropped_because.startswith(NOT_SENT, autoescape=True),
        ),
        MailState.GIVEN_UP.value,
    ),
    else_=MailState.DROPPED.value,
)


def _state(delivery: Delivery) -> MailState:
    return state_of(
        due_at=delivery.due_at,
        sent_at=delivery.sent_at,
        returned_at=delivery.returned_at,
        dropped_because=delivery.dropped_because,
    )


def _people(societies: Societies) -> Select[User]:
    found = select(User).where(User.erased_at.is_(None))
    if societies is None:
        return found
    sessions = _session_ids(societies)
    return found.where(
        or_(
            User.id.in_(select(Registration.user_id).where(Registration.session_id.in_(sessions))),
            User.id.in_(
                select(FacultyMember.user_id).where(FacultyMember.session_id.in_(sessions))
            ),
            User.id.in_(
                select(SeriesRegistration.user_id)
                .join(Series, Series.id == SeriesRegistration.series_id)
                .where(Series.society_id.in_(societies))
            ),
        )
    )


def _about_theirs(societies: Societies) -> Select[Delivery]:
    found = select(Delivery).options(joinedload(Delivery.user, innerjoin=True))
    if societies is None:
        return found.where(true())
    return found.where(
        or_(
            _of_sessions(_session_ids(societies)),
            _is(
                About.SERIES,
                Delivery.subject_id.in_(select(Series.id).where(Series.society_id.in_(societies))),
            ),
        )
    )


def _of_session(session_id: int) -> ColumnElement[bool]:
    return _of_sessions(select(WebinarSession.id).where(WebinarSession.id == session_id))


def _of_sessions(session_ids: Select[int]) -> ColumnElement[bool]:
    """Mails about these sessions, or about something that belongs to one of them."""
    return or_(
        _is(About.SESSION, Delivery.subject_id.in_(session_ids)),
        *(
            _is(
                what,
                Delivery.subject_id.in_(select(owner.id).where(owner.session_id.in_(session_ids))),
            )
            for what, owner in OF_A_SESSION.items()
        ),
    )


def _is(what: About, condition: ColumnElement[bool]) -> ColumnElement[bool]:
    return and_(Delivery.kind.in_([kind.value for kind in kinds_about(what)]), condition)


def _session_ids(societies: Collection[int]) -> Select[int]:
    return select(WebinarSession.id).where(WebinarSession.society_id.in_(societies))


OF_A_SESSION: dict[About, type[Appeal] | type[Certificate] | type[FacultyMember]] = {
    About.APPEAL: Appeal,
    About.CERTIFICATE: Certificate,
    About.FACULTY: FacultyMember,
}


def _entries(db: DbSession, query: Select[Delivery]) -> list[Entry]:
    rows = db.scalars(query).all()
    subjects: dict[About, set[int]] = {}
    for row in rows:
        subjects.setdefault(about(MailKind(row.kind)), set()).add(row.subject_id)
    session_of = {
        (what, subject_id): session_id
        for what, owner in OF_A_SESSION.items()
        if what in subjects
        for subject_id, session_id in db.execute(
            select(owner.id, owner.session_id).where(owner.id.in_(subjects[what]))
        )
    }
    session_of |= {
        (About.SESSION, subject_id): subject_id for subject_id in subjects.get(About.SESSION, ())
    }
    sessions = {
        one.id: one
        for one in db.scalars(
            select(WebinarSession).where(WebinarSession.id.in_(set(session_of.values())))
        )
    }
    series = {
        one.id: one
        for one in db.scalars(
            select(Series).where(Series.id.in_(subjects.get(About.SERIES, set())))
        )
    }
    return [_entry(row, session_of, sessions, series) for row in rows]


def _entry(
    row: Delivery,
    session_of: dict[tuple[About, int], int],
    sessions: dict[int, WebinarSession],
    series: dict[int, Series],
) -> Entry:
    kind = MailKind(row.kind)
    what = about(kind)
    return Entry(
        delivery=row,
        kind=kind,
        state=_state(row),
        session=sessions.get(session_of.get((what, row.subject_id), 0)),
        series=series.get(row.subject_id) if what is About.SERIES else None,
    )
