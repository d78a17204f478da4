"""Evidence of presence, tests and evaluations: what credit is decided from."""

from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, ForeignKey, Index, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from webinar.db import Base, states
from webinar.domain.attendance import ViewingMode


class ViewingPass(Base):
    """One page load of a player by one person: every beat is said under a pass."""

    __tablename__ = "viewing_pass"
    __table_args__ = (
        Index("ix_viewing_pass_session_id_user_id", "session_id", "user_id"),
        Index("ix_viewing_pass_frozen_at_issued_at", "frozen_at", "issued_at"),
    )

    id: Mapped[str] = mapped_column(String(32), primary_key=True)  # random, in the signed token
    session_id: Mapped[int] = mapped_column(ForeignKey("session.id"))
    user_id: Mapped[int] = mapped_column(ForeignKey("user.id"), index=True)
    mode: Mapped[ViewingMode] = mapped_column(states(ViewingMode))
    issued_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    # Beats up to here have entered a decision; None: nothing of it has been decided upon.
    decided_until: Mapped[datetime | None]
    # Since then no beat changes its segments: the session's chain vouches for them.
    frozen_at: Mapped[datetime | None]


class WatchSegment(Base):
    """A stretch played without pause, seek or stall. A row only ever grows (PERFORMANCE: beats).

    Milliseconds: of media for recordings, of Unix time (programme time) for live.
    """

    __tablename__ = "watch_segment"

    pass_id: Mapped[str] = mapped_column(ForeignKey("viewing_pass.id"), primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    from_ms: Mapped[int] = mapped_column(BigInteger)
    to_ms: Mapped[int] = mapped_column(BigInteger)
    seq: Mapped[int]  # highest beat that touched it
    first_at: Mapped[datetime]
    last_at: Mapped[datetime]


class TestItem(Base):
    """A multiple-choice question about a session."""

    __tablename__ = "test_item"
    __test__ = False  # not a test of ours, whatever pytest thinks

    id: Mapped[int] = mapped_column(primary_key=True)
    session_id: Mapped[int] = mapped_column(ForeignKey("session.id"), index=True)
    position: Mapped[int]
    text: Mapped[str] = mapped_column(Text)
    options: Mapped[list[Any]]  # list of str
    correct_option: Mapped[int]
    comment: Mapped[str] = mapped_column(Text, default="")
    hint: Mapped[str] = mapped_column(String(200), default="")  # where it was said: "slides 12-14"
    retired_at: Mapped[datetime | None]  # asked no more; old attempts still refer to it


class SessionQuiz(Base):
    """How a session's test is put together. Without a row every question is asked."""

    __tablename__ = "session_quiz"

    session_id: Mapped[int] = mapped_column(ForeignKey("session.id"), primary_key=True)
    draw: Mapped[int | None]  # how many questions are drawn from the bank; None: all


class TestPaper(Base):
    """The questions drawn for one try of one person, in their order, options in theirs."""

    __tablename__ = "test_paper"
    __test__ = False
    __table_args__ = (UniqueConstraint("session_id", "user_id", "number"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    session_id: Mapped[int] = mapped_column(ForeignKey("session.id"))
    user_id: Mapped[int] = mapped_column(ForeignKey("user.id"))
    number: Mapped[int]  # of the attempt it is for
    questions: Mapped[list[Any]]  # list of [item id, [option, ...] as shown]
    drawn_at: Mapped[datetime]


class TestAttempt(Base):
    """One try at a session's test, as answered."""

    __tablename__ = "test_attempt"
    __test__ = False
    __table_args__ = (UniqueConstraint("session_id", "user_id", "number"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    session_id: Mapped[int] = mapped_column(ForeignKey("session.id"))
    user_id: Mapped[int] = mapped_column(ForeignKey("user.id"))
    number: Mapped[int]
    answers: Mapped[list[Any]]  # list of [item id, option]
    correct: Mapped[int]
    of: Mapped[int]
    taken_at: Mapped[datetime]


class EvaluationGiven(Base):
    """The fact that a person gave their evaluation; the answers stand apart, without a name."""

    __tablename__ = "evaluation_given"
    __table_args__ = {"sqlite_with_rowid": False}  # see EvaluationAnswers

    session_id: Mapped[int] = mapped_column(ForeignKey("session.id"), primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("user.id"), primary_key=True)
    given_at: Mapped[datetime]


class EvaluationAnswers(Base):
    """One evaluation's answers. No person, no time, and no order in which they came."""

    __tablename__ = "evaluation_answers"
    # SQLite's own row numbers would tell the order, and with it who gave which.
    __table_args__ = {"sqlite_with_rowid": False}

    id: Mapped[str] = mapped_column(String(32), primary_key=True)  # random: no order to match by
    session_id: Mapped[int] = mapped_column(ForeignKey("session.id"), index=True)
    answers: Mapped[dict[str, Any]]


class Identifier(Base):
    """A registry's number of a person, given at claim time with consent to pass it on."""

    __tablename__ = "identifier"

    user_id: Mapped[int] = mapped_column(ForeignKey("user.id"), primary_key=True)
    kind: Mapped[str] = mapped_column(String(20), primary_key=True)  # "EFN", ...
    value: Mapped[str] = mapped_column(String(60))
    # What a registry wants beside the number: state of the licence, month and day of birth.
    details: Mapped[dict[str, Any] | None]
    consented_at: Mapped[datetime]
