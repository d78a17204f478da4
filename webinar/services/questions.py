"""Questions in writing: from one participant to the moderator, seen by nobody else."""

from datetime import datetime

from sqlalchemy import select

from webinar.db import DbSession
from webinar.domain.errors import DomainError
from webinar.domain.session import SessionStatus
from webinar.models import Question, WebinarSession

LONGEST_TEXT = 1000
MOST_PER_PERSON = 20


class QuestionRefused(DomainError):
    """The question cannot be taken."""


def ask(
    db: DbSession,
    session: WebinarSession,
    user_id: int,
    *,
    text: str,
    client_key: str,
    now: datetime,
) -> Question:
    """Keep a question; the same `client_key` again is the same question."""
    kept = db.scalar(select(Question).where(Question.client_key == client_key))
    if kept is not None and kept.user_id == user_id and kept.session_id == session.id:
        return kept
    text = text.strip()
    if not text:
        raise QuestionRefused("Write your question first.")
    if len(text) > LONGEST_TEXT:
        raise QuestionRefused(f"A question has at most {LONGEST_TEXT} characters.")
    if session.status is not SessionStatus.LIVE:
        raise QuestionRefused("Questions can be asked while the session is live.")
    if not 16 <= len(client_key) <= 64 or kept is not None:
        raise QuestionRefused("The question could not be sent. Reload the page and try again.")
    asked = db.scalars(
        select(Question.id).where(Question.session_id == session.id, Question.user_id == user_id)
    ).all()
    if len(asked) >= MOST_PER_PERSON:
        raise QuestionRefused(f"You have asked {MOST_PER_PERSON} questions in this session.")
    question = Question(
        session_id=session.id, user_id=user_id, client_key=client_key, text=text, asked_at=now
    )
    db.add(question)
    db.flush()
    return question


def mine(db: DbSession, session_id: int, user_id: int) -> list[Question]:
    """What this person asked here."""
    return list(
        db.scalars(
            select(Question)
            .where(Question.session_id == session_id, Question.user_id == user_id)
            .order_by(Question.id)
        )
    )


def queue(db: DbSession, session_id: int) -> list[Question]:
    """Everything asked, for the moderator: open ones first, oldest first."""
    return list(
        db.scalars(
            select(Question)
            .where(Question.session_id == session_id)
            .order_by(Question.answered_at.is_not(None), Question.id)
        )
    )


def mark_answered(
    db: DbSession, session_id: int, question_id: int, *, answered: bool, now: datetime
) -> None:
    """Tick a question off, or take the tick back."""
    question = db.scalars(
        select(Question).where(Question.id == question_id, Question.session_id == session_id)
    ).one()
    question.answered_at = now if answered else None


def pass_on(
    db: DbSession, session_id: int, question_id: int, *, passed_on: bool, now: datetime
) -> None:
    """Show a question to the speaker, or take it back."""
    question = db.scalars(
        select(Question).where(Question.id == question_id, Question.session_id == session_id)
    ).one()
    question.passed_on_at = now if passed_on else None


def passed_on(db: DbSession, session_id: int) -> list[Question]:
    """What the speaker is to answer: passed on and not answered yet, oldest first."""
    return list(
        db.scalars(
            select(Question)
            .where(
                Question.session_id == session_id,
                Question.passed_on_at.is_not(None),
                Question.answered_at.is_(None),
            )
            .order_by(Question.passed_on_at, Question.id)
        )
    )
