"""The tables, one class each, by topic."""

from webinar.models.audit import AuditEvent
from webinar.models.changes import SeasonChange, SessionText
from webinar.models.credit import (
    AccreditationGrant,
    Accreditor,
    Certificate,
    CreditDecision,
    CreditPolicy,
)
from webinar.models.desk import (
    Destruction,
    ExtensionRequest,
    RecordingCaption,
    RecordingChapter,
    RecordingSlide,
    WatchPlace,
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
from webinar.models.faculty import FacultyFile, FacultyLink, FacultyMember
from webinar.models.ingest import Rehearsal, StreamKey, Upload
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
from webinar.models.rooms import ExternalRoom, RoomGuest, RoomNotice, RoomVisit
from webinar.models.season import (
    AudienceGroup,
    Auspices,
    FeedState,
    PlanningRule,
    Series,
    SeriesException,
    Society,
    Topic,
    WebinarSession,
)

__all__ = [
    "AccreditationGrant",
    "Accreditor",
    "AudienceGroup",
    "AuditEvent",
    "Auspices",
    "Broadcast",
    "BroadcastTake",
    "Certificate",
    "CreditDecision",
    "CreditPolicy",
    "Delivery",
    "Destruction",
    "EvaluationAnswers",
    "EvaluationGiven",
    "ExtensionRequest",
    "ExternalRoom",
    "FacultyFile",
    "FacultyLink",
    "FacultyMember",
    "FeedState",
    "Identifier",
    "MediaSegment",
    "PlanningRule",
    "Question",
    "Recording",
    "RecordingCaption",
    "RecordingChapter",
    "RecordingSlide",
    "Registration",
    "Rehearsal",
    "RoomGuest",
    "RoomNotice",
    "RoomVisit",
    "SeasonChange",
    "Series",
    "SeriesException",
    "SeriesRegistration",
    "SessionText",
    "SignInLink",
    "Society",
    "StreamKey",
    "TestAttempt",
    "TestItem",
    "Topic",
    "Upload",
    "User",
    "UserRole",
    "ViewingPass",
    "WatchPlace",
    "WatchSegment",
    "WebinarSession",
    "WindowExtension",
]
