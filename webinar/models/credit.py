"""From evidence to credit: accreditors, grants, policies, decisions, certificates."""

from datetime import date, datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import (
    Date,
    ForeignKey,
    Index,
    LargeBinary,
    Numeric,
    String,
    Text,
    UniqueConstraint,
)
from sqlalchemy.orm import Mapped, mapped_column, relationship

from webinar.db import Base, states
from webinar.domain.attendance import ViewingMode
from webinar.domain.credit import GrantStatus, Reason
from webinar.models.people import User
from webinar.models.season import WebinarSession

Credits = Numeric(6, 2, asdecimal=True)


class Accreditor(Base):
    """A body that grants credit."""

    __tablename__ = "accreditor"

    id: Mapped[int] = mapped_column(primary_key=True)
    slug: Mapped[str] = mapped_column(String(40), unique=True)
    name: Mapped[str] = mapped_column(String(200))
    short_name: Mapped[str] = mapped_column(String(40))  # on chips: "CME", "ESMO-MORA"
    unit: Mapped[str] = mapped_column(String(40))  # "ECMEC", "point"
    # What an application asks for, as data: weeks before the first session and the like.
    application_terms: Mapped[dict[str, Any] | None]


class CreditPolicy(Base):
    """A version of a rule, as data. Never changed once used: a change is a new version."""

    __tablename__ = "credit_policy"
    __table_args__ = (UniqueConstraint("name", "version"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(60))
    version: Mapped[int]
    data: Mapped[dict[str, Any]]
    note: Mapped[str] = mapped_column(Text, default="")  # why there is this version
    created_at: Mapped[datetime]
    created_by_id: Mapped[int | None] = mapped_column(ForeignKey("user.id"))  # None: the program
    # A version nobody has approved is a draft: no grant may follow it.
    approved_at: Mapped[datetime | None]
    approved_by_id: Mapped[int | None] = mapped_column(ForeignKey("user.id"))


class AccreditationGrant(Base):
    """An accreditor's decision for a session, in one mode."""

    __tablename__ = "accreditation_grant"
    __table_args__ = (UniqueConstraint("session_id", "accreditor_id", "mode"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    session_id: Mapped[int] = mapped_column(ForeignKey("session.id"), index=True)
    accreditor_id: Mapped[int] = mapped_column(ForeignKey("accreditor.id"))
    policy_id: Mapped[int] = mapped_column(ForeignKey("credit_policy.id"))
    mode: Mapped[ViewingMode] = mapped_column(states(ViewingMode))
    status: Mapped[GrantStatus] = mapped_column(states(GrantStatus))
    credits_granted: Mapped[Decimal] = mapped_column(Credits)
    reference: Mapped[str] = mapped_column(String(60), default="")
    edition: Mapped[str] = mapped_column(String(60), default="")
    statement_applied: Mapped[str] = mapped_column(Text, default="")
    statement_granted: Mapped[str] = mapped_column(Text, default="")
    applied_on: Mapped[date | None] = mapped_column(Date)
    decided_on: Mapped[date | None] = mapped_column(Date)
    credit_until: Mapped[datetime | None]  # the credit clock; None: as long as the window
    # Set by every change; None once the clock has decided anew for everybody.
    changed_at: Mapped[datetime | None]

    session: Mapped[WebinarSession] = relationship()
    accreditor: Mapped[Accreditor] = relationship(lazy="joined")
    policy: Mapped[CreditPolicy] = relationship(lazy="joined")


class CreditDecision(Base):
    """What one person earned under one grant, with the hash of everything it rests on."""

    __tablename__ = "credit_decision"
    __table_args__ = (
        UniqueConstraint("session_id", "user_id", "grant_id", "revision"),
        Index("ix_credit_decision_user_id_decided_at", "user_id", "decided_at"),
        Index("ix_credit_decision_is_latest_due_at", "is_latest", "due_at"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    session_id: Mapped[int] = mapped_column(ForeignKey("session.id"))
    user_id: Mapped[int] = mapped_column(ForeignKey("user.id"))
    grant_id: Mapped[int] = mapped_column(ForeignKey("accreditation_grant.id"))
    # The grant's then: it may get another one, and the case must stay decidable as it was.
    policy_id: Mapped[int] = mapped_column(ForeignKey("credit_policy.id"))
    revision: Mapped[int]
    credit: Mapped[Decimal] = mapped_column(Credits)
    reason: Mapped[Reason] = mapped_column(states(Reason))
    explanation: Mapped[str] = mapped_column(Text)
    next_step: Mapped[str | None] = mapped_column(Text)
    due_at: Mapped[datetime | None]
    seconds_counted: Mapped[int]
    window_seconds: Mapped[int]
    inputs: Mapped[dict[str, Any]]  # the facts, so that it can be decided again
    inputs_hash: Mapped[str] = mapped_column(String(64))
    # Of the stored rows the facts were read from; "" for what was decided before it was kept.
    evidence_hash: Mapped[str] = mapped_column(String(64), default="")
    decided_at: Mapped[datetime]
    # The revision that stands. Earlier ones stay as they were, but for this mark.
    is_latest: Mapped[bool] = mapped_column(default=True)

    grant: Mapped[AccreditationGrant] = relationship()
    policy: Mapped[CreditPolicy] = relationship()
    session: Mapped[WebinarSession] = relationship()
    user: Mapped[User] = relationship()


class Certificate(Base):
    """The frozen document of what a person earned in a session. Revocation keeps the page."""

    __tablename__ = "certificate"
    __table_args__ = (UniqueConstraint("session_id", "user_id", "revision"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    number: Mapped[str] = mapped_column(String(32), unique=True)
    session_id: Mapped[int] = mapped_column(ForeignKey("session.id"))
    user_id: Mapped[int] = mapped_column(ForeignKey("user.id"), index=True)
    revision: Mapped[int]
    content: Mapped[dict[str, Any]]  # CertificateContent, frozen at issue
    content_digest: Mapped[str] = mapped_column(String(64))
    decision_ids: Mapped[list[Any]]
    issued_at: Mapped[datetime]
    superseded_by: Mapped[str | None] = mapped_column(String(32))
    revoked_at: Mapped[datetime | None]
    revoke_reason: Mapped[str | None] = mapped_column(Text)


class CertificatePaper(Base):
    """A certificate as it was set and signed once: everybody gets these very bytes."""

    __tablename__ = "certificate_paper"

    certificate_id: Mapped[int] = mapped_column(ForeignKey("certificate.id"), primary_key=True)
    pdf: Mapped[bytes] = mapped_column(LargeBinary)
    sha256: Mapped[str] = mapped_column(String(64), index=True)
    badge: Mapped[str] = mapped_column(Text, default="")  # Open Badges 3.0, as a signed JWT
    key_id: Mapped[str] = mapped_column(String(64))  # of the key that signed both
    made_at: Mapped[datetime]
