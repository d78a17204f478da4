"""Everything that names or points to a person, and what becomes of it when they leave.

One table: erasing follows it, pages and the copy of one's data show it, and a test holds every
column of the database against it.
"""

from dataclasses import dataclass
from enum import StrEnum


class Fate(StrEnum):
    """What becomes of it when the account is deleted."""

    DELETED = "deleted"
    """The row goes."""
    EMPTIED = "emptied"
    """The row stays without it."""
    KEPT = "kept"
    """It stays, for the reason given; where it points to the account, that has no name any more."""


class Whose(StrEnum):
    """Whether a row is about the person it points to."""

    OWN = "own"
    """Theirs: part of the copy they can take with them."""
    ACT = "act"
    """What they did for others; the row is about something else."""


@dataclass(frozen=True)
class Place:
    """One column."""

    table: str
    column: str
    fate: Fate
    why: str
    whose: Whose = Whose.OWN


PROOF = "evidence of credit, which accreditors may ask for; goes when its years are over"
CREDIT = "the record of credit: what was earned, and why"
PROGRAMME = "part of the published programme and of what accreditors were told about interests"
TRACE = "who did what for others must stay known; it shows a number, no name"


def _own(table: str, fate: Fate, why: str = "", column: str = "user_id") -> Place:
    return Place(table, column, fate, why)


def _acts(*columns: str) -> tuple[Place, ...]:
    found = (one.split(".") for one in columns)
    return tuple(Place(table, column, Fate.KEPT, TRACE, Whose.ACT) for table, column in found)


POINTING: tuple[Place, ...] = (
    _own("user_role", Fate.DELETED),
    _own("sign_in_link", Fate.DELETED),
    _own("identifier", Fate.DELETED),
    _own("mail_wish", Fate.DELETED),
    _own("digest_topic", Fate.DELETED),
    _own("mail_trouble", Fate.DELETED),
    _own("delivery", Fate.DELETED),
    _own("series_registration", Fate.DELETED),
    _own("question", Fate.DELETED),
    _own("watch_place", Fate.DELETED),
    _own("window_extension", Fate.DELETED),
    _own("extension_request", Fate.DELETED),
    _own("registration", Fate.KEPT, "counts in reports; places that are still ahead are given up"),
    _own("viewing_pass", Fate.KEPT, PROOF),
    _own("attention_check", Fate.KEPT, PROOF),
    _own("attendance_summary", Fate.KEPT, PROOF),
    _own("test_paper", Fate.KEPT, PROOF),
    _own("test_attempt", Fate.KEPT, PROOF),
    _own("evaluation_given", Fate.KEPT, PROOF),
    _own("room_guest", Fate.KEPT, PROOF),
    _own("imported_visit", Fate.KEPT, PROOF),
    _own("credit_decision", Fate.KEPT, CREDIT),
    _own("certificate", Fate.KEPT, CREDIT),
    _own("appeal", Fate.KEPT, CREDIT),
    _own("credit_correction", Fate.KEPT, CREDIT),
    _own("faculty_member", Fate.KEPT, PROGRAMME),
    *_acts(
        "appeal.answered_by_id",
        "attendance_import.made_by_id",
        "audit_event.actor_id",
        "auditor_door.made_by_id",
        "broadcast.handed_to_id",
        "broadcast_take.opened_by_id",
        "credit_correction.decided_by_id",
        "credit_correction.proposed_by_id",
        "credit_policy.approved_by_id",
        "credit_policy.created_by_id",
        "extension_request.answered_by_id",
        "external_room.made_by_id",
        "imported_visit.reviewed_by_id",
        "incident.declared_by_id",
        "incident.withdrawn_by_id",
        "post_event_report.signed_by_id",
        "recording_caption.made_by_id",
        "registry_export.made_by_id",
        "rehearsal.opened_by_id",
        "season_change.actor_id",
        "stream_key.made_by_id",
        "upload.user_id",
        "window_extension.granted_by_id",
    ),
)
"""Every column that points to a person."""

WORDS: tuple[Place, ...] = (
    Place("user", "email", Fate.EMPTIED, ""),
    Place("user", "name", Fate.EMPTIED, ""),
    Place("user", "country", Fate.EMPTIED, ""),
    Place("user", "profession", Fate.EMPTIED, ""),
    Place("user", "zone", Fate.EMPTIED, ""),
    Place("user", "password_hash", Fate.EMPTIED, ""),
    Place("user", "feed_token_hash", Fate.EMPTIED, ""),
    Place("imported_visit", "name", Fate.EMPTIED, ""),
    Place("imported_visit", "email", Fate.EMPTIED, ""),
    Place("imported_visit", "remote_id", Fate.EMPTIED, ""),
    Place("room_guest", "sealed", Fate.EMPTIED, ""),
    Place("faculty_member", "biography", Fate.EMPTIED, ""),
    Place("faculty_file", "filename", Fate.DELETED, "a photo goes; slides are part of the session"),
    Place("faculty_link", "token_hash", Fate.DELETED, ""),
    Place("faculty_member", "name", Fate.KEPT, PROGRAMME),
    Place("faculty_member", "affiliation", Fate.KEPT, PROGRAMME),
    Place("faculty_member", "disclosure", Fate.KEPT, PROGRAMME),
    Place("faculty_member", "disclosure_form", Fate.KEPT, PROGRAMME),
    Place("faculty_member", "mitigation", Fate.KEPT, PROGRAMME),
    Place("session_text", "body", Fate.KEPT, PROGRAMME),
    Place("session", "ical_public", Fate.KEPT, PROGRAMME),
    Place("session", "ical_personal", Fate.KEPT, PROGRAMME),
    Place("certificate", "content", Fate.KEPT, "the name stands on the paper as it was issued"),
    Place("certificate_paper", "badge", Fate.KEPT, "the paper as it was signed"),
    Place("certificate_paper", "pdf", Fate.KEPT, "the paper as it was signed"),
    Place("credit_decision", "inputs", Fate.KEPT, CREDIT),
    Place("credit_decision", "explanation", Fate.KEPT, CREDIT),
    Place("appeal", "words", Fate.KEPT, CREDIT),
    Place("appeal", "picture", Fate.KEPT, CREDIT),
    Place("appeal", "answer", Fate.KEPT, CREDIT),
    Place("credit_correction", "reason", Fate.KEPT, CREDIT),
    Place("credit_correction", "answer", Fate.KEPT, CREDIT),
    Place("test_attempt", "answers", Fate.KEPT, PROOF),
    Place("test_paper", "questions", Fate.KEPT, PROOF),
    Place("room_guest", "remote_id", Fate.KEPT, "a random number; " + PROOF),
    Place("room_guest", "pseudonym", Fate.KEPT, "a made-up name; " + PROOF),
    Place("room_visit", "remote_person", Fate.KEPT, "a made-up name; " + PROOF),
    Place("attendance_import", "filename", Fate.KEPT, PROOF),
    Place("attendance_import", "problems", Fate.KEPT, PROOF),
    Place("registry_export", "rows", Fate.KEPT, "what a registry was told with consent"),
    Place("audit_event", "subject", Fate.KEPT, TRACE, Whose.ACT),
    Place("audit_event", "before", Fate.KEPT, TRACE, Whose.ACT),
    Place("audit_event", "after", Fate.KEPT, TRACE, Whose.ACT),
    Place("audit_event", "reason", Fate.KEPT, TRACE, Whose.ACT),
    Place("auditor_door", "label", Fate.KEPT, TRACE, Whose.ACT),
    Place("auditor_door", "sample", Fate.KEPT, TRACE, Whose.ACT),
    Place("destruction", "facts", Fate.KEPT, TRACE, Whose.ACT),
    Place("post_event_report", "chair_name", Fate.KEPT, "a signed report", Whose.ACT),
    Place("post_event_report", "chair_role", Fate.KEPT, "a signed report", Whose.ACT),
    Place("post_event_report", "figures", Fate.KEPT, "a signed report", Whose.ACT),
    Place("parked_work", "last_error", Fate.KEPT, "goes once the work is done", Whose.ACT),
    Place("tick_run", "last_error", Fate.KEPT, "goes with the next good run", Whose.ACT),
    Place("season_change", "items", Fate.KEPT, "goes after a month", Whose.ACT),
    Place("room_notice", "body", Fate.KEPT, "holds numbers only; goes after a month", Whose.ACT),
)
"""Every other column in which a person may be named, or described."""

SECRETS = frozenset(
    {
        ("user", "password_hash"),
        ("user", "feed_token_hash"),
        ("sign_in_link", "token_hash"),
        ("sign_in_link", "next_path"),  # may hold the proof that a mail was read
        ("delivery", "details"),
        ("room_guest", "sealed"),
    }
)
"""Never in the copy of one's data: whoever finds the copy must not get in with it."""
