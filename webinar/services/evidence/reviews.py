"""Who is who in an imported report: looked at by a person, put right, undone."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import pairwise

from sqlalchemy import ColumnElement, and_, func, or_, select

from webinar.db import DbSession
from webinar.domain.errors import Conflict, NotAllowed, NotFound
from webinar.domain.review import MatchedBy
from webinar.models import AttendanceImport, ImportedVisit, Registration, User
from webinar.services import audit
from webinar.services.evidence import imports

MOST_FOUND = 20


@dataclass(frozen=True)
class Figures:
    """How many visits of an import stand where."""

    known: int = 0
    waiting: int = 0
    dismissed: int = 0


@dataclass(frozen=True)
class Somebody:
    """The visits of an import that carry the same name, address and number, in order of time.

    One name alone is no proof of one person: `overlaps` says that two of them were at once.
    """

    name: str
    email: str
    visits: tuple[ImportedVisit, ...]
    user: User | None
    suggested: tuple[User, ...] = ()

    @property
    def overlaps(self) -> bool:
        """Two devices of one person, or two people."""
        return any(later.joined_at < earlier.left_at for earlier, later in pairwise(self.visits))

    @property
    def key(self) -> int:
        """The visit by which a page names them."""
        return self.visits[0].id


def figures(db: DbSession, import_ids: Sequence[int]) -> dict[int, Figures]:
    """By import; in one query."""
    found = {import_id: Figures() for import_id in import_ids}
    rows = db.execute(
        select(ImportedVisit.import_id, ImportedVisit.matched_by, func.count())
        .where(ImportedVisit.import_id.in_(import_ids))
        .group_by(ImportedVisit.import_id, ImportedVisit.matched_by)
    )
    for import_id, matched_by, count in rows:
        so_far = found[import_id]
        if matched_by is MatchedBy.NOBODY:
            found[import_id] = replace(so_far, waiting=count)
        elif matched_by is MatchedBy.DISMISSED:
            found[import_id] = replace(so_far, dismissed=count)
        else:
            found[import_id] = replace(so_far, known=so_far.known + count)
    return found


def waiting_by_session(db: DbSession, session_ids: Sequence[int]) -> dict[int, int]:
    """Visits that wait for review, by session; without those that have none."""
    rows = db.execute(
        select(AttendanceImport.session_id, func.count())
        .join(ImportedVisit, ImportedVisit.import_id == AttendanceImport.id)
        .where(
            AttendanceImport.session_id.in_(session_ids),
            AttendanceImport.withdrawn_at.is_(None),
            ImportedVisit.matched_by == MatchedBy.NOBODY,
        )
        .group_by(AttendanceImport.session_id)
    )
    return dict(rows.all())


def people(
    db: DbSession, file: AttendanceImport, states: Sequence[MatchedBy], *, limit: int, offset: int
) -> list[Somebody]:
    """Who is in the report in one of these states, by name; those waiting with suggestions."""
    key = (ImportedVisit.name, ImportedVisit.email, ImportedVisit.remote_id)
    chosen = (
        select(*key, ImportedVisit.user_id)
        .where(ImportedVisit.import_id == file.id, ImportedVisit.matched_by.in_(states))
        .group_by(*key, ImportedVisit.user_id)
        .order_by(ImportedVisit.name, ImportedVisit.email, ImportedVisit.remote_id)
        .limit(limit)
        .offset(offset)
    )
    found = []
    for name, email, remote_id, user_id in db.execute(chosen).all():
        visits = db.scalars(
            select(ImportedVisit)
            .where(
                ImportedVisit.import_id == file.id,
                ImportedVisit.matched_by.in_(states),
                ImportedVisit.name == name,
                ImportedVisit.email == email,
                ImportedVisit.remote_id == remote_id,
                ImportedVisit.user_id.is_(None)
                if user_id is None
                else ImportedVisit.user_id == user_id,
            )
            .order_by(ImportedVisit.joined_at, ImportedVisit.id)
        )
        found.append(
            Somebody(
                name=name,
                email=email,
                visits=tuple(visits),
                user=db.get(User, user_id) if user_id is not None else None,
                suggested=_suggested(db, file, name, email) if user_id is None else (),
            )
        )
    return found


def somebody(db: DbSession, file: AttendanceImport, visit_id: int) -> Somebody:
    """Those of this visit's name, address and number that stand as it does; raises NotFound."""
    visit = db.get(ImportedVisit, visit_id)
    if visit is None or visit.import_id != file.id:
        raise NotFound("There is no such visit in this report.")
    alike = db.scalars(
        select(ImportedVisit)
        .where(
            ImportedVisit.import_id == file.id,
            ImportedVisit.matched_by == visit.matched_by,
            ImportedVisit.name == visit.name,
            ImportedVisit.email == visit.email,
            ImportedVisit.remote_id == visit.remote_id,
            ImportedVisit.user_id.is_(None)
            if visit.user_id is None
            else ImportedVisit.user_id == visit.user_id,
        )
        .order_by(ImportedVisit.joined_at, ImportedVisit.id)
    )
    return Somebody(
        name=visit.name,
        email=visit.email,
        visits=tuple(alike),
        user=db.get(User, visit.user_id) if visit.user_id is not None else None,
        suggested=_suggested(db, file, visit.name, visit.email),
    )


def search(db: DbSession, file: AttendanceImport, words: str) -> list[User]:
    """People with a place in the session whose name or address has these words.

    Anybody else is found by their whole e-mail address alone.
    """
    if not words.strip():
        return []
    named = [
        or_(User.name.icontains(word, autoescape=True), User.email.icontains(word, autoescape=True))
        for word in words.split()
    ]
    whole = User.email == words.strip().casefold()
    return _found(db, or_(and_(_has_place(file.session_id), *named), whole))


def assign(
    db: DbSession,
    file: AttendanceImport,
    visit_ids: Sequence[int],
    user_id: int,
    *,
    actor_id: int,
    now: datetime,
) -> None:
    """A person looked: these visits are this person's. `file` is locked.

    Raises NotAllowed for one's own, NotFound.
    """
    if user_id == actor_id:
        raise NotAllowed("This would be your own credit. Ask a colleague to look who it was.")
    user = db.get(User, user_id)
    if user is None or user.erased_at is not None or user.verified_at is None:
        raise NotFound("There is no such person, or their account is not open.")
    _review(db, file, visit_ids, MatchedBy.HAND, user_id, actor_id=actor_id, now=now)


def dismiss(
    db: DbSession, file: AttendanceImport, visit_ids: Sequence[int], *, actor_id: int, now: datetime
) -> None:
    """A person looked: these visits are nobody's of ours. `file` is locked."""
    _review(db, file, visit_ids, MatchedBy.DISMISSED, None, actor_id=actor_id, now=now)


def undo(
    db: DbSession, file: AttendanceImport, visit_ids: Sequence[int], *, actor_id: int, now: datetime
) -> None:
    """These visits wait for review again, however they came to be somebody's."""
    _review(db, file, visit_ids, MatchedBy.NOBODY, None, actor_id=actor_id, now=now)


def _review(
    db: DbSession,
    file: AttendanceImport,
    visit_ids: Sequence[int],
    matched_by: MatchedBy,
    user_id: int | None,
    *,
    actor_id: int,
    now: datetime,
) -> None:
    if file.withdrawn_at is not None:
        raise Conflict("This report was withdrawn. Bring it back first.")
    visits = db.scalars(
        select(ImportedVisit)
        .where(ImportedVisit.import_id == file.id, ImportedVisit.id.in_(visit_ids))
        .order_by(ImportedVisit.id)
    ).all()
    if not visits:
        raise Conflict("Choose at least one visit.")
    before = sorted({visit.user_id for visit in visits if visit.user_id is not None})
    for visit in visits:
        visit.user_id, visit.matched_by = user_id, matched_by
        visit.reviewed_by_id, visit.reviewed_at = actor_id, now
    imports.settle(db, file, now=now)
    audit.write(
        db,
        actor_id=actor_id,
        action="imported visits reviewed",
        subject=f"attendance import {file.id}",
        before={"users": before},
        after={
            "visits": [visit.id for visit in visits],
            "matched_by": matched_by,
            "user": user_id,
        },
        now=now,
    )


def _suggested(db: DbSession, file: AttendanceImport, name: str, email: str) -> tuple[User, ...]:
    """Who it may be: the same name with a place here, or the same address without. Only words
    for a person who decides."""
    own = name.strip()
    # SQLite lowers no letters but those of English: Ł stays Ł.
    spelled = or_(User.name == own, func.lower(User.name) == own.lower())
    same_name = and_(_has_place(file.session_id), spelled)
    maybe = or_(same_name, User.email == email) if email else same_name
    return tuple(_found(db, maybe)) if name.strip() or email else ()


def _found(db: DbSession, condition: ColumnElement[bool]) -> list[User]:
    return list(
        db.scalars(
            select(User)
            .where(condition, User.verified_at.is_not(None), User.erased_at.is_(None))
            .order_by(User.name, User.id)
            .limit(MOST_FOUND)
        )
    )


def _has_place(session_id: int) -> ColumnElement[bool]:
    return (
        select(Registration.id)
        .where(Registration.session_id == session_id, Registration.user_id == User.id)
        .exists()
    )
