"""The chain that vouches for what was stored, and what people said about it."""

from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, ForeignKey, Index, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from webinar.db import Base, states
from webinar.domain.attendance import ViewingMode
from webinar.domain.evidence_chain import LinkKind
from webinar.domain.review import AppealState, CorrectionKind, CorrectionState
from webinar.models.credit import AccreditationGrant
from webinar.models.people import User
from webinar.models.season import WebinarSession


class EvidenceChain(Base):
    """Where a session's chain ends now; its row is locked while a link is added."""

    __tablename__ = "evidence_chain"

    session_id: Mapped[int] = mapped_column(ForeignKey("session.id"), primary_key=True)
    length: Mapped[int]
    head: Mapped[str] = mapped_column(String(64))
    closed_at: Mapped[datetime | None]  # the live evidence is complete


class EvidenceLink(Base):
    """One thing vouched for, with the hash of the link before. Never changed, never removed."""

    __tablename__ = "evidence_link"
    __table_args__ = (Index("ix_evidence_link_kind_subject", "kind", "subject"),)

    session_id: Mapped[int] = mapped_column(ForeignKey("session.id"), primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)  # from 1
    kind: Mapped[LinkKind] = mapped_column(states(LinkKind))
    subject: Mapped[str] = mapped_column(String(64))
    digest: Mapped[str] = mapped_column(String(64))
    previous_hash: Mapped[str] = mapped_column(String(64))
    hash: Mapped[str] = mapped_column(String(64))
    at: Mapped[datetime]


class Incident(Base):
    """A stretch of the live session in which nothing could be seen, through no fault of theirs."""

    __tablename__ = "incident"

    id: Mapped[int] = mapped_column(primary_key=True)
    session_id: Mapped[int] = mapped_column(ForeignKey("session.id"), index=True)
    starts_at: Mapped[datetime]
    ends_at: Mapped[datetime]
    what: Mapped[str] = mapped_column(Text)  # in words for those it touched
    declared_by_id: Mapped[int] = mapped_column(ForeignKey("user.id"))
    declared_at: Mapped[datetime]
    withdrawn_by_id: Mapped[int | None] = mapped_column(ForeignKey("user.id"))
    withdrawn_at: Mapped[datetime | None]
    withdrawn_reason: Mapped[str] = mapped_column(Text, default="")


class Appeal(Base):
    """Somebody does not agree with what was decided; carries the evidence as it was then."""

    __tablename__ = "appeal"
    __table_args__ = (Index("ix_appeal_session_id_state", "session_id", "state"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    session_id: Mapped[int] = mapped_column(ForeignKey("session.id"))
    user_id: Mapped[int] = mapped_column(ForeignKey("user.id"), index=True)
    grant_id: Mapped[int] = mapped_column(ForeignKey("accreditation_grant.id"))
    words: Mapped[str] = mapped_column(Text)
    picture: Mapped[dict[str, Any]]  # what counted, when it was raised
    raised_at: Mapped[datetime]
    state: Mapped[AppealState] = mapped_column(states(AppealState), default=AppealState.OPEN)
    answer: Mapped[str] = mapped_column(Text, default="")
    answered_by_id: Mapped[int | None] = mapped_column(ForeignKey("user.id"))
    answered_at: Mapped[datetime | None]

    session: Mapped[WebinarSession] = relationship()
    user: Mapped[User] = relationship(foreign_keys=[user_id])
    grant: Mapped[AccreditationGrant] = relationship()


class CreditCorrection(Base):
    """A person's evidence is put right: proposed by one, approved by another, both with reasons.

    `from_second` and `to_second` are on the clock that counts: Unix time of a live session, source
    time of a recording.
    """

    __tablename__ = "credit_correction"
    __table_args__ = (Index("ix_credit_correction_session_id_state", "session_id", "state"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    session_id: Mapped[int] = mapped_column(ForeignKey("session.id"))
    user_id: Mapped[int] = mapped_column(ForeignKey("user.id"), index=True)
    mode: Mapped[ViewingMode] = mapped_column(states(ViewingMode))
    kind: Mapped[CorrectionKind] = mapped_column(states(CorrectionKind))
    from_second: Mapped[int | None] = mapped_column(BigInteger)
    to_second: Mapped[int | None] = mapped_column(BigInteger)
    until: Mapped[datetime | None]  # for more time: papers handed in by then are in time
    reason: Mapped[str] = mapped_column(Text)
    appeal_id: Mapped[int | None] = mapped_column(ForeignKey("appeal.id"))
    state: Mapped[CorrectionState] = mapped_column(
        states(CorrectionState), default=CorrectionState.PROPOSED
    )
    proposed_by_id: Mapped[int] = mapped_column(ForeignKey("user.id"))
    proposed_at: Mapped[datetime]
    decided_by_id: Mapped[int | None] = mapped_column(ForeignKey("user.id"))
    decided_at: Mapped[datetime | None]
    answer: Mapped[str] = mapped_column(Text, default="")

    session: Mapped[WebinarSession] = relationship()
    user: Mapped[User] = relationship(foreign_keys=[user_id])


class AttentionCheck(Base):
    """“Are you still there?”, put to one person at a moment nobody can foresee."""

    __tablename__ = "attention_check"
    __table_args__ = (UniqueConstraint("session_id", "user_id", "mode", "number"),)

    id: Mapped[str] = mapped_column(String(32), primary_key=True)  # random
    session_id: Mapped[int] = mapped_column(ForeignKey("session.id"))
    user_id: Mapped[int] = mapped_column(ForeignKey("user.id"), index=True)
    mode: Mapped[ViewingMode] = mapped_column(states(ViewingMode))
    number: Mapped[int]
    planned_second: Mapped[int] = mapped_column(BigInteger)  # after so many seconds that count
    issued_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    answered_at: Mapped[datetime | None]
