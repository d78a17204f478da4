"""The tables, one class each, by topic."""

from webinar.models.attendance_reports import AttendanceImport, ImportedVisit
from webinar.models.audit import AuditEvent
from webinar.models.changes import SeasonChange, SessionText
from webinar.models.credit import (
    AccreditationGrant,
    Accreditor,
    Certificate,
    CertificatePaper,
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
    SessionQuiz,
    TestAttempt,
    TestItem,
    TestPaper,
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
from webinar.models.operations import (
    BackupRun,
    ParkedWork,
    RetentionRun,
    TickRun,
    WorkingProcess,
)
from webinar.models.outbox import Delivery
from webinar.models.participation import Question, Registration, SeriesRegistration
from webinar.models.people import SignInLink, User, UserRole
from webinar.models.proof import (
    Appeal,
    AttentionCheck,
    CreditCorrection,
    EvidenceChain,
    EvidenceLink,
    Incident,
)
from webinar.models.reports import (
    AttendanceSummary,
    AuditorDoor,
    PostEventReport,
    RegistryExport,
)
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
from webinar.models.wishes import DigestTopic, MailTrouble, MailWish

__all__ = [
    "AccreditationGrant",
    "Accreditor",
    "Appeal",
    "AttendanceImport",
    "AttendanceSummary",
    "AttentionCheck",
    "AudienceGroup",
    "AuditEvent",
    "AuditorDoor",
    "Auspices",
    "BackupRun",
    "Broadcast",
    "BroadcastTake",
    "Certificate",
    "CertificatePaper",
    "CreditCorrection",
    "CreditDecision",
    "CreditPolicy",
    "Delivery",
    "Destruction",
    "DigestTopic",
    "EvaluationAnswers",
    "EvaluationGiven",
    "EvidenceChain",
    "EvidenceLink",
    "ExtensionRequest",
    "ExternalRoom",
    "FacultyFile",
    "FacultyLink",
    "FacultyMember",
    "FeedState",
    "Identifier",
    "ImportedVisit",
    "Incident",
    "MailTrouble",
    "MailWish",
    "MediaSegment",
    "ParkedWork",
    "PlanningRule",
    "PostEventReport",
    "Question",
    "Recording",
    "RecordingCaption",
    "RecordingChapter",
    "RecordingSlide",
    "Registration",
    "RegistryExport",
    "Rehearsal",
    "RetentionRun",
    "RoomGuest",
    "RoomNotice",
    "RoomVisit",
    "SeasonChange",
    "Series",
    "SeriesException",
    "SeriesRegistration",
    "SessionQuiz",
    "SessionText",
    "SignInLink",
    "Society",
    "StreamKey",
    "TestAttempt",
    "TestItem",
    "TestPaper",
    "TickRun",
    "Topic",
    "Upload",
    "User",
    "UserRole",
    "ViewingPass",
    "WatchPlace",
    "WatchSegment",
    "WebinarSession",
    "WindowExtension",
    "WorkingProcess",
]
