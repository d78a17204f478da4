"""The tables, one class each, by topic."""

from webinar.models.audit import AuditEvent
from webinar.models.credit import (
    AccreditationGrant,
    Accreditor,
    Certificate,
    CreditDecision,
    CreditPolicy,
)
from webinar.models.evidence import (
    EvaluationAnswers,
    EvaluationGiven,
    Identifier,
    TestAttempt,
    TestItem,
    ViewingPass,
    WatchSegment,
)
from webinar.models.media import (
    Broadcast,
    BroadcastTake,
    MediaSegment,
    Recording,
    WindowExtension,
)
from webinar.models.outbox import Delivery
from webinar.models.participation import Question, Registration, SeriesRegistration
from webinar.models.people import SignInLink, User, UserRole
from webinar.models.season import (
    Auspices,
    FacultyMember,
    FeedState,
    Series,
    SeriesException,
    Society,
    Topic,
    WebinarSession,
)

__all__ = [
    "AccreditationGrant",
    "Accreditor",
    "AuditEvent",
    "Auspices",
    "Broadcast",
    "BroadcastTake",
    "Certificate",
    "CreditDecision",
    "CreditPolicy",
    "Delivery",
    "EvaluationAnswers",
    "EvaluationGiven",
    "FacultyMember",
    "FeedState",
    "Identifier",
    "MediaSegment",
    "Question",
    "Recording",
    "Registration",
    "Series",
    "SeriesException",
    "SeriesRegistration",
    "SignInLink",
    "Society",
    "TestAttempt",
    "TestItem",
    "Topic",
    "User",
    "UserRole",
    "ViewingPass",
    "WatchSegment",
    "WebinarSession",
    "WindowExtension",
]
