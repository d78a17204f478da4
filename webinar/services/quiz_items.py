"""The bank of questions of a session's short test, as it is written.

Answers are given to the very words that were asked: a question that stands on somebody's paper is
never changed or deleted. It is retired, and another one takes its place.
"""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from sqlalchemy import select

from webinar.db import DbSession
from webinar.domain.errors import DomainError, NotFound
from webinar.models import SessionQuiz, TestAttempt, TestItem, TestPaper, WebinarSession
from webinar.services import audit
from webinar.services.quiz_papers import bank_of

FEWEST_OPTIONS, MOST_OPTIONS = 2, 6
LONGEST = 1000
LONGEST_HINT = 200


class UnusableItem(DomainError):
    """A question that cannot be asked; `field` is what is wrong: text, options, right or hint."""

    def __init__(self, field: str, message: str) -> None:
        super().__init__(message)
        self.field = field


class UnusableDraw(DomainError):
    """A number of questions that cannot be drawn."""


class Change(StrEnum):
    """What became of a question that was written anew."""

    NOTHING = "nothing"
    CHANGED = "changed"
    REPLACED = "replaced"
    """The old words stay for those who were asked them; the new ones are asked from now on."""


@dataclass(frozen=True)
class ItemDetails:
    """A question as it is written; `right` counts the options from 0."""

    text: str
    options: tuple[str, ...]
    right: int
    comment: str = ""
    hint: str = ""


def items_of(db: DbSession, session_id: int) -> list[TestItem]:
    """The questions that may be asked, in their order."""
    return bank_of(db, session_id)


def retired_of(db: DbSession, session_id: int) -> list[TestItem]:
    """The questions that are asked no more, the last one first."""
    return list(
        db.scalars(
            select(TestItem)
            .where(TestItem.session_id == session_id, TestItem.retired_at.is_not(None))
            .order_by(TestItem.retired_at.desc(), TestItem.id.desc())
        )
    )


def item_of(db: DbSession, session: WebinarSession, item_id: int) -> TestItem:
    """One of the session's questions, retired or not; raises NotFound."""
    item = db.get(TestItem, item_id)
    if item is None or item.session_id != session.id:
        raise NotFound("This test has no such question.")
    return item


def asked_already(db: DbSession, session_id: int) -> frozenset[int]:
    """The questions that stand on somebody's paper, answered or open."""
    asked: set[int] = set()
    papers = select(TestPaper.questions).where(TestPaper.session_id == session_id)
    tries = select(TestAttempt.answers).where(TestAttempt.session_id == session_id)
    for query in (papers, tries):
        for rows in db.scalars(query.execution_options(yield_per=500)):
            asked.update(int(row[0]) for row in rows)
    return frozenset(asked)


def draw_of(db: DbSession, session_id: int) -> int | None:
    """How many questions are drawn for a try; None: all of the bank."""
    quiz = db.get(SessionQuiz, session_id)
    return None if quiz is None else quiz.draw


def set_draw(
    db: DbSession,
    session: WebinarSession,
    draw: int | None,
    *,
    actor_id: int | None,
    now: datetime,
) -> bool:
    """Ask so many of the bank, or all (None); True if that is new. Papers drawn before stay."""
    _lock(db, session)
    size = len(items_of(db, session.id))
    if draw is not None and not 1 <= draw <= max(size, 1):
        raise UnusableDraw(
            f"Draw 1 to {size} questions: that is how many there are."
            if size > 1
            else "Write more questions first; then some of them can be drawn."
        )
    before = draw_of(db, session.id)
    if draw == before:
        return False
    quiz = db.get(SessionQuiz, session.id)
    if quiz is None:
        db.add(SessionQuiz(session_id=session.id, draw=draw))
    else:
        quiz.draw = draw
    db.flush()
    audit.write(
        db,
        actor_id=actor_id,
        action="test draw changed",
        subject=f"session {session.id}",
        before={"draw": before},
        after={"draw": draw},
        now=now,
    )
    return True


def add(
    db: DbSession,
    session: WebinarSession,
    details: ItemDetails,
    *,
    actor_id: int | None,
    now: datetime,
) -> TestItem:
    """Put one question more into the bank, as the last; raises UnusableItem."""
    _lock(db, session)
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
) -> Change:
    """Make the question say this; raises UnusableItem.

    Hint and comment may always change. Other words of a question that was asked stay, and the new
    ones become a question of their own in its place.
    """
    _lock(db, session)
    _ensure_usable(details)
    before = _facts(item)
    after = _columns(details)
    if after == before:
        return Change.NOTHING
    asked = {name: after[name] for name in ("text", "options", "correct_option")}
    if asked != {name: before[name] for name in asked} and item.id in asked_already(db, session.id):
        new = TestItem(session_id=session.id, position=item.position, **after)
        item.retired_at = now
        db.add(new)
        db.flush()
        _write(db, session, "test question replaced", before, new, actor_id=actor_id, now=now)
        return Change.REPLACED
    for name, value in after.items():
        setattr(item, name, value)
    db.flush()
    _write(db, session, "test question changed", before, item, actor_id=actor_id, now=now)
    return Change.CHANGED


def remove(
    db: DbSession, session: WebinarSession, item: TestItem, *, actor_id: int | None, now: datetime
) -> bool:
    """Ask it no more. True if it is kept as retired, because somebody was asked it."""
    _lock(db, session)
    before = _facts(item)
    if item.id in asked_already(db, session.id):
        item.retired_at = item.retired_at or now
        db.flush()
        _write(db, session, "test question retired", before, item, actor_id=actor_id, now=now)
        return True
    db.delete(item)
    db.flush()
    _write(db, session, "test question removed", before, None, actor_id=actor_id, now=now)
    return False


def restore(
    db: DbSession, session: WebinarSession, item: TestItem, *, actor_id: int | None, now: datetime
) -> None:
    """Ask a retired question again, as the last."""
    _lock(db, session)
    if item.retired_at is None:
        return
    items = items_of(db, session.id)
    item.retired_at = None
    item.position = items[-1].position + 1 if items else 0
    db.flush()
    facts = _facts(item)
    _write(db, session, "test question restored", facts, item, actor_id=actor_id, now=now)


def move(
    db: DbSession,
    session: WebinarSession,
    item: TestItem,
    by: int,
    *,
    actor_id: int | None,
    now: datetime,
) -> None:
    """Let it change places: `by` -1 is one earlier, 1 one later."""
    _lock(db, session)
    items = items_of(db, session.id)
    if item not in items:
        return
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


def _lock(db: DbSession, session: WebinarSession) -> None:
    """One author after the other."""
    db.refresh(session, with_for_update=True)


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
    if len(details.hint.strip()) > LONGEST_HINT:
        raise UnusableItem("hint", f"Keep the hint within {LONGEST_HINT} characters.")


def _columns(details: ItemDetails) -> dict[str, object]:
    return {
        "text": details.text.strip(),
        "options": [option.strip() for option in details.options],
        "correct_option": details.right,
        "comment": details.comment.strip(),
        "hint": details.hint.strip(),
    }


def _facts(item: TestItem) -> dict[str, object]:
    return {
        "text": item.text,
        "options": list(item.options),
        "correct_option": item.correct_option,
        "comment": item.comment,
        "hint": item.hint,
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
