"""How long each kind of data is kept, and what is forgotten then: one table, and the arithmetic."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

LEAST_EVIDENCE_YEARS = 6
"""Accreditors ask for so many years (ACCME, AMA): what went sooner was not forgotten by rule."""


class RetentionKind(StrEnum):
    """What the clock forgets, each by a rule of its own."""

    ACCOUNTS = "unproved accounts"
    LINKS = "one-time links"
    MAILS = "mail log"
    QUESTIONS = "questions"
    EVIDENCE = "evidence"
    PLACES = "places in recordings"
    CHANGES = "changes to take back"
    NOTICES = "notices from rooms"
    PROCESSES = "processes"
    KEYS = "keys of recordings"
    MEDIA = "media of recordings"


class Unit(StrEnum):
    """In what a setting counts."""

    DAYS = "days"
    YEARS = "years"


@dataclass(frozen=True)
class Rule:
    """What is forgotten, and the setting that says after how long; "" means at once."""

    kind: RetentionKind
    what: str
    setting: str = ""
    unit: Unit = Unit.DAYS
    fixed: int = 0
    """Without a setting: so many days."""


RULES = (
    Rule(
        RetentionKind.ACCOUNTS,
        "Accounts whose e-mail nobody proved, with all that hangs on them",
        "KEEP_UNVERIFIED_DAYS",
    ),
    Rule(RetentionKind.LINKS, "Links that were used or are too old", "KEEP_LINKS_DAYS"),
    Rule(RetentionKind.MAILS, "Which mail went to whom", "KEEP_MAIL_DAYS"),
    Rule(RetentionKind.QUESTIONS, "Questions asked in a session", "KEEP_QUESTIONS_DAYS"),
    Rule(
        RetentionKind.EVIDENCE,
        "What was watched and answered, second by second; decisions and certificates stay",
        "KEEP_EVIDENCE_YEARS",
        Unit.YEARS,
    ),
    Rule(RetentionKind.PLACES, "Where somebody was in a recording"),
    Rule(RetentionKind.CHANGES, "What sessions were before a change that stands", "", fixed=30),
    Rule(
        RetentionKind.NOTICES, "What providers of rooms reported and was dealt with", "", fixed=30
    ),
    Rule(RetentionKind.PROCESSES, "Processes of the service that ended", "", fixed=30),
)
"""What is forgotten in the database. Keys and media have rules of their own: see RECORDINGS."""

RECORDINGS = (
    Rule(RetentionKind.KEYS, "Keys of recordings whose last window is over"),
    Rule(RetentionKind.MEDIA, "Files of destroyed recordings", "DESTROY_AFTER_DAYS"),
)
"""Done by the end of recordings and looked for every hour; the runs say what the looks found."""


def cut_off(rule: Rule, keep: int, *, now: datetime) -> datetime | None:
    """What is older goes; None if it is kept for ever (0 years)."""
    if rule.unit is Unit.YEARS:
        return years_before(now, keep) if keep else None
    return now - timedelta(days=keep)


def years_before(at: datetime, years: int) -> datetime:
    """The same moment so many years earlier; 29 February becomes the 28th."""
    try:
        return at.replace(year=at.year - years)
    except ValueError:
        return at.replace(year=at.year - years, day=28)
