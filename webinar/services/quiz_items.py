"""The questions of a session's short test, as they are written; fixed once somebody took it."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select

from webinar.db import DbSession
from webinar.domain.errors import Conflict, DomainError, NotFound
from webinar.models import TestAttempt, TestItem, WebinarSession
from webinar.services import audit

FEWEST_OPTIONS, MOST_OPTIONS = 2, 6
LONGEST = 1000


class TestIsTaken(Conflict):
    """Answers were given to these very questions."""

    __test__ = False


class UnusableItem(DomainError):
    """A question that cannot be asked; `field` is what is wrong: text, options or right."""

    def __init__(self, field: str, message: str) -> None:
        super().__init__(message)
        self.field = field


@dataclass(frozen=True)
class ItemDetails:
    """A question as it is written; `right` counts the options from 0."""

    text: str
    options: tuple[str, ...]
    right: int
    comment: str = ""


def items_of(db: DbSession, session_id: int) -> list[TestItem]:
    """The session's questions in their order."""
    return list(
        db.scalars(
            select(TestItem)
            .where(TestItem.session_id == session_id)
            .order_by(TestItem.position, TestItem.id)
        )
    )


def item_of(db: DbSession, session: WebinarSession, item_id: int) -> TestItem:
    """One of the session's questions; raises NotFound."""
    item = db.get(TestItem, item_id)
    if item is None or item.session_id != session.id:
        raise NotFound("This test has no such question.")
    return item


def people_who_took(db: DbSession, session_id: int) -> int:
    """How many people have tried the session's test."""
    counted = select(func.count(TestAttempt.user_id.distinct())).where(
        TestAttempt.session_id == session_id
    )
    return db.scalar(counted) or 0


def add(
    db: DbSession,
    session: WebinarSession,
    details: ItemDetails,
    *,
    actor_id: int | None,
    now: datetime,
) -> TestItem:
    """Ask one question more, as the last; raises TestIsTaken, UnusableItem."""
    _open(db, session)
    _ensure_usable(details)
    items = items_of(db, session.id)
    item = TestItem(
        session_id=session.id, position=items[-1].position + 1 if items else 0, **_columns(details)
    )
    db.add(item)
    db.flush()
    _write(db, session, "test question added", None, item, actor_id=actor_id, now=now)
    return item


def change(
    db: DbSession,
    session: WebinarSession,
    item: TestItem,
    details: ItemDetails,
    *,
    actor_id: int | None,
    now: datetime,
) -> bool:
    """Make the question say this, True if it did not; raises TestIsTaken, UnusableItem."""
    _open(db, session)
    _ensure_usable(details)
    before = _facts(item)
    for name, value in _columns(details).items():
        setattr(item, name, value)
    if _facts(item) == before:
        return False
    db.flush()
    _write(db, session, "test question changed", before, item, actor_id=actor_id, now=now)
    return True


def remove(
    db: DbSession, session: WebinarSession, item: TestItem, *, actor_id: int | None, now: datetime
) -> None:
    """Ask it no more; raises TestIsTaken."""
    _open(db, session)
    before = _facts(item)
    db.delete(item)
    db.flush()
    _write(db, session, "test question removed", before, None, actor_id=actor_id, now=now)


def move(
    db: DbSession,
    session: WebinarSession,
    item: TestItem,
    by: int,
    *,
    actor_id: int | None,
    now: datetime,
) -> None:
    """Let it change places: `by` -1 is one earlier, 1 one later; raises TestIsTaken."""
    _open(db, session)
    items = items_of(db, session.id)
    old = items.index(item)
    new = min(max(old + by, 0), len(items) - 1)
    if new == old:
        return
    items.insert(new, items.pop(old))
    for position, moved in enumerate(items):
        moved.position = position
    db.flush()
    audit.write(
        db,
        actor_id=actor_id,
        action="test question moved",
        subject=f"session {session.id}",
        before={"item": item.id, "place": old + 1},
        after={"item": item.id, "place": new + 1},
        now=now,
    )


def why_fixed(db: DbSession, session_id: int) -> str:
    """Why the questions stay as they are, as a sentence; "" if they may change."""
    if not (people := people_who_took(db, session_id)):
        return ""
    taken = "1 person has" if people == 1 else f"{people} people have"
    return (
        f"{taken} taken this test, so its questions stay as they are: answers were given to "
        "these very words."
    )


def _open(db: DbSession, session: WebinarSession) -> None:
    """Lock the test for writing; raises TestIsTaken."""
    db.refresh(session, with_for_update=True)
    if reason := why_fixed(db, session.id):
        raise TestIsTaken(reason)


def _ensure_usable(details: ItemDetails) -> None:
    if not details.text.strip() or len(details.text) > LONGEST:
        raise UnusableItem("text", f"Write the question, in at most {LONGEST} characters.")
    if not FEWEST_OPTIONS <= len(details.options) <= MOST_OPTIONS:
        raise UnusableItem(
            "options", f"Give {FEWEST_OPTIONS} to {MOST_OPTIONS} answers to choose from."
        )
    if any(not option.strip() or len(option) > LONGEST for option in details.options):
        raise UnusableItem("options", f"An answer has 1 to {LONGEST} characters.")
    if len({option.strip().casefold() for option in details.options}) < len(details.options):
        raise UnusableItem("options", "Two answers are the same. Make each one differ.")
    if not 0 <= details.right < len(details.options):
        raise UnusableItem("right", "Say which answer is right.")


def _columns(details: ItemDetails) -> dict[str, object]:
    return {
        "text": details.text.strip(),
        "options": [option.strip() for option in details.options],
        "correct_option": details.right,
        "comment": details.comment.strip(),
    }


def _facts(item: TestItem) -> dict[str, object]:
    return {
        "text": item.text,
        "options": list(item.options),
        "correct_option": item.correct_option,
        "comment": item.comment,
    }


def _write(
    db: DbSession,
    session: WebinarSession,
    action: str,
    before: dict[str, object] | None,
    item: TestItem | None,
    *,
    actor_id: int | None,
    now: datetime,
) -> None:
    audit.write(
        db,
        actor_id=actor_id,
        action=action,
        subject=f"session {session.id}",
        before=before,
        after=None if item is None else _facts(item),
        now=now,
    )
